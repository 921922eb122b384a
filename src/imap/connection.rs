//! One IMAP connection: what was asked, what has come, and what that means.
//!
//! ```text
//! send(Command) -> output octets to be sent        buffers()/filled(n) <- octets that came
//!                                next_event() -> Event
//! ```
//! Commands are answered in their order: a server may do otherwise (RFC 3501 section 5.5), but none does,
//! and what cannot be told apart must not be taken for something else. The input buffer has a fixed size. A
//! message's octets are handed over in chunks that borrow from it; any other response is put together
//! first, with a limit.

use super::command::{Command, Parts, Unsendable};
use super::data::{self, Data};
use super::event::Event;
use super::items::{self, Fetched, Read, Section};
use super::status::{Condition, Status};
use super::violation::{RESPONSE_LIMIT, Violation};
use crate::input::Input;
use response::Response;
use std::collections::VecDeque;
use std::ops::Range;
use zeroize::Zeroizing;

mod response;

/// A message that is said to be longer than a tebibyte is none.
const MESSAGE_LIMIT: u64 = 1 << 40;

/// More responses than this to one command have no end: two for each of as many messages as a
/// mailbox may have.
const RESPONSES_LIMIT: usize = 2_000_000;

/// A command that is not completely answered.
#[derive(Clone, Copy, Debug)]
struct Pending {
    tag: u64,
    /// Challenges may come.
    is_dialogue: bool,
}

/// See the [module](self).
pub struct Connection {
    input: Input,
    response: Response,
    /// What a FETCH has said so far, where its message has come already.
    fetched: Option<Fetched>,
    /// A message that stood between quotation marks.
    quoted: Vec<u8>,
    output: Zeroizing<Vec<u8>>,
    /// What is sent when the server says "go on".
    held: VecDeque<Zeroizing<Vec<u8>>>,
    last_tag: u64,
    pending: VecDeque<Pending>,
    /// Responses since the last command was answered.
    responses: usize,
    greeted: bool,
    phase: Phase,
    found: Option<Found>,
    violation: Option<Violation>,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// A line.
    Line,
    /// A literal that is put into the response.
    Literal(usize),
    /// A message's octets.
    Octets(u64),
    /// The same, which are in `quoted`.
    Quoted,
    /// The rest of a response, which is in `text`.
    Rest,
}

/// An [`Event`] before it borrows from what it is found in.
#[derive(Clone, Debug)]
enum Found {
    Status(Range<usize>),
    Data(Range<usize>),
    Begins(Section, u64, Option<u32>),
    Octets(Range<usize>),
    Quoted,
    Fetched(Fetched),
    Challenge(Range<usize>),
    Done(Range<usize>),
}

impl Default for Connection {
    fn default() -> Self {
        Self::new()
    }
}

impl Connection {
    /// A fresh connection, on which the server speaks first.
    pub fn new() -> Self {
        Self {
            input: Input::default(),
            response: Response::default(),
            fetched: None,
            quoted: Vec::new(),
            output: Zeroizing::default(),
            held: VecDeque::new(),
            last_tag: 0,
            pending: VecDeque::new(),
            responses: 0,
            greeted: false,
            phase: Phase::Line,
            found: None,
            violation: None,
        }
    }

    /// A connection on which the server has said its greeting already: the one after STARTTLS.
    pub fn continued() -> Self {
        Self {
            greeted: true,
            ..Self::new()
        }
    }

    /// Whether all that has come was told by an event.
    pub fn is_drained(&self) -> bool {
        self.input.is_empty()
    }

    /// Puts a command into the output and its answer into what is pending. `plus`: see
    /// [`super::Capabilities::literal_plus`]. A command that waits for the server's word (a literal)
    /// must be answered before another is sent.
    ///
    /// # Errors
    /// Nothing is sent then.
    pub fn send(&mut self, command: Command<'_>, plus: bool) -> Result<(), Unsendable> {
        let tag = self.last_tag + 1;
        let parts: Parts = command.encode(&format!("a{tag}"), plus)?;
        self.last_tag = tag;
        let mut parts = parts.into_iter();
        if let Some(first) = parts.next() {
            self.output.extend(first.iter());
        }
        self.held.extend(parts);
        self.pending.push_back(Pending {
            tag,
            is_dialogue: command.is_dialogue(),
        });
        Ok(())
    }

    /// Puts the answer to a [`Event::Challenge`] into the output; `*` cancels. Base64 holds no line
    /// breaks; anything else would be the caller's fault.
    pub fn respond(&mut self, base64: &str) {
        let octets = base64.bytes().filter(|octet| !octet.is_ascii_control());
        self.output.extend(octets);
        self.output.extend(b"\r\n");
    }

    /// Puts octets of a message that is appended into the output, as they are.
    pub fn push(&mut self, octets: &[u8]) {
        self.output.extend(octets);
    }

