//! What is in an mbox file and not accounted for: an earlier run may have appended it, of which nothing
//! is known any more.
//!
//! A state that was restored from before, or lost, does not know what was appended since. So it notes up
//! to where the file is accounted for ([`Extent`]), and what stands behind that, or all of a file that is
//! not what it was, is looked through once a run.

use super::compare::{Header, is_message, next_line, read_header};
use crate::durable;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// So many octets at the end say whether a file is what it was.
const TAIL: u64 = 4096;

/// How long an mbox file was when all that was in it had been accounted for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Extent {
    /// Its octets.
    pub octets: u64,
    /// What the last of them were: the beginning of their hash.
    pub tail: [u8; 8],
}

impl Extent {
    /// That of a file up to this place.
    pub(super) fn of(file: &mut durable::File, octets: u64) -> io::Result<Self> {
        let mut hash = Sha256::new();
        let back = octets.min(TAIL);
        let mut last = Vec::new();
        let read = file.reader_at(octets - back)?.take(back);
        let read = BufReader::new(read).read_to_end(&mut last)?;
        if read as u64 != back {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hash.update(&last);
        let hash: [u8; 32] = hash.finalize().into();
        let tail = hash.first_chunk().copied().unwrap_or_default();
        Ok(Self { octets, tail })
    }
}

/// Messages by the hashes of their headers, with the places that they begin at.
#[derive(Default)]
pub(super) struct Index {
    /// In order.
    messages: Vec<(u64, u64)>,
    /// All before this is accounted for, or among them.
    end: Option<Extent>,
}

impl Index {
    /// Takes in what has been added since it was last asked, or behind `known`; all of it where the file
    /// is not what it was. Tells whether there was anything.
    pub(super) fn catch_up(
        &mut self,
        file: &mut durable::File,
        length: u64,
        known: Option<Extent>,
    ) -> io::Result<bool> {
        let end = self.end.or(known);
        let is_as_it_was = match end {
            Some(end) if end.octets <= length => Extent::of(file, end.octets)? == end,
            _ => false,
        };
        let from = end.filter(|_| is_as_it_was).map_or(0, |end| end.octets);
        if !is_as_it_was {
            self.messages.clear();
        }
        let has_more = from < length;
        if has_more {
            self.read(file, from)?;
        }
        self.end = Some(Extent::of(file, length)?);
        Ok(has_more)
    }

    fn read(&mut self, file: &mut durable::File, from: u64) -> io::Result<()> {
        let mut lines = BufReader::with_capacity(super::PIECE, file.reader_at(from)?);
        let mut at = from;
        let mut line = Vec::new();
        let mut is_behind_empty = true;
        loop {
            line.clear();
            let count = next_line(&mut lines, &mut line)?;
            if count == 0 {
                break;
            }
            if is_behind_empty && line.starts_with(b"From ") {
                let mut counted = Counted {
                    from: &mut lines,
                    octets: 0,
                };
                let header = read_header(&mut counted, true)?;
                self.messages.push((header.hash, at));
                at += count as u64 + counted.octets;
                is_behind_empty = true;
                continue;
            }
            is_behind_empty = line == b"\n";
            at += count as u64;
        }
        self.messages.sort_unstable();
        Ok(())
    }

    /// Whether the message is among them; each of them is found once. `is_it` says of the line before
    /// one whether it counts.
    pub(super) fn find(
        &mut self,
        file: &mut durable::File,
        message: &mut File,
        mut is_it: impl FnMut(&[u8]) -> bool,
    ) -> io::Result<bool> {
        message.seek(SeekFrom::Start(0))?;
        let Header { hash, is_stamped } = read_header(&mut BufReader::new(&mut *message), false)?;
        if !is_stamped {
            return Ok(false);
        }
        let first = self.messages.partition_point(|(other, _)| *other < hash);
        let places = self.messages.get(first..).unwrap_or_default();
        let places = places.iter().take_while(|(other, _)| *other == hash);
        let places: Vec<u64> = places.map(|(_, place)| *place).collect();
        let mut envelope = Vec::new();
        for (index, place) in (first..).zip(places) {
            let mut there = BufReader::new(file.reader_at(place)?);
            envelope.clear();
            next_line(&mut there, &mut envelope)?;
            message.seek(SeekFrom::Start(0))?;
            let is_same = is_message(&mut there, &mut BufReader::new(&mut *message))?;
            drop(there);
            if is_same && is_it(&envelope) {
                self.messages.remove(index);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// There are none.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Up to where the file has been looked through, once it has been.
    pub(super) fn end(&self) -> Option<Extent> {
        self.end
    }

    /// What was appended since is known.
    pub(super) fn pass(&mut self, end: Extent) {
        self.end = Some(end);
    }
}

/// Counts what is read.
struct Counted<'a, R> {
    from: &'a mut R,
    octets: u64,
}

impl<R: BufRead> Read for Counted<'_, R> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(octets)?;
        self.octets += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.from.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.octets += count as u64;
        self.from.consume(count);
    }
}
