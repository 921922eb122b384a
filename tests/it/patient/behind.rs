//! Servers that say something behind their answers, at once or a moment later.

use crate::given::{assert_said, letter, mail, plainly, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::tree;
use crate::support::wire::Ending;

const ALL: [&str; 12] = [
    "CAPA", "USER", "PASS", "STAT", "UIDL", "LIST", "RETR", "TOP", "NOOP", "DELE", "RSET", "QUIT",
];

/// When it is said.
#[derive(Clone, Copy, Debug)]
enum When {
    AtOnce,
    Later,
}

/// A server that says this behind its answers to these commands, and behind its greeting.
fn saying(words: &str, when: When, commands: &[&str], greeting: bool) -> Behaviour {
    let mut behaviour = Behaviour::new();
    if commands.contains(&"USER") {
        behaviour = behaviour.without("SASL");
    }
    if greeting {
        behaviour = behaviour.greeting(format!("+OK ready\r\n{words}"));
    }
    commands.iter().fold(behaviour, |behaviour, command| {
        behaviour.on(
            command,
            match when {
                When::AtOnce => Reply::Suffix(words.into()),
                When::Later => Reply::Late(words.into()),
            },
        )
    })
}

/// Mail arrives once, and is deleted or kept as is asked for; what is known of the server by then holds
/// for the next run.
fn assert_served(behaviour: Behaviour, case: &str) {
    for (pipelining, keep) in [("auto", "never"), ("off", "never"), ("off", "always")] {
        let case = format!("{case} {pipelining} {keep}");
        let (server, home) = plainly(5, behaviour.clone());
        let keys = format!("timeout = \"5 s\"\nkeep = {keep:?}\npipelining = {pipelining:?}\n");
        home.one_account(&server.account(), &keys);
        let left = if keep == "never" { 0 } else { 5 };
        run(&home, &["fetch"], 0);
        assert_eq!(server.maildrop().count(), left, "{case}");
        let retrieved = server.count("RETR");
        let output = run(&home, &["-q", "fetch"], 0);
        assert!(!output.stderr.contains("server se"), "{case}: {output:#?}");
        assert_eq!(server.count("RETR"), retrieved, "{case}");
        tree::assert_holds(&home.maildir("a"), &mail(5));
    }
}

const NOTHING: [&str; 3] = ["\r\n", "\r", "+OK\r\n"];

#[test]
fn d2_what_says_nothing_behind_an_answer_costs_no_mail_and_no_deletion() {
    for words in NOTHING {
        let places: [(&[&str], bool); 5] = [
            (&[], true),
            (&["LIST"], false),
            (&["RETR"], false),
            (&["RETR", "NOOP", "DELE"], false),
            (&ALL, true),
        ];
        for (commands, greeting) in places {
            let case = format!("{words:?} {commands:?} {greeting}");
            let behaviour = saying(words, When::AtOnce, commands, greeting);
            assert_served(behaviour, &case);
        }
    }
}

#[test]
fn d2_what_says_nothing_and_comes_late_costs_no_mail_and_no_deletion() {
    for words in NOTHING {
        for commands in [&["RETR"][..], &["DELE"], &ALL] {
            let case = format!("late: {words:?} {commands:?}");
            let behaviour = saying(words, When::Later, commands, false);
            assert_served(behaviour, &case);
        }
    }
}

/// A filter that answers by itself, and passes on the answer of the server behind it. Once its client is
/// gone it passes on nothing more, QUIT neither.
#[test]
fn d2_an_answer_to_dele_that_comes_once_more_and_late_is_not_taken_for_that_to_quit() {
    for count in [1, 2, 9] {
        let behaviour = saying("+OK\r\n", When::Later, &["DELE"], false);
        let (server, home) = plainly(count, behaviour.without("PIPELINING"));
        let output = run(&home, &["-q", "fetch", "--delete"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(count));
        assert_eq!(server.maildrop().count(), 0, "{count}: {output:#?}");
        let said = ["warning: a: ", "lines that say nothing between its answers"];
        assert_said(&output, &said);
        // It is known of it, for a month.
        let sessions = server.sessions().len();
        server
            .maildrop()
            .add([letter(count + 1), letter(count + 2)]);
        let output = run(&home, &["fetch", "--delete"], 0);
        assert!(!output.stderr.contains("say nothing"), "{output:#?}");
        assert_said(&output, &["2 deleted"]);
        assert_eq!(server.maildrop().count(), 0, "{count}");
        assert_eq!(server.sessions().len(), sessions + 1);
        tree::assert_holds(&home.maildir("a"), &mail(count + 2));
    }
}

#[test]
fn d2_a_line_behind_the_one_message_of_a_run_is_told_of_once() {
    let (server, home) = plainly(1, saying("\r\n", When::AtOnce, &["RETR"], false));
    let output = run(&home, &["-q", "fetch"], 0);
    assert_said(&output, &["lines that say nothing between its answers"]);
    for n in 2..4 {
        server.maildrop().add([letter(n)]);
        let output = run(&home, &["-q", "fetch"], 0);
        assert!(!output.stderr.contains("server se"), "{output:#?}");
        tree::assert_holds(&home.maildir("a"), &mail(n));
    }
}

#[test]
fn e8_only_a_server_that_closes_behind_its_answer_to_quit_has_confirmed_deletions() {
    for ending in [Ending::Close, Ending::Cut, Ending::Reset, Ending::Stall] {
        let (server, home) = plainly(3, Behaviour::new().ending(ending));
        let output = run(&home, &["fetch", "--delete"], 0);
        let said = match ending {
            Ending::Close | Ending::Cut => "3 deleted",
            _ => "the server did not confirm the deletion of 3 messages",
        };
        assert_said(&output, &[said]);
        let output = run(&home, &["fetch", "--delete"], 0);
        assert_said(&output, &["nothing new"]);
        assert_eq!(server.count("RETR"), 3, "{ending:?}");
        tree::assert_holds(&home.maildir("a"), &mail(3));
    }
}
