use super::folders::{ALL, in_all};
use super::{fetched, serving};
use crate::given::{mail, run};
use crate::support::imap::{ImapServer, Kept, Twist};
use crate::support::message::Message;
use crate::support::run::Home;

/// The text of a message as its writer's program saves it.
fn text(n: usize) -> String {
    format!(
        "Message-ID: <{n}@ada.example.com>\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n\
         From: Ada <ada@example.com>\nTo: Bob <bob@example.net>\nSubject: Letter {n}\n\n\
         This is letter {n}.\n"
    )
}

fn message(text: impl AsRef<[u8]>) -> Message {
    Message::from_lf("", text)
}

/// Three in INBOX, the first four letters in Sent, and an archive without any.
fn office(keys: &str) -> (ImapServer, Home) {
    let sent: Vec<Message> = (1..=4).map(text).map(message).collect();
    writing(&sent, keys)
}

fn writing(sent: &[Message], keys: &str) -> (ImapServer, Home) {
    let (server, home) = serving(&mail(3), &format!("{ALL}{keys}"));
    server.folder("Sent", "(\\Sent) \"/\" \"Sent\"", sent);
    server.plain_folder("Archive", &[]);
    (server, home)
}

/// Copies what is in Sent into the archive.
fn copy(server: &ImapServer) {
    let copies = server.other("Sent", |it| it.messages.clone());
    server.other("Archive", |it| it.messages.extend(copies));
}

#[test]
fn e11_sent_mail_is_not_new_in_an_archive_nor_under_another_name_or_uidvalidity_of_its_folder() {
    for change in ["moved", "renamed", "uidvalidity"] {
        let (server, home) = office("");
        assert_eq!(fetched(&home), 7);
        if change == "moved" {
            copy(&server);
        }
        server.other("Sent", |it| match change {
            "moved" => it.messages.clear(),
            "renamed" => {
                it.name = "Sent Items".into();
                it.line = "(\\Sent) \"/\" \"Sent Items\"".into();
            }
            _ => it.uid_validity += 1,
        });
        for _ in 0..2 {
            assert_eq!(fetched(&home), 0, "{change}");
        }
        assert_eq!(in_all(&home), 7);
        run(&home, &["verify"], 0);
        run(&home, &["fetch", "--now", "--delete"], 0);
        let left = server.mailbox(|it| {
            let others = it.others.iter().map(|other| other.messages.len());
            it.messages.len() + others.sum::<usize>()
        });
        assert_eq!((left, in_all(&home)), (0, 7), "{change}");
    }
}

#[test]
fn e11_a_copy_of_sent_mail_whose_old_name_is_listed_is_a_message_of_its_own() {
    let (server, home) = office("");
    assert_eq!(fetched(&home), 7);
    copy(&server);
    assert_eq!(fetched(&home), 4);
    assert_eq!(fetched(&home), 0);
    // Two that are alike are two under new names as well, and a third one is new.
    for folder in ["Sent", "Archive"] {
        server.other(folder, |it| it.uid_validity += 1);
    }
    server.other("Archive", |it| {
        it.messages.push(Kept::new(9, &message(text(1))));
    });
    assert_eq!(fetched(&home), 1);
    assert_eq!(fetched(&home), 0);
    assert_eq!(in_all(&home), 12);
}

#[test]
fn e11_a_listing_without_the_folder_says_nothing_of_where_sent_mail_has_gone() {
    let (server, home) = office("");
    assert_eq!(fetched(&home), 7);
    copy(&server);
    let no = "{tag} NO [NOPERM] not now\r\n";
    server.twist("EXAMINE \"Sent\"", 0, Twist::Instead(no.into()));
    run(&home, &["fetch", "--now"], 1);
    assert_eq!(in_all(&home), 11);
    server.mailbox(|it| it.twists.clear());
    assert_eq!(fetched(&home), 0);
}

#[test]
fn e11_what_only_resembles_sent_mail_that_is_gone_is_delivered() {
    let letter = text(1);
    let without = |field: &str| {
        let lines = letter.split_inclusive('\n');
        let lines = lines.filter(|line| !line.starts_with(field));
        lines.collect::<String>()
    };
    let (nameless, undated, unsigned) = (without("Message-ID"), without("Date"), without("From"));
    for (before, after, new) in [
        (&letter, &letter, 0),
        (&letter, &format!("Status: RO\n{letter}"), 0),
        (&letter, &letter.replace("Bob", "Eve"), 1),
        (&letter, &letter.replace("This", "That"), 1),
        (&letter, &letter.replace("+0000", "+0100"), 1),
        // It came back to who sent it.
        (
            &letter,
            &format!("Received: by mx.example.com\n{letter}"),
            1,
        ),
        // Nothing says which one it is.
        (&nameless, &nameless, 1),
        (&undated, &undated, 1),
        (&unsigned, &unsigned, 1),
    ] {
        let (server, home) = writing(&[message(before)], "keep = \"never\"\n");
        assert_eq!(fetched(&home), 4);
        server.other("Archive", |it| {
            it.messages.push(Kept::new(1, &message(after)));
        });
        assert_eq!(fetched(&home), new, "{after}");
        assert_eq!(in_all(&home), 4 + new);
        let left = server.other("Archive", |it| it.messages.len());
        assert_eq!(left, 0, "{after}");
    }
}
