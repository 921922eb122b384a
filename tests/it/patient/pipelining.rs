use std::time::Duration;

use crate::given::{assert_said, behaving, letter, mail, run};
use crate::manners::pass;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::run::Home;
use crate::support::server::{Server, SessionLog};
use crate::support::tree;
use crate::support::wire::Ending;

fn long(behaviour: Behaviour) -> Behaviour {
    behaviour.latency(Duration::from_millis(20))
}

/// A server with five messages, asked with a short `timeout` and `keys`.
fn five(behaviour: Behaviour, keys: &str) -> (Server, Home) {
    let (server, home) = behaving(5, long(behaviour));
    let keys = format!("timeout = \"1 s\"\n{keys}");
    home.one_account(&server.account(), &keys);
    (server, home)
}

#[track_caller]
fn assert_one_at_a_time(session: &SessionLog) {
    let commands = session.commands.len() as u64;
    assert_eq!(session.flights, commands, "{session:#?}");
}

/// The messages are here, one at a time is remembered, and what comes next takes one session.
#[track_caller]
fn assert_works_from_now_on(server: &Server, home: &Home) {
    tree::assert_holds(&home.maildir("a"), &mail(5));
    assert_one_at_a_time(&server.last_session());
    let sessions = server.sessions().len();
    server.maildrop().add([letter(6)]);
    run(home, &["-q"], 0);
    assert_eq!(server.sessions().len(), sessions + 1);
    assert_one_at_a_time(&server.last_session());
}

#[test]
fn b3_a_server_that_closes_when_several_retrs_are_under_way_is_asked_one_at_a_time() {
    // As 163.com did: PIPELINING announced, and the connection closed over the second command.
    for ending in [Ending::Close, Ending::Cut, Ending::Reset] {
        let behaviour = Behaviour::new().closes_on_several("RETR", ending);
        let (server, home) = five(behaviour, "");
        let output = run(&home, &[], 0);
        assert_said(&output, &["one command at a time", "pipelining = \"off\""]);
        assert_eq!(server.sessions().len(), 2, "{:#?}", server.sessions());
        assert_works_from_now_on(&server, &home);
        tree::assert_holds(&home.maildir("a"), &mail(6));
    }
}

#[test]
fn b3_a_server_that_loses_what_comes_behind_a_command_is_asked_one_at_a_time() {
    // A proxy that reads a command, throws away what else is in its buffer, and waits.
    let (server, home) = five(Behaviour::new().loses_what_follows("RETR"), "");
    let output = run(&home, &[], 0);
    assert_said(&output, &["no answer for", "one command at a time"]);
    assert_works_from_now_on(&server, &home);
}

#[test]
fn b3_listings_that_are_dropped_are_asked_for_one_at_a_time_in_the_same_run() {
    for behaviour in [
        Behaviour::new().closes_on_several("STAT", Ending::Close),
        Behaviour::new().closes_on_several("UIDL", Ending::Close),
    ] {
        let (server, home) = five(behaviour, "");
        let output = run(&home, &[], 0);
        assert_said(&output, &["one command at a time"]);
        assert_works_from_now_on(&server, &home);
    }
}

#[test]
fn b3_deletions_that_are_dropped_are_made_one_at_a_time_in_the_same_run() {
    let behaviour = Behaviour::new().closes_on_several("DELE", Ending::Close);
    let (server, home) = five(behaviour, "keep = \"never\"\n");
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(5));
    assert_eq!(server.maildrop().count(), 0);
    assert_one_at_a_time(&server.last_session());
}

#[test]
fn b3_headers_that_are_dropped_are_asked_for_one_at_a_time_in_the_same_run() {
    let (server, home) = five(Behaviour::new(), "");
    run(&home, &[], 0);
    server.behave(long(
        Behaviour::new().closes_on_several("TOP", Ending::Close),
    ));
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
    assert_one_at_a_time(&server.last_session());
}

#[test]
fn b3_a_server_that_closes_over_what_comes_with_the_sign_in_is_signed_in_to_first_the_next_time() {
    // It may have judged the password or not: nobody signs in twice in one run for that.
    let behaviour = Behaviour::new().closes_on_several("AUTH", Ending::Close);
    let (server, home) = five(behaviour, "");
    run(&home, &[], 75);
    assert_eq!(server.sessions().len(), 1);
    run(&home, &["fetch", "--now"], 0);
    assert_eq!(server.sessions().len(), 2);
    tree::assert_holds(&home.maildir("a"), &mail(5));
    server.maildrop().add([letter(6)]);
    run(&home, &[], 0);
    assert_eq!(server.sessions().len(), 3, "it is remembered");
}

const DAY: i64 = 24 * 60 * 60;

#[test]
fn b3_a_server_that_closed_over_a_sign_in_once_is_trusted_with_one_flight_again_after_a_day() {
    // It was stopped at that moment.
    let closes = Reply::End(Ending::Close);
    let behaviour = Behaviour::new().on_occurrences("AUTH", 0..1, closes);
    let (server, home) = five(behaviour, "");
    run(&home, &[], 75);
    run(&home, &["fetch", "--now"], 0);
    pass(&home, DAY / 2);
    run(&home, &[], 0);
    let careful = server.last_session().flights;
    pass(&home, DAY / 2);
    run(&home, &[], 0);
    let session = server.last_session();
    assert!(session.flights < careful, "{careful} {session:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(5));
}

#[test]
fn b3_a_server_that_closes_over_a_sign_in_again_is_signed_in_to_first_for_30_days() {
    let behaviour = Behaviour::new().closes_on_several("AUTH", Ending::Close);
    let (server, home) = five(behaviour, "");
    for days in [1, 29] {
        run(&home, &[], 75);
        run(&home, &["fetch", "--now"], 0);
        let sessions = server.sessions().len();
        pass(&home, days * DAY - 60);
        run(&home, &[], 0);
        assert_eq!(server.sessions().len(), sessions + 1);
        pass(&home, 60);
    }
    tree::assert_holds(&home.maildir("a"), &mail(5));
}

#[test]
fn b3_a_message_over_which_the_server_closes_is_no_fault_of_pipelining() {
    let behaviour = Behaviour::new().on("RETR 3", Reply::End(Ending::Close));
    let (server, home) = five(behaviour, "");
    run(&home, &[], 75);
    assert_eq!(tree::count(&home.maildir("a")), 4);
    server.behave(long(Behaviour::new()));
    server.maildrop().add([letter(6), letter(7)]);
    run(&home, &[], 0);
    let last = server.last_session();
    assert!(last.flights < last.commands.len() as u64, "{last:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(7));
}
