//! The connection to an LMTP server: commands out, replies in, both until a deadline. What comes is
//! foreign: a reply has an end, and lines of a length, or the connection is given up.

use super::Place;
use super::data::{PIECE, Stuffer};
use crate::net::{self, dial::Addresses};
use crate::stop::Stop;
use crate::term::escape;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// The longest line of a reply: RFC 5321 section 4.5.3.1.5 has 512 octets, and servers quote addresses.
const LONGEST_LINE: usize = 4096;

/// The most lines of a reply: those of LHLO are some twenty.
const MOST_LINES: usize = 128;

/// How long to wait before a socket is tried again whose queue is full.
const AGAIN: Duration = Duration::from_millis(50);

/// Why a connection is of no more use.
#[derive(Debug)]
pub(super) enum Broken {
    /// The server has closed it.
    Closed,
    /// The system says so.
    Io(io::Error),
    /// The deadline has passed.
    OutOfTime,
    /// popfetch is to stop.
    Stopped,
    /// What came is no reply: its beginning.
    NoReply(Vec<u8>),
    /// Something came before the server had the message: its beginning.
    Early(Vec<u8>),
    /// A reply without an end.
    Endless,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("it closed the connection"),
            Self::Io(error) => write!(f, "the connection failed: {error}"),
            Self::OutOfTime => f.write_str("it did not answer in time"),
            Self::Stopped => f.write_str("it was at work when popfetch was stopped"),
            Self::NoReply(line) => write!(f, "it sent what is no reply, `{}`", escape(line)),
            Self::Early(octets) => {
                let line = octets
                    .split(|octet| *octet == b'\n')
                    .next()
                    .unwrap_or_default();
                let text = escape(line.trim_ascii());
                write!(f, "it answered before it had the whole message, `{text}`")
            }
            Self::Endless => f.write_str("it sent a reply without an end"),
        }
    }
}

/// Why there is no connection, as the system has it where it was the system.
fn why(error: net::Error) -> io::Error {
    match error {
        net::Error::Connect { source, .. } | net::Error::Lookup { source, .. } => source,
        other => io::Error::other(other.to_string()),
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

/// Why a message was not sent.
pub(super) enum Unsent {
    /// Its file cannot be read.
    Message(io::Error),
    /// The connection broke.
    Wire(Broken),
}

/// A reply: a code, and lines of text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Reply {
    /// Three digits.
    pub(super) code: u16,
    lines: Vec<Vec<u8>>,
}

impl Reply {
    pub(super) fn is_yes(&self) -> bool {
        (200..300).contains(&self.code)
    }

    pub(super) fn is_no(&self) -> bool {
        (400..600).contains(&self.code)
    }

    /// A "no" that may be another answer in a while.
    pub(super) fn is_for_now(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// A "no" that came before it was asked for: the first line of these octets.
    pub(super) fn of_no(octets: &[u8]) -> Option<Self> {
        let line = octets.split(|octet| *octet == b'\n').next()?;
        let (code, text) = line.split_at_checked(3)?;
        let code: u16 = std::str::from_utf8(code).ok()?.parse().ok()?;
        let lines = vec![text.trim_ascii().to_owned()];
        let reply = Self { code, lines };
        reply.is_no().then_some(reply)
    }

    /// The texts behind the code.
    pub(super) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().map(Vec::as_slice)
    }

    /// The first text, as of a greeting.
    pub(super) fn greeting(&self) -> &[u8] {
        self.lines().next().unwrap_or_default()
    }
}

/// As the server wrote it, in one line.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.lines.join(&b' ');
        write!(f, "{} {}", self.code, escape(text.trim_ascii()))
    }
}

enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix(stream) => stream.as_fd(),
            Self::Tcp(stream) => stream.as_fd(),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        }
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(octets),
            Self::Tcp(stream) => stream.write(octets),
        }
    }
}

/// See the module.
pub(super) struct Wire {
    stream: Stream,
    until: Instant,
    /// Since when it is to stop, how long it may go on.
    grace: Option<Duration>,
    is_in_grace: bool,
    stop: Stop,
    /// What has come and is not read yet.
    waiting: Vec<u8>,
    greeting: Reply,
}

impl Wire {
    /// Connects; no server whose queue is full keeps it longer than `until`, and no name service longer than
    /// a server's is waited for.
    pub(super) fn connect(place: &Place, until: Instant, stop: &Stop) -> io::Result<Self> {
        let stream = match place {
            Place::Unix(path) => Stream::Unix(connect_unix(path, until, stop)?),
            Place::Tcp { host, port } => {
                let found = Addresses::look_up(host, *port, None, stop);
                let left = until.saturating_duration_since(Instant::now());
                let stream = found.and_then(|addresses| addresses.dial(left, stop));
                Stream::Tcp(stream.map_err(why)?)
            }
        };
        Ok(Self {
            stream,
            until,
            grace: None,
            is_in_grace: false,
            stop: stop.clone(),
            waiting: Vec::new(),
            greeting: Reply::default(),
        })
    }

    /// Keeps what the server has greeted with.
    pub(super) fn greeted_with(&mut self, greeting: Reply) {
        self.greeting = greeting;
    }

    /// Begins anew with another message. Fails where the server has said anything meanwhile, as that it
    /// closes.
    pub(super) fn renew(&mut self, until: Instant) -> Result<(), Broken> {
        (self.until, self.grace, self.is_in_grace) = (until, None, false);
        self.expect_silence()
    }

    /// From here on it may go on for so long once popfetch is to stop.
    pub(super) fn allow(&mut self, grace: Duration) {
        self.grace = Some(grace);
    }

