//! What was tried once without a clear answer is looked for before it is tried again, or named where nobody
//! can look: whatever has become meanwhile of its file, its Maildir, or the state.

use super::folder::{TO_GMAIL, config, scene, stored};
use super::lost_answers::{ages, answer_lost, killed};
use super::mbox::{file, messages};
use super::{TAKE, by_shell, serving, spool, taken, write_config};
use crate::given::{assert_said, compact, journal, journals, letter, mail, run};
use crate::support::behaviour::Behaviour;
use crate::support::depot::Depot;
use crate::support::message::Message;
use crate::support::process::{PATIENCE, within};
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

const MAILDIR: &str = "keep = \"never\"\nmaildir = \"~/Mail\"\n";

const SPOOL: &str = "keep = \"never\"\n";

/// The account "a" with these keys hands on to "gmail", which may take its time.
fn patient(server: &Server, home: &Home, depot: &Depot, keys: &str) {
    let keys = format!("{TO_GMAIL}{keys}");
    config(
        server,
        home,
        &depot.account(),
        &keys,
        "timeout = \"60 s\"\n",
    );
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.join("new")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// What becomes of the files that wait.
type Spoil = fn(&Home);

fn remove(home: &Home) {
    files(&spool(home))
        .iter()
        .for_each(|path| fs::remove_file(path).unwrap());
}

fn empty(home: &Home) {
    files(&spool(home))
        .iter()
        .for_each(|path| fs::write(path, "").unwrap());
}

fn change(home: &Home) {
    for path in files(&spool(home)) {
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("letter", "LETTER")).unwrap();
    }
}

/// A Maildir that is not mounted just now.
fn away(home: &Home) {
    fs::rename(home.path().join("Mail"), home.path().join("away")).unwrap();
}

fn back(home: &Home) {
    fs::rename(home.path().join("away"), home.path().join("Mail")).unwrap();
}

#[test]
fn d40_what_was_being_appended_is_looked_for_when_its_maildir_is_back_although_others_were_tried_since()
 {
    for compacts in [false, true] {
        let (server, home, depot) = scene(mail(1), MAILDIR);
        patient(&server, &home, &depot, MAILDIR);
        killed(&home, &depot, 1);
        away(&home);
        patient(&server, &home, &depot, SPOOL);
        server.maildrop().replace(mail(2));
        let output = run(&home, &["fetch", "--now", "a"], 1);
        assert_said(&output, &["waits to be handed on", "1 handed on"]);
        // And one more, of which nobody knows either what came of it.
        server.maildrop().add([letter(3)]);
        killed(&home, &depot, 3);
        if compacts {
            compact(&server, &home);
        }
        back(&home);
        patient(&server, &home, &depot, MAILDIR);
        let output = run(&home, &["fetch", "--now", "a"], 0);
        assert_said(&output, &["uid-1: ", "uid-3: ", "since an earlier try"]);
        assert_eq!(depot.octets(), stored(&mail(3)), "{compacts}");
        assert_eq!(server.maildrop().count(), 0, "{compacts}");
    }
}

#[test]
fn d40_what_is_fetched_again_as_its_file_was_lost_after_the_answer_was_is_looked_for() {
    let spoils: [(&str, Spoil); 3] = [("removed", remove), ("emptied", empty), ("changed", change)];
    for (what, spoil) in spoils {
        for (is_killed, compacts) in [(false, false), (false, true), (true, false), (true, true)] {
            let what = format!("{what}, killed: {is_killed}, compacted: {compacts}");
            let (server, home, depot) = scene(mail(2), SPOOL);
            if is_killed {
                patient(&server, &home, &depot, SPOOL);
                killed(&home, &depot, 1);
            } else {
                answer_lost(&home, &depot);
            }
            spoil(&home);
            if compacts {
                compact(&server, &home);
            }
            let output = run(&home, &["fetch", "--now", "a"], 0);
            assert_said(&output, &["fetched again", "since an earlier try"]);
            run(&home, &["fetch", "--now", "a"], 0);
            assert_eq!(depot.octets(), stored(&mail(2)), "{what}: {output:#?}");
            assert_eq!(server.maildrop().count(), 0, "{what}");
        }
    }
}

