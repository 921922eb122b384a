//! TRANSACTION: many RETRs under way at once, in a window that slides (RFC 2449 section 6.6).
//!
//! Commands are sent ahead of their replies so that the line never waits for a round trip, and
//! the window is refilled while bodies arrive. It is bounded in commands, because each octet of
//! theirs must fit into buffers on the way (fact Q22), and in octets, because all of what is
//! asked for ahead is wasted if the connection breaks.

use super::wire::Answer;
use super::{Error, Phase, Session, Transaction};
use crate::maildrop::Message;
use crate::pop3::{Command, Ending, Event, Violation};
use std::collections::VecDeque;

/// Commands under way at once: some 12 KB of them, which fit into any socket's buffers.
const WINDOW_COMMANDS: usize = 1000;

/// Octets asked for ahead: more than a line of 1 Gbit/s carries in 100 ms.
const WINDOW_OCTETS: u64 = 16 * 1024 * 1024;

/// What a message of unknown size counts for.
const UNKNOWN_OCTETS: u64 = 64 * 1024;

/// What arrives of the messages, in the order they were asked for.
#[derive(Debug)]
pub enum Arrival<'a> {
    /// A message begins.
    Begins(Message),
    /// Octets of it, without byte-stuffing.
    Octets(&'a [u8]),
    /// Its termination octet: it is complete, as far as that says.
    Ends(Ending),
    /// The server refused to send a message; the others are not affected.
    Refused(Message, Answer),
}

/// Messages being fetched. Dropped early, it leaves replies under way: the session is good for
/// nothing then, not even for QUIT.
pub struct Retrieval<'s> {
    session: &'s mut Session<Transaction>,
    /// Not asked for yet.
    waiting: VecDeque<Message>,
    /// Asked for, and not begun to arrive.
    asked: VecDeque<Message>,
    asked_octets: u64,
    arriving: Option<Phase>,
    /// Only what was asked for arrives for now.
    pausing: bool,
}

impl Session<Transaction> {
    /// Fetches messages, in this order.
    pub fn retrieve(&mut self, messages: impl IntoIterator<Item = Message>) -> Retrieval<'_> {
        Retrieval {
            session: self,
            waiting: messages.into_iter().collect(),
            asked: VecDeque::new(),
            asked_octets: 0,
            arriving: None,
            pausing: false,
        }
    }
}

impl Retrieval<'_> {
    /// What arrives next; `None` once everything has.
    ///
    /// # Errors
    /// The connection is of no more use then; what has not ended has not arrived.
    pub fn next_arrival(&mut self) -> Result<Option<Arrival<'_>>, Error> {
        if let Some(phase) = self.arriving {
            return match self.session.wire.next(phase)? {
                Event::Body(octets) => Ok(Some(Arrival::Octets(octets))),
                Event::MessageEnd(ending) => {
                    self.arriving = None;
                    Ok(Some(Arrival::Ends(ending)))
                }
                // Nothing else is told of a message; if it were, it would be no end.
                _ => Err(Error::Violation {
                    phase,
                    violation: Violation::Unsolicited,
                    message: None,
                }),
            };
        }
        self.ask()?;
        let Some(message) = self.asked.pop_front() else {
            return Ok(None);
        };
        self.asked_octets = self.asked_octets.saturating_sub(weight(&message));
        let phase = Phase::Message(message.number);
        let answer = match self.session.wire.answer(phase) {
            Ok(answer) => answer,
            Err(error) => {
                // It is the one that the server was asked for when the connection failed.
                self.asked.push_front(message);
                return Err(error);
            }
        };
        Ok(Some(if answer.ok {
            self.arriving = Some(phase);
            Arrival::Begins(message)
        } else {
            Arrival::Refused(message, answer)
        }))
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.arriving.is_none() && self.asked.is_empty()
    }

    /// See [`Session::is_in_step`]; only while nothing is under way.
    pub fn is_in_step(&mut self) -> Result<bool, Error> {
        self.session.is_in_step()
    }

    /// For something else in between; only while nothing is under way.
    pub fn session(&mut self) -> &mut Session<Transaction> {
        self.session
    }

    /// Whether the session was to begin with UTF8.
    pub fn was_asked_for_utf8(&self) -> bool {
        self.session.was_asked_for_utf8()
    }

    /// Asks for nothing more until all that was asked for has arrived, if `pausing`.
    pub fn ask_for_no_more(&mut self, pausing: bool) {
        self.pausing = pausing;
    }

    /// Asks for nothing more; what was asked for still arrives. What was not asked for.
    pub fn stop(&mut self) -> VecDeque<Message> {
        std::mem::take(&mut self.waiting)
    }

    /// The message that was to arrive next when the connection failed.
    pub fn awaited(&self) -> Option<&Message> {
        self.asked.front()
    }

    /// Refills the window when a quarter of it has arrived, so that many commands share a packet and
    /// the server has still enough to send for more than a round trip.
    fn ask(&mut self) -> Result<(), Error> {
        let (commands, octets) = if self.session.may_pipeline() {
            (WINDOW_COMMANDS, WINDOW_OCTETS)
        } else {
            (1, 0)
        };
        let full = self.asked.len() > commands / 4 * 3 || self.asked_octets > octets / 4 * 3;
        if (full || self.pausing) && !self.asked.is_empty() {
            return Ok(());
        }
        // At least one is always asked for, however large it is.
        while self.asked.is_empty() || (self.asked.len() < commands && self.asked_octets < octets) {
            let Some(message) = self.waiting.pop_front() else {
                return Ok(());
            };
            let listed = message.octets.unwrap_or(0);
            self.session
                .wire
                .send(Command::Retr(message.number, listed))?;
            self.asked_octets += weight(&message);
            self.asked.push_back(message);
        }
        Ok(())
    }
}

fn weight(message: &Message) -> u64 {
    message.octets.unwrap_or(UNKNOWN_OCTETS)
}
