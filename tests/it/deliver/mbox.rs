//! An mbox file instead of a Maildir, and beside one.

use super::{serving, spool, write_config};
use crate::given::{assert_said, journal, journals, letter, mail, run};
use crate::lost::restored;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::journal::rewrite;
use crate::support::message::{Message, generate};
use crate::support::mounted::Mounted;
use crate::support::process::{PATIENCE, within};
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::Signal;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const KEYS: &str = "keep = \"never\"\ndeliver = { mbox = \"~/mail/in\" }";

pub(super) fn file(home: &Home) -> PathBuf {
    home.path().join("mail/in")
}

/// The messages of an mbox file, as they were before they were quoted.
pub(super) fn messages(home: &Home) -> Vec<Vec<u8>> {
    let text = String::from_utf8(fs::read(file(home)).unwrap()).unwrap();
    let mut messages: Vec<String> = Vec::new();
    let mut before = "\n";
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start_matches('>');
        if line.starts_with("From ") {
            assert_eq!(before, "\n", "no empty line before {line}");
            messages.push(String::new());
        } else if bare.starts_with("From ") {
            messages.last_mut().unwrap().push_str(&line[1..]);
        } else {
            messages
                .last_mut()
                .expect("it begins with From")
                .push_str(line);
        }
        before = line;
    }
    let ended = messages.iter().map(|it| it.strip_suffix('\n').unwrap());
    ended.map(|it| it.as_bytes().to_vec()).collect()
}

/// Another program appends to the file.
pub(super) fn append_mine(home: &Home, text: &str) {
    let mut octets = fs::read(file(home)).unwrap();
    octets.extend(text.as_bytes());
    fs::write(file(home), octets).unwrap();
}

fn stored(messages: &[Message]) -> Vec<Vec<u8>> {
    messages.iter().map(Message::stored).collect()
}

#[test]
fn three_hundred_messages_are_appended_octet_for_octet_and_deleted() {
    let mut letters = generate(299, 900);
    let text = "Return-Path: <bob@example.org>\nSubject: x\n\nFrom here\n>From there\n>>>From x\n";
    letters.push(Message::from_lf("quoted", text));
    let (server, home) = serving(letters.clone(), Behaviour::new(), KEYS);
    run(&home, &[], 0);
    assert_eq!(messages(&home), stored(&letters));
    assert_eq!(server.maildrop().count(), 0);
    assert_eq!(tree::count(&spool(&home)), 0);
    assert!(!file(&home).with_extension("lock").exists());
    let text = fs::read_to_string(file(&home)).unwrap();
    assert!(text.contains("\nFrom bob@example.org "), "{text}");
    run(&home, &[], 0);
    assert_eq!(messages(&home).len(), 300);
}

#[test]
fn with_a_maildir_they_are_in_both() {
    let letters = mail(5);
    let keys = format!("maildir = \"~/Mail/a\"\n{KEYS}");
    let (_server, home) = serving(letters.clone(), Behaviour::new(), &keys);
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &letters);
    assert_eq!(messages(&home), stored(&letters));
}

#[test]
fn what_was_in_the_file_stays_and_a_line_of_it_without_end_is_ended() {
    for before in [
        "From x y\n\nold\n\n",
        "From x y\n\nold\n",
        "From x y\n\nold",
    ] {
        let letters = mail(2);
        let (_server, home) = serving(letters.clone(), Behaviour::new(), KEYS);
        fs::create_dir(home.path().join("mail")).unwrap();
        fs::write(file(&home), before).unwrap();
        run(&home, &[], 0);
        let text = fs::read(file(&home)).unwrap();
        assert!(text.starts_with(before.as_bytes()));
        let all = messages(&home);
        assert_eq!(all[0], b"\nold\n", "{before:?}");
        assert_eq!(all[1..], stored(&letters));
    }
}

#[test]
fn a_file_that_is_no_mbox_is_left_alone_and_the_mail_waits() {
    let letters = mail(2);
    let (server, home) = serving(letters.clone(), Behaviour::new(), KEYS);
    fs::create_dir(home.path().join("mail")).unwrap();
    fs::write(file(&home), "a shopping list\n").unwrap();
    let output = run(&home, &[], 78);
    assert_said(&output, &["is no mbox file", "hint:"]);
    assert_eq!(fs::read(file(&home)).unwrap(), b"a shopping list\n");
    assert_eq!(server.maildrop().count(), 2);
    fs::remove_file(file(&home)).unwrap();
    run(&home, &[], 0);
    assert_eq!(messages(&home), stored(&letters));
}

