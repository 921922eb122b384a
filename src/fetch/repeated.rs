//! A status line that a server sends twice before a message (FTGate does, and proxies that answer
//! themselves and pass on the answer as well). The second one comes as the first line of the message,
//! where no message has one: it is no field of a header. That it is none of the message's shows in the
//! size; where that is as listed only with it, or not at all, the message is doubtful (E12).

use crate::maildrop::Message;
use crate::source::Ending;
use std::borrow::Cow;

/// A status line that is longer is none.
const LONGEST: usize = 512;

const STATUS: &[u8] = b"+OK";

/// How a message begins.
pub(super) struct Beginning {
    /// May be such a line.
    held: Vec<u8>,
    is_over: bool,
    octets: u64,
    lines: u64,
    crlf_lines: u64,
}

impl Beginning {
    /// Of one whose size nobody knows nothing is taken away, nor where no server sends such lines
    /// (`may_repeat`: see [`Traits::repeats_status`](crate::source::Traits::repeats_status)).
    pub(super) fn of(message: &Message, may_repeat: bool) -> Self {
        Self {
            held: Vec::new(),
            is_over: message.octets.is_none() || !may_repeat,
            octets: 0,
            lines: 0,
            crlf_lines: 0,
        }
    }

    /// What of these octets, and of those that were held back, is the message's.
    pub(super) fn pass<'a>(&mut self, octets: &'a [u8]) -> Cow<'a, [u8]> {
        if self.is_over {
            return Cow::Borrowed(octets);
        }
        self.held.extend_from_slice(octets);
        while may_be_status(&self.held) {
            let Some(end) = memchr::memchr(b'\n', &self.held) else {
                return Cow::Borrowed(&[]);
            };
            let line: Vec<u8> = self.held.drain(..=end).collect();
            self.octets += line.len() as u64;
            self.lines += 1;
            self.crlf_lines += u64::from(line.ends_with(b"\r\n"));
            if self.held.is_empty() {
                return Cow::Borrowed(&[]);
            }
        }
        self.is_over = true;
        Cow::Owned(std::mem::take(&mut self.held))
    }

    /// What is still held back when the message has ended.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        self.is_over = true;
        std::mem::take(&mut self.held)
    }

    /// How the message has ended, without what was taken away.
    pub(super) fn without(&self, ending: Ending) -> Ending {
        Ending {
            octets: ending.octets.saturating_sub(self.octets),
            lines: ending.lines.saturating_sub(self.lines),
            crlf_lines: ending.crlf_lines.saturating_sub(self.crlf_lines),
            ..ending
        }
    }

    /// Whether anything was taken away.
    pub(super) fn is_repeated(&self) -> bool {
        self.lines > 0
    }
}

/// Whether this begins with a status line, as far as it shows.
fn may_be_status(octets: &[u8]) -> bool {
    let (begins, behind) = match octets.strip_prefix(STATUS) {
        Some(behind) => (true, behind),
        None => (STATUS.starts_with(octets), &[][..]),
    };
    let ends_word = matches!(behind, [] | [b' ' | b'\r' | b'\n', ..]);
    let end = memchr::memchr(b'\n', octets).unwrap_or(octets.len());
    begins && ends_word && end <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maildrop::MessageNumber;

    fn passed(octets: &str, chunk: usize) -> (String, u64) {
        passed_where(octets, chunk, true)
    }

    fn passed_where(octets: &str, chunk: usize, may_repeat: bool) -> (String, u64) {
        let message = Message {
            number: MessageNumber::new(1).unwrap(),
            unique_id: None,
            octets: Some(9),
            turn: 0,
            identity: None,
            folder: None,
        };
        let mut beginning = Beginning::of(&message, may_repeat);
        let chunks = octets.as_bytes().chunks(chunk);
        let mut passed: Vec<u8> = chunks
            .flat_map(|chunk| beginning.pass(chunk).into_owned())
            .collect();
        passed.extend(beginning.rest());
        (String::from_utf8(passed).unwrap(), beginning.octets)
    }

    #[test]
    fn e12_status_lines_before_a_message_are_none_of_it_however_they_come() {
        for chunk in [1, 2, 3, 5, 100] {
            for (octets, rest) in [
                ("+OK\r\nFrom: a\r\n", "From: a\r\n"),
                ("+OK 300 octets\r\n+OK\r\nFrom: a\r\n", "From: a\r\n"),
                ("+OK\nFrom: a\n", "From: a\n"),
                ("From: a\r\n+OK\r\n", "From: a\r\n+OK\r\n"),
                ("+OK: a field\r\n", "+OK: a field\r\n"),
                ("+OKAY\r\n", "+OKAY\r\n"),
                ("+O", "+O"),
                ("", ""),
            ] {
                let (passed, taken) = passed(octets, chunk);
                assert_eq!(passed, rest, "{octets:?} {chunk}");
                assert_eq!(taken as usize, octets.len() - rest.len());
            }
        }
    }

    #[test]
    fn where_no_server_repeats_its_status_the_line_is_the_messages() {
        let octets = "+OK 3 octets\r\nFrom: a\r\n";
        for chunk in [1, 100] {
            assert_eq!(passed_where(octets, chunk, false), (octets.to_owned(), 0));
        }
    }
}
