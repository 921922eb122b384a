//! Journals whose lines are whole, one by one, and not where they were written.

use std::fs;

use crate::given::{assert_said, journal, letter, plainly, run};
use crate::support::behaviour::Behaviour;
use crate::support::journal::sealed;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

/// Six messages, fetched in three runs; their owner has moved them elsewhere since, so that the journal
/// alone knows of them.
fn moved_away() -> (Server, Home, Vec<String>) {
    let (server, home) = plainly(2, Behaviour::new());
    run(&home, &[], 0);
    for n in [3, 5] {
        server.maildrop().add([letter(n), letter(n + 1)]);
        run(&home, &[], 0);
    }
    for file in tree::new_files(&home.maildir("a")) {
        fs::remove_file(file).unwrap();
    }
    let text = fs::read_to_string(journal(&home)).unwrap();
    let lines = text.split_inclusive('\n').map(str::to_owned).collect();
    (server, home, lines)
}

/// It is told, and what the journal said is still known.
#[track_caller]
fn is_found_out(server: &Server, home: &Home, lines: &[String]) {
    let what = lines.concat();
    fs::write(journal(home), &what).unwrap();
    let output = run(home, &[], 0);
    assert_said(&output, &["warning: a: ", "made again from the Maildir"]);
    assert_eq!(server.last_session().count("RETR"), 0, "{what}");
    let output = run(home, &[], 0);
    assert!(!output.stderr.contains("made again"), "{output:#?}");
    assert_eq!(server.last_session().count("RETR"), 0, "{what}");
    assert_eq!(tree::count(&home.maildir("a")), 0, "{what}");
}

#[test]
fn e6_lines_of_the_journal_that_are_exchanged_or_repeated_bring_nothing_twice() {
    let (server, home, lines) = moved_away();
    let lock = lock(&home);
    for one in 1..lines.len() {
        let mut repeated = lines.clone();
        repeated.insert(lines.len() - one, lines[one].clone());
        let mut exchanged = lines.clone();
        exchanged.swap(one, (one + 1) % lines.len().max(2));
        let reversed = [
            &lines[..one],
            &lines[one..].iter().rev().cloned().collect::<Vec<_>>(),
        ]
        .concat();
        for disorder in [repeated, exchanged, reversed] {
            if disorder != lines && disorder[0] == lines[0] {
                fs::write(&lock.0, &lock.1).unwrap();
                is_found_out(&server, &home, &disorder);
            }
        }
    }
}

#[test]
fn e6_lines_of_another_journal_of_the_account_are_not_taken_for_its_own() {
    let (server, home) = plainly(1, Behaviour::new());
    run(&home, &[], 0);
    // In another home it knows more.
    server.maildrop().add([letter(2), letter(3)]);
    let other = Home::new();
    other.one_account(&server.account(), "");
    run(&other, &[], 0);
    let theirs = fs::read_to_string(journal(&other)).unwrap();
    let kept = [
        journal(&home),
        lock(&home).0,
        home.maildir("a").join("popfetch-maildir"),
    ];
    let kept = kept.map(|path| (fs::read_to_string(&path).unwrap(), path));
    for line in theirs.split_inclusive('\n').skip(1) {
        for file in tree::new_files(&home.maildir("a")) {
            fs::remove_file(file).unwrap();
        }
        kept.iter()
            .for_each(|(text, path)| fs::write(path, text).unwrap());
        let (own, path) = &kept[0];
        fs::write(path, own.clone() + line).unwrap();
        let output = run(&home, &[], 0);
        assert_said(&output, &["made again from the Maildir", "2 new messages"]);
    }
}

#[test]
fn e6_a_journal_of_version_2_is_read_for_ever_and_what_is_out_of_order_in_it_is_told() {
    let (server, home, lines) = moved_away();
    let (lock, path) = (lock(&home), journal(&home));
    let lines: Vec<String> = lines.iter().map(|line| of_version_2(line)).collect();
    let length = lines.concat().len();
    let noted = |lock: &str| {
        let mut fields: Vec<&str> = lock.trim_end().split('\t').collect();
        fields.pop();
        let length = length.to_string();
        fields[4] = &length;
        sealed([fields.join("\t").as_str()])
    };
    fs::write(&lock.0, noted(&lock.1)).unwrap();
    fs::write(&path, lines.concat()).unwrap();
    let output = run(&home, &[], 0);
    assert!(!output.stderr.contains("made again"), "{output:#?}");
    assert_eq!(server.last_session().count("RETR"), 0);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("popfetch-state\t3\t"), "{text}");

    let intents = |line: &&String| line.starts_with("I\t");
    let intents: Vec<usize> = (0..lines.len()).filter(|n| intents(&&lines[*n])).collect();
    let mut exchanged = lines.clone();
    exchanged.swap(intents[2], intents[3]);
    fs::write(&lock.0, noted(&lock.1)).unwrap();
    fs::write(&path, exchanged.concat()).unwrap();
    let output = run(&home, &[], 0);
    assert_said(&output, &["warning: a: ", "made again from the Maildir"]);
}

/// The line as the version before wrote it, which did not say what it follows.
fn of_version_2(line: &str) -> String {
    let mut fields: Vec<&str> = line.trim_end().split('\t').collect();
    fields.pop();
    match fields[0] {
        "popfetch-state" => fields[1] = "2",
        _ => fields.truncate(fields.len() - 1),
    }
    sealed([fields.join("\t").as_str()])
}

/// The lock's file, and what it says.
fn lock(home: &Home) -> (std::path::PathBuf, String) {
    let path = journal(home).with_extension("lock");
    let text = fs::read_to_string(&path).unwrap();
    (path, text)
}
