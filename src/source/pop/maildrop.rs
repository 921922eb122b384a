//! TRANSACTION: STAT, UIDL and LIST, joined into a [`Maildrop`] (RFC 1939 sections 5 and 7).

use super::{Answer, Detour, Error, Meaning, Phase, Session, Shortcut, Transaction};
use crate::maildrop::{Joiner, MESSAGE_LIMIT, Maildrop, TooLarge};
use crate::pop3::listing::{number_alone, scan_line, unique_id_line};
use crate::pop3::{Command, DropListing};

/// More lines than this have no end: twice as many as there may be messages, because a line may be
/// a bad one.
const LISTING_LINES: usize = 2 * MESSAGE_LIMIT;

impl<S> Session<S> {
    /// Sends the commands; their replies are still to be read.
    pub(super) fn ask_for_listings(&mut self, capabilities: bool) -> Result<(), Error> {
        if capabilities {
            self.wire.send(Command::Capa)?;
        }
        for command in [Command::Stat, Command::Uidl, Command::List] {
            self.wire.send(command)?;
        }
        Ok(())
    }
}

impl Session<Transaction> {
    /// What a later session with this server may do, once this one has listed the maildrop.
    pub(in crate::source) fn shortcut(&self) -> Option<Shortcut> {
        self.state.shortcut.filter(|_| self.may_pipeline())
    }

    /// What was done otherwise than the server announces, to be let in.
    pub fn detour(&self) -> Option<Detour> {
        self.state.detour
    }

    /// Lists the maildrop, in one flight where the server pipelines. A listing that breaks off is
    /// an error, never a short maildrop.
    ///
    /// `account` goes into the messages' identities; `expect_unique_ids` says that the account's
    /// messages had unique-ids earlier, so that a UIDL that is refused, or lists nothing beside
    /// messages, is a passing fault and nothing to be fetched anew for.
    pub(in crate::source) fn list(
        &mut self,
        account: &str,
        expect_unique_ids: bool,
    ) -> Result<Maildrop, Error> {
        let ask_again = self.options.capabilities && !self.state.asked_again;
        self.state.asked_again = true;
        if self.state.listing {
            if !self.read_capabilities()? {
                return Err(Error::NotAhead);
            }
        } else if self.may_pipeline() {
            self.ask_for_listings(ask_again)?;
            if ask_again {
                self.read_capabilities()?;
            }
        } else if ask_again {
            self.wire.send(Command::Capa)?;
            self.read_capabilities()?;
            if self.may_pipeline() {
                return self.list(account, expect_unique_ids);
            }
        }
        // Nothing is pending where commands go one at a time.
        let ahead = self.wire.pending() > 0;
        let mut joiner = Joiner::default();
        let drop_listing = self.stat(ahead)?;
        if let Some(listing) = drop_listing {
            joiner.stated(listing.messages);
        }
        let refused = self.uidl(ahead, &mut joiner)?;
        self.scan(ahead, &mut joiner, drop_listing)?;
        let empty = drop_listing.is_some_and(|listing| listing.messages == 0);
        let expected = expect_unique_ids || self.capabilities.uidl;
        let has_unique_ids = match refused {
            // Whoever had none before loses nothing by doing without.
            None if joiner.lacks_unique_ids() && expect_unique_ids => {
                return Err(Error::NoUniqueIds);
            }
            None => !joiner.lacks_unique_ids(),
            Some(_) if empty => true,
            // It announces what it cannot do, unless that is not what it says.
            Some(answer) if expect_unique_ids || (expected && is_no_refusal_of_it(&answer)) => {
                return Err(Error::Refused {
                    command: "UIDL",
                    answer,
                });
            }
            Some(_) => false,
        };
        if !has_unique_ids {
            joiner.fill_gaps()?;
        }
        Ok(joiner.finish(account, has_unique_ids))
    }

    /// Whether the server has told them.
    fn read_capabilities(&mut self) -> Result<bool, Error> {
        let phase = match self.state.listing {
            true => Phase::Listing,
            false => Phase::Capabilities,
        };
        self.wire.link.expect_loss(self.state.listing);
        let capabilities = self.wire.capabilities_in(phase)?;
        self.wire.link.expect_loss(false);
        let told = capabilities.is_some();
        if let Some(capabilities) = capabilities {
            self.capabilities = capabilities;
        }
        Ok(told)
    }

    fn stat(&mut self, ahead: bool) -> Result<Option<DropListing>, Error> {
        if !ahead {
            self.wire.send(Command::Stat)?;
        }
        let (answer, listing) = self.wire.answer_and(Phase::Listing, DropListing::parse)?;
        if !answer.ok {
            // Hotmail tells its login delay here (fact Q15).
            return Err(Error::Refused {
                command: "STAT",
                answer,
            });
        }
        Ok(listing)
    }

    /// `Some` if the server refused.
    fn uidl(&mut self, ahead: bool, joiner: &mut Joiner) -> Result<Option<Answer>, Error> {
        if !ahead {
            self.wire.send(Command::Uidl)?;
        }
        let answer = self.wire.answer(Phase::Listing)?;
        if !answer.ok {
            return Ok(Some(answer));
        }
        self.wire.lines(Phase::Listing, LISTING_LINES, |line| {
            match line.and_then(unique_id_line) {
                Some((number, unique_id)) => joiner.unique_id(number, unique_id),
                // One bad line costs one message its unique-id, and no more.
                None => Ok::<(), TooLarge>(()),
            }
        })?;
        Ok(None)
    }

    fn scan(
        &mut self,
        ahead: bool,
        joiner: &mut Joiner,
        drop_listing: Option<DropListing>,
    ) -> Result<(), Error> {
        if !ahead {
            self.wire.send(Command::List)?;
        }
        let answer = self.wire.answer(Phase::Listing)?;
        if !answer.ok {
            // Some servers refuse to list nothing.
            if drop_listing.is_some_and(|listing| listing.messages == 0) {
                return Ok(());
            }
            return Err(Error::Refused {
                command: "LIST",
                answer,
            });
        }
        self.wire.lines(Phase::Listing, LISTING_LINES, |line| {
            match line.and_then(scan_line) {
                Some((number, octets)) => joiner.scan(number, octets),
                None => match line.and_then(number_alone) {
                    Some(number) => joiner.mention(number),
                    None => Ok::<(), TooLarge>(()),
                },
            }
        })
    }
}

fn is_no_refusal_of_it(answer: &Answer) -> bool {
    Meaning::recognised(Phase::Listing, answer).is_some_and(|meaning| meaning != Meaning::Command)
}

#[cfg(test)]
mod tests;
