//! Real servers that are no Dovecot: each message arrives once, as it was put in, and goes when that
//! is wanted. Each of them does something to its maildrop between two sessions: mailutils writes
//! header fields of its own into the mbox at the first QUIT, so that every size is another one;
//! Courier renames the files; popa3d makes its unique-ids of what the messages say. Cyrus is here for
//! its sign-in, and for IMAP.

use crate::support::cyrus::Cyrus;
use crate::support::message::Message;
use crate::support::real_servers::RealServer;
use crate::support::run::Home;
use crate::support::tree;

/// What a message that has come a long way looks like, in its variations.
fn letters() -> Vec<Message> {
    (1..=50).map(letter).collect()
}

fn letter(n: usize) -> Message {
    let mut text = format!(
        "Return-Path: <ada@example.com>\n\
         Received: from relay.example.net (relay.example.net [192.0.2.7])\n\
         \tby mx.example.com with ESMTPS id q{n:05}\n\
         \tfor <bob@example.com>; Mon, 23 Nov 2026 10:00:{s:02} +0000\n\
         Received: from desk.example.org by relay.example.net; Mon, 23 Nov 2026 09:59:{s:02} +0000\n\
         Message-ID: <{n}.letter@example.org>\n\
         Date: Mon, 23 Nov 2026 09:59:{s:02} +0000\n\
         From: Ada <ada@example.com>\nTo: Bob <bob@example.com>\nSubject: Letter {n}\n\
         MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\n\
         Content-Transfer-Encoding: 8bit\n\n",
        s = n % 60
    )
    .into_bytes();
    match n % 5 {
        0 => text.extend_from_slice(b".\n..\n.dot\nbetween dots\n.\n"),
        1 => text.extend_from_slice(b"gr\xfc\xdfe, \xff\xfe\x80 and \xc3\xa9\n"),
        2 => text.extend_from_slice(b"\n\nempty lines around\n\n"),
        3 if n == 3 => {}
        _ => text.extend(format!("This is letter {n}.\n").repeat(n).bytes()),
    }
    Message::from_lf(format!("{n}"), text)
}

/// Fails unless the Maildir holds what was put into the maildrop, but for header lines that the
/// server adds, which begin with one of `added`.
#[track_caller]
fn assert_holds(home: &Home, added: &[&str]) {
    let files = tree::read(&home.maildir("a")).into_iter();
    let mut found: Vec<_> = files.map(|file| without(&file.octets, added)).collect();
    let mut missing = letters().iter().map(Message::stored).collect::<Vec<_>>();
    missing.retain(|letter| {
        let place = found.iter().position(|octets| octets == letter);
        place.map(|place| found.swap_remove(place)).is_none()
    });
    let shown = |octets: Option<&Vec<u8>>| octets.map(|it| it.escape_ascii().to_string());
    assert!(
        missing.is_empty() && found.is_empty(),
        "{} are missing, such as {:#?}, and {} more are there, such as {:#?}",
        missing.len(),
        shown(missing.first()),
        found.len(),
        shown(found.first())
    );
    tree::assert_tmp_is_empty(&home.maildir("a"));
}

fn without(octets: &[u8], added: &[&str]) -> Vec<u8> {
    let mut in_header = true;
    let kept = octets
        .split_inclusive(|octet| *octet == b'\n')
        .filter(|line| {
            in_header &= *line != b"\n";
            let is_added = added.iter().any(|field| line.starts_with(field.as_bytes()));
            !(in_header && is_added)
        });
    kept.flatten().copied().collect()
}

/// How many messages a run has fetched. At once: Courier announces a LOGIN-DELAY of ten seconds.
fn fetched(server: &RealServer, home: &Home) -> usize {
    let output = home.popfetch(["fetch", "--now", "--format", "paths"]).run();
    assert_eq!(output.status, Some(0), "{output:#?}\n{}", server.log());
    output.stdout.lines().count()
}

fn home(server: &RealServer) -> Home {
    Home::of(&server.front().account(), "")
}

