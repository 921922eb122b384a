//! Lines of a journal by their places. Those that follow each other are read together.

use super::record::{Entry, LINE_LIMIT};
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;

/// What can be read from any place without moving anything.
pub(super) trait ReadAt {
    /// Reads octets from `place` on; 0 at the end.
    fn octets_at(&self, buffer: &mut [u8], place: u64) -> io::Result<usize>;
}

impl ReadAt for fs::File {
    fn octets_at(&self, buffer: &mut [u8], place: u64) -> io::Result<usize> {
        loop {
            match self.read_at(buffer, place) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

impl ReadAt for [u8] {
    fn octets_at(&self, buffer: &mut [u8], place: u64) -> io::Result<usize> {
        let begin = usize::try_from(place).unwrap_or(usize::MAX);
        let rest = self.get(begin..).unwrap_or_default();
        let (read, _) = rest.split_at(rest.len().min(buffer.len()));
        for (octet, read) in buffer.iter_mut().zip(read) {
            *octet = *read;
        }
        Ok(read.len())
    }
}

/// As much of a journal as is read at once.
pub(super) struct Window<'a, S: ?Sized> {
    source: &'a S,
    begin: u64,
    octets: Vec<u8>,
    filled: usize,
    size: usize,
}

impl<'a, S: ReadAt + ?Sized> Window<'a, S> {
    /// For a line here and there: nearly every one is shorter than this.
    pub(super) const NARROW: usize = 1024;

    /// For one line after the other.
    pub(super) const WIDE: usize = 64 * 1024;

    pub(super) fn new(source: &'a S, size: usize) -> Self {
        Self {
            source,
            begin: 0,
            octets: Vec::new(),
            filled: 0,
            size,
        }
    }

    /// Reads the line that stands at this place; `None` where there is no good one.
    pub(super) fn entry(&mut self, place: u64) -> io::Result<Option<Entry>> {
        Ok(self.line(place)?.and_then(Entry::read))
    }

    fn line(&mut self, place: u64) -> io::Result<Option<&[u8]>> {
        let offset = place.checked_sub(self.begin).map(usize::try_from);
        let known = offset
            .and_then(Result::ok)
            .and_then(|offset| Some((offset, self.end_of_line(offset)?)));
        let (from, end) = match known {
            Some(line) => line,
            None => match self.fill(place)? {
                Some(end) => (0, end),
                None => return Ok(None),
            },
        };
        Ok(self.octets.get(from..end))
    }

    /// Reads from `place` on until there is a whole line; tells where it ends.
    fn fill(&mut self, place: u64) -> io::Result<Option<usize>> {
        (self.begin, self.filled) = (place, 0);
        self.octets.resize(self.size, 0);
        loop {
            let space = self.octets.get_mut(self.filled..).unwrap_or_default();
            let read = self.source.octets_at(space, place + self.filled as u64)?;
            self.filled += read;
            if let Some(end) = self.end_of_line(0) {
                return Ok(Some(end));
            }
            if read == 0 || self.filled >= LINE_LIMIT {
                return Ok(None);
            }
            if self.filled == self.octets.len() {
                self.octets.resize(self.octets.len() * 2, 0);
            }
        }
    }

    fn end_of_line(&self, from: usize) -> Option<usize> {
        let octets = self.octets.get(from..self.filled)?;
        Some(from + memchr::memchr(b'\n', octets)?)
    }
}
