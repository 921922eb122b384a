//! The body of RETR and TOP: byte-stuffing and the termination octet (RFC 1939 section 3).
//!
//! A message is never collected here: `Decoder::decode` tells which octets of the input are the
//! message's, in runs as long as the input allows, and keeps a few facts between calls. Every line
//! that begins with "." after an LF has been byte-stuffed, and loses that dot; a line that is only
//! "." ends the message, as `quirks::ends_message` judges. Line ends are left as they came.

use super::quirks;
use crate::message::{Ending, count_line_ends};
use memchr::memmem;
use std::ops::Range;

/// What the next octets of a multi-line body are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// `content` belongs to the message; `consumed` octets are used up.
    Chunk {
        content: Range<usize>,
        consumed: usize,
    },
    /// The termination octet was found; `consumed` octets are used up.
    End { consumed: usize, ending: Ending },
    /// Nothing can be said before more octets come.
    NeedInput,
}

/// Where in a body the decoder stands.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    /// What the server's scan listing promised; 0 where nothing is known.
    listed: u64,
    /// Octets of the message so far.
    received: u64,
    server_speaks_crlf: bool,
    line: LineStart,
    /// The last octets of the message so far. What it begins with is the beginning of a line.
    last: [u8; 4],
    lines: u64,
    crlf_lines: u64,
    stuffed: u64,
}

/// What came before the next octet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum LineStart {
    AfterCrlf,
    AfterBareLf,
    Inside,
}

impl Decoder {
    /// For a message of about `listed` octets (0: unknown), from a server that ended the status
    /// line with CRLF or with a bare LF.
    pub(super) fn new(listed: u64, server_speaks_crlf: bool) -> Self {
        Self {
            listed,
            received: 0,
            server_speaks_crlf,
            line: LineStart::AfterCrlf,
            last: *b"\r\n\r\n",
            lines: 0,
            crlf_lines: 0,
            stuffed: 0,
        }
    }

    /// Looks at the octets that follow those already consumed.
    pub(super) fn decode(&mut self, input: &[u8]) -> Step {
        let mut stuffing = 0;
        if self.line != LineStart::Inside {
            match input {
                [] | [b'.'] | [b'.', b'\r'] => return Step::NeedInput,
                [b'.', b'\n', ..] if self.ends(false) => return self.end(2),
                [b'.', b'\r', b'\n', ..] if self.ends(true) => return self.end(3),
                // A lone dot that ends nothing was never byte-stuffed: it is the message's own.
                [b'.', b'\n', ..] | [b'.', b'\r', b'\n', ..] => {}
                [b'.', ..] => stuffing = 1,
                _ => {}
            }
        } else if input.is_empty() {
            return Step::NeedInput;
        }
        self.stuffed += stuffing as u64;
        let content = stuffing..self.run_end(input, stuffing);
        self.advance(input.get(content.clone()).unwrap_or_default());
        Step::Chunk {
            consumed: content.end,
            content,
        }
    }

    fn ends(&self, crlf: bool) -> bool {
        quirks::ends_message(
            crlf && self.line == LineStart::AfterCrlf,
            self.server_speaks_crlf,
            self.received >= self.listed,
        )
    }

    fn end(&self, consumed: usize) -> Step {
        let crlf = consumed == 3;
        let ending = Ending {
            octets: self.received,
            lines: self.lines,
            crlf_lines: self.crlf_lines,
            stuffed: self.stuffed,
            last_line_end: match self.last {
                // An empty line, unless a server had to add its own line end behind a bare LF.
                [b'\r', b'\n', b'\r', b'\n'] | [_, _, b'\n', b'\n'] => 0,
                [_, _, b'\r', b'\n'] => 2,
                _ => 1,
            },
            clean: match self.server_speaks_crlf {
                true => crlf && self.line == LineStart::AfterCrlf,
                false => !crlf && self.crlf_lines == 0,
            },
        };
        Step::End { consumed, ending }
    }

    /// The end of the run of octets from `start` that needs no decision: up to the next line that
    /// begins with ".", or all of the input.
    fn run_end(&self, input: &[u8], start: usize) -> usize {
        let rest = input.get(start..).unwrap_or_default();
        match memmem::find(rest, b"\n.") {
            Some(newline) => start + newline + 1,
            None => input.len(),
        }
    }

