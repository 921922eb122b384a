//! A mail server of one's own takes each message.

use super::{serving, spool, write_config};
use crate::given::{assert_said, mail, run};
use crate::support::behaviour::Behaviour;
use crate::support::dovecot::Dovecot;
use crate::support::lmtp::{Act, Lmtp};
use crate::support::message::{Message, generate};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::skip::{Lack, skip};
use crate::support::tracer;
use crate::support::tree;
use rustix::process::Signal;
use std::fs;
use std::path::Path;

/// Of the calls of a run, so many are killed at.
const FEW: usize = 24;

/// A server with these messages, a home whose account "a" sends them to the LMTP server, and that one.
fn scene(messages: Vec<Message>, keys: &str) -> (Server, Home, Lmtp) {
    let (server, home) = serving(messages, Behaviour::new(), "");
    let lmtp = Lmtp::at(&home.path().join("lmtp"));
    let table = "lmtp = \"unix:~/lmtp\", recipient = \"ada\", deadline = \"2 s\"";
    write_config(&server, &home, &format!("deliver = {{ {table} }}\n{keys}"));
    (server, home, lmtp)
}

fn sorted(mut messages: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    messages.sort_unstable();
    messages
}

fn stored(messages: &[Message]) -> Vec<Vec<u8>> {
    sorted(messages.iter().map(Message::stored).collect())
}

/// Lines that look like the end of the message, octets beyond ASCII, and no end of the last line.
fn awkward() -> Vec<Message> {
    let mut messages = mail(3);
    let text = "Return-Path: <bob@example.net>\nSubject: dots\n\n.\n..\n.x\nJos\u{e9}\n";
    messages.push(Message::from_lf("dots", text));
    messages
}

#[test]
fn each_message_is_sent_once_and_then_deleted_in_the_same_session() {
    let (server, home, lmtp) = scene(awkward(), "keep = \"never\"");
    let output = run(&home, &[], 0);
    assert_said(&output, &["4 handed on", "4 deleted"]);
    assert_eq!(sorted(lmtp.taken()), stored(&awkward()));
    assert_eq!(server.maildrop().count(), 0);
    assert_eq!(tree::count(&spool(&home)), 0);
    run(&home, &[], 0);
    assert_eq!(lmtp.taken().len(), 4);
}

#[test]
fn it_is_told_what_it_wants_to_know_and_nothing_else() {
    let message = awkward().pop().unwrap();
    // Each line has one octet more on the wire than in the file.
    let stored = message.stored();
    let octets = stored.len() + stored.iter().filter(|it| **it == b'\n').count();
    let everything = ["PIPELINING", "8BITMIME", "SIZE 10240000"];
    let both = format!("MAIL FROM:<bob@example.net> SIZE={octets} BODY=8BITMIME");
    let plain = "MAIL FROM:<bob@example.net>".to_owned();
    for (abilities, mail) in [(&everything[..], both), (&[], plain)] {
        let (_server, home, lmtp) = scene(vec![message.clone()], "");
        lmtp.announce(abilities);
        run(&home, &[], 0);
        let commands = ["LHLO localhost", &mail, "RCPT TO:<ada>", "DATA", "QUIT"];
        assert_eq!(lmtp.sessions(), [commands]);
        assert_eq!(lmtp.taken(), [message.stored()]);
    }
}

#[test]
fn it_is_told_of_characters_in_utf_8_where_it_takes_them() {
    let header = || Message::from_lf("utf-8", "Subject: Jos\u{e9}\n\ntext\n");
    let latin = || Message::from_lf("latin", b"Subject: Jos\xe9\n\ntext\n");
    let body = || Message::from_lf("body", "Subject: x\n\nJos\u{e9}\n");
    let takes = ["PIPELINING", "8BITMIME", "SMTPUTF8"];
    let takes_none = ["8BITMIME"];
    let eight = "MAIL FROM:<> BODY=8BITMIME";
    let both = "MAIL FROM:<> BODY=8BITMIME SMTPUTF8";
    for (message, abilities, recipient, mail) in [
        (header(), &takes[..], "ada", both),
        (header(), &takes_none, "ada", eight),
        (latin(), &takes, "ada", eight),
        (body(), &takes, "ada", eight),
        (body(), &takes, "ad\u{e1}", both),
    ] {
        let (server, home, lmtp) = scene(vec![message.clone()], "");
        let table = format!("lmtp = \"unix:~/lmtp\", recipient = \"{recipient}\"");
        write_config(&server, &home, &format!("deliver = {{ {table} }}"));
        lmtp.announce(abilities);
        run(&home, &[], 0);
        let to = format!("RCPT TO:<{recipient}>");
        let commands = ["LHLO localhost", mail, &to, "DATA", "QUIT"];
        assert_eq!(lmtp.sessions(), [commands]);
        assert_eq!(lmtp.taken(), [message.stored()]);
    }
}

