//! Other programs are at work in the Maildir meanwhile, and machines sleep.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::account::Security;
use crate::support::maildrop::Maildrop;
use crate::support::message::generate;
use crate::support::process::{PATIENCE, within};
use crate::support::run::Home;
use crate::support::server::{CommandSeen, Server};
use crate::support::tree;

const MESSAGES: usize = 40;

/// A server that does this at each command, before it answers, to the Maildir of the account.
fn scene(keys: &str, hook: impl Fn(&Path, &str) + Send + Sync + 'static) -> (Server, Home) {
    let home = Home::new();
    let maildir = home.maildir("a");
    let maildrop = Maildrop::new(generate(MESSAGES, 600));
    let server = Server::builder(&maildrop)
        .security(Security::Plain)
        .on_command(move |seen: &CommandSeen| hook(&maildir, &seen.line))
        .start();
    home.one_account(&server.account(), keys);
    (server, home)
}

/// A mail reader shows what is new, and marks it as seen.
fn see_all(maildir: &Path) {
    for path in tree::new_files(maildir) {
        let name = path.file_name().unwrap().to_str().unwrap();
        fs::rename(&path, maildir.join("cur").join(format!("{name}:2,S"))).unwrap();
    }
}

#[test]
fn d33_a_mail_reader_that_moves_what_is_new_at_once_changes_nothing() {
    for keys in [
        "keep = \"never\"\n",
        "keep = \"never\"\npipelining = \"off\"\n",
    ] {
        let (server, home) = scene(keys, |maildir, line| {
            if line.starts_with("RETR") || line.starts_with("DELE") {
                see_all(maildir);
            }
        });
        home.popfetch(["fetch"]).expect(0);
        tree::assert_holds(&home.maildir("a"), &generate(MESSAGES, 600));
        assert_eq!(server.maildrop().count(), 0);
        home.popfetch(["fetch"]).expect(0);
        tree::assert_holds(&home.maildir("a"), &generate(MESSAGES, 600));
    }
}

#[test]
fn d33_a_person_who_deletes_mail_while_more_arrives_does_not_get_it_back() {
    let (server, home) = scene("pipelining = \"off\"\n", |maildir, line| {
        if line == "RETR 30" {
            // The disk's side may be slower than the network's.
            let some = || Some(tree::new_files(maildir)).filter(|files| !files.is_empty());
            let files = within(PATIENCE, some).expect("nothing is delivered");
            files.iter().for_each(|file| fs::remove_file(file).unwrap());
        }
    });
    home.popfetch(["fetch"]).expect(0);
    let left = tree::count(&home.maildir("a"));
    assert!((1..MESSAGES).contains(&left), "{left}");
    home.popfetch(["fetch"]).expect(0);
    assert_eq!(tree::count(&home.maildir("a")), left);
    assert_eq!(server.last_session().count("RETR"), 0);
}

fn aside(maildir: &Path) -> PathBuf {
    maildir.with_file_name("moved")
}

#[test]
fn d33_a_maildir_that_is_moved_away_meanwhile_takes_the_mail_with_it() {
    let keys = "keep = \"never\"\npipelining = \"off\"\n";
    let (server, home) = scene(keys, |maildir, line| {
        if line == "RETR 20" {
            fs::rename(maildir, aside(maildir)).unwrap();
        }
    });
    let output = home.popfetch(["fetch"]).run();
    let moved = aside(&home.maildir("a"));
    let here = tree::read(&moved);
    let left = server.maildrop().unique_ids();
    for message in generate(MESSAGES, 600) {
        let id = String::from_utf8(message.unique_id.clone()).unwrap();
        let octets = message.stored();
        let stored = here
            .iter()
            .any(|file| file.subdirectory == "new" && file.octets == octets);
        assert!(stored || left.contains(&id), "{id} is lost: {output:#?}");
    }
    assert!(
        !home.maildir("a").exists(),
        "it was made again: {output:#?}"
    );
    // Back in its place it is gone on with.
    fs::rename(&moved, home.maildir("a")).unwrap();
    home.popfetch(["fetch"]).expect(0);
    tree::assert_holds(&home.maildir("a"), &generate(MESSAGES, 600));
}

#[test]
fn d35_a_run_that_sleeps_beyond_its_timeout_ends_and_loses_nothing() {
    let (arrive, arrived) = channel();
    let (release, released): (Sender<()>, Receiver<()>) = channel();
    let gate = Mutex::new((arrive, released));
    let keys = "keep = \"never\"\npipelining = \"off\"\ntimeout = \"2s\"\n";
    let (server, home) = scene(keys, move |_, line| {
        if line == "RETR 20" {
            let (arrive, released) = &*gate.lock().unwrap();
            // In the second run nobody waits for it.
            if arrive.send(()).is_ok() {
                let _over = released.recv();
            }
        }
    });
    let mut running = home.popfetch(["fetch"]).start();
    arrived.recv_timeout(PATIENCE).unwrap();
    drop(arrived);
    running.signal(Signal::STOP);
    // The time that it is asleep is what is tried.
    thread::sleep(Duration::from_millis(2_500));
    running.signal(Signal::CONT);
    let output = running.wait();
    release.send(()).unwrap();
    assert_eq!(output.status, Some(75), "{output:#?}");
    tree::assert_tmp_is_empty(&home.maildir("a"));
    let stored = tree::count(&home.maildir("a"));
    server.sessions();
    home.popfetch(["fetch"]).expect(0);
    tree::assert_holds(&home.maildir("a"), &generate(MESSAGES, 600));
    assert_eq!(server.last_session().count("RETR"), MESSAGES - stored);
    assert_eq!(server.maildrop().count(), 0);
}
