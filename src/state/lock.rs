//! One process an account: the kernel's lock on a file that is never renamed, and removed with its
//! account alone, by who holds it (E7).
//!
//! The file also says who holds it, for the other one's error message, and how long the journal
//! was when it was last synced, so that a journal that lost its end, or was restored from a backup,
//! is noticed; and since when the clock has been in doubt.

use super::{Error, clock};
use crate::durable::line::{seal, unseal};
use crate::durable::{Dir, File};
use crate::system;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;

/// No fetch of what comes in a day takes so many seconds, an hour; a first one of years of mail may.
const LONG: i64 = 60 * 60;

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
    /// Since when the clock has been in doubt.
    pub(super) doubted: Option<i64>,
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
        let locked = loop {
            let locked = file.try_lock().map_err(|source| Error::NoLocks {
                path: dir.path().join(name),
                source,
            })?;
            // Whoever removes an account removes this file, and its lock is nobody's then.
            if !locked || dir.is_still(name, &file).map_err(io)? {
                break locked;
            }
            file = dir.open_or_create(name).map_err(io)?;
        };
        let told = read(&mut file).map_err(io)?;
        if !locked {
            return Err(held_by(told.map(|told| told.holder), now));
        }
        if told.is_none() {
            // No lock of ours: it may be new, but it may not be some other file by a hard link.
            file.check_sole_name().map_err(io)?;
        }
        let holder = Holder {
            pid: std::process::id(),
            since: now,
        };
        let mark = told.map(|told| told.mark);
        let mut lock = Self {
            file,
            mark,
            doubted: told.and_then(|told| told.doubted_by(now)),
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
        let mut text = format!("popfetch-lock\t{pid}\t{since}\t{generation}\t{length}");
        if let Some(doubted) = self.doubted {
            text += &format!("\t{doubted}");
        }
        seal(text, &mut line);
        self.file.truncate(0)?;
        self.file.append(&line)
    }
}

/// That an account is held.
pub(super) fn held_by(holder: Option<Holder>, now: i64) -> Error {
    let long = holder.filter(|holder| now.saturating_sub(holder.since) >= LONG);
    long.map_or(Error::Held(holder), |holder| Error::HeldLong {
        holder,
        now,
    })
}

/// Who holds an account, without a lock being taken: a fetch that begins at this moment would find it
/// taken. The system lists its locks by the process and the number of the file; where it does not, nobody
/// is known to hold it.
pub(super) fn holder(dir: &Dir, name: &OsStr) -> io::Result<Option<Holder>> {
    let file = match dir.read(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let inode = file.metadata()?.ino();
    let Some(Told { holder, .. }) = read_from(file)? else {
        return Ok(None);
    };
    Ok(system::is_locked_by(holder.pid, inode).then_some(holder))
}

/// What the file says.
#[derive(Clone, Copy)]
struct Told {
    holder: Holder,
    mark: Mark,
    doubted: Option<i64>,
}

impl Told {
    fn doubted_by(self, now: i64) -> Option<i64> {
        clock::doubted_since(Some(self.holder.since), self.doubted, now)
    }
}

/// Since when the clock would be in doubt for who took the lock now; `None` within `Some` where it
/// would not, and `None` where the file does not say.
pub(super) fn doubted_by(dir: &Dir, name: &OsStr, now: i64) -> io::Result<Option<Option<i64>>> {
    match dir.read(name) {
        Ok(file) => Ok(read_from(file)?.map(|told| told.doubted_by(now))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(file: &mut File) -> io::Result<Option<Told>> {
    read_from(file.reader()?)
}

fn read_from(file: impl Read) -> io::Result<Option<Told>> {
    const LONGEST: u64 = 256;
    let mut line = Vec::new();
    file.take(LONGEST).read_to_end(&mut line)?;
    Ok(parse(&line))
}

fn parse(line: &[u8]) -> Option<Told> {
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
    let doubted = match next() {
        Some(doubted) => Some(doubted.parse().ok()?),
        None => None,
    };
    Some(Told {
        holder,
        mark,
        doubted,
    })
}
