//! The connection and the channel under it: sending, waiting, and not waiting too long.

use super::given::Given;
use super::pace::Pace;
use super::secrets::Secrets;
use super::{Error, Options, Phase, UnderWay};
use crate::net::{self, Channel};
use crate::pop3::{Capabilities, Command, Connection, Event, Reply, ResponseCode, Violation};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is sent behind a sign-in is told apart from what was lost there after so long: no mailbox is
/// needed to answer CAPA.
const AHEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// More lines than this in the reply to CAPA have no end. Real ones have under twenty.
const CAPABILITY_LINES: usize = 4096;

/// A line that is too long to be read, and may have a megabyte, counts for so many more.
const OVERLONG_WEIGHT: usize = 500;

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
            // Whatever stands between the quotation marks is the server's, to the last of them.
            text => write!(f, "\"{}\"", text.replace('"', "'")),
        }
    }
}

impl From<Reply<'_>> for Answer {
    fn from(reply: Reply<'_>) -> Self {
        Self {
            ok: reply.ok,
            code: reply.code,
            text: String::from_utf8_lossy(reply.text).into_owned(),
        }
    }
}

pub(super) struct Wire {
    connection: Connection,
    channel: Box<dyn Channel>,
    timeout: Duration,
    /// How long instead where the server may have to read the mailbox first.
    patience: Duration,
    /// The first message has begun to arrive, or a later one.
    serving: bool,
    may_be_lost: bool,
    transcript: Option<Transcript>,
    /// What nobody gets to see, not even where a server repeats it.
    secrets: Arc<Secrets>,
    pace: Pace,
    /// Commands sent so far.
    sent: usize,
    /// The last of them that went out while another was under way.
    accompanied: usize,
    given: Given,
}

