//! Size costs no memory: neither that of a message nor that of a maildrop.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::support::account::{Account, Security};
use crate::support::behaviour::Behaviour;
use crate::support::journal;
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, generate};
use crate::support::run::Home;
use crate::support::series::is_whole;
use crate::support::server::Server;
use crate::support::tree;

const MIB: u64 = 1 << 20;

/// No account's.
const STRANGE: &str = "0000000007";

#[test]
fn a_huge_message_arrives_whole_in_less_than_32_mib_of_memory() {
    // Three times what it may cost: a gibibyte would show no more, and take ten times as long.
    let octets = if is_whole() { 1 << 30 } else { 96 * MIB };
    let message = Message::generated("huge", octets, 1);
    let maildrop = Maildrop::new([Message::generated("small", 1 << 10, 2)]);
    let server = Server::start(&maildrop);
    let home = Home::on_disk();
    home.one_account(&server.account(), "");
    let small = home.popfetch(["fetch"]).expect(0).peak_memory;
    maildrop.add([message.clone()]);
    let started = Instant::now();
    let run = home.popfetch(["fetch"]).limit(Duration::from_secs(600));
    let output = run.expect(0);
    eprintln!(
        "{octets} octets in {:?} with {} KiB of memory at most",
        started.elapsed(),
        output.peak_memory / 1024
    );
    let files = tree::new_files(&home.maildir("a"));
    let hashes: Vec<_> = files.iter().map(|file| tree::sha256(file)).collect();
    assert_eq!(files.len(), 2);
    assert!(hashes.contains(&message.stored_sha256()));
    tree::assert_tmp_is_empty(&home.maildir("a"));
    assert!(small > 0, "it was not measured");
    // The program by itself takes 11 MiB with optimization; with debug information it is most of all.
    let costs = output.peak_memory.saturating_sub(small);
    assert!(costs < (32 - 12) * MIB, "{small}, {}", output.peak_memory);
}