    /// Whether all of the output has been sent.
    pub fn is_sent(&self) -> bool {
        self.output.is_empty()
    }

    /// The output and the input space at once, for a channel that sends while it receives.
    pub fn buffers(&mut self) -> (&[u8], &mut [u8]) {
        (&self.output, self.input.space())
    }

    /// So many octets of the output have been sent.
    pub fn sent(&mut self, octets: usize) {
        let octets = octets.min(self.output.len());
        self.output.drain(..octets);
    }

    /// So many octets were put into the input space.
    pub fn filled(&mut self, octets: usize) {
        self.input.filled(octets);
    }

    /// Commands that are not completely answered yet.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Whether nothing more can be said before more octets have come; otherwise
    /// [`Connection::next_event`] has an event.
    ///
    /// # Errors
    /// A [`Violation`]; the connection is of no more use then.
    pub fn wants_input(&mut self) -> Result<bool, Violation> {
        if let Some(violation) = &self.violation {
            return Err(violation.clone());
        }
        if self.found.is_none() {
            match self.find() {
                Ok(found) => self.found = found,
                Err(violation) => {
                    self.violation = Some(violation.clone());
                    return Err(violation);
                }
            }
        }
        Ok(self.found.is_none())
    }

    /// Whether the next event is [`Event::Octets`].
    pub fn has_octets(&self) -> bool {
        matches!(self.found, Some(Found::Octets(_) | Found::Quoted))
    }

    /// Octets of the last response, as far as it was told.
    pub fn response_length(&self) -> usize {
        self.response.text().len()
    }

