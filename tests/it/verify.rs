//! `popfetch verify`: what is recorded is there, unchanged, or it is named.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::given::{assert_said, mail, run, server};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::journal::rewrite;
use crate::support::process::{PATIENCE, within};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

/// Ten messages, fetched; their files in the order of the maildrop.
fn fetched() -> (Server, Home, Vec<PathBuf>) {
    let (server, home) = server(10);
    let output = run(&home, &["--format", "paths"], 0);
    let files = output.stdout.lines().map(PathBuf::from).collect();
    (server, home, files)
}

/// The journal, as it would be had the machine been started anew since.
fn restart_the_machine(home: &Home) {
    rewrite(&journal(home), |fields| {
        if fields[0] == "B" {
            fields[2] = "0".repeat(fields[2].len());
        }
    });
}

fn journal(home: &Home) -> PathBuf {
    let files = fs::read_dir(home.state()).unwrap();
    let mut paths = files.map(|entry| entry.unwrap().path());
    paths
        .find(|path| path.extension().is_some_and(|end| end == "journal"))
        .unwrap()
}

fn everything(home: &Home) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut waiting = vec![home.state(), home.maildir("a")];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => waiting.push(path),
                false => found.push((path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    found.sort();
    found
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn what_is_intact_is_found_wherever_a_mail_reader_has_put_it_and_nothing_is_written() {
    let (_server, home, files) = fetched();
    let maildir = home.maildir("a");
    fs::rename(
        &files[0],
        maildir
            .join("cur")
            .join(format!("{}:2,RS", name(&files[0]))),
    )
    .unwrap();
    for (folder, file) in [(".Archive", &files[1]), ("Kept", &files[2])] {
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(maildir.join(folder).join(part)).unwrap();
        }
        let place = maildir.join(folder).join("cur");
        fs::rename(file, place.join(format!("{}:2,S", name(file)))).unwrap();
    }
    let before = everything(&home);
    let output = run(&home, &["verify"], 0);
    assert_eq!(output.stdout, "");
    assert_eq!(output.stderr, "a: 10 recorded messages: 10 intact\n");
    let quiet = run(&home, &["verify", "-q", "a"], 0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    assert_eq!(everything(&home), before);
}

#[test]
fn one_changed_octet_a_cut_and_a_file_that_cannot_be_read_are_listed() {
    let (_server, home, files) = fetched();
    let mut octets = fs::read(&files[3]).unwrap();
    *octets.last_mut().unwrap() ^= 1;
    fs::write(&files[3], &octets).unwrap();
    let octets = fs::read(&files[5]).unwrap();
    fs::write(&files[5], &octets[..octets.len() / 2]).unwrap();
    fs::remove_file(&files[7]).unwrap();
    fs::create_dir(&files[7]).unwrap();

    let output = run(&home, &["verify"], 1);
    let rows: Vec<Vec<&str>> = output
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), 3, "{output:#?}");
    for (row, (status, unique_id, file)) in rows.iter().zip([
        ("changed", "uid-4", &files[3]),
        ("changed", "uid-6", &files[5]),
        ("unreadable", "uid-8", &files[7]),
    ]) {
        assert_eq!(row[0], status, "{output:#?}");
        assert!(row.contains(&unique_id), "{output:#?}");
        assert!(
            row.iter()
                .any(|cell| cell.starts_with(file.to_str().unwrap()))
        );
    }
    let said = [
        "a: 10 recorded messages: 7 intact, 2 changed, 1 unreadable",
        "hint: ",
    ];
    assert_said(&output, &said);

    let output = run(&home, &["verify", "--format", "json"], 1);
    let objects: Vec<Value> = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events: Vec<&str> = objects
        .iter()
        .map(|o| o["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        ["changed", "changed", "unreadable", "account", "summary"]
    );
    assert_eq!(objects[0]["unique_ids"][0], "uid-4");
    assert_eq!(objects[0]["octets"], objects[0]["found_octets"]);
    assert_ne!(objects[0]["sha256"], objects[0]["found_sha256"]);
    assert_eq!(objects[0]["path"], files[3].to_str().unwrap());
    let account = &objects[3];
    assert_eq!(
        (&account["recorded"], &account["intact"]),
        (&10.into(), &7.into())
    );
    assert_eq!(
        (&account["changed"], &account["status"]),
        (&2.into(), &1.into())
    );
}

#[test]
fn what_was_removed_while_the_machine_ran_is_told_apart_from_what_is_missing_since_a_restart() {
    let (server, home, files) = fetched();
    fs::remove_file(&files[1]).unwrap();
    let output = run(&home, &["verify"], 0);
    assert_eq!(output.stdout, "");
    assert_eq!(
        output.stderr,
        "a: 10 recorded messages: 9 intact, 1 removed\n"
    );
    let output = run(&home, &["verify", "-v"], 0);
    assert!(output.stdout.starts_with("removed"), "{output:#?}");
    assert!(output.stdout.contains("uid-2"), "{output:#?}");

    restart_the_machine(&home);
    let output = run(&home, &["verify"], 1);
    assert!(output.stdout.starts_with("missing"), "{output:#?}");
    assert!(output.stdout.contains(name(&files[1])), "{output:#?}");
    let said = [
        "9 intact, 1 missing",
        "verify a --accept",
        "state forget a UNIQUE-ID",
    ];
    assert_said(&output, &said);

    // Its owner says so, once.
    let output = run(&home, &["verify", "--accept"], 0);
    assert_eq!(
        output.stderr,
        "a: 10 recorded messages: 9 intact, 1 removed\na: 1 message noted as removed on purpose\n"
    );
    run(&home, &["verify"], 0);
    // It is still known, and does not come back.
    run(&home, &[], 0);
    assert_eq!(server.last_session().count("RETR"), 0);
    // Or he has not removed it, and gets it again as the hint says.
    run(&home, &["state", "forget", "a", "uid-2"], 0);
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(10));
    let output = run(&home, &["verify"], 0);
    assert_eq!(output.stderr, "a: 10 recorded messages: 10 intact\n");
}

