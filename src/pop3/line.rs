//! Line framing (RFC 1939 section 3).

/// The longest status line, greeting included. RFC 2449 section 4 says 512 octets; twice the
/// size of any real one, and small enough that an endless one costs nothing.
pub const STATUS_LIMIT: usize = 8 * 1024;

/// The longest line of a listing that is read. A longer one is bad, alone: the listing goes on.
pub const LISTING_LINE_LIMIT: usize = 2 * 1024;

/// A listing line that has not ended after this many octets never will.
pub const ENDLESS_LINE: u64 = 1024 * 1024;

/// A line that was found in the input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Line {
    /// Octets of the line without its ending.
    pub(super) content: usize,
    /// Octets with the ending.
    pub(super) whole: usize,
    /// It ended in CRLF, as it should, and not in a bare LF.
    pub(super) crlf: bool,
}

/// Finds the first line of `input`, of which the first `searched` octets are known to hold no LF.
pub(super) fn find(input: &[u8], searched: usize) -> Option<Line> {
    let newline = searched + memchr::memchr(b'\n', input.get(searched..)?)?;
    let before = input.get(..newline)?;
    let crlf = before.ends_with(b"\r");
    Some(Line {
        content: newline - usize::from(crlf),
        whole: newline + 1,
        crlf,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_in_crlf_or_in_a_bare_lf() {
        let (crlf, lf) = (find(b"+OK\r\nx", 0).unwrap(), find(b"+OK\nx", 0).unwrap());
        assert_eq!((crlf.content, crlf.whole, crlf.crlf), (3, 5, true));
        assert_eq!((lf.content, lf.whole, lf.crlf), (3, 4, false));
    }

    #[test]
    fn a_carriage_return_alone_ends_nothing() {
        assert_eq!(find(b"+OK\r", 0), None);
        assert_eq!(find(b"a\rb\r\n", 0).unwrap().content, 3);
    }
}
