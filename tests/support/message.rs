//! Messages as a server sends them, and what a client must make of them.

use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

/// One message of a maildrop.
#[derive(Clone, Debug)]
pub struct Message {
    /// What UIDL says, octet for octet; real ones may be no UTF-8.
    pub unique_id: Vec<u8>,
    /// The size that STAT and LIST claim, where it is not the true one.
    pub listed: Option<u64>,
    /// What RETR sends, before byte-stuffing.
    pub body: Body,
}

/// A message's octets.
#[derive(Clone, Debug)]
pub enum Body {
    /// Made while it is sent, and never in memory as a whole: `size` octets of CRLF lines, of which
    /// some start with a dot. The same `seed` makes the same octets.
    Generated {
        /// Octets, line ends included; at least 2, which the last CRLF needs.
        size: u64,
        /// Which of the many messages of that size.
        seed: u64,
    },
    /// Exactly these.
    Octets(Arc<[u8]>),
}

impl Message {
    /// A message of exactly these octets.
    pub fn new(unique_id: impl AsRef<[u8]>, octets: impl AsRef<[u8]>) -> Self {
        Self {
            unique_id: unique_id.as_ref().into(),
            listed: None,
            body: Body::Octets(octets.as_ref().into()),
        }
    }

    /// A message written with LF; it is sent with CRLF.
    pub fn from_lf(unique_id: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Self {
        Self::new(unique_id, crlf(text.as_ref()))
    }

    /// A message of any size, made while it is sent.
    pub fn generated(unique_id: impl AsRef<[u8]>, size: u64, seed: u64) -> Self {
        Self {
            unique_id: unique_id.as_ref().into(),
            listed: None,
            body: Body::Generated { size, seed },
        }
    }

    /// The same message with another size in the listings.
    pub fn listed_as(mut self, octets: u64) -> Self {
        self.listed = Some(octets);
        self
    }

    /// How many octets STAT and LIST claim.
    pub fn listed_size(&self) -> u64 {
        self.listed.unwrap_or_else(|| self.size())
    }

    /// How many octets the message really has.
    pub fn size(&self) -> u64 {
        match &self.body {
            Body::Generated { size, .. } => *size,
            Body::Octets(octets) => octets.len() as u64,
        }
    }

    /// The octets, to be read piece by piece.
    pub fn read(&self) -> Box<dyn Read + Send> {
        match &self.body {
            Body::Generated { size, seed } => Box::new(Generated::new(*size, *seed)),
            Body::Octets(octets) => Box::new(Cursor::new(Arc::clone(octets))),
        }
    }

    /// All octets at once; not for the huge ones.
    pub fn octets(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        self.read().read_to_end(&mut octets).unwrap();
        octets
    }

    /// What a Maildir must hold after this message was fetched (see [`stored`]).
    pub fn stored(&self) -> Vec<u8> {
        stored(&self.octets())
    }

    /// SHA-256 of what a Maildir must hold, without holding it.
    pub fn stored_sha256(&self) -> [u8; 32] {
        let Body::Generated { .. } = self.body else {
            return Sha256::digest(self.stored()).into();
        };
        // Generated messages hold CR in CRLF only and end with it.
        let (mut hash, mut source) = (Sha256::new(), self.read());
        let mut piece = vec![0; 1 << 16];
        loop {
            match source.read(&mut piece).unwrap() {
                0 => return hash.finalize().into(),
                n => {
                    let mut start = 0;
                    for cr in memchr::memchr_iter(b'\r', &piece[..n]) {
                        hash.update(&piece[start..cr]);
                        start = cr + 1;
                    }
                    hash.update(&piece[start..n]);
                }
            }
        }
    }
}

/// What a client must store of a message sent as `sent`: each CRLF becomes LF, and nothing else
/// changes: no lone CR, no lone LF, no NUL, no dot.
///
/// A multi-line response can only end after a CRLF (RFC 1939 section 3). So a message that does
/// not end in one gets it from the server, and a client cannot tell it from the message's own:
/// it is stored as LF. An empty message has no line at all here; Dovecot sends one empty line.
pub fn stored(sent: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(sent.len());
    let mut start = 0;
    for cr in memchr::memmem::find_iter(sent, b"\r\n") {
        stored.extend_from_slice(&sent[start..cr]);
        start = cr + 1;
    }
    stored.extend_from_slice(&sent[start..]);
    if !sent.is_empty() && !sent.ends_with(b"\r\n") {
        // The CR of the server's CRLF makes no CRLF pair with what is before it.
        stored.push(b'\n');
    }
    stored
}

/// Each LF becomes CRLF, as a server does that keeps its mail with LF.
pub fn crlf(text: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(text.len() + text.len() / 32);
    for octet in text {
        if *octet == b'\n' {
            sent.push(b'\r');
        }
        sent.push(*octet);
    }
    sent
}

/// `count` messages of `size` octets each, distinct, the same in each run, with unique-ids
/// "uid-000001" and so on.
pub fn generate(count: usize, size: u64) -> Vec<Message> {
    (1..=count)
        .map(|n| Message::generated(format!("uid-{n:06}"), size, n as u64))
        .collect()
}

/// The source behind [`Body::Generated`]: a short header that names the seed, then lines.
struct Generated {
    left: u64,
    seed: u64,
    piece: Vec<u8>,
    taken: usize,
    number: u64,
}

impl Generated {
    fn new(size: u64, seed: u64) -> Self {
        assert!(size >= 2, "a generated message ends with CRLF");
        let mut piece = format!(
            "From: Ada <ada@example.com>\r\nTo: Bob <bob@example.com>\r\n\
             Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nSubject: Message {seed}\r\n\
             Message-ID: <{seed}.{size}@example.com>\r\n\r\n"
        )
        .into_bytes();
        fit(&mut piece, size);
        Self {
            left: size,
            seed,
            piece,
            taken: 0,
            number: 0,
        }
    }

