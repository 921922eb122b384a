//! State and mail as the first version left them, on machines that are brought up to date.
//!
//! tests/fixtures/first-version has two journals that it wrote, for [`mail`] of twelve messages: of
//! "ada", who keeps mail on the server and passed over the oldest two (`latest`), and of "bob", who
//! deletes it. Only the Maildir's path and the machine's boot are others. The host's name is part of
//! what files are called, so the accounts reach it by a program.

use std::fs;
use std::path::Path;

use super::{letter, mail, retrieved, told};
use crate::given::{assert_said, journal, run};
use crate::support::account::Account;
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::process::installed;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

const ADA: &str = include_str!("../../fixtures/first-version/ada.journal");
const BOB: &str = include_str!("../../fixtures/first-version/bob.journal");

/// A user, what her state says, and what she has on the server.
type User = (&'static str, &'static str, fn() -> Vec<Message>);

const USERS: [User; 2] = [("ada", ADA, || mail(12)), ("bob", BOB, Vec::new)];

fn sealed(line: &str) -> String {
    format!("{line}{:08x}\n", crc32fast::hash(line.as_bytes()))
}

/// The journal, the Maildir and, unless it is `bare`, the lock's file, of which the last tells how
/// long the journal is.
fn left_by_the_first_version((user, text, waiting): User, bare: bool) -> Option<(Server, Home)> {
    if !installed("nc") {
        return None;
    }
    let server = super::serving(&Maildrop::new(waiting()), user, Behaviour::new());
    let home = Home::new();
    let port = server.port().to_string();
    let account = Account {
        host: "pop.example.com".into(),
        port: 110,
        ..server.account()
    };
    let program = format!("proxy-command = {:?}\n", ["nc", "127.0.0.1", &port]);
    home.one_account(&account, &program);
    let maildir = home.maildir("a");
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(maildir.join(part)).unwrap();
    }
    let mut journal = String::new();
    for line in text.lines() {
        let mut fields: Vec<&str> = line.split('\t').collect();
        fields.pop();
        match fields[0] {
            "B" => fields[3] = maildir.to_str().unwrap(),
            "I" => deliver(&maildir, fields[3], fields[9]),
            _ => {}
        }
        journal += &sealed(&(fields.join("\t") + "\t"));
    }
    let name = format!("{user}@pop.example.com:110");
    let lock = format!("popfetch-lock\t1\t1795645438\t1\t{}\t", journal.len());
    home.private_file(&format!("state/popfetch/{name}.journal"), &journal);
    if !bare {
        home.private_file(&format!("state/popfetch/{name}.lock"), &sealed(&lock));
    }
    Some((server, home))
}

fn deliver(maildir: &Path, unique_id: &str, name: &str) {
    let n = unique_id.strip_prefix("uid-").unwrap().parse().unwrap();
    fs::write(maildir.join("new").join(name), letter(n).stored()).unwrap();
}

fn by_the_new_one(home: &Home) -> bool {
    let text = fs::read_to_string(journal(home)).unwrap();
    text.starts_with("popfetch-state\t3\t")
}

#[test]
fn c1_after_the_update_nothing_is_downloaded_again_and_all_is_intact() {
    for user in USERS {
        for bare in [false, true] {
            let Some((server, home)) = left_by_the_first_version(user, bare) else {
                return;
            };
            let before = tree::count(&home.maildir("a"));
            let output = run(&home, &[], 0);
            assert_said(
                &output,
                &["has its own file popfetch-maildir", "state accept a"],
            );
            assert_eq!(
                (retrieved(&server), server.last_session().count("TOP")),
                (0, 0)
            );
            assert!(by_the_new_one(&home));
            let output = run(&home, &["-q"], 0);
            assert_eq!(told(&output), Vec::<&str>::new());
            let output = run(&home, &["verify"], 0);
            assert_said(
                &output,
                &[&format!("{before} recorded messages: {before} intact")],
            );
            server.maildrop().add([letter(13)]);
            run(&home, &[], 0);
            assert_eq!(retrieved(&server), 1);
            assert_eq!(tree::count(&home.maildir("a")), before + 1);
        }
    }
}

