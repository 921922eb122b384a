//! When the server got the messages of a mailbox (RFC 3501 section 2.3.3), as far as it says so.

use super::mailboxes::{Opening, Place};
use super::wire::Step;
use super::{Error, Phase, Session, SignedIn};
use crate::imap::Command;
use crate::maildrop::MessageNumber;

impl Session<SignedIn> {
    /// Says when the server got each message of the mailbox that this one is in, in seconds since 1970. Of what
    /// it says no time of, nothing is said; it may say two of one.
    ///
    /// # Errors
    /// The connection is of no more use then.
    pub(in crate::source) fn arrivals(
        &mut self,
        one: MessageNumber,
        mut each: impl FnMut(MessageNumber, i64),
    ) -> Result<(), Error> {
        let phase = Phase::Listing;
        let Place { mailbox, .. } = self.place_of(one, phase)?;
        let is_open = match self.open_to_read(mailbox, phase)? {
            Opening::Open => true,
            Opening::Asked => {
                let (answer, opened) = self.read_opened(phase)?;
                self.reopened(mailbox, answer, opened, phase)?.is_none()
            }
            Opening::Refused(_) => false,
        };
        if !is_open {
            return Ok(());
        }
        self.wire.send(Command::FetchDates)?;
        loop {
            match self.wire.next(phase)? {
                Step::Fetched(fetched) if !fetched.is_unusable => {
                    let number = fetched
                        .uid
                        .and_then(|uid| self.state.mailboxes.number_of(mailbox, uid));
                    if let Some((number, time)) = number.zip(fetched.internal_date) {
                        each(number, time);
                    }
                }
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(_) => return Ok(()),
                _ => {}
            }
        }
    }
}