/// It comes in a later run than the one that finds out that it is lost.
#[test]
fn what_is_fetched_again_later_is_looked_for_as_well() {
    let (server, home, depot) = scene(mail(1), SPOOL);
    answer_lost(&home, &depot);
    remove(&home);
    server.maildrop().replace([]);
    run(&home, &["fetch", "--now", "a"], 1);
    compact(&server, &home);
    server.maildrop().replace(mail(1));
    run(&home, &["fetch", "--now", "a"], 0);
    assert_eq!(depot.octets(), stored(&mail(1)));
}

#[test]
fn what_is_fetched_again_under_another_unique_id_is_looked_for_as_well() {
    let (server, home, depot) = scene(mail(1), SPOOL);
    answer_lost(&home, &depot);
    remove(&home);
    server.maildrop().replace([Message {
        unique_id: b"new".to_vec(),
        ..letter(1)
    }]);
    home.popfetch(["fetch", "--now", "a"]).run();
    assert_eq!(depot.octets(), stored(&mail(1)));
    assert_eq!(server.maildrop().count(), 0);
}

/// Mail that a machine sends each day: the same text, and no Message-ID.
#[test]
fn d40_another_message_like_it_does_not_take_the_place_of_one_that_was_tried() {
    for compacts in [false, true] {
        let daily = |name: &str, day: u32| {
            let date = format!("Date: {day} Nov 2026 04:00:00 +0000");
            let text = format!("From: cron@example.org\n{date}\nSubject: backup\n\ndone\n");
            Message::from_lf(name, text)
        };
        let keys = format!("{SPOOL}order = \"newest-first\"\n");
        let (server, home, depot) = scene(vec![daily("first", 23)], &keys);
        answer_lost(&home, &depot);
        remove(&home);
        server.maildrop().replace([]);
        run(&home, &["fetch", "--now", "a"], 1);
        if compacts {
            compact(&server, &home);
        }
        let both = vec![daily("first", 23), daily("second", 24)];
        server.maildrop().replace(both.clone());
        home.popfetch(["fetch", "--now", "a"]).run();
        ages(&home, 200);
        run(&home, &["fetch", "--now", "a"], 0);
        assert_eq!(depot.octets(), stored(&both), "{compacts}");
    }
}