#[test]
fn c1_after_the_update_what_is_there_is_deleted_and_what_is_missing_waits_for_a_word() {
    for (words, left) in [("--leave", 2), ("--fetch-again", 2)] {
        let Some((server, home)) = left_by_the_first_version(USERS[0], false) else {
            return;
        };
        let files = tree::new_files(&home.maildir("a"));
        fs::remove_file(&files[2]).unwrap();
        fs::remove_file(&files[5]).unwrap();
        fs::write(&files[7], "").unwrap();
        let output = run(&home, &["fetch", "--delete"], 0);
        assert_said(
            &output,
            &[
                "3 messages not deleted",
                "nowhere to be found",
                "not as long",
            ],
        );
        // Beside them the two that were passed over.
        assert_eq!(server.maildrop().count(), 5);
        run(&home, &["fetch", "-q", "--delete"], 0);
        assert_eq!(server.maildrop().count(), 5);
        let output = run(&home, &["state", "accept", "a"], 64);
        assert_said(&output, &["2 of 10 messages", "--fetch-again", "--leave"]);
        run(&home, &["state", "accept", "a", words], 0);
        run(&home, &["fetch", "--delete"], 0);
        assert_eq!(
            retrieved(&server),
            2 * usize::from(words == "--fetch-again")
        );
        // The one that was cut stays until it is accepted by itself.
        assert_eq!(server.maildrop().count(), left + 1);
        assert_eq!(tree::count(&home.maildir("a")), 8 + retrieved(&server));
    }
}

#[test]
fn c1_after_the_update_resized_messages_are_recognised_by_their_files() {
    let Some((server, home)) = left_by_the_first_version(USERS[0], false) else {
        return;
    };
    let written = mail(12);
    let written = written
        .iter()
        .map(|it| super::with_lines_above(it, "Status: RO\nX-UID: 7\n"));
    server.maildrop().replace(written);
    run(&home, &[], 0);
    assert_eq!(
        (retrieved(&server), tree::count(&home.maildir("a"))),
        (0, 10)
    );
}

#[test]
fn c2_a_state_of_the_first_version_that_is_lost_or_restored_brings_nothing_twice() {
    for user in USERS {
        for lost in [true, false] {
            let Some((server, home)) = left_by_the_first_version(user, true) else {
                return;
            };
            let old = super::saved(&home.state());
            server.maildrop().replace(mail(13));
            if lost {
                fs::remove_dir_all(home.state()).unwrap();
            } else {
                run(&home, &[], 0);
                super::restore(&home.state(), &old);
            }
            run(&home, &[], 0);
            let maildir = home.maildir("a");
            let expected = match (user.0, lost) {
                // What `latest` passed over is known to the state alone.
                ("ada", false) => (3..=13).map(letter).collect(),
                _ => mail(13),
            };
            tree::assert_holds(&maildir, &expected);
        }
    }
}

#[test]
fn c4_new_unique_ids_after_the_update_bring_nothing_twice() {
    for user in USERS {
        for added in ["", "X-Provider-Spam: no\n"] {
            let Some((server, home)) = left_by_the_first_version(user, false) else {
                return;
            };
            let moved = (3..=12).map(letter).zip(0..).map(|(it, n)| {
                let it = super::with_lines_above(&it, added);
                super::named(it, format!("new-{n}"))
            });
            server.maildrop().replace(moved);
            run(&home, &[], 0);
            let from = if user.0 == "ada" { 3 } else { 1 };
            let expected: Vec<Message> = (from..=12).map(letter).collect();
            tree::assert_holds(&home.maildir("a"), &expected);
            run(&home, &["fetch", "--delete"], 0);
            assert_eq!(server.maildrop().count(), 0);
            tree::assert_holds(&home.maildir("a"), &expected);
        }
    }
}

#[test]
fn c3_a_journal_of_the_first_version_is_known_as_another_name_and_can_be_moved() {
    for user in USERS {
        let Some((server, home)) = left_by_the_first_version(user, false) else {
            return;
        };
        server.maildrop().replace(mail(12));
        let text = fs::read_to_string(home.config_file()).unwrap();
        home.config(&text.replace("pop.example.com", "mail.example.com"));
        let output = run(&home, &[], 78);
        let id = format!("{}@pop.example.com:110", user.0);
        assert_said(
            &output,
            &["12 of the 12", &format!("popfetch state move {id} a")],
        );
        run(&home, &["state", "move", &id, "a"], 0);
        let output = run(&home, &[], 0);
        let from = if user.0 == "ada" { 3 } else { 1 };
        let expected: Vec<Message> = (from..=12).map(letter).collect();
        tree::assert_holds(&home.maildir("a"), &expected);
        run(&home, &["verify"], 0);
        run(&home, &["fetch", "--delete"], 0);
        assert_eq!(server.maildrop().count(), from - 1, "{output:#?}");
        tree::assert_holds(&home.maildir("a"), &expected);
    }
}
