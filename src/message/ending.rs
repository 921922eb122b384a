//! How a message ended, and whether that agrees with what the listing said of it (E12).

/// What is known of a message once its last octet has come.
///
/// The listed octets are no framing, but they are the only thing that tells a whole message
/// from one that was cut, or has a neighbour's reply in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ending {
    /// Octets of the message, without byte-stuffing, with its line ends as they came.
    pub octets: u64,
    /// Lines, which is LFs.
    pub lines: u64,
    /// Of these, the ones that ended in CRLF.
    pub crlf_lines: u64,
    /// Leading dots that were removed.
    pub stuffed: u64,
    /// Octets of the last line's end, where that line has anything else in it, or stands behind a bare
    /// LF. A server must add it to a message that does not end with one.
    pub last_line_end: u8,
    /// The termination octet stood where it can be nothing else: between CRLFs, or, on a server
    /// that writes bare LFs, behind nothing but such lines. It did not only count because all
    /// listed octets were there (see `quirks`).
    pub clean: bool,
}

impl Ending {
    /// Whether that many listed octets are these octets, in one of the ways in which servers are
    /// known to count. There are no tolerances: what differs by anything else was cut, or is not
    /// the message that was listed.
    pub fn explains(&self, listed: Option<u64>) -> bool {
        let Some(listed) = listed else {
            return true;
        };
        // Of an empty message a server sends a line end at least (Dovecot), or its dot would stand alone.
        let is_empty = self.lines <= 1 && self.octets == self.lines + self.crlf_lines;
        if listed == 0 && is_empty {
            return true;
        }
        let added = u64::from(self.last_line_end);
        // Each line end is what it is, or an LF as in the server's file.
        let by_lf = self.octets.saturating_sub(self.crlf_lines);
        let ways = [(self.octets, added), (by_lf, added.min(1))];
        ways.iter().any(|(octets, added)| {
            let stuffed = octets.saturating_add(self.stuffed);
            listed == *octets || listed == stuffed || listed == octets.saturating_sub(*added)
        })
    }
}

/// Counts a message whose octets come as they are, and whose end is known beforehand: neither dots nor
/// line ends are added on the way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    octets: u64,
    lines: u64,
    crlf_lines: u64,
    after_cr: bool,
}

impl Tally {
    /// More of it has come.
    pub fn add(&mut self, octets: &[u8]) {
        let (lines, crlf_lines) = count_line_ends(octets, self.after_cr);
        self.octets += octets.len() as u64;
        self.lines += lines;
        self.crlf_lines += crlf_lines;
        self.after_cr = octets.last().map_or(self.after_cr, |last| *last == b'\r');
    }

    /// All of it has come.
    pub fn ending(self) -> Ending {
        Ending {
            octets: self.octets,
            lines: self.lines,
            crlf_lines: self.crlf_lines,
            stuffed: 0,
            last_line_end: 0,
            clean: true,
        }
    }
}

