use std::time::Duration;

use crate::given::{assert_said, behaving, mail, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::tree;
use crate::support::wire::Ending;

const MODERN: [&str; 5] = ["TOP", "UIDL", "PIPELINING", "USER", "SASL PLAIN"];
const OLD: [&str; 4] = ["TOP", "UIDL", "USER", "SASL PLAIN"];

/// A line so long that every round trip is counted.
fn long(behaviour: Behaviour) -> Behaviour {
    behaviour.latency(Duration::from_millis(20))
}

#[test]
fn q22_without_pipelining_there_is_never_a_second_command_in_flight() {
    let (server, home) = behaving(8, long(Behaviour::new().capabilities(&OLD)));
    run(&home, &["fetch", "--delete"], 0);
    let session = server.last_session();
    // One for the greeting and one a command, of which QUIT's is not counted.
    assert_eq!(
        session.flights,
        session.commands.len() as u64,
        "{session:#?}"
    );
    tree::assert_holds(&home.maildir("a"), &mail(8));
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn with_pipelining_the_messages_come_in_one_flight() {
    let (server, home) = behaving(8, long(Behaviour::new().capabilities(&MODERN)));
    run(&home, &[], 0);
    let session = server.last_session();
    assert!(session.flights <= 6, "{session:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(8));
}

#[test]
fn pipelining_off_in_the_profile_is_off() {
    let (server, home) = behaving(8, long(Behaviour::new().capabilities(&MODERN)));
    home.one_account(&server.account(), "pipelining = \"off\"\n");
    run(&home, &[], 0);
    let session = server.last_session();
    assert_eq!(
        session.flights,
        session.commands.len() as u64,
        "{session:#?}"
    );
}

#[test]
fn r16_pipelining_that_is_announced_after_sign_in_only_is_used() {
    let gmail = Behaviour::new().capabilities_before(&OLD);
    let (server, home) = behaving(8, long(gmail.capabilities_after(&MODERN)));
    run(&home, &[], 0);
    let session = server.last_session();
    assert_eq!(session.count("CAPA"), 2);
    assert!(session.flights <= 7, "{session:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(8));
}

#[test]
fn q23_nothing_is_pipelined_behind_sign_in_or_with_quit() {
    let (server, home) = behaving(3, Behaviour::new());
    run(&home, &["fetch", "--delete"], 0);
    let session = server.last_session();
    assert_eq!(session.commands.last().unwrap(), "QUIT");
    assert_eq!(session.count("QUIT"), 1);
}

#[test]
fn q13_a_server_that_closes_on_capa_is_asked_without_it() {
    for ending in [Ending::Close, Ending::Cut] {
        let (server, home) = behaving(4, Behaviour::new().on("CAPA", Reply::End(ending)));
        let output = run(&home, &[], 0);
        assert_said(&output, &["closed on CAPA"]);
        let sessions = server.sessions();
        assert_eq!(sessions.len(), 2, "{sessions:#?}");
        assert_eq!(sessions[1].count("CAPA"), 0);
        tree::assert_holds(&home.maildir("a"), &mail(4));
    }
}

#[test]
fn q22_a_server_without_capa_works() {
    let (_server, home) = behaving(4, Behaviour::new().without("CAPA").without("SASL"));
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(4));
}

#[test]
fn f29_disorder_under_pipelining_is_answered_with_one_command_at_a_time() {
    for (command, extra) in [
        ("STAT", "garbage\r\n"),
        ("UIDL", "* what\r\n"),
        ("RETR 3", "hello there\r\n"),
        ("DELE 3", "hello there\r\n"),
    ] {
        let clumsy = Behaviour::new();
        let clumsy = clumsy.on_occurrences(command, 0..1, Reply::Prefix(extra.into()));
        let (server, home) = behaving(6, long(clumsy));
        let output = run(&home, &["fetch", "--delete"], 0);
        assert_said(&output, &["warning: a: ", "one command at a time"]);
        let sessions = server.sessions();
        assert_eq!(sessions.len(), 2, "{sessions:#?}");
        assert_eq!(sessions[0].count("QUIT"), 0);
        assert_eq!(sessions[1].flights, sessions[1].commands.len() as u64);
        tree::assert_holds(&home.maildir("a"), &mail(6));
        assert_eq!(server.maildrop().count(), 0);
        // It is remembered for this server.
        server.maildrop().add([crate::given::letter(7)]);
        run(&home, &[], 0);
        let last = server.last_session();
        assert_eq!(last.flights, last.commands.len() as u64, "{last:#?}");
    }
}

#[test]
fn s41_disorder_where_nothing_was_sent_ahead_is_no_reason_to_try_again() {
    let clumsy = Behaviour::new().without("PIPELINING");
    let clumsy = clumsy.on("UIDL", Reply::Prefix(b"* what\r\n".into()));
    let (server, home) = behaving(6, clumsy);
    let output = run(&home, &[], 76);
    assert!(
        !output.stderr.contains("one command at a time"),
        "{output:#?}"
    );
    assert_eq!(server.sessions().len(), 1);
    assert_eq!(server.last_session().count("QUIT"), 0);
}

#[test]
fn q7_a_server_that_answers_twice_loses_and_doubles_nothing() {
    // FTGate: a second +OK, which looks like the answer to the next command. (After RETR nobody can
    // tell it from the message's first line; it is stored as that.)
    for command in ["STAT", "LIST", "DELE 2"] {
        let twice = Reply::Prefix(b"+OK\r\n".into());
        let twice = Behaviour::new().on_occurrences(command, 0..1, twice);
        let (server, home) = behaving(6, twice);
        let output = home.popfetch(["fetch", "--delete"]).run();
        let left = server.maildrop().unique_ids();
        // Whatever came of it: what is not here must still be there.
        let stored = tree::count(&home.maildir("a"));
        assert!(stored + left.len() >= 6, "{command}: {left:?} {output:#?}");
        run(&home, &["fetch", "--delete"], 0);
        run(&home, &["fetch", "--delete"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(6));
    }
}
