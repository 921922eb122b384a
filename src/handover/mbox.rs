//! An mbox file that messages are appended to, as mail readers and local mail servers have it.
//!
//! A message begins with a line `From sender date`, and ends with an empty line; a line of it that begins
//! with `From `, whatever `>` stand before, gets one `>` more (mboxrd), so that it can be had back octet
//! for octet. Readers rewrite such files, so it is locked as they lock: by a file beside it, and by
//! fcntl. How long it was is written down before anything is appended: what a crash left of a message is
//! cut off again, by this account or another one that appends there, and what is there as a whole counts.
//! What an earlier run has appended that nothing is known of any more is found again (`index`).

mod compare;
mod index;
mod ledger;
mod lock;
mod standing;

pub use index::Extent;
pub use ledger::{Ledger, Times, Unfinished};

use super::envelope::from_line;
use super::quote::Quoter;
use super::{Answer, Letter, Unable};
use crate::durable::{self, Dir, Disk, advice, is_untrusted};
use crate::exit::Status;
use crate::moment::Moment;
use crate::stop::Stop;
use compare::{is_message, next_line};
use lock::{Lock, NotHeld};
use rustix::fs::{FlockOperation, fcntl_lock, fstat};
use standing::Standing;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long to wait for another program to unlock the file. Readers hold it while they rewrite it.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often to look whether it has.
const LOOK: Duration = Duration::from_millis(100);

/// What is read at once.
const PIECE: usize = 64 * 1024;

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
    lock: Lock,
}

/// What is known of the file before a message is appended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Before {
    /// How long it was when the same message was to be appended, and when that had been fetched, in seconds
    /// since 1970; where nobody knows what came of that.
    pub left: Option<(u64, i64)>,
    /// Up to where it is accounted for.
    pub known: Option<Extent>,
}

/// What a message that was appended leaves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Appended {
    /// What is to be said of it, if anything.
    pub remark: Option<String>,
    /// How long the file is.
    pub extent: Extent,
    /// All that is in the file up to there is accounted for. Otherwise something is in it that nothing is
    /// known of, and may be what is still to come.
    pub is_all: bool,
}

impl Mbox {
    /// Locks the file, and tells how long it is.
    pub(super) fn open(
        &self,
        disk: &Disk,
        (letter, file): (&Letter, &mut File),
        before: &Before,
        ledger: &mut Ledger,
        stop: &Stop,
    ) -> Result<(Open, u64), Answer> {
        let mut open = self.lock(disk, stop)?;
        let there = open.look(&self.path, (letter, file), before, ledger);
        if let Some(remark) = there.map_err(|error| self.unable(&error))? {
            open.lock.leave(open.length);
            return Err(self.appended(ledger, remark));
        }
        let length = open.length;
        Ok((open, length))
    }

