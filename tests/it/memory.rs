//! Size costs no memory: neither that of a message nor that of a maildrop.

use std::time::{Duration, Instant};

use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, generate};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

const MIB: u64 = 1 << 20;

#[test]
fn a_message_of_a_gibibyte_arrives_whole_in_less_than_32_mib_of_memory() {
    let message = Message::generated("huge", 1 << 30, 1);
    let server = Server::start(&Maildrop::new([message.clone()]));
    let home = Home::new();
    home.one_account(&server.account(), "");
    let started = Instant::now();
    let run = home.popfetch(["fetch"]).limit(Duration::from_secs(240));
    let output = run.expect(0);
    eprintln!(
        "1 GiB in {:?} with {} KiB of memory at most",
        started.elapsed(),
        output.peak_memory / 1024
    );
    let files = tree::new_files(&home.maildir("a"));
    assert_eq!(files.len(), 1);
    assert!(tree::sha256(&files[0]) == message.stored_sha256());
    tree::assert_tmp_is_empty(&home.maildir("a"));
    assert!(output.peak_memory > 0, "it was not measured");
    assert!(output.peak_memory < 32 * MIB, "{}", output.peak_memory);
}

#[test]
fn a_hundred_thousand_old_messages_cost_two_round_trips_and_less_than_64_mib_of_memory() {
    let maildrop = Maildrop::new(generate(100_000, 400));
    let server = Server::builder(&maildrop)
        .behaviour(Behaviour::new().latency(Duration::from_millis(60)))
        .start();
    let home = Home::new();
    home.one_account(&server.account(), "");
    home.popfetch(["state", "mark-seen", "a"]).expect(0);

    let started = Instant::now();
    let output = home.popfetch(["fetch"]).expect(0);
    let took = started.elapsed();
    let session = server.last_session();
    // The greeting, and each command up to the one that signed in, took a round trip.
    let is_sign_in = |line: &String| line.starts_with("AUTH ") || line.starts_with("PASS ");
    let signed_in = session.commands.iter().position(is_sign_in).unwrap() as u64 + 2;
    // The server does not count the one for the answer to QUIT.
    let after = session.flights + 1 - signed_in;
    eprintln!(
        "100,000 old messages: {after} round trips after sign-in, {took:?}, {} KiB of memory at most",
        output.peak_memory / 1024,
    );
    assert_eq!(session.count("RETR"), 0);
    assert_eq!(tree::count(&home.maildir("a")), 0);
    assert!(output.peak_memory > 0, "it was not measured");
    assert!(output.peak_memory < 64 * MIB, "{}", output.peak_memory);
    assert!(after <= 2, "{after}: {:?}", session.commands);
}
