//! Two processes of one person at once: at every system call of the one, the other does its whole
//! work.

use std::fs::{self, File};
use std::process::Stdio;

use super::{MESSAGES, finish};
use crate::support::account::Security;
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, generate};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tracer::{self, Action, End};

/// A run has some two hundred; a test that would go on for ever is a bug.
const MOST_CALLS: usize = 1_000;

struct Scene {
    messages: Vec<Message>,
    server: Server,
    home: Home,
}

impl Scene {
    fn new() -> Self {
        let messages = generate(MESSAGES, 600);
        let server = Server::builder(&Maildrop::new(messages.iter().cloned()));
        let server = server.security(Security::Plain).start();
        let home = Home::in_memory();
        home.one_account(&server.account(), "");
        Self {
            messages,
            server,
            home,
        }
    }

    /// The first command is stopped at its given call until the second is done; whether it came so
    /// far. None where nothing can be traced.
    fn meet(&self, first: &[&str], second: &[&str], number: usize) -> Option<bool> {
        let mut command = tracer::command(env!("CARGO_BIN_EXE_popfetch"));
        self.home.furnish(command.args(first));
        let said = self.home.path().join("said");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(&said).unwrap());
        let (mut calls, mut met) = (0, None);
        let end = tracer::run_looking(&mut command, |call| {
            if calls == number {
                met = Some((call.clone(), self.home.popfetch(second).run()));
            }
            calls += 1;
            Action::Pass
        })?;
        let said = fs::read_to_string(said).unwrap();
        let what = format!("{first:?} at call {number}, {met:#?}: {end:?}: {said}");
        assert!(matches!(end, End::Exited(0 | 75)), "{what}");
        if let Some((_, output)) = &met {
            assert!(matches!(output.status, Some(0 | 75)), "{what}");
        }
        self.server.sessions();
        // The one may have found the maildrop in use by the other, and remember that.
        self.home.popfetch(["fetch", "--now"]).expect(0);
        finish(&self.messages, &self.server, &self.home, &what);
        Some(met.is_some())
    }
}

/// `before` has been done by then.
fn meet_at_every_call(first: &[&str], second: &[&str], before: &[&[&str]]) {
    for number in 0..MOST_CALLS {
        let scene = Scene::new();
        for command in before {
            scene.home.popfetch(*command).expect(0);
        }
        match scene.meet(first, second, number) {
            None => return,
            Some(true) => {}
            Some(false) => return eprintln!("{first:?} met {second:?} at each of {number} calls"),
        }
    }
    panic!("more than {MOST_CALLS} calls");
}

#[test]
fn d29_a_first_fetch_meets_another_at_every_system_call() {
    meet_at_every_call(&["fetch"], &["fetch"], &[]);
}

#[test]
fn d29_who_only_looks_meets_a_fetch_at_every_system_call() {
    meet_at_every_call(&["check"], &["fetch"], &[]);
    meet_at_every_call(&["verify"], &["fetch"], &[&["fetch"]]);
}
