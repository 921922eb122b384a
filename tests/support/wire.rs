//! One accepted connection, plain or TLS, that can also end in all the ways it should not.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustls::{ServerConfig, ServerConnection};

/// How a server ends a connection, or stops using it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// TLS close_notify, then FIN: as it should be.
    Close,
    /// FIN without close_notify: what an attacker can fake.
    Cut,
    /// The connection stays open, but nothing more is read from it.
    Deaf,
    /// RST.
    Reset,
    /// The connection stays open and silent until the client gives up.
    Stall,
}

/// A connection that a client opened.
pub struct Wire {
    socket: Arc<TcpStream>,
    tls: Option<ServerConnection>,
    chunk: usize,
}

impl Wire {
    /// Takes over `socket`; with TLS if there is a config for it, after a complete handshake.
    pub fn accept(socket: Arc<TcpStream>, tls: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let mut wire = Self {
            socket,
            tls: None,
            chunk: usize::MAX,
        };
        if let Some(config) = tls {
            wire.start_tls(config)?;
        }
        Ok(wire)
    }

    /// Shakes hands; from here on with TLS.
    pub fn start_tls(&mut self, config: &Arc<ServerConfig>) -> io::Result<()> {
        let mut connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut &*self.socket)?;
        }
        self.tls = Some(connection);
        Ok(())
    }

    /// From now on at most `octets` go into one write, which with TLS is one record.
    pub fn set_chunk(&mut self, octets: usize) {
        self.chunk = octets.max(1);
    }

    /// The keying material of RFC 9266, where there is TLS 1.3.
    pub fn tls_exporter(&self) -> Option<[u8; 32]> {
        let label = b"EXPORTER-Channel-Binding";
        let tls = self.tls.as_ref()?;
        tls.export_keying_material([0; 32], label, Some(b"")).ok()
    }

    /// Whether something can be read within `patience`.
    pub fn has_input(&mut self, patience: Duration) -> io::Result<bool> {
        if let Some(tls) = &mut self.tls {
            let state = tls.process_new_packets().map_err(io::Error::other)?;
            if state.plaintext_bytes_to_read() > 0 {
                return Ok(true);
            }
        }
        let timeout = Timespec::try_from(patience).map_err(io::Error::other)?;
        let mut sockets = [PollFd::new(&*self.socket, PollFlags::IN)];
        Ok(poll(&mut sockets, Some(&timeout))? > 0)
    }

    /// Whether the client has closed, whatever it has sent before.
    pub fn is_left(&self) -> bool {
        let mut sockets = [PollFd::new(&*self.socket, PollFlags::RDHUP)];
        let now = Timespec::default();
        matches!(poll(&mut sockets, Some(&now)), Ok(1..))
    }

    /// Reads what has arrived, waiting if nothing has; 0 when the client has closed.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            return (&*self.socket).read(buffer);
        };
        let result = rustls::Stream::new(tls, &mut &*self.socket).read(buffer);
        match result {
            // A client that is killed sends no close_notify.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            result => result,
        }
    }

    /// Sends all of `octets` now.
    pub fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        for chunk in octets.chunks(self.chunk) {
            match &mut self.tls {
                Some(tls) => {
                    let mut socket = &*self.socket;
                    let mut stream = rustls::Stream::new(tls, &mut socket);
                    stream.write_all(chunk)?;
                    stream.flush()?;
                }
                None => (&*self.socket).write_all(chunk)?,
            }
        }
        Ok(())
    }

    /// Ends the connection. Except after a reset, what was sent before still reaches the client:
    /// its input is read and dropped until it has closed as well, because a socket that is closed
    /// with unread input resets the connection.
    pub fn end(mut self, ending: Ending) {
        match ending {
            Ending::Close | Ending::Cut => {
                if let (Ending::Close, Some(tls)) = (ending, &mut self.tls) {
                    tls.send_close_notify();
                    let _gone = tls.write_tls(&mut &*self.socket);
                }
                let _gone = self.socket.shutdown(Shutdown::Write);
                self.drain();
            }
            Ending::Reset => {
                let linger = Some(Duration::ZERO);
                rustix::net::sockopt::set_socket_linger(&*self.socket, linger).unwrap();
            }
            Ending::Stall => self.drain(),
            Ending::Deaf => {
                // As small as the kernel allows, so that the client's window closes soon.
                let _as_it_was = set_socket_recv_buffer_size(&*self.socket, 1);
                let mut sockets = [PollFd::new(&*self.socket, PollFlags::RDHUP)];
                let _gone = poll(&mut sockets, None);
            }
        }
    }

    /// Reads what comes until the client has closed, and answers nothing.
    pub fn take_all_and_say_nothing(&mut self) {
        self.drain();
    }

    fn drain(&mut self) {
        let mut dropped = [0; 4096];
        while matches!((&*self.socket).read(&mut dropped), Ok(1..)) {}
    }
}

/// Reads whole lines from a [`Wire`].
#[derive(Default)]
pub struct Lines {
    buffer: Vec<u8>,
    taken: usize,
}

impl Lines {
    /// The next line that has arrived already, with its line end.
    pub fn next(&mut self) -> Option<Vec<u8>> {
        let rest = &self.buffer[self.taken..];
        let Some(end) = rest.iter().position(|octet| *octet == b'\n') else {
            self.buffer.drain(..self.taken);
            self.taken = 0;
            return None;
        };
        let line = rest[..=end].to_vec();
        self.taken += line.len();
        Some(line)
    }

    /// Whether nothing but whole lines has come, and all of them were taken.
    pub fn is_empty(&self) -> bool {
        self.taken == self.buffer.len()
    }

    /// Waits for more octets; false when the client has closed.
    pub fn fill(&mut self, wire: &mut Wire) -> io::Result<bool> {
        let mut piece = [0; 1 << 14];
        let n = wire.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..n]);
        Ok(n > 0)
    }
}
