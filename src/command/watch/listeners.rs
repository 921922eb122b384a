//! Who stays with a server that says by itself when mail comes: this program once more for each such account
//! ([`crate::command::listen`]), in a process of its own.
//!
//! A listener fetches nothing and tells nothing but that there is something to fetch. What has come before it
//! listens it does not hear of, so that its first word is news as well. It is begun only once a fetch has got
//! through, and begun anew, later each time, when its connection breaks. Meanwhile, and where a server says
//! nothing, its account has its turns as any other.

use super::round::{PARTING, Rounds, Text};
use crate::command::listen::{LISTENING, MAIL};
use crate::process::{Group, Running};
use rustix::event::{PollFd, PollFlags};
use rustix::io::ioctl_fionbio;
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{ChildStdout, Stdio};
use std::time::{Duration, Instant};

/// So many at a time: each is a process, and a connection that a server bears.
const MOST: usize = 32;

/// When to begin anew after a connection that has held.
const SOON: Duration = Duration::from_secs(10);

/// One that has held for so long does not break because nobody is wanted there.
const HELD: Duration = Duration::from_secs(5 * 60);

/// After one that has not held, and twice as long after each further one,
const LATER: Duration = Duration::from_secs(60);

/// up to this.
const LATEST: Duration = Duration::from_secs(60 * 60);

/// A server that says nothing by itself may have learnt it after a day.
const UNABLE: Duration = Duration::from_secs(24 * 60 * 60);

/// See the [module](self).
#[derive(Default)]
pub(super) struct Listeners {
    accounts: BTreeMap<String, Listener>,
    /// Those of another config, that were asked to end.
    leaving: Vec<Running>,
}

/// That of an account.
#[derive(Default)]
struct Listener {
    process: Option<Process>,
    turn: Turn,
}

struct Process {
    running: Running,
    words: ChildStdout,
    began: Duration,
    /// The server has agreed to say when mail comes.
    is_told: bool,
    /// What has come of a line.
    line: Vec<u8>,
}

/// When to begin.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Turn {
    due: Duration,
    /// How often in a row it has not held.
    broke: u32,
}

/// How one has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    /// The server says nothing by itself.
    Unable,
    /// The connection broke, or there was none, after so long.
    Broke(Duration),
}

impl Turn {
    /// The one after that; `spread`, from 0 to 1, says how much later, of a half.
    fn after(self, end: End, now: Duration, spread: f64) -> Self {
        let (wait, broke) = match end {
            End::Unable => (UNABLE, 0),
            End::Broke(held) if held >= HELD => (SOON, 0),
            End::Broke(_) => {
                let times = 2u32.saturating_pow(self.broke);
                let wait = LATER.saturating_mul(times).min(LATEST);
                (wait, self.broke.saturating_add(1))
            }
        };
        let later = wait.mul_f64(spread.clamp(0.0, 1.0) / 2.0);
        Self {
            due: now.saturating_add(wait).saturating_add(later),
            broke,
        }
    }
}

impl Process {
    /// Whether there is news in what it has said.
    fn hears(&mut self) -> bool {
        let mut has_news = false;
        let mut octets = [0; 1024];
        while let Ok(length @ 1..) = self.words.read(&mut octets) {
            for octet in octets.get(..length).unwrap_or_default() {
                match octet {
                    b'\n' => {
                        let line = std::mem::take(&mut self.line);
                        self.is_told |= LISTENING.as_bytes() == line;
                        has_news |= [LISTENING, MAIL].iter().any(|it| it.as_bytes() == line);
                    }
                    // No word of ours is so long.
                    octet if self.line.len() < MAIL.len().max(LISTENING.len()) + 1 => {
                        self.line.push(*octet);
                    }
                    _ => {}
                }
            }
        }
        has_news
    }
}

impl Listeners {
    /// These accounts from now on, by a config that may have changed: all begin anew.
    pub(super) fn watch(&mut self, names: BTreeSet<String>) {
        let earlier = std::mem::take(&mut self.accounts);
        for process in earlier.into_values().filter_map(|it| it.process) {
            process.running.ask(Signal::TERM);
            self.leaving.push(process.running);
        }
        let listeners = names.into_iter().map(|name| (name, Listener::default()));
        self.accounts = listeners.take(MOST).collect();
    }

