//! The sample mails, served by real Dovecot and by our own server, arrive octet for octet, once.

use mail_parser::MessageParser;
use popfetch::message::{Fields, Heading};

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
    let home = Home::on_disk();
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
    let home = Home::on_disk();
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
    let home = Home::on_disk();
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

/// What a second parser reads of a message, where it can say something: date, first author's
/// address, and subject.
fn read_by_another(octets: &[u8]) -> [Option<String>; 3] {
    let Some(message) = MessageParser::new().parse_headers(octets) else {
        return [None, None, None];
    };
    let from = message.from().and_then(|from| from.first());
    [
        message
            .date()
            .map(|date| date.to_rfc3339().replace('Z', "+00:00")),
        from.and_then(|author| Some(author.address()?.trim().to_owned())),
        message.subject().map(|subject| subject.trim().to_owned()),
    ]
}

/// Of this header the fields that make a message alone, as a second parser finds them.
fn found_by_another(octets: &[u8]) -> Option<Vec<u8>> {
    let message = MessageParser::new().parse_headers(octets)?;
    let mut header = Vec::new();
    for (name, value) in message.headers_raw() {
        if ["message-id", "date", "from", "received"].contains(&name.to_ascii_lowercase().as_str())
        {
            header.extend([name.as_bytes(), b":", value.trim_end().as_bytes(), b"\r\n"].concat());
        }
    }
    header.extend(b"\r\n");
    Some(header)
}

/// What is read otherwise here, and rightly: by file and field, with the reason.
const BETTER: &[(&str, usize, &str)] = &[
    (
        "everyday/00171.eml",
        0,
        "12:29:13 AM is half past midnight, and not half past noon",
    ),
    ("everyday/00877.eml", 2, NO_SPACE),
    ("everyday/00883.eml", 2, NO_SPACE),
];

const NO_SPACE: &str = "a full stop stands right behind the encoded word, without a space";

#[test]
fn g_the_headings_of_all_samples_are_read_as_a_second_parser_reads_them() {
    let Some(messages) = samples::load() else {
        return;
    };
    let (mut compared, mut lost, mut other) = (0, 0, Vec::new());
    for message in &messages {
        let own = Heading::parse(&message.octets());
        let address = own.from.as_deref().map(|from| {
            let inner = from.rsplit_once('<').map_or(from, |(_, inner)| inner);
            inner.trim_end_matches('>').to_owned()
        });
        let own = [
            own.date,
            address,
            own.subject.map(|it| it.trim().to_owned()),
        ];
        let theirs = read_by_another(&message.octets());
        for (place, (own, theirs)) in own.iter().zip(&theirs).enumerate() {
            // What one of them makes nothing of is none of the other's faults.
            if own.is_none() || theirs.is_none() {
                lost += u64::from(theirs.is_some());
                continue;
            }
            compared += 1;
            let file = name(message);
            let is_better = BETTER.iter().any(|it| (it.0, it.1) == (&file, place));
            if is_better == (own == theirs) {
                other.push(format!("{} {place}: {own:?} {theirs:?}", name(message)));
            }
        }
        let (fields, _) = Fields::read(&message.octets());
        if let Some(header) = found_by_another(&message.octets()) {
            let (again, _) = Fields::read(&header);
            if fields != again {
                other.push(format!(
                    "{} fields: {}",
                    name(message),
                    String::from_utf8_lossy(&header)
                ));
            }
        }
    }
    assert!(compared > 200, "{compared}");
    assert_eq!(lost, 0, "read by the second parser alone");
    assert!(other.is_empty(), "{compared}: {} {other:#?}", other.len());
}
