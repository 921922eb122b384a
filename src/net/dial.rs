//! From a host name to a connected TCP socket.

use super::Error;
use crate::stop::Stop;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long the name service may take. getaddrinfo has no deadline of its own.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(20);

/// How long one address may take to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// More addresses than this are not tried: a name service could send hundreds.
const ADDRESS_LIMIT: usize = 8;

/// Where a host's name leads to.
pub struct Addresses {
    /// The host's name.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    all: Vec<SocketAddr>,
}

impl Addresses {
    /// Asks the system's resolver.
    pub fn look_up(host: &str, port: u16) -> Result<Self, Error> {
        Ok(Self {
            host: host.to_owned(),
            port,
            all: look_up(host, port)?,
        })
    }

    /// Connects to the first of them that answers. The socket does not block, and sends small
    /// commands without delay.
    pub fn dial(&self, stop: &Stop) -> Result<TcpStream, Error> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in &self.all {
            match connect_to(*address, stop) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
            if let Some(reason) = stop.requested() {
                return Err(Error::Stopped(reason));
            }
        }
        Err(Error::Connect {
            host: self.host.clone(),
            port: self.port,
            source: last,
        })
    }
}

/// Asks the system's resolver, in a thread of its own so that it cannot hang the account.
fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    let (sender, answer) = mpsc::channel();
    let name = host.to_owned();
    thread::spawn(move || {
        let addresses = (name.as_str(), port)
            .to_socket_addrs()
            .map(|all| all.take(ADDRESS_LIMIT).collect::<Vec<_>>());
        // Nobody may be waiting any more; then nobody wants to know.
        let _ = sender.send(addresses);
    });
    match answer.recv_timeout(LOOKUP_TIMEOUT) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => Err(Error::NoSuchHost { host: host.into() }),
        Ok(Err(source)) if is_final(&source) => Err(Error::NoSuchHost { host: host.into() }),
        Ok(Err(source)) => Err(Error::Lookup {
            host: host.into(),
            source,
        }),
        Err(_) => Err(Error::Lookup {
            host: host.into(),
            source: io::ErrorKind::TimedOut.into(),
        }),
    }
}

/// Whether the resolver said that there is no such name, rather than that it cannot tell now.
/// std gives getaddrinfo's EAI codes as text only.
fn is_final(error: &io::Error) -> bool {
    let text = error.to_string();
    [
        "Name or service not known",
        "No address associated",
        "nodename nor servname",
    ]
    .iter()
    .any(|known| text.contains(known))
}

fn connect_to(address: SocketAddr, stop: &Stop) -> io::Result<TcpStream> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    match connect(&socket, &address) {
        Ok(()) => {}
        Err(Errno::INPROGRESS) => {
            let deadline = Instant::now() + CONNECT_TIMEOUT;
            let mut fds = [PollFd::new(&socket, PollFlags::OUT), stop.poll_fd()];
            if !wait(&mut fds, deadline)? {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if stop.requested().is_some() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            sockopt::socket_error(&socket)??;
        }
        Err(error) => return Err(error.into()),
    }
    let stream = TcpStream::from(socket);
    // Commands are small and answered one flight at a time: waiting to fill a packet costs 40 ms.
    stream.set_nodelay(true)?;
    // A peer that vanished without a word is noticed while nothing is pending, too.
    sockopt::set_socket_keepalive(&stream, true)?;
    Ok(stream)
}

/// Polls until something is ready (`true`) or the deadline has passed (`false`).
pub(super) fn wait(fds: &mut [PollFd<'_>], deadline: Instant) -> io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(fds, Some(&timeout)) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            // A signal: the stop descriptor will say so at the next turn, if it is ours.
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
