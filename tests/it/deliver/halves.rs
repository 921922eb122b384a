//! A kill in the midst of appending: what it has left of a message is no part of what follows, whoever
//! comes first and wherever the message's own file is by then.

use super::mbox::{file, messages};
use super::older::{copy, sorted, two, wanted};
use super::serving;
use crate::given::{compact, journal, letter, mail, run};
use crate::support::behaviour::Behaviour;
use crate::support::journal::rewrite;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

const KEYS: &str = "deliver = { mbox = \"~/mail/in\" }";

/// Account "a", which was killed while its second message was being appended, and "b" with one of its own.
struct Killed {
    /// The servers of both.
    servers: (Server, Server),
    home: Home,
    /// What is in the file once the second message is.
    whole: Vec<u8>,
    /// Where that begins.
    at: usize,
    /// Where the second message waits.
    waiting: PathBuf,
}

impl Killed {
    fn new() -> Self {
        let (a, b, home) = two(KEYS, &mail(2), &[letter(7)]);
        run(&home, &["fetch", "a"], 0);
        let whole = fs::read(file(&home)).unwrap();
        let second = whole.windows(7).rposition(|it| it == b"\n\nFrom ");
        // As it was before what came of the second message was written down.
        let path = journal(&home);
        let text = fs::read_to_string(&path).unwrap();
        let last = text.lines().rfind(|it| it.starts_with("g\t")).unwrap();
        let end = text.find(last).unwrap() + last.len() + 1;
        fs::write(&path, &text[..end]).unwrap();
        let name = text.lines().rfind(|it| it.starts_with("I\t")).unwrap();
        let name = name.split('\t').nth(9).unwrap();
        let mut spools = fs::read_dir(home.state().join("spool")).unwrap();
        let waiting = spools
            .next()
            .unwrap()
            .unwrap()
            .path()
            .join("new")
            .join(name);
        fs::write(&waiting, letter(2).stored()).unwrap();
        copy(&home.state(), &home.path().join("backup"));
        Self {
            servers: (a, b),
            waiting,
            home,
            whole,
            at: second.unwrap() + 2,
        }
    }

    /// So many octets of the message are in the file.
    fn cut(&self, octets: usize) {
        fs::remove_dir_all(self.home.state()).unwrap();
        copy(&self.home.path().join("backup"), &self.home.state());
        fs::write(file(&self.home), &self.whole[..self.at + octets]).unwrap();
    }

    /// All of it but the last one.
    fn most(&self) -> usize {
        self.whole.len() - self.at - 1
    }

    fn assert_has(&self, letters: &[Message], what: &str) {
        assert_eq!(sorted(&self.home), wanted(letters), "{what}");
    }
}

#[test]
fn what_a_kill_has_left_of_one_accounts_message_is_cut_off_before_another_appends() {
    let killed = Killed::new();
    for octets in [1, 20, killed.most()] {
        killed.cut(octets);
        run(&killed.home, &["fetch", "b"], 0);
        let found = messages(&killed.home);
        assert_eq!(found, [letter(1).stored(), letter(7).stored()], "{octets}");
        run(&killed.home, &["fetch", "a"], 0);
        let all = [letter(1), letter(2), letter(7)];
        killed.assert_has(&all, &format!("{octets}"));
    }
}

/// What becomes of the message's own file.
type Spoil = fn(&Killed);

/// Its file is gone, or damaged: what the state says of it is enough.
#[test]
fn half_a_message_is_cut_off_whatever_has_become_of_its_file() {
    let killed = Killed::new();
    let ways: [(&str, Spoil); 4] = [
        ("gone", |it| fs::remove_file(&it.waiting).unwrap()),
        ("empty", |it| fs::write(&it.waiting, "").unwrap()),
        ("a fifo", |it| {
            fs::remove_file(&it.waiting).unwrap();
            mknodat(CWD, &it.waiting, FileType::Fifo, Mode::RUSR, 0).unwrap();
        }),
        ("a link", |it| {
            let elsewhere = it.home.path().join("elsewhere");
            fs::write(&elsewhere, letter(3).stored()).unwrap();
            fs::remove_file(&it.waiting).unwrap();
            symlink(&elsewhere, &it.waiting).unwrap();
        }),
    ];
    for (way, spoil) in ways {
        for octets in [3, 20, 60, killed.most() - 1] {
            for first in ["a", "b"] {
                let what = format!("{way}, {octets} octets, {first} first");
                killed.cut(octets);
                spoil(&killed);
                killed.home.popfetch(["fetch", first]).run();
                let other = if first == "a" { "b" } else { "a" };
                killed.home.popfetch(["fetch", other]).run();
                killed.home.popfetch(["fetch"]).run();
                let is_strange = ["a fifo", "a link"].contains(&way);
                let found = sorted(&killed.home);
                match is_strange && !found.contains(&letter(2).stored()) {
                    // It waits for somebody to see to that.
                    true => assert_eq!(found, wanted(&[letter(1), letter(7)]), "{what}"),
                    false => killed.assert_has(&[letter(1), letter(2), letter(7)], &what),
                }
            }
        }
    }
}

#[test]
fn a_message_that_is_whole_stays_although_its_file_is_gone() {
    let killed = Killed::new();
    for first in ["a", "b"] {
        killed.cut(killed.whole.len() - killed.at);
        fs::remove_file(&killed.waiting).unwrap();
        killed.home.popfetch(["fetch", first]).run();
        killed.home.popfetch(["fetch"]).run();
        killed.home.popfetch(["fetch"]).run();
        killed.assert_has(&[letter(1), letter(2), letter(7)], first);
    }
}