#[test]
fn what_is_fetched_again_as_its_owner_wants_it_forgotten_is_looked_for() {
    let (server, home, depot) = scene(mail(1), MAILDIR);
    answer_lost(&home, &depot);
    run(&home, &["state", "forget", "a", "uid-1"], 0);
    run(&home, &["fetch", "--now", "a"], 0);
    assert_eq!(depot.octets(), stored(&mail(1)));
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn d40_what_still_waits_when_the_state_is_lost_is_looked_for_and_named_where_it_may_be_there() {
    for is_killed in [false, true] {
        let (server, home, depot) = scene(mail(3), SPOOL);
        if is_killed {
            patient(&server, &home, &depot, SPOOL);
            killed(&home, &depot, 1);
        } else {
            answer_lost(&home, &depot);
        }
        for path in journals(&home) {
            fs::remove_file(path).unwrap();
        }
        let output = run(&home, &["fetch", "--now", "a"], 0);
        assert_eq!(
            output.stderr.matches("may be there twice").count(),
            1,
            "{output:#?}"
        );
        let twice = [mail(3), mail(1)].concat();
        assert_eq!(depot.octets(), stored(&twice), "{is_killed}");
    }
}

/// Nothing in it tells two copies apart, so that it is not found by itself in a file.
fn plain(number: usize) -> Message {
    let text = format!("Subject: {number}\n\nText {number}.\n");
    Message::from_lf(format!("uid-{number}"), text)
}

const TO_MBOX: &str = "deliver = { mbox = \"~/mail/in\" }\n";

/// As it was before what came of the last message was written down.
fn forget_what_came_of_it(home: &Home) {
    let path = journal(home);
    let text = fs::read_to_string(&path).unwrap();
    let last = text.lines().rfind(|it| it.starts_with("g\t")).unwrap();
    let end = text.find(last).unwrap() + last.len() + 1;
    fs::write(&path, &text[..end]).unwrap();
}

#[test]
fn an_mbox_file_has_a_message_once_that_is_fetched_again_after_a_kill() {
    for octets in [None, Some(30), Some(0)] {
        let (_server, home) = serving(vec![plain(1), plain(2)], Behaviour::new(), TO_MBOX);
        run(&home, &["fetch", "a"], 0);
        let whole = fs::read(file(&home)).unwrap();
        forget_what_came_of_it(&home);
        // Its file in the spool is gone, as it has been taken.
        if let Some(octets) = octets {
            let begin = whole.windows(7).rposition(|it| it == b"\n\nFrom ").unwrap() + 2;
            fs::write(file(&home), &whole[..begin + octets]).unwrap();
        }
        // So that it is fetched at another time, which stands before it.
        thread::sleep(Duration::from_millis(1100));
        for _ in 0..2 {
            run(&home, &["fetch", "a"], 0);
            let found = messages(&home);
            let wanted = [plain(1).stored(), plain(2).stored()];
            assert_eq!(found, wanted, "{octets:?}");
        }
    }
}

#[test]
fn an_mbox_file_has_a_message_once_whose_maildir_was_away_after_a_kill() {
    for octets in [None, Some(30), Some(0)] {
        let maildir = format!("{TO_MBOX}maildir = \"~/Mail\"\n");
        let (server, home) = serving(vec![plain(1)], Behaviour::new(), &maildir);
        run(&home, &["fetch", "a"], 0);
        forget_what_came_of_it(&home);
        if let Some(octets) = octets {
            let whole = fs::read(file(&home)).unwrap();
            fs::write(file(&home), &whole[..octets]).unwrap();
        }
        away(&home);
        write_config(&server, &home, TO_MBOX);
        server.maildrop().add([plain(2)]);
        run(&home, &["fetch", "a"], 1);
        back(&home);
        write_config(&server, &home, &maildir);
        for _ in 0..2 {
            run(&home, &["fetch", "a"], 0);
            let mut found = messages(&home);
            found.sort_unstable();
            let wanted = [plain(1).stored(), plain(2).stored()];
            assert_eq!(found, wanted, "{octets:?}");
        }
    }
}

/// Killed once a program has taken the first message, and before it has ended.
fn killed_with_a_program(keys: &str) -> (Server, Home, String) {
    let script = format!("{TAKE}; while ! test -e go; do sleep 0.05; done");
    let deliver = by_shell(&script);
    let (server, home) = serving(mail(1), Behaviour::new(), &format!("{keys}\n{deliver}"));
    let mut running = home.popfetch(["fetch", "a"]).start();
    let has_taken = || home.path().join("taken").read_dir().unwrap().next();
    assert!(within(PATIENCE, has_taken).is_some());
    running.signal(Signal::KILL);
    running.wait();
    fs::write(home.path().join("go"), "").unwrap();
    (server, home, deliver)
}

fn assert_named(output: &Output) {
    assert_said(output, &["uid-1", "perhaps for the second time"]);
}

#[test]
fn d40_what_a_program_may_have_had_is_named_whatever_has_become_of_its_file() {
    let (_server, home, _) = killed_with_a_program(SPOOL);
    remove(&home);
    assert_named(&run(&home, &["fetch", "a"], 0));
    let (server, home, deliver) = killed_with_a_program(MAILDIR);
    away(&home);
    write_config(&server, &home, &format!("{SPOOL}{deliver}"));
    server.maildrop().replace(mail(2));
    run(&home, &["fetch", "a"], 1);
    assert_eq!(taken(&home).len(), 2);
    back(&home);
    assert_named(&run(&home, &["fetch", "a"], 0));
}
