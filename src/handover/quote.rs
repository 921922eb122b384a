//! Lines that begin with `From ` as they stand in an mbox file (mboxrd).

/// What is looked for behind any `>` at the beginning of a line.
const WORD: &[u8] = b"From ";

/// Quotes octets as they come.
#[derive(Default)]
pub(super) struct Quoter {
    /// So many octets of [`WORD`] have come, and are not written yet; `None` in the rest of a line.
    begun: Begun,
    /// The last octet was a line's end.
    is_ended: bool,
}

enum Begun {
    Line(usize),
    Rest,
}

impl Default for Begun {
    fn default() -> Self {
        Self::Line(0)
    }
}

impl Quoter {
    /// Appends what these octets become. As only `>` stand before the word, one more of them is the same
    /// before and behind the others: a line of any length needs no memory.
    pub(super) fn quote(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for &octet in octets {
            self.is_ended = octet == b'\n';
            let Begun::Line(matched) = self.begun else {
                out.push(octet);
                if octet == b'\n' {
                    self.begun = Begun::Line(0);
                }
                continue;
            };
            if WORD.get(matched) == Some(&octet) {
                if matched + 1 == WORD.len() {
                    out.push(b'>');
                    out.extend(WORD);
                    self.begun = Begun::Rest;
                } else {
                    self.begun = Begun::Line(matched + 1);
                }
                continue;
            }
            out.extend(WORD.get(..matched).unwrap_or_default());
            out.push(octet);
            self.begun = match octet {
                b'\n' => Begun::Line(0),
                b'>' if matched == 0 => Begun::Line(0),
                _ => Begun::Rest,
            };
        }
    }

    /// A whole line, or as much as was read of it at once.
    pub(super) fn quote_line(mut self, line: &[u8], out: &mut Vec<u8>) {
        self.quote(line, out);
        self.flush(out);
    }

    /// The end of a message: the line is ended, and an empty one follows.
    pub(super) fn end(self, out: &mut Vec<u8>) {
        self.flush(out);
        if !self.is_ended {
            out.push(b'\n');
        }
        out.push(b'\n');
    }

    fn flush(&self, out: &mut Vec<u8>) {
        if let Begun::Line(matched) = self.begun {
            out.extend(WORD.get(..matched).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quoted(text: &str, size: usize) -> String {
        let (mut quoter, mut out) = (Quoter::default(), Vec::new());
        for piece in text.as_bytes().chunks(size) {
            quoter.quote(piece, &mut out);
        }
        quoter.end(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_lines_that_a_reader_could_take_for_the_next_message_get_one_more() {
        for (text, stored) in [
            ("From a\n", ">From a\n\n"),
            (">From a\n>>From b\n", ">>From a\n>>>From b\n\n"),
            ("From: a\n\nFrom\n", "From: a\n\nFrom\n\n"),
            (" From a\nx From b\n", " From a\nx From b\n\n"),
            (">>\n>F\nFr>From x\n", ">>\n>F\nFr>From x\n\n"),
            ("no end", "no end\n\n"),
            ("Fro", "Fro\n\n"),
            ("", "\n\n"),
        ] {
            for size in [1, 2, 3, 100] {
                assert_eq!(quoted(text, size), stored, "{text:?} in pieces of {size}");
            }
        }
    }

    proptest! {
        #[test]
        fn taking_one_away_again_gives_the_message(text in "[>From \n]{0,60}", size in 1_usize..9) {
            let stored = quoted(&text, size);
            let lines = stored.split_inclusive('\n').map(|line| {
                let bare = line.trim_start_matches('>');
                prop_assert!(!line.starts_with("From "));
                Ok(match bare.starts_with("From ") && line.starts_with('>') {
                    true => &line[1..],
                    false => line,
                })
            });
            let back: Result<Vec<&str>, TestCaseError> = lines.collect();
            let back = back?.concat();
            let ended = match text.ends_with('\n') {
                true => format!("{text}\n"),
                false => format!("{text}\n\n"),
            };
            prop_assert_eq!(back, ended);
        }
    }
}
