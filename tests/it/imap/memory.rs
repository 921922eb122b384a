use std::time::Duration;

use super::{IMAP, serving};
use crate::support::imap::ImapServer;
use crate::support::message::{Message, generate};
use crate::support::run::Home;
use crate::support::series::is_whole;
use crate::support::tree;

const MIB: u64 = 1 << 20;

#[test]
fn a_huge_message_arrives_whole_in_less_than_32_mib_of_memory() {
    // Three times what it may cost, as for POP3.
    let octets = if is_whole() { 1 << 30 } else { 96 * MIB };
    let huge = Message::generated("huge", octets, 1);
    let server = ImapServer::start(&[Message::generated("small", 1 << 10, 2)]);
    let home = Home::on_disk();
    home.one_account(&server.account(), IMAP);
    let small = home.popfetch(["fetch"]).expect(0).peak_memory;
    server.mailbox(|it| {
        let mut kept = it.messages[0].clone();
        (kept.uid, kept.message) = (2, huge.clone());
        it.messages.push(kept);
    });
    let output = home.popfetch(["fetch"]).limit(Duration::from_secs(600));
    let output = output.expect(0);
    let files = tree::new_files(&home.maildir("a"));
    let hashes: Vec<_> = files.iter().map(|file| tree::sha256(file)).collect();
    assert_eq!(files.len(), 2);
    assert!(hashes.contains(&huge.stored_sha256()));
    tree::assert_tmp_is_empty(&home.maildir("a"));
    let costs = output.peak_memory.saturating_sub(small);
    eprintln!(
        "{octets} octets cost {} KiB beside {small} octets",
        costs / 1024
    );
    // The program by itself takes 11 MiB with optimization, and more with debug information.
    assert!(small > 0, "it was not measured");
    assert!(costs < (32 - 12) * MIB, "{small}, {}", output.peak_memory);
}

#[test]
fn a_hundred_thousand_old_messages_cost_five_round_trips_and_less_than_64_mib_of_memory() {
    let (server, home) = serving(&generate(100_000, 400), "");
    home.popfetch(["state", "mark-seen", "a"]).expect(0);
    let output = home.popfetch(["fetch", "--now"]).expect(0);
    let session = server.last_session();
    eprintln!(
        "100,000 old messages: {} flights, {} KiB of memory at most",
        session.flights,
        output.peak_memory / 1024
    );
    assert_eq!(tree::count(&home.maildir("a")), 0);
    assert_eq!(session.count("UID FETCH"), 1, "{:?}", session.commands);
    // And the greeting, which no command of ours asks for.
    assert!(session.flights < 5, "{:?}", session.commands);
    assert!(output.peak_memory > 0, "it was not measured");
    assert!(output.peak_memory < 64 * MIB, "{}", output.peak_memory);
}