#[test]
fn a_file_that_cannot_be_written_to_loses_nothing() {
    let letters = mail(2);
    let (server, home) = serving(letters.clone(), Behaviour::new(), KEYS);
    // A directory is in its place.
    fs::create_dir_all(file(&home)).unwrap();
    let output = home.popfetch(["fetch"]).run();
    assert!([Some(74), Some(78)].contains(&output.status), "{output:#?}");
    assert_said(&output, &["cannot append to", "hint:"]);
    assert_eq!(server.maildrop().count(), 2);
    fs::remove_dir(file(&home)).unwrap();
    run(&home, &[], 0);
    assert_eq!(messages(&home), stored(&letters));
    assert_eq!(server.count("RETR"), 2);
}

/// Ten messages of 10 KB each.
fn large() -> Vec<Message> {
    generate(10, 10_000)
}

fn assert_whole_and_waiting(home: &Home, output: &Output, there: usize) {
    assert_eq!(output.status, Some(74), "{output:#?}");
    assert_said(output, &["cannot append to", "hint:"]);
    assert_eq!(messages(home), stored(&large()[..there]));
}

#[test]
fn a_file_that_cannot_grow_is_cut_back_and_the_rest_is_appended_once_it_can() {
    let (server, home) = serving(large(), Behaviour::new(), KEYS);
    let program = env!("CARGO_BIN_EXE_popfetch");
    let line = format!("ulimit -f 48; exec {program} fetch");
    for _ in 0..2 {
        let mut command = Command::new("bash");
        home.furnish(&mut command);
        let ended = command.args(["-c", &line]).output().unwrap();
        let output = Output {
            status: ended.status.code(),
            stdout: String::from_utf8(ended.stdout).unwrap(),
            stderr: String::from_utf8(ended.stderr).unwrap(),
            peak_memory: 0,
        };
        assert_whole_and_waiting(&home, &output, 4);
    }
    run(&home, &[], 0);
    assert_eq!(messages(&home), stored(&large()));
    assert_eq!(server.count("RETR"), 10);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn a_file_on_a_full_disk_is_cut_back_and_the_rest_is_appended_once_there_is_room() {
    let (server, home) = serving(large(), Behaviour::new(), KEYS);
    let mail = home.path().join("mail");
    fs::create_dir(&mail).unwrap();
    let Some(disk) = Mounted::tmpfs(&mail, "size=49152") else {
        return;
    };
    for _ in 0..2 {
        let output = home.popfetch(["fetch"]).run();
        assert_whole_and_waiting(&home, &output, 4);
    }
    disk.remount("size=1m");
    run(&home, &[], 0);
    assert_eq!(messages(&home), stored(&large()));
    assert_eq!(server.count("RETR"), 10);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn a_file_that_is_locked_is_waited_for() {
    let letters = mail(2);
    let (_server, home) = serving(letters.clone(), Behaviour::new(), KEYS);
    fs::create_dir(home.path().join("mail")).unwrap();
    let lock = home.path().join("mail/in.lock");
    fs::write(&lock, "").unwrap();
    let running = home.popfetch(["fetch", "-v"]).start();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !spool_has(&home, 2) {
        assert!(
            std::time::Instant::now() < until,
            "{}",
            running.stderr_so_far()
        );
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(!file(&home).exists());
    fs::remove_file(&lock).unwrap();
    assert_eq!(running.wait().status, Some(0));
    assert_eq!(messages(&home), stored(&letters));
}

/// Another program has the file locked by fcntl, and puts a new one in its place before it lets go.
#[test]
fn a_file_that_is_replaced_while_it_is_waited_for_is_what_is_appended_to() {
    let (_server, home) = serving(mail(2), Behaviour::new(), KEYS);
    fs::create_dir(home.path().join("mail")).unwrap();
    fs::write(file(&home), "From x y\n\nold\n\n").unwrap();
    let old = fs::OpenOptions::new()
        .write(true)
        .open(file(&home))
        .unwrap();
    fcntl_lock(&old, FlockOperation::NonBlockingLockExclusive).unwrap();
    let mut running = home.popfetch(["fetch"]).start();
    let descriptors = PathBuf::from(format!("/proc/{}/fd", running.id()));
    let beside = home.path().join("mail/in.lock");
    let has_it = || match fs::read_dir(&descriptors) {
        Ok(open) => {
            let mut links = open
                .flatten()
                .filter_map(|it| fs::read_link(it.path()).ok());
            links.any(|it| it == file(&home)).then_some(())
        }
        // popfetch closes itself to other processes of its user; it opens the file next.
        Err(_) => beside.exists().then_some(()),
    };
    within(PATIENCE, has_it).expect("it opens the file");
    let other = home.path().join("mail/new");
    fs::write(&other, "From x y\n\nold and new\n\n").unwrap();
    fs::rename(&other, file(&home)).unwrap();
    drop(old);
    assert_eq!(running.wait().status, Some(0));
    let all = messages(&home);
    assert_eq!(all[0], b"\nold and new\n");
    assert_eq!(all[1..], stored(&mail(2)));
}

#[test]
fn a_run_that_is_stopped_while_it_waits_for_a_lock_says_so() {
    let (_server, home) = serving(mail(1), Behaviour::new(), KEYS);
    fs::create_dir(home.path().join("mail")).unwrap();
    let lock = home.path().join("mail/in.lock");
    fs::write(&lock, "").unwrap();
    let mut running = home.popfetch(["fetch"]).start();
    // It tries again and again, with a file of its own.
    let directory = home.path().join("mail");
    let before = fs::metadata(&directory).unwrap().modified().unwrap();
    let tries = || (fs::metadata(&directory).unwrap().modified().unwrap() != before).then_some(());
    within(PATIENCE, tries).expect("it tries to lock the file");
    running.signal(Signal::TERM);
    let output = running.wait();
    assert_eq!(output.status, Some(143), "{output:#?}");
    assert!(!output.stderr.contains("locked by"), "{output:#?}");
    fs::remove_file(&lock).unwrap();
    run(&home, &[], 0);
    assert_eq!(messages(&home), stored(&mail(1)));
}

fn spool_has(home: &Home, count: usize) -> bool {
    let spools = fs::read_dir(home.state().join("spool"));
    let is_there = spools.is_ok_and(|mut spools| spools.next().is_some());
    is_there && spool(home).join("new").is_dir() && tree::new_files(&spool(home)).len() == count
}

#[test]
fn two_accounts_append_to_one_file() {
    let letters = mail(20);
    let (server, home) = serving(letters[..10].to_vec(), Behaviour::new(), KEYS);
    let (other, _) = serving(letters[10..].to_vec(), Behaviour::new(), KEYS);
    let config = |name: &str, server: &crate::support::server::Server| {
        let config = home.account_config(name, &server.account());
        let lines = config.lines().filter(|line| !line.starts_with("maildir"));
        lines.map(|line| format!("{line}\n")).collect::<String>() + KEYS + "\n"
    };
    home.config(&(config("a", &server) + &config("b", &other)));
    run(&home, &[], 0);
    let (mut found, mut wanted) = (messages(&home), stored(&letters));
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

/// Both have the same octets, fetched in one second; one was removed by its owner before it was appended.
#[test]
fn what_was_never_appended_does_not_count_as_what_another_account_has_appended() {
    let keys = "deliver = { mbox = \"~/mail/in\" }\n";
    let letters = [letter(1)].to_vec();
    let (server, home) = serving(letters.clone(), Behaviour::new(), keys);
    let (other, _) = serving(letters.clone(), Behaviour::new(), keys);
    home.config(&format!(
        "{}{keys}{}{keys}",
        home.account_config("a", &server.account()),
        home.account_config("b", &other.account())
    ));
    fs::create_dir_all(file(&home)).unwrap();
    home.popfetch(["fetch", "a"]).run();
    let [of_a] = &journals(&home)[..] else {
        panic!("{:?}", journals(&home));
    };
    home.popfetch(["fetch", "b"]).run();
    let journals = journals(&home);
    let of_b = journals.iter().find(|it| *it != of_a).unwrap();
    for journal in [of_a, of_b] {
        rewrite(journal, |fields| {
            if fields[0] == "I" {
                fields[2] = "1700000000".to_owned();
            }
        });
    }
    fs::remove_dir(file(&home)).unwrap();
    for path in tree::new_files(&home.maildir("a")) {
        fs::remove_file(path).unwrap();
    }
    let output = run(&home, &["fetch", "--now"], 0);
    assert_said(&output, &["removed from the Maildir before"]);
    assert_eq!(messages(&home), stored(&letters));
    rewrite(of_b, |fields| {
        if matches!(fields[0].as_str(), "g" | "d") {
            *fields = vec!["N".to_owned(), "0".to_owned()];
        }
    });
    let output = run(&home, &["fetch", "--now", "b"], 0);
    assert_eq!(messages(&home), stored(&letters), "{output:#?}");
}

#[test]
fn what_is_wrong_in_the_config_file_is_shown() {
    for (keys, words) in [
        (
            "deliver = { mbox = \"~/in\", command = [\"a\"] }",
            "more than one",
        ),
        (
            "deliver = { mbox = \"~/in\", deadline = \"1 s\" }",
            "for a `command` or `lmtp` alone",
        ),
        ("deliver = { mbox = \"\" }", "the path is empty"),
        ("deliver = { mbox = \"~/{usr}\" }", "`{usr}`"),
    ] {
        let (server, home) = serving(mail(1), Behaviour::new(), keys);
        assert_said(&run(&home, &[], 78), &[words]);
        write_config(&server, &home, KEYS);
    }
}

#[test]
fn what_was_handed_on_is_not_handed_on_again_where_only_the_maildir_beside_it_is_lost_or_restored()
{
    for is_restored in [true, false] {
        let keys = "maildir = \"~/Mail/a\"\ndeliver = { mbox = \"~/mail/in\" }";
        let (server, home) = serving(mail(1), Behaviour::new(), keys);
        write_config(&server, &home, keys);
        run(&home, &["fetch", "a"], 0);
        let (maildir, copy) = (home.maildir("a"), home.path().join("copy"));
        let copied = Command::new("cp")
            .arg("-a")
            .arg(&maildir)
            .arg(&copy)
            .status();
        assert!(copied.unwrap().success());
        server.maildrop().replace(mail(4));
        run(&home, &["fetch", "a"], 0);
        assert_eq!(messages(&home), stored(&mail(4)));
        fs::rename(&maildir, home.path().join("lost")).unwrap();
        if is_restored {
            fs::rename(&copy, &maildir).unwrap();
        } else {
            run(&home, &["state", "accept", "a", "--fetch-again"], 0);
        }
        for _ in 0..2 {
            run(&home, &["fetch", "a"], 0);
        }
        tree::assert_holds(&maildir, &mail(4));
        assert_eq!(messages(&home), stored(&mail(4)), "{is_restored}");
    }
}

/// What is stored beside the file, from before anything but the first message came.
fn restored_beside(
    before: Vec<Message>,
    then: Vec<Message>,
    behaviour: &Behaviour,
) -> (Server, Home) {
    let keys = "maildir = \"~/Mail/a\"\ndeliver = { mbox = \"~/mail/in\" }";
    let (server, home) = serving(before, behaviour.clone(), keys);
    write_config(&server, &home, keys);
    run(&home, &["fetch", "a"], 0);
    let copy = home.path().join("copy");
    restored::copy(&home.maildir("a"), &copy);
    server.maildrop().replace(then);
    run(&home, &["fetch", "a"], 0);
    restored::restore(&copy, &home.maildir("a"));
    (server, home)
}

/// The same mail on another server: by other names, and by one hop more.
fn moved(messages: &[Message]) -> Vec<Message> {
    let hop = "Received: from old.example.org by new.example.org with LMTP id 7;\r\n\tTue, 24 Nov 2026 10:00:09 +0000\r\n";
    let moved = messages.iter().enumerate();
    let moved = moved.map(|(at, it)| {
        Message::new(
            format!("moved-{at}"),
            [hop.as_bytes(), &it.octets()].concat(),
        )
    });
    moved.collect()
}

#[test]
fn what_was_handed_on_is_not_handed_on_again_by_whatever_name_it_is_fetched_again() {
    let renamed = |messages: Vec<Message>| -> Vec<Message> {
        let messages = messages.into_iter().enumerate();
        messages
            .map(|(at, it)| Message::new(format!("new-{at}"), it.octets()))
            .collect()
    };
    let nameless = || Behaviour::new().without("UIDL");
    for (what, behaviour, now) in [
        ("no unique-ids", nameless(), mail(4)),
        ("other unique-ids", Behaviour::new(), renamed(mail(4))),
        ("another server", Behaviour::new(), moved(&mail(4))),
    ] {
        let (server, home) = restored_beside(mail(1), mail(4), &behaviour);
        server.maildrop().replace(now);
        for _ in 0..3 {
            run(&home, &["fetch", "a"], 0);
        }
        assert_eq!(messages(&home), stored(&mail(4)), "{what}");
        assert_eq!(tree::count(&home.maildir("a")), 4, "{what}");
        // What is new is handed on all the same.
        let mut more = mail(5);
        let new = more.split_off(4);
        let listed = server.maildrop().messages();
        server.maildrop().replace(listed.into_iter().chain(new));
        run(&home, &["fetch", "a"], 0);
        assert_eq!(messages(&home), stored(&mail(5)), "{what}");
    }
}

#[test]
fn of_several_messages_under_one_unique_id_each_is_handed_on_once_where_the_maildir_is_restored() {
    let same = |n: usize| Message::new("same", mail(n)[n - 1].octets());
    for (what, all) in [
        ("others", [same(2), same(3)]),
        ("copies", [same(2), same(2)]),
    ] {
        let then = mail(1).into_iter().chain(all.clone());
        let (server, home) = restored_beside(mail(1), then.collect(), &Behaviour::new());
        let expected = messages(&home);
        assert_eq!(expected.len(), 3, "{what}");
        // The run ends between the two.
        server.behave(Behaviour::new().on("RETR 3", Reply::End(Ending::Close)));
        home.popfetch(["fetch", "a"]).run();
        server.behave(Behaviour::new());
        for _ in 0..2 {
            run(&home, &["fetch", "--now", "a"], 0);
        }
        assert_eq!(messages(&home), expected, "{what}");
        assert_eq!(tree::count(&home.maildir("a")), 3, "{what}");
    }
}

#[test]
fn what_is_in_the_file_is_not_appended_again_whatever_line_of_the_journal_is_damaged_or_lost() {
    let keys = "deliver = { mbox = \"~/mail/in\" }";
    let (server, home) = serving(mail(1), Behaviour::new(), keys);
    run(&home, &[], 0);
    server.maildrop().add([letter(2)]);
    run(&home, &[], 0);
    let (journal, file) = (journal(&home), file(&home));
    let [whole, appended] = [&journal, &file].map(|it| fs::read_to_string(it).unwrap());
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for damaged in 1..lines.len() - 1 {
        let mut flipped = lines.concat().into_bytes();
        let before: usize = lines[..damaged].iter().map(|line| line.len()).sum();
        flipped[before + lines[damaged].len() / 2] ^= 4;
        let without = [&lines[..damaged], &lines[damaged + 1..]].concat().concat();
        for bad in [flipped, without.into_bytes()] {
            fs::write(&journal, bad).unwrap();
            fs::write(&file, &appended).unwrap();
            let output = run(&home, &[], 0);
            let word =
                "made again from its good lines: what only the others told of is fetched again";
            assert_said(&output, &[word]);
            run(&home, &[], 0);
            let line = lines[damaged];
            assert_eq!(messages(&home), stored(&mail(2)), "{line}: {output:#?}");
        }
    }
}

/// What is lost is not here again for another message that has come under its name.
#[test]
fn what_was_handed_on_is_not_appended_again_where_another_message_took_its_name_before_it_was_back()
{
    for (renamed, other) in [(false, 30), (true, 30), (true, 2)] {
        let (server, home) = serving(mail(1), Behaviour::new(), "");
        let keys = "deliver = { mbox = \"~/mail/in\" }\n";
        home.one_account(&server.account(), keys);
        let (maildir, backup) = (home.maildir("a"), home.path().join("backup"));
        run(&home, &[], 0);
        restored::copy(&maildir, &backup);
        server.maildrop().add([letter(2)]);
        run(&home, &[], 0);
        restored::restore(&backup, &maildir);
        let taken_over = Message::new("uid-2", letter(other).octets());
        let taken_over = match other {
            2 => Message::from_lf("uid-2", "Message-ID: <else>\nSubject: else\n\nelse\n"),
            _ => taken_over,
        };
        server.maildrop().replace([letter(1), taken_over.clone()]);
        run(&home, &["fetch", "--now"], 0);
        let name = if renamed { "uid-9" } else { "uid-2" };
        let back = Message::new(name, letter(2).octets());
        server.maildrop().add([back.clone()]);
        for _ in 0..2 {
            run(&home, &["fetch", "--now"], 0);
        }
        let all = [letter(1), letter(2), taken_over];
        assert_eq!(messages(&home), stored(&all), "{renamed}, {other}");
        tree::assert_holds(&maildir, &all);
    }
}
