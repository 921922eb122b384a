//! A message on a server beside one of ours: whether it is the same.

use super::{LONGEST_HEADER, PIECE, Post, without_last_end};
use std::io::{self, Seek, SeekFrom};

/// How alike a message on a server is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Likeness {
    /// Octet for octet, but for empty lines at its end: whatever is, has the same body as messages are remembered
    /// ([`crate::message::Evidence`]), so that one of which it is known who has put it there is known by that.
    Same,
    /// The body is, and the header another: a server has changed it, or it is another copy.
    Body,
    /// It is another message.
    Other,
}

/// A message on a server, which comes in pieces, beside one of ours.
pub struct Comparison<'a> {
    post: &'a mut Post,
    /// What was read of ours, and not compared yet.
    ours: Vec<u8>,
    theirs: Theirs,
    /// Ends of lines of theirs with which it may end, and a CR that may begin one.
    left: Vec<u8>,
}

/// Where a comparison is.
enum Theirs {
    /// In their header, which is this so far.
    Header(Vec<u8>),
    /// In what can only be the same or not; whether their header is another than ours.
    Body {
        has_own_header: bool,
    },
    Other,
}

impl Post {
    /// To compare it with what a server has.
    ///
    /// # Errors
    /// Its file cannot be used.
    pub fn compare(&mut self) -> io::Result<Comparison<'_>> {
        let theirs = match self.body {
            Some(_) => Theirs::Header(Vec::new()),
            None => Theirs::Body {
                has_own_header: false,
            },
        };
        self.rewind()?;
        Ok(Comparison {
            post: self,
            ours: Vec::new(),
            theirs,
            left: Vec::new(),
        })
    }
}