#[test]
fn all_messages_of_a_run_are_sent_over_one_connection() {
    for abilities in [&["PIPELINING"][..], &[]] {
        let (server, home, lmtp) = scene(awkward(), "keep = \"never\"");
        lmtp.announce(abilities);
        run(&home, &[], 0);
        assert_eq!(sorted(lmtp.taken()), stored(&awkward()));
        let [session] = &lmtp.sessions()[..] else {
            panic!("{:#?}", lmtp.sessions());
        };
        let words = session.iter().map(|it| it.split(' ').next().unwrap());
        let words: Vec<&str> = words.collect();
        let each = ["MAIL", "RCPT", "DATA"].repeat(4);
        assert_eq!(words, [&["LHLO"][..], &each, &["QUIT"]].concat());
        assert_eq!(server.maildrop().count(), 0);
    }
}

#[test]
fn where_a_message_is_refused_the_connection_serves_the_others() {
    let large = Message::generated("large", 9000, 1);
    let messages = vec![mail(2).remove(0), large, mail(2).remove(1)];
    let (_server, home, lmtp) = scene(messages, "");
    lmtp.announce(&["PIPELINING", "SIZE 5000"]);
    run(&home, &[], 1);
    assert_eq!(sorted(lmtp.taken()), stored(&mail(2)));
    assert_eq!(lmtp.sessions().len(), 1);
    let (_server, home, lmtp) = scene(mail(3), "");
    lmtp.behave("end", Act::Say("550 5.7.1 no\r\n".into()));
    run(&home, &[], 1);
    assert_eq!(lmtp.taken().len(), 3);
    assert_eq!(lmtp.sessions().len(), 1);
}

#[test]
fn where_it_takes_one_message_a_connection_each_has_one_of_its_own() {
    for abilities in [&["PIPELINING"][..], &[]] {
        for (step, act) in [
            ("again", Act::Close),
            ("again", Act::Last("421 4.3.2 bye\r\n".into())),
            ("again", Act::Say("452 4.5.3 one is enough\r\n".into())),
            ("again", Act::Say("503 5.5.1 one is enough\r\n".into())),
            ("end", Act::Last("250 2.0.0 taken\r\n".into())),
            (
                "end",
                Act::Last("250 2.0.0 taken\r\n421 4.4.2 bye\r\n".into()),
            ),
        ] {
            let (server, home, lmtp) = scene(mail(4), "keep = \"never\"");
            lmtp.announce(abilities);
            lmtp.behave(step, act.clone());
            run(&home, &[], 0);
            assert_eq!(sorted(lmtp.taken()), stored(&mail(4)), "{act:?}");
            assert_eq!(server.maildrop().count(), 0, "{act:?}");
            // It is tried once whether it takes more.
            let sessions = lmtp.sessions();
            assert_eq!(sessions.len(), 4, "{act:?}: {sessions:#?}");
            let mails = sessions.concat();
            let mails = mails.iter().filter(|it| it.starts_with("MAIL")).count();
            assert!(mails <= 5, "{act:?}: {sessions:#?}");
        }
    }
}

#[test]
fn a_no_of_a_server_that_closes_with_it_is_a_no() {
    let large = || vec![Message::generated("large", 3_000_000, 1)];
    for step in ["MAIL", "RCPT", "DATA", "midst", "end"] {
        for (reply, is_for_now) in [
            ("552 5.2.2 too much\r\n", false),
            ("452 4.2.2 too much\r\n", true),
        ] {
            let (server, home, lmtp) = scene(large(), "keep = \"never\"");
            lmtp.behave(step, Act::Last(reply.into()));
            let output = run(&home, &["--format", "json"], 1);
            assert_said(&output, &["large", "too much"]);
            let failed = output.stdout.contains("\"event\":\"failed\"");
            assert_eq!(failed, !is_for_now, "{step} {reply}: {output:#?}");
            assert_eq!(server.maildrop().count(), 1, "{step} {reply}");
            lmtp.behave_well();
            run(&home, &["fetch", "--now"], 0);
            assert_eq!(server.maildrop().count(), 0, "{step} {reply}");
            let tries = if step == "end" { 2 } else { 1 };
            assert_eq!(lmtp.taken().len(), tries, "{step} {reply}");
        }
    }
}

