//! Octets that have come over a connection and were not taken yet: a buffer of a fixed size, of which what
//! was taken is lent until more octets come.

use std::ops::Range;

/// Four TLS records (RFC 8446 section 5.1), which is what one read may bring.
const SIZE: usize = 64 * 1024;

/// See the [module](self).
pub struct Input {
    octets: Box<[u8]>,
    start: usize,
    end: usize,
    /// How many octets from `start` are known to hold no LF.
    searched: usize,
}

/// How far an input was taken, to go back to before more octets come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mark {
    start: usize,
    searched: usize,
}

impl Mark {
    /// Whether more was taken than there.
    pub fn is_behind(self, other: Self) -> bool {
        self.start > other.start
    }
}

impl Default for Input {
    fn default() -> Self {
        Self {
            octets: vec![0; SIZE].into_boxed_slice(),
            start: 0,
            end: 0,
            searched: 0,
        }
    }
}

impl Input {
    /// Where the next octets are to be put. What was taken is lent no longer.
    pub fn space(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.octets.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.octets.get_mut(self.end..).unwrap_or_default()
    }

    /// So many octets were put into [`Input::space`].
    pub fn filled(&mut self, octets: usize) {
        self.end = (self.end + octets).min(self.octets.len());
    }

    /// Whether all that has come was taken.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// What has come and was not taken.
    pub fn waiting(&self) -> &[u8] {
        self.octets.get(self.start..self.end).unwrap_or_default()
    }

    /// How many octets there are up to and with the first LF.
    pub fn line(&mut self) -> Option<usize> {
        let unsearched = self.waiting().get(self.searched..).unwrap_or_default();
        match memchr::memchr(b'\n', unsearched) {
            Some(at) => Some(self.searched + at + 1),
            None => {
                self.searched = self.waiting().len();
                None
            }
        }
    }

    /// Takes so many octets, or as many as there are: where they stand, for [`Input::lent`].
    pub fn take(&mut self, octets: usize) -> Range<usize> {
        let start = self.start;
        self.start = start.saturating_add(octets).min(self.end);
        self.searched = 0;
        start..self.start
    }

    /// Octets that were taken.
    pub fn lent(&self, range: Range<usize>) -> &[u8] {
        self.octets.get(range).unwrap_or_default()
    }

    /// How far it was taken.
    pub fn mark(&self) -> Mark {
        Mark {
            start: self.start,
            searched: self.searched,
        }
    }

    /// Has what was taken since wait again.
    pub fn back_to(&mut self, mark: Mark) {
        (self.start, self.searched) = (mark.start, mark.searched);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn come(input: &mut Input, octets: &[u8]) {
        input.space()[..octets.len()].copy_from_slice(octets);
        input.filled(octets.len());
    }

    #[test]
    fn a_line_is_found_once_its_end_has_come() {
        let mut input = Input::default();
        come(&mut input, b"a\r");
        assert_eq!(input.line(), None);
        come(&mut input, b"\nb\nc");
        let mark = input.mark();
        let line = input.line().unwrap();
        let range = input.take(line);
        assert_eq!(input.lent(range), b"a\r\n");
        assert_eq!(input.line(), Some(2));
        input.back_to(mark);
        assert_eq!(input.line(), Some(3));
        let all = input.take(usize::MAX);
        assert_eq!(input.lent(all), b"a\r\nb\nc");
        assert!(input.is_empty());
        assert_eq!(input.space().len(), SIZE);
    }
}
