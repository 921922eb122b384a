//! `kill -9` at every system call of a fetch that has an effect.

use std::collections::BTreeMap;

use super::{MESSAGES, assert_none_is_lost, finish};
use crate::support::account::Security;
use crate::support::maildrop::Maildrop;
use crate::support::message::generate;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tracer::{self, End};

/// Calls at which an ordinary run of these tests kills.
const FEW: usize = 16;

/// What the account's config says.
#[derive(Clone, Copy, Debug)]
struct Manner {
    keep: &'static str,
    /// Without it most messages are committed one by one, with it together.
    pipelining: &'static str,
}

const MANNERS: [Manner; 4] = {
    const fn manner(keep: &'static str, pipelining: &'static str) -> Manner {
        Manner { keep, pipelining }
    }
    [
        manner("always", "auto"),
        manner("always", "off"),
        manner("never", "auto"),
        manner("never", "off"),
    ]
};

impl Manner {
    /// A fetch with each run killed at its given call; a good run does the rest, and another one
    /// finds nothing to do. Gives the end of the last run that was to be killed, and to how many calls
    /// it came.
    fn kill_at(self, numbers: &[usize]) -> Option<(End, usize)> {
        let messages = &generate(MESSAGES, 600);
        let server = Server::builder(&Maildrop::new(messages.iter().cloned()));
        let server = server.security(Security::Plain).start();
        let home = Home::new();
        let Self { keep, pipelining } = self;
        let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
        home.one_account(&server.account(), &keys);
        let mut last = (End::Exited(0), 0);
        let mut what = format!("{self:?}");
        for number in numbers {
            last = tracer::kill_at(&mut tracer::fetch(&home), *number)?;
            what += &format!(", call {number}: {last:?}");
            if let (End::Exited(status), _) = last {
                assert_eq!(status, 0, "{what}");
            }
            // What had reached the server has had its effect once the session is over.
            server.sessions();
            assert_none_is_lost(messages, &server, &home, &what);
        }
        finish(messages, &server, &home, &what);
        let left = if keep == "never" { 0 } else { MESSAGES };
        assert_eq!(server.maildrop().count(), left, "{what}");
        Some(last)
    }

    /// Gives the number of calls.
    fn kill_at_every_call(self, before: &[usize]) -> Option<usize> {
        let mut killed: BTreeMap<&str, usize> = BTreeMap::new();
        let calls = tracer::at_every_call(FEW, |number| {
            let (end, calls) = self.kill_at(&[before, &[number]].concat())?;
            if let End::Killed(name) = end {
                *killed.entry(name).or_default() += 1;
            }
            Some(calls)
        })?;
        eprintln!("{self:?}, killed at {before:?} and then at some of {calls} calls: {killed:?}");
        assert!(!killed.is_empty(), "killed at no call");
        Some(calls)
    }
}

fn kill_at_every_call(manners: &[Manner]) {
    for manner in manners {
        let Some(calls) = manner.kill_at_every_call(&[]) else {
            return;
        };
        assert!(calls > 60, "so few are no fetch of ten messages: {calls}");
    }
}

#[test]
fn d22_a_kill_at_every_system_call_loses_and_doubles_nothing_in_keep_mode() {
    kill_at_every_call(&MANNERS[..2]);
}

#[test]
fn d22_a_kill_at_every_system_call_loses_and_doubles_nothing_in_delete_mode() {
    kill_at_every_call(&MANNERS[2..]);
}

#[test]
fn d22_c19_a_kill_at_every_system_call_of_the_run_after_a_kill_loses_and_doubles_nothing() {
    for (manner, first) in [(MANNERS[2], 70), (MANNERS[3], 50)] {
        let Some(calls) = manner.kill_at_every_call(&[first]) else {
            return;
        };
        assert!(calls > 20, "so few are no recovery: {calls}");
    }
}
