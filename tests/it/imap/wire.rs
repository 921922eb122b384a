use super::{fetched, serving};
use crate::given::{assert_said, letter, mail, run};
use crate::support::imap::Twist;
use crate::support::message::Message;
use crate::support::tree;

#[test]
fn each_message_arrives_once_and_nothing_is_changed_on_the_server() {
    let (server, home) = serving(&mail(20), "");
    assert_eq!(fetched(&home), 20);
    tree::assert_holds(&home.maildir("a"), &mail(20));
    assert_eq!(fetched(&home), 0);
    let sessions = server.sessions();
    assert_eq!(sessions[1].count("UID FETCH 1:* "), 1);
    assert_eq!(sessions[1].count("UID FETCH"), 1, "{sessions:#?}");
    assert!(sessions.iter().all(|session| session.count("SELECT") == 0));
    assert!(server.mailbox(|it| it.messages.iter().all(|kept| !kept.seen)));
    assert_eq!(server.uids().len(), 20);
}

#[test]
fn a_run_that_finds_nothing_new_takes_three_flights_of_commands() {
    let (server, home) = serving(&mail(3), "");
    fetched(&home);
    fetched(&home);
    let session = server.last_session();
    // Sign-in; EXAMINE with the listing; LOGOUT. The greeting is a round trip of its own.
    assert_eq!(session.commands.len(), 4, "{session:#?}");
    assert!(session.flights <= 3, "{session:#?}");
    assert!(
        session.commands[0].starts_with("AUTHENTICATE PLAIN "),
        "{session:#?}"
    );
}

#[test]
fn q22_a_server_that_reads_nothing_while_its_answers_wait_hangs_nothing() {
    let messages = mail(2000);
    let (server, home) = serving(&messages, "");
    server.mailbox(|it| it.has_little_room = true);
    assert_eq!(fetched(&home), 2000);
    tree::assert_holds(&home.maildir("a"), &messages);
    assert_eq!(server.last_session().count("UID FETCH "), 2001);
}

#[test]
fn messages_may_come_before_the_answers_to_earlier_commands() {
    let messages = mail(600);
    let (server, home) = serving(&messages, "");
    server.mailbox(|it| it.answers_late = true);
    // One of them is gone by the time that it is asked for.
    server.twist(
        "UID FETCH 300 ",
        1,
        Twist::Instead("{tag} OK done\r\n".into()),
    );
    let output = home.popfetch(["fetch", "--format", "paths"]).run();
    assert!(!output.stderr.contains("going on"), "{output:#?}");
    assert_eq!(output.stdout.lines().count(), 599, "{output:#?}");
    server.mailbox(|it| it.twists.clear());
    assert_eq!(fetched(&home), 1);
    tree::assert_holds(&home.maildir("a"), &messages);
    // And headers, of which a deletion wants to see all.
    let output = run(&home, &["fetch", "--now", "--delete"], 0);
    assert_eq!(server.uids().len(), 0, "{output:#?}");
    assert!(
        server
            .last_session()
            .count("UID FETCH 7 (UID BODY.PEEK[HEADER])")
            > 0
    );
}

#[test]
fn new_mail_takes_one_flight_more() {
    let (server, home) = serving(&mail(30), "");
    fetched(&home);
    let session = server.last_session();
    assert_eq!(session.commands.len(), 4 + 30, "{session:#?}");
    assert!(session.flights <= 4, "{session:#?}");
}

#[test]
fn an_end_that_the_server_has_announced_is_told_and_no_refusal_unless_it_says_so() {
    for (words, is_left_alone) in [
        ("* BYE see you\r\n", false),
        (
            "* BYE [OVERQUOTA] Account exceeded command or bandwidth limits\r\n",
            true,
        ),
    ] {
        let (server, home) = serving(&mail(3), "pipelining = \"off\"\n");
        server.twist("UID FETCH 2 ", 1, Twist::Instead(words.into()));
        let output = run(&home, &["fetch"], 75);
        assert_said(
            &output,
            &["the server ended the session while fetching message 2"],
        );
        server.mailbox(|it| it.twists.clear());
        let sessions = server.sessions().len();
        home.popfetch(["fetch"]).run();
        let came_back = server.sessions().len() > sessions;
        assert_eq!(came_back, !is_left_alone, "{words}");
    }
}

