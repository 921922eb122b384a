use crate::given::{assert_said, mail, plainly, run};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

const PASSWORD: &str = "pässwörd";

/// A server with a password beyond ASCII.
fn beyond_ascii(behaviour: Behaviour) -> (Server, Home) {
    let server = Server::builder(&Maildrop::new(mail(1))).credentials("ada", PASSWORD);
    server
        .security(Security::Plain)
        .behaviour(behaviour)
        .with_home("")
}

fn speaks_utf8(behaviour: Behaviour) -> Behaviour {
    behaviour.on("UTF8", Reply::raw("+OK UTF8 enabled\r\n"))
}

#[test]
fn r32_utf8_goes_before_a_password_that_needs_it_where_it_is_announced() {
    let announced = Behaviour::new().capabilities(&["UIDL", "USER", "UTF8 USER"]);
    let (server, home) = beyond_ascii(speaks_utf8(announced));
    run(&home, &[], 0);
    let session = server.last_session();
    let commands = ["CAPA", "UTF8", "USER ada", &format!("PASS {PASSWORD}")];
    assert_eq!(session.commands[..4], commands);
    tree::assert_holds(&home.maildir("a"), &mail(1));
}

#[test]
fn r32_what_utf8_lets_through_is_listed_looked_at_and_stored_as_it_is() {
    let announced = Behaviour::new().capabilities(&["TOP", "UIDL", "USER", "UTF8 USER"]);
    let text = "From: Zoë <zoë@bücher.example>\nSubject: Grüße, 世界\n\nhällo\n";
    let message = Message::from_lf("uid-ü", text);
    let (server, home) = Server::builder(&Maildrop::new([message.clone()]))
        .credentials("ada", PASSWORD)
        .security(Security::Plain)
        .behaviour(speaks_utf8(announced))
        .with_home("");
    let shown = run(&home, &["check", "--headers"], 0).stdout;
    assert!(
        shown.contains("Grüße, 世界") && shown.contains("Zoë"),
        "{shown}"
    );
    assert_eq!(server.count("TOP"), 1);
    run(&home, &[], 0);
    run(&home, &[], 0);
    assert_eq!((server.count("UTF8"), server.count("RETR")), (3, 1));
    tree::assert_holds(&home.maildir("a"), &[message]);
}

#[test]
fn r32_utf8_is_not_sent_where_nothing_needs_it() {
    let announced = Behaviour::new().capabilities(&["UIDL", "USER", "UTF8 USER"]);
    let (server, home) = plainly(1, speaks_utf8(announced));
    run(&home, &[], 0);
    assert_eq!(server.count("UTF8"), 0);
}

#[test]
fn r32_without_utf8_sasl_plain_carries_it_and_user_and_pass_do_not() {
    let (server, home) = beyond_ascii(Behaviour::new());
    run(&home, &[], 0);
    assert_eq!((server.count("UTF8"), server.count("AUTH")), (0, 1));

    let old = Behaviour::new().capabilities(&["UIDL", "USER"]);
    let refusing = old.clone().capabilities(&["UIDL", "USER", "UTF8"]);
    let refusing = refusing.on("UTF8", Reply::raw("-ERR not now\r\n"));
    for behaviour in [old, refusing] {
        let (server, home) = beyond_ascii(behaviour);
        let output = run(&home, &[], 78);
        assert_said(&output, &["the password is not in ASCII", "hint: ", "UTF8"]);
        assert!(!output.stderr.contains(PASSWORD));
        assert_eq!(server.count("USER") + server.count("PASS"), 0);
    }
}

#[test]
fn r32_a_message_that_needs_utf8_is_fetched_in_a_second_session_with_it() {
    let needs = Reply::raw("-ERR [UTF8] this one is internationalised\r\n");
    // Every RETR 2 of the first session: the second may have it.
    let behaviour = speaks_utf8(Behaviour::new()).on_occurrences("RETR 2", 0..1, needs);
    let (server, home) = plainly(3, behaviour);
    let output = run(&home, &[], 0);
    assert_said(&output, &["asks for UTF8"]);
    let sessions = server.sessions();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[1].commands[..2], ["CAPA", "UTF8"]);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

#[test]
fn r32_one_that_is_refused_with_utf8_as_well_keeps_no_other_from_arriving() {
    let needs = Reply::raw("-ERR [UTF8] this one is internationalised\r\n");
    let (server, home) = plainly(3, Behaviour::new().on("RETR 2", needs));
    let output = run(&home, &[], 1);
    assert_said(&output, &["error: a: message 2 (uid-2", "[UTF8]"]);
    assert_eq!(server.sessions().len(), 2);
    let [first, _, third] = &mail(3)[..] else {
        panic!("three of them");
    };
    tree::assert_holds(&home.maildir("a"), &[first.clone(), third.clone()]);
}

#[test]
fn r32_a_listing_that_needs_utf8_is_asked_for_once_more() {
    let needs = Reply::raw("-ERR [UTF8] speak it\r\n");
    let behaviour = speaks_utf8(Behaviour::new()).on_occurrences("LIST", 0..1, needs);
    let (server, home) = plainly(2, behaviour);
    run(&home, &[], 0);
    assert_eq!(server.count("UTF8"), 1);
    tree::assert_holds(&home.maildir("a"), &mail(2));
}
