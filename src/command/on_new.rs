//! What accounts have run once new mail is stored (`on-new`).
//!
//! A [`Hooks`] stands between the accounts and their report, and gathers the paths of the new messages of
//! those that have a program to be told. That is started when the account is done, its lock free and
//! its place taken by the next one, so that it holds up nothing but the end of the run. What
//! becomes of it changes neither messages nor state, nor the exit status.
//!
//! Messages that only pass through to what takes them are counted, and have no paths: their files have
//! left, as likely as not.

use crate::fetch::Account;
use crate::net::program::{cannot_start, find as find_program};
use crate::process::{self, Ending, Told};
use crate::profile::units::duration;
use crate::profile::{OnNew, Profile};
use crate::report::{Event, Outcome, Report};
use crate::stop::{Reason, Stop};
use crate::system;
use crate::term::{quoted, without_numbers};
use crate::threads;
use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

/// Lines of what a program says that are shown; more would bury what popfetch itself has to say.
const LINES: usize = 10;

/// See the [module](self).
pub(super) struct Hooks {
    report: Arc<dyn Report>,
    stop: Stop,
    accounts: HashMap<String, Mutex<Gathered>>,
    queue: Mutex<Queue>,
    changed: Condvar,
    /// Why a program was ended, or not run.
    stopped: OnceLock<Reason>,
    /// So many programs run at a time.
    most: usize,
}

/// The new messages of an account.
#[derive(Default)]
struct Gathered {
    /// How its paths end.
    end: u8,
    /// Its messages are in no Maildir.
    pass: bool,
    count: u64,
    /// Their paths: a file in memory, which the program reads as it likes, or not at all.
    paths: Option<io::Result<File>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Call>,
    workers: usize,
}

/// A program that is to be run.
struct Call {
    account: String,
    hook: OnNew,
    paths: io::Result<File>,
    surroundings: Vec<(&'static str, OsString)>,
}

impl Hooks {
    /// For the accounts of a run, which is told to `report`, up to `most` programs at a time. `None` where no
    /// account has one.
    pub(super) fn new<'a>(
        report: &Arc<dyn Report>,
        stop: &Stop,
        profiles: impl Iterator<Item = &'a Profile>,
        most: usize,
    ) -> Option<Arc<Self>> {
        let accounts: HashMap<_, _> = profiles
            .filter_map(|profile| {
                let end = profile.on_new.as_ref()?.paths.octet();
                let gathered = Gathered {
                    end,
                    pass: !profile.has_maildir(),
                    ..Gathered::default()
                };
                Some((profile.name.clone(), Mutex::new(gathered)))
            })
            .collect();
        (!accounts.is_empty()).then(|| {
            Arc::new(Self {
                report: Arc::clone(report),
                stop: stop.clone(),
                accounts,
                queue: Mutex::default(),
                changed: Condvar::new(),
                stopped: OnceLock::new(),
                most: most.max(1),
            })
        })
    }

    /// An account is done: its program is started, if anything has come.
    pub(super) fn fetched(self: &Arc<Self>, account: &Account<'_>, outcome: &Outcome) {
        let profile = account.profile;
        let Some(hook) = &profile.on_new else {
            return;
        };
        let Some(gathered) = self.accounts.get(&profile.name) else {
            return;
        };
        let gathered = std::mem::take(&mut *lock(gathered));
        let Some(paths) = gathered.paths else {
            return;
        };
        let mut surroundings = vec![
            ("POPFETCH_ACCOUNT", profile.name.clone().into()),
            ("POPFETCH_NEW", gathered.count.to_string().into()),
            ("POPFETCH_OCTETS", outcome.octets.to_string().into()),
            (
                "POPFETCH_STATUS",
                outcome.status().code().to_string().into(),
            ),
        ];
        if profile.has_maildir() {
            surroundings.push(("POPFETCH_MAILDIR", profile.maildir.clone().into()));
        }
        self.submit(Call {
            account: profile.name.clone(),
            hook: hook.clone(),
            paths,
            surroundings,
        });
    }

    /// Waits until all programs have ended; why one of them was ended, or not run, where somebody
    /// wanted us to stop.
    pub(super) fn finish(&self) -> Option<Reason> {
        let goes_on = |queue: &mut Queue| queue.workers > 0;
        drop(self.changed.wait_while(lock(&self.queue), goes_on));
        self.stopped.get().copied()
    }

    fn submit(self: &Arc<Self>, call: Call) {
        let mut queue = lock(&self.queue);
        queue.waiting.push_back(call);
        if queue.workers >= self.most {
            return;
        }
        queue.workers += 1;
        drop(queue);
        let hooks = Arc::clone(self);
        if threads::detach(move || hooks.work()).is_err() {
            // Without a thread of its own it has this account's, and its place.
            self.work();
        }
    }

    /// Runs what waits.
    fn work(&self) {
        let worker = Worker {
            hooks: self,
            done: Cell::new(false),
        };
        while let Some(call) = worker.next() {
            self.run(call);
        }
    }