/// LFs, and those of them that stand behind a CR, the one before the first octet included.
pub(crate) fn count_line_ends(octets: &[u8], after_cr: bool) -> (u64, u64) {
    // As many as a `u8` can count, so that the compiler counts many octets at once.
    const PART: usize = 192;
    let Some((first, rest)) = octets.split_first() else {
        return (0, 0);
    };
    let first_is_lf = u64::from(*first == b'\n');
    let mut counted = (first_is_lf, first_is_lf * u64::from(after_cr));
    let mut count = |part: &[u8], before: &[u8]| {
        let (mut lines, mut crlf_lines) = (0u8, 0u8);
        for (octet, before) in part.iter().zip(before) {
            let is_lf = u8::from(*octet == b'\n');
            lines += is_lf;
            crlf_lines += is_lf & u8::from(*before == b'\r');
        }
        counted.0 += u64::from(lines);
        counted.1 += u64::from(crlf_lines);
    };
    if octets.len() <= PART {
        count(rest, octets);
    } else {
        let parts = rest.chunks(PART).zip(octets.chunks(PART));
        parts.for_each(|(part, before)| count(part, before));
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a message ends that comes as it is.
    fn ending(message: &str) -> Ending {
        let (lines, crlf_lines) = count_line_ends(message.as_bytes(), false);
        let line = message.strip_suffix('\n').unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        let end = message.len() - line.len();
        Ending {
            octets: message.len() as u64,
            lines,
            crlf_lines,
            stuffed: 0,
            last_line_end: match line.is_empty() || line.ends_with('\n') {
                true => 0,
                false => u8::try_from(end).unwrap(),
            },
            clean: true,
        }
    }

    /// All listed octets near the right ones that are explained, as differences.
    fn explained(ending: Ending) -> Vec<i64> {
        let listed = |difference: &i64| ending.octets.checked_add_signed(*difference);
        let near = -40..=40i64;
        near.filter(|difference| listed(difference).is_some_and(|l| ending.explains(Some(l))))
            .collect()
    }

    #[test]
    fn a4_a_line_end_alone_explains_a_message_that_is_listed_as_empty() {
        for sent in ["", "\n", "\r\n"] {
            assert!(ending(sent).explains(Some(0)), "{sent:?}");
        }
        for sent in ["a", "\r\n\r\n", "\n\n", "a\r\n"] {
            assert!(!ending(sent).explains(Some(0)), "{sent:?}");
        }
    }

    #[test]
    fn a4_what_was_not_listed_is_explained_by_any_ending() {
        assert!(ending("a\r\n").explains(None));
        assert!(ending("").explains(None));
    }

    #[test]
    fn a4_the_octets_themselves_explain_what_is_listed() {
        assert!(ending("Subject: a\r\n\r\n").explains(Some(14)));
        assert_eq!(explained(ending("")), [0]);
    }

    #[test]
    fn a4_a_server_may_count_an_lf_for_each_line_end() {
        // Three lines, of which the last is empty.
        assert_eq!(explained(ending("a\r\nb\r\n\r\n")), [-3, 0]);
        // Those that came as a bare LF are an octet either way.
        assert_eq!(explained(ending("a\r\nb\n\r\n")), [-2, 0]);
        assert_eq!(explained(ending("a\nb\n\n")), [0]);
    }

    #[test]
    fn a4_a_server_may_count_the_dots_that_it_has_stuffed() {
        let stuffed = |message| Ending {
            stuffed: 7,
            ..ending(message)
        };
        assert_eq!(explained(stuffed("a\r\nb\r\n\r\n")), [-3, 0, 4, 7]);
    }

    #[test]
    fn a4_a_server_may_not_count_the_last_line_end_that_it_added() {
        // Two octets less; or one less than with an LF for each line end.
        assert_eq!(explained(ending("a\r\nb\r\n")), [-3, -2, 0]);
        assert_eq!(explained(ending("a\r\nb\r\nc\r\nd\r\n")), [-5, -4, -2, 0]);
        assert_eq!(explained(ending("a\nb\n")), [-1, 0]);
        assert_eq!(explained(ending("a\r\nb\n")), [-2, -1, 0]);
    }

    #[test]
    fn a4_behind_a_line_end_none_is_added() {
        // Alone it may be all there is to an empty message.
        assert_eq!(explained(ending("\r\n")), [-2, -1, 0]);
        assert_eq!(explained(ending("a\n\n")), [0]);
        assert_eq!(explained(ending("\n")), [-1, 0]);
    }

    #[test]
    fn a4_a_cut_message_is_never_explained() {
        let message = "Subject: a\r\n\r\n".to_owned() + &"A line of it.\r\n".repeat(20);
        let listed = Some(message.len() as u64);
        for cut in 0..message.len() {
            assert!(!ending(&message[..cut]).explains(listed), "{cut}");
            let ended = message[..cut].to_owned() + "\r\n";
            // Only where the line end that follows is the one that was cut off.
            let whole = cut + 2 == message.len();
            assert_eq!(ending(&ended).explains(listed), whole, "{cut}");
        }
    }

    #[test]
    fn a_message_is_counted_alike_in_whatever_parts_it_comes() {
        let message = b"a\r\nb\nc\r\r\n\r";
        for cut in 0..message.len() {
            let (one, other) = message.split_at(cut);
            let mut tally = Tally::default();
            [one, b"", other].iter().for_each(|part| tally.add(part));
            let ending = tally.ending();
            let counted = (ending.octets, ending.lines, ending.crlf_lines);
            assert_eq!(counted, (10, 3, 2), "{cut}");
            assert_eq!(ending.last_line_end, 0);
        }
    }

    #[test]
    fn line_ends_are_counted_across_all_parts() {
        for length in [0, 1, 2, 191, 192, 193, 400, 1000] {
            for period in [1, 2, 3, 7, 64] {
                let octets: Vec<u8> = (0..length)
                    .map(|at| match at % period {
                        0 => b'\n',
                        n if n == period - 1 && at % 5 > 0 => b'\r',
                        _ => b'x',
                    })
                    .collect();
                let lines = octets.iter().filter(|octet| **octet == b'\n').count();
                let pairs = octets.windows(2).filter(|pair| *pair == b"\r\n").count();
                let first = usize::from(octets.first() == Some(&b'\n'));
                for (after_cr, more) in [(false, 0), (true, first)] {
                    let expected = (lines as u64, (pairs + more) as u64);
                    assert_eq!(count_line_ends(&octets, after_cr), expected);
                }
            }
        }
    }
}
