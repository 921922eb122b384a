//! The journal file: lines appended at its end, and what to do when that fails.

use super::chain::Chain;
use super::record::{Entry, LINE_LIMIT};
use super::window::Window;
use crate::durable::line::{escape, unescape, unseal};
use crate::durable::{Dir, File};
use crate::maildir::JournalId;
use crate::term::unhex;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::os::fd::BorrowedFd;

const MAGIC: &str = "popfetch-state";

/// The version of the grammar in `record`. A reader of an older version does not touch the file.
const VERSION: u32 = 3;

/// The version whose lines did not say what they follow ([`super::chain`]).
const UNLINKED: u32 = 2;

/// The first version, whose lines are part of today's grammar.
const FIRST: u32 = 1;

/// An open journal, positioned at its end.
pub(super) struct Journal {
    file: File,
    /// Octets of the file that are known to be whole lines.
    length: u64,
    /// Lines that are not in the file yet.
    waiting: Vec<u8>,
    /// What the next line follows.
    chain: Chain,
    /// What the header says: one more with every compaction and every rebuilding.
    pub(super) generation: u64,
    /// What tells this journal from every other one.
    pub(super) id: JournalId,
    /// Lines could not be written. They are gone, and what is in memory is ahead of the file:
    /// nothing more is written, or it would count as durable what is not. The next run settles
    /// what they would have said.
    failed: bool,
    /// Moreover it is not known what is in the file: a sync failed (E9), or a half-written line
    /// could not be taken back.
    in_doubt: bool,
}

/// What the first line of a journal says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Header {
    /// A journal of this account.
    Ours {
        /// One more with every compaction and every rebuilding.
        generation: u64,
        /// `None` in the first version.
        id: Option<JournalId>,
    },
    /// Written by a newer version of popfetch.
    OtherVersion(u32),
    /// Damaged, or another account's.
    Foreign,
}

/// What became of reading a journal.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Reading {
    /// Octets up to and with the last good line before anything bad.
    pub(super) good: u64,
    /// There is a bad line with others after it: more than a torn end.
    pub(super) damaged: bool,
    /// The last line is bad or has no end.
    pub(super) torn: bool,
    /// What the first line follows; `None` in versions before [`VERSION`].
    pub(super) header: Option<Chain>,
    /// What a line behind the good ones would follow.
    pub(super) chain: Option<Chain>,
}

impl Journal {
    /// The open file.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Begins a journal in an empty file. The header is durable after the first
    /// [`Journal::sync`].
    pub(super) fn begin(file: File, account: &str, generation: u64, id: JournalId) -> Self {
        let mut waiting = Vec::new();
        let account = escape(account.as_bytes());
        let header = format!("{MAGIC}\t{VERSION}\t{account}\t{generation}\t{id}");
        let chain = Chain::begin(header, &mut waiting);
        Self {
            chain,
            file,
            length: 0,
            waiting,
            generation,
            id,
            failed: false,
            in_doubt: false,
        }
    }

    /// Goes on with a journal that has been read up to `length`; cuts off what is behind.
    pub(super) fn resume(
        mut file: File,
        length: u64,
        chain: Chain,
        generation: u64,
        id: JournalId,
    ) -> io::Result<Self> {
        file.truncate(length)?;
        Ok(Self {
            chain,
            file,
            length,
            waiting: Vec::new(),
            generation,
            id,
            failed: false,
            in_doubt: false,
        })
    }

    /// Octets in the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Adds a line to what is waiting; tells where it will stand.
    pub(super) fn add(&mut self, entry: &Entry) -> u64 {
        let place = self.length + self.waiting.len() as u64;
        self.chain.seal(entry.fields(), &mut self.waiting);
        place
    }

    /// Writes what is waiting. If that fails, the file is as it was before, unless even that
    /// cannot be had; then it is in doubt.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.check()?;
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.append(&waiting) {
            self.failed = true;
            self.in_doubt |= self.file.truncate(self.length).is_err();
            return Err(error);
        }
        self.length += waiting.len() as u64;
        Ok(())
    }

    /// Writes what is waiting once it is a good deal.
    pub(super) fn flush_if_large(&mut self) -> io::Result<()> {
        const LARGE: usize = 1024 * 1024;
        if self.waiting.len() < LARGE {
            return Ok(());
        }
        self.flush()
    }

    /// Writes what is waiting and forces it to the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        let synced = self.file.sync();
        self.failed |= synced.is_err();
        self.in_doubt |= synced.is_err();
        synced
    }

    /// Whether lines that could not be written may be in the file all the same.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    fn check(&self) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other(
                "nothing more is written after an earlier error",
            ));
        }
        Ok(())
    }
}