impl Wire {
    /// Nothing that the server says will be told with one of `secrets` in it.
    pub(super) fn new(channel: Box<dyn Channel>, options: &Options, secrets: Secrets) -> Self {
        Self {
            connection: Connection::new(),
            channel,
            timeout: options.timeout,
            patience: options.patience,
            serving: false,
            may_be_lost: false,
            transcript: options.transcript.clone(),
            secrets: Arc::new(secrets),
            pace: Pace::new(),
            sent: 0,
            accompanied: 0,
            given: Given::default(),
        }
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
        })?;
        self.sent += 1;
        if self.connection.pending() > 1 {
            self.accompanied = self.sent;
        }
        Ok(())
    }

    /// Answers a challenge.
    pub(super) fn respond(&mut self, base64: &str) {
        // An empty line and a cancellation hide nothing.
        let shown = if matches!(base64, "" | "*") {
            base64
        } else {
            "****"
        };
        self.log(Direction::Sent, shown.as_bytes());
        self.connection.respond(base64);
    }

    /// Keeps this out of what is told as well, from here on.
    pub(super) fn hide(&mut self, secret: &str) {
        // Nobody else holds them while someone signs in.
        if let Some(secrets) = Arc::get_mut(&mut self.secrets) {
            secrets.add(secret);
        }
    }

    /// The same text, to be shown.
    pub(super) fn hidden(&self, text: &str) -> String {
        self.secrets.hide_in(text.to_owned())
    }

    /// What the connection is, without secrets: a certificate may say anything.
    pub(super) fn connection(&self) -> net::Facts {
        let mut facts = self.channel.facts();
        for certificate in facts.tls.iter_mut().flat_map(|tls| &mut tls.chain) {
            for text in certificate.words_mut() {
                *text = self.hidden(text);
            }
        }
        facts
    }

    /// The keying material of the TLS connection for channel binding (RFC 9266).
    pub(super) fn tls_exporter(&self) -> Option<[u8; 32]> {
        self.channel.tls_exporter()
    }

    /// The next event, waiting for it where necessary. Never [`Event::NeedInput`].
    pub(super) fn next(&mut self, phase: Phase) -> Result<Event<'_>, Error> {
        let violated = |secrets: &Secrets, violation| Error::Violation {
            phase,
            violation: match violation {
                Violation::NoStatus(line) => Violation::NoStatus(secrets.hide(&line).into_owned()),
                other => other,
            },
            message: None,
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
                    return Err(violated(&self.secrets, Violation::Idle));
                }
                Err(violation) => return Err(violated(&self.secrets, violation)),
            }
            let timeout = self.timeout_in(phase);
            self.wait(phase, timeout)
                .map_err(|source| self.failed(phase, source))?;
        }
        let event = self.connection.next_event();
        let event = event.map_err(|violation| violated(&self.secrets, violation))?;
        self.given.note(phase, &event);
        match event {
            Event::Reply(_) | Event::Challenge(_) | Event::End | Event::MessageEnd(_) => {
                self.pace.begin_step(matches!(event, Event::Reply(_)));
            }
            _ => {
                self.pace.flowing = true;
                self.serving |= matches!(event, Event::Body(_));
            }
        }
        if let Some(transcript) = &self.transcript {
            let (status, text): (&[u8], _) = match &event {
                Event::Reply(reply) if reply.ok => (b"+OK ", reply.text),
                Event::Reply(reply) => (b"-ERR ", reply.text),
                Event::Challenge(challenge) => (b"+ ", *challenge),
                _ => return Ok(event),
            };
            let line = [status, &self.secrets.hide(text)].concat();
            transcript(Direction::Received, &line);
        }
        Ok(event)
    }

    /// How long the server may be silent at this point.
    fn timeout_in(&self, phase: Phase) -> Duration {
        let begins = match phase {
            Phase::SignIn | Phase::Listing => true,
            Phase::Message(_) | Phase::Header(_) => !self.serving,
            _ => false,
        };
        match begins && !self.pace.flowing {
            _ if self.may_be_lost => self.timeout.min(AHEAD_TIMEOUT),
            true => self.patience,
            false => self.timeout,
        }
    }

    /// Whether what is waited for now was sent behind a sign-in, and may be lost.
    pub(super) fn expect_loss(&mut self, may_be_lost: bool) {
        self.may_be_lost = may_be_lost;
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
            _ => {
                let (ok, code, text) = (false, None, String::new());
                (Answer { ok, code, text }, read(b""))
            }
        };
        Ok((self.without_secrets(answer), found))
    }

    /// The same answer, to be shown.
    pub(super) fn without_secrets(&self, answer: Answer) -> Answer {
        Answer {
            text: self.secrets.hide_in(answer.text),
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
                let violation = Violation::Endless("listing");
                return Err(Error::Violation {
                    phase,
                    violation,
                    message: None,
                });
            }
        }
        self.log(Direction::Received, format!("({count} lines)").as_bytes());
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
                let violation = Violation::Endless("header");
                return Err(Error::Violation {
                    phase,
                    violation,
                    message: None,
                });
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
        let (transcript, secrets) = (self.transcript.clone(), Arc::clone(&self.secrets));
        self.lines(phase, CAPABILITY_LINES, |line| {
            if let Some(line) = line {
                capabilities.read_line(line);
                if let Some(transcript) = &transcript {
                    transcript(Direction::Received, &secrets.hide(line));
                }
            }
            Ok::<(), Error>(())
        })?;
        Ok(Some(capabilities))
    }

    /// TLS from here on, on a connection that knows nothing of what came before.
    pub(super) fn start_tls(&mut self) -> Result<(), Error> {
        let started = match self.connection.is_drained() {
            true => self.channel.start_tls(),
            false => Err(net::Error::Injected),
        };
        started.map_err(|source| self.failed(Phase::StartTls, source))?;
        self.connection = Connection::continued();
        self.pace = Pace::new();
        Ok(())
    }

    /// See [`Given`].
    pub(super) fn given(&self) -> Given {
        self.given
    }

    /// Commands that are not completely answered.
    pub(super) fn pending(&self) -> usize {
        self.connection.pending()
    }

    /// From here on waits at most so long for the server to say anything.
    pub(super) fn limit_timeout(&mut self, timeout: Duration) {
        self.timeout = self.timeout.min(timeout);
        self.patience = self.timeout;
    }

    pub(super) fn close(&mut self) {
        self.channel.close();
    }

    fn failed(&self, phase: Phase, source: net::Error) -> Error {
        let pending = self.connection.pending();
        let oldest = (self.sent + 1).saturating_sub(pending);
        let is_accompanied = self.accompanied > 0 && pending > 0 && oldest <= self.accompanied;
        let under_way = match is_accompanied {
            true => UnderWay::Several {
                begun: self.pace.flowing,
            },
            false => UnderWay::One,
        };
        Error::Net {
            phase,
            source,
            under_way,
            message: None,
        }
    }

    fn log(&self, direction: Direction, line: &[u8]) {
        if let Some(transcript) = &self.transcript {
            transcript(direction, &self.secrets.hide(line));
        }
    }

    fn note(&mut self, moved: net::Moved) {
        self.connection.sent(moved.sent);
        self.connection.filled(moved.received);
        self.given.received(moved.received);
    }

    /// Waits for octets, sending what there is to send.
    fn wait(&mut self, phase: Phase, timeout: Duration) -> Result<(), net::Error> {
        // Only now, as what has come may have ended a message.
        self.pace.check_rate(timeout)?;
        self.pace.resume();
        loop {
            let deadline = self.pace.deadline(timeout)?;
            let (output, input) = self.connection.buffers();
            let began = Instant::now();
            let exchanged = self.channel.exchange(output, input, deadline);
            self.pace.waited(began.elapsed(), phase, self.serving);
            match exchanged {
                Ok(moved) => {
                    self.note(moved);
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

mod idle;
#[cfg(test)]
mod tests;
