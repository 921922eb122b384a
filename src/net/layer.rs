//! TLS between a stream and a channel.

use super::Stream;
use rustls::ClientConnection;
use std::io::{self, ErrorKind, Read};

/// What one read from the stream may bring: four records (RFC 8446 section 5.1). rustls itself
/// reads in pieces of 4 KiB, which is a call into the system for each.
const AHEAD: usize = 64 * 1024;

/// A TLS connection, and what has come of it and was not taken in yet.
pub(super) struct Layer {
    pub(super) connection: ClientConnection,
    ahead: Ahead,
    /// What went wrong behind octets that were handed over first.
    broken: Option<io::Error>,
}

struct Ahead {
    octets: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Layer {
    pub(super) fn new(connection: ClientConnection) -> Self {
        Self {
            connection,
            ahead: Ahead {
                octets: vec![0; AHEAD].into_boxed_slice(),
                start: 0,
                end: 0,
            },
            broken: None,
        }
    }

    /// What the newest read from the stream has brought.
    pub(super) fn newest(&self) -> &[u8] {
        self.ahead.octets.get(..self.ahead.end).unwrap_or_default()
    }

    /// Whether the stream must be waited for before anything more can be taken in.
    pub(super) fn is_drained(&self) -> bool {
        self.ahead.start == self.ahead.end
    }

    /// Takes in some of what is there; `false` at the end of the stream.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] with a [`rustls::Error`] where TLS fails; those of the stream,
    /// [`ErrorKind::WouldBlock`] among them.
    pub(super) fn take_in(&mut self, stream: &mut Stream) -> io::Result<bool> {
        if self.is_drained() && !self.ahead.fill(stream)? {
            // rustls tells by the same whether the other side has said goodbye.
            self.connection.read_tls(&mut io::empty())?;
            return Ok(false);
        }
        self.connection.read_tls(&mut self.ahead)?;
        if let Err(error) = self.connection.process_new_packets() {
            // The alert that tells the server why; it may be gone already.
            let _ = self.flush(stream);
            return Err(io::Error::new(ErrorKind::InvalidData, error));
        }
        Ok(true)
    }

    /// Reads as much as fits of what is there; `None` where nothing is, and 0 at the end, whether
    /// the other side has said goodbye or not: what was cut short shows in the protocol above
    /// (RFC 8446 section 6.1).
    pub(super) fn read(
        &mut self,
        stream: &mut Stream,
        input: &mut [u8],
    ) -> io::Result<Option<usize>> {
        let mut received = 0;
        loop {
            let room = input.get_mut(received..).unwrap_or_default();
            match self.connection.reader().read(room) {
                Ok(0) => return Ok(Some(received)),
                Ok(octets) => {
                    received += octets;
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Ok(Some(received));
                }
                Err(error) => return Err(error),
            }
            if received > 0 && self.is_drained() {
                return Ok(Some(received));
            }
            if let Some(error) = self.broken.take() {
                return Err(error);
            }
            match self.take_in(stream) {
                Ok(_) => {}
                Err(error) if is_passing(&error) => return Ok(None),
                Err(error) if received > 0 => {
                    self.broken = Some(error);
                    return Ok(Some(received));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes what the stream takes; `true` if something is left.
    pub(super) fn flush(&mut self, stream: &mut Stream) -> io::Result<bool> {
        while self.connection.wants_write() {
            match self.connection.write_tls(stream) {
                Ok(_) => {}
                Err(error) if is_passing(&error) => return Ok(true),
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// A write that failed because the server has closed: it may have said why before.
    pub(super) fn reason_for(&mut self, error: io::Error, stream: &mut Stream) -> io::Error {
        loop {
            match self.take_in(stream) {
                Ok(true) => {}
                Err(reason) if reason.kind() == ErrorKind::InvalidData => return reason,
                _ => return error,
            }
        }
    }
}

impl Ahead {
    /// `false` at the end of the stream.
    fn fill(&mut self, stream: &mut Stream) -> io::Result<bool> {
        (self.start, self.end) = (0, 0);
        self.end = stream.read(&mut self.octets)?;
        Ok(self.end > 0)
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let waiting = self.octets.get(self.start..self.end).unwrap_or_default();
        let octets = waiting.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..octets), waiting.get(..octets)) {
            to.copy_from_slice(from);
        }
        self.start += octets;
        Ok(octets)
    }
}

/// Whether it is worth trying again, once the stream is ready.
pub(super) fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
