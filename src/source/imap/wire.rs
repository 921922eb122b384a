//! The connection and the channel under it: sending, waiting, and what a session is told.

use super::{Answer, Error, Options, Phase};
use crate::imap::{
    Capabilities, Code, Command, Condition, Connection, Data, Event, Fetched, ListedMailbox,
    Section, Status, Violation,
};
use crate::net::{self, Channel};
use crate::source::link::{Direction, Link, Progress};
use crate::source::secrets::Secrets;
use std::time::Instant;

/// What a session is told, but for a message's octets.
#[derive(Debug)]
pub(super) enum Step {
    /// Octets of a message follow: of which part, and of which message, where that was told before.
    Begins(Section, Option<u32>),
    /// They come next: [`Wire::octets`] has them.
    Octets,
    /// The end of what FETCH has said of a message.
    Fetched(Fetched),
    /// So many messages are in the mailbox.
    Exists(u32),
    /// So many of them no other session has been told of.
    Recent(u32),
    /// So many messages are gone.
    Gone(u64),
    /// The mailbox's UIDVALIDITY.
    UidValidity(u32),
    /// No message to come has a lower UID.
    UidNext(u32),
    /// There is this mailbox.
    Listed(ListedMailbox),
    /// These messages were looked for.
    Found(Vec<u32>),
    /// The command is answered.
    Done(Answer),
    /// A challenge comes next: [`Wire::challenge`] has it.
    Challenge,
    /// The server has said nothing, for as long as it was to be waited for.
    Silence,
}

pub(super) struct Wire {
    connection: Connection,
    pub(super) link: Link,
    /// A literal need not wait.
    pub(super) takes_literals: bool,
    /// LOGOUT was sent: the server is to say BYE.
    is_leaving: bool,
    /// Something of a message has begun to come, and has not ended.
    has_begun: bool,
    /// What the server has said of itself, and nobody has taken yet.
    capabilities: Option<Capabilities>,
    /// The last challenge.
    challenge: Vec<u8>,
}

impl From<Status<'_>> for Answer {
    fn from(status: Status<'_>) -> Self {
        Self {
            ok: status.condition == Condition::Ok,
            bad: status.condition == Condition::Bad,
            ..Self::said(&String::from_utf8_lossy(status.text))
        }
    }
}

impl Wire {
    /// Nothing that the server says will be told with one of `secrets` in it.
    pub(super) fn new(channel: Box<dyn Channel>, options: &Options, secrets: Secrets) -> Self {
        Self {
            connection: Connection::new(),
            link: Link::new(channel, options, secrets),
            takes_literals: false,
            is_leaving: false,
            has_begun: false,
            capabilities: None,
            challenge: Vec::new(),
        }
    }

    /// Puts a command on its way; it leaves with the next wait for an answer.
    ///
    /// # Errors
    /// Where it cannot be sent at all; only user name and password can be so.
    pub(super) fn send(&mut self, command: Command<'_>) -> Result<(), Error> {
        self.link
            .log(Direction::Sent, command.to_string().as_bytes());
        self.is_leaving |= command == Command::Logout;
        let sent = self.connection.send(command, self.takes_literals);
        sent.map_err(|source| Error::Unsendable {
            what: match command {
                Command::Append(_) | Command::Create(_) | Command::Examine(_) => "folder's name",
                _ => "user name or the password",
            },
            source: source.into(),
        })?;
        self.link.sends(self.connection.pending());
        Ok(())
    }

    /// Answers a challenge.
    pub(super) fn respond(&mut self, base64: &str) {
        self.link.log_response(base64);
        self.connection.respond(base64);
    }

    /// What the server begins with. It may say there what it can do.
    pub(super) fn greeting(&mut self) -> Result<Condition, Error> {
        self.await_event(Phase::Greeting, None)?;
        let event = self.connection.next_event();
        let event = event.map_err(|violation| violated(&self.link, Phase::Greeting, violation))?;
        // Nothing else can come first.
        let Event::Status(status) = event else {
            let line = Violation::NoGreeting(Vec::new());
            return Err(Error::violation(Phase::Greeting, line));
        };
        self.link.given_mut().answer(Phase::Greeting);
        self.link.progresses(Progress::Step { answered: true });
        log_status(&self.link, b"* ", status);
        if let Some(Code::Capability(words)) = status.code() {
            self.capabilities = Some(Capabilities::read(words));
        }
        if status.condition == Condition::Bye {
            return Err(Error::Turned(shown(&self.link, status)));
        }
        Ok(status.condition)
    }

    /// What comes next, waiting for it where necessary. What says nothing is passed over.
    pub(super) fn next(&mut self, phase: Phase) -> Result<Step, Error> {
        self.step(phase, None, true)
    }