#[test]
fn a_hundred_thousand_old_messages_cost_two_round_trips_and_less_than_64_mib_of_memory() {
    let maildrop = Maildrop::new(generate(100_000, 400));
    let (server, home) = Server::builder(&maildrop)
        .behaviour(Behaviour::new().latency(Duration::from_millis(60)))
        .with_home("");
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

#[test]
fn a_million_known_messages_would_cost_less_than_128_mib_of_memory_new_mail_or_not() {
    const KNOWN: u32 = 100_000;
    let maildrop = Maildrop::new(generate(1000, 400));
    let (_server, home) = Server::builder(&maildrop)
        .security(Security::Plain)
        .with_home("");
    home.popfetch(["state", "mark-seen", "a"]).expect(0);
    let fetch = || home.popfetch(["fetch"]).expect(0).peak_memory;

    // One may end between two looks at its memory.
    let before = (0..5).map(|_| fetch()).max().unwrap();
    remember(&home, STRANGE, 1000, KNOWN);
    // A tenth of them, in the interest of speed, and 10 MiB for all else.
    for new in [0, 1] {
        maildrop.add((0..new).map(|_| Message::generated("new", 500, 9)));
        let costs = fetch().saturating_sub(before) / u64::from(KNOWN);
        eprintln!("a known message costs {costs} octets of memory, with {new} new");
        assert_eq!(tree::count(&home.maildir("a")), new);
        assert!(before > 0 && costs > 0, "it was not measured");
        assert!(costs < 120, "{costs}");
    }
}

#[test]
fn a_million_known_messages_that_are_all_listed_would_cost_less_than_128_mib_of_memory_too() {
    let maildrop = Maildrop::new([]);
    let (server, home) = Server::builder(&maildrop)
        .security(Security::Plain)
        .with_home("");
    // The memory of a fetch of one new message, where so many more are known by then.
    let fetch_beside = |known: Range<u32>| {
        // Unique-ids as long as Dovecot's, and not in their order.
        let unique_ids = known.map(|n| format!("{:08x}5f0e2d4c", n.reverse_bits()));
        maildrop.add(unique_ids.map(|id| Message::generated(id, 400, 1)));
        home.popfetch(["state", "mark-seen", "a"]).expect(0);
        let new = maildrop.count() as u64;
        maildrop.add([Message::generated(format!("new-{new}"), 500, new)]);
        let output = home.popfetch(["fetch"]).expect(0);
        let session = server.last_session();
        assert_eq!((session.count("UIDL"), session.count("RETR")), (1, 1));
        assert!(output.peak_memory > 0, "it was not measured");
        output.peak_memory
    };

    let few = fetch_beside(0..1000);
    // A tenth of them, in the interest of speed.
    let many = fetch_beside(1000..101_000);
    let million = few + 10 * (many - few);
    eprintln!("a million listed messages: {} KiB", million / 1024);
    // Of what the program takes by itself, most is that of a program with debug information: with
    // optimization that is some 11 MiB.
    assert!(few > 0, "it was not measured");
    let of_a_message = (many - few) / 100_000;
    let most = (128 - 12) * MIB / 1_000_000;
    assert!((1..=most).contains(&of_a_message), "{few}, {many}");
}

#[test]
fn h_a_million_messages_of_a_compacted_journal_would_cost_less_than_128_mib_of_memory_too() {
    const KNOWN: u32 = 100_000;
    let maildrop = Maildrop::new(generate(1000, 400));
    let (_server, home) = Server::builder(&maildrop)
        .security(Security::Plain)
        .with_home("");
    home.popfetch(["state", "mark-seen", "a"]).expect(0);
    let fetch = || home.popfetch(["fetch"]).expect(0).peak_memory;

    // One may end between two looks at its memory.
    let before = (0..5).map(|_| fetch()).max().unwrap();
    // All of a run are recorded as seen by one line behind them.
    go_on(&home, |lines| {
        (1000..1000 + KNOWN).for_each(|id| intend(lines, STRANGE, id));
        seal(lines, format_args!("S\t1000\t{}", 999 + KNOWN));
        seal(lines, format_args!("r\t{}", 1000 + KNOWN));
    });
    let costs = fetch().saturating_sub(before) / u64::from(KNOWN);
    eprintln!("a known message of a compacted journal costs {costs} octets of memory");
    // A tenth of a million, and 10 MiB for all else.
    assert!(before > 0 && costs > 0, "it was not measured");
    assert!(costs < 120, "{costs}");
    // They count as stored, so that it was noted that the listing lacked them.
    let shown = home.popfetch(["state", "show", "a", "--format", "json"]);
    let shown = shown.expect(0).stdout;
    let absent = shown.matches("\"status\":\"absent\"").count();
    assert_eq!(absent, KNOWN as usize);

    // What is noted of them in each run makes the journal long, until it is written afresh.
    let inode = || fs::metadata(journal_of(&home)).unwrap().ino();
    let before_that = inode();
    let is_afresh = |_: &u32| {
        let costs = fetch().saturating_sub(before) / u64::from(KNOWN);
        assert!(costs < 120, "{costs}");
        inode() != before_that
    };
    assert!(
        (0..5).find(is_afresh).is_some(),
        "it was not written afresh"
    );
}

#[test]
fn h_to_show_or_to_verify_a_million_messages_would_cost_less_than_64_and_320_mib_of_memory() {
    /// So many that what a message may cost stands out from the noise of a look. To verify one may cost six times
    /// as much, and takes the longest.
    const SHOWN: u32 = 60_000;
    const VERIFIED: u32 = 20_000;
    let (server, home) = Server::builder(&Maildrop::new([]))
        .security(Security::Plain)
        .with_home("");
    home.popfetch(["fetch"]).expect(0);
    let tag = tag_of(&server.account());
    remember(&home, &tag, 0, 1000);
    let commands = [
        // Every file has been changed since, or is gone: nothing costs more to tell, as all of it is noted
        // in the state, which is read for that.
        (&["verify", "a"][..], VERIFIED, 1, 320),
        (&["verify", "a", "--format", "json"], VERIFIED, 1, 320),
        (&["state", "show", "a"], SHOWN, 0, 64),
        (&["state", "show", "a", "--format", "json"], SHOWN, 0, 64),
    ];
    let run = |(command, _, status, _): (&[&str], u32, i32, u64)| {
        let output = home.popfetch(command).expect(status);
        assert!(output.peak_memory > 0, "it was not measured");
        (output.peak_memory, output.stdout.lines().count() as u32)
    };
    // A run as short as this one may end between two looks at its memory, but not each of several.
    let few = commands.map(|command| (0..5).map(|_| run(command)).max().unwrap());
    let mut known = 0;
    for ((before, lines_before), command) in few.into_iter().zip(commands) {
        if known < command.1 {
            remember(&home, &tag, 1000 + known, command.1 - known);
            known = command.1;
            // A mail reader has put flags behind each name.
            for id in (0..1000 + known).step_by(2) {
                let file = home.maildir("a").join("cur").join(name(&tag, id) + ":2,S");
                fs::write(file, "mail").unwrap();
            }
        }
        let (after, lines) = run(command);
        let costs = after.saturating_sub(before) / u64::from(known);
        eprintln!("{:?}: a message costs {costs} octets of memory", command.0);
        assert_eq!(lines - lines_before, known);
        // A few of a million, in the interest of speed, and 16 MiB for all else.
        assert!(
            (0..(command.3 - 16) * MIB / 1_000_000).contains(&costs),
            "{costs}"
        );
    }
}

/// Makes the journal go on as if so many messages more had been stored.
fn remember(home: &Home, tag: &str, first: u32, messages: u32) {
    go_on(home, |lines| {
        for id in first..first + messages {
            intend(lines, tag, id);
            seal(lines, format_args!("S\t{id}\t{id}"));
        }
        // They have been reported as well.
        seal(lines, format_args!("r\t{}", first + messages));
    });
}

fn go_on(home: &Home, add: impl FnOnce(&mut String)) {
    let journal = journal_of(home);
    let mut lines = fs::read_to_string(&journal).unwrap();
    add(&mut lines);
    fs::write(&journal, lines).unwrap();
}

fn journal_of(home: &Home) -> PathBuf {
    let files = fs::read_dir(home.state()).unwrap();
    let mut paths = files.map(|file| file.unwrap().path());
    let journal = paths.find(|path| path.extension().is_some_and(|kind| kind == "journal"));
    journal.unwrap()
}

fn intend(lines: &mut String, tag: &str, id: u32) {
    seal(
        lines,
        format_args!(
            "I\t{id}\t1790000000\t{id:016x}\t400\t0\t400\t{id:032x}{id:032x}\t-\t{}",
            name(tag, id)
        ),
    );
}

/// What the names of an account's files bear.
fn tag_of(account: &Account) -> String {
    let (user, host, port) = (&account.user, &account.host, account.port);
    let hash = Sha256::digest(format!("{user}@{host}:{port}"));
    hash.iter()
        .take(5)
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

/// Of the file.
fn name(tag: &str, id: u32) -> String {
    format!("1790000000.M1P2Q{id}_pf{tag}{id:032x}.host")
}

fn seal(lines: &mut String, fields: std::fmt::Arguments<'_>) {
    let line = journal::linked(lines, &fields.to_string());
    lines.push_str(&line);
}
