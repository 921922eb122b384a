//! An mbox file that messages are appended to, as mail readers and local mail servers have it.
//!
//! A message begins with a line `From sender date`, and ends with an empty line; a line of it that begins
//! with `From `, whatever `>` stand before, gets one `>` more (mboxrd), so that it can be had back octet
//! for octet. Readers rewrite such files, so it is locked as they lock: by a file beside it, and by
//! fcntl. How long it was is written down before anything is appended: what a crash left of a message is
//! cut off again, and what is there as a whole counts.

use super::envelope::from_line;
use super::quote::Quoter;
use super::{Answer, Letter, Unable};
use crate::durable::{self, Dir, Disk, advice, is_untrusted};
use crate::exit::Status;
use crate::stop::Stop;
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Pid, test_kill_process};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long to wait for another program to unlock the file. Readers hold it while they rewrite it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A lock that nobody has touched for so long was left behind: Dovecot takes two minutes for that, and
/// procmail 17.
const LEFT_BEHIND: Duration = Duration::from_secs(10 * 60);

/// How often to look whether it has.
const LOOK: Duration = Duration::from_millis(100);

/// What is read at once.
const PIECE: usize = 64 * 1024;

/// Header fields that mail readers add to a message that they have seen, or change.
const READERS: [&str; 6] = [
    "status:",
    "x-status:",
    "x-keywords:",
    "x-uid:",
    "content-length:",
    "lines:",
];

/// Files that this process has locked: fcntl's locks are a process's, and not a thread's.
static HELD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// An mbox file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mbox {
    /// Where it is; an absolute path.
    pub path: PathBuf,
}

impl fmt::Display for Mbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

/// The file, locked and about to be appended to.
pub(super) struct Open {
    dir: Dir,
    file: durable::File,
    length: u64,
    is_new: bool,
    /// Goes last.
    _lock: Lock,
}

impl Mbox {
    /// Locks the file, and tells how long it is. `left`: how long it was when the same message was to be
    /// appended before, and nobody knows what came of that; it may be there.
    pub(super) fn open(
        &self,
        disk: &Disk,
        letter: &Letter,
        file: &mut File,
        left: Option<u64>,
        stop: &Stop,
    ) -> Result<(Open, u64), Answer> {
        let mut open = self.lock(disk, stop)?;
        if let Some(left) = left {
            let there = open.settle(letter, file, left);
            if there.map_err(|error| self.unable(&error))? {
                return Err(Answer::Taken(None));
            }
        }
        let length = open.length;
        Ok((open, length))
    }

    /// Appends a message. What cannot be appended as a whole leaves nothing.
    pub(super) fn append(&self, mut open: Open, letter: &Letter, file: &mut File) -> Answer {
        let length = open.length;
        let appended = open.append(letter, file).and_then(|()| open.sync());
        match appended {
            Ok(()) => Answer::Taken(None),
            Err(error) => {
                // What cannot be cut off now is by the next run, which knows how long the file was.
                let _ = open.file.truncate(length).and_then(|()| open.file.sync());
                self.unable(&error)
            }
        }
    }

    fn lock(&self, disk: &Disk, stop: &Stop) -> Result<Open, Answer> {
        let (Some(directory), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Err(self.unable(&io::ErrorKind::InvalidFilename.into()));
        };
        let made = disk.create_directory(directory);
        let dir = made.and_then(|()| Dir::open_linked(disk, directory));
        let dir = dir.map_err(|error| self.unable(&error))?;
        let until = Instant::now() + PATIENCE;
        // Each message would wait as long.
        let busy = || {
            Answer::Hangs(format!(
                "{} is locked by another program{}",
                self.path.display(),
                named_by(&dir, name)
            ))
        };
        let wait = || match Instant::now() < until && stop.requested().is_none() {
            true => {
                stop.wait(LOOK);
                Ok(())
            }
            false => Err(busy()),
        };
        let mut lock = Lock::default();
        while !lock.hold(&self.path) {
            wait()?;
        }
        while !lock
            .beside(disk, &self.path)
            .map_err(|error| self.unable(&error))?
        {
            wait()?;
        }
        let is_new = !dir.contains(name).map_err(|error| self.unable(&error))?;
        let file = dir.open_or_create(name);
        let mut file = file.map_err(|error| self.unable(&error))?;
        loop {
            match fcntl_lock(file.as_fd(), FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => wait()?,
                Err(error) => return Err(self.unable(&error.into())),
            }
        }
        let length = file.reader().and_then(|mut it| {
            let mut start = [0; 5];
            let mut read = 0;
            while let Some(rest) = start.get_mut(read..).filter(|rest| !rest.is_empty()) {
                match it.read(rest)? {
                    0 => break,
                    count => read += count,
                }
            }
            let is_mbox = read == 0 || start == *b"From ";
            is_mbox.then(|| dir.octets(name)).transpose()
        });
        let length = length.map_err(|error| self.unable(&error))?;
        let Some(length) = length else {
            return Err(Answer::Unable(Unable {
                what: format!(
                    "{} is no mbox file: it does not begin with `From `",
                    self.path.display()
                ),
                hint: "name another file in `deliver`; nothing is appended to this one".to_owned(),
                status: Status::Config,
            }));
        };
        Ok(Open {
            dir,
            file,
            length,
            is_new,
            _lock: lock,
        })
    }

    fn unable(&self, error: &io::Error) -> Answer {
        let hint = advice(&self.path, error);
        let status = match is_untrusted(error) {
            true => Status::Config,
            false => Status::Io,
        };
        Answer::Unable(Unable {
            what: format!("cannot append to {}: {error}", self.path.display()),
            hint: hint.unwrap_or_else(|| "what was fetched is kept until it can be".to_owned()),
            status,
        })
    }
}

