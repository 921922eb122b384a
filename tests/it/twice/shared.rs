use std::fs;
use std::path::{Path, PathBuf};

use super::{letter, mail, restore, retrieved, saved, serving};
use crate::given::{assert_said, journals, run};
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;

/// A run with another state directory: as from cron, which knows no XDG variables, or from another
/// machine that shares the Maildir.
fn elsewhere(home: &Home, arguments: &[&str], status: i32) -> Output {
    home.popfetch(arguments)
        .env("XDG_STATE_HOME", home.path().join("other"))
        .expect(status)
}

fn journal_elsewhere(home: &Home) -> PathBuf {
    let name = crate::given::journal(home);
    let name = name.file_name().unwrap();
    home.path().join("other/popfetch").join(name)
}

fn fetched_twenty() -> (Server, Home) {
    let (server, home) = crate::given::serving(mail(20), Behaviour::new());
    run(&home, &[], 0);
    (server, home)
}

#[test]
fn c6_a_second_state_is_refused_while_the_first_one_stands() {
    let (server, home) = fetched_twenty();
    let first = crate::given::journal(&home);
    server.maildrop().add([letter(21)]);
    for arguments in [
        &["fetch"][..],
        &["fetch", "--delete"],
        &["state", "mark-seen", "a"],
    ] {
        let output = elsewhere(&home, arguments, 78);
        let second = journal_elsewhere(&home);
        assert_said(
            &output,
            &[first.to_str().unwrap(), second.to_str().unwrap(), "hint: "],
        );
        assert_eq!(server.sessions().len(), 1, "it connected");
    }
    assert_eq!(tree::count(&home.maildir("a")), 20);
    // The first one is in nobody's way.
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(21));
}

#[test]
fn c6_a_journal_that_cannot_be_read_stands() {
    let (server, home) = fetched_twenty();
    let first = crate::given::journal(&home);
    // Whoever it is, it is no directory that is gone.
    fs::remove_file(&first).unwrap();
    fs::create_dir(&first).unwrap();
    elsewhere(&home, &[], 78);
    assert_eq!(server.sessions().len(), 1);
}

#[test]
fn c6_once_the_first_state_is_gone_the_second_takes_in_what_is_there() {
    let (server, home) = fetched_twenty();
    elsewhere(&home, &[], 78);
    fs::remove_dir_all(home.state()).unwrap();
    server.maildrop().add([letter(21)]);
    let output = elsewhere(&home, &["-q"], 0);
    assert_said(&output, &["20 messages", "count as fetched"]);
    assert_eq!(retrieved(&server), 1);
    tree::assert_holds(&home.maildir("a"), &mail(21));
    let output = elsewhere(&home, &["-q"], 0);
    assert_eq!(super::told(&output), Vec::<&str>::new());
    assert_eq!(retrieved(&server), 0);
    elsewhere(&home, &["verify"], 0);
    elsewhere(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
    tree::assert_holds(&home.maildir("a"), &mail(21));
}

#[test]
fn c6_two_that_take_turns_by_moving_the_journal_bring_nothing_twice() {
    let (server, home) = fetched_twenty();
    let other = home.path().join("other/popfetch");
    for n in 1..=6 {
        server.maildrop().add([letter(20 + n)]);
        // A journal that was moved is the same one, and stands nowhere else.
        match n % 2 {
            1 => {
                fs::create_dir_all(home.path().join("other")).unwrap();
                fs::rename(home.state(), &other).unwrap();
                elsewhere(&home, &[], 0);
            }
            _ => {
                fs::rename(&other, home.state()).unwrap();
                run(&home, &[], 0);
            }
        }
        assert_eq!(retrieved(&server), 1, "{n}");
    }
    tree::assert_holds(&home.maildir("a"), &mail(26));
}

#[test]
fn c6_two_that_are_removed_in_turn_bring_nothing_twice() {
    let (server, home) = fetched_twenty();
    for n in 1..=4 {
        server.maildrop().add([letter(20 + n)]);
        match n % 2 {
            1 => {
                fs::remove_dir_all(home.state()).unwrap();
                elsewhere(&home, &[], 0);
            }
            _ => {
                fs::remove_dir_all(home.path().join("other")).unwrap();
                run(&home, &[], 0);
            }
        }
        assert_eq!(retrieved(&server), 1, "{n}");
    }
    tree::assert_holds(&home.maildir("a"), &mail(24));
}

#[test]
fn c6_a_state_directory_by_another_path_is_the_same() {
    let (server, home) = fetched_twenty();
    let other = home.path().join("other");
    fs::create_dir_all(&other).unwrap();
    let link = home.path().join("link");
    std::os::unix::fs::symlink(home.path().join("state"), &link).unwrap();
    server.maildrop().add([letter(21)]);
    let output = home
        .popfetch(["fetch"])
        .env("XDG_STATE_HOME", &link)
        .expect(0);
    assert!(!output.stderr.contains("count as fetched"), "{output:#?}");
    assert_eq!(retrieved(&server), 1);
    tree::assert_holds(&home.maildir("a"), &mail(21));
}

/// Files in tmp/, put there as if they were being written.
fn in_tmp(maildir: &Path, names: &[String]) {
    for name in names {
        fs::write(maildir.join("tmp").join(name), "Subject: half a").unwrap();
    }
}

#[test]
fn c6_what_another_journal_is_writing_is_left_in_tmp() {
    let (server, home) = fetched_twenty();
    let maildir = home.maildir("a");
    let name = tree::new_files(&maildir).remove(0);
    let name = name.file_name().unwrap().to_str().unwrap();
    let (start, rest) = name.split_once("_pf").unwrap();
    let (stamp, journal) = start.split_once('X').unwrap();
    let theirs: String = journal.chars().rev().collect();
    let names = [
        format!("{stamp}1X{journal}_pf{rest}"),
        format!("{stamp}2X{theirs}_pf{rest}"),
        "1700000000.M1P1.host".to_owned(),
    ];
    in_tmp(&maildir, &names);
    server.maildrop().add([letter(21)]);
    run(&home, &[], 0);
    let left: Vec<String> = tree::read(&maildir)
        .into_iter()
        .filter(|file| file.subdirectory == "tmp")
        .map(|file| file.name)
        .collect();
    let mut expected = names[1..].to_vec();
    expected.sort();
    assert_eq!(left, expected);
}

#[test]
fn c6_two_accounts_in_one_maildir_do_not_mind_each_other() {
    let one = serving(&Maildrop::new(mail(10)), "ada", Behaviour::new());
    let two = serving(
        &Maildrop::new((11..=20).map(letter)),
        "ada",
        Behaviour::new(),
    );
    let home = Home::new();
    let text = home.account_config("b", &two.account());
    let maildir = |name| format!("maildir = {:?}\n", home.maildir(name));
    let text = text.replace(&maildir("b"), &maildir("a"));
    home.config(&(home.account_config("a", &one.account()) + &text));
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(20));
    for path in journals(&home) {
        fs::remove_file(path).unwrap();
    }
    let output = run(&home, &[], 0);
    assert_said(
        &output,
        &[
            "a: the state file was lost, or is on another machine",
            "b: the state file was lost",
        ],
    );
    assert_eq!((retrieved(&one), retrieved(&two)), (0, 0));
    let output = run(&home, &["fetch", "-q", "--delete"], 0);
    assert_eq!(super::told(&output), Vec::<&str>::new());
    assert_eq!((one.maildrop().count(), two.maildrop().count()), (0, 0));
    tree::assert_holds(&home.maildir("a"), &mail(20));
}