/// Reads the header line of the file `name`. `None` if there is no such file, or an empty one.
pub(super) fn read_header(dir: &Dir, name: &OsStr, account: &str) -> io::Result<Option<Header>> {
    let file = match dir.read(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    header(file, account)
}

/// Reads the header line of a journal. `None` if there is nothing in it.
pub(super) fn header(input: impl Read, account: &str) -> io::Result<Option<Header>> {
    let mut line = Vec::new();
    read_line(&mut BufReader::new(input), &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    Ok(Some(
        parse_header(&line, account).unwrap_or(Header::Foreign),
    ))
}

fn parse_header(line: &[u8], account: &str) -> Option<Header> {
    let mut fields = unseal(line.strip_suffix(b"\n")?)?.split('\t');
    if fields.next()? != MAGIC {
        return None;
    }
    let version = fields.next()?.parse().ok()?;
    if !matches!(version, FIRST | UNLINKED | VERSION) {
        return Some(Header::OtherVersion(version));
    }
    if unescape(fields.next()?)? != account.as_bytes() {
        return None;
    }
    let generation = fields.next()?.parse().ok()?;
    let id = match version {
        FIRST => None,
        _ => Some(JournalId(unhex(fields.next()?.as_bytes())?)),
    };
    Some(Header::Ours { generation, id })
}

/// Which journal stands in a file, whoever's it is; `None` where it is none of this program's, or of
/// the first version.
pub(super) fn id_of(input: impl Read) -> io::Result<Option<JournalId>> {
    header_field(input, 4, |id| Some(JournalId(unhex(id.as_bytes())?)))
}

/// Whose journal stands in a file.
pub(super) fn account_of(input: impl Read) -> io::Result<Option<String>> {
    header_field(input, 2, |account| {
        String::from_utf8(unescape(account)?).ok()
    })
}

fn header_field<T>(
    input: impl Read,
    place: usize,
    parse: impl FnOnce(&str) -> Option<T>,
) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    read_line(&mut BufReader::new(input), &mut line)?;
    let field = || {
        let fields = unseal(line.strip_suffix(b"\n")?)?;
        let ours = fields.split('\t').next() == Some(MAGIC);
        fields.split('\t').nth(place).filter(|_| ours)
    };
    Ok(field().and_then(parse))
}

/// Reads the line that stands at this place.
pub(super) fn read_at(file: &std::fs::File, place: u64) -> io::Result<Option<Entry>> {
    Window::new(file, Window::<std::fs::File>::NARROW).entry(place)
}

/// Reads a journal whose header is in order; calls `each` with every good line and its place.
pub(super) fn read(input: impl Read, mut each: impl FnMut(Entry, u64)) -> io::Result<Reading> {
    read_lines(input, |line, place| {
        Entry::read(line).map(|entry| each(entry, place)).is_some()
    })
}

/// Reads a journal whose header is in order; calls `take_in` with every whole line, without its LF,
/// and its place. It tells whether the line is good.
pub(super) fn read_lines(
    input: impl Read,
    mut take_in: impl FnMut(&[u8], u64) -> bool,
) -> io::Result<Reading> {
    let mut lines = Lines::new(input);
    let header = lines.next()?;
    let mut at = header.len() as u64;
    let mut chain = chain_behind(header);
    let mut reading = Reading {
        good: at,
        header: chain,
        chain,
        ..Reading::default()
    };
    loop {
        let line = lines.next()?;
        if line.is_empty() {
            return Ok(reading);
        }
        let place = at;
        at += line.len() as u64;
        // Something follows the bad line: it was no torn end.
        reading.damaged |= reading.torn;
        let whole = line.strip_suffix(b"\n");
        let is_good = whole.is_some_and(|line| take_in(line, place));
        let is_in_place = match (&mut chain, whole) {
            (Some(chain), Some(line)) => chain.follow(line),
            _ => true,
        };
        // No crash leaves a line that is whole where it was not written.
        reading.damaged |= is_good && !is_in_place;
        match is_good {
            true if !reading.torn && !reading.damaged => {
                (reading.good, reading.chain) = (at, chain)
            }
            true => {}
            false => reading.torn = true,
        }
        // Whoever looks without the lock may meet a line that is being written. Its rest, come
        // meanwhile, would be taken for another bad line.
        if !line.ends_with(b"\n") && line.len() < LINE_LIMIT {
            return Ok(reading);
        }
    }
}

/// What the first line of a journal follows, if its lines say what they follow.
fn chain_behind(header: &[u8]) -> Option<Chain> {
    let header = header.strip_suffix(b"\n")?;
    let mut fields = unseal(header)?.split('\t');
    let is_linked = fields.next()? == MAGIC && fields.next()?.parse() == Ok(VERSION);
    is_linked.then(|| Chain::behind(header))?
}

/// Lines with their endings, where they were read to: most of a journal is only looked at once.
struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// What is read and not given yet.
    unread: Range<usize>,
}

impl<R: Read> Lines<R> {
    /// Octets read at a time; far more than [`LINE_LIMIT`].
    const BUFFER: usize = 256 * 1024;

    fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; Self::BUFFER],
            unread: 0..0,
        }
    }

    /// The next line, or as much as a line may have; empty at the end.
    fn next(&mut self) -> io::Result<&[u8]> {
        let mut searched = 0;
        let length = loop {
            let unread = self.buffer.get(self.unread.clone()).unwrap_or_default();
            let most = unread.len().min(LINE_LIMIT);
            let rest = unread.get(searched..most).unwrap_or_default();
            if let Some(end) = memchr::memchr(b'\n', rest) {
                break searched + end + 1;
            }
            if most == LINE_LIMIT || !self.fill()? {
                break most;
            }
            searched = most;
        };
        let line = self.unread.start..self.unread.start + length;
        self.unread.start = line.end;
        Ok(self.buffer.get(line).unwrap_or_default())
    }

    /// Reads more; whether there was any.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        let space = self.buffer.get_mut(self.unread.end..).unwrap_or_default();
        let read = loop {
            match self.input.read(space) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.unread.end += read;
        Ok(read > 0)
    }
}

/// Reads a line with its ending, or as much as a line may have.
fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    lines.take(LINE_LIMIT as u64).read_until(b'\n', line)?;
    Ok(())
}

#[cfg(test)]
mod tests;