/// What somebody else has appended behind it is not cut off with it.
#[test]
fn what_has_other_mail_behind_it_is_left_alone() {
    let killed = Killed::new();
    killed.cut(60);
    fs::remove_file(&killed.waiting).unwrap();
    let mut text = fs::read(file(&killed.home)).unwrap();
    text.extend(b"\n\nFrom cron Mon Nov 23 10:00:00 2026\nSubject: x\n\nx\n\n");
    fs::write(file(&killed.home), &text).unwrap();
    run(&killed.home, &["fetch", "b"], 0);
    assert!(fs::read(file(&killed.home)).unwrap().starts_with(&text));
}

/// It is fetched once more while nothing can be appended, and the journal is written afresh.
#[test]
fn half_a_message_is_cut_off_after_it_was_fetched_again_and_the_journal_compacted() {
    let killed = Killed::new();
    killed.cut(60);
    fs::remove_file(&killed.waiting).unwrap();
    let (mail, away) = (
        killed.home.path().join("mail"),
        killed.home.path().join("away"),
    );
    fs::rename(&mail, &away).unwrap();
    fs::write(&mail, "no directory").unwrap();
    // Its line in the file tells the second that it was fetched in.
    thread::sleep(Duration::from_secs(1));
    killed.home.popfetch(["fetch", "a"]).run();
    fs::remove_file(&mail).unwrap();
    fs::rename(&away, &mail).unwrap();
    compact(&killed.servers.0, &killed.home);
    run(&killed.home, &["fetch", "a"], 0);
    killed.assert_has(&[letter(1), letter(2)], "a");
}

/// A reader has put another sender into the lines before the messages, as some do.
#[test]
fn a_message_that_a_kill_left_whole_is_found_in_a_file_that_was_rewritten_since() {
    let killed = Killed::new();
    killed.cut(killed.whole.len() - killed.at);
    let text = fs::read_to_string(file(&killed.home)).unwrap();
    let text = text.replace("From MAILER-DAEMON ", "From ada@example.com ");
    fs::write(file(&killed.home), text).unwrap();
    run(&killed.home, &["fetch", "a"], 0);
    killed.assert_has(&mail(2), "a");
}

const CRON: &str = "From cron Mon Nov 23 10:00:00 2026\nSubject: x\n\nx\n\n";

/// Account "a" with two messages of the same octets, which are appended within one second: their lines before
/// them are the same.
struct Alike {
    _server: Server,
    home: Home,
    letters: Vec<Message>,
    /// What is in the file once both are.
    whole: Vec<u8>,
}

impl Alike {
    /// It was killed before what came of the second one was written down.
    fn new() -> Self {
        let other = Message {
            unique_id: b"uid-9".to_vec(),
            ..letter(1)
        };
        let letters = vec![letter(1), other];
        let (server, home) = serving(letters.clone(), Behaviour::new(), KEYS);
        run(&home, &["fetch"], 0);
        let whole = fs::read(file(&home)).unwrap();
        let path = journal(&home);
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let last = lines.iter().rposition(|it| it.starts_with("g\t")).unwrap();
        fs::write(&path, lines[..=last].concat()).unwrap();
        let id = lines[last].split('\t').nth(1).unwrap();
        let stored = lines.iter().filter(|it| it.starts_with("I\t"));
        let name = stored.map(|it| it.split('\t').collect::<Vec<_>>());
        let name = name.into_iter().find(|it| it[1] == id).unwrap()[9];
        let spool = fs::read_dir(home.state().join("spool")).unwrap().next();
        let waiting = spool.unwrap().unwrap().path().join("new").join(name);
        fs::write(waiting, letter(1).stored()).unwrap();
        Self {
            _server: server,
            home,
            letters,
            whole,
        }
    }

    /// This is in the file when it runs again, and the messages, once each, and so many others then.
    fn assert_both(&self, there: &[u8], others: usize) {
        fs::write(file(&self.home), there).unwrap();
        run(&self.home, &["fetch"], 0);
        let mut found = sorted(&self.home);
        found.retain(|it| *it == letter(1).stored());
        assert_eq!(found, wanted(&self.letters));
        assert_eq!(messages(&self.home).len(), 2 + others);
    }
}

#[test]
fn one_with_the_same_octets_in_a_file_that_was_changed_since_is_not_taken_for_it() {
    let alike = Alike::new();
    let first = &alike.whole[..alike.whole.len() / 2];
    alike.assert_both(&[first, CRON.as_bytes()].concat(), 1);
}

#[test]
fn one_that_a_kill_left_whole_is_found_beside_one_with_the_same_octets() {
    for before in ["", CRON] {
        let alike = Alike::new();
        let there = [before.as_bytes(), &alike.whole, CRON.as_bytes()].concat();
        alike.assert_both(&there, 1 + usize::from(!before.is_empty()));
    }
}

/// Where it was to be appended one with the same octets has been since, as its own file was away.
#[test]
fn one_with_the_same_octets_in_its_place_is_not_taken_for_it() {
    let alike = Alike::new();
    let path = journal(&alike.home);
    let mut turn = 0;
    let ids = fs::read_to_string(&path).unwrap();
    let last = ids.lines().next_back().unwrap().split('\t').nth(1).unwrap();
    rewrite(&path, |fields| {
        if fields[0] == "g" {
            // Before the first one was, which is noted behind it.
            last.clone_into(&mut fields[1]);
            turn += 1;
            if turn == 2 {
                *fields = ["T", &fields[2]].map(str::to_owned).to_vec();
            }
        }
    });
    assert_eq!(turn, 2);
    alike.assert_both(&alike.whole[..alike.whole.len() / 2], 0);
}