#[test]
fn what_the_server_cannot_is_done_without() {
    for capabilities in ["IMAP4rev1", "IMAP4rev1 AUTH=PLAIN", "IMAP4rev2 AUTH=PLAIN"] {
        let (server, home) = serving(&mail(5), "keep = \"never\"\n");
        server.mailbox(|it| {
            it.capabilities = capabilities.into();
            it.greeting = "* OK ready".into();
        });
        let status = i32::from(capabilities == "IMAP4rev2 AUTH=PLAIN");
        let output = run(&home, &["fetch"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(5));
        let left = if status == 1 { 0 } else { 5 };
        assert_eq!(server.uids().len(), left, "{output:#?}");
        if left > 0 {
            assert_said(&output, &["cannot delete just 5 messages", "UIDPLUS"]);
            assert_eq!(server.last_session().count("UID STORE"), 0);
        }
    }
}

#[test]
fn keep_never_deletes_what_is_stored_and_nothing_else() {
    let (server, home) = serving(&mail(10), "keep = \"never\"\n");
    // Somebody else has marked one that this account leaves alone, for it is too large.
    home.one_account(
        &server.account(),
        "protocol = \"imap\"\nkeep = \"never\"\nmax-size = \"500 B\"\n",
    );
    server.mailbox(|it| {
        it.messages[3].message.listed = Some(10_000);
        it.messages[3].deleted = true;
    });
    let output = run(&home, &["fetch"], 0);
    assert_eq!(server.uids(), [4], "{output:#?}");
    assert_said(&output, &["9"]);
    assert_eq!(tree::count(&home.maildir("a")), 9);
    let session = server.last_session();
    assert_eq!(session.count("UID EXPUNGE 1:3,5:10"), 1, "{session:#?}");
    assert_eq!(session.count("EXPUNGE"), 0, "{session:#?}");
}

#[test]
fn as_many_as_a_command_cannot_name_at_once_are_deleted_all_the_same() {
    let (server, home) = serving(&mail(700), "keep = \"never\"\n");
    // Gaps, so that there are no ranges to name.
    server.mailbox(|it| it.messages.iter_mut().for_each(|kept| kept.uid *= 3));
    let output = run(&home, &["fetch"], 0);
    assert!(!output.stderr.contains("did not confirm"), "{output:#?}");
    assert_eq!(server.uids().len(), 0);
    let session = server.last_session();
    let counts = ["UID STORE", "UID EXPUNGE"].map(|start| session.count(start));
    assert_eq!(counts, [3, 3]);
    tree::assert_holds(&home.maildir("a"), &mail(700));
}

#[test]
fn a_deletion_counts_only_once_the_server_has_them_no_more() {
    // It says OK and removes nothing.
    let (server, home) = serving(&mail(4), "keep = \"never\"\n");
    server.says("UID EXPUNGE", "{tag} OK done\r\n");
    let output = run(&home, &["fetch"], 0);
    assert_said(&output, &["still has 4 messages"]);
    server.mailbox(|it| it.twists.clear());
    let output = run(&home, &["fetch", "--now"], 0);
    assert_eq!(server.uids().len(), 0, "{output:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(4));
    // It refuses.
    let (server, home) = serving(&mail(4), "keep = \"never\"\n");
    server.says("SELECT", "{tag} NO [NOPERM] not yours\r\n");
    let output = run(&home, &["fetch"], 0);
    assert_said(&output, &["refused to delete 4 messages", "not yours"]);
    assert_eq!(server.uids().len(), 4);
}

#[test]
fn another_uidvalidity_gives_other_names_to_messages_that_are_known() {
    let (server, home) = serving(&mail(30), "");
    assert_eq!(fetched(&home), 30);
    server.mailbox(|it| {
        it.uid_validity += 1;
        it.messages.iter_mut().for_each(|kept| kept.uid += 100);
    });
    for _ in 0..2 {
        assert_eq!(fetched(&home), 0);
        tree::assert_holds(&home.maildir("a"), &mail(30));
    }
    // What is new is new all the same, under a UID that an old message had.
    server.mailbox(|it| {
        it.uid_validity += 1;
        for (uid, kept) in (1..).zip(&mut it.messages) {
            kept.uid = uid;
        }
        let mut new = it.messages[0].clone();
        (new.uid, new.message) = (31, letter(31));
        it.messages.push(new);
    });
    assert_eq!(fetched(&home), 1);
    tree::assert_holds(&home.maildir("a"), &mail(31));
}

#[test]
fn under_another_uidvalidity_a_uid_is_another_message_however_alike() {
    let alike = |n: usize| {
        let text = format!("Message-ID: <{n}@example.com>\nSubject: Letter {n}\n\nLetter {n}.\n");
        Message::from_lf(n.to_string(), text)
    };
    let (server, home) = serving(&[alike(1), alike(2)], "");
    assert_eq!(fetched(&home), 2);
    // The same UIDs and the same sizes, and not the same mail.
    server.mailbox(|it| {
        it.uid_validity += 1;
        for (n, kept) in (3..).zip(&mut it.messages) {
            kept.message = alike(n);
        }
    });
    assert_eq!(fetched(&home), 2);
    let all: Vec<_> = (1..=4).map(alike).collect();
    tree::assert_holds(&home.maildir("a"), &all);
}

#[test]
fn a_doubtful_message_stays_until_its_owner_has_looked_at_it() {
    // It is shorter than it was listed, on a server whose other sizes are right.
    let (server, home) = serving(&mail(20), "keep = \"never\"\n");
    server.mailbox(|it| it.messages[6].message.listed = Some(9_999));
    let output = run(&home, &["fetch"], 1);
    assert_said(&output, &["INBOX/1700000000/7", "may not be whole"]);
    assert_eq!(server.uids(), [7]);
    run(&home, &["state", "accept", "a", "INBOX/1700000000/7"], 0);
    run(&home, &["fetch", "--now"], 0);
    assert_eq!(server.uids().len(), 0);
    tree::assert_holds(&home.maildir("a"), &mail(20));
}

#[test]
fn a_server_that_wants_to_know_who_asks_is_told() {
    let (server, home) = serving(&mail(3), "");
    server.twist(
        "EXAMINE",
        1,
        Twist::Instead("{tag} NO Unsafe Login. Please contact us\r\n".into()),
    );
    assert_eq!(fetched(&home), 3);
    let session = server.last_session();
    assert_eq!(
        session.count("ID (\"name\" \"popfetch\")"),
        1,
        "{session:#?}"
    );
    assert_eq!(session.count("EXAMINE"), 2, "{session:#?}");
}

#[test]
fn the_sign_in_is_refused_once_and_told() {
    let (server, home) = serving(&mail(3), "");
    home.private_file("a.password", "wrong");
    let output = run(&home, &["fetch"], 77);
    assert_said(&output, &["refused the sign-in", "AUTHENTICATIONFAILED"]);
    let session = server.last_session();
    assert_eq!(session.count("AUTHENTICATE") + session.count("LOGIN"), 1);
    // No password goes to a server that takes none.
    server.mailbox(|it| it.capabilities = "IMAP4rev1 LOGINDISABLED".into());
    let output = run(&home, &["fetch", "--now"], 69);
    assert_said(&output, &["LOGINDISABLED"]);
    assert_eq!(server.last_session().commands, [] as [&str; 0]);
}

#[test]
fn mail_that_no_server_has_stamped_comes_once_more_under_another_name() {
    // As the manual says: nothing tells two copies of such mail apart.
    let unstamped = |n: usize| {
        let text = format!("Message-ID: <{n}@example.com>\nSubject: Letter {n}\n\nLetter {n}.\n");
        Message::from_lf(n.to_string(), text)
    };
    let messages = [unstamped(1), letter(2)];
    let (server, home) = serving(&messages, "");
    assert_eq!(fetched(&home), 2);
    server.mailbox(|it| it.uid_validity += 1);
    assert_eq!(fetched(&home), 1);
    let all = [unstamped(1), unstamped(1), letter(2)];
    tree::assert_holds(&home.maildir("a"), &all);
    assert_eq!(fetched(&home), 0);
    // Out of the inbox and back: the same message under a new UID.
    server.mailbox(|it| it.messages.iter_mut().for_each(|kept| kept.uid += 10));
    assert_eq!(fetched(&home), 1);
}