    /// The accounts that there is news of; notes who has ended.
    pub(super) fn hear(&mut self, now: Duration, spread: impl Fn() -> f64) -> Vec<String> {
        self.leaving
            .retain_mut(|it| matches!(it.status(), Ok(None)));
        let mut news = Vec::new();
        for (name, listener) in &mut self.accounts {
            let Some(process) = &mut listener.process else {
                continue;
            };
            // In this order: what it has said last is heard.
            let status = process.running.status();
            if process.hears() {
                news.push(name.clone());
            }
            let end = match status {
                Ok(None) => continue,
                Ok(Some(status)) if status.success() => End::Unable,
                _ => End::Broke(now.saturating_sub(process.began)),
            };
            listener.turn = listener.turn.after(end, now, spread());
            listener.process = None;
        }
        news
    }

    /// Begins those that are due, of accounts whose servers are got through to. What cannot be started is
    /// tried again later.
    pub(super) fn start(
        &mut self,
        now: Duration,
        spread: impl Fn() -> f64,
        gets_through: impl Fn(&str) -> bool,
        (rounds, text, config): (&Rounds, &Text, Option<&PathBuf>),
    ) {
        for (name, listener) in &mut self.accounts {
            if listener.process.is_none() && listener.turn.due <= now && gets_through(name) {
                match begin(name, now, (rounds, text, config)) {
                    Ok(process) => listener.process = Some(process),
                    Err(_) => {
                        let end = End::Broke(Duration::ZERO);
                        listener.turn = listener.turn.after(end, now, spread());
                    }
                }
            }
        }
    }

    /// The accounts whose servers say just now when mail comes.
    pub(super) fn told(&self) -> BTreeSet<&str> {
        let is_told = |it: &Listener| it.process.as_ref().is_some_and(|it| it.is_told);
        let told = self.accounts.iter().filter(|(_, it)| is_told(it));
        told.map(|(name, _)| name.as_str()).collect()
    }

    /// When the next one is due.
    pub(super) fn next(&self, gets_through: impl Fn(&str) -> bool) -> Option<Duration> {
        let waiting = self.accounts.iter();
        let waiting = waiting.filter(|(name, it)| it.process.is_none() && gets_through(name));
        waiting.map(|(_, it)| it.turn.due).min()
    }

    /// Readable when there may be something to hear.
    pub(super) fn poll_fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        let processes = self.accounts.values().filter_map(|it| it.process.as_ref());
        processes.map(|it| PollFd::new(&it.words, PollFlags::IN))
    }

    /// Asks all to end.
    pub(super) fn ask_to_end(&mut self) {
        self.watch(BTreeSet::new());
    }

    /// Waits for those that were asked to; one that does not end is killed, which loses nothing.
    pub(super) fn end(mut self) {
        let deadline = Instant::now() + PARTING;
        for running in &mut self.leaving {
            running.ends_within(deadline.saturating_duration_since(Instant::now()));
        }
    }
}

fn begin(
    name: &str,
    now: Duration,
    (rounds, text, config): (&Rounds, &Text, Option<&PathBuf>),
) -> io::Result<Process> {
    let mut command = rounds.command(text, config)?;
    command.args(["check", "--listen", "--", name]);
    command.stdout(Stdio::piped());
    // What keeps it from its server keeps the fetches from it as well, and they tell.
    if !rounds.is_verbose() {
        command.stderr(Stdio::null());
    }
    let mut running = Running::start(&mut command, Group::Own)?;
    let words = running.take_stdout().ok_or(io::ErrorKind::BrokenPipe)?;
    ioctl_fionbio(&words, true)?;
    Ok(Process {
        running,
        words,
        began: now,
        is_told: false,
        line: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_does_not_hold_is_tried_later_each_time_and_one_that_held_soon() {
        let now = Duration::from_secs(1000);
        let mut turn = Turn::default();
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            turn = turn.after(End::Broke(Duration::from_secs(3)), now, 0.0);
            assert_eq!(turn.due, now + Duration::from_secs(minutes * 60));
        }
        assert_eq!(turn.after(End::Broke(HELD), now, 0.0).due, now + SOON);
        assert_eq!(
            turn.after(End::Broke(HELD), now, 1.0).due,
            now + SOON * 3 / 2
        );
        let unable = turn.after(End::Unable, now, 0.0);
        assert_eq!((unable.due, unable.broke), (now + UNABLE, 0));
        for _ in 0..100 {
            turn = turn.after(End::Broke(Duration::ZERO), now, 1.0);
        }
        assert_eq!(turn.due, now + LATEST * 3 / 2);
    }
}
