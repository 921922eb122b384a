//! What carries the octets: a TCP connection, or a program's standard input and output.

use super::Error;
use super::dial::wait;
use super::program::Program;
use crate::stop::Stop;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

/// What [`Channel::exchange`](super::Channel::exchange) has moved.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Moved {
    /// Octets of the output that are on their way.
    pub sent: usize,
    /// Octets put into the input.
    pub received: usize,
}

/// A connected stream that does not block.
pub enum Stream {
    /// Over the network.
    Tcp(TcpStream),
    /// Through a program, which ends with it. Dropped in this order: at the end of its input a
    /// program may end by itself.
    Program(UnixStream, Program),
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

impl Stream {
    /// The address at the other end of a connection over the network.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(stream) => stream.peer_addr().ok(),
            Self::Program(..) => None,
        }
    }

    /// Closes a direction, or both.
    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(how),
            Self::Program(stream, _) => stream.shutdown(how),
        }
    }

    /// Whether something has come that was not read.
    pub(super) fn has_unread(&self) -> io::Result<bool> {
        let mut octet = [0];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        match recv(self.as_fd(), &mut octet, flags) {
            Ok((octets, _)) => Ok(octets > 0),
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Program(stream, _) => stream.as_fd(),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Program(stream, program) => match stream.read(buffer) {
                Ok(0) if !buffer.is_empty() => program.failure().map_or(Ok(0), Err),
                // It has ended without reading what it was sent.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    Err(program.failure().unwrap_or(error))
                }
                read => read,
            },
        }
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(octets),
            Self::Program(stream, program) => match stream.write(octets) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                    Err(program.failure().unwrap_or(error))
                }
                written => written,
            },
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A talk with a proxy, before the stream behind it is anyone else's.
pub(super) struct Talk<'a> {
    pub(super) stream: &'a mut Stream,
    pub(super) deadline: Instant,
    pub(super) stop: &'a Stop,
}

impl Talk<'_> {
    /// Sends all of it.
    pub(super) fn send(&mut self, octets: &[u8]) -> Result<(), Error> {
        let mut moved = Moved::default();
        while let Some(rest @ [_, ..]) = octets.get(moved.sent..) {
            match self.stream.write(rest) {
                Ok(sent) => moved.sent += sent,
                Err(error) => self.wait_after(error, PollFlags::OUT)?,
            }
        }
        Ok(())
    }

    /// Receives exactly as much as `buffer` holds, and nothing of what follows.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        let mut moved = Moved::default();
        while let Some(rest @ [_, ..]) = buffer.get_mut(moved.received..) {
            match self.stream.read(rest) {
                Ok(0) => return Err(Error::Closed),
                Ok(received) => moved.received += received,
                Err(error) => self.wait_after(error, PollFlags::IN)?,
            }
        }
        Ok(())
    }

    fn wait_after(&self, error: io::Error, interest: PollFlags) -> Result<(), Error> {
        match error.kind() {
            ErrorKind::Interrupted => return Ok(()),
            ErrorKind::WouldBlock => {}
            _ => return Err(error.into()),
        }
        let stream = PollFd::new(&*self.stream, interest);
        let ready = wait(&mut [stream, self.stop.poll_fd()], self.deadline)?;
        match self.stop.requested() {
            Some(reason) => Err(Error::Stopped(reason)),
            None if ready => Ok(()),
            None => Err(Error::TimedOut(0)),
        }
    }
}
