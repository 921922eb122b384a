//! TRANSACTION: many RETRs under way at once (RFC 2449 section 6.6).

use super::{Error, Phase, Session, Transaction, Window};
use crate::pop3::{Command, Event, Violation};
use crate::source::{Arrival, Attributes};

/// Commands under way at once: some 12 KB of them, which fit into any socket's buffers.
const WINDOW_COMMANDS: usize = 1000;

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
                    Ok(Some(Arrival::Ends(ending, Attributes::default())))
                }
                // Nothing else is told of a message; if it were, it would be no end.
                _ => Err(Error::violation(phase, Violation::Unsolicited)),
            };
        }
        let commands = self.may_pipeline().then_some(WINDOW_COMMANDS);
        window.refill(commands, |message| {
            let listed = message.octets.unwrap_or(0);
            self.wire.send(Command::Retr(message.number, listed))
        })?;
        let Some(message) = window.take_asked() else {
            return Ok(None);
        };
        let phase = Phase::Message(message.number);
        let answer = match self.wire.answer(phase) {
            Ok(answer) => answer,
            Err(error) => {
                window.give_back(message);
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
}