impl Open {
    /// Whether the message is there as a whole; what is there of a half is cut off.
    fn settle(&mut self, letter: &Letter, message: &mut File, left: u64) -> io::Result<bool> {
        let lead = self.lead(left.min(self.length))?;
        if self.length <= left {
            return match self.length < left {
                true => self.find(letter, message),
                false => Ok(false),
            };
        }
        let mut there = self.file.reader_at(left)?;
        let mut is_same = true;
        let mut is_cut = false;
        let mut piece = vec![0; PIECE];
        write(lead, letter, message, |octets| {
            let mut octets = octets;
            while !octets.is_empty() && is_same && !is_cut {
                let most = octets.len().min(PIECE);
                let count = there.read(piece.get_mut(..most).unwrap_or_default())?;
                let (one, rest) = octets.split_at(count);
                is_same = piece.get(..count) == Some(one);
                is_cut = count == 0;
                octets = rest;
            }
            Ok(())
        })?;
        drop(there);
        match (is_same, is_cut) {
            (true, false) => Ok(true),
            (true, true) => {
                self.file.truncate(left)?;
                self.file.sync()?;
                self.length = left;
                Ok(false)
            }
            (false, _) => self.find(letter, message),
        }
    }

    /// Whether the message is anywhere in a file that a mail reader has written afresh.
    fn find(&mut self, letter: &Letter, message: &mut File) -> io::Result<bool> {
        let envelope = from_line(message, letter.time)?;
        let mut lines = BufReader::new(self.file.reader()?);
        let mut line = Vec::new();
        loop {
            line.clear();
            if next_line(&mut lines, &mut line)? == 0 {
                return Ok(false);
            }
            if line != envelope {
                continue;
            }
            message.seek(SeekFrom::Start(0))?;
            if is_message(&mut lines, BufReader::new(&mut *message))? {
                return Ok(true);
            }
        }
    }

    fn append(&mut self, letter: &Letter, message: &mut File) -> io::Result<()> {
        let lead = self.lead(self.length)?;
        self.file.truncate(self.length)?;
        let file = &mut self.file;
        write(lead, letter, message, |octets| file.append(octets))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()?;
        match self.is_new {
            true => self.dir.sync(),
            false => Ok(()),
        }
    }

    /// What must stand before a message that begins at this place, for its line to be a line behind an
    /// empty one.
    fn lead(&mut self, at: u64) -> io::Result<&'static [u8]> {
        let mut end = [0; 2];
        let back = at.min(2);
        // Through the open file: to open and close another one would end fcntl's lock.
        let mut there = self.file.reader_at(at - back)?;
        let end = end.get_mut(..usize::try_from(back).unwrap_or_default());
        let end = end.unwrap_or_default();
        there.read_exact(end)?;
        Ok(match end {
            [] | [b'\n', b'\n'] => b"",
            [.., b'\n'] => b"\n",
            _ => b"\n\n",
        })
    }
}

/// Gives what a message is in the file, piece by piece.
fn write(
    lead: &[u8],
    letter: &Letter,
    message: &mut File,
    mut to: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let envelope = from_line(message, letter.time)?;
    let mut out = [lead, &envelope].concat();
    let mut quoter = Quoter::default();
    let mut piece = vec![0; PIECE];
    loop {
        let count = message.read(&mut piece)?;
        quoter.quote(piece.get(..count).unwrap_or_default(), &mut out);
        if count == 0 {
            break;
        }
        to(&out)?;
        out.clear();
    }
    quoter.end(&mut out);
    to(&out)
}

/// Whether the lines from here on are this message as it stands in such a file, whatever readers have
/// done to its header.
fn is_message(there: &mut impl BufRead, mut message: impl BufRead) -> io::Result<bool> {
    let (mut one, mut other) = (Vec::new(), Vec::new());
    let mut in_header = true;
    loop {
        other.clear();
        let mut more = next_line(&mut message, &mut other)?;
        while in_header && is_readers(&other) {
            other.clear();
            more = next_line(&mut message, &mut other)?;
        }
        if more == 0 {
            return Ok(true);
        }
        let mut expected = Vec::new();
        let mut quoter = Quoter::default();
        quoter.quote(&other, &mut expected);
        one.clear();
        next_line(there, &mut one)?;
        while in_header && is_readers(&one) {
            one.clear();
            next_line(there, &mut one)?;
        }
        if one.trim_ascii_end() != expected.trim_ascii_end() {
            return Ok(false);
        }
        in_header &= other.trim_ascii() != b"";
    }
}

fn is_readers(line: &[u8]) -> bool {
    let line = line.to_ascii_lowercase();
    READERS.iter().any(|name| line.starts_with(name.as_bytes()))
}

/// A line, or a part of one that is too long to be read at once.
fn next_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    from.take(PIECE as u64).read_until(b'\n', line)
}

/// What is held; all of it goes with this value.
#[derive(Default)]
struct Lock {
    held: Option<PathBuf>,
    beside: Option<(Dir, OsString)>,
}

impl Lock {
    /// No other thread of this process.
    fn hold(&mut self, path: &Path) -> bool {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        if held.insert(path.to_owned()) {
            self.held = Some(path.to_owned());
        }
        self.held.is_some()
    }

    /// The file beside it, where one can be made: others do without it where they may not make any.
    fn beside(&mut self, disk: &Disk, path: &Path) -> io::Result<bool> {
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
fn named_by(dir: &Dir, name: &OsStr) -> String {
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
        if let Some(path) = self.held.take() {
            let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
            held.remove(&path);
        }
    }
}
