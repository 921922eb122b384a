//! Programs that popfetch starts: ended, with what they have started themselves, when nobody waits for
//! them any more.

mod attend;
mod input;
mod told;

pub use attend::{Care, Ending, Fed, Unrun, Watch, feed, run};
pub use told::{Keep, Told};

use crate::system;
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};
use std::collections::HashSet;
use std::io;
use std::mem;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Where a program is, by the rules by which it is started: a name with a slash is a path, any other is
/// looked for in the directories of PATH.
///
/// # Errors
/// That by which it could not be started: there is none, or what there is may not be run.
pub fn find(name: &str) -> io::Result<PathBuf> {
    let directories = std::env::var_os("PATH").unwrap_or_default();
    let paths: Vec<PathBuf> = match name.contains('/') {
        true => vec![name.into()],
        false => std::env::split_paths(&directories)
            .map(|directory| directory.join(name))
            .collect(),
    };
    let mut error = Errno::NOENT;
    for path in paths {
        match path.metadata() {
            Ok(it) if it.is_file() && it.permissions().mode() & 0o111 != 0 => return Ok(path),
            Ok(_) => error = Errno::ACCESS,
            Err(_) => {}
        }
    }
    Err(error.into())
}

/// How often to look whether one has ended.
const POLL: Duration = Duration::from_millis(5);

/// Whose process group a program is in, which signals from the terminal go to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Group {
    /// popfetch's: it can read from the terminal, and Ctrl-C ends it as well.
    Ours,
    /// Its own: Ctrl-C is for popfetch, and a signal reaches all that it has started.
    Own,
    /// Its own as well, of a program that ends with popfetch, whatever ends that.
    OwnToTheEnd,
}

/// A program that runs. It is killed when this is dropped.
pub struct Running {
    child: Child,
    group: Group,
}

impl Running {
    /// Starts it.
    pub fn start(command: &mut Command, group: Group) -> io::Result<Self> {
        if group != Group::Ours {
            command.process_group(0);
        }
        // Held meanwhile: it may run before we hear of it, and a signal come in between.
        let mut attended = (group != Group::Own).then(attended);
        let child = command.spawn()?;
        if let Some(attended) = &mut attended {
            attended.push(Pid::from_child(&child));
        }
        Ok(Self { child, group })
    }

    /// What it prints, where that was asked for, once.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// What it prints for people, likewise.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Its process, and its group where that is its own.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// How it has ended, if it has.
    pub fn status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Sends a signal to it, and where its group is its own to all that it has started.
    pub fn signal(&self, signal: Signal) {
        // Errors mean that it has just ended by itself.
        let _ = match self.group {
            Group::Own | Group::OwnToTheEnd => kill_process_group(self.pid(), signal),
            Group::Ours => kill_process(self.pid(), signal),
        };
    }

    /// Sends a signal to the program itself, which sees to what it has started.
    pub fn ask(&self, signal: Signal) {
        let _ = kill_process(self.pid(), signal);
    }

    /// Ends it with all that it has started: asked to first, and killed after so long.
    pub fn end(self, patience: Duration) {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + patience;
        // Not waited for before the whole group is gone: its number might be somebody else's then.
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while Instant::now() < deadline
            && !matches!(waitid(WaitId::Pid(self.pid()), look), Ok(Some(_)))
        {
            thread::sleep(POLL);
        }
        self.signal(Signal::KILL);
    }

    /// Waits so long until it has ended; tells whether it has.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            match self.status() {
                Ok(None) if Instant::now() < deadline => thread::sleep(POLL),
                Ok(None) => return false,
                _ => return true,
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let pid = self.pid();
        attended().retain(|other| *other != pid);
        if matches!(self.status(), Ok(Some(_))) {
            return;
        }
        // Errors mean that it has just ended by itself.
        match self.group {
            Group::Own | Group::OwnToTheEnd => {
                _ = kill_process_group(self.pid(), Signal::KILL);
            }
            // The group is ours as well. What it has started would go on as if nobody had ended it.
            Group::Ours => end_descendants(pid),
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends the programs that are to end with popfetch, with what they have started: for when a signal ends
/// popfetch alone, which is to follow.
pub fn end_attended() {
    let attended = attended();
    for pid in attended.iter() {
        end_descendants(*pid);
        // Errors mean that it has just ended by itself.
        let _ = kill_process(*pid, Signal::KILL);
    }
    // Whoever waits for one of them stays where it is: it would tell that it failed, and end the process
    // for that.
    mem::forget(attended);
}

/// Those that run.
fn attended() -> MutexGuard<'static, Vec<Pid>> {
    static ATTENDED: Mutex<Vec<Pid>> = Mutex::new(Vec::new());
    ATTENDED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn end_descendants(of: Pid) {
    for pid in descendants(of) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// The processes that a process has started, those that these have, and so on.
fn descendants(of: Pid) -> Vec<Pid> {
    let pairs = system::processes().into_iter();
    let pairs: Vec<(Pid, Pid)> = pairs
        .filter_map(|(pid, parent)| Some((Pid::from_raw(pid)?, Pid::from_raw(parent)?)))
        .collect();
    let mut known = HashSet::from([of]);
    let mut found = Vec::new();
    loop {
        let before = found.len();
        for (pid, parent) in &pairs {
            if known.contains(parent) && known.insert(*pid) {
                found.push(*pid);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}
