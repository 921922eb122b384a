//! The locks of an mbox file: one in this process, and a file beside it, as others lock it.

use crate::durable::{Dir, Disk};
use rustix::process::{Pid, test_kill_process};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A lock that nobody has touched for so long was left behind: Dovecot takes two minutes for that, and
/// procmail 17.
const LEFT_BEHIND: Duration = Duration::from_secs(10 * 60);

/// The files that threads of this process have worked on.
static FILES: Mutex<BTreeMap<PathBuf, Ours>> = Mutex::new(BTreeMap::new());

/// One of them is free again.
static FREE: Condvar = Condvar::new();

/// Why a lock is not waited for any longer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NotHeld {
    /// It has taken too long.
    OutOfPatience,
    /// Somebody wants the run to stop.
    Stopped,
}

/// What this process does with a file, and has done.
#[derive(Default)]
struct Ours {
    /// A thread holds it: fcntl's locks are a process's, and not a thread's.
    is_held: bool,
    /// How long it was when the last of them had done with it.
    end: Option<u64>,
}

fn files() -> MutexGuard<'static, BTreeMap<PathBuf, Ours>> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is held; all of it goes with this value.
#[derive(Default)]
pub(super) struct Lock {
    held: Option<PathBuf>,
    beside: Option<(Dir, OsString)>,
}

impl Lock {
    /// No other thread of this process works on the file from here on. As long as one does, and
    /// `may_wait`, that is waited for.
    pub(super) fn hold(
        &mut self,
        path: &Path,
        may_wait: impl Fn() -> Result<(), NotHeld>,
    ) -> Result<(), NotHeld> {
        let mut files = files();
        loop {
            let ours = files.entry(path.to_owned()).or_default();
            if !std::mem::replace(&mut ours.is_held, true) {
                self.held = Some(path.to_owned());
                return Ok(());
            }
            may_wait()?;
            // A stop does not wake it.
            let woken = FREE.wait_timeout(files, super::LOOK);
            files = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether the file is as long as this process has left it: so nobody else has been at it, or been
    /// killed at that.
    pub(super) fn is_as_left(&self, length: u64) -> bool {
        let files = files();
        let ours = self.held.as_ref().and_then(|path| files.get(path));
        ours.and_then(|ours| ours.end) == Some(length)
    }

    /// This process leaves it as long as this.
    pub(super) fn leave(&self, length: u64) {
        let mut files = files();
        let ours = self.held.as_ref().and_then(|path| files.get_mut(path));
        if let Some(ours) = ours {
            ours.end = Some(length);
        }
    }

    /// The file beside it, where one can be made: others do without it where they may not make any.
    pub(super) fn beside(&mut self, disk: &Disk, path: &Path) -> io::Result<bool> {
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(true);
        };
        let mut name = name.to_owned();
        name.push(".lock");
        let dir = Dir::open_linked(disk, directory)?;
        // It has its holder's name from the first moment on: one without is nobody's to take away.
        let mut draft = name.clone();
        draft.push(format!(".{}", std::process::id()));
        let made = dir.remove(&draft).and_then(|()| {
            let mut file = dir.create(&draft)?;
            file.append(holder().as_bytes())?;
            dir.link(&draft, &name)
        });
        let removed = dir.remove(&draft);
        match made.and(removed) {
            Ok(()) => {
                self.beside = Some((dir, name));
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if is_left_behind(&dir, &name) {
                    dir.remove(&name)?;
                }
                Ok(false)
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// Which file says that it is locked, where one does, for a person to look at.
pub(super) fn named_by(dir: &Dir, name: &OsStr) -> String {
    let mut lock = name.to_owned();
    lock.push(".lock");
    match dir.contains(&lock) {
        Ok(true) => format!(
            ", as {} says; if none is running that would, remove that",
            dir.path().join(&lock).display()
        ),
        _ => String::new(),
    }
}

/// Who holds a lock, as Dovecot writes it, too.
fn holder() -> String {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    format!("{}:{host}", std::process::id())
}

/// Whether nobody holds the lock any more: a process of this machine that is no more, or one that has not
/// touched it for longer than any other program would wait.
fn is_left_behind(dir: &Dir, name: &OsStr) -> bool {
    let Ok(file) = dir.read(name) else {
        return false;
    };
    let age = file.metadata().and_then(|it| it.modified());
    let age = age.ok().and_then(|modified| modified.elapsed().ok());
    if age.is_some_and(|age| age > LEFT_BEHIND) {
        return true;
    }
    let mut text = String::new();
    let read = file.take(256).read_to_string(&mut text);
    let Some((pid, host)) = read.ok().and_then(|_| text.trim().split_once(':')) else {
        return false;
    };
    let here = rustix::system::uname();
    let pid = pid.parse().ok().and_then(Pid::from_raw);
    let is_gone = |pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
    host.as_bytes() == here.nodename().to_bytes() && pid.is_some_and(is_gone)
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some((dir, name)) = self.beside.take() {
            // One that stays is named to whoever waits for it.
            let _ = dir.remove(&name);
        }
        if let Some(path) = self.held.take()
            && let Some(ours) = files().get_mut(&path)
        {
            ours.is_held = false;
            FREE.notify_all();
        }
    }
}
