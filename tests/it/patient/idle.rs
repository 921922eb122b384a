//! Servers that send lines that say nothing between their answers.

use crate::given::{assert_said, letter, mail, plainly, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

/// An appliance that begins each message with an empty line.
fn empty_before_messages(behaviour: Behaviour) -> Behaviour {
    behaviour.on("RETR", Reply::Prefix(b"\r\n".into()))
}

/// The same before each answer that it gives in the mailbox.
fn empty_before_all(behaviour: Behaviour) -> Behaviour {
    let keywords = [
        "RETR", "TOP", "NOOP", "DELE", "QUIT", "STAT", "LIST", "UIDL",
    ];
    keywords.iter().fold(behaviour, |behaviour, keyword| {
        behaviour.on(keyword, Reply::Prefix(b"\r\n".into()))
    })
}

/// A filter that answers DELE, and passes on the answer of the server behind it.
fn dele_answered_twice(behaviour: Behaviour) -> Behaviour {
    behaviour.on(
        "DELE",
        Reply::Remade(|answer| [&answer[..], b"+OK\r\n"].concat()),
    )
}

/// The same with empty lines.
fn empty_behind_dele(behaviour: Behaviour) -> Behaviour {
    behaviour.on(
        "DELE",
        Reply::Remade(|answer| [&answer[..], b"\r\n"].concat()),
    )
}

const ALL: [fn(Behaviour) -> Behaviour; 4] = [
    empty_before_messages,
    empty_before_all,
    dele_answered_twice,
    empty_behind_dele,
];

fn with_and_without_pipelining(behaviour: fn(Behaviour) -> Behaviour) -> [(Server, Home); 2] {
    [
        plainly(6, behaviour(Behaviour::new())),
        plainly(6, behaviour(Behaviour::new()).without("PIPELINING")),
    ]
}

#[test]
fn d2_lines_that_say_nothing_between_answers_keep_no_mail_from_coming_and_none_from_being_deleted()
{
    for behaviour in ALL {
        for (server, home) in with_and_without_pipelining(behaviour) {
            let output = run(&home, &["-q", "fetch", "--delete"], 0);
            tree::assert_holds(&home.maildir("a"), &mail(6));
            assert_eq!(server.maildrop().count(), 0, "{output:#?}");
            let said = ["warning: a: ", "lines that say nothing between its answers"];
            assert_said(&output, &said);
            // From now on it is known, for a month.
            server.maildrop().add([letter(7), letter(8)]);
            let output = run(&home, &["-q", "fetch", "--delete"], 0);
            assert!(!output.stderr.contains("say nothing"), "{output:#?}");
            assert_eq!(server.maildrop().count(), 0);
            tree::assert_holds(&home.maildir("a"), &mail(8));
        }
    }
}

#[test]
fn d2_what_is_kept_comes_once_from_a_server_that_sends_lines_that_say_nothing() {
    for behaviour in ALL {
        for (server, home) in with_and_without_pipelining(behaviour) {
            for _ in 0..3 {
                run(&home, &["fetch"], 0);
                tree::assert_holds(&home.maildir("a"), &mail(6));
            }
            run(&home, &["check", "--headers"], 0);
            assert_eq!(server.maildrop().count(), 6);
        }
    }
}

/// A server that does not byte-stuff, and a sender who knows it: what stands behind the lone dot
/// looks like an empty line and the next message.
#[test]
fn a4_an_empty_line_in_a_body_that_ends_early_makes_no_message_of_what_follows_it() {
    let forged = b"+OK 203 octets\r\nSubject: a\r\n\r\nbegins\r\n.\r\n\r\n+OK 40 octets\r\n\
                   Subject: forged\r\n\r\nnot sent by anybody\r\n.\r\n";
    for behaviour in ALL {
        let behaviour = behaviour(Behaviour::new().on("RETR 2", Reply::raw(forged)));
        let (server, home) = plainly(6, behaviour);
        for _ in 0..3 {
            home.popfetch(["fetch", "--delete", "--now"]).run();
        }
        let files = tree::read(&home.maildir("a"));
        for file in &files {
            assert!(!file.octets.starts_with(b"Subject: forged"), "{files:#?}");
        }
        for n in 1..=6 {
            let octets = letter(n).stored();
            let copies = files.iter().filter(|file| file.octets == octets).count();
            // What came as half of a message stays until it has come whole.
            let is_waiting = n == 2 && server.maildrop().unique_ids().contains(&"uid-2".into());
            assert_eq!(copies, usize::from(!is_waiting), "{n}: {files:#?}");
        }
    }
}