#[test]
fn nothing_is_accepted_while_another_run_may_change_the_state() {
    let (server, home, files) = fetched();
    fs::remove_file(&files[1]).unwrap();
    restart_the_machine(&home);
    server.behave(Behaviour::new().on("STAT", Reply::End(Ending::Stall)));
    let before = fs::read(journal(&home)).unwrap();
    let other = home.popfetch(["fetch"]).start();
    let listing = || {
        let sessions = server.sessions_so_far();
        let asked = sessions
            .iter()
            .any(|s| s.count("STAT") > 0 && s.count("RETR") == 0);
        asked.then_some(())
    };
    within(PATIENCE, listing).expect("the other run never came that far");
    let output = run(&home, &["verify", "--accept"], 75);
    assert_said(&output, &["error: a: another popfetch holds this account"]);
    // Looking needs no lock.
    run(&home, &["verify"], 1);
    assert_eq!(fs::read(journal(&home)).unwrap(), before);
    drop(other);
}

#[test]
fn a_maildir_that_has_gone_is_no_list_of_missing_messages() {
    let (_server, home, _) = fetched();
    fs::rename(home.maildir("a"), home.path().join("elsewhere")).unwrap();
    let output = run(&home, &["verify"], 73);
    assert_eq!(output.stdout, "");
    assert_said(&output, &["error: a: ", "is gone", "hint: "]);
}

/// Whoever follows the hint makes an empty one: what was in the other was not removed by anybody.
#[test]
fn a3_where_another_maildir_stands_in_its_place_nothing_counts_as_removed() {
    let (_server, home, _) = fetched();
    let maildir = home.maildir("a");
    fs::rename(&maildir, home.path().join("elsewhere")).unwrap();
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(maildir.join(part)).unwrap();
    }
    let output = run(&home, &["verify"], 1);
    assert!(output.stdout.contains("missing"), "{output:#?}");
    assert!(!output.stdout.contains("removed"), "{output:#?}");
    fs::remove_dir_all(&maildir).unwrap();
    fs::rename(home.path().join("elsewhere"), &maildir).unwrap();
    run(&home, &["verify"], 0);
}

#[test]
fn a_damaged_state_file_is_told_and_not_taken_for_an_empty_one() {
    for line in [0, 3] {
        let (_server, home, _) = fetched();
        let mut octets = fs::read(journal(&home)).unwrap();
        let start = octets
            .split_inclusive(|o| *o == b'\n')
            .take(line)
            .map(<[u8]>::len)
            .sum();
        let at: usize = start;
        octets[at + 2] ^= 1;
        fs::write(journal(&home), octets).unwrap();
        let output = run(&home, &["verify"], 65);
        assert_said(&output, &["error: a: ", "damaged", "the next fetch"]);
        run(&home, &[], 0);
        run(&home, &["verify"], 0);
    }
}

