use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::given::{assert_said, behaving, letter, mail, run, server};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;

/// Every file below a directory with its content.
fn everything(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut directories = vec![directory.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => directories.push(path),
                false => drop(files.insert(path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    files
}

fn objects(output: &Output) -> Vec<Value> {
    let lines = output.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Two messages stored, one new, one new and large.
fn mixed() -> (Server, Home) {
    let (server, home) = server(2);
    run(&home, &[], 0);
    server
        .maildrop()
        .add([letter(3), Message::generated("large", 9000, 1)]);
    (server, home)
}

const DRY_RUN: [&str; 4] = ["fetch", "--dry-run", "--max-size", "1k"];

#[test]
fn a_dry_run_says_what_would_be_done_with_each_message_and_why() {
    let (_server, home) = mixed();
    // What would be fetched is shown as a person knows it; what is here already is not shown at all.
    let shown = run(&home, &DRY_RUN, 0).stdout;
    assert!(!shown.contains("uid-1"), "{shown}");
    let line = shown
        .lines()
        .find(|line| line.starts_with("fetch"))
        .unwrap();
    for cell in ["Ada <ada@example.com>", "Letter 3", "2026-11-23"] {
        assert!(line.contains(cell), "{line}");
    }
    let verbose = [&DRY_RUN[..], &["-v"]].concat();
    let output = run(&home, &verbose, 0);
    let line = |id: &str| output.stdout.lines().find(|l| l.contains(id)).unwrap();
    for (id, action, reason) in [
        ("uid-1", "seen", "before"),
        ("large", "skip", "larger than 1 kB"),
    ] {
        assert!(line(id).contains(action), "{output:#?}");
        assert!(line(id).contains(reason), "{output:#?}");
    }
    let arguments = [&["--format", "json"], &DRY_RUN[..], &["--delete"]].concat();
    let objects = objects(&run(&home, &arguments, 0));
    let actions: Vec<_> = objects.iter().filter(|o| o["event"] == "plan").collect();
    let actions: Vec<_> = actions
        .iter()
        .map(|o| o["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["delete", "delete", "fetch", "skip"]);
    // What decided is what was typed.
    let of_deletions = objects.iter().filter(|o| o["action"] == "delete");
    let mut reasons = of_deletions.map(|o| o["reason"].as_str().unwrap());
    assert!(
        reasons.all(|it| it == "stored, and --delete"),
        "{objects:?}"
    );
    let text = fs::read_to_string(home.config_file()).unwrap();
    home.config(&(text + "keep = \"never\"\n"));
    let shown = run(&home, &DRY_RUN, 0).stdout;
    assert!(shown.contains("stored, and keep = \"never\""), "{shown}");
    assert!(
        objects
            .iter()
            .all(|o| o["event"] != "plan" || o["reason"].is_string())
    );
}

#[test]
fn a_dry_run_changes_nothing() {
    let (server, home) = mixed();
    let before = everything(home.path());
    for arguments in [
        &DRY_RUN[..],
        &["fetch", "--dry-run", "--delete"],
        &["check", "--headers"],
        &["account", "test"],
        &["state", "show", "a"],
    ] {
        run(&home, arguments, 0);
        assert!(everything(home.path()) == before, "{arguments:?}");
        let session = server.last_session();
        assert_eq!(session.count("DELE"), 0);
    }
    assert_eq!(server.count("RETR"), 2);
    assert_eq!(server.maildrop().count(), 4);
}

#[test]
fn a_first_dry_run_creates_nothing() {
    let (_server, home) = server(2);
    let before = everything(home.path());
    run(&home, &["fetch", "-n", "--latest", "1"], 0);
    run(&home, &["check"], 0);
    run(&home, &["account", "test"], 0);
    assert!(everything(home.path()) == before);
    assert!(!home.maildir("a").exists());
}

#[test]
fn check_counts_what_waits_and_what_is_new() {
    let (_server, home) = mixed();
    let output = run(&home, &["check"], 0);
    let row: Vec<_> = output
        .stdout
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!((row[0], row[1]), ("a", "4"), "{output:#?}");
    assert!(row.contains(&"2"), "{output:#?}");
    let objects = objects(&run(&home, &["check", "--format", "json"], 0));
    let events: Vec<_> = objects.iter().map(|object| &object["event"]).collect();
    assert_eq!(events, ["account", "summary"]);
    assert_eq!(objects[0]["messages"], 4);
    assert_eq!(objects[0]["new"], 2);
    let octets = 9000 + letter(3).size();
    assert_eq!(objects[0]["new_octets"], octets);
}

#[test]
fn check_headers_reads_them_by_top() {
    let (server, home) = mixed();
    let output = run(&home, &["check", "--headers"], 0);
    let line = output.stdout.lines().find(|l| l.contains("Letter 3"));
    let line = line.unwrap_or_else(|| panic!("{output:#?}"));
    assert!(
        line.contains("Ada") && line.contains("2026-11-23"),
        "{line}"
    );
    assert!(!output.stdout.contains("Letter 1"), "{output:#?}");
    assert_eq!(server.last_session().count("TOP"), 2);
    assert_eq!(server.last_session().count("RETR"), 0);
    let arguments = ["check", "--headers", "--format", "json"];
    let objects = objects(&run(&home, &arguments, 0));
    assert_eq!(objects[0]["event"], "waiting");
    assert_eq!(objects[0]["subject"], "Letter 3");
    assert_eq!(objects[0]["unique_id"], "uid-3");
}

#[test]
fn check_headers_does_without_top() {
    for tags in [&["TOP"][..], &["TOP", "PIPELINING"]] {
        let without = |behaviour: Behaviour, tag: &&str| behaviour.without(tag);
        let (server, home) = behaving(3, tags.iter().fold(Behaviour::new(), without));
        let arguments = ["check", "--headers", "--format", "json"];
        let objects = objects(&run(&home, &arguments, 0));
        assert_eq!(objects[0]["subject"], Value::Null);
        // Each once, and the first in another way.
        assert_eq!(server.last_session().count("TOP"), 4);
    }
}

#[test]
fn e_5_check_headers_of_300_messages_costs_a_few_round_trips() {
    let far_away = Behaviour::new().latency(Duration::from_millis(50));
    let (server, home) = behaving(300, far_away);
    let arguments = ["check", "--headers", "--format", "json"];
    let objects = objects(&run(&home, &arguments, 0));
    assert_eq!(objects[0]["subject"], "Letter 1");
    assert_eq!(objects[299]["subject"], "Letter 300");
    let session = server.last_session();
    assert_eq!(session.count("TOP"), 300);
    assert!(session.flights <= 7, "{} flights", session.flights);
}

#[test]
fn e_5_check_headers_asks_one_by_one_where_the_server_wants_it_so() {
    let behaviour = Behaviour::new().without("PIPELINING");
    let (server, home) = behaving(4, behaviour.latency(Duration::from_millis(20)));
    let output = run(&home, &["check", "--headers"], 0);
    assert!(output.stdout.contains("Letter 4"), "{output:#?}");
    let session = server.last_session();
    assert_eq!(session.flights, session.commands.len() as u64);
}

#[test]
fn a_server_that_refuses_top_of_no_lines_is_asked_for_one() {
    let mut behaviour = Behaviour::new();
    for number in 1..=3 {
        let refused = Reply::raw("-ERR how many lines?\r\n");
        behaviour = behaviour.on(&format!("TOP {number} 0"), refused);
    }
    for pipelining in ["", "pipelining = \"off\"\n"] {
        let (server, home) = behaving(3, behaviour.clone());
        home.one_account(&server.account(), pipelining);
        let output = run(&home, &["check", "--headers"], 0);
        for n in 1..=3 {
            assert!(
                output.stdout.contains(&format!("Letter {n}")),
                "{output:#?}"
            );
        }
    }
}

#[test]
fn check_q_says_by_its_status_whether_new_mail_waits() {
    let (_server, home) = server(2);
    for (status, fetch) in [(0, true), (1, false)] {
        let output = run(&home, &["check", "-q"], status);
        assert_eq!((&output.stdout[..], &output.stderr[..]), ("", ""));
        if fetch {
            run(&home, &[], 0);
        }
    }
}

#[test]
fn accounts_are_listed_shown_and_tested() {
    let (server, home) = server(3);
    let output = run(&home, &["account", "list"], 0);
    let port = server.port().to_string();
    for word in ["a", "ada@localhost", &port, "always"] {
        assert!(output.stdout.contains(word), "{output:#?}");
    }
    let output = run(&home, &["account", "show", "a"], 0);
    for word in [
        "host",
        "localhost",
        &port,
        "password",
        "in the file",
        "tls-roots",
    ] {
        assert!(output.stdout.contains(word), "{output:#?}");
    }
    assert!(!output.stdout.contains("secret"), "{output:#?}");
    let output = run(&home, &["account", "test"], 0);
    for words in ["signed in by PLAIN", "3 messages", "in the mailbox"] {
        assert!(output.stdout.contains(words), "{output:#?}");
    }
    assert_eq!(server.last_session().count("RETR"), 0);
    let shown = objects(&run(
        &home,
        &["account", "show", "a", "--format", "json"],
        0,
    ));
    assert_eq!(shown[0]["port"], server.port());
    run(&home, &["account", "show", "b"], 78);
}

#[test]
fn account_test_says_what_is_wrong() {
    let (server, home) = server(1);
    let mut account = server.account();
    account.password = "wrong".into();
    home.one_account(&account, "");
    let output = run(&home, &["account", "test"], 77);
    assert_said(&output, &["error: a: ", "refused the sign-in", "hint: "]);
}

#[test]
fn the_state_can_be_looked_at() {
    let (_server, home) = server(3);
    let output = run(&home, &["state", "show", "a"], 0);
    assert_said(&output, &["0 messages remembered"]);
    run(&home, &["fetch", "--latest", "2"], 0);
    let output = run(&home, &["state", "show", "a"], 0);
    for (id, status) in [
        ("uid-1", "passed over"),
        ("uid-2", "stored"),
        ("uid-3", "stored"),
    ] {
        let line = output.stdout.lines().find(|l| l.contains(id)).unwrap();
        assert!(line.contains(status), "{output:#?}");
    }
    let objects = objects(&run(&home, &["state", "show", "a", "--format", "json"], 0));
    let ids: Vec<_> = objects
        .iter()
        .map(|o| o["unique_ids"][0].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["uid-1", "uid-2", "uid-3"]);
}

#[test]
fn what_is_marked_as_seen_is_passed_over() {
    let (server, home) = server(3);
    let output = run(&home, &["state", "mark-seen", "a"], 0);
    assert_said(&output, &["a: 3 messages marked as seen"]);
    assert_eq!(server.last_session().count("RETR"), 0);
    server.maildrop().add([letter(4)]);
    run(&home, &["fetch", "--delete"], 0);
    tree::assert_holds(&home.maildir("a"), &[letter(4)]);
    assert_eq!(server.maildrop().unique_ids(), ["uid-1", "uid-2", "uid-3"]);
}

#[test]
fn another_message_under_a_unique_id_that_was_passed_over_is_fetched_once_that_was_gone() {
    for latest in [false, true] {
        for stays in [0, 2] {
            let (server, home) = server(3);
            match latest {
                false => run(&home, &["state", "mark-seen", "a"], 0),
                true => run(&home, &["fetch", "--latest", "1"], 0),
            };
            let before = tree::count(&home.maildir("a"));
            let others = [letter(2), letter(3)].into_iter().take(stays);
            server.maildrop().replace(others.clone());
            run(&home, &[], 0);
            let text = [letter(1).octets(), b"another\r\n".repeat(200)].concat();
            let other = Message::new("uid-1", text);
            server.maildrop().replace([other].into_iter().chain(others));
            for _ in 0..2 {
                run(&home, &[], 0);
                let here = tree::count(&home.maildir("a"));
                assert_eq!(here, before + 1, "latest: {latest}, {stays} stay");
            }
        }
    }
}

#[test]
fn what_was_passed_over_stays_so_where_it_was_gone_and_the_server_has_written_into_it_or_counts_otherwise()
 {
    let written_into = |n| {
        let octets = [b"Status: RO\r\n".to_vec(), letter(n).octets()].concat();
        Message::new(format!("uid-{n}"), octets)
    };
    let without_cr = |n| {
        let octets = letter(n).octets();
        let lines = octets.iter().filter(|it| **it == b'\n').count();
        letter(n).listed_as((octets.len() - lines) as u64)
    };
    let changes: [(usize, &dyn Fn(usize) -> Message); 3] = [
        (3, &written_into),
        (3, &without_cr),
        (120, &|n| letter(n).listed_as(9)),
    ];
    for (count, changed) in changes {
        let (server, home) = server(count);
        run(&home, &["state", "mark-seen", "a"], 0);
        server.maildrop().replace([]);
        run(&home, &[], 0);
        server.maildrop().replace((1..=count).map(changed));
        for _ in 0..2 {
            run(&home, &[], 0);
            assert_eq!(tree::count(&home.maildir("a")), 0, "of {count}");
        }
    }
}

#[test]
fn what_is_forgotten_is_fetched_again() {
    let (server, home) = server(3);
    run(&home, &[], 0);
    let output = run(&home, &["state", "forget", "a", "uid-2"], 0);
    assert_said(&output, &["1 message forgotten"]);
    run(&home, &[], 0);
    assert_eq!(server.last_session().count("RETR"), 1);
    tree::assert_holds(&home.maildir("a"), &[mail(3), vec![letter(2)]].concat());
    let output = run(&home, &["state", "forget", "a", "nonsense"], 1);
    assert_said(&output, &["no such message", "hint: "]);
    run(&home, &["state", "forget", "a", "--all"], 0);
    run(&home, &[], 0);
    assert_eq!(server.last_session().count("RETR"), 3);
}
