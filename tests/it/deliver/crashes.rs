//! popfetch is killed while it hands on: nothing is lost, and one message at most is handed on twice.

use super::{TAKE, assert_taken_once, by_shell, mbox, taken, write_config};
use crate::given::run;
use crate::support::account::Security;
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, generate};
use crate::support::process::{PATIENCE, within};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tracer;
use memchr::memmem;
use rustix::process::Signal;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

const MESSAGES: usize = 10;

/// Of the calls of a run, so many are tried where not all are asked for.
const FEW: usize = 16;

fn scene(messages: &[Message], keys: &str) -> (Server, Home) {
    let server = Server::builder(&Maildrop::new(messages.to_vec()));
    let server = server.security(Security::Plain).start();
    let home = Home::new();
    write_config(&server, &home, keys);
    fs::create_dir(home.path().join("taken")).unwrap();
    (server, home)
}

/// Waits until no program runs any more in this home.
fn wait_for_programs(home: &Home) {
    let ours = format!("HOME={}\0", home.path().display());
    let runs_here = || {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let mut environments = processes.flat_map(|it| fs::read(it.path().join("environ")));
        environments.any(|it| memmem::find(&it, ours.as_bytes()).is_some())
    };
    let are_gone = within(PATIENCE, || (!runs_here()).then_some(()));
    are_gone.expect("a program does not end");
}

/// A good run does what is left: each message was taken, one of them twice at most, and that one is
/// named. Gives how many were taken twice.
fn finish(home: &Home, server: &Server, messages: &[Message], what: &str) -> usize {
    wait_for_programs(home);
    server.sessions();
    let good = home.popfetch(["fetch"]).run();
    assert_eq!(good.status, Some(0), "{what}: {good:#?}");
    let taken = taken(home);
    let mut twice = 0;
    for message in messages {
        let name = String::from_utf8(message.unique_id.clone()).unwrap();
        let copies = taken.get(&name).map_or(0, Vec::len);
        assert!((1..=2).contains(&copies), "{what}: {name} {copies} times");
        for copy in &taken[&name] {
            assert_eq!(*copy, message.stored(), "{what}: {name}");
        }
        if copies == 2 {
            twice += 1;
            let named = good
                .stderr
                .lines()
                .find(|line| line.contains("perhaps for the second time"));
            assert!(
                named.is_some_and(|line| line.contains(&name)),
                "{what}: {good:#?}"
            );
        }
    }
    assert!(twice <= 1, "{what}: {twice} were taken twice");
    assert_eq!(server.maildrop().count(), 0, "{what}");
    let again = run(home, &["fetch"], 0);
    assert!(again.stderr.contains("nothing new"), "{what}: {again:#?}");
    twice
}

/// Gives whether a message was taken twice, and to how many calls the run came.
fn kill_at(number: usize, keys: &str) -> Option<(usize, usize)> {
    let messages = generate(MESSAGES, 600);
    let (server, home) = scene(&messages, keys);
    let (what, calls) = tracer::killed_fetch(&home, number)?;
    let twice = finish(&home, &server, &messages, &what);
    Some((twice, calls))
}

fn kill_at_every_call(keys: &str) {
    let keys = format!("keep = \"never\"\n{keys}\n{}", by_shell(TAKE));
    let mut twice = 0;
    let calls = tracer::at_every_call(FEW, |number| {
        let (more, calls) = kill_at(number, &keys)?;
        twice += more;
        Some(calls)
    });
    let Some(calls) = calls else { return };
    assert!(calls > 100, "so few hand on no ten messages: {calls}");
    // One call in twenty is made while something is in flight. Where none of these was drawn, the
    // others are tried, those first that are made once the messages come.
    let mut others = (calls / 3..calls).chain(0..calls / 3);
    while twice == 0
        && let Some(number) = others.next()
    {
        let Some((more, _)) = kill_at(number, &keys) else {
            return;
        };
        twice += more;
    }
    eprintln!("{calls} calls; {twice} messages were taken twice");
    assert!(twice > 0, "nothing was ever in flight");
}

#[test]
fn a_kill_at_every_system_call_loses_nothing_and_hands_on_one_message_twice_at_most_and_names_it() {
    kill_at_every_call("");
}

#[test]
fn the_same_with_a_maildir_beside_the_program() {
    kill_at_every_call("maildir = \"~/Mail/a\"");
}

