//! A channel of octets with a deadline, which sends while it receives.
//!
//! A server may stop reading as long as we do not read what it sends (Dovecot does at 4096 unsent
//! octets). A client that blocks in a write would then wait for ever, so [`Channel::exchange`]
//! never waits for one direction only.

use super::dial::wait;
use super::facts::TlsFacts;
use super::layer::{Layer, is_passing};
use super::{Error, Facts, Moved, Stream, certificate};
use crate::stop::Stop;
use rustix::event::{PollFd, PollFlags};
use rustls::{ClientConnection, ProtocolVersion};
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

/// Octets to and from a server.
pub trait Channel: Send {
    /// Sends what it can of `output` and waits until there is some input, or until `deadline`.
    ///
    /// # Errors
    /// [`Error::Closed`] at the end of the stream, [`Error::TimedOut`] (with 0 seconds; the caller
    /// knows how long it was ready to wait), [`Error::Stopped`], [`Error::Io`] or [`Error::Tls`].
    fn exchange(
        &mut self,
        output: &[u8],
        input: &mut [u8],
        deadline: Instant,
    ) -> Result<Moved, Error>;

    /// Sends what it can of `output` and takes in what has come; waits only until either is possible. Where
    /// nothing is to be sent it waits for input, as [`Channel::exchange`].
    ///
    /// # Errors
    /// As there.
    fn push(&mut self, output: &[u8], input: &mut [u8], deadline: Instant) -> Result<Moved, Error> {
        self.exchange(output, input, deadline)
    }

    /// From here on with TLS: what STLS asks for (RFC 2595 section 4), once the server has agreed
    /// and every octet of its reply has been taken in.
    ///
    /// # Errors
    /// [`Error::Injected`] where more has come in clear; where the handshake fails, as connecting
    /// does; always for a channel that is not meant for STLS.
    fn start_tls(&mut self) -> Result<(), Error> {
        Err(Error::Tls("this connection knows no STLS".to_owned()))
    }

    /// The keying material that proves in a sign-in that both sides are at the ends of this very
    /// connection: `tls-exporter` (RFC 9266). `None` without TLS 1.3.
    fn tls_exporter(&self) -> Option<[u8; 32]> {
        None
    }

    /// What the connection is, for a person to look at.
    fn facts(&self) -> Facts {
        Facts::default()
    }

    /// Says goodbye in the transport's own way, as far as that needs no waiting.
    fn close(&mut self) {}
}

/// How long a server that is left without a goodbye may take to notice.
const PARTING_TIMEOUT: Duration = Duration::from_secs(1);

/// More certificates than this are not told of: a chain has two to four.
const CHAIN: usize = 8;

/// A connection, with TLS or without.
pub struct Socket {
    stream: Stream,
    tls: Option<Box<Layer>>,
    stop: Stop,
    /// Both sides have said that they are done.
    done: bool,
}

impl Socket {
    /// Without TLS. The stream must not block.
    pub fn plain(stream: impl Into<Stream>, stop: Stop) -> Self {
        Self {
            stream: stream.into(),
            tls: None,
            stop,
            done: false,
        }
    }

    /// With TLS from the first octet. The stream must not block; the handshake takes place in the
    /// first exchange, or in [`Socket::handshake`].
    pub fn tls(stream: impl Into<Stream>, tls: ClientConnection, stop: Stop) -> Self {
        let mut socket = Self::plain(stream, stop);
        socket.encrypt(tls);
        socket
    }

    /// With TLS from the next octet on.
    pub(super) fn encrypt(&mut self, tls: ClientConnection) {
        self.tls = Some(Box::new(Layer::new(tls)));
    }

    /// What has come last, as it came.
    pub(super) fn newest(&self) -> &[u8] {
        self.tls.as_ref().map_or(&[], |tls| tls.newest())
    }

