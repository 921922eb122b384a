//! The connection and the channel under it: sending, waiting, and not waiting too long.

use super::{Answer, Error, Options, Phase};
use crate::net::{self, Channel};
use crate::pop3::{Capabilities, Command, Connection, Event, Reply, Violation};
use crate::source::link::{Direction, Link, Progress};
use crate::source::secrets::Secrets;

/// More lines than this in the reply to CAPA have no end. Real ones have under twenty.
const CAPABILITY_LINES: usize = 4096;

/// A line that is too long to be read, and may have a megabyte, counts for so many more.
const OVERLONG_WEIGHT: usize = 500;

pub(super) struct Wire {
    connection: Connection,
    pub(super) link: Link,
}

impl From<Reply<'_>> for Answer {
    fn from(reply: Reply<'_>) -> Self {
        Self {
            ok: reply.ok,
            code: reply.code,
            ..Self::said(&String::from_utf8_lossy(reply.text))
        }
    }
}

impl Wire {
    /// Nothing that the server says will be told with one of `secrets` in it.
    pub(super) fn new(channel: Box<dyn Channel>, options: &Options, secrets: Secrets) -> Self {
        Self {
            connection: Connection::new(),
            link: Link::new(channel, options, secrets),
        }
    }

    /// Puts a command on its way; it leaves with the next wait for an answer.
    ///
    /// # Errors
    /// Where it cannot be sent at all; only user name and password can be so.
    pub(super) fn send(&mut self, command: Command<'_>) -> Result<(), Error> {
        self.link
            .log(Direction::Sent, command.to_string().as_bytes());
        self.connection.send(command).map_err(|source| {
            let what = match command {
                Command::Pass(_) | Command::Auth { .. } => "password",
                _ => "user name",
            };
            Error::Unsendable {
                what,
                source: source.into(),
            }
        })?;
        self.link.sends(self.connection.pending());
        Ok(())
    }

    /// Answers a challenge.
    pub(super) fn respond(&mut self, base64: &str) {
        self.link.log_response(base64);
        self.connection.respond(base64);
    }

