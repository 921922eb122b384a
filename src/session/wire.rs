//! The connection and the channel under it: sending, waiting, and not waiting too long.

use super::{Error, Options, Phase};
use crate::net::{self, Channel};
use crate::pop3::{Capabilities, Command, Connection, Event, ResponseCode};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// A step of the session that is answered by a single line may take so long altogether, however
/// lively the server drips: long enough for servers that delay a sign-in on purpose.
const STEP_TIMEOUT: Duration = Duration::from_secs(120);

/// Fewer octets than this in [`Options::timeout`] are no progress (TRUST.md F6): with the default
/// of 60 seconds even a line of 300 bit/s is fast enough.
const PROGRESS: u64 = 1024;

/// Which way a line of the transcript went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// From us to the server.
    Sent,
    /// From the server to us.
    Received,
}

/// Gets the lines that go over the wire, without secrets; what the server sends is as it came.
pub type Transcript = Arc<dyn Fn(Direction, &[u8]) + Send + Sync>;

/// A status line, kept: for errors, and for what needs no more than "ok".
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// `+OK`.
    pub ok: bool,
    /// The extended response code.
    pub code: Option<ResponseCode>,
    /// The server's words, invalid UTF-8 replaced; hostile.
    pub text: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text.as_str() {
            "" => f.write_str("it gave no reason"),
            text => write!(f, "\"{text}\""),
        }
    }
}

pub(super) struct Wire {
    connection: Connection,
    channel: Box<dyn Channel>,
    timeout: Duration,
    transcript: Option<Transcript>,
    /// What must not get into the transcript, not even where a server repeats it.
    secrets: Zeroizing<Vec<String>>,
    pace: Pace,
}

/// How fast the server is expected to be at least.
struct Pace {
    /// When the step at hand began.
    step: Instant,
    /// Since when `octets` are counted.
    since: Instant,
    octets: u64,
    /// When the last of them came.
    last: Instant,
    /// The step consists of more than a line.
    flowing: bool,
}

impl Pace {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            step: now,
            since: now,
            octets: 0,
            last: now,
            flowing: false,
        }
    }

    fn received(&mut self, octets: usize) {
        self.octets += octets as u64;
        self.last = Instant::now();
    }

    /// Until when to wait for the next octets; an error if it has been too long already.
    fn deadline(&mut self, timeout: Duration) -> Result<Instant, net::Error> {
        let now = Instant::now();
        if !self.flowing && now >= self.step + STEP_TIMEOUT {
            return Err(net::Error::TimedOut(STEP_TIMEOUT.as_secs()));
        }
        if now >= self.since + timeout {
            if now >= self.last + timeout {
                return Err(net::Error::TimedOut(timeout.as_secs()));
            }
            if self.octets < PROGRESS {
                return Err(net::Error::TooSlow(timeout.as_secs()));
            }
            (self.since, self.octets) = (self.last, 0);
        }
        let deadline = self.since + timeout;
        Ok(match self.flowing {
            true => deadline,
            false => deadline.min(self.step + STEP_TIMEOUT),
        })
    }
}

impl Wire {
    pub(super) fn new(channel: Box<dyn Channel>, options: &Options) -> Self {
        Self {
            connection: Connection::new(),
            channel,
            timeout: options.timeout,
            transcript: options.transcript.clone(),
            secrets: Zeroizing::default(),
            pace: Pace::new(),
        }
    }

    /// Keeps these out of the transcript from here on.
    pub(super) fn conceal(&mut self, secrets: &[&str]) {
        let secrets = secrets.iter().filter(|secret| !secret.is_empty());
        self.secrets = Zeroizing::new(secrets.map(|secret| (*secret).to_owned()).collect());
    }

    /// Puts a command on its way; it leaves with the next wait for an answer.
    ///
    /// # Errors
    /// Where it cannot be sent at all; only user name and password can be so.
    pub(super) fn send(&mut self, command: Command<'_>) -> Result<(), Error> {
        self.log(Direction::Sent, command.to_string().as_bytes());
        self.connection.send(command).map_err(|source| {
            let what = match command {
                Command::Pass(_) | Command::Auth { .. } => "password",
                _ => "user name",
            };
            Error::Unsendable { what, source }
        })
    }

    /// Answers a challenge.
    pub(super) fn respond(&mut self, base64: &str) {
        self.log(Direction::Sent, b"****");
        self.connection.respond(base64);
    }

