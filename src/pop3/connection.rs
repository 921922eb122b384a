//! One POP3 connection: what was asked, what has come, and what that means.
//!
//! ```text
//! send(Command) -> output() octets to be sent        space()/filled(n) <- octets that came
//!                                  next_event() -> Event
//! ```
//! Replies come in the order of the commands (RFC 1939 section 3, RFC 2449 section 6.6), so a
//! queue of what is pending is all the memory that is needed. The input buffer has a fixed size;
//! listings are handed over line by line and bodies in chunks that borrow from it.

use super::body::{self, Decoder};
use super::command::{Command, Unsendable};
use super::line::{ENDLESS_LINE, LISTING_LINE_LIMIT, STATUS_LIMIT};
use super::quirks;
use super::status::{Reply, Shape};
use crate::input::Input;
use crate::message::Ending;
use std::collections::VecDeque;
use std::ops::Range;
use zeroize::Zeroizing;

/// Lines that say nothing and may stand before an answer.
const MOST_IDLE: usize = 4;

/// What happened on the connection. The commands' events come in the commands' order.
#[derive(Debug, Eq, PartialEq)]
pub enum Event<'a> {
    /// The server's first line, or the status line of the oldest pending command.
    Reply(Reply<'a>),
    /// A server challenge, still in base64 (RFC 5034 section 4); answer with
    /// [`Connection::respond`].
    Challenge(&'a [u8]),
    /// A line of the oldest pending command's listing, without its ending and byte-stuffing.
    Line(&'a [u8]),
    /// A line of a listing that is too long to mean anything.
    OverlongLine,
    /// Octets of the oldest pending command's message.
    Body(&'a [u8]),
    /// The termination octet: the oldest pending command's listing is complete.
    End,
    /// The same for its message.
    MessageEnd(Ending),
    /// Nothing more can be said before more octets have come.
    NeedInput,
}

/// The server broke the protocol; nothing that follows on this connection can be trusted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Violation {
    /// A line without end.
    #[error("the server sent a line of more than {0} bytes")]
    EndlessLine(u64),
    /// A multi-line response that goes on and on; what of.
    #[error("the server sent a {0} without end")]
    Endless(&'static str),
    /// Neither `+OK` nor `-ERR` where one must stand; the whole line.
    #[error("the server sent \"{}\" where +OK or -ERR must stand", excerpt(.0))]
    NoStatus(Vec<u8>),
    /// Octets that answer no command.
    #[error("the server sent something that answers no command")]
    Unsolicited,
    /// A line that says nothing, before an answer or behind one.
    #[error("the server sends lines that say nothing between its answers")]
    Idle,
}

/// See the [module](self).
pub struct Connection {
    input: Input,
    /// Octets thrown away of a listing line that is too long.
    overlong: u64,
    output: Zeroizing<Vec<u8>>,
    pending: VecDeque<Shape>,
    phase: Phase,
    /// The server has said its greeting, before which no line is idle.
    greeted: bool,
    /// Lines that say nothing and may still be passed over.
    idle: usize,
    /// Such lines may stand before and behind any answer.
    lenient: bool,
    /// Found and not told yet.
    found: Option<Found>,
    violation: Option<Violation>,
}

/// How far the response to the oldest pending command has come.
#[derive(Debug)]
enum Phase {
    Status,
    Lines,
    Body(Decoder),
}

/// An [`Event`] before it borrows from the input.
#[derive(Debug)]
enum Found {
    Reply(Range<usize>),
    Challenge(Range<usize>),
    Line(Range<usize>),
    OverlongLine,
    Body(Range<usize>),
    End,
    MessageEnd(Ending),
    NeedInput,
}

impl Default for Connection {
    fn default() -> Self {
        Self::new()
    }
}

impl Connection {
    /// A fresh connection, on which the server speaks first: the greeting is pending.
    pub fn new() -> Self {
        Self {
            input: Input::default(),
            overlong: 0,
            output: Zeroizing::default(),
            pending: VecDeque::from([Shape::Single]),
            phase: Phase::Status,
            greeted: false,
            idle: MOST_IDLE,
            lenient: false,
            found: None,
            violation: None,
        }
    }

    /// A connection on which the server has said its greeting already: the one after STLS.
    pub fn continued() -> Self {
        Self {
            pending: VecDeque::new(),
            greeted: true,
            idle: 0,
            ..Self::new()
        }
    }

    /// Whether all that has come was told by an event.
    pub fn is_drained(&self) -> bool {
        self.input.is_empty()
    }

    /// Puts a command into the output and its reply into what is pending.
    pub fn send(&mut self, command: Command<'_>) -> Result<(), Unsendable> {
        command.encode(&mut self.output)?;
        let may_repeat = quirks::may_be_answered_twice(command) || self.lenient;
        if self.pending.is_empty() {
            self.look_before(command, may_repeat);
        }
        self.idle = if may_repeat { MOST_IDLE } else { 0 };
        self.pending.push_back(command.shape());
        Ok(())
    }

    /// Puts the answer to a [`Event::Challenge`] into the output; `*` cancels (RFC 5034
    /// section 4). Base64 holds no line breaks; anything else would be the caller's fault.
    ///
    /// Where nothing is pending, the challenge was a `+OK` (see `quirks`), and the real reply is
    /// still to come.
    pub fn respond(&mut self, base64: &str) {
        if self.pending.is_empty() {
            if !self.input.is_empty() {
                self.violation.get_or_insert(Violation::Unsolicited);
            }
            self.pending.push_back(Shape::Sasl);
        }
        self.output
            .extend(base64.bytes().filter(|octet| !octet.is_ascii_control()));
        self.output.extend(b"\r\n");
    }

    /// Where the next octets from the server are to be put.
    pub fn space(&mut self) -> &mut [u8] {
        self.input.space()
    }

    /// So many octets were put into [`Connection::space`].
    pub fn filled(&mut self, octets: usize) {
        self.input.filled(octets);
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
                Ok(Found::NeedInput) => return Ok(true),
                Ok(found) => self.found = Some(found),
                Err(violation) => {
                    self.violation = Some(violation.clone());
                    return Err(violation);
                }
            }
        }
        Ok(false)
    }

    /// What the octets that have come mean. Ask again until it is [`Event::NeedInput`].
    ///
    /// # Errors
    /// As [`Connection::wants_input`].
    pub fn next_event(&mut self) -> Result<Event<'_>, Violation> {
        if self.wants_input()? {
            return Ok(Event::NeedInput);
        }
        let octets = |range| self.input.lent(range);
        Ok(match self.found.take() {
            // It has been read once already, before it counted as found.
            Some(Found::Reply(range)) => {
                Reply::parse(octets(range)).map_or(Event::NeedInput, Event::Reply)
            }
            Some(Found::Challenge(range)) => Event::Challenge(octets(range)),
            Some(Found::Line(range)) => Event::Line(octets(range)),
            Some(Found::OverlongLine) => Event::OverlongLine,
            Some(Found::Body(range)) => Event::Body(octets(range)),
            Some(Found::End) => Event::End,
            Some(Found::MessageEnd(ending)) => Event::MessageEnd(ending),
            Some(Found::NeedInput) | None => Event::NeedInput,
        })
    }

    /// Commands that are not completely answered yet, the greeting included.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    fn find(&mut self) -> Result<Found, Violation> {
        let Some(shape) = self.pending.front().copied() else {
            return match self.input.waiting() {
                [] => Ok(Found::NeedInput),
                _ => Err(Violation::Unsolicited),
            };
        };
        match &mut self.phase {
            Phase::Status => self.find_status(shape),
            Phase::Lines => self.find_listing_line(),
            Phase::Body(_) => Ok(self.find_body()),
        }
    }

    fn find_status(&mut self, shape: Shape) -> Result<Found, Violation> {
        let mut line = self.take_line();
        while let Some((range, _)) = &line
            && self.greeted
            && self.idle > 0
            && self.without_blanks(range).is_empty()
        {
            self.idle -= 1;
            line = self.take_line();
        }
        // Of a line that has come whole as of one that has not: what is too long must not depend
        // on how the octets come.
        let length = line
            .as_ref()
            .map_or(self.input.waiting().len(), |(range, crlf)| {
                before_lf(range, *crlf)
            });
        if length > STATUS_LIMIT {
            return Err(Violation::EndlessLine(STATUS_LIMIT as u64));
        }
        let Some((mut range, crlf)) = line else {
            return Ok(Found::NeedInput);
        };
        if self.greeted && self.idle > 0 {
            range = self.without_blanks(&range);
        }
        let text = self.input.lent(range.clone());
        if shape == Shape::Sasl
            && let Some(challenge) = text.strip_prefix(b"+")
            && !text
                .get(..3)
                .is_some_and(|s| s.eq_ignore_ascii_case(b"+OK"))
        {
            let skipped = usize::from(challenge.starts_with(b" ")) + 1;
            return Ok(Found::Challenge(range.start + skipped..range.end));
        }
        let Some(reply) = Reply::parse(text) else {
            return Err(Violation::NoStatus(text.to_vec()));
        };
        self.greeted = true;
        match shape {
            Shape::Lines if reply.ok => self.phase = Phase::Lines,
            Shape::Body { octets } if reply.ok => {
                self.phase = Phase::Body(Decoder::new(octets, crlf));
            }
            _ => {
                self.pending.pop_front();
            }
        }
        Ok(Found::Reply(range))
    }

    fn find_listing_line(&mut self) -> Result<Found, Violation> {
        let Some((mut range, crlf)) = self.take_line() else {
            return self.skip_overlong();
        };
        let skipped = std::mem::take(&mut self.overlong);
        if skipped + before_lf(&range, crlf) as u64 > ENDLESS_LINE {
            return Err(Violation::EndlessLine(ENDLESS_LINE));
        }
        if skipped == 0 && self.input.lent(range.clone()) == b"." {
            self.end_response();
            return Ok(Found::End);
        }
        if skipped > 0 || range.len() > LISTING_LINE_LIMIT {
            return Ok(Found::OverlongLine);
        }
        if self.input.lent(range.clone()).starts_with(b".") {
            range.start += 1;
        }
        Ok(Found::Line(range))
    }

    /// Throws away what there is of a listing line that is already too long, so that it never
    /// fills the buffer.
    fn skip_overlong(&mut self) -> Result<Found, Violation> {
        // The last octet may be the CR of a line that just fits.
        if self.overlong > 0 || self.input.waiting().len() > LISTING_LINE_LIMIT + 1 {
            let skipped = self.input.take(usize::MAX);
            self.overlong += skipped.len() as u64;
        }
        if self.overlong > ENDLESS_LINE {
            return Err(Violation::EndlessLine(ENDLESS_LINE));
        }
        Ok(Found::NeedInput)
    }

    fn find_body(&mut self) -> Found {
        let Phase::Body(decoder) = &mut self.phase else {
            return Found::NeedInput;
        };
        match decoder.decode(self.input.waiting()) {
            body::Step::Chunk { content, consumed } => {
                let start = self.input.take(consumed).start;
                Found::Body(start + content.start..start + content.end)
            }
            body::Step::End { consumed, ending } => {
                self.input.take(consumed);
                self.end_response();
                Found::MessageEnd(ending)
            }
            body::Step::NeedInput => Found::NeedInput,
        }
    }

    fn end_response(&mut self) {
        self.phase = Phase::Status;
        self.pending.pop_front();
    }

    /// Consumes a line, if there is one; tells where it stood, and whether it ended in CRLF.
    fn take_line(&mut self) -> Option<(Range<usize>, bool)> {
        let whole = self.input.line()?;
        let range = self.input.take(whole);
        let crlf = self.input.lent(range.clone()).ends_with(b"\r\n");
        Some((range.start..range.end - 1 - usize::from(crlf), crlf))
    }
}

/// Octets before the LF of a line that stands at `range` without its ending.
fn before_lf(range: &Range<usize>, crlf: bool) -> usize {
    range.len() + usize::from(crlf)
}

/// The beginning of a line for an error message: printable ASCII without quotation marks.
fn excerpt(line: &[u8]) -> String {
    const EXCERPT: usize = 60;
    let line = line.get(..EXCERPT).unwrap_or(line);
    line.escape_ascii().to_string().replace("\\\"", "'")
}

mod idle;
pub use idle::Behind;
#[cfg(test)]
mod tests;