    /// The next event, waiting for it where necessary. Never [`Event::NeedInput`].
    pub(super) fn next(&mut self, phase: Phase) -> Result<Event<'_>, Error> {
        let violated = |link: &Link, violation| {
            let violation = match violation {
                Violation::NoStatus(line) => {
                    Violation::NoStatus(link.hidden_octets(&line).into_owned())
                }
                other => other,
            };
            Error::violation(phase, violation)
        };
        loop {
            match self.connection.wants_input() {
                Ok(false) => break,
                Ok(true) => {}
                Err(Violation::NoStatus(line))
                    // Behind several commands it may be the answer to the next one.
                    if phase.is_of_mailbox()
                        && self.connection.pending() == 1
                        && self.is_before_answer(&line) =>
                {
                    return Err(violated(&self.link, Violation::Idle));
                }
                Err(violation) => return Err(violated(&self.link, violation)),
            }
            let pending = self.connection.pending();
            let moved = self.link.wait(phase, pending, self.connection.buffers())?;
            self.note(moved);
        }
        let event = self.connection.next_event();
        let event = event.map_err(|violation| violated(&self.link, violation))?;
        match event {
            Event::Reply(_) => self.link.given_mut().answer(phase),
            Event::MessageEnd(_) => self.link.given_mut().end(phase),
            _ => {}
        }
        self.link.progresses(match event {
            Event::Reply(_) => Progress::Step { answered: true },
            Event::Challenge(_) | Event::End | Event::MessageEnd(_) => {
                Progress::Step { answered: false }
            }
            _ => Progress::Flow {
                of_message: matches!(event, Event::Body(_)),
            },
        });
        let (status, text): (&[u8], _) = match &event {
            Event::Reply(reply) if reply.ok => (b"+OK ", reply.text),
            Event::Reply(reply) => (b"-ERR ", reply.text),
            Event::Challenge(challenge) => (b"+ ", *challenge),
            _ => return Ok(event),
        };
        self.link.log_parts(Direction::Received, status, text);
        Ok(event)
    }

    /// The status line of the oldest pending command.
    pub(super) fn answer(&mut self, phase: Phase) -> Result<Answer, Error> {
        Ok(self.answer_and(phase, |_| ())?.0)
    }

    /// The same, and what `read` makes of its text as it came.
    pub(super) fn answer_and<T>(
        &mut self,
        phase: Phase,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<(Answer, T), Error> {
        let (answer, found) = match self.next(phase)? {
            Event::Reply(reply) => (Answer::from(reply), read(reply.text)),
            _ => (Answer::said(""), read(b"")),
        };
        Ok((self.without_secrets(answer), found))
    }

    /// The same answer, to be shown.
    pub(super) fn without_secrets(&self, answer: Answer) -> Answer {
        Answer {
            text: self.link.hidden(&answer.text),
            ..answer
        }
    }

    /// The lines of a listing whose status line was `+OK`. A line that is too long is `None`.
    ///
    /// # Errors
    /// Also where there are more than `limit` lines, whatever they say: a server could go on with
    /// lines that mean nothing for ever.
    pub(super) fn lines<E: Into<Error>>(
        &mut self,
        phase: Phase,
        limit: usize,
        mut each: impl FnMut(Option<&[u8]>) -> Result<(), E>,
    ) -> Result<(), Error> {
        let (mut count, mut weight) = (0u64, 0);
        loop {
            match self.next(phase)? {
                Event::Line(line) => each(Some(line)).map_err(Into::into)?,
                Event::OverlongLine => {
                    weight += OVERLONG_WEIGHT;
                    each(None).map_err(Into::into)?;
                }
                _ => break,
            }
            count += 1;
            weight += 1;
            if weight > limit {
                return Err(Error::violation(phase, Violation::Endless("listing")));
            }
        }
        self.link
            .log(Direction::Received, format!("({count} lines)").as_bytes());
        Ok(())
    }

    /// The octets of a header whose status line was `+OK`.
    ///
    /// # Errors
    /// Also where there are more than `limit` octets.
    pub(super) fn header(
        &mut self,
        phase: Phase,
        limit: usize,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        let mut count = 0usize;
        while let Event::Body(octets) = self.next(phase)? {
            each(octets);
            count = count.saturating_add(octets.len());
            if count > limit {
                return Err(Error::violation(phase, Violation::Endless("header")));
            }
        }
        Ok(())
    }

    /// The reply to CAPA; `None` where the server knows no such command.
    pub(super) fn capabilities(&mut self) -> Result<Option<Capabilities>, Error> {
        self.capabilities_in(Phase::Capabilities)
    }

    /// The same in another phase.
    pub(super) fn capabilities_in(&mut self, phase: Phase) -> Result<Option<Capabilities>, Error> {
        if !self.answer(phase)?.ok {
            return Ok(None);
        }
        let mut capabilities = Capabilities::default();
        let log = self.link.logger();
        self.lines(phase, CAPABILITY_LINES, |line| {
            if let Some(line) = line {
                capabilities.read_line(line);
                log(Direction::Received, line);
            }
            Ok::<(), Error>(())
        })?;
        Ok(Some(capabilities))
    }

    /// TLS from here on, on a connection that knows nothing of what came before.
    pub(super) fn start_tls(&mut self) -> Result<(), Error> {
        let started = match self.connection.is_drained() {
            true => self.link.start_tls(),
            false => Err(net::Error::Injected),
        };
        started.map_err(|source| self.failed(Phase::StartTls, source))?;
        self.connection = Connection::continued();
        Ok(())
    }

    /// Commands that are not completely answered.
    pub(super) fn pending(&self) -> usize {
        self.connection.pending()
    }

    fn failed(&self, phase: Phase, source: net::Error) -> Error {
        self.link.failed(phase, source, self.connection.pending())
    }

    fn note(&mut self, moved: net::Moved) {
        self.connection.sent(moved.sent);
        self.connection.filled(moved.received);
    }
}

mod idle;
#[cfg(test)]
mod tests;