    /// The next event, waiting for it where necessary. Never [`Event::NeedInput`].
    pub(super) fn next(&mut self, phase: Phase) -> Result<Event<'_>, Error> {
        let violated = |violation| Error::Violation { phase, violation };
        while self.connection.wants_input().map_err(violated)? {
            self.wait().map_err(|source| Error::Net { phase, source })?;
        }
        let event = self.connection.next_event().map_err(violated)?;
        match event {
            Event::Reply(_) | Event::Challenge(_) | Event::End => self.pace = Pace::new(),
            _ => self.pace.flowing = true,
        }
        if let (Some(transcript), Event::Reply(reply)) = (&self.transcript, &event) {
            let status: &[u8] = if reply.ok { b"+OK " } else { b"-ERR " };
            let line = redacted([status, reply.text].concat(), &self.secrets);
            transcript(Direction::Received, &line);
        }
        Ok(event)
    }

    /// The status line of the oldest pending command.
    pub(super) fn answer(&mut self, phase: Phase) -> Result<Answer, Error> {
        match self.next(phase)? {
            Event::Reply(reply) => Ok(Answer {
                ok: reply.ok,
                code: reply.code,
                text: String::from_utf8_lossy(reply.text).into_owned(),
            }),
            _ => Ok(Answer {
                ok: false,
                code: None,
                text: String::new(),
            }),
        }
    }

    /// The lines of a listing whose status line was `+OK`. A line that is too long is `None`.
    pub(super) fn lines<E: Into<Error>>(
        &mut self,
        phase: Phase,
        mut each: impl FnMut(Option<&[u8]>) -> Result<(), E>,
    ) -> Result<(), Error> {
        let mut count = 0u64;
        loop {
            match self.next(phase)? {
                Event::Line(line) => each(Some(line)).map_err(Into::into)?,
                Event::OverlongLine => each(None).map_err(Into::into)?,
                _ => break,
            }
            count += 1;
        }
        self.log(Direction::Received, format!("({count} lines)").as_bytes());
        Ok(())
    }

    /// The octets of a body whose status line was `+OK`.
    pub(super) fn body(&mut self, phase: Phase, mut each: impl FnMut(&[u8])) -> Result<(), Error> {
        while let Event::Body(octets) = self.next(phase)? {
            each(octets);
        }
        Ok(())
    }

    /// The reply to CAPA; `None` where the server knows no such command.
    pub(super) fn capabilities(&mut self) -> Result<Option<Capabilities>, Error> {
        if !self.answer(Phase::Capabilities)?.ok {
            return Ok(None);
        }
        let mut capabilities = Capabilities::default();
        let transcript = self.transcript.clone();
        self.lines(Phase::Capabilities, |line| {
            if let Some(line) = line {
                capabilities.read_line(line);
                if let Some(transcript) = &transcript {
                    transcript(Direction::Received, line);
                }
            }
            Ok::<(), Error>(())
        })?;
        Ok(Some(capabilities))
    }

    /// Commands that are not completely answered.
    pub(super) fn pending(&self) -> usize {
        self.connection.pending()
    }

    /// From here on waits at most so long for the server to say anything.
    pub(super) fn limit_timeout(&mut self, timeout: Duration) {
        self.timeout = self.timeout.min(timeout);
    }

    pub(super) fn close(&mut self) {
        self.channel.close();
    }

    fn log(&self, direction: Direction, line: &[u8]) {
        if let Some(transcript) = &self.transcript {
            transcript(direction, line);
        }
    }

    /// Waits for octets, sending what there is to send.
    fn wait(&mut self) -> Result<(), net::Error> {
        loop {
            let deadline = self.pace.deadline(self.timeout)?;
            let (output, input) = self.connection.buffers();
            match self.channel.exchange(output, input, deadline) {
                Ok(moved) => {
                    self.connection.sent(moved.sent);
                    self.connection.filled(moved.received);
                    self.pace.received(moved.received);
                    return Ok(());
                }
                // The pace decides whether that was too long; it may begin to count anew.
                Err(net::Error::TimedOut(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The line without secrets.
fn redacted(line: Vec<u8>, secrets: &[String]) -> Vec<u8> {
    let holds = |secret: &&String| memchr::memmem::find(&line, secret.as_bytes()).is_some();
    if !secrets.iter().any(|secret| holds(&secret)) {
        return line;
    }
    let text = String::from_utf8_lossy(&line).into_owned();
    let hide = |text: String, secret: &String| text.replace(secret, "****");
    secrets.iter().fold(text, hide).into_bytes()
}
