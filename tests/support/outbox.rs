//! What the embedded server sends, with the faults that concern single octets.

use std::io::{self, Read};
use std::time::Duration;

use memchr::memmem;

use super::behaviour::Behaviour;
use super::message::Message;
use super::server::How;
use super::wire::{Ending, Wire};

/// Why a session goes no further.
pub(super) enum Stop {
    /// The server ends it: how it is logged, and what becomes of the connection.
    Ended(How, Ending),
    /// The client is gone, or breaks TLS.
    Failed(io::Error),
}

impl Stop {
    pub(super) fn cut(ending: Ending) -> Self {
        Self::Ended(How::Cut(ending), ending)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Collects answers until nobody has more to ask, counts octets, and cuts where it is told to.
pub(super) struct Outbox {
    pub(super) wire: Wire,
    buffer: Vec<u8>,
    /// Octets given to [`Outbox::send`], those in `buffer` included.
    pub(super) sent: u64,
    cut_after: Option<(u64, Ending)>,
    muted: bool,
    /// What is given to [`Outbox::send`] is kept for [`Outbox::caught`].
    catches: bool,
    kept: Vec<u8>,
}

/// Large enough for few system calls, small enough for the huge messages.
const FULL: usize = 1 << 16;

impl Outbox {
    pub(super) fn new(mut wire: Wire, behaviour: &Behaviour) -> Self {
        wire.set_chunk(behaviour.chunk);
        Self {
            wire,
            buffer: Vec::with_capacity(FULL),
            sent: 0,
            cut_after: behaviour.cut_after,
            muted: false,
            catches: false,
            kept: Vec::new(),
        }
    }

    /// Nothing is sent any more, whatever is given to [`Outbox::send`].
    pub(super) fn mute(&mut self) {
        self.muted = true;
    }

    /// Sends nothing of what is given to [`Outbox::send`] until [`Outbox::caught`].
    pub(super) fn catch(&mut self) {
        self.catches = true;
    }

    /// What was given to [`Outbox::send`] in between.
    pub(super) fn caught(&mut self) -> Vec<u8> {
        self.catches = false;
        std::mem::take(&mut self.kept)
    }

    /// Sends `octets`, soon.
    pub(super) fn send(&mut self, octets: &[u8]) -> Result<(), Stop> {
        if self.muted {
            return Ok(());
        }
        if self.catches {
            self.kept.extend_from_slice(octets);
            return Ok(());
        }
        if let Some((limit, ending)) = self.cut_after {
            let left = limit - self.sent;
            if octets.len() as u64 >= left {
                self.buffer.extend_from_slice(&octets[..left as usize]);
                self.sent = limit;
                self.flush()?;
                return Err(Stop::cut(ending));
            }
        }
        self.buffer.extend_from_slice(octets);
        self.sent += octets.len() as u64;
        if self.buffer.len() >= FULL {
            self.flush()?;
        }
        Ok(())
    }

    /// Sends what was collected; true if there was anything.
    pub(super) fn flush(&mut self) -> Result<bool, Stop> {
        let any = !self.buffer.is_empty();
        self.wire.write(&self.buffer)?;
        self.buffer.clear();
        Ok(any)
    }

    /// Whether the client has sent more within `patience`.
    pub(super) fn has_input(&mut self, patience: Duration) -> io::Result<bool> {
        self.wire.has_input(patience)
    }

    /// Sends a message, byte-stuffed after each LF, with a CRLF if it does not end in one, and the
    /// termination octet. With `lines`, no more of the body than that many lines (TOP).
    pub(super) fn send_body(&mut self, message: &Message, lines: Option<u64>) -> Result<(), Stop> {
        let mut source = message.read();
        let mut piece = vec![0; FULL];
        let mut stuffing = Stuffing::new(lines);
        while !stuffing.done {
            match source.read(&mut piece)? {
                0 => break,
                n if lines.is_none() => stuffing.send_all(&piece[..n], self)?,
                n => stuffing.send_lines(&piece[..n], self)?,
            }
        }
        if !stuffing.ends_with_crlf() {
            self.send(b"\r\n")?;
        }
        self.send(b".\r\n")
    }
}

/// Where in a body we are, from piece to piece.
struct Stuffing {
    /// The last octets before the current position; a body starts as if after a CRLF.
    before: [u8; 2],
    /// Octets of the current line, its CR and LF not counted: 0 at the LF means an empty line.
    length: u64,
    in_header: bool,
    lines_left: Option<u64>,
    done: bool,
}

impl Stuffing {
    fn new(lines_left: Option<u64>) -> Self {
        Self {
            before: *b"\r\n",
            length: 0,
            in_header: true,
            lines_left,
            done: false,
        }
    }

    /// For RETR: fast, because huge messages come this way.
    fn send_all(&mut self, piece: &[u8], outbox: &mut Outbox) -> Result<(), Stop> {
        if self.before[1] == b'\n' && piece[0] == b'.' {
            outbox.send(b".")?;
        }
        let mut start = 0;
        for line_end in memmem::find_iter(piece, b"\n.") {
            outbox.send(&piece[start..=line_end])?;
            outbox.send(b".")?;
            start = line_end + 1;
        }
        self.remember(piece);
        outbox.send(&piece[start..])
    }

    /// For TOP: line by line, to stop in time.
    fn send_lines(&mut self, piece: &[u8], outbox: &mut Outbox) -> Result<(), Stop> {
        for line in piece.split_inclusive(|octet| *octet == b'\n') {
            if self.before[1] == b'\n' && line[0] == b'.' {
                outbox.send(b".")?;
            }
            outbox.send(line)?;
            self.remember(line);
            self.length += line.iter().filter(|o| !matches!(o, b'\r' | b'\n')).count() as u64;
            if line.ends_with(b"\n") {
                self.end_line();
                if self.done {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn remember(&mut self, sent: &[u8]) {
        for octet in &sent[sent.len().saturating_sub(2)..] {
            self.before = [self.before[1], *octet];
        }
    }

    fn end_line(&mut self) {
        if !self.in_header {
            self.lines_left = self.lines_left.map(|left| left.saturating_sub(1));
        }
        self.in_header &= self.length > 0;
        self.length = 0;
        self.done = !self.in_header && self.lines_left == Some(0);
    }

    fn ends_with_crlf(&self) -> bool {
        self.before == *b"\r\n"
    }
}