    /// What the octets that have come mean. Ask again until it is [`Event::NeedInput`].
    ///
    /// # Errors
    /// As [`Connection::wants_input`].
    pub fn next_event(&mut self) -> Result<Event<'_>, Violation> {
        if self.wants_input()? {
            return Ok(Event::NeedInput);
        }
        let text = |range| self.response.part(range);
        // It has been read once already, before it counted as found.
        let status = |range| {
            let nothing = Status {
                condition: Condition::Bad,
                text: b"",
            };
            Status::parse(text(range)).unwrap_or(nothing)
        };
        Ok(match self.found.take() {
            Some(Found::Status(range)) => Event::Status(status(range)),
            Some(Found::Data(range)) => Event::Data(Data::parse(text(range))),
            Some(Found::Begins(section, octets, uid)) => Event::Begins {
                section,
                octets,
                uid,
            },
            Some(Found::Octets(range)) => Event::Octets(self.input.lent(range)),
            Some(Found::Quoted) => Event::Octets(&self.quoted),
            Some(Found::Fetched(fetched)) => Event::Fetched(fetched),
            Some(Found::Challenge(range)) => Event::Challenge(text(range)),
            Some(Found::Done(range)) => Event::Done(status(range)),
            None => Event::NeedInput,
        })
    }

    fn find(&mut self) -> Result<Option<Found>, Violation> {
        loop {
            let waiting = self.input.waiting().len();
            match self.phase {
                Phase::Octets(0) => self.phase = Phase::Line,
                Phase::Octets(_) | Phase::Literal(1..) if waiting == 0 => return Ok(None),
                Phase::Octets(left) => {
                    let length = usize::try_from(left).unwrap_or(usize::MAX).min(waiting);
                    let range = self.input.take(length);
                    self.phase = Phase::Octets(left - length as u64);
                    return Ok(Some(Found::Octets(range)));
                }
                Phase::Literal(0) => self.phase = Phase::Line,
                Phase::Literal(left) => {
                    let length = left.min(waiting);
                    self.take(length)?;
                    self.phase = Phase::Literal(left - length);
                }
                Phase::Quoted => {
                    self.phase = Phase::Rest;
                    return Ok(Some(Found::Quoted));
                }
                Phase::Rest => {
                    self.phase = Phase::Line;
                    if let Some(found) = self.read_response()? {
                        return Ok(Some(found));
                    }
                }
                Phase::Line => {
                    if !self.take_line()? {
                        return Ok(None);
                    }
                    if let Some(found) = self.read_response()? {
                        return Ok(Some(found));
                    }
                }
            }
        }
    }

    /// Moves so many octets from the input to the response.
    fn take(&mut self, length: usize) -> Result<(), Violation> {
        self.response.takes(length)?;
        let range = self.input.take(length);
        self.response.push(self.input.lent(range));
        Ok(())
    }

    /// The same with a line, if there is one.
    fn take_line(&mut self) -> Result<bool, Violation> {
        match self.input.line() {
            Some(length) => {
                self.take(length)?;
                Ok(true)
            }
            None if self.input.waiting().len() > RESPONSE_LIMIT => Err(Violation::EndlessResponse),
            None => Ok(false),
        }
    }

    /// What a response says that is complete up to the end of a line; nothing, if it goes on there or says
    /// nothing.
    fn read_response(&mut self) -> Result<Option<Found>, Violation> {
        if self.fetched.is_some() {
            return self.read_items(0);
        }
        let line = self.response.text().trim_ascii_end();
        let length = line.len();
        if !self.greeted {
            let status = line.strip_prefix(b"* ").and_then(Status::parse);
            let greets = |status: &Status<'_>| {
                let condition = status.condition;
                matches!(
                    condition,
                    Condition::Ok | Condition::PreAuth | Condition::Bye
                )
            };
            if !status.is_some_and(|status| greets(&status)) {
                return Err(Violation::NoGreeting(line.to_vec()));
            }
            self.greeted = true;
            return Ok(self.tell(Found::Status(2..length)));
        }
        if let Some(challenge) = line.strip_prefix(b"+") {
            let skipped = challenge.len() - challenge.trim_ascii_start().len() + 1;
            return self.go_on(skipped..length);
        }
        self.responses += 1;
        if self.responses > RESPONSES_LIMIT {
            return Err(Violation::Endless);
        }
        let Some(rest) = line.strip_prefix(b"* ") else {
            return self.read_answer(length).map(Some);
        };
        if Status::parse(rest).is_some() {
            return Ok(self.tell(Found::Status(2..length)));
        }
        let text = self.response.text();
        if let Some(items) = data::items(text.get(2..).unwrap_or_default()) {
            let offset = text.len() - items.len();
            return self.read_items(offset);
        }
        if let Some(octets) = items::announced(line) {
            self.expect_literal(octets)?;
            return Ok(None);
        }
        // A literal may end with spaces.
        let end = text.strip_suffix(b"\n").unwrap_or(text);
        let length = end.strip_suffix(b"\r").unwrap_or(end).len();
        Ok(self.tell(Found::Data(2..length)))
    }

    /// The response is complete.
    fn tell(&mut self, found: Found) -> Option<Found> {
        self.response.tell();
        Some(found)
    }

    fn go_on(&mut self, challenge: Range<usize>) -> Result<Option<Found>, Violation> {
        if let Some(part) = self.held.pop_front() {
            self.output.extend(part.iter());
            self.response.tell();
            return Ok(None);
        }
        match self.pending.front() {
            Some(pending) if pending.is_dialogue => Ok(self.tell(Found::Challenge(challenge))),
            _ => Err(Violation::Unsolicited),
        }
    }

    /// The answer to the oldest pending command, which is all that is left for a line to be.
    fn read_answer(&mut self, length: usize) -> Result<Found, Violation> {
        let line = self.response.part(0..length);
        let foreign = || Violation::ForeignTag(line.to_vec());
        let end = line.iter().position(|octet| *octet == b' ');
        let (tag, rest) = line.split_at(end.unwrap_or(line.len()));
        let status = Status::parse(rest.trim_ascii_start());
        let is_answer = |status: &Status<'_>| {
            matches!(
                status.condition,
                Condition::Ok | Condition::No | Condition::Bad
            )
        };
        if !status.is_some_and(|status| is_answer(&status)) {
            return Err(Violation::Malformed(line.to_vec()));
        }
        let pending = self.pending.front().ok_or_else(foreign)?;
        if format!("a{}", pending.tag).as_bytes() != tag {
            return Err(foreign());
        }
        let start = length - rest.trim_ascii_start().len();
        self.pending.pop_front();
        // What the server has refused before it was complete is not sent.
        self.held.clear();
        self.responses = 0;
        self.response.tell();
        Ok(Found::Done(start..length))
    }

    fn read_items(&mut self, offset: usize) -> Result<Option<Found>, Violation> {
        let mut found = self.fetched.unwrap_or_default();
        let text = self.response.text().get(offset..).unwrap_or_default();
        match items::read(text, &mut found)? {
            Read::All => {
                self.fetched = None;
                Ok(self.tell(Found::Fetched(found)))
            }
            Read::Literal(octets) => {
                self.expect_literal(octets)?;
                Ok(None)
            }
            Read::Octets(section, octets) => {
                if octets > MESSAGE_LIMIT {
                    return Err(Violation::LongLiteral(octets));
                }
                self.fetched = Some(found);
                self.phase = Phase::Octets(octets);
                Ok(self.tell(Found::Begins(section, octets, found.uid)))
            }
            Read::Quoted(section, inside, rest) => {
                let (quoted, rest) = (items::unquoted(inside), rest.to_vec());
                let octets = quoted.len() as u64;
                self.quoted = quoted;
                self.response.keep(rest);
                self.fetched = Some(found);
                self.phase = Phase::Quoted;
                Ok(Some(Found::Begins(section, octets, found.uid)))
            }
        }
    }

    fn expect_literal(&mut self, octets: u64) -> Result<(), Violation> {
        self.phase = Phase::Literal(self.response.announce(octets)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
