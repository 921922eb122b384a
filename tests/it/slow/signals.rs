use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::given::{mail, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::process::PATIENCE;
use crate::support::run::Home;
use crate::support::server::{How, Server};
use crate::support::tree;
use crate::support::wire::Ending;

const COUNT: usize = 40;

/// A server, and word of each command that reaches it.
fn watched(behaviour: Behaviour) -> (Server, Home, Receiver<String>) {
    let (sender, commands) = channel();
    let server = Server::builder(&Maildrop::new(mail(COUNT)))
        .behaviour(behaviour)
        .on_command(move |command| {
            // Nobody listens any more towards the end.
            let _gone = sender.send(command.line.clone());
        })
        .start();
    // A run that was asked to stop waits for nothing long, and a disk may have much to do.
    let home = Home::of(
        &server.account(),
        "keep = \"never\"\npipelining = \"off\"\n",
    );
    (server, home, commands)
}

fn wait_for(commands: &Receiver<String>, wanted: &str) {
    loop {
        let line = commands.recv_timeout(PATIENCE).unwrap();
        if line == wanted {
            return;
        }
    }
}

#[test]
fn d20_a_signal_ends_the_run_and_loses_nothing() {
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let slow = Behaviour::new().delay(Duration::from_millis(20));
        let (server, home, commands) = watched(slow);
        let mut running = home.popfetch(["fetch"]).start();
        wait_for(&commands, "RETR 5");
        running.signal(signal);
        let output = running.wait();
        assert_eq!(output.status, Some(status), "{output:#?}");
        let stored = tree::count(&home.maildir("a"));
        assert!((4..COUNT).contains(&stored), "{stored} stored: {output:#?}");
        tree::assert_tmp_is_empty(&home.maildir("a"));
        server.behave(Behaviour::new());
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(COUNT));
        assert_eq!(server.maildrop().count(), 0);
    }
}

#[test]
fn d20_after_a_signal_nothing_that_is_stored_is_fetched_again() {
    let slow = Behaviour::new().delay(Duration::from_millis(20));
    let (server, home, commands) = watched(slow);
    let mut running = home.popfetch(["fetch", "--keep"]).start();
    wait_for(&commands, "RETR 5");
    running.signal(Signal::INT);
    assert_eq!(running.wait().status, Some(130));
    let stored = tree::count(&home.maildir("a"));
    server.behave(Behaviour::new());
    run(&home, &["fetch", "--keep"], 0);
    assert_eq!(server.last_session().count("RETR"), COUNT - stored);
    tree::assert_holds(&home.maildir("a"), &mail(COUNT));
}

#[test]
fn a_signal_while_the_server_is_silent_ends_the_run_too() {
    for command in ["CAPA", "AUTH", "LIST", "RETR 3"] {
        let silent = Behaviour::new().on(command, Reply::End(Ending::Stall));
        let (server, home, commands) = watched(silent);
        let mut running = home.popfetch(["fetch"]).start();
        loop {
            let line = commands.recv_timeout(PATIENCE).unwrap();
            if line.starts_with(command) {
                break;
            }
        }
        let began = Instant::now();
        running.signal(Signal::TERM);
        let output = running.wait();
        assert_eq!(output.status, Some(143), "{command}: {output:#?}");
        assert!(began.elapsed() < Duration::from_secs(20), "{command}");
        assert_eq!(server.maildrop().count(), COUNT);
    }
}

#[test]
fn that_a_command_was_stopped_is_said_once() {
    for arguments in [
        &["fetch"][..],
        &["check"],
        &["fetch", "-n"],
        &["state", "mark-seen", "a"],
    ] {
        let silent = Behaviour::new().on("LIST", Reply::End(Ending::Stall));
        let (_server, home, commands) = watched(silent);
        let mut running = home.popfetch(arguments).start();
        wait_for(&commands, "LIST");
        running.signal(Signal::TERM);
        let output = running.wait();
        assert_eq!(output.status, Some(143), "{output:#?}");
        let said = output.stderr.matches("stopped by a signal").count();
        assert_eq!(said, 1, "{output:#?}");
    }
}

#[test]
fn a_message_that_does_not_come_to_its_end_takes_nothing_with_it_on_a_stop() {
    for keep in ["always", "never"] {
        let half = b"+OK 250 octets\r\nSubject: half of it\r\n";
        let silent = Behaviour::new().on("RETR 3", Reply::RawThenEnd(half.into(), Ending::Stall));
        let (server, home, commands) = watched(silent);
        let keys = format!("keep = {keep:?}\npipelining = \"off\"\n");
        home.one_account(&server.account(), &keys);
        let mut running = home.popfetch(["fetch"]).start();
        wait_for(&commands, "RETR 3");
        running.signal(Signal::TERM);
        let output = running.wait();
        assert_eq!(output.status, Some(143), "{output:#?}");
        tree::assert_holds(&home.maildir("a"), &mail(2));
        tree::assert_tmp_is_empty(&home.maildir("a"));
        server.behave(Behaviour::new());
        server.sessions();
        run(&home, &["fetch"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(COUNT));
        assert_eq!(server.last_session().count("RETR"), COUNT - 2, "{keep}");
    }
}

#[test]
fn a_second_signal_ends_at_once_and_loses_nothing() {
    let slow = Behaviour::new().delay(Duration::from_millis(20));
    let (server, home, commands) = watched(slow);
    let mut running = home.popfetch(["fetch"]).start();
    wait_for(&commands, "RETR 5");
    running.signal(Signal::INT);
    running.signal(Signal::INT);
    let began = Instant::now();
    let output = running.wait();
    assert!(began.elapsed() < Duration::from_secs(20));
    assert!(matches!(output.status, Some(130) | None), "{output:#?}");
    server.behave(Behaviour::new());
    // The server notices that its client is gone before it lets the next one in.
    server.sessions();
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(COUNT));
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn after_a_signal_the_session_ends_as_it_should() {
    let slow = Behaviour::new().delay(Duration::from_millis(20));
    let (server, home, commands) = watched(slow);
    let mut running = home.popfetch(["fetch"]).start();
    wait_for(&commands, "RETR 5");
    running.signal(Signal::TERM);
    assert_eq!(running.wait().status, Some(143));
    // The message in hand is finished and committed, what is recorded is deleted, then QUIT.
    let session = server.last_session();
    assert_eq!(session.ended, How::Quit, "{session:#?}");
    let stored = tree::count(&home.maildir("a"));
    assert_eq!(server.maildrop().count(), COUNT - stored);
}
