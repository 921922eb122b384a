use super::letter;
use crate::given::{assert_said, plainly, run, serving};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::tree;

/// One that says yes to each DELE and deletes nothing.
fn void() -> Behaviour {
    Behaviour::new().on("DELE", Reply::raw("+OK marked\r\n"))
}

/// Messages that no server has stamped, with these header lines.
fn unstamped(lines: impl Fn(usize) -> String) -> Vec<Message> {
    let text = |n| {
        format!(
            "{}From: a@example.com\nSubject: s{n}\n\nbody {n}\n",
            lines(n)
        )
    };
    (1..=5)
        .map(|n| Message::from_lf(format!("uid-{n}"), text(n)))
        .collect()
}

#[test]
fn e11_without_unique_ids_what_the_server_confirms_and_does_not_delete_comes_once() {
    let dated = |n| format!("Date: Mon, 23 Nov 2026 10:00:0{n} +0000\n");
    let named = |n| format!("Message-ID: <{n}@example.com>\n");
    for messages in [
        unstamped(|n| named(n) + &dated(n)),
        unstamped(named),
        unstamped(dated),
        (1..=5).map(letter).collect(),
    ] {
        let (server, home) = serving(messages.clone(), void().without("UIDL"));
        let first = run(&home, &["fetch", "--delete"], 0);
        assert_said(&first, &["5 deleted"]);
        for times in 2..=5 {
            let output = run(&home, &["fetch", "--delete"], 0);
            assert!(!output.stderr.contains("5 deleted"), "{output:#?}");
            assert_said(&output, &["5 here already", "lists again"]);
            assert_said(&output, &[&format!("asked {times} times now")]);
        }
        for _ in 0..3 {
            let output = run(&home, &["fetch", "--delete"], 0);
            assert_said(&output, &["does not delete 5 messages"]);
        }
        assert_eq!(server.count("DELE"), 5 * 5);
        tree::assert_holds(&home.maildir("a"), &messages);
    }
}

#[test]
fn e11_without_unique_ids_a_copy_that_says_nothing_of_itself_is_another_message_after_a_deletion() {
    let messages = unstamped(|_| String::new());
    let (server, home) = serving(messages.clone(), Behaviour::new().without("UIDL"));
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
    server.maildrop().replace([messages[0].clone()]);
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(tree::count(&home.maildir("a")), 6);
}

#[test]
fn e11_a_quit_that_is_always_refused_is_told_once_and_ends_after_five_times() {
    for behaviour in [Behaviour::new(), Behaviour::new().without("UIDL")] {
        let refused = Reply::raw("-ERR some deleted messages not removed\r\n");
        let (server, home) = plainly(3, behaviour.on("QUIT", refused));
        let output = run(&home, &["fetch", "--delete", "-q"], 0);
        assert_said(&output, &["did not delete all of 3 messages", "five times"]);
        for _ in 0..4 {
            let output = run(&home, &["fetch", "--delete", "-q"], 0);
            assert!(!output.stderr.contains("did not delete"), "{output:#?}");
        }
        let output = run(&home, &["fetch", "--delete"], 0);
        assert_said(&output, &["does not delete 3 messages"]);
        let output = run(&home, &["fetch", "--delete", "-q"], 0);
        assert!(!output.stderr.contains("does not delete"), "{output:#?}");
        assert_eq!(server.count("DELE"), 3 * 5);
        tree::assert_holds(&home.maildir("a"), &crate::given::mail(3));
    }
}

#[test]
fn b1_a_window_full_of_what_the_server_does_not_delete_is_told() {
    let (_server, home) = plainly(9, void().lists(3));
    assert_said(&run(&home, &["fetch", "--delete"], 0), &["3 deleted"]);
    for _ in 0..4 {
        let output = run(&home, &["fetch", "--delete"], 0);
        assert!(!output.stderr.contains("3 deleted"), "{output:#?}");
    }
    let output = run(&home, &["fetch", "--delete"], 0);
    assert_said(
        &output,
        &[
            "does not delete 3 messages",
            "what is behind them does not show",
        ],
    );
}
