use std::time::Duration;

use super::{IMAP, fetched, serving};
use crate::given::run;
use crate::support::imap::{ImapServer, Twist};
use crate::support::message::{Message, generate};
use crate::support::run::Home;
use crate::support::tracer::{self, End};
use crate::support::tree;

const MESSAGES: usize = 10;

/// Of the kills at some hundred calls.
const FEW: usize = 24;

fn kill_at_every_call(keep: &str, pipelining: &str) {
    let messages = generate(MESSAGES, 600);
    let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
    let calls = tracer::at_every_call(FEW, |number| {
        let (server, home) = serving(&messages, &keys);
        let (end, calls) = tracer::kill_at(&mut tracer::fetch(&home), number)?;
        let what = format!("{keys}call {number}: {end:?}");
        assert!(matches!(end, End::Killed(_) | End::Exited(0)), "{what}");
        server.sessions();
        run(&home, &["fetch"], 0);
        tree::assert_holds(&home.maildir("a"), &messages);
        assert_eq!(fetched(&home), 0, "{what}");
        let left = if keep == "never" { 0 } else { MESSAGES };
        assert_eq!(server.uids().len(), left, "{what}");
        Some(calls)
    });
    assert!(calls.is_none_or(|calls| calls > 60), "{calls:?}");
}

#[test]
fn a_kill_at_every_system_call_loses_and_doubles_nothing() {
    kill_at_every_call("always", "auto");
    kill_at_every_call("always", "off");
}

#[test]
fn a_kill_at_every_system_call_loses_and_doubles_nothing_while_mail_is_deleted() {
    kill_at_every_call("never", "auto");
    kill_at_every_call("never", "off");
}

#[test]
fn a_connection_that_ends_anywhere_loses_and_doubles_nothing() {
    let messages = generate(MESSAGES, 600);
    for (command, octets) in [
        ("AUTHENTICATE", 1),
        ("EXAMINE", 20),
        ("UID FETCH 1:*", 100),
        ("UID FETCH 5 ", 1),
        ("UID FETCH 5 ", 300),
        ("UID FETCH 5 ", 640),
        ("SELECT", 10),
        ("UID STORE", 1),
        ("UID EXPUNGE", 1),
        ("UID EXPUNGE", 40),
        ("LOGOUT", 3),
    ] {
        for twist in [Twist::Close, Twist::Cut(octets)] {
            let (server, home) = serving(&messages, "keep = \"never\"\n");
            server.twist(command, 1, twist);
            home.popfetch(["fetch"]).run();
            server.mailbox(|it| it.twists.clear());
            for _ in 0..2 {
                run(&home, &["fetch", "--now"], 0);
            }
            tree::assert_holds(&home.maildir("a"), &messages);
            assert_eq!(server.uids().len(), 0, "{command} {octets}");
        }
    }
}

#[test]
fn a_large_message_arrives_whole_in_little_memory() {
    const MIB: u64 = 1 << 20;
    let large = Message::generated("large", 200 * MIB, 1);
    let server = ImapServer::start(&[Message::generated("small", 1 << 10, 2)]);
    let home = Home::on_disk();
    home.one_account(&server.account(), IMAP);
    let small = home.popfetch(["fetch"]).expect(0).peak_memory;
    server.mailbox(|it| {
        let mut kept = it.messages[0].clone();
        (kept.uid, kept.message) = (2, large.clone());
        it.messages.push(kept);
    });
    let output = home.popfetch(["fetch"]).limit(Duration::from_secs(600));
    let output = output.expect(0);
    let files = tree::new_files(&home.maildir("a"));
    let hashes: Vec<_> = files.iter().map(|file| tree::sha256(file)).collect();
    assert_eq!(files.len(), 2);
    assert!(hashes.contains(&large.stored_sha256()));
    let costs = output.peak_memory.saturating_sub(small);
    eprintln!(
        "200 MiB cost {} KiB of memory beside {small} octets",
        costs / 1024
    );
    assert!(
        small > 0 && costs < 20 * MIB,
        "{small}, {}",
        output.peak_memory
    );
}
