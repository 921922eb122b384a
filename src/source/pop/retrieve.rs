//! TRANSACTION: many RETRs under way at once, in a window that slides (RFC 2449 section 6.6).
//!
//! Commands are sent ahead of their replies so that the line never waits for a round trip, and
//! the window is refilled while bodies arrive. It is bounded in commands, because each octet of
//! theirs must fit into buffers on the way (fact Q22), and in octets, because all of what is
//! asked for ahead is wasted if the connection breaks.

use super::{Error, Phase, Session, Transaction};
use crate::maildrop::Message;
use crate::pop3::{Command, Event, Violation};
use crate::source::Arrival;
use std::collections::VecDeque;

/// Commands under way at once: some 12 KB of them, which fit into any socket's buffers.
const WINDOW_COMMANDS: usize = 1000;

/// Octets asked for ahead: more than a line of 1 Gbit/s carries in 100 ms.
const WINDOW_OCTETS: u64 = 16 * 1024 * 1024;

/// What a message of unknown size counts for.
const UNKNOWN_OCTETS: u64 = 64 * 1024;

/// Messages being fetched. Whoever drops it early leaves replies under way: the session is good for
/// nothing then, not even for QUIT.
#[derive(Debug, Default)]
pub(in crate::source) struct Window {
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
    /// What arrives next of what the window was opened on; `None` once everything has.
    ///
    /// # Errors
    /// The connection is of no more use then; what has not ended has not arrived.
    pub(in crate::source) fn next_arrival(
        &mut self,
        window: &mut Window,
    ) -> Result<Option<Arrival<'_>>, Error> {
        if let Some(phase) = window.arriving {
            return match self.wire.next(phase)? {
                Event::Body(octets) => Ok(Some(Arrival::Octets(octets))),
                Event::MessageEnd(ending) => {
                    window.arriving = None;
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
        self.ask(window)?;
        let Some(message) = window.asked.pop_front() else {
            return Ok(None);
        };
        window.asked_octets = window.asked_octets.saturating_sub(weight(&message));
        let phase = Phase::Message(message.number);
        let answer = match self.wire.answer(phase) {
            Ok(answer) => answer,
            Err(error) => {
                // It is the one that the server was asked for when the connection failed.
                window.asked.push_front(message);
                return Err(error);
            }
        };
        Ok(Some(if answer.ok {
            window.arriving = Some(phase);
            Arrival::Begins(message)
        } else {
            Arrival::Refused(message, answer)
        }))
    }

    /// Refills the window when a quarter of it has arrived, so that many commands share a packet and
    /// the server has still enough to send for more than a round trip.
    fn ask(&mut self, window: &mut Window) -> Result<(), Error> {
        let (commands, octets) = if self.may_pipeline() {
            (WINDOW_COMMANDS, WINDOW_OCTETS)
        } else {
            (1, 0)
        };
        let full = window.asked.len() > commands / 4 * 3 || window.asked_octets > octets / 4 * 3;
        if (full || window.pausing) && !window.asked.is_empty() {
            return Ok(());
        }
        // At least one is always asked for, however large it is.
        while window.asked.is_empty()
            || (window.asked.len() < commands && window.asked_octets < octets)
        {
            let Some(message) = window.waiting.pop_front() else {
                return Ok(());
            };
            let listed = message.octets.unwrap_or(0);
            self.wire.send(Command::Retr(message.number, listed))?;
            window.asked_octets += weight(&message);
            window.asked.push_back(message);
        }
        Ok(())
    }
}

impl Window {
    /// On these, in this order.
    pub(in crate::source) fn on(messages: impl IntoIterator<Item = Message>) -> Self {
        Self {
            waiting: messages.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Whether nothing is under way.
    pub(in crate::source) fn is_idle(&self) -> bool {
        self.arriving.is_none() && self.asked.is_empty()
    }

    /// Asks for nothing more until all that was asked for has arrived, if `pausing`.
    pub(in crate::source) fn ask_for_no_more(&mut self, pausing: bool) {
        self.pausing = pausing;
    }

    /// Asks for nothing more; what was asked for still arrives. What was not asked for.
    pub(in crate::source) fn stop(&mut self) -> VecDeque<Message> {
        std::mem::take(&mut self.waiting)
    }

    /// The message that was to arrive next when the connection failed.
    pub(in crate::source) fn awaited(&self) -> Option<&Message> {
        self.asked.front()
    }
}

fn weight(message: &Message) -> u64 {
    message.octets.unwrap_or(UNKNOWN_OCTETS)
}
