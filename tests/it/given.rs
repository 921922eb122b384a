use std::process::{Command, Stdio};

use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::server::{Server, SessionLog};

/// `count` small messages with the unique-ids "uid-1", "uid-2" and so on.
pub fn mail(count: usize) -> Vec<Message> {
    (1..=count).map(letter).collect()
}

/// The `n`th of them. Each has another size, so that no listing can take one for another.
pub fn letter(n: usize) -> Message {
    let text = format!(
        "From: Ada <ada@example.com>\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n\
         Subject: Letter {n}\n\nThis is letter {n}.\n{}\n",
        "x".repeat(n)
    );
    Message::from_lf(format!("uid-{n}"), text)
}

/// A server with `count` small messages, and a home with the one account "a" on it.
pub fn server(count: usize) -> (Server, Home) {
    behaving(count, Behaviour::new())
}

/// The same with a behaviour.
pub fn behaving(count: usize, behaviour: Behaviour) -> (Server, Home) {
    let server = Server::builder(&Maildrop::new(mail(count)))
        .behaviour(behaviour)
        .start();
    let home = Home::new();
    home.one_account(&server.account(), "");
    (server, home)
}

/// Runs it and fails unless it exits with `status`.
pub fn run(home: &Home, arguments: &[&str], status: i32) -> Output {
    home.popfetch(arguments).expect(status)
}

/// Fails unless standard error holds each of `words`.
#[track_caller]
pub fn assert_said(output: &Output, words: &[&str]) {
    for word in words {
        assert!(output.stderr.contains(word), "no {word:?} in {output:#?}");
    }
}

/// Fails unless the client never said who it is in this session.
#[track_caller]
pub fn assert_no_credentials(session: &SessionLog) {
    for keyword in ["AUTH", "USER", "PASS", "APOP"] {
        assert_eq!(session.count(keyword), 0, "{session:#?}");
    }
}

/// The program in the surroundings of `home`, for tests that need a standard output of their own.
pub fn command(home: &Home, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_popfetch"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command.current_dir(home.path()).env("HOME", home.path());
    for (name, directory) in [("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state")] {
        command.env(name, home.path().join(directory));
    }
    command
}
