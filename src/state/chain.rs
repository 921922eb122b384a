//! What holds the lines of a journal in their order, and to their journal.
//!
//! A line's checksum says that the line is whole. It does not say that the line stands where it was
//! written: two lines exchanged, one left out or repeated, or a few of another journal or of an
//! older copy are good one by one, and a message that they make forgotten comes twice. So each line
//! bears, before its own checksum, a tab, `<`, the checksum of the line before it, and the last
//! [`MARK`] digits of the header's, which tell a journal and its generation from the others.

use crate::durable::line::seal;

/// Digits of a checksum.
const SUM: usize = 8;

/// Digits of the header's checksum that each line repeats. A line of another journal has them once in
/// 65,536 times; that it is out of place is seen all the same.
const MARK: usize = 4;

/// What comes before the tab and the checksum of a line: a tab, `<`, and the digits.
const LINK: usize = 2 + SUM + MARK;

/// The digits of a checksum, as they are written.
pub(super) type Sum = [u8; SUM];

/// Up to where the lines of a journal were read or written in their order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Chain {
    mark: [u8; MARK],
    last: Sum,
}

/// What a line says of its place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Link {
    /// The checksum of the line before.
    pub(super) before: Sum,
    /// Its own.
    pub(super) own: Sum,
    mark: [u8; MARK],
}

impl Chain {
    /// Writes a journal's header, and begins behind it.
    pub(super) fn begin(header: String, out: &mut Vec<u8>) -> Self {
        seal(header, out);
        let line = out.strip_suffix(b"\n").unwrap_or_default();
        // A line that was sealed has a checksum.
        Self::behind(line).unwrap_or(Self {
            mark: [b'0'; MARK],
            last: [b'0'; SUM],
        })
    }

    /// Begins behind a journal's header, given without its LF.
    pub(super) fn behind(header: &[u8]) -> Option<Self> {
        let last = *header.last_chunk::<SUM>()?;
        let mark = *last.last_chunk::<MARK>()?;
        Some(Self { mark, last })
    }

    /// Appends a line with its link and its checksum.
    pub(super) fn seal(&mut self, mut fields: String, out: &mut Vec<u8>) {
        fields.push_str("\t<");
        // They are digits.
        fields.extend(self.last.iter().chain(&self.mark).copied().map(char::from));
        seal(fields, out);
        let line = out.strip_suffix(b"\n").and_then(<[u8]>::last_chunk);
        if let Some(own) = line {
            self.last = *own;
        }
    }

    /// Goes on to a line, given without its LF; tells whether it stands where it was written.
    pub(super) fn follow(&mut self, line: &[u8]) -> bool {
        let Some(link) = Link::of(line) else {
            return false;
        };
        let follows = self.owns(&link) && link.before == self.last;
        self.last = link.own;
        follows
    }

    /// Whether a line was written to this journal, in this generation.
    pub(super) fn owns(&self, link: &Link) -> bool {
        link.mark == self.mark
    }

    /// The checksum of the line that the next one follows.
    pub(super) fn last(&self) -> Sum {
        self.last
    }
}

impl Link {
    /// That of a line, given without its LF.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        let (line, own) = line.split_last_chunk::<SUM>()?;
        let (_, link) = line.strip_suffix(b"\t")?.split_last_chunk::<LINK>()?;
        let (before, mark) = link.strip_prefix(b"\t<")?.split_first_chunk::<SUM>()?;
        Some(Self {
            before: *before,
            own: *own,
            mark: *mark.first_chunk()?,
        })
    }
}

/// The fields of a line without its link. No field that stands last begins like one.
pub(super) fn without_link(fields: &[u8]) -> &[u8] {
    match fields.split_last_chunk::<LINK>() {
        Some((fields, [b'\t', b'<', ..])) => fields,
        _ => fields,
    }
}