    /// The same, and [`Step::Silence`] where nothing comes until then, for who expects no more.
    pub(super) fn next_until(
        &mut self,
        phase: Phase,
        until: Option<Instant>,
    ) -> Result<Step, Error> {
        self.step(phase, until, true)
    }

    /// The same; who does not wait at all gets [`Step::Silence`] where nothing has come.
    fn step(&mut self, phase: Phase, until: Option<Instant>, waits: bool) -> Result<Step, Error> {
        loop {
            let wants_input = self.connection.wants_input();
            let wants_input =
                wants_input.map_err(|violation| violated(&self.link, phase, violation))?;
            if wants_input && !(waits && self.await_event(phase, until)?) {
                return Ok(Step::Silence);
            }
            if self.connection.has_octets() {
                self.link.progresses(Progress::Flow { of_message: true });
                return Ok(Step::Octets);
            }
            // What EXPUNGE and the look behind it are answered with was asked for.
            let aside = Progress::Aside(match phase {
                Phase::Quit => 0,
                _ => self.connection.response_length(),
            });
            let event = self.connection.next_event();
            let event = event.map_err(|violation| violated(&self.link, phase, violation))?;
            let flow = Progress::Flow { of_message: false };
            match event {
                Event::Begins { section, uid, .. } => {
                    self.has_begun = true;
                    self.link.progresses(flow);
                    return Ok(Step::Begins(section, uid));
                }
                // What is not known by its UID is nothing to go on with; a listing says of what it is.
                Event::Fetched(fetched) if fetched.is_unusable && phase != Phase::Listing => {
                    return Err(Error::violation(phase, Violation::Unusable));
                }
                Event::Fetched(fetched) => {
                    if fetched.section.is_some() {
                        self.link.given_mut().end(phase);
                    }
                    self.link.progresses(match fetched.section {
                        Some(_) if std::mem::take(&mut self.has_begun) => {
                            Progress::Step { answered: false }
                        }
                        None if fetched.size.is_some() => flow,
                        // There is nothing of a message, or its flags have changed.
                        _ => aside,
                    });
                    return Ok(Step::Fetched(fetched));
                }
                Event::Done(status) => {
                    self.link.given_mut().answer(phase);
                    self.link.progresses(Progress::Step { answered: true });
                    log_status(&self.link, b"", status);
                    if let Some(Code::Capability(words)) = status.code() {
                        self.capabilities = Some(Capabilities::read(words));
                    }
                    return Ok(Step::Done(shown(&self.link, status)));
                }
                Event::Challenge(challenge) => {
                    self.challenge = challenge.to_vec();
                    self.link.progresses(Progress::Step { answered: false });
                    self.link
                        .log_parts(Direction::Received, b"+ ", &self.challenge);
                    return Ok(Step::Challenge);
                }
                Event::Status(status) => {
                    log_status(&self.link, b"* ", status);
                    self.link.progresses(aside);
                    match (status.condition, status.code()) {
                        (Condition::Bye, _) if !self.is_leaving => {
                            return Err(Error::Ended {
                                phase,
                                answer: shown(&self.link, status),
                                under_way: self.link.under_way(self.connection.pending()),
                            });
                        }
                        (_, Some(Code::UidValidity(value))) => return Ok(Step::UidValidity(value)),
                        (_, Some(Code::UidNext(value))) => return Ok(Step::UidNext(value)),
                        (_, Some(Code::Capability(words))) => {
                            self.capabilities = Some(Capabilities::read(words));
                        }
                        _ => {}
                    }
                }
                Event::Data(Data::Capability(words)) => {
                    self.link
                        .log_parts(Direction::Received, b"* CAPABILITY", words);
                    self.link.progresses(aside);
                    self.capabilities = Some(Capabilities::read(words));
                }
                Event::Data(Data::List(listed)) => {
                    self.link.log_parts(Direction::Received, b"* LIST", listed);
                    self.link.progresses(flow);
                    // What makes no sense costs no more than itself.
                    if let Some(listed) = ListedMailbox::parse(listed) {
                        return Ok(Step::Listed(listed));
                    }
                }
                Event::Data(Data::Search(uids)) => {
                    self.link.log_parts(Direction::Received, b"* SEARCH", uids);
                    self.link.progresses(flow);
                    let uids = String::from_utf8_lossy(uids);
                    let uids = uids.split_ascii_whitespace();
                    return Ok(Step::Found(uids.filter_map(|it| it.parse().ok()).collect()));
                }
                Event::Data(data) => {
                    self.link.progresses(aside);
                    match data {
                        Data::Exists(count) => return Ok(Step::Exists(count)),
                        Data::Gone(count) => return Ok(Step::Gone(count)),
                        Data::Recent(count) => return Ok(Step::Recent(count)),
                        Data::Capability(_) | Data::List(_) | Data::Search(_) | Data::Other => {}
                    }
                }
                Event::NeedInput | Event::Octets(_) => {}
            }
        }
    }