/// Three runs, and one that empties the maildrop.
fn fetches_once(server: &RealServer, added: &[&str]) {
    let home = home(server);
    assert_eq!(fetched(server, &home), 50, "in the first run");
    assert_holds(&home, added);
    for nth in ["second", "third"] {
        assert_eq!(server.count(), 50, "{}", server.log());
        assert_eq!(fetched(server, &home), 0, "in the {nth} run");
    }
    assert_eq!(server.count(), 50, "{}", server.log());
    home.one_account(&server.front().account(), "keep = \"never\"\n");
    assert_eq!(fetched(server, &home), 0, "in the run that deletes");
    assert_eq!(server.count(), 0, "{}", server.log());
    assert_holds(&home, added);
    assert_eq!(fetched(server, &home), 0, "of an empty maildrop");
}

/// One run that fetches and deletes.
fn empties_at_once(server: &RealServer, added: &[&str]) {
    let home = home(server);
    home.one_account(&server.front().account(), "keep = \"never\"\n");
    assert_eq!(fetched(server, &home), 50);
    assert_eq!(server.count(), 0, "{}", server.log());
    assert_holds(&home, added);
    assert_eq!(fetched(server, &home), 0);
}

/// What mailutils writes.
const MAILUTILS: [&str; 4] = ["X-UIDL: ", "X-IMAPbase: ", "X-UID: ", "Status: "];

#[test]
fn c1_mailutils_lists_other_sizes_in_each_session_and_each_message_arrives_once() {
    let Some(server) = RealServer::mailutils(&letters()) else {
        return;
    };
    fetches_once(&server, &MAILUTILS);
}

#[test]
fn c1_mailutils_lists_other_sizes_under_the_same_unique_ids_in_the_second_session() {
    let Some(server) = RealServer::mailutils(&letters()) else {
        return;
    };
    // Two homes, neither of which knows of the other: this is about the server.
    let first_home = home(&server);
    assert_eq!(fetched(&server, &first_home), 50);
    assert_holds(&first_home, &MAILUTILS);
    assert_eq!(fetched(&server, &home(&server)), 50);
    let sessions = server.front().sessions();
    let [first, second] = &sessions[..] else {
        panic!("{sessions:#?}");
    };
    assert_eq!(first.listing("UIDL").len(), 50, "{first:#?}");
    assert_eq!(first.listing("UIDL"), second.listing("UIDL"));
    let sizes = first
        .listing("LIST")
        .into_iter()
        .zip(second.listing("LIST"));
    assert_eq!(sizes.filter(|(before, after)| before != after).count(), 50);
}

#[test]
fn mailutils_is_emptied_in_one_run() {
    let Some(server) = RealServer::mailutils(&letters()) else {
        return;
    };
    empties_at_once(&server, &MAILUTILS);
}

#[test]
fn popa3d_is_fetched_once_and_emptied() {
    let Some(server) = RealServer::popa3d(&letters()) else {
        return;
    };
    fetches_once(&server, &[]);
}

#[test]
fn popa3d_is_emptied_in_one_run() {
    let Some(server) = RealServer::popa3d(&letters()) else {
        return;
    };
    empties_at_once(&server, &[]);
}

#[test]
fn courier_is_fetched_once_and_emptied() {
    let Some(server) = RealServer::courier(&letters()) else {
        return;
    };
    fetches_once(&server, &[]);
}

#[test]
fn courier_is_emptied_in_one_run() {
    let Some(server) = RealServer::courier(&letters()) else {
        return;
    };
    empties_at_once(&server, &[]);
}

/// Fails unless the Maildir holds what was delivered, below what Cyrus writes above it: a Return-Path
/// of its own, and how it came.
#[track_caller]
fn assert_holds_below_the_trace(home: &Home) {
    let files = tree::read(&home.maildir("a"));
    assert_eq!(files.len(), 50);
    for letter in letters() {
        let stored = letter.stored();
        let line = stored.iter().position(|octet| *octet == b'\n').unwrap();
        let found = files
            .iter()
            .filter(|it| it.octets.ends_with(&stored[line + 1..]));
        assert_eq!(found.count(), 1, "{}", stored.escape_ascii());
    }
    tree::assert_tmp_is_empty(&home.maildir("a"));
}