    /// Whether the other side has sent something that was not received yet.
    pub(super) fn has_unread(&self) -> io::Result<bool> {
        self.stream.has_unread()
    }

    /// Completes the TLS handshake, if there is TLS.
    ///
    /// # Errors
    /// As [`Channel::exchange`]; the text of a [`rustls::Error`] is in `Err(Ok(..))`'s place of
    /// [`HandshakeError::Tls`], so that the caller can tell a bad certificate.
    pub fn handshake(&mut self, deadline: Instant) -> Result<(), HandshakeError> {
        loop {
            let Some(tls) = &mut self.tls else {
                return Ok(());
            };
            if !tls.connection.is_handshaking() {
                return Ok(());
            }
            if let Some(reason) = self.stop.requested() {
                return Err(Error::Stopped(reason).into());
            }
            match tls.take_in(&mut self.stream) {
                Ok(true) => {}
                Ok(false) => return Err(Error::Closed.into()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(tls_error(error)),
            }
            let waits = tls.flush(&mut self.stream);
            let waits =
                waits.map_err(|error| tls_error(tls.reason_for(error, &mut self.stream)))?;
            if waits || (tls.connection.is_handshaking() && tls.is_drained()) {
                self.wait(deadline)?;
            }
        }
    }

    /// Waits until the socket can be read, or written where there is something to write.
    fn wait(&self, deadline: Instant) -> Result<(), Error> {
        self.wait_for(PollFlags::IN, deadline)
    }

    fn wait_for(&self, interest: PollFlags, deadline: Instant) -> Result<(), Error> {
        let wants_write = self
            .tls
            .as_ref()
            .is_some_and(|tls| tls.connection.wants_write());
        let interest = if wants_write {
            interest | PollFlags::OUT
        } else {
            interest
        };
        let stream = PollFd::new(&self.stream, interest);
        // After a signal the rest of the session may still come to a good end, if it is quick.
        let Some(grace) = self.stop.grace() else {
            let ready = wait(&mut [stream, self.stop.poll_fd()], deadline)?;
            return if ready {
                Ok(())
            } else {
                Err(Error::TimedOut(0))
            };
        };
        if wait(&mut [stream], deadline.min(grace))? {
            return Ok(());
        }
        match self.stop.requested() {
            Some(reason) if Instant::now() >= grace => Err(Error::Stopped(reason)),
            _ => Err(Error::TimedOut(0)),
        }
    }

    fn send(&mut self, output: &[u8]) -> Result<usize, Error> {
        let sent = match &mut self.tls {
            // rustls buffers a bounded amount; what it does not take waits for the next turn.
            Some(tls) => {
                let sent = tls.connection.writer().write(output)?;
                tls.flush(&mut self.stream)?;
                sent
            }
            None if output.is_empty() => 0,
            None => match self.stream.write(output) {
                Ok(sent) => sent,
                Err(error) if is_passing(&error) => 0,
                Err(error) => return Err(error.into()),
            },
        };
        Ok(sent)
    }

    /// `None` where nothing is there yet.
    fn receive(&mut self, input: &mut [u8]) -> Result<Option<usize>, Error> {
        let Some(tls) = &mut self.tls else {
            return match self.stream.read(input) {
                Ok(octets) => Ok(Some(octets)),
                Err(error) if is_passing(&error) => Ok(None),
                Err(error) => Err(broken(error)),
            };
        };
        tls.read(&mut self.stream, input).map_err(broken)
    }
}

impl Channel for Socket {
    fn exchange(
        &mut self,
        output: &[u8],
        input: &mut [u8],
        deadline: Instant,
    ) -> Result<Moved, Error> {
        let mut moved = Moved::default();
        loop {
            let rest = output.get(moved.sent..).unwrap_or_default();
            moved.sent += self.send(rest)?;
            match self.receive(input)? {
                Some(0) => return Err(Error::Closed),
                Some(received) => {
                    moved.received = received;
                    return Ok(moved);
                }
                None => {}
            }
            let interest = if moved.sent < output.len() {
                PollFlags::IN | PollFlags::OUT
            } else {
                PollFlags::IN
            };
            self.wait_for(interest, deadline)?;
        }
    }

