//! The journal file: lines appended at its end, and what to do when that fails.

use super::record::{self, Entry, LINE_LIMIT};
use crate::durable::{Dir, File};
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};

const MAGIC: &str = "popfetch-state";

/// The version of the grammar in `record`. A reader of another version does not touch the file.
const VERSION: u32 = 1;

/// An open journal, positioned at its end.
pub(super) struct Journal {
    file: File,
    /// Octets of the file that are known to be whole lines.
    length: u64,
    /// Lines that are not in the file yet.
    waiting: Vec<u8>,
    /// What the header says: one more with every compaction and every rebuilding.
    pub(super) generation: u64,
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
    Ours { generation: u64 },
    /// Written by another version of popfetch.
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
}

impl Journal {
    /// Begins a journal in an empty file. The header is durable after the first
    /// [`Journal::sync`].
    pub(super) fn begin(file: File, account: &str, generation: u64) -> Self {
        let mut waiting = Vec::new();
        let account = record::escape(account.as_bytes());
        let header = format!("{MAGIC}\t{VERSION}\t{account}\t{generation}");
        record::seal(header, &mut waiting);
        Self {
            file,
            length: 0,
            waiting,
            generation,
            failed: false,
            in_doubt: false,
        }
    }

    /// Goes on with a journal that has been read up to `length`; cuts off what is behind.
    pub(super) fn resume(mut file: File, length: u64, generation: u64) -> io::Result<Self> {
        file.truncate(length)?;
        Ok(Self {
            file,
            length,
            waiting: Vec::new(),
            generation,
            failed: false,
            in_doubt: false,
        })
    }

    /// Octets in the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Adds a line to what is waiting.
    pub(super) fn add(&mut self, entry: &Entry) {
        entry.write(&mut self.waiting);
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
    let mut fields = record::unseal(line.strip_suffix(b"\n")?)?.split('\t');
    if fields.next()? != MAGIC {
        return None;
    }
    let version = fields.next()?.parse().ok()?;
    if version != VERSION {
        return Some(Header::OtherVersion(version));
    }
    if record::unescape(fields.next()?)? != account.as_bytes() {
        return None;
    }
    let generation = fields.next()?.parse().ok()?;
    Some(Header::Ours { generation })
}

/// Reads a journal whose header is in order; calls `each` with every good line.
pub(super) fn read(input: impl Read, mut each: impl FnMut(Entry)) -> io::Result<Reading> {
    let mut lines = BufReader::with_capacity(256 * 1024, input);
    let mut line = Vec::new();
    let mut reading = Reading::default();
    read_line(&mut lines, &mut line)?;
    let mut at = line.len() as u64;
    reading.good = at;
    loop {
        line.clear();
        read_line(&mut lines, &mut line)?;
        if line.is_empty() {
            return Ok(reading);
        }
        at += line.len() as u64;
        // Something follows the bad line: it was no torn end.
        reading.damaged |= reading.torn;
        match line.strip_suffix(b"\n").and_then(Entry::read) {
            Some(entry) => {
                if !reading.torn && !reading.damaged {
                    reading.good = at;
                }
                each(entry);
            }
            None => reading.torn = true,
        }
        // Whoever looks without the lock may meet a line that is being written. Its rest, come
        // meanwhile, would be taken for another bad line.
        if !line.ends_with(b"\n") && line.len() < LINE_LIMIT {
            return Ok(reading);
        }
    }
}

/// Reads a line with its ending, or as much as a line may have.
fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    lines.take(LINE_LIMIT as u64).read_until(b'\n', line)?;
    Ok(())
}

#[cfg(test)]
mod tests;