impl Comparison<'_> {
    /// Takes in more of theirs.
    ///
    /// # Errors
    /// Our file cannot be read.
    pub fn take(&mut self, octets: &[u8]) -> io::Result<()> {
        let Theirs::Header(header) = &mut self.theirs else {
            return self.take_body(octets);
        };
        // It may come octet by octet: what was looked at is not looked at again.
        let seen = header.len().saturating_sub(3);
        header.extend_from_slice(octets);
        let behind = header.get(seen..).unwrap_or_default();
        let end = match header.starts_with(b"\r\n") {
            true => Some((0, 2)),
            false => {
                memchr::memmem::find(behind, b"\r\n\r\n").map(|at| (seen + at + 2, seen + at + 4))
            }
        };
        match end {
            Some((end, body)) => {
                let body = header.split_off(body);
                header.truncate(end);
                self.end_header()?;
                self.take_body(&body)
            }
            // No server adds as much.
            None if header.len() > LONGEST_HEADER => {
                self.theirs = Theirs::Other;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// What it was, once all of theirs is taken in.
    ///
    /// # Errors
    /// Our file cannot be read.
    pub fn end(mut self) -> io::Result<Likeness> {
        if matches!(self.theirs, Theirs::Header(_)) {
            self.end_header()?;
        }
        // A CR alone ends no line.
        if self.left.ends_with(b"\r") {
            let left = std::mem::take(&mut self.left);
            self.compare(&left)?;
        }
        let Theirs::Body { has_own_header } = self.theirs else {
            return Ok(Likeness::Other);
        };
        loop {
            if !without_last_ends(&self.ours).is_empty() {
                return Ok(Likeness::Other);
            }
            self.ours.clear();
            self.post.read(PIECE, &mut self.ours)?;
            if self.ours.is_empty() {
                break;
            }
        }
        Ok(match has_own_header {
            true => Likeness::Body,
            false => Likeness::Same,
        })
    }

    fn end_header(&mut self) -> io::Result<()> {
        let Theirs::Header(theirs) = &self.theirs else {
            return Ok(());
        };
        let Some(body) = self.post.body else {
            self.theirs = Theirs::Other;
            return Ok(());
        };
        let has_own_header = without_last_end(theirs) != without_last_end(&self.post.header);
        self.post.file.seek(SeekFrom::Start(body))?;
        self.theirs = Theirs::Body { has_own_header };
        Ok(())
    }

    fn take_body(&mut self, octets: &[u8]) -> io::Result<()> {
        if !matches!(self.theirs, Theirs::Body { .. }) || octets.is_empty() {
            return Ok(());
        }
        // What may be the end of theirs is compared once more comes.
        let mut theirs = std::mem::take(&mut self.left);
        theirs.extend_from_slice(octets);
        let text = without_last_ends(theirs.strip_suffix(b"\r").unwrap_or(&theirs)).len();
        self.left = theirs.split_off(text.max(theirs.len().saturating_sub(PIECE)));
        self.compare(&theirs)
    }

    fn compare(&mut self, mut theirs: &[u8]) -> io::Result<()> {
        while !theirs.is_empty() {
            if self.ours.is_empty() {
                self.post.read(PIECE, &mut self.ours)?;
            }
            let both = theirs.len().min(self.ours.len());
            let (now, later) = theirs.split_at(both);
            if both == 0 || self.ours.get(..both) != Some(now) {
                self.theirs = Theirs::Other;
                return Ok(());
            }
            self.ours.drain(..both);
            theirs = later;
        }
        Ok(())
    }
}

/// Without the ends of lines at its end.
fn without_last_ends(mut octets: &[u8]) -> &[u8] {
    while let Some(before) = octets.strip_suffix(b"\r\n") {
        octets = before;
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::super::tests::{post, read};
    use super::*;
    use proptest::prelude::*;

    fn likeness(it: &mut Post, theirs: &[u8], size: usize) -> Likeness {
        let mut comparison = it.compare().unwrap();
        for piece in theirs.chunks(size) {
            comparison.take(piece).unwrap();
        }
        comparison.end().unwrap()
    }

    #[test]
    fn a_message_is_the_same_only_with_the_same_body() {
        let long = format!("{}\n", "x".repeat(3 * PIECE));
        for (ours, theirs, like) in [
            (
                "A: x\nB: y\n\nbody\n",
                "A: x\r\nB: y\r\n\r\nbody\r\n",
                Likeness::Same,
            ),
            ("A: x\n\nbody\r\n", "A: x\r\n\r\nbody\r\n", Likeness::Other),
            ("A: x\n\nbody\n", "A: x\r\n\r\nbody\r\r\n", Likeness::Other),
            ("A: x\n\nbody\r", "A: x\r\n\r\nbody\r\n", Likeness::Other),
            ("A: x\n\nbody\n\n", "A: x\r\n\r\nbody\r", Likeness::Other),
            (
                "A: x\n\nbody\r",
                "A: x\r\n\r\nbody\r\r\n\r\n",
                Likeness::Same,
            ),
            // Some servers end each message with a line's end.
            ("A: x\n\nbody", "A: x\r\n\r\nbody\r\n", Likeness::Same),
            ("A: x\n\nbody\n\n", "A: x\r\n\r\nbody", Likeness::Same),
            ("A: x\n", "A: x\r\n\r\n", Likeness::Same),
            ("\nbody", "\r\nbody", Likeness::Same),
            ("", "", Likeness::Same),
            (
                "A: x\n\nbody\n",
                "Z: z\r\nA: x\r\nB: y\r\n\r\nbody\r\n",
                Likeness::Body,
            ),
            ("A: x\n\nbody\n", "A: x\r\n\r\nbodies\r\n", Likeness::Other),
            ("A: x\n\nbody\n", "A: x\r\n\r\n", Likeness::Other),
            (
                "A: x\n\nbody\n",
                "Z: z\r\nA: x\r\n\r\nother\r\n",
                Likeness::Other,
            ),
            (
                "A: x\nB: y\n\nbody\n",
                "A: x\r\n\r\nbody\r\n",
                Likeness::Body,
            ),
            ("A: x\n\nbody\n", "A: xx\r\n\r\nbody\r\n", Likeness::Body),
            ("A: x\n\nbody\n", "A: x\n\nbody\n", Likeness::Other),
            ("\nbody", "A: x\r\n\r\nbody", Likeness::Body),
            ("", "A: x\r\n\r\nbody", Likeness::Other),
            (&long, &long.replace('\n', "\r\n"), Likeness::Same),
        ] {
            for size in [1, 3, 1 << 20] {
                let found = likeness(&mut post(ours.as_bytes()), theirs.as_bytes(), size);
                assert_eq!(found, like, "{:.40?} {:.40?} {size}", ours, theirs);
            }
        }
    }

    #[test]
    fn a_header_that_is_too_long_is_compared_octet_for_octet() {
        let text = format!("A: {}\n\nbody\n", "x".repeat(LONGEST_HEADER));
        let wire = text.replace('\n', "\r\n");
        let it = &mut post(text.as_bytes());
        assert!(!it.shows_by_header());
        assert_eq!(likeness(it, wire.as_bytes(), 5000), Likeness::Same);
        let other = wire.replace("body", "bode");
        assert_eq!(likeness(it, other.as_bytes(), 5000), Likeness::Other);
        let more = format!("Z: z\r\n{wire}");
        assert_eq!(likeness(it, more.as_bytes(), 5000), Likeness::Other);
    }

    proptest! {
        #[test]
        fn what_is_the_same_has_the_same_body_as_messages_are_remembered(
            ours in "[a\r\n]{0,6}",
            theirs in "[a\r\n]{0,6}",
            most in 1usize..9,
        ) {
            let [mut ours, mut theirs] = [ours, theirs].map(|it| post(format!("A: x\n\n{it}").as_bytes()));
            let wire = read(&mut theirs, 7);
            let is_same = likeness(&mut ours, &wire, most) == Likeness::Same;
            let [ours, theirs] = [ours, theirs].map(|mut it| it.examine().unwrap().evidence.body);
            prop_assert_eq!(is_same, ours == theirs);
        }

        #[test]
        fn what_it_is_sent_as_is_the_same_and_what_differs_is_not(
            text in any::<Vec<u8>>(),
            most in 1usize..9,
        ) {
            let mut it = post(&text);
            let mut wire = read(&mut it, most);
            prop_assert_eq!(likeness(&mut it, &wire, most), Likeness::Same);
            let is_text = |octet: &&mut u8| !matches!(**octet, b'\r' | b'\n');
            if let Some(last) = wire.iter_mut().rev().find(is_text) {
                *last ^= 0x40;
                prop_assert_ne!(likeness(&mut it, &wire, most), Likeness::Same);
            }
        }
    }
}