    fn push(&mut self, output: &[u8], input: &mut [u8], deadline: Instant) -> Result<Moved, Error> {
        loop {
            let received = match self.receive(input)? {
                Some(0) => return Err(Error::Closed),
                received => received.unwrap_or(0),
            };
            // What a server has said that closes is worth more than that it has closed.
            let sent = match received {
                0 => self.send(output)?,
                _ => 0,
            };
            if sent + received > 0 {
                return Ok(Moved { sent, received });
            }
            let interest = match output.is_empty() {
                true => PollFlags::IN,
                false => PollFlags::IN | PollFlags::OUT,
            };
            self.wait_for(interest, deadline)?;
        }
    }

    fn tls_exporter(&self) -> Option<[u8; 32]> {
        let tls = &self.tls.as_ref()?.connection;
        // In TLS 1.2 it would need the extended master secret, of which rustls says nothing.
        if tls.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
            return None;
        }
        let exported = tls.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""));
        exported.ok()
    }

    fn facts(&self) -> Facts {
        let tls = self.tls.as_ref().map(|tls| &tls.connection);
        Facts {
            peer: self.stream.peer(),
            tls: tls.map(|tls| {
                let shown = tls.peer_certificates().unwrap_or_default();
                TlsFacts {
                    version: match tls.protocol_version() {
                        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
                        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
                        _ => "TLS",
                    },
                    chain: shown
                        .iter()
                        .take(CHAIN)
                        .filter_map(certificate::shown)
                        .collect(),
                    pin: shown.first().and_then(certificate::key_of),
                }
            }),
        }
    }

    fn close(&mut self) {
        self.done = true;
        if let Some(tls) = &mut self.tls {
            tls.connection.send_close_notify();
            // The server is done with us: whether this still reaches it changes nothing.
            let _ = tls.flush(&mut self.stream);
        }
    }
}

/// A server may keep the maildrop locked until it notices that its client has gone, and tell the
/// next session that it is in use. So one that is left in the middle is given a moment for that.
impl Drop for Socket {
    fn drop(&mut self) {
        if self.done || self.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let deadline = Instant::now() + PARTING_TIMEOUT;
        let mut unread = [0; 4096];
        while Instant::now() < deadline && self.stop.requested().is_none() {
            match self.stream.read(&mut unread) {
                Ok(1..) => {}
                Err(error) if is_passing(&error) => {
                    let stream = PollFd::new(&self.stream, PollFlags::IN);
                    if wait(&mut [stream, self.stop.poll_fd()], deadline).is_err() {
                        return;
                    }
                }
                Ok(0) | Err(_) => return,
            }
        }
    }
}

/// Why a handshake failed.
#[derive(Debug)]
pub enum HandshakeError {
    /// The transport failed.
    Net(Error),
    /// TLS itself failed.
    Tls(rustls::Error),
}

impl From<Error> for HandshakeError {
    fn from(error: Error) -> Self {
        Self::Net(error)
    }
}

fn tls_error(error: io::Error) -> HandshakeError {
    match error.downcast::<rustls::Error>() {
        Ok(error) => HandshakeError::Tls(error),
        Err(error) => HandshakeError::Net(error.into()),
    }
}

fn broken(error: io::Error) -> Error {
    match tls_error(error) {
        // TLS 1.3 tells only after the handshake what the server thinks of the client's.
        HandshakeError::Tls(rustls::Error::AlertReceived(alert))
            if certificate::is_about_ours(alert) =>
        {
            Error::OurCertificate(format!("{alert:?}"))
        }
        HandshakeError::Tls(error) => Error::Tls(error.to_string()),
        HandshakeError::Net(error) => error,
    }
}
