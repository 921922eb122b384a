//! Servers that end a session for what they have given in it, whichever way they were asked.

use std::time::Duration;

use crate::given::{assert_said, behaving, letter, mail, plainly, run};
use crate::support::behaviour::{Behaviour, Limit, Reply};
use crate::support::run::Home;
use crate::support::series::mixed;
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

const ONE_AT_A_TIME: &str = "pipelining = \"off\"\n";

/// Runs until all messages are here, each once, and then once more, for another one, with a server
/// that has no limit any more. Nothing is said or remembered that is not so.
#[track_caller]
fn assert_all_arrive(server: &Server, home: &Home, count: usize, case: &str) {
    let mut runs = 0;
    while tree::count(&home.maildir("a")) < count {
        runs += 1;
        let brought = tree::count(&home.maildir("a"));
        assert!(runs <= 4, "{case}: {brought} {:#?}", server.last_session());
        let output = home.popfetch(["fetch", "--now"]).run();
        assert!(
            !output.stderr.contains("kept to for 30 days"),
            "{case} {output:#?}"
        );
    }
    tree::assert_holds(&home.maildir("a"), &mail(count));
    server.behave(Behaviour::new().latency(Duration::from_millis(20)));
    server.maildrop().add([letter(count + 1)]);
    let output = run(home, &["fetch", "--now"], 0);
    assert!(!output.stderr.contains("skipped"), "{case} {output:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(count + 1));
}

/// The last session was asked for several things in one flight.
#[track_caller]
fn assert_pipelines(server: &Server, case: &str) {
    let last = server.last_session();
    assert!(
        last.flights < last.commands.len() as u64,
        "{case}: {last:#?}"
    );
}

#[test]
fn b3_a_server_that_closes_after_so_many_messages_pipelines_all_the_same() {
    // A provider's limit of messages for a session, which says nothing of it.
    for [limit, count, ending] in mixed([12, 4, 2], 24) {
        let limit = limit + 1;
        let count = [limit + 1, 2 * limit, 2 * limit + 1, 25][count];
        let ending = [Ending::Close, Ending::Reset][ending];
        let case = format!("{limit} of {count}, {ending:?}");
        let behaviour = Behaviour::new().gives(limit, Reply::End(ending));
        let (server, home) = plainly(count, behaviour);
        assert_all_arrive(&server, &home, count, &case);
        assert_pipelines(&server, &case);
    }
}

#[test]
fn b3_a_server_that_closes_after_so_many_octets_pipelines_all_the_same() {
    // The same, in octets: a mail has some 230 here, and the listings as many together.
    for [limit, keys] in mixed([12, 2], 12) {
        let limit = Limit::Octets(800 + 230 * (1 + limit as u64));
        let keys = ["", ONE_AT_A_TIME][keys];
        let case = format!("{limit:?} {keys}");
        let reply = Reply::End(Ending::Close);
        let (server, home) = plainly(14, Behaviour::new().has_enough(limit, reply));
        home.one_account(&server.account(), keys);
        assert_all_arrive(&server, &home, 14, &case);
        if keys.is_empty() {
            assert_pipelines(&server, &case);
        }
    }
}

#[test]
fn b3_a_server_that_closes_after_so_many_commands_pipelines_all_the_same() {
    // Commands of any kind, as some do against abuse. Before a message it takes seven.
    for [limit, keys] in mixed([12, 2], 12) {
        let limit = Limit::Commands(9 + limit);
        let keys = ["", "keep = \"never\"\n"][keys];
        let case = format!("{limit:?} {keys}");
        let reply = Reply::End(Ending::Close);
        let (server, home) = plainly(14, Behaviour::new().has_enough(limit, reply));
        home.one_account(&server.account(), keys);
        assert_all_arrive(&server, &home, 14, &case);
        assert_pipelines(&server, &case);
    }
}

#[test]
fn b3_deletions_that_meet_a_limit_of_commands_are_no_fault_of_pipelining() {
    // It closes among the first DELEs, behind so many RETRs that the second session, which has none,
    // does not come to the limit.
    let limit = Limit::Commands(7 + 14 + 3);
    let behaviour = Behaviour::new().has_enough(limit, Reply::End(Ending::Close));
    let (server, home) = plainly(14, behaviour);
    home.one_account(&server.account(), "keep = \"never\"\n");
    for _ in 0..3 {
        home.popfetch(["fetch", "--now"]).run();
    }
    tree::assert_holds(&home.maildir("a"), &mail(14));
    server.behave(Behaviour::new().latency(Duration::from_millis(20)));
    run(&home, &["fetch", "--now"], 0);
    assert_pipelines(&server, "deletions");
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn b3_one_at_a_time_is_kept_to_once_it_has_got_further_than_what_was_sent_ahead() {
    // It loses what comes behind a command: with two messages nothing tells that from a limit of one,
    // with three it does.
    for (count, is_shown) in [(2, false), (3, true), (9, true)] {
        let behaviour = Behaviour::new().loses_what_follows("RETR");
        let (server, home) = behaving(count, behaviour.latency(Duration::from_millis(20)));
        home.one_account(&server.account(), "timeout = \"1 s\"\n");
        let output = run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(count));
        assert_said(&output, &["with one command at a time"]);
        let says_so = output.stderr.contains("kept to for 30 days");
        assert_eq!(says_so, is_shown, "{output:#?}");
        server.maildrop().add([letter(count + 1)]);
        run(&home, &[], 0);
        let last = server.last_session();
        let is_plain = last.flights == last.commands.len() as u64;
        assert_eq!(is_plain, is_shown, "{last:#?}");
    }
}