    /// Appends a message. What cannot be appended as a whole leaves nothing.
    pub(super) fn append(
        &self,
        mut open: Open,
        letter: &Letter,
        file: &mut File,
        ledger: &mut Ledger,
    ) -> Answer {
        let length = open.length;
        let appended = open.append(letter, file).and_then(|end| {
            open.sync()?;
            Extent::of(&mut open.file, end)
        });
        match appended {
            Ok(extent) => {
                open.lock.leave(extent.octets);
                ledger.index.pass(extent);
                self.appended(ledger, None)
            }
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
        let may_wait = || match (stop.requested(), Instant::now() < until) {
            (None, true) => Ok(()),
            (None, false) => Err(NotHeld::OutOfPatience),
            (Some(_), _) => Err(NotHeld::Stopped),
        };
        // Each message would wait as long.
        let busy = |by_whom: String| {
            let path = self.path.display();
            Answer::Hangs(format!("{path} is locked by {by_whom}"))
        };
        let stopped = || {
            let path = self.path.display();
            Answer::Hangs(format!("the run was stopped before {path} could be locked"))
        };
        let wait = || match may_wait() {
            Ok(()) => {
                stop.wait(LOOK);
                Ok(())
            }
            Err(NotHeld::Stopped) => Err(stopped()),
            Err(NotHeld::OutOfPatience) => Err(busy("another program".to_owned())),
        };
        let mut lock = Lock::default();
        lock.hold(&self.path, may_wait).map_err(|why| match why {
            NotHeld::Stopped => stopped(),
            NotHeld::OutOfPatience => busy("another account of this run".to_owned()),
        })?;
        while !lock
            .beside(disk, &self.path)
            .map_err(|error| self.unable(&error))?
        {
            wait().map_err(|answer| match answer {
                Answer::Hangs(why) => Answer::Hangs(format!("{why}{}", lock::named_by(&dir, name))),
                answer => answer,
            })?;
        }
        let (mut file, is_new) = loop {
            let is_new = !dir.contains(name).map_err(|error| self.unable(&error))?;
            let file = dir.open_or_create(name);
            let file = file.map_err(|error| self.unable(&error))?;
            loop {
                match fcntl_lock(file.as_fd(), FlockOperation::NonBlockingLockExclusive) {
                    Ok(()) => break,
                    Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => wait()?,
                    Err(error) => return Err(self.unable(&error.into())),
                }
            }
            // Who had it locked may have put another one in its place, which is what is read from then on.
            let is_still = dir.is_still(name, &file);
            if is_still.map_err(|error| self.unable(&error))? {
                break (file, is_new);
            }
            wait()?;
        };
        let begins = file.reader().and_then(|mut it| {
            let mut start = [0; 5];
            let mut read = 0;
            while let Some(rest) = start.get_mut(read..).filter(|rest| !rest.is_empty()) {
                match it.read(rest)? {
                    0 => break,
                    count => read += count,
                }
            }
            Ok(read == 0 || start == *b"From ")
        });
        let length = begins.and_then(|is_mbox| is_mbox.then(|| length_of(&file)).transpose());
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
            lock,
        })
    }

    fn appended(&self, ledger: &Ledger, remark: Option<String>) -> Answer {
        match ledger.appended(remark) {
            Some(appended) => Answer::Appended(appended),
            // The file was looked through before.
            None => self.unable(&io::ErrorKind::InvalidData.into()),
        }
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
    /// Whether the message is in the file, and what is to be said of that.
    fn look(
        &mut self,
        path: &Path,
        (letter, message): (&Letter, &mut File),
        before: &Before,
        ledger: &mut Ledger,
    ) -> io::Result<Option<Option<String>>> {
        if !self.lock.is_as_left(self.length) {
            self.cut_halves(ledger.unfinished())?;
        }
        let mut known = before.known;
        let mut is_there = false;
        if let Some((left, fetched)) = before.left {
            let end;
            (is_there, end) = self.settle((letter, message), (left, fetched), ledger)?;
            if let Some(end) = end.filter(|_| known.is_none_or(|it| it.octets == left)) {
                known = Some(Extent::of(&mut self.file, end)?);
            }
        }
        ledger.catch_up(&mut self.file, self.length, known)?;
        if is_there {
            return Ok(Some(None));
        }
        if ledger.index.is_empty() {
            return Ok(None);
        }
        let mut index = std::mem::take(&mut ledger.index);
        let mut known: Option<Vec<i64>> = None;
        let is_forgotten = |envelope: &[u8]| {
            let known = known.get_or_insert_with(|| ledger.times_of(letter));
            let of_line = |time: &i64| {
                let date = format!(" {}\n", Moment::as_asctime(*time));
                envelope.ends_with(date.as_bytes())
            };
            let place = known.iter().position(of_line);
            place.map(|place| known.swap_remove(place)).is_none()
        };
        let found = index.find(&mut self.file, message, is_forgotten);
        ledger.index = index;
        if !found? {
            return Ok(None);
        }
        ledger.note_found(letter);
        Ok(Some(Some(format!("it was in {} already", path.display()))))
    }

    /// Whether the message is there as a whole, and where one ends that is where it was to be appended; what is
    /// there of a half is cut off. Those of one run with the same octets have the same line before them: one that
    /// is there is this one only where there are more of them than others are known to be.
    fn settle(
        &mut self,
        (letter, message): (&Letter, &mut File),
        (left, fetched): (u64, i64),
        ledger: &Ledger,
    ) -> io::Result<(bool, Option<u64>)> {
        let end = match self.standing(fetched, message, left)? {
            Standing::Whole(end) => Some(end),
            Standing::End => return Ok((false, None)),
            Standing::Half => return self.cut(left).map(|()| (false, None)),
            // A mail reader has written the file afresh, perhaps.
            Standing::Other => None,
        };
        let others = ledger.others_of(letter, fetched);
        let is_there = match (end, others) {
            (Some(_), 0) => true,
            _ => self.has_more_than(others, fetched, message)?,
        };
        Ok((is_there, end))
    }

    /// Whether the message is in the file more than so many times, wherever that is.
    fn has_more_than(
        &mut self,
        others: usize,
        fetched: i64,
        message: &mut File,
    ) -> io::Result<bool> {
        let envelope = from_line(message, fetched)?;
        let (mut places, mut at) = (Vec::new(), 0);
        let mut lines = BufReader::with_capacity(PIECE, self.file.reader()?);
        let mut line = Vec::new();
        loop {
            line.clear();
            let count = next_line(&mut lines, &mut line)?;
            if count == 0 {
                break;
            }
            at += count as u64;
            if line == envelope {
                places.push(at);
            }
        }
        drop(lines);
        let mut copies = 0;
        for place in places {
            let mut there = BufReader::new(self.file.reader_at(place)?);
            message.seek(SeekFrom::Start(0))?;
            copies += usize::from(is_message(&mut there, &mut BufReader::new(&mut *message))?);
            if copies > others {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives how long it is then.
    fn append(&mut self, letter: &Letter, message: &mut File) -> io::Result<u64> {
        let lead = self.lead(self.length)?;
        self.file.truncate(self.length)?;
        let (file, mut end) = (&mut self.file, self.length);
        write(lead, letter.time, message, |octets| {
            end += octets.len() as u64;
            file.append(octets)
        })?;
        Ok(end)
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

/// How long a file is, whatever has its name by now.
fn length_of(file: &durable::File) -> io::Result<u64> {
    let octets = fstat(file.as_fd())?.st_size;
    Ok(u64::try_from(octets).unwrap_or_default())
}

/// Gives what a message is in the file that was fetched at this time, piece by piece.
pub(super) fn write(
    lead: &[u8],
    time: i64,
    message: &mut File,
    mut to: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let envelope = from_line(message, time)?;
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
