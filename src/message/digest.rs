//! SHA-256 of a message as it is stored, and of what makes its content.
//!
//! The two differ where a server rewrites header fields in every session (QPOP's `Status` and
//! `X-UIDL`): then the stored octets differ although the message is the same. Such fields do not
//! count for the content (fact S65).

use super::fields::{Evidence, Fields, Size, Trail};
use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// Fields that servers rewrite, lower case, with their colon.
const REWRITTEN: [&[u8]; 4] = [b"status:", b"x-status:", b"x-uidl:", b"content-length:"];

/// Octets that decide whether a line is one of [`REWRITTEN`].
const LONGEST_FIELD: usize = 15;

/// A header longer than this is taken as body from here on, so that hostile mail costs no more.
const HEADER_LIMIT: u64 = 256 * 1024;

/// The hashes of a complete message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Digests {
    /// Of the octets as they are stored: what `sha256sum` says of the file.
    pub stored: [u8; 32],
    /// Of the octets without the fields that servers rewrite.
    pub content: [u8; 32],
}

/// What a stored message's octets tell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Examined {
    /// How many there are.
    pub octets: u64,
    /// Their hashes.
    pub digests: Digests,
    /// What it is known again by.
    pub evidence: Evidence,
    /// The way it came.
    pub trail: Trail,
}

/// Takes in a message's octets, as stored, and tells what they are.
#[derive(Default)]
pub struct Hasher {
    octets: u64,
    lines: u64,
    stored: Sha256,
    header: Header,
}

impl Hasher {
    /// The next octets.
    pub fn update(&mut self, octets: &[u8]) {
        self.octets += octets.len() as u64;
        self.lines += memchr::memchr_iter(b'\n', octets).count() as u64;
        self.stored.update(octets);
        self.header.update(octets);
    }

    /// The header is complete, or too long to be one.
    pub fn header_ended(&self) -> bool {
        self.header.line == Line::Body
    }

    /// All octets were taken in.
    pub fn finish(mut self) -> Examined {
        let stored = self.stored.finalize().into();
        let content = self.header.finish();
        let (fields, trail) = Fields::read(&self.header.seen);
        Examined {
            octets: self.octets,
            digests: Digests {
                stored,
                content: content.unwrap_or(stored),
            },
            evidence: Evidence {
                fields,
                body: self.header.body.finish(),
                lines: self.lines,
                size: Size::Unknown,
            },
            trail,
        }
    }
}

