//! One process an account: the kernel's lock on a file that is never renamed or removed (E7).
//!
//! The file also says who holds it, for the other one's error message, and how long the journal
//! was when it was last synced, so that a journal that lost its end, or was restored from a backup,
//! is noticed.

use super::Error;
use crate::durable::line::{seal, unseal};
use crate::durable::{Dir, File};
use std::ffi::OsStr;
use std::io::{self, Read};

/// What was certainly on the disk when the last run ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Mark {
    pub(super) generation: u64,
    pub(super) length: u64,
}

/// Who holds an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// When it took the lock, in seconds since 1970.
    pub since: i64,
}

pub(super) struct Lock {
    file: File,
    /// `None` where the file was new or unreadable.
    pub(super) mark: Option<Mark>,
    /// When the last run began, as far as that is known.
    pub(super) last_run: Option<i64>,
    holder: Holder,
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub(super) fn take(dir: &Dir, name: &OsStr, now: i64) -> Result<Self, Error> {
        let io = |source| Error::Io {
            path: dir.path().join(name),
            source,
        };
        let mut file = dir.open_or_create(name).map_err(io)?;
        let locked = file.try_lock().map_err(|source| Error::NoLocks {
            path: dir.path().join(name),
            source,
        })?;
        let told = read(&mut file).map_err(io)?;
        if !locked {
            return Err(Error::Held(told.map(|(holder, _)| holder)));
        }
        if told.is_none() {
            // No lock of ours: it may be new, but it may not be some other file by a hard link.
            file.check_sole_name().map_err(io)?;
        }
        let holder = Holder {
            pid: std::process::id(),
            since: now,
        };
        let mark = told.map(|(_, mark)| mark);
        let mut lock = Self {
            file,
            mark,
            last_run: told.map(|(holder, _)| holder.since),
            holder,
        };
        lock.write(mark.unwrap_or_default()).map_err(io)?;
        Ok(lock)
    }

    /// Notes how far the journal is synced. Not synced itself: an older mark promises less, and
    /// an unreadable one only costs a look into the Maildir.
    pub(super) fn write(&mut self, mark: Mark) -> io::Result<()> {
        let Holder { pid, since } = self.holder;
        let Mark { generation, length } = mark;
        let mut line = Vec::new();
        let text = format!("popfetch-lock\t{pid}\t{since}\t{generation}\t{length}");
        seal(text, &mut line);
        self.file.truncate(0)?;
        self.file.append(&line)
    }
}

fn read(file: &mut File) -> io::Result<Option<(Holder, Mark)>> {
    const LONGEST: u64 = 256;
    let mut line = Vec::new();
    file.reader()?.take(LONGEST).read_to_end(&mut line)?;
    Ok(parse(&line))
}

fn parse(line: &[u8]) -> Option<(Holder, Mark)> {
    let text = unseal(line.strip_suffix(b"\n")?)?;
    let mut fields = text.strip_prefix("popfetch-lock\t")?.split('\t');
    let mut next = || fields.next();
    let holder = Holder {
        pid: next()?.parse().ok()?,
        since: next()?.parse().ok()?,
    };
    let mark = Mark {
        generation: next()?.parse().ok()?,
        length: next()?.parse().ok()?,
    };
    Some((holder, mark))
}