#[test]
fn messages_of_an_earlier_maildir_are_looked_for_there() {
    let (server, home, files) = fetched();
    server.maildrop().add([crate::given::letter(11)]);
    let other = home.path().join("other");
    run(
        &home,
        &["fetch", "a", "--maildir", other.to_str().unwrap()],
        0,
    );
    let output = run(&home, &["verify"], 0);
    assert_eq!(output.stderr, "a: 11 recorded messages: 11 intact\n");
    restart_the_machine(&home);
    fs::remove_file(&files[0]).unwrap();
    let output = run(&home, &["verify"], 1);
    assert_said(&output, &["11 recorded messages: 10 intact, 1 missing"]);
}

#[test]
fn an_account_that_never_fetched_has_nothing_to_be_missing() {
    let (server, home) = server(3);
    let output = run(&home, &["verify"], 0);
    assert_eq!(output.stderr, "a: nothing is recorded yet\n");
    // Nor has a message that was never delivered.
    run(&home, &["state", "mark-seen", "a"], 0);
    server.behave(Behaviour::new());
    run(&home, &["verify"], 0);
}

#[test]
fn e14_what_verify_has_found_damaged_is_not_deleted_from_the_server_before_its_owner_has_seen_to_it()
 {
    let (server, home, files) = fetched();
    // One octet of the same length, and one that cannot be read: nobody is root everywhere.
    let mut octets = fs::read(&files[3]).unwrap();
    *octets.last_mut().unwrap() ^= 1;
    fs::write(&files[3], &octets).unwrap();
    let whole = fs::read(&files[7]).unwrap();
    fs::remove_file(&files[7]).unwrap();
    fs::create_dir(&files[7]).unwrap();
    let output = run(&home, &["verify"], 1);
    assert_said(
        &output,
        &[
            "2 messages not deleted from the server, not even by --delete, before you have seen to them",
            "popfetch state accept a UNIQUE-ID",
            "popfetch state forget a UNIQUE-ID",
        ],
    );
    fs::remove_dir(&files[7]).unwrap();
    fs::write(&files[7], whole).unwrap();
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().unique_ids(), ["uid-4", "uid-8"]);
    // Each of the ways on that the hint names.
    run(&home, &["state", "forget", "a", "uid-4"], 0);
    run(&home, &["state", "accept", "a", "uid-8"], 0);
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
    let stored = |n: usize| mail(10)[n - 1].stored();
    let all = tree::read(&home.maildir("a"));
    assert_eq!(all.len(), 11);
    for n in 1..=10 {
        assert!(all.iter().any(|it| it.octets == stored(n)), "{n}");
    }
}

#[test]
fn e14_a_changed_file_that_was_accepted_as_it_is_is_not_held_by_the_next_verify() {
    let (server, home, files) = fetched();
    let mut octets = fs::read(&files[3]).unwrap();
    *octets.last_mut().unwrap() ^= 1;
    fs::write(&files[3], &octets).unwrap();
    run(&home, &["verify"], 1);
    run(&home, &["state", "accept", "a", "uid-4"], 0);
    // Its owner has seen to it, and a script that looks at the status need not any more.
    let said = "a: 10 recorded messages: 9 intact, 1 accepted\n";
    for _ in 0..2 {
        let output = run(&home, &["verify"], 0);
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", said));
    }
    let output = run(&home, &["verify", "-v"], 0);
    assert!(output.stdout.starts_with("accepted  "), "{output:#?}");
    assert!(output.stdout.contains(name(&files[3])), "{output:#?}");
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
    let output = run(&home, &["verify"], 0);
    assert_eq!(output.stderr, said);
}

#[test]
fn e14_what_was_fetched_again_is_counted_once() {
    let (_server, home, files) = fetched();
    for file in &files {
        fs::remove_file(file).unwrap();
    }
    run(&home, &["state", "accept", "a", "--fetch-again"], 0);
    run(&home, &[], 0);
    let output = run(&home, &["verify"], 0);
    assert_eq!(output.stderr, "a: 10 recorded messages: 10 intact\n");
}