#[test]
fn it_may_be_at_a_port_of_this_machine_and_get_the_accounts_user() {
    let (server, home, lmtp) = scene(awkward(), "");
    let table = format!(
        "lmtp = \"127.0.0.1:{}\", recipient = \"{{user}}\"",
        lmtp.port()
    );
    write_config(&server, &home, &format!("deliver = {{ {table} }}"));
    run(&home, &[], 0);
    assert_eq!(sorted(lmtp.taken()), stored(&awkward()));
    let user = server.account().user;
    assert_eq!(lmtp.sessions()[0][2], format!("RCPT TO:<{user}>"));
}

#[test]
fn a_temporary_no_at_any_step_keeps_the_message_for_the_next_run() {
    for step in ["MAIL", "RCPT", "DATA", "end"] {
        let (server, home, lmtp) = scene(mail(2), "keep = \"never\"");
        lmtp.behave(step, Act::Say("451 4.3.0 full\u{7}\r\n".into()));
        let output = run(&home, &[], 1);
        assert_said(&output, &["451 4.3.0 full", "2 not handed on yet"]);
        assert!(!output.stderr.contains('\u{7}'), "{output:#?}");
        assert_eq!(server.maildrop().count(), 2, "{step}");
        lmtp.behave_well();
        run(&home, &[], 0);
        assert_eq!(server.maildrop().count(), 0, "{step}");
        assert_eq!(server.count("RETR"), 2, "{step}");
        let taken = lmtp.taken();
        // Whoever says no behind a message has not taken it.
        let tries = if step == "end" { 2 } else { 1 };
        assert_eq!(taken.len(), 2 * tries, "{step}");
    }
}

#[test]
fn a_message_that_is_refused_is_named_and_counts_as_failed() {
    for step in ["MAIL", "RCPT", "DATA", "end"] {
        let (server, home, lmtp) = scene(mail(1), "keep = \"never\"");
        lmtp.behave(step, Act::Say("550 5.1.1 no such user\r\n".into()));
        let output = run(&home, &["--format", "json"], 1);
        assert_said(&output, &["uid-1", "550 5.1.1 no such user"]);
        assert!(
            output.stdout.contains("\"event\":\"failed\""),
            "{output:#?}"
        );
        assert_eq!(server.maildrop().count(), 1, "{step}");
    }
}

#[test]
fn a_server_that_closes_hangs_or_answers_nonsense_at_any_step_loses_nothing_and_doubles_nothing() {
    let endless = format!("250-{}", "x".repeat(100_000));
    let lines = "250-and\r\n".repeat(1000);
    let acts = [
        Act::Close,
        Act::Hang,
        Act::Say("hello\r\n".into()),
        Act::Say("250-a\r\n354 b\r\n".into()),
        Act::Say(endless),
        Act::Say(lines),
    ];
    for step in ["greeting", "LHLO", "MAIL", "RCPT", "DATA"] {
        let (server, home, lmtp) = scene(mail(2), "keep = \"never\"");
        for act in &acts {
            lmtp.behave(step, act.clone());
            let output = home.popfetch(["fetch"]).run();
            assert!(
                matches!(output.status, Some(1 | 75)),
                "{step} {act:?}: {output:#?}"
            );
            assert_eq!(server.maildrop().count(), 2, "{step} {act:?}");
        }
        assert_eq!(lmtp.taken(), <[Vec<u8>; 0]>::default(), "{step}");
        lmtp.behave_well();
        run(&home, &["fetch", "--now"], 0);
        assert_eq!(sorted(lmtp.taken()), stored(&mail(2)), "{step}");
        assert_eq!(server.maildrop().count(), 0, "{step}");
    }
}

#[test]
fn where_nobody_knows_whether_a_message_was_taken_it_alone_is_sent_again_and_named() {
    for act in [Act::Close, Act::Hang, Act::Say("thanks\r\n".into())] {
        let (server, home, lmtp) = scene(mail(3), "keep = \"never\"");
        lmtp.behave("end", act.clone());
        let output = run(&home, &[], 1);
        assert_said(&output, &["uid-", "nobody knows whether it was taken"]);
        assert_eq!(lmtp.taken().len(), 1, "{act:?}");
        assert_eq!(server.maildrop().count(), 3, "{act:?}");
        lmtp.behave_well();
        run(&home, &[], 0);
        let taken = lmtp.taken();
        assert_eq!(taken.len(), 4, "{act:?}");
        let mut once = sorted(taken);
        once.dedup();
        assert_eq!(once, stored(&mail(3)), "{act:?}");
        assert_eq!(server.maildrop().count(), 0, "{act:?}");
    }
}

