//! Two messages in a row with the same octets: copies, or one answer that came twice (E12).
//!
//! Where a server with several commands under way sends one answer twice and leaves out another, as
//! many answers come as were asked for, and each between the two counts as another message. Nothing
//! shows it where these are of the same size, but that one came under two unique-ids.

use super::doubts::HEADER_LIMIT;
use super::endings::Destination;
use super::{Account, Error};
use crate::delivery::Complete;
use crate::maildrop::Message;
use crate::source::Source;

/// After so many true copies those that follow are believed, as each costs some round trips.
const ENOUGH: usize = 16;

/// What has come in a session.
#[derive(Default)]
pub(super) struct Echoes {
    /// The last message, and the SHA-256 of its octets.
    last: Option<(Message, [u8; 32])>,
    unsettled: Vec<Echo>,
    copies: usize,
}

struct Echo {
    /// Without the fields that servers rewrite once a message was read.
    content: [u8; 32],
    messages: [Message; 2],
}

impl Echoes {
    /// Whether the message before had the same octets.
    pub(super) fn note(&mut self, complete: &Complete) -> bool {
        let digests = complete.digests();
        let message = complete.message().clone();
        let last = self.last.replace((message.clone(), digests.stored));
        let before = last.filter(|(_, stored)| *stored == digests.stored && self.copies < ENOUGH);
        let Some((before, _)) = before else {
            return false;
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
        to: Destination<'_>,
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

/// A message's header, behind which the server is in step; `None` where it refuses.
fn read_header(message: &Message, session: &mut Source) -> Result<Option<Vec<u8>>, Error> {
    let mut header = None;
    session.headers([message.number], HEADER_LIMIT, |_, read| header = read)?;
    match session.is_in_step()? {
        true => Ok(header),
        false => Err(Error::NotInStep),
    }
}
