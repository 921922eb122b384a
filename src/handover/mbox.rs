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
mod lock;

pub use index::Extent;

use super::envelope::from_line;
use super::quote::Quoter;
use super::{Answer, Letter, Unable};
use crate::durable::{self, Dir, Disk, advice, is_untrusted};
use crate::exit::Status;
use crate::moment::Moment;
use crate::stop::Stop;
use compare::{is_message, next_line};
use index::Index;
use lock::Lock;
use rustix::fs::{FlockOperation, fcntl_lock};
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
    /// How long it was when the same message was to be appended, where nobody knows what came of that.
    pub left: Option<u64>,
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

type Known = dyn Fn(&[u8; 32]) -> Vec<i64> + Send;

type Unfinished = dyn Fn() -> Vec<(Letter, u64)> + Send;

/// What the accounts' states say of a file.
pub struct Ledger {
    /// When messages with these octets (their SHA-256) were fetched that were appended to any file, as
    /// far as the accounts know that append to this one: seconds since 1970.
    known: Box<Known>,
    /// What the others of them were about to append when they were ended, and to a file of which length.
    unfinished: Box<Unfinished>,
    index: Index,
    has_more: bool,
    /// Messages that were found in this run: what their states say now is of these.
    found: Vec<([u8; 32], i64)>,
}

impl Ledger {
    /// That of accounts that are asked so.
    pub fn new(
        known: impl Fn(&[u8; 32]) -> Vec<i64> + Send + 'static,
        unfinished: impl Fn() -> Vec<(Letter, u64)> + Send + 'static,
    ) -> Self {
        Self {
            known: Box::new(known),
            unfinished: Box::new(unfinished),
            index: Index::default(),
            has_more: false,
            found: Vec::new(),
        }
    }

    /// What a state knows of is not what the states have forgotten.
    fn times_of(&self, sha256: &[u8; 32]) -> Vec<i64> {
        let mut times = (self.known)(sha256);
        for (_, found) in self.found.iter().filter(|(other, _)| other == sha256) {
            let place = times.iter().position(|time| time == found);
            place.map(|place| times.swap_remove(place));
        }
        times
    }

    fn appended(&self, remark: Option<String>) -> Appended {
        Appended {
            remark,
            extent: self.index.end(),
            is_all: !self.has_more,
        }
    }
}

/// What stands at a place of the file.
enum Standing {
    /// The message as a whole, up to there.
    Whole(u64),
    /// A part of it, and then the file's end.
    Half,
    /// Nothing: the file ends there.
    End,
    /// Something else.
    Other,
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
            return Err(Answer::Appended(ledger.appended(remark)));
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
                Answer::Appended(ledger.appended(None))
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
        // Each message would wait as long.
        let busy = || {
            Answer::Hangs(format!(
                "{} is locked by another program{}",
                self.path.display(),
                lock::named_by(&dir, name)
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
            lock,
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
    /// Whether the message is in the file, and what is to be said of that.
    fn look(
        &mut self,
        path: &Path,
        (letter, message): (&Letter, &mut File),
        before: &Before,
        ledger: &mut Ledger,
    ) -> io::Result<Option<Option<String>>> {
        if !self.lock.is_as_left(self.length) {
            self.cut_halves((ledger.unfinished)())?;
        }
        let mut known = before.known.unwrap_or_default();
        if let Some(left) = before.left {
            let (is_there, end) = self.settle(letter, message, left)?;
            if let Some(end) = end.filter(|_| known.octets == left) {
                known = Extent::of(&mut self.file, end)?;
            }
            if is_there {
                let length = self.length;
                ledger.has_more |= ledger.index.catch_up(&mut self.file, length, known)?;
                return Ok(Some(None));
            }
        }
        let length = self.length;
        ledger.has_more |= ledger.index.catch_up(&mut self.file, length, known)?;
        if ledger.index.is_empty() {
            return Ok(None);
        }
        let mut index = std::mem::take(&mut ledger.index);
        let mut known: Option<Vec<i64>> = None;
        let is_forgotten = |envelope: &[u8]| {
            let known = known.get_or_insert_with(|| ledger.times_of(&letter.sha256));
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
        ledger.found.push((letter.sha256, letter.time));
        Ok(Some(Some(format!("it was in {} already", path.display()))))
    }

    /// Cuts off what other accounts have left of messages.
    fn cut_halves(&mut self, unfinished: Vec<(Letter, u64)>) -> io::Result<()> {
        for (letter, at) in unfinished {
            if at >= self.length {
                continue;
            }
            let Ok(mut message) = File::open(&letter.path) else {
                // Nobody can tell what of it is there.
                continue;
            };
            if let Standing::Half = self.standing(&letter, &mut message, at)? {
                self.cut(at)?;
            }
        }
        Ok(())
    }

    fn cut(&mut self, at: u64) -> io::Result<()> {
        self.file.truncate(at)?;
        self.file.sync()?;
        self.length = at;
        Ok(())
    }

    /// Whether the message is there as a whole, and where it ends if that is where it was to be appended;
    /// what is there of a half is cut off.
    fn settle(
        &mut self,
        letter: &Letter,
        message: &mut File,
        left: u64,
    ) -> io::Result<(bool, Option<u64>)> {
        match self.standing(letter, message, left)? {
            Standing::Whole(end) => Ok((true, Some(end))),
            Standing::End => Ok((false, None)),
            Standing::Half => self.cut(left).map(|()| (false, None)),
            Standing::Other => Ok((self.find(letter, message)?, None)),
        }
    }

    fn standing(&mut self, letter: &Letter, message: &mut File, at: u64) -> io::Result<Standing> {
        if at >= self.length {
            return Ok(match at == self.length {
                true => Standing::End,
                false => Standing::Other,
            });
        }
        let lead = self.lead(at)?;
        let mut there = BufReader::with_capacity(PIECE, self.file.reader_at(at)?);
        let (mut is_same, mut end) = (true, at);
        let mut piece = vec![0; PIECE];
        let mut is_cut = false;
        write(lead, letter, message, |octets| {
            let mut octets = octets;
            while !octets.is_empty() && is_same && !is_cut {
                let most = octets.len().min(PIECE);
                let count = there.read(piece.get_mut(..most).unwrap_or_default())?;
                let (one, rest) = octets.split_at(count);
                is_same = piece.get(..count) == Some(one);
                is_cut = count == 0;
                end += count as u64;
                octets = rest;
            }
            Ok(())
        })?;
        Ok(match (is_same, is_cut) {
            (true, false) => Standing::Whole(end),
            (true, true) => Standing::Half,
            (false, _) => Standing::Other,
        })
    }

    /// Whether the message is anywhere in a file that a mail reader has written afresh.
    fn find(&mut self, letter: &Letter, message: &mut File) -> io::Result<bool> {
        let envelope = from_line(message, letter.time)?;
        let mut lines = BufReader::with_capacity(PIECE, self.file.reader()?);
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
            if is_message(&mut lines, &mut BufReader::new(&mut *message))? {
                return Ok(true);
            }
        }
    }

    /// Gives how long it is then.
    fn append(&mut self, letter: &Letter, message: &mut File) -> io::Result<u64> {
        let lead = self.lead(self.length)?;
        self.file.truncate(self.length)?;
        let (file, mut end) = (&mut self.file, self.length);
        write(lead, letter, message, |octets| {
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

/// Gives what a message is in the file, piece by piece.
pub(super) fn write(
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