    /// A numbered line and the filler; formatting each line would take longer than sending it.
    fn next_piece(&mut self) {
        self.number += 1;
        let word = (self.seed ^ self.number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.piece.clear();
        write!(self.piece, "{:010} {word:016x}\r\n", self.number).unwrap();
        self.piece.extend_from_slice(filler());
        fit(&mut self.piece, self.left);
        self.taken = 0;
    }
}

/// Some 4 KiB of lines. Some start with dots, to keep byte-stuffing honest.
fn filler() -> &'static [u8] {
    static FILLER: OnceLock<Vec<u8>> = OnceLock::new();
    FILLER.get_or_init(|| {
        let line = |n| match n % 20 {
            7 => ".\r\n".to_string(),
            11 => "..two dots\r\n".to_string(),
            _ => format!("{n:04} The quick brown fox jumps over the lazy dog, and home.\r\n"),
        };
        (0..70).map(line).collect::<String>().into_bytes()
    })
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() && self.left > 0 {
            if self.taken == self.piece.len() {
                self.next_piece();
            }
            let rest = &self.piece[self.taken..];
            let n = rest.len().min(buffer.len() - filled);
            buffer[filled..filled + n].copy_from_slice(&rest[..n]);
            filled += n;
            self.taken += n;
            self.left -= n as u64;
        }
        Ok(filled)
    }
}

/// Makes `piece` the last one where `left` octets are nearly used up, so that the message has
/// exactly its size, ends with CRLF and holds no lone CR or LF.
fn fit(piece: &mut Vec<u8>, left: u64) {
    let length = piece.len() as u64;
    if left == length || left >= length + 2 {
        return;
    }
    // Either too long, or one octet would be left over for the next piece: too few for a CRLF.
    let end = left as usize;
    piece.resize(end, b'x');
    piece[end - 2..].copy_from_slice(b"\r\n");
    if end > 2 && piece[end - 3] == b'\r' {
        piece[end - 3] = b'x'; // Its LF has just been overwritten.
    }
}