    fn advance(&mut self, content: &[u8]) {
        let [_, second, third, fourth] = self.last;
        let (lines, crlf_lines) = count_line_ends(content, fourth == b'\r');
        self.received += content.len() as u64;
        self.lines += lines;
        self.crlf_lines += crlf_lines;
        self.last = match content {
            [.., one, two, three, four] => [*one, *two, *three, *four],
            [one, two, three] => [fourth, *one, *two, *three],
            [one, two] => [third, fourth, *one, *two],
            [one] => [second, third, fourth, *one],
            [] => self.last,
        };
        self.line = match self.last {
            [_, _, b'\r', b'\n'] => LineStart::AfterCrlf,
            [_, _, _, b'\n'] => LineStart::AfterBareLf,
            _ => LineStart::Inside,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Decodes `wire`, handed over in pieces that end at `cuts`; the rest comes at once.
    fn decode(wire: &[u8], listed: u64, crlf: bool, cuts: &[usize]) -> Option<(Vec<u8>, usize)> {
        decode_all(wire, listed, crlf, cuts).map(|(message, used, _)| (message, used))
    }

    fn decode_all(
        wire: &[u8],
        listed: u64,
        crlf: bool,
        cuts: &[usize],
    ) -> Option<(Vec<u8>, usize, Ending)> {
        let mut decoder = Decoder::new(listed, crlf);
        let (mut message, mut at) = (Vec::new(), 0);
        for end in cuts.iter().copied().chain([wire.len()]) {
            loop {
                match decoder.decode(&wire[at.min(end)..end]) {
                    Step::Chunk { content, consumed } => {
                        message.extend(&wire[at + content.start..at + content.end]);
                        at += consumed;
                    }
                    Step::End { consumed, ending } => {
                        assert_eq!(ending.octets, message.len() as u64);
                        let lines = message.iter().filter(|octet| **octet == b'\n');
                        assert_eq!(ending.lines, lines.count() as u64);
                        return Some((message, at + consumed, ending));
                    }
                    Step::NeedInput => break,
                }
            }
        }
        None
    }

    fn stuffed(message: &[u8]) -> Vec<u8> {
        let mut wire = Vec::new();
        let mut line_start = true;
        for &octet in message {
            if line_start && octet == b'.' {
                wire.push(b'.');
            }
            wire.push(octet);
            line_start = octet == b'\n';
        }
        if !message.is_empty() && !message.ends_with(b"\r\n") {
            wire.extend(b"\r\n");
        }
        wire.extend(b".\r\n");
        wire
    }

    #[test]
    fn r3_one_leading_dot_is_removed_and_no_more() {
        for (wire, message) in [
            (&b".\r\n"[..], &b""[..]),
            (b"a\r\n.\r\n", b"a\r\n"),
            (b"..\r\n.\r\n", b".\r\n"),
            (b"...\r\n.\r\n", b"..\r\n"),
            (b".a\r\n.\r\n", b"a\r\n"),
            (b"a.\r\n.b.\r\n\r\n.\r\n", b"a.\r\nb.\r\n\r\n"),
            (b"a\r.\r\r\n.\r\n", b"a\r.\r\r\n"),
        ] {
            let decoded = decode(wire, 0, true, &[]);
            assert_eq!(decoded, Some((message.to_vec(), wire.len())), "{wire:?}");
        }
    }

    #[test]
    fn s39_the_split_of_the_input_changes_nothing() {
        let wire = b"..\r\n...\r\n.\n.x\n\r\n.\r.\r\n..\r\n\r\n.\r\n+OK next";
        let whole = decode_all(wire, 1000, true, &[]).unwrap();
        for first in 0..wire.len() {
            for second in first..wire.len() {
                let split = decode_all(wire, 1000, true, &[first, second]).unwrap();
                assert_eq!(split, whole, "split at {first} and {second}");
            }
        }
        let every: Vec<usize> = (0..wire.len()).collect();
        assert_eq!(decode_all(wire, 1000, true, &every).unwrap(), whole);
    }

    #[test]
    fn q11_a_server_that_writes_bare_lf_may_end_a_message_with_it() {
        for wire in [&b"a\n.\n"[..], b"a\r\n.\n", b"a\n.\r\n"] {
            let (message, used) = decode(wire, 1000, false, &[]).unwrap();
            assert_eq!((message[0], used), (b'a', wire.len()), "{wire:?}");
        }
    }

    #[test]
    fn q11_on_a_crlf_server_a_doubtful_end_counts_once_all_octets_are_there() {
        for wire in [&b"abc\n.\n"[..], b"abc\n.\r\n", b"abc\r\n.\n"] {
            assert!(decode(wire, 4, true, &[]).is_some(), "{wire:?}");
        }
    }

    #[test]
    fn s40_a_bare_lf_dot_inside_a_message_smuggles_no_reply_in() {
        let message = b"hello\n.\r\n+OK smuggled\r\nSubject: x\r\n";
        let wire = [message.as_slice(), b".\r\n"].concat();
        let decoded = decode(&wire, message.len() as u64, true, &[]);
        assert_eq!(decoded, Some((message.to_vec(), wire.len())));
    }

    fn ending(wire: &[u8], listed: u64, crlf: bool) -> Ending {
        decode_all(wire, listed, crlf, &[]).unwrap().2
    }

    #[test]
    fn a4_an_end_is_clean_where_it_can_be_nothing_else() {
        for (wire, crlf, clean) in [
            (&b".\r\n"[..], true, true),
            (b"a\r\n.\r\n", true, true),
            (b"a\nb\r\n.\r\n", true, true),
            // These counted because nothing more was listed.
            (b".\n", true, false),
            (b"a\n.\r\n", true, false),
            (b"a\r\n.\n", true, false),
            (b"a\n.\n", true, false),
            (b".\n", false, true),
            (b"a\n\n.\n", false, true),
            // A server that writes bare LFs, but not always.
            (b".\r\n", false, false),
            (b"a\r\n.\r\n", false, false),
            (b"a\r\nb\n.\n", false, false),
            (b"a\n.\r\n", false, false),
        ] {
            assert_eq!(ending(wire, 0, crlf).clean, clean, "{wire:?}");
        }
    }

    #[test]
    fn a4_an_ending_tells_what_came_and_what_was_taken_away() {
        let wire = b"..a\r\n.b\nc\r\n..\r\n.\r\n";
        let told = Ending {
            octets: 12,
            lines: 4,
            crlf_lines: 3,
            stuffed: 3,
            last_line_end: 2,
            clean: true,
        };
        assert_eq!(ending(wire, 0, true), told);
    }

    #[test]
    fn a4_a_last_line_end_may_have_been_added_behind_a_line_that_has_something_in_it() {
        for (wire, octets) in [
            (&b"a\r\n.\r\n"[..], 2),
            (b"a\r\r\n.\r\n", 2),
            (b"a\r\nb\n.\n", 1),
            (b"..\r\n.\r\n", 2),
            (b"a\r\n\r\n.\r\n", 0),
            // A server adds CRLF to a message that ends in a bare LF.
            (b"a\n\r\n.\r\n", 2),
            (b"a\n\n.\n", 0),
            (b"\r\n.\r\n", 0),
            (b"\n.\n", 0),
            (b".\r\n", 0),
        ] {
            assert_eq!(ending(wire, 0, true).last_line_end, octets, "{wire:?}");
        }
    }

    proptest! {
        #[test]
        fn any_message_survives_stuffing_and_any_split(
            words in prop::collection::vec(
                prop::sample::select(vec!["a", ".", "..", "\r\n", "\r", "\n", "\0", "\u{e9}"]), 0..40),
            cuts in prop::collection::vec(0usize..120, 0..8),
        ) {
            let message = words.concat().into_bytes();
            let wire = stuffed(&message);
            let mut expected = message;
            if !expected.is_empty() && !expected.ends_with(b"\r\n") {
                expected.extend(b"\r\n");
            }
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(wire.len())).collect();
            cuts.sort_unstable();
            let listed = expected.len() as u64;
            let decoded = decode_all(&wire, listed, true, &cuts);
            let whole = ending(&wire, listed, true);
            prop_assert!(whole.explains(Some(listed)));
            prop_assert!(whole.explains(Some((wire.len() - 3) as u64)), "with byte-stuffing");
            prop_assert_eq!(decoded, Some((expected, wire.len(), whole)));
        }
    }
}
