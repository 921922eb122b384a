use std::fs;
use std::path::PathBuf;

use crate::given::{assert_said, mail, run, server};
use crate::support::run::Home;
use crate::support::tree;

/// The account's journal, after a first fetch.
fn journal(home: &Home) -> PathBuf {
    let entries = fs::read_dir(home.state()).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths
        .find(|path| path.extension().is_some_and(|e| e == "journal"))
        .unwrap()
}

#[test]
fn d32_a_state_file_of_a_newer_version_is_left_alone() {
    let (server, home) = server(3);
    run(&home, &[], 0);
    let path = journal(&home);
    let text = fs::read_to_string(&path).unwrap();
    let (header, lines) = text.split_once('\n').unwrap();
    let fields = header.rsplit_once('\t').unwrap().0;
    let newer = fields.replacen("\t1\t", "\t2\t", 1) + "\t";
    assert_ne!(newer.trim_end(), fields);
    let crc = crc32fast::hash(newer.as_bytes());
    let newer = format!("{newer}{crc:08x}\n{lines}");
    fs::write(&path, &newer).unwrap();

    let sessions = server.sessions_so_far().len();
    let output = run(&home, &[], 65);
    assert_said(&output, &["error: a: ", "another version", "hint: "]);
    assert_eq!(fs::read_to_string(&path).unwrap(), newer);
    assert_eq!(server.sessions_so_far().len(), sessions, "not even asked");
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

#[test]
fn d32_a_directory_in_the_place_of_the_state_file_is_an_error_before_anything_is_fetched() {
    let (server, home) = server(3);
    run(&home, &[], 0);
    let path = journal(&home);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();

    let sessions = server.sessions_so_far().len();
    let output = run(&home, &[], 74);
    assert_said(&output, &["error: a: ", path.to_str().unwrap()]);
    assert_eq!(server.sessions_so_far().len(), sessions, "not even asked");

    // With the obstacle gone, the Maildir still knows what is here.
    fs::remove_dir(&path).unwrap();
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}
