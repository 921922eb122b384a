//! Messages that are asked for ahead of their arrival, in a window that slides.
//!
//! Commands are sent ahead of their replies so that the line never waits for a round trip, and
//! the window is refilled while bodies arrive. It is bounded in commands, because they wait in buffers
//! on the way (fact Q22), and in octets, because all of what is asked for ahead is wasted if the connection
//! breaks.

use super::{Error, Phase};
use crate::maildrop::{Message, MessageNumber};
use std::collections::VecDeque;

/// Octets asked for ahead: more than a line of 1 Gbit/s carries in 100 ms.
const WINDOW_OCTETS: u64 = 16 * 1024 * 1024;

/// What a message of unknown size counts for.
const UNKNOWN_OCTETS: u64 = 64 * 1024;

/// Messages being fetched. Whoever drops it early leaves replies under way: the session is good for
/// nothing then, not even for its end.
#[derive(Debug, Default)]
pub(in crate::source) struct Window {
    /// Not asked for yet.
    waiting: VecDeque<Message>,
    /// Asked for, and not begun to arrive.
    asked: VecDeque<Message>,
    asked_octets: u64,
    /// The message whose octets are next.
    pub(in crate::source) arriving: Option<Phase>,
    /// Only what was asked for arrives for now.
    pausing: bool,
}

impl Window {
    /// On these, in this order.
    pub(in crate::source) fn on(messages: impl IntoIterator<Item = Message>) -> Self {
        Self {
            waiting: messages.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Refills it when a quarter has arrived, so that many commands share a packet and the server has
    /// still enough to send for more than a round trip; with at most so many commands, or with one at a
    /// time.
    pub(in crate::source) fn refill(
        &mut self,
        commands: Option<usize>,
        mut ask: impl FnMut(&Message) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (commands, octets) = match commands {
            Some(commands) => (commands, WINDOW_OCTETS),
            None => (1, 0),
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
            ask(&message)?;
            self.asked_octets += weight(&message);
            self.asked.push_back(message);
        }
        Ok(())
    }

    /// The message that the server was asked for first, and that has not begun to arrive.
    pub(in crate::source) fn take_asked(&mut self) -> Option<Message> {
        let message = self.asked.pop_front()?;
        self.asked_octets = self.asked_octets.saturating_sub(weight(&message));
        Some(message)
    }

    /// The same, where another one may have been asked for before it.
    pub(in crate::source) fn take_asked_for(&mut self, number: MessageNumber) {
        let place = self.asked.iter().position(|it| it.number == number);
        if let Some(message) = place.and_then(|place| self.asked.remove(place)) {
            self.asked_octets = self.asked_octets.saturating_sub(weight(&message));
        }
    }

    /// It is the one that the server was asked for when the connection failed.
    pub(in crate::source) fn give_back(&mut self, message: Message) {
        self.asked.push_front(message);
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
