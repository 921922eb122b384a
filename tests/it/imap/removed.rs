use super::{IMAP, fetched, serving};
use crate::given::{assert_said, letter, mail, run};
use crate::support::imap::Kept;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::tree;

/// What Dovecot says over a file that it cannot read, before it closes.
const UNREADABLE: &str =
    "* BYE Internal error occurred. Refer to server log for more information.\r\n";

fn without(messages: Vec<Message>, place: usize) -> Vec<Message> {
    let mut messages = messages;
    messages.remove(place);
    messages
}

#[test]
fn a_message_over_which_the_server_says_bye_holds_up_no_other() {
    for keys in ["", "pipelining = \"off\"\n"] {
        let (server, home) = serving(&mail(6), keys);
        server.says("UID FETCH 3 (UID FLAGS", UNREADABLE);
        let output = run(&home, &["fetch"], 75);
        assert_said(&output, &["5 messages fetched", "Internal error occurred"]);
        tree::assert_holds(&home.maildir("a"), &without(mail(6), 2));
        // Nor those that come later.
        server.mailbox(|it| {
            let message = letter(7);
            it.messages.push(Kept::new(7, &message));
        });
        run(&home, &["fetch", "--now"], 75);
        tree::assert_holds(&home.maildir("a"), &without(mail(7), 2));
        server.mailbox(|it| it.twists.clear());
        run(&home, &["fetch", "--now"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(7));
    }
}

#[test]
fn a_bye_that_is_about_the_server_is_held_against_no_message() {
    for words in [
        "* BYE [UNAVAILABLE] shutting down\r\n",
        "* BYE [LIMIT] download quota exceeded\r\n",
    ] {
        let (server, home) = serving(&mail(5), "pipelining = \"off\"\n");
        server.says("UID FETCH 3 (UID FLAGS", words);
        run(&home, &["fetch"], 75);
        assert_eq!(server.sessions().len(), 1, "{words}");
        tree::assert_holds(&home.maildir("a"), &mail(2));
        server.mailbox(|it| it.twists.clear());
        assert_eq!(fetched(&home), 3, "{words}");
    }
}

#[test]
fn a_message_that_somebody_has_removed_meanwhile_is_no_failure() {
    for words in [
        "{tag} OK done\r\n",
        "* 3 EXPUNGE\r\n{tag} OK done\r\n",
        "{tag} NO [EXPUNGEISSUED] some messages are gone\r\n",
    ] {
        for keys in ["", "pipelining = \"off\"\n"] {
            let (server, home) = serving(&mail(5), keys);
            server.says("UID FETCH 3 (UID FLAGS", words);
            let output = run(&home, &["fetch"], 0);
            assert_said(&output, &["4 new messages", "is gone from the server"]);
            assert!(!output.stderr.contains("refused"), "{output:#?}");
            tree::assert_holds(&home.maildir("a"), &without(mail(5), 2));
            // It is listed all the same, and comes.
            server.mailbox(|it| it.twists.clear());
            assert_eq!(fetched(&home), 1);
            tree::assert_holds(&home.maildir("a"), &mail(5));
        }
    }
}

#[test]
fn a_message_that_is_listed_and_never_sent_is_a_failure_all_the_same() {
    let (server, home) = serving(&mail(5), "");
    server.says("UID FETCH 3 (UID FLAGS", "{tag} OK done\r\n");
    run(&home, &["fetch"], 0);
    let output = home.popfetch(["fetch", "--now"]).run();
    assert!(output.status > Some(0), "{output:#?}");
    server.mailbox(|it| it.twists.clear());
    run(&home, &["fetch", "--now"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(5));
}

#[test]
fn without_uidplus_nothing_is_asked_and_nothing_is_held_against_the_messages() {
    let (server, home) = serving(&mail(3), "keep = \"never\"\n");
    let able = server.mailbox(|it| {
        let plain = it.capabilities.replace(" UIDPLUS", "");
        std::mem::replace(&mut it.capabilities, plain)
    });
    let output = run(&home, &["fetch"], 0);
    assert_said(&output, &["UIDPLUS", "3 messages"]);
    assert!(!output.stderr.contains("refused"), "{output:#?}");
    for _ in 0..6 {
        let output = run(&home, &["fetch", "--now"], 0);
        for words in ["UIDPLUS", "refused", "five times"] {
            assert!(!output.stderr.contains(words), "{output:#?}");
        }
    }
    let sessions = server.sessions();
    assert!(sessions.iter().all(|it| it.count("SELECT") == 0));
    assert_eq!(server.uids().len(), 3);
    // Once it can, they go.
    server.mailbox(|it| it.capabilities = able);
    run(&home, &["fetch", "--now"], 0);
    assert!(server.uids().is_empty());
}

#[test]
fn what_the_server_says_it_removed_and_still_has_is_told_and_asked_for_five_times() {
    // By a look that shows them, and by one that is refused.
    for (command, words, told) in [
        ("UID EXPUNGE", "{tag} OK done\r\n", "still has 3 messages"),
        (
            "UID FETCH 1:3 (UID)",
            "{tag} BAD what?\r\n",
            "did not delete all of 3 messages",
        ),
    ] {
        let (server, home) = serving(&mail(3), "keep = \"never\"\n");
        server.says("UID EXPUNGE", "{tag} OK done\r\n");
        server.says(command, words);
        let output = run(&home, &["fetch", "-q"], 0);
        assert_said(&output, &["warning: a: ", told, "five times"]);
        for _ in 0..4 {
            let output = run(&home, &["fetch", "-q", "--now"], 0);
            assert!(!output.stderr.contains(told), "{output:#?}");
        }
        let sessions = server.sessions();
        let asked: usize = sessions.iter().map(|it| it.count("UID STORE")).sum();
        assert_eq!(asked, 5, "{sessions:#?}");
        for _ in 0..2 {
            let output = run(&home, &["fetch", "--now"], 0);
            assert_said(&output, &["does not delete 3 messages"]);
            assert!(!output.stderr.contains("deleted 3"), "{output:#?}");
            assert_eq!(server.last_session().count("UID STORE"), 0);
        }
        assert_eq!(server.uids().len(), 3);
        tree::assert_holds(&home.maildir("a"), &mail(3));
    }
}

#[test]
fn what_is_gone_counts_as_deleted_whatever_the_server_still_has() {
    let (server, home) = serving(&mail(5), "keep = \"never\"\n");
    server.says(
        "UID FETCH 1:5 (UID)",
        "* 1 FETCH (UID 2)\r\n* 1 FETCH (UID 2)\r\n* 9 FETCH (UID 9)\r\n{tag} OK done\r\n",
    );
    let output = run(&home, &["fetch"], 0);
    assert_said(&output, &["4 deleted", "still has 1 message "]);
}

#[test]
fn a_bye_over_a_header_that_rules_asked_for_holds_up_no_mail() {
    let rule = "[[accounts.a.rules]]\nfrom = \"*@shop.example\"\nthen = \"skip\"\n";
    for keys in ["", "pipelining = \"off\"\n"] {
        let (server, home) = serving(&mail(6), &format!("{keys}{rule}"));
        server.says("UID FETCH 3 (UID BODY.PEEK[HEADER])", UNREADABLE);
        run(&home, &["fetch"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(6));
        assert!(server.sessions().len() <= 4, "{:#?}", server.sessions());
        // What is about the server is no message's fault.
        let home = Home::new();
        home.one_account(&server.account(), &format!("{IMAP}{keys}{rule}"));
        server.mailbox(|it| it.twists.clear());
        let words = "* BYE [UNAVAILABLE] shutting down\r\n";
        server.says("UID FETCH 3 (UID BODY.PEEK[HEADER])", words);
        run(&home, &["fetch"], 75);
        assert_eq!(tree::count(&home.maildir("a")), 0);
        server.mailbox(|it| it.twists.clear());
        run(&home, &["fetch", "--now"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(6));
    }
}

#[test]
fn one_message_that_cannot_be_marked_keeps_no_other() {
    for pipelining in ["", "pipelining = \"off\"\n"] {
        let (server, home) = serving(&mail(40), &format!("keep = \"never\"\n{pipelining}"));
        server.mailbox(|it| it.unmarkable = vec![7]);
        let output = run(&home, &["fetch"], 0);
        assert_eq!(server.uids(), [7], "{output:#?}");
        assert_said(&output, &["39 deleted", "refused to delete 1 message"]);
        assert!(server.last_session().count("UID STORE ") <= 13);
    }
}

#[test]
fn a_server_that_marks_nothing_is_not_asked_without_end() {
    let (server, home) = serving(&mail(300), "keep = \"never\"\n");
    server.mailbox(|it| it.unmarkable = (1..=300).collect());
    let output = run(&home, &["fetch"], 0);
    assert_said(&output, &["refused to delete 300 messages"]);
    assert_eq!(server.uids().len(), 300);
    let asked = server.last_session().count("UID STORE ");
    assert!(asked <= 65, "{asked}");
    // Nor run for run.
    for _ in 0..5 {
        run(&home, &["fetch", "--now"], 0);
    }
    assert_eq!(server.last_session().count("UID STORE "), 0);
}

#[test]
fn those_that_were_refused_in_company_alone_go_in_later_runs() {
    let (server, home) = serving(&mail(300), "keep = \"never\"\n");
    let unmarkable: Vec<u32> = (1..=300).step_by(20).collect();
    server.mailbox(|it| it.unmarkable.clone_from(&unmarkable));
    for _ in 0..8 {
        run(&home, &["fetch", "--now"], 0);
        assert!(server.last_session().count("UID STORE ") <= 65);
    }
    assert_eq!(server.uids(), unmarkable);
}