    /// Sends octets of a message that is appended. The server's answer, where it did not wait for all of
    /// them: the rest is not sent.
    pub(super) fn push(&mut self, octets: &[u8], phase: Phase) -> Result<Option<Answer>, Error> {
        self.connection.push(octets);
        while !self.connection.is_sent() {
            let pending = self.connection.pending();
            let moved = self.link.push(phase, pending, self.connection.buffers())?;
            self.connection.sent(moved.sent);
            self.connection.filled(moved.received);
            if moved.received == 0 {
                continue;
            }
            loop {
                match self.step(phase, None, false)? {
                    Step::Silence => break,
                    Step::Done(answer) => return Ok(Some(answer)),
                    Step::Octets => {
                        self.octets();
                    }
                    Step::Challenge => return Err(Error::violation(phase, Violation::Unsolicited)),
                    _ => {}
                }
            }
        }
        Ok(None)
    }

    /// Whether all that was put on its way has left.
    pub(super) fn is_sent(&self) -> bool {
        self.connection.is_sent()
    }

    /// Ends an IDLE.
    pub(super) fn done(&mut self) {
        const DONE: &str = "DONE";
        self.link.log(Direction::Sent, DONE.as_bytes());
        self.connection.respond(DONE);
    }

    /// The octets that a step has announced.
    pub(super) fn octets(&mut self) -> &[u8] {
        match self.connection.next_event() {
            Ok(Event::Octets(octets)) => octets,
            _ => b"",
        }
    }

    /// The challenge that a step has announced, still in base64.
    pub(super) fn challenge(&self) -> &[u8] {
        &self.challenge
    }

    /// The answer to the oldest pending command, whatever else is told before it.
    pub(super) fn answer(&mut self, phase: Phase) -> Result<Answer, Error> {
        loop {
            match self.next(phase)? {
                Step::Done(answer) => return Ok(answer),
                Step::Octets => {
                    self.octets();
                }
                Step::Challenge => return Err(Error::violation(phase, Violation::Unsolicited)),
                _ => {}
            }
        }
    }

    /// What the server has said of itself since this was asked last.
    pub(super) fn take_capabilities(&mut self) -> Option<Capabilities> {
        self.capabilities.take()
    }

    /// TLS from here on, on a connection that knows nothing of what came before.
    pub(super) fn start_tls(&mut self) -> Result<(), Error> {
        let started = match self.connection.is_drained() {
            true => self.link.start_tls(),
            false => Err(net::Error::Injected),
        };
        started.map_err(|source| self.link.failed(Phase::StartTls, source, 0))?;
        self.connection = Connection::continued();
        self.capabilities = None;
        Ok(())
    }

    /// Commands that are not completely answered.
    pub(super) fn pending(&self) -> usize {
        self.connection.pending()
    }

    /// Whether there is one, which there is where no end is set to the wait.
    fn await_event(&mut self, phase: Phase, until: Option<Instant>) -> Result<bool, Error> {
        loop {
            let wants_input = self.connection.wants_input();
            if !wants_input.map_err(|violation| violated(&self.link, phase, violation))? {
                return Ok(true);
            }
            let pending = self.connection.pending();
            let moved = match until {
                None => self.link.wait(phase, pending, self.connection.buffers())?,
                Some(until) => match self.link.exchange(self.connection.buffers(), until) {
                    Err(net::Error::TimedOut(_)) => return Ok(false),
                    moved => moved.map_err(|source| self.link.failed(phase, source, pending))?,
                },
            };
            self.connection.sent(moved.sent);
            self.connection.filled(moved.received);
        }
    }
}

/// The answer, without secrets.
fn shown(link: &Link, status: Status<'_>) -> Answer {
    let answer = Answer::from(status);
    Answer {
        text: link.hidden(&answer.text),
        ..answer
    }
}

fn log_status(link: &Link, start: &[u8], status: Status<'_>) {
    let word: &[u8] = match status.condition {
        Condition::Ok => b"OK ",
        Condition::No => b"NO ",
        Condition::Bad => b"BAD ",
        Condition::PreAuth => b"PREAUTH ",
        Condition::Bye => b"BYE ",
    };
    link.log_parts(Direction::Received, &[start, word].concat(), status.text);
}

/// The violation, without secrets.
fn violated(link: &Link, phase: Phase, violation: Violation) -> Error {
    let hidden = |line: Vec<u8>| link.hidden_octets(&line).into_owned();
    let violation = match violation {
        Violation::NoGreeting(line) => Violation::NoGreeting(hidden(line)),
        Violation::Malformed(line) => Violation::Malformed(hidden(line)),
        Violation::ForeignTag(line) => Violation::ForeignTag(hidden(line)),
        other => other,
    };
    Error::violation(phase, violation)
}
