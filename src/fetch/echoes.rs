//! Two messages with the same octets: copies, or one answer that came twice (E12).
//!
//! Where a server sends one message in the place of another, or one answer twice and leaves out another, as
//! many answers come as were asked for. Nothing shows it where these are of the same size, but that one
//! came under two unique-ids; in this session, or in this one and an earlier one.

use super::doubts::HEADER_LIMIT;
use super::endings::StampedTarget;
use super::{Account, Error};
use crate::delivery::Complete;
use crate::maildrop::{Message, MessageNumber};
use crate::source::Source;
use std::collections::HashMap;

/// After so many true copies those that follow are believed, as each costs some round trips.
const ENOUGH: usize = 16;

/// What has come in a session.
#[derive(Default)]
pub(super) struct Echoes {
    /// Which message had these octets last: by the beginning of their SHA-256.
    had: HashMap<u64, (MessageNumber, Option<u64>)>,
    unsettled: Vec<Echo>,
    copies: usize,
}

struct Echo {
    /// Without the fields that servers rewrite once a message was read.
    content: [u8; 32],
    messages: [Message; 2],
}

impl Echoes {
    /// Whether a message before had the same octets.
    pub(super) fn note(&mut self, complete: &Complete) -> bool {
        let digests = complete.digests();
        let message = complete.message().clone();
        let [a, b, c, d, e, f, g, h, ..] = digests.stored;
        let beginning = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let before = self
            .had
            .insert(beginning, (message.number, message.octets))
            .filter(|_| self.copies < ENOUGH);
        let Some((number, octets)) = before else {
            return false;
        };
        // What it was called does not matter: it is read, and not kept.
        let before = Message {
            number,
            unique_id: None,
            octets,
            turn: 0,
            identity: None,
            folder: None,
        };
        self.unsettled.push(Echo {
            content: digests.content,
            messages: [before, message],
        });
        true
    }

    /// Whether one is still to be read again.
    pub(super) fn are_unsettled(&self) -> bool {
        !self.unsettled.is_empty()
    }
}

impl Account<'_> {
    /// Looks at both once more, each alone: at their headers, and as a whole where these are not the
    /// same. Of copies the same comes again. Only while nothing is under way.
    ///
    /// # Errors
    /// [`Error::NotInStep`] where something else comes.
    pub(super) fn settle_echoes(
        &self,
        session: &mut Source,
        to: StampedTarget<'_>,
        echoes: &mut Echoes,
    ) -> Result<(), Error> {
        while let Some(Echo { content, messages }) = echoes.unsettled.last() {
            let [before, message] = messages;
            let header = read_header(before, session)?;
            if header.is_none() || header != read_header(message, session)? {
                for message in messages {
                    let (again, in_step) = self.read_alone(session, to, message)?;
                    if !in_step || again.digests().content != *content {
                        return Err(Error::NotInStep);
                    }
                }
            }
            echoes.unsettled.pop();
            echoes.copies += 1;
        }
        Ok(())
    }
}

impl Account<'_> {
    /// Reads messages once more that have come with the octets of others that are stored and listed. Of
    /// second copies the same comes again. Only while nothing is under way.
    ///
    /// # Errors
    /// [`Error::NotInStep`] where something else comes.
    pub(super) fn settle_copies<'c>(
        &self,
        session: &mut Source,
        to: StampedTarget<'_>,
        copies: impl Iterator<Item = &'c Complete>,
    ) -> Result<(), Error> {
        for copy in copies.take(ENOUGH) {
            let (again, in_step) = self.read_alone(session, to, copy.message())?;
            if !in_step || again.digests().content != copy.digests().content {
                return Err(Error::NotInStep);
            }
        }
        Ok(())
    }
}

/// A message's header, behind which the server is in step; `None` where it refuses.
fn read_header(message: &Message, session: &mut Source) -> Result<Option<Vec<u8>>, Error> {
    let mut header = None;
    session.headers([message.number], HEADER_LIMIT, |_, read| header = read)?;
    match session.is_in_step()? {
        true => Ok(header),
        false => Err(Error::NotInStep),
    }
}
