//! Messages that a server cannot or will not send: they are named, and keep no other from coming.

use crate::given::{assert_said, behaving, letter, mail, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

/// Ten messages, the fourth of which cannot be had.
fn with_poison(reply: Reply, keys: &str) -> (Server, Home) {
    let (server, home) = behaving(10, Behaviour::new().on("RETR 4", reply));
    home.one_account(&server.account(), keys);
    (server, home)
}

fn all_but_the_fourth() -> Vec<Message> {
    let mut messages = mail(10);
    messages.remove(3);
    messages
}

fn retrieved(server: &Server) -> Vec<String> {
    let commands = server.last_session().commands.into_iter();
    commands.filter(|c| c.starts_with("RETR")).collect()
}

#[test]
fn t6_a_message_that_is_always_refused_keeps_no_other_from_arriving() {
    for pipelining in ["", "pipelining = \"off\"\n"] {
        let (server, home) = with_poison(Reply::raw("-ERR no such file\r\n"), pipelining);
        let output = run(&home, &[], 1);
        assert_said(
            &output,
            &["error: a: message 4", "no such file", "9 new", "1 failed"],
        );
        tree::assert_holds(&home.maildir("a"), &all_but_the_fourth());
        // From now on it comes last.
        server.maildrop().add([letter(11)]);
        run(&home, &[], 1);
        assert_eq!(retrieved(&server), ["RETR 11", "RETR 4"]);
        server.behave(Behaviour::new());
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(11));
    }
}

#[test]
fn f20_after_three_refusals_it_is_passed_over_with_a_reason() {
    let (server, home) = with_poison(Reply::raw("-ERR no such file\r\n"), "");
    for _ in 0..3 {
        run(&home, &[], 1);
        assert_eq!(server.last_session().count("RETR 4"), 1);
    }
    let output = run(&home, &[], 1);
    assert_said(
        &output,
        &["1 skipped", "refused by the server 3 times", "once a day"],
    );
    assert_eq!(retrieved(&server), Vec::<String>::new());
    let output = run(&home, &["fetch", "--dry-run"], 0);
    let line = output.stdout.lines().find(|line| line.contains("uid-4"));
    assert!(line.unwrap().contains("refused"), "{output:#?}");
}

#[test]
fn a_refused_message_is_never_deleted_and_the_others_are() {
    let (server, home) = with_poison(Reply::raw("-ERR no such file\r\n"), "keep = \"never\"\n");
    run(&home, &[], 1);
    assert_eq!(server.maildrop().unique_ids(), ["uid-4"]);
    tree::assert_holds(&home.maildir("a"), &all_but_the_fourth());
}

#[test]
fn f20_j_a_message_that_closes_the_connection_is_named_and_left_out_and_the_others_arrive_in_the_same_run()
 {
    for (reply, keys) in [
        (Reply::End(Ending::Close), ""),
        (Reply::End(Ending::Close), "pipelining = \"off\"\n"),
        (Reply::End(Ending::Reset), "pipelining = \"off\"\n"),
        (
            Reply::RawThenEnd(b"+OK\r\nSubject: x\r\n".into(), Ending::Close),
            "",
        ),
    ] {
        let (server, home) = with_poison(reply, keys);
        let output = run(&home, &[], 75);
        let words = [
            "error: a: 9 messages fetched",
            "while fetching message 4 (uid-4, ",
        ];
        assert_said(&output, &words);
        assert_said(&output, &["a: ", "going on without it"]);
        tree::assert_holds(&home.maildir("a"), &all_but_the_fourth());
        tree::assert_tmp_is_empty(&home.maildir("a"));
        // It is the message's fault once it breaks a session that begins with it, and the others come
        // without it.
        let sessions = server.sessions();
        assert!((3..=4).contains(&sessions.len()), "{sessions:#?}");
        let (last, broken) = sessions.split_last().unwrap();
        for session in broken {
            assert_eq!((session.count("RETR 4"), session.count("QUIT")), (1, 0));
        }
        assert_eq!((last.count("RETR 4"), last.count("QUIT")), (0, 1));
        // In the next run it comes last, behind new mail.
        server.maildrop().add([letter(11)]);
        run(&home, &[], 75);
        let next = &server.sessions()[sessions.len()];
        let retrieved: Vec<_> = next
            .commands
            .iter()
            .filter(|c| c.starts_with("RETR"))
            .collect();
        assert_eq!(retrieved, ["RETR 11", "RETR 4"]);
        server.behave(Behaviour::new());
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(11));
    }
}