    /// Says QUIT and does not wait for an answer, which would change nothing. Gives the greeting.
    pub(super) fn leave(mut self) -> Reply {
        let _ = self.stream.write(b"QUIT\r\n");
        self.greeting
    }

    pub(super) fn send(&mut self, text: &str) -> Result<(), Broken> {
        self.write(text.as_bytes(), false)
    }

    /// Sends what is in the file, from here on, with its end.
    pub(super) fn send_message(&mut self, file: &mut File) -> Result<(), Unsent> {
        let mut stuffer = Stuffer::default();
        let mut piece = vec![0; PIECE];
        let mut out = Vec::new();
        loop {
            let count = file.read(&mut piece).map_err(Unsent::Message)?;
            stuffer.stuff(piece.get(..count).unwrap_or_default(), &mut out);
            // With what came before the end a server that takes nothing would be believed; and one that has
            // said no may wait for ever that the rest comes.
            self.expect_silence().map_err(Unsent::Wire)?;
            if count == 0 {
                stuffer.end(&mut out);
            }
            if let Err(broken) = self.write(&out, true) {
                // A server that closes has often said why.
                self.expect_silence().map_err(Unsent::Wire)?;
                return Err(Unsent::Wire(broken));
            }
            out.clear();
            if count == 0 {
                return Ok(());
            }
        }
    }

    /// With `in_silence` it fails where the server says anything meanwhile: it may take nothing any more.
    fn write(&mut self, octets: &[u8], in_silence: bool) -> Result<(), Broken> {
        let mut rest = octets;
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(0) => return Err(Broken::Closed),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => match in_silence {
                    true => {
                        self.wait(PollFlags::OUT | PollFlags::IN)?;
                        self.expect_silence()?;
                    }
                    false => self.wait(PollFlags::OUT)?,
                },
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Fails where the server has said anything that it was not asked for.
    fn expect_silence(&mut self) -> Result<(), Broken> {
        let mut buffer = [0; LONGEST_LINE];
        if self.waiting.is_empty() {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(Broken::Closed),
                Ok(count) => {
                    let octets = buffer.get(..count).unwrap_or_default();
                    self.waiting.extend_from_slice(octets);
                }
                Err(_) => {}
            }
        }
        match self.waiting.is_empty() {
            true => Ok(()),
            false => Err(Broken::Early(std::mem::take(&mut self.waiting))),
        }
    }

    /// The next reply.
    pub(super) fn reply(&mut self) -> Result<Reply, Broken> {
        let mut reply = Reply::default();
        loop {
            let line = self.line()?;
            let no_reply = || Broken::NoReply(line.clone());
            let (code, rest) = line.split_at_checked(3).ok_or_else(no_reply)?;
            let code = std::str::from_utf8(code).ok().filter(|code| {
                let mut digits = code.bytes();
                digits.all(|digit| digit.is_ascii_digit())
            });
            let code: u16 = code
                .and_then(|code| code.parse().ok())
                .filter(|code| (200..600).contains(code))
                .ok_or_else(no_reply)?;
            if !reply.lines.is_empty() && code != reply.code {
                return Err(no_reply());
            }
            reply.code = code;
            let (is_last, text) = match rest.split_first() {
                None => (true, &[][..]),
                Some((b' ', text)) => (true, text),
                Some((b'-', text)) => (false, text),
                Some(_) => return Err(no_reply()),
            };
            reply.lines.push(text.to_owned());
            if is_last {
                return Ok(reply);
            }
            if reply.lines.len() >= MOST_LINES {
                return Err(Broken::Endless);
            }
        }
    }

    /// A line without its end.
    fn line(&mut self) -> Result<Vec<u8>, Broken> {
        loop {
            if let Some(at) = self.waiting.iter().position(|octet| *octet == b'\n') {
                let mut line: Vec<u8> = self.waiting.drain(..=at).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            if self.waiting.len() > LONGEST_LINE {
                return Err(Broken::Endless);
            }
            let mut buffer = [0; LONGEST_LINE];
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(Broken::Closed),
                Ok(count) => self
                    .waiting
                    .extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(PollFlags::IN)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Until the socket is ready.
    fn wait(&mut self, flags: PollFlags) -> Result<(), Broken> {
        loop {
            let is_to_stop = self.stop.requested().is_some();
            if is_to_stop {
                match self.grace.take() {
                    // The deadline from here on; nothing hears of the stop again.
                    Some(grace) => self.until = self.until.min(Instant::now() + grace),
                    None if self.is_in_grace => {}
                    None => return Err(Broken::Stopped),
                }
                self.is_in_grace = true;
            }
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(match is_to_stop {
                    true => Broken::Stopped,
                    false => Broken::OutOfTime,
                });
            }
            let timeout = Timespec::try_from(left).ok();
            let mut fds = vec![PollFd::from_borrowed_fd(self.stream.as_fd(), flags)];
            if !is_to_stop {
                fds.push(self.stop.poll_fd());
            }
            match poll(&mut fds, timeout.as_ref()) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(Broken::Io(error.into())),
            }
            if fds.first().is_some_and(|fd| !fd.revents().is_empty()) {
                return Ok(());
            }
        }
    }
}

fn connect_unix(path: &Path, until: Instant, stop: &Stop) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    loop {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        match connect(&socket, &address) {
            Ok(()) => return Ok(UnixStream::from(socket)),
            // Its queue is full.
            Err(Errno::AGAIN) if Instant::now() < until && stop.wait(AGAIN).is_none() => {}
            Err(error) => return Err(error.into()),
        }
    }
}