    fn run(&self, call: Call) {
        let name = call.account.clone();
        let program = call
            .hook
            .argv
            .first()
            .map_or_else(String::new, |it| quoted(it));
        let warn = |text: &str| {
            let text = format!("on-new: {text}; the mail is stored all the same");
            self.report.report(&name, Event::Warning(&text));
        };
        if let Some(reason) = self.stop.requested() {
            self.stopped.get_or_init(|| reason);
            return warn(&format!("{program} was not run: {reason}"));
        }
        let limit = call.hook.limit;
        let command = call.hook.program().to_owned();
        let (ending, told) = match call.run(&self.stop) {
            Ok(ended) => ended,
            Err(error) => {
                let why = without_numbers(&error.to_string());
                let way = cannot_start("on-new", &command, &error);
                return warn(&format!("cannot run {program}: {why} ({way})"));
            }
        };
        let said = lines(&told);
        if let Ending::Stopped(reason) = ending {
            self.stopped.get_or_init(|| reason);
        }
        match ending {
            Ending::Exited(status) if status.success() => {
                for line in said {
                    let text = format!("{program} says: {line}");
                    self.report.report(&name, Event::Notice(&text));
                }
                return;
            }
            Ending::Exited(status) => warn(&format!("{program} failed: {status}")),
            Ending::OutOfTime => warn(&format!(
                "{program} was ended, as it took longer than {} (on-new-timeout)",
                duration(limit)
            )),
            Ending::Stopped(Reason::OutOfTime) => {
                warn(&format!(
                    "{program} was ended: the time that --max-time allows is over"
                ));
            }
            Ending::Stopped(_) => warn(&format!("{program} was ended by a signal")),
        }
        for line in said {
            let text = format!("{program} says: {line}");
            self.report.report(&name, Event::Warning(&text));
        }
    }
}

/// Where the program is, by the same rules as it is started by.
///
/// # Errors
/// It is nowhere, or may not be run: what is the matter, and what to do.
pub(super) fn find(hook: &OnNew) -> Result<PathBuf, (String, String)> {
    find_program("on-new", hook.program())
}

impl Call {
    fn run(self, stop: &Stop) -> io::Result<(Ending, Told)> {
        let mut paths = self.paths?;
        paths.rewind()?;
        let (program, arguments) = match self.hook.argv.as_slice() {
            [program, arguments @ ..] => (program, arguments),
            [] => return Err(io::ErrorKind::NotFound.into()),
        };
        let mut command = Command::new(program);
        command.args(arguments).envs(self.surroundings).stdin(paths);
        process::run(&mut command, self.hook.limit, stop)
    }
}

impl Gathered {
    fn add(&mut self, path: &[u8]) {
        let paths = self
            .paths
            .get_or_insert_with(|| system::file_in_memory("popfetch-on-new"));
        let Ok(file) = paths else {
            return;
        };
        let line = match self.pass {
            true => Vec::new(),
            false => [path, &[self.end]].concat(),
        };
        match file.write_all(&line) {
            Ok(()) => self.count += 1,
            // Some of them would pass for all.
            Err(error) => *paths = Err(error),
        }
    }
}

impl Report for Hooks {
    fn report(&self, account: &str, event: Event<'_>) {
        if let (Event::Message(message), Some(gathered)) = (&event, self.accounts.get(account)) {
            lock(gathered).add(message.path.as_os_str().as_bytes());
        }
        self.report.report(account, event);
    }

    /// Not before [`Report::catch_up`]: what a run has stored that is killed on the way no program has been
    /// told of, so that the next run reports it again.
    fn is_written(&self) -> bool {
        false
    }

    fn catch_up(&self, stop: &Stop) -> bool {
        self.report.catch_up(stop)
    }

    fn wants_header(&self) -> bool {
        self.report.wants_header()
    }
}

/// Counts out, after a panic too, so that nobody waits for it for ever.
struct Worker<'a> {
    hooks: &'a Hooks,
    done: Cell<bool>,
}

impl Worker<'_> {
    /// What to do next. Who finds nothing counts out in the same breath: what comes later has another
    /// worker.
    fn next(&self) -> Option<Call> {
        let mut queue = lock(&self.hooks.queue);
        let call = queue.waiting.pop_front();
        if call.is_none() {
            queue.workers = queue.workers.saturating_sub(1);
            self.done.set(true);
        }
        call
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        if !self.done.get() {
            let mut queue = lock(&self.hooks.queue);
            queue.workers = queue.workers.saturating_sub(1);
        }
        self.hooks.changed.notify_all();
    }
}

/// What a program has said, in lines that may be shown once they are escaped.
fn lines(told: &Told) -> Vec<String> {
    let text = String::from_utf8_lossy(&told.octets);
    let mut lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty());
    let mut shown: Vec<_> = lines.by_ref().take(LINES).map(str::to_owned).collect();
    if told.more || lines.next().is_some() {
        shown.push("(and more, which is left out)".to_owned());
    }
    shown
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}