#[test]
fn c8_forgotten_and_fetched_again_and_the_state_restored_there_is_no_third_copy() {
    let (server, home) = fetched_twenty();
    let before = saved(&home.state());
    run(&home, &["state", "forget", "a", "uid-3", "uid-7"], 0);
    run(&home, &[], 0);
    let copies = [mail(20), vec![letter(3), letter(7)]].concat();
    tree::assert_holds(&home.maildir("a"), &copies);
    restore(&home.state(), &before);
    for _ in 0..2 {
        run(&home, &[], 0);
        assert_eq!(retrieved(&server), 0);
        tree::assert_holds(&home.maildir("a"), &copies);
    }
    // From between the forgetting and the fetch, too.
    let (server, home) = fetched_twenty();
    run(&home, &["state", "forget", "a", "--all"], 0);
    let between = saved(&home.state());
    run(&home, &[], 0);
    let copies = [mail(20), mail(20)].concat();
    tree::assert_holds(&home.maildir("a"), &copies);
    restore(&home.state(), &between);
    run(&home, &[], 0);
    assert_eq!(retrieved(&server), 0);
    tree::assert_holds(&home.maildir("a"), &copies);
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
}

/// The line with another last character.
fn damaged(line: &str) -> String {
    let (before, last) = line.split_at(line.len() - 1);
    let other = if last == "0" { "1" } else { "0" };
    format!("{before}{other}")
}

#[test]
fn c6_a_maildir_restored_from_before_an_account_first_delivered_there_has_its_mail_fetched_again() {
    let both = [mail(3), (4..=6).map(letter).collect()];
    let [server, other] = both.map(|it| serving(&Maildrop::new(it), "ada", Behaviour::new()));
    let home = Home::new();
    let into_one = home.account_config("b", &other.account());
    let [a, b] = ["a", "b"].map(|name| format!("{:?}", home.maildir(name)));
    let into_one = into_one.replace(&b, &a);
    home.config(&(home.account_config("a", &server.account()) + &into_one));
    run(&home, &["fetch", "a"], 0);
    let (maildir, backup) = (home.maildir("a"), home.path().join("backup"));
    crate::lost::restored::copy(&maildir, &backup);
    run(&home, &["fetch", "b"], 0);
    assert_eq!(tree::count(&maildir), 6);
    // A line that is lost, or that cannot be read, tells nothing of the age of what is there.
    let roster = maildir.join("popfetch-maildir");
    let whole = fs::read_to_string(&roster).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let is_b = |line: &&&str| line.contains(&other.port().to_string());
    let own = *lines.iter().find(is_b).unwrap();
    for damaged in [
        whole.replace(&format!("{own}\n"), ""),
        whole.replace(own, &damaged(own)),
    ] {
        fs::write(&roster, damaged).unwrap();
        run(&home, &["fetch", "b"], 73);
        assert_eq!(tree::count(&maildir), 6);
    }
    crate::lost::restored::restore(&backup, &maildir);
    let output = run(&home, &["fetch", "b"], 0);
    assert_said(&output, &["older than the state", "3 messages", "3 new"]);
    tree::assert_holds(&maildir, &mail(6));
    for name in ["a", "b"] {
        let output = run(&home, &["fetch", "--delete", name], 0);
        assert_said(&output, &["nothing new, 3 deleted"]);
    }
    tree::assert_holds(&maildir, &mail(6));
}
