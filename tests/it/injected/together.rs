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

/// Calls at which an ordinary run of these tests lets them meet.
const FEW: usize = 16;

struct Scene {
    messages: Vec<Message>,
    server: Server,
    home: Home,
}

impl Scene {
    fn new() -> Self {
        let messages = generate(MESSAGES, 600);
        let server = Server::builder(&Maildrop::new(messages.iter().cloned()));
        let (server, home) = server.security(Security::Plain).with_home("");
        Self {
            messages,
            server,
            home,
        }
    }

    /// The first command is stopped at its given call until the second is done. Gives to how many
    /// calls it came. None where nothing can be traced.
    fn meet(&self, first: &[&str], second: &[&str], number: usize) -> Option<usize> {
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
        assert_eq!(met.is_some(), calls > number, "{what}");
        Some(calls)
    }
}

/// `before` has been done by then.
fn meet_at_every_call(first: &[&str], second: &[&str], before: &[&[&str]]) {
    let calls = tracer::at_every_call(FEW, |number| {
        let scene = Scene::new();
        for command in before {
            scene.home.popfetch(*command).expect(0);
        }
        scene.meet(first, second, number)
    });
    if let Some(calls) = calls {
        eprintln!("{first:?} met {second:?} at some of {calls} calls");
    }
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