#[test]
fn an_mbox_file_has_each_message_once_after_a_kill_at_any_system_call() {
    let messages = generate(MESSAGES, 600);
    let stored: Vec<Vec<u8>> = messages.iter().map(Message::stored).collect();
    let keys = "keep = \"never\"\ndeliver = { mbox = \"~/mail/in\" }";
    let calls = tracer::at_every_call(FEW, |number| {
        let (server, home) = scene(&messages, keys);
        let (what, calls) = tracer::killed_fetch(&home, number)?;
        server.sessions();
        let good = home.popfetch(["fetch"]).run();
        assert_eq!(good.status, Some(0), "{what}: {good:#?}");
        let found = mbox::messages(&home);
        assert_eq!(found.len(), MESSAGES, "{what}");
        for message in &stored {
            let copies = found.iter().filter(|it| *it == message).count();
            assert_eq!(copies, 1, "{what}");
        }
        run(&home, &["fetch"], 0);
        assert_eq!(server.maildrop().count(), 0, "{what}");
        Some(calls)
    });
    assert_enough(calls);
}

fn assert_enough(calls: Option<usize>) {
    assert!(
        calls.is_none_or(|calls| calls > 100),
        "so few append no ten messages: {calls:?}"
    );
}

/// Some of the messages are in the file since the state that was restored.
#[test]
fn the_same_with_a_state_that_is_older_than_the_file() {
    let messages = generate(MESSAGES, 600);
    let keys = "keep = \"never\"\ndeliver = { mbox = \"~/mail/in\" }";
    let calls = tracer::at_every_call(FEW, |number| {
        let (server, home) = scene(&messages[..MESSAGES / 2], keys);
        run(&home, &["fetch"], 0);
        fs::remove_dir_all(home.state()).unwrap();
        server.maildrop().replace(messages.clone());
        let (what, calls) = tracer::killed_fetch(&home, number)?;
        server.sessions();
        run(&home, &["fetch"], 0);
        let mut found = mbox::messages(&home);
        let mut wanted: Vec<Vec<u8>> = messages.iter().map(Message::stored).collect();
        found.sort();
        wanted.sort();
        assert!(found == wanted, "{what}: {} messages", found.len());
        run(&home, &["fetch"], 0);
        assert_eq!(server.maildrop().count(), 0, "{what}");
        Some(calls)
    });
    assert_enough(calls);
}

/// Another account appends before the one that was killed runs again.
#[test]
fn the_same_where_another_account_appends_to_the_file_in_between() {
    let messages = generate(MESSAGES, 600);
    let others = [crate::given::letter(1)];
    let keys = "keep = \"never\"\ndeliver = { mbox = \"~/mail/in\" }";
    let calls = tracer::at_every_call(FEW, |number| {
        let (server, home) = scene(&messages, keys);
        let other = Server::builder(&Maildrop::new(others.to_vec()));
        let other = other.security(Security::Plain).start();
        let (what, calls) = tracer::killed_fetch(&home, number)?;
        server.sessions();
        let own = fs::read_to_string(home.config_file()).unwrap();
        let config = home.account_config("b", &other.account());
        let lines = config.lines().filter(|line| !line.starts_with("maildir"));
        let lines: Vec<&str> = lines.collect();
        home.config(&format!("{own}\n{}\n{keys}\n", lines.join("\n")));
        run(&home, &["fetch", "b"], 0);
        run(&home, &["fetch", "a"], 0);
        let mut found = mbox::messages(&home);
        let all = messages.iter().chain(&others);
        let mut wanted: Vec<Vec<u8>> = all.map(Message::stored).collect();
        found.sort();
        wanted.sort();
        assert!(found == wanted, "{what}: {} messages", found.len());
        assert_eq!(server.maildrop().count(), 0, "{what}");
        Some(calls)
    });
    assert_enough(calls);
}

#[test]
fn a_message_whose_program_is_at_work_when_the_run_is_stopped_is_handed_on_once() {
    let messages = generate(1, 600);
    let script = format!("touch begun; while ! test -e go; do sleep 0.05; done; {TAKE}");
    let (server, home) = scene(&messages, &by_shell(&script));
    let mut running = home.popfetch(["fetch"]).start();
    let until = Instant::now() + PATIENCE;
    while !home.path().join("begun").exists() {
        assert!(Instant::now() < until, "{}", running.stderr_so_far());
        thread::sleep(Duration::from_millis(2));
    }
    running.signal(Signal::TERM);
    fs::write(home.path().join("go"), "").unwrap();
    assert_eq!(running.wait().status, Some(143));
    server.sessions();
    run(&home, &["fetch"], 0);
    assert_taken_once(&home, &messages);
}