/// A run against it, and how many messages it has fetched.
fn fetched_from_cyrus(home: &Home) -> usize {
    let output = home.popfetch(["fetch", "--format", "paths"]).run();
    assert_eq!(output.status, Some(0), "{output:#?}");
    // What it throws away has not been sent.
    for stall in ["no answer", "connecting once more"] {
        assert!(!output.stderr.contains(stall), "{output:#?}");
    }
    output.stdout.lines().count()
}

#[test]
fn b8_cyrus_with_its_own_tls_is_signed_in_to_and_fetched_once_without_a_stall() {
    for (config, auth) in [
        // SCRAM with bindings that it does not have over TLS 1.3.
        ("", ""),
        ("", "auth = \"scram-sha-256-unbound\"\n"),
        // As with saslauthd.
        ("sasl_mech_list: PLAIN\n", ""),
    ] {
        let Some(server) = Cyrus::start(&letters(), config) else {
            return;
        };
        let home = Home::of(&server.account(), auth);
        assert_eq!(fetched_from_cyrus(&home), 50, "{config}{auth}");
        assert_holds_below_the_trace(&home);
        assert_eq!(fetched_from_cyrus(&home), 0, "{config}{auth}");
        home.one_account(&server.account(), &format!("{auth}keep = \"never\"\n"));
        assert_eq!(fetched_from_cyrus(&home), 0, "{config}{auth}");
        assert_holds_below_the_trace(&home);
        // It is empty now.
        let other = Home::new();
        other.one_account(&server.account(), auth);
        assert_eq!(fetched_from_cyrus(&other), 0, "{config}{auth}");
    }
}

const IMAP: &str = "protocol = \"imap\"\n";

#[test]
fn cyrus_is_fetched_once_by_imap_and_emptied() {
    for config in ["", "sasl_mech_list: PLAIN\n"] {
        let Some(server) = Cyrus::start_imap(&letters(), config) else {
            return;
        };
        let home = Home::of(&server.account(), IMAP);
        assert_eq!(fetched_from_cyrus(&home), 50, "{config}");
        assert_holds_below_the_trace(&home);
        assert_eq!(fetched_from_cyrus(&home), 0, "{config}");
        home.one_account(&server.account(), &format!("{IMAP}keep = \"never\"\n"));
        assert_eq!(fetched_from_cyrus(&home), 0, "{config}");
        assert_holds_below_the_trace(&home);
        // It is empty now.
        let other = Home::of(&server.account(), IMAP);
        assert_eq!(fetched_from_cyrus(&other), 0, "{config}");
    }
}

#[test]
fn cyrus_is_emptied_by_imap_in_one_run() {
    let Some(server) = Cyrus::start_imap(&letters(), "") else {
        return;
    };
    let home = Home::of(&server.account(), &format!("{IMAP}keep = \"never\"\n"));
    assert_eq!(fetched_from_cyrus(&home), 50);
    assert_holds_below_the_trace(&home);
    let other = Home::of(&server.account(), IMAP);
    assert_eq!(fetched_from_cyrus(&other), 0);
}

#[test]
fn a_mailbox_that_cyrus_has_restored_under_another_uidvalidity_brings_nothing_twice() {
    let Some(server) = Cyrus::start_imap(&letters(), "") else {
        return;
    };
    let home = Home::of(&server.account(), IMAP);
    assert_eq!(fetched_from_cyrus(&home), 50);
    let files = tree::read(&home.maildir("a")).into_iter();
    let mut messages: Vec<_> = files.map(|file| file.octets).collect();
    messages.push(letter(51).stored());
    server.restore(&messages);
    assert_eq!(fetched_from_cyrus(&home), 1);
    assert_eq!(fetched_from_cyrus(&home), 0);
    assert_eq!(tree::count(&home.maildir("a")), 51);
    home.one_account(&server.account(), &format!("{IMAP}keep = \"never\"\n"));
    assert_eq!(fetched_from_cyrus(&home), 0);
    let other = Home::of(&server.account(), IMAP);
    assert_eq!(fetched_from_cyrus(&other), 0);
    assert_eq!(tree::count(&home.maildir("a")), 51);
}
