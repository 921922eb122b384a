//! Messages of one session that have the same octets: copies, or one answer that came twice (E12).
//!
//! Where a server with several commands under way sends one answer twice and leaves out another, as
//! many answers come as were asked for, and each between the two counts as another message. Nothing
//! shows it where these are of the same size, but that one of them came under two unique-ids.

use super::endings::Destination;
use super::{Account, Error};
use crate::delivery::Complete;
use crate::maildrop::Message;
use crate::session::{Session, Transaction};
use std::collections::HashMap;

/// Messages that are remembered: twice as many as are under way at once, as an answer for another
/// stays within these.
const REMEMBERED: usize = 2000;

/// After so many true copies those that follow are believed: each costs four round trips.
const ENOUGH: usize = 16;

/// What has come in a session.
#[derive(Default)]
pub(super) struct Echoes {
    arrived: HashMap<[u8; 32], Message>,
    unsettled: Vec<Echo>,
    copies: usize,
}

struct Echo {
    content: [u8; 32],
    messages: [Message; 2],
}

impl Echoes {
    /// Whether another message with these octets has come before.
    pub(super) fn note(&mut self, complete: &Complete) -> bool {
        if self.copies >= ENOUGH {
            return false;
        }
        if self.arrived.len() >= REMEMBERED {
            self.arrived.clear();
        }
        let content = complete.digests().content;
        let message = complete.message().clone();
        let Some(before) = self.arrived.insert(content, message.clone()) else {
            return false;
        };
        let messages = [before, message];
        self.unsettled.push(Echo { content, messages });
        true
    }

    /// Whether one is still to be read again.
    pub(super) fn are_unsettled(&self) -> bool {
        !self.unsettled.is_empty()
    }
}

impl Account<'_> {
    /// Reads both once more, each alone: of copies the same comes again. Only while nothing is under
    /// way.
    ///
    /// # Errors
    /// [`Error::NotInStep`] where something else comes.
    pub(super) fn settle_echoes(
        &self,
        session: &mut Session<Transaction>,
        to: Destination<'_>,
        echoes: &mut Echoes,
    ) -> Result<(), Error> {
        while let Some(Echo { content, messages }) = echoes.unsettled.last() {
            for message in messages {
                let (again, in_step) = self.read_alone(session, to, message)?;
                if !in_step || again.digests().content != *content {
                    return Err(Error::NotInStep);
                }
            }
            echoes.unsettled.pop();
            echoes.copies += 1;
        }
        Ok(())
    }
}