/// Of all that there is to read.
pub fn examine(mut file: impl Read) -> io::Result<Examined> {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

/// The hash of a body without the empty lines at its end, of which servers make more or fewer.
#[derive(Default)]
struct Body {
    hash: Sha256,
    /// LFs that are part of it only if something follows.
    newlines: u64,
}

impl Body {
    fn update(&mut self, octets: &[u8]) {
        const NEWLINES: [u8; 64] = [b'\n'; 64];
        let Some(last) = octets.iter().rposition(|octet| *octet != b'\n') else {
            self.newlines += octets.len() as u64;
            return;
        };
        let (text, newlines) = octets.split_at(last + 1);
        while self.newlines > 0 {
            let some = self.newlines.min(NEWLINES.len() as u64);
            let piece = usize::try_from(some)
                .ok()
                .and_then(|some| NEWLINES.get(..some));
            self.hash.update(piece.unwrap_or_default());
            self.newlines -= some;
        }
        self.hash.update(text);
        self.newlines = newlines.len() as u64;
    }

    fn finish(self) -> [u8; 16] {
        let mut half = [0; 16];
        half.iter_mut()
            .zip(self.hash.finalize())
            .for_each(|(place, octet)| *place = octet);
        half
    }
}

/// The content's hash, kept apart from the stored octets' only as long as they may differ.
#[derive(Default)]
struct Header {
    content: Sha256,
    line: Line,
    /// The beginning of a line that is not decided yet.
    beginning: Vec<u8>,
    octets: u64,
    differs: bool,
    /// The line before was left out, and so are those that continue it.
    left_out: bool,
    /// All of it, as it is stored.
    seen: Vec<u8>,
    body: Body,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Line {
    #[default]
    Beginning,
    Counting,
    LeftOut,
    Body,
}

impl Header {
    fn update(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            octets = match self.line {
                Line::Body => {
                    if self.differs {
                        self.content.update(octets);
                    }
                    self.body.update(octets);
                    return;
                }
                Line::Beginning => self.see(octets, Self::begin_line),
                Line::Counting | Line::LeftOut => self.see(octets, Self::go_on),
            };
        }
    }

    fn see<'a>(&mut self, octets: &'a [u8], take: fn(&mut Self, &'a [u8]) -> &'a [u8]) -> &'a [u8] {
        let rest = take(self, octets);
        let taken = octets.len() - rest.len();
        self.seen.extend(octets.get(..taken).unwrap_or_default());
        rest
    }

    /// Collects octets until the line can be judged; gives back what is left of `octets`.
    fn begin_line<'a>(&mut self, octets: &'a [u8]) -> &'a [u8] {
        let mut rest = octets;
        while let [octet, behind @ ..] = rest {
            self.beginning.push(*octet);
            rest = behind;
            let decided = matches!(octet, b':' | b'\n') || self.beginning.len() >= LONGEST_FIELD;
            if decided {
                self.judge();
                break;
            }
        }
        rest
    }

    fn judge(&mut self) {
        let beginning = std::mem::take(&mut self.beginning);
        self.octets += beginning.len() as u64;
        let continued = matches!(beginning.first(), Some(b' ' | b'\t'));
        let field = beginning.to_ascii_lowercase();
        self.left_out = if continued {
            self.left_out
        } else {
            REWRITTEN.contains(&field.as_slice())
        };
        self.differs |= self.left_out;
        if !self.left_out {
            self.content.update(&beginning);
        }
        self.line = match (beginning.as_slice(), beginning.last()) {
            ([b'\n'], _) => Line::Body,
            _ if self.octets > HEADER_LIMIT => Line::Body,
            (_, Some(b'\n')) => Line::Beginning,
            _ if self.left_out => Line::LeftOut,
            _ => Line::Counting,
        };
    }

    /// The rest of a line that has been judged; gives back what follows it.
    fn go_on<'a>(&mut self, octets: &'a [u8]) -> &'a [u8] {
        let newline = memchr::memchr(b'\n', octets);
        let (line, rest) = octets.split_at(newline.map_or(octets.len(), |at| at + 1));
        self.octets += line.len() as u64;
        if self.line == Line::Counting {
            self.content.update(line);
        }
        if newline.is_some() {
            self.line = Line::Beginning;
        }
        if self.octets > HEADER_LIMIT {
            self.line = Line::Body;
        }
        rest
    }

    /// `None` where the content is just what is stored.
    fn finish(&mut self) -> Option<[u8; 32]> {
        if !self.beginning.is_empty() {
            self.judge();
        }
        let content = std::mem::take(&mut self.content);
        self.differs.then(|| content.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(message: &[u8], piece: usize) -> Digests {
        let mut hasher = Hasher::default();
        message
            .chunks(piece)
            .for_each(|octets| hasher.update(octets));
        hasher.finish().digests
    }

    #[test]
    fn c1_the_body_is_the_same_whatever_stands_in_the_header_or_empty_at_the_end() {
        let body = |message: &[u8], piece: usize| {
            let mut hasher = Hasher::default();
            message
                .chunks(piece)
                .for_each(|octets| hasher.update(octets));
            let evidence = hasher.finish().evidence;
            (evidence.body, evidence.lines)
        };
        let (whole, lines) = body(b"From: a\n\none\n\n\ntwo\n", 1000);
        assert_eq!(lines, 6);
        for piece in [1, 2, 3, 7] {
            let more = b"From: a\nStatus: O\n\none\n\n\ntwo\n\n\n";
            assert_eq!(body(more, piece), (whole, 9), "in pieces of {piece}");
            assert_ne!(body(b"From: a\n\none\n\ntwo\n", piece).0, whole);
        }
    }

    fn sha(octets: &[u8]) -> [u8; 32] {
        Sha256::digest(octets).into()
    }

    #[test]
    fn an_ordinary_message_has_one_hash() {
        let message = b"Subject: Status: x\nFrom: a\n\nStatus: in the body\n";
        for piece in [1, 2, 5, 100] {
            let digests = digests(message, piece);
            assert_eq!(digests.stored, sha(message));
            assert_eq!(digests.content, sha(message));
        }
    }

    #[test]
    fn s65_fields_that_a_server_rewrites_do_not_count_for_the_content() {
        let message = b"From: a\nstatus: RO\nX-UIDL: abc\n def\n\tghi\nContent-Length:7\nTo: b\n\nX-Status: body\n";
        let content = b"From: a\nTo: b\n\nX-Status: body\n";
        for piece in [1, 2, 5, 7, 100] {
            let digests = digests(message, piece);
            assert_eq!(digests.stored, sha(message));
            assert_eq!(digests.content, sha(content), "in pieces of {piece}");
        }
    }

    #[test]
    fn s38_messages_without_header_or_body_have_hashes_too() {
        for message in [
            &b""[..],
            b"\n",
            b"no header at all",
            b"Status",
            b"\n\nStatus: x\n",
        ] {
            assert_eq!(digests(message, 3).content, sha(message), "{message:?}");
        }
        assert_eq!(digests(b"Status: alone", 3).content, sha(b""));
    }

    #[test]
    fn a_header_without_end_stops_being_looked_at() {
        let mut hasher = Hasher::default();
        for _ in 0..20_000 {
            hasher.update(b"Received: from somewhere\n");
        }
        assert!(hasher.header_ended());
    }
}
