use super::{IMAP, fetched, serving};
use crate::given::{assert_said, letter, mail, run};
use crate::support::imap::Twist;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::tree;

/// What a server says in the place of an answer, and what becomes of the run: its status and a word of
/// what is told.
type Case = (&'static str, &'static str, i32, &'static str);

const OPENED: &str = "* 5 EXISTS\r\n* OK [UIDVALIDITY 1700000000] valid\r\n{tag} OK done\r\n";

/// Each in the first fetch of five messages. Whatever it is, the next fetch has all of them once.
const CASES: &[Case] = &[
    (
        "EXAMINE",
        "* 5 EXISTS\r\n{tag} OK done\r\n",
        76,
        "UIDVALIDITY",
    ),
    (
        "EXAMINE",
        "* 5 EXISTS\r\n* OK [UIDVALIDITY 0] x\r\n{tag} OK done\r\n",
        76,
        "UIDVALIDITY",
    ),
    (
        "EXAMINE",
        "* OK [UIDVALIDITY 4294967296] x\r\n{tag} OK done\r\n",
        76,
        "UIDVALIDITY",
    ),
    (
        "EXAMINE",
        "* BYE [UNAVAILABLE] going down\r\n",
        75,
        "ended the session",
    ),
    ("EXAMINE", "a999 OK done\r\n", 76, "another command"),
    ("EXAMINE", "+ more?\r\n", 76, "asked for more"),
    ("EXAMINE", "garbage\r\n", 76, "no response"),
    (
        "EXAMINE",
        "{tag} NO [UNAVAILABLE] not now\r\n",
        75,
        "not now",
    ),
    (
        "EXAMINE",
        "{tag} NO [INUSE] somebody else is here\r\n",
        75,
        "somebody else",
    ),
    (
        "UID FETCH 1:*",
        "* 1 FETCH (UID 2 RFC822.SIZE 9)\r\n* 2 FETCH (UID 1 RFC822.SIZE 9)\r\n{tag} OK\r\n",
        76,
        "must go up",
    ),
    (
        "UID FETCH 1:*",
        "* 1 FETCH (UID 2 RFC822.SIZE 9)\r\n* 2 FETCH (UID 2 RFC822.SIZE 9)\r\n{tag} OK\r\n",
        76,
        "must go up",
    ),
    (
        "UID FETCH 1:*",
        "* 1 FETCH (RFC822.SIZE 9)\r\n{tag} OK\r\n",
        76,
        "without its UID",
    ),
    (
        "UID FETCH 1:*",
        "* 1 FETCH (UID 0 RFC822.SIZE 9)\r\n{tag} OK\r\n",
        76,
        "a UID or a size of a message that is none",
    ),
    ("UID FETCH 1:*", "* 1 FETCH (UID 1 RFC822.SIZE 9", 75, ""),
    (
        "UID FETCH 1:*",
        "* 1 FETCH (UID 1 X {999999999}\r\n",
        76,
        "none may be so long",
    ),
    ("UID FETCH 1:*", "{tag} NO [SERVERBUG] oh\r\n", 75, "oh"),
    (
        "UID FETCH 3 ",
        "* 3 FETCH (UID 4 BODY[] {2}\r\nhi)\r\n{tag} OK\r\n",
        76,
        "another message",
    ),
    (
        "UID FETCH 3 ",
        "* 3 FETCH (BODY[] {2}\r\nhi UID 4)\r\n{tag} OK\r\n",
        76,
        "another message",
    ),
    (
        "UID FETCH 3 ",
        "* 3 FETCH (BODY[] {2}\r\nhi)\r\n{tag} OK\r\n",
        76,
        "another message",
    ),
    (
        "UID FETCH 3 ",
        "* 3 FETCH (UID 3 BODY[] {2}\r\nhi BODY[] {2}\r\nhi)\r\n",
        76,
        "twice",
    ),
    (
        "UID FETCH 3 ",
        "* 3 FETCH (UID 3 BODY[] {2}\r\nhi)\r\n* 3 FETCH (UID 3 BODY[] {2}\r\nhi)\r\n",
        76,
        "twice",
    ),
    (
        "UID FETCH 3 ",
        "* BYE idle for too long\r\n",
        75,
        "idle for too long",
    ),
    (
        "UID FETCH 3 ",
        "* 3 FETCH (UID 3 BODY[] {99999}\r\nhi",
        75,
        "",
    ),
    (
        "UID FETCH 3 ",
        "a1 OK what you asked for first\r\n",
        76,
        "another command",
    ),
];

#[test]
fn whatever_a_server_does_nothing_is_lost_and_nothing_comes_twice() {
    for (command, words, status, told) in CASES {
        let (server, home) = serving(&mail(5), "pipelining = \"off\"\n");
        server.twist(command, 0, Twist::Instead((*words).into()));
        // What breaks off in the middle is followed by the end of the connection.
        if told.is_empty() {
            server.mailbox(|it| it.twists.clear());
            server.twist(command, 0, Twist::Cut(60));
        }
        let output = run(&home, &["fetch"], *status);
        assert_said(&output, &[told]);
        server.mailbox(|it| it.twists.clear());
        run(&home, &["fetch", "--now"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(5));
        assert_eq!(fetched(&home), 0, "{words}");
    }
}

#[test]
fn the_same_with_commands_under_way() {
    for (command, words, _, told) in CASES {
        let (server, home) = serving(&mail(5), "");
        let twist = match told.is_empty() {
            true => Twist::Cut(60),
            false => Twist::Instead((*words).into()),
        };
        server.twist(command, 0, twist);
        home.popfetch(["fetch"]).run();
        server.mailbox(|it| it.twists.clear());
        run(&home, &["fetch", "--now"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(5));
        assert_eq!(fetched(&home), 0, "{words}");
    }
}

#[test]
fn what_nobody_asked_for_changes_nothing() {
    for words in [
        "* 4 EXPUNGE\r\n",
        "* VANISHED 1:3\r\n",
        "* VANISHED (EARLIER) 300:310,317\r\n",
        "* 6 EXISTS\r\n* 1 RECENT\r\n",
        "* 2 FETCH (FLAGS (\\Seen))\r\n",
        "* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (12))\r\n",
        "* OK still here\r\n* NO [ALERT] your mailbox is nearly full\r\n* BAD hm\r\n",
        "* LIST (\\HasNoChildren) {1}\r\n/ INBOX\r\n* STATUS INBOX (MESSAGES 7)\r\n* SEARCH 1 2\r\n",
        "* ESEARCH (TAG \"x\") UID ALL 1:5\r\n* XYZ what is this?\r\n",
    ] {
        for command in ["UID FETCH 1:*", "UID FETCH 3 ", "LOGOUT", "EXAMINE"] {
            let (server, home) = serving(&mail(5), "");
            server.twist(command, 1, Twist::Before(words.into()));
            assert_eq!(fetched(&home), 5, "{command} {words}");
            tree::assert_holds(&home.maildir("a"), &mail(5));
            server.mailbox(|it| it.twists.clear());
            assert_eq!(fetched(&home), 0, "{command} {words}");
        }
    }
}

#[test]
fn a_message_that_is_not_there_costs_no_other_one_anything() {
    for words in [
        "* 3 FETCH (UID 3 BODY[] NIL)\r\n{tag} OK done\r\n",
        "* 3 FETCH (UID 3 body[] Nil)\r\n{tag} OK done\r\n",
        "{tag} NO cannot\r\n",
        "{tag} BAD cannot\r\n",
        "* 3 FETCH (UID 3 FLAGS () INTERNALDATE \"26-Nov-2026 10:00:00 +0200\" RFC822 {2}\r\nhi)\r\n\
         {tag} OK done\r\n",
    ] {
        let (server, home) = serving(&mail(5), "");
        server.twist("UID FETCH 3 ", 0, Twist::Instead(words.into()));
        let output = home.popfetch(["fetch"]).run();
        assert!(output.status > Some(0), "{words} {output:#?}");
        server.mailbox(|it| it.twists.clear());
        run(&home, &["fetch", "--now"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(5));
    }
}

#[test]
fn a_message_may_come_between_quotation_marks_or_be_empty() {
    let (server, home) = serving(&mail(3), "");
    server.mailbox(|it| it.messages[1].message.listed = Some(12));
    server.says(
        "UID FETCH 2 ",
        "* 2 FETCH (BODY[] \"Subject: \\\"x\\\"\" UID 2)\r\n{tag} OK done\r\n",
    );
    run(&home, &["fetch"], 0);
    let files = tree::read(&home.maildir("a"));
    assert!(
        files.iter().any(|file| file.octets == b"Subject: \"x\""),
        "{files:#?}"
    );
}

#[test]
fn a_header_of_another_message_is_no_evidence() {
    // The third message's header is asked for, as its size is another one, and another one comes.
    let (server, home) = serving(&mail(4), "");
    assert_eq!(fetched(&home), 4);
    server.mailbox(|it| it.messages[2].message = letter(70));
    server.says(
        "UID FETCH 3 (UID BODY.PEEK[HEADER])",
        "* 2 FETCH (UID 2 BODY[HEADER] {14}\r\nSubject: x\r\n\r\n)\r\n{tag} OK done\r\n",
    );
    home.popfetch(["fetch", "--now"]).run();
    server.mailbox(|it| it.twists.clear());
    run(&home, &["fetch", "--now"], 0);
    let all: Vec<_> = mail(4).into_iter().chain([letter(70)]).collect();
    tree::assert_holds(&home.maildir("a"), &all);
}

#[test]
fn another_protocols_server_is_named() {
    let (server, home) = serving(&mail(1), "");
    server.mailbox(|it| it.greeting = "+OK POP3 ready".into());
    let output = run(&home, &["fetch"], 76);
    assert_said(&output, &["in place of its greeting", "a POP3 server"]);
    server.mailbox(|it| it.greeting = "* BYE too many connections".into());
    let output = run(&home, &["fetch", "--now"], 75);
    assert_said(&output, &["turned us away", "too many connections"]);
    // And one of IMAP where POP3 is expected.
    let home = Home::of(&server.account(), "");
    server.mailbox(|it| it.greeting = "* OK ready".into());
    let output = run(&home, &["fetch"], 76);
    assert_said(&output, &["an IMAP server", IMAP.trim()]);
}

#[test]
fn a_mailbox_that_changes_between_the_listing_and_a_deletion_loses_nothing() {
    let (server, home) = serving(&mail(5), "keep = \"never\"\n");
    let opened = OPENED.replace("1700000000", "1700000001");
    server.says("SELECT", &opened);
    let output = home.popfetch(["fetch"]).run();
    assert_said(&output, &["UIDVALIDITY changed"]);
    assert_eq!(server.uids().len(), 5, "{output:#?}");
    server.mailbox(|it| it.twists.clear());
    let output = home.popfetch(["fetch", "--now"]).run();
    tree::assert_holds(&home.maildir("a"), &mail(5));
    assert!(output.status.is_some());
}

#[test]
fn a_message_that_begins_like_an_answer_of_pop3_comes_to_the_octet() {
    let odd = [
        "+OK 3 octets\nFrom: a\n\nz\n",
        "+OK\n",
        "+OK 7\n+OK\nFrom: b\n\nz\n",
    ];
    let odd = odd.map(|text| Message::from_lf("odd", text));
    let (server, home) = serving(&odd, "keep = \"never\"\n");
    run(&home, &["fetch"], 0);
    tree::assert_holds(&home.maildir("a"), &odd);
    assert!(server.uids().is_empty());
}