#[test]
fn f20_after_three_broken_connections_it_is_passed_over_and_named() {
    let (server, home) = with_poison(Reply::End(Ending::Close), "");
    for _ in 0..3 {
        run(&home, &[], 75);
    }
    let sessions = server.sessions().len();
    let output = run(&home, &[], 1);
    let words = [
        "1 skipped",
        "uid-4",
        "the connection broke over it 3 times",
        "once a day",
    ];
    assert_said(&output, &words);
    assert_eq!(server.sessions().len(), sessions + 1);
}

#[test]
fn s36_j_a_message_without_end_is_named_given_up_and_the_others_arrive() {
    for (keys, octets) in [("", 400 << 20), ("max-size = \"1 MB\"\n", 8 << 20)] {
        let (server, home) = behaving(0, Behaviour::new());
        let mut messages = mail(10);
        messages[3] = Message::generated("uid-4", octets, 1).listed_as(10);
        server.maildrop().replace(messages);
        home.one_account(&server.account(), keys);
        let output = run(&home, &[], 76);
        let words = [
            "message 4 (uid-4, 10 B) has no end",
            "hint: ",
            "`max-size`",
            "going on without it",
        ];
        assert_said(&output, &words);
        assert!(output.peak_memory > 0, "it was not measured");
        assert!(output.peak_memory < 64 << 20, "{}", output.peak_memory);
        tree::assert_tmp_is_empty(&home.maildir("a"));
        tree::assert_holds(&home.maildir("a"), &all_but_the_fourth());
        assert_eq!(server.last_session().count("QUIT"), 1);
    }
}

#[test]
fn f21_a_message_of_nothing_that_was_listed_with_octets_is_not_believed() {
    let (server, home) = with_poison(Reply::raw("+OK\r\n.\r\n"), "keep = \"never\"\n");
    let output = home.popfetch(["fetch"]).run();
    assert_eq!(output.status, Some(1), "{output:#?}");
    assert_said(&output, &["message 4"]);
    assert_eq!(server.maildrop().unique_ids(), ["uid-4"]);
    server.behave(Behaviour::new());
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(10));
}

#[test]
fn s38_an_empty_message_that_is_listed_as_empty_is_a_message() {
    let (server, home) = behaving(0, Behaviour::new());
    let messages = [Message::new("e", ""), Message::from_lf("h", "Subject: x\n")];
    server.maildrop().replace(messages.clone());
    run(&home, &["fetch", "--delete"], 0);
    tree::assert_holds(&home.maildir("a"), &messages);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn f23_a_refused_dele_is_told_and_tried_again_and_the_others_are_deleted() {
    let stubborn = Behaviour::new().on("DELE 2", Reply::raw("-ERR no\r\n"));
    let (server, home) = behaving(3, stubborn);
    let output = run(&home, &["fetch", "--delete"], 0);
    assert_said(&output, &["warning: a: ", "refused to delete"]);
    assert_eq!(server.maildrop().unique_ids(), ["uid-2"]);
    server.behave(Behaviour::new());
    let output = run(&home, &["fetch", "--delete"], 0);
    assert_said(&output, &["1 deleted"]);
    assert_eq!(server.last_session().count("RETR"), 0);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn f20_a_message_that_closes_the_connection_does_not_stop_the_deletions() {
    let (server, home) = with_poison(Reply::End(Ending::Close), "keep = \"never\"\n");
    run(&home, &[], 75);
    tree::assert_holds(&home.maildir("a"), &all_but_the_fourth());
    assert_eq!(server.maildrop().unique_ids(), ["uid-4"]);
}

#[test]
fn f34_b2_messages_over_which_the_server_closes_are_left_out_one_after_another() {
    let close = || Reply::End(Ending::Close);
    let behaviour = Behaviour::new().on("RETR 4", close()).on("RETR 6", close());
    let (_server, home) = behaving(10, behaviour);
    run(&home, &[], 75);
    let mut expected = mail(10);
    expected.retain(|message| ![&b"uid-4"[..], b"uid-6"].contains(&&message.unique_id[..]));
    tree::assert_holds(&home.maildir("a"), &expected);
}
