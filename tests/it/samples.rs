//! The sample mails, served by real Dovecot and by our own server, arrive octet for octet, once.

use crate::support::dovecot::{self, Dovecot};
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::samples;
use crate::support::server::{How, Server};
use crate::support::tree;

fn name(message: &Message) -> String {
    String::from_utf8_lossy(&message.unique_id).into_owned()
}

#[test]
fn all_samples_arrive_octet_for_octet_from_the_embedded_server_and_only_once() {
    let Some(messages) = samples::load() else {
        return;
    };
    assert_eq!(messages.len(), 120);
    let server = Server::start(&Maildrop::new(messages.clone()));
    let home = Home::new();
    home.one_account(&server.account(), "");

    home.popfetch(["fetch"]).expect(0);
    assert_eq!(server.last_session().ended, How::Quit);
    assert_eq!(server.count("RETR"), 120);
    tree::assert_holds(&home.maildir("a"), &messages);

    let second = home.popfetch(["--format", "paths"]).expect(0);
    assert_eq!(second.stdout, "");
    assert_eq!(server.last_session().count("RETR"), 0);
    tree::assert_holds(&home.maildir("a"), &messages);

    // For cron: nothing new, nothing said.
    let quiet = home.popfetch(["-q"]).expect(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    assert_eq!(server.maildrop().count(), 120, "keep is the default");
    assert_eq!(server.count("DELE"), 0);
}

#[test]
fn all_samples_arrive_octet_for_octet_from_dovecot_and_only_once() {
    let Some(messages) = samples::load() else {
        return;
    };
    let Some(server) = Dovecot::start(&messages) else {
        return;
    };
    let home = Home::new();
    home.one_account(&server.account(), "");
    let expected: Vec<_> = messages
        .iter()
        .map(|message| (dovecot::stored(message), name(message)))
        .collect();

    let first = home.popfetch(["-vv", "--format", "paths"]).expect(0);
    assert_eq!(first.stdout.lines().count(), 120, "{}", server.log());
    let sent = |transcript: &str, command: &str| {
        let lines = transcript.lines();
        lines.filter(|line| line.contains(command)).count()
    };
    assert_eq!(
        sent(&first.stderr, "C: RETR "),
        120,
        "the transcript shows it"
    );
    tree::assert_holds_octets(&home.maildir("a"), expected.clone());
    tree::assert_tmp_is_empty(&home.maildir("a"));

    let second = home.popfetch(["-vv", "--format", "paths"]).expect(0);
    assert_eq!(second.stdout, "");
    assert_eq!(sent(&second.stderr, "C: UIDL"), 1, "{}", second.stderr);
    assert_eq!(sent(&second.stderr, "C: RETR"), 0, "{}", second.stderr);
    tree::assert_holds_octets(&home.maildir("a"), expected);
    assert_eq!(server.count(), 120);
}

#[test]
fn new_mail_in_dovecot_is_fetched_alone_and_deleted_when_that_is_wanted() {
    let old = crate::support::message::generate(3, 500);
    let Some(mut server) = Dovecot::start(&old) else {
        return;
    };
    let home = Home::new();
    home.one_account(&server.account(), "keep = \"never\"\n");
    home.popfetch(["fetch"]).expect(0);
    assert_eq!(server.count(), 0, "{}", server.log());
    let new = [Message::from_lf("new", "Subject: new\n\n.\n..\nend\n")];
    server.deliver(&new);
    let output = home.popfetch(["--format", "paths"]).expect(0);
    assert_eq!(output.stdout.lines().count(), 1);
    assert_eq!(server.count(), 0, "{}", server.log());
    tree::assert_holds(&home.maildir("a"), &[&old[..], &new].concat());
}