/// What it has begun is better done than done twice.
#[test]
fn a_message_that_it_has_whole_when_the_run_is_stopped_is_sent_once() {
    let (server, home, lmtp) = scene(mail(1), "keep = \"never\"");
    let go = home.path().join("go");
    lmtp.behave("end", Act::Once(go.clone()));
    let mut running = home.popfetch(["fetch"]).start();
    lmtp.wait_for_a_message();
    running.signal(Signal::TERM);
    fs::write(go, "").unwrap();
    // A busy machine may see to the signal only once all is done.
    assert!(matches!(running.wait().status, Some(143 | 0)));
    server.sessions();
    run(&home, &["fetch"], 0);
    assert_eq!(lmtp.taken(), stored(&mail(1)));
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn a_run_that_is_stopped_while_it_greets_ends_at_once_and_the_message_waits() {
    let (server, home, lmtp) = scene(mail(1), "");
    let keys = "deliver = { lmtp = \"unix:~/lmtp\", recipient = \"ada\" }";
    write_config(&server, &home, keys);
    lmtp.behave("greeting", Act::Hang);
    let mut running = home.popfetch(["fetch"]).start();
    lmtp.wait_for_a_client();
    running.signal(Signal::INT);
    assert_eq!(running.wait().status, Some(130));
    lmtp.behave_well();
    run(&home, &["fetch"], 0);
    assert_eq!(lmtp.taken(), stored(&mail(1)));
}

#[test]
fn a_message_that_is_larger_than_it_takes_is_refused_and_never_sent() {
    let large = Message::generated("large", 9000, 1);
    let (_server, home, lmtp) = scene(vec![large, mail(1).remove(0)], "");
    lmtp.announce(&["PIPELINING", "SIZE 5000"]);
    let output = run(&home, &[], 1);
    assert_said(&output, &["large", "up to 5000"]);
    assert_eq!(lmtp.taken(), stored(&mail(1)));
}

#[test]
fn a_server_that_is_not_there_is_told_with_what_to_do_and_everything_waits() {
    let (server, home, lmtp) = scene(mail(2), "keep = \"never\"");
    drop(lmtp);
    for gone in [false, true] {
        if gone {
            fs::remove_file(home.path().join("lmtp")).unwrap();
        }
        let output = run(&home, &["fetch"], 75);
        assert_said(&output, &["cannot connect to unix:", "LMTP server"]);
        let tested = run(&home, &["account", "test"], 75);
        assert!(
            tested.stdout.contains("cannot connect to unix:"),
            "{tested:#?}"
        );
    }
    assert_eq!(server.maildrop().count(), 2);
    assert_eq!(tree::count(&spool(&home)), 2);
    let lmtp = Lmtp::at(&home.path().join("lmtp"));
    run(&home, &[], 0);
    assert_eq!(sorted(lmtp.taken()), stored(&mail(2)));
}

#[test]
fn an_smtp_server_is_found_out() {
    let (_server, home, lmtp) = scene(mail(1), "");
    lmtp.behave("LHLO", Act::Say("502 5.5.1 use EHLO\r\n".into()));
    assert_said(&run(&home, &[], 78), &["does not speak LMTP", "502 5.5.1"]);
}

#[test]
fn an_account_shows_it_and_the_doctor_greets_it_and_sends_nothing() {
    let (_server, home, lmtp) = scene(mail(1), "");
    let shown = run(&home, &["account", "show", "a"], 0).stdout;
    assert!(shown.contains("the LMTP server unix:"), "{shown}");
    let json = run(&home, &["--format", "json", "account", "show", "a"], 0).stdout;
    assert!(json.contains("\"recipient\":\"ada\""), "{json}");
    let tested = run(&home, &["account", "test"], 0).stdout;
    assert!(tested.contains("takes the mail for ada"), "{tested}");
    assert!(tested.contains("test LMTP ready"), "{tested}");
    assert_eq!(lmtp.sessions(), [["LHLO localhost", "QUIT"]]);
}

#[test]
fn what_is_wrong_with_it_in_the_config_file_is_shown_where_it_stands() {
    for (table, words) in [
        (
            "lmtp = \"mail.example.com:24\", recipient = \"ada\"",
            "LMTP has no TLS",
        ),
        ("lmtp = \"localhost:24\"", "does not say whose mail"),
        (
            "lmtp = \"localhost\", recipient = \"ada\"",
            "a host with a port",
        ),
        (
            "lmtp = \"localhost:0\", recipient = \"ada\"",
            "a host with a port",
        ),
        (
            "lmtp = \"localhost:24\", recipient = \"a b\"",
            "without spaces",
        ),
        (
            "lmtp = \"localhost:24\", recipient = \"{usr}\"",
            "did you mean `{user}`?",
        ),
        (
            "lmtp = \"localhost:24\", recipient = \"a\", from-line = true",
            "`from-line` is for",
        ),
        ("mbox = \"~/in\", recipient = \"a\"", "`recipient` is for"),
        (
            "mbox = \"~/in\", lmtp = \"localhost:24\"",
            "more than one thing",
        ),
    ] {
        let (server, home) = serving(mail(1), Behaviour::new(), "");
        write_config(&server, &home, &format!("deliver = {{ {table} }}"));
        let output = run(&home, &[], 78);
        assert_said(&output, &[words]);
        assert!(server.sessions().is_empty(), "{table}");
    }
    let allowed = "lmtp = \"mail.example.com:24\", recipient = \"ada\", allow-insecure = true";
    let (server, home) = serving(mail(1), Behaviour::new(), "");
    write_config(&server, &home, &format!("deliver = {{ {allowed} }}"));
    let shown = run(&home, &["account", "show", "a"], 0).stdout;
    assert!(shown.contains("mail.example.com:24"), "{shown}");
}

#[test]
fn dovecot_takes_300_messages_octet_for_octet() {
    if !Path::new("/usr/lib/dovecot/lmtp").exists() {
        return skip(Lack::Tool, format_args!("dovecot-lmtpd is not installed"));
    }
    let more =
        "protocols = pop3 lmtp\nservice lmtp {\n  unix_listener lmtp {\n    mode = 0666\n  }\n}\n";
    let Some(dovecot) = Dovecot::start_with(&[], more) else {
        return;
    };
    let bodies = generate(300, 900).into_iter().enumerate();
    let letters = bodies.map(|(n, body)| {
        let body = String::from_utf8(body.stored()).unwrap();
        let text = format!("Subject: {n}\nMessage-ID: <{n}@x>\n\n{body}From here\n.\n..\n");
        Message::from_lf(format!("uid-{n}"), text)
    });
    let letters: Vec<Message> = letters.collect();
    let (server, home) = serving(letters.clone(), Behaviour::new(), "");
    let socket = dovecot.lmtp_socket();
    let table = format!("lmtp = \"unix:{}\", recipient = \"ada\"", socket.display());
    write_config(
        &server,
        &home,
        &format!("keep = \"never\"\ndeliver = {{ {table} }}"),
    );
    run(&home, &[], 0);
    assert_eq!(server.maildrop().count(), 0, "{}", dovecot.log());
    let files = dovecot.new_files().into_iter();
    let files: Vec<Vec<u8>> = files.map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(files.len(), letters.len());
    for letter in &letters {
        // Behind the fields that it puts before each.
        let stored = letter.stored();
        let holds = files.iter().filter(|file| file.ends_with(&stored));
        assert_eq!(holds.count(), 1, "{}", dovecot.log());
    }
    let log = dovecot.log();
    let connections = log.lines().filter(|line| line.contains("Connect from"));
    assert_eq!(connections.count(), 1, "{log}");
}

#[test]
fn a_kill_at_every_system_call_loses_nothing_and_sends_one_message_twice_at_most_and_names_it() {
    let messages = generate(10, 600);
    let mut twice = 0;
    let calls = tracer::at_every_call(FEW, |number| {
        let (server, home, lmtp) = scene(messages.clone(), "keep = \"never\"");
        let (what, calls) = tracer::killed_fetch(&home, number)?;
        server.sessions();
        lmtp.sessions();
        let good = home.popfetch(["fetch"]).run();
        assert_eq!(good.status, Some(0), "{what}: {good:#?}");
        let taken = lmtp.taken();
        let more = taken.len().checked_sub(messages.len());
        let mut once = sorted(taken);
        once.dedup();
        assert_eq!(once, stored(&messages), "{what}");
        match more {
            Some(0) => {}
            Some(1) => {
                twice += 1;
                assert_said(&good, &["perhaps for the second time"]);
            }
            _ => panic!("{what}: {more:?} too many"),
        }
        run(&home, &["fetch"], 0);
        assert_eq!(server.maildrop().count(), 0, "{what}");
        Some(calls)
    });
    eprintln!("{calls:?} calls; {twice} messages were sent twice");
    assert!(
        calls.is_none_or(|calls| calls > 100),
        "so few hand on no ten messages: {calls:?}"
    );
}
