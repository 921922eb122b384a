//! Listing mailboxes, each in one flight with opening it, and many of them at once (RFC 3501 sections
//! 6.3.2 and 6.4.8).

use super::choice::Choice;
use super::mailboxes::{Mailboxes, Opened};
use super::wire::Step;
use super::{Answer, Error, Phase, Session, SignedIn};
use crate::imap::{Command, Fetched, Violation};
use crate::maildrop::{Joiner, Maildrop, MessageNumber, Shortfall};
use std::num::NonZeroU32;

/// So many mailboxes are opened and listed ahead of the answers: what that takes fits into any socket's
/// buffers (fact Q22), but for names that no person has made.
const AHEAD: usize = 32;

/// A listing of all mailboxes, as it comes.
#[derive(Debug, Default)]
struct Listing {
    joiner: Joiner,
    listed: u32,
    /// How many there are by what the server counts.
    stated: u64,
    /// It is that of one mailbox among several: what fails there fails there alone.
    is_of_several: bool,
    /// Why mailboxes could not be read.
    troubles: Vec<(usize, Trouble)>,
    opened: usize,
    /// How many of those that were opened could be read as well.
    read: usize,
}

/// What keeps a mailbox from being read.
#[derive(Debug)]
enum Trouble {
    Refused(&'static str, Answer),
    Violation(Violation),
    /// It was listed, and that makes no sense.
    Senseless(Violation),
}

/// The listing of one of them.
#[derive(Debug, Default)]
struct Part {
    listed: u64,
    last: u32,
    /// Messages that others have removed meanwhile.
    gone: u64,
    /// How many there were in the end, where that was told meanwhile.
    exists: Option<u32>,
    /// What makes the rest of it worth nothing.
    violation: Option<Violation>,
}

impl Session<SignedIn> {
    /// Lists the mailboxes that are read. A listing that breaks off is an error, never a short mailbox.
    pub(in crate::source) fn list(&mut self, account: &str) -> Result<Maildrop, Error> {
        if !self.state.knows_capabilities {
            self.wire.send(Command::Capability)?;
            if !self.options.pipelining {
                self.settle_capabilities()?;
            }
        }
        let chooses = !self.options.folders.is_inbox_alone();
        let choice = match chooses {
            true => self.choose()?,
            false => Choice::inbox(),
        };
        self.state.mailboxes = Mailboxes::of(choice.mailboxes);
        let mut listing = self.list_all(chooses)?;
        if listing.opened == 0 && self.says_what_we_are(Phase::Listing)? {
            listing = self.list_all(chooses)?;
        }
        choice
            .shortfalls
            .into_iter()
            .for_each(|it| listing.joiner.lacks(it));
        if listing.is_of_several {
            self.blame(&listing.troubles)?;
        }
        for (mailbox, trouble) in std::mem::take(&mut listing.troubles) {
            match self.state.mailboxes.get(mailbox) {
                Some(found) if listing.is_of_several && listing.read > 0 => {
                    listing.joiner.lacks(Shortfall::Unread {
                        folder: found.folder.name.clone(),
                        reason: trouble.in_words(),
                    });
                }
                _ => return Err(trouble.into_error()),
            }
        }
        listing.joiner.stated(listing.stated);
        Ok(listing.joiner.finish(account, true))
    }

    /// Asks what the server can do, unless it has said so.
    pub(super) fn know_capabilities(&mut self) -> Result<(), Error> {
        if !self.state.knows_capabilities {
            self.wire.send(Command::Capability)?;
        }
        self.settle_capabilities()?;
        self.wire.takes_literals = self.capabilities.literal_plus;
        Ok(())
    }

    /// Reads the answer to CAPABILITY, where it is yet to come.
    pub(super) fn settle_capabilities(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.state.knows_capabilities, true) {
            return Ok(());
        }
        self.wire.answer(Phase::Capabilities)?;
        if let Some(told) = self.wire.take_capabilities() {
            self.capabilities = told;
        }
        Ok(())
    }

    /// Opens the mailboxes one after the other, and lists each. `chooses`: the account has chosen among
    /// folders, and its messages tell which they are in.
    fn list_all(&mut self, chooses: bool) -> Result<Listing, Error> {
        let count = self.state.mailboxes.len();
        let ahead = self.options.pipelining;
        let mut listing = Listing {
            is_of_several: count > 1,
            ..Listing::default()
        };
        let mut asked = 0;
        for mailbox in 0..count {
            let left = asked - mailbox;
            if left <= if ahead { AHEAD / 4 } else { 0 } {
                let until = mailbox + if ahead { AHEAD } else { 1 };
                while let Some(next) = self.state.mailboxes.get(asked).filter(|_| asked < until) {
                    self.wire.send(Command::Examine(&next.name))?;
                    if ahead {
                        self.wire.send(Command::FetchAll)?;
                    }
                    asked += 1;
                }
            }
            self.settle_capabilities()?;
            let trouble = self.list_one(mailbox, &mut listing, chooses)?;
            listing.troubles.extend(trouble.map(|it| (mailbox, it)));
        }
        Ok(listing)
    }

    /// Takes in one that was asked for; what keeps it from being read.
    fn list_one(
        &mut self,
        mailbox: usize,
        listing: &mut Listing,
        chooses: bool,
    ) -> Result<Option<Trouble>, Error> {
        let ahead = self.options.pipelining;
        let (answer, opened) = self.read_opened(Phase::Listing)?;
        let is_open = answer.ok.then_some(mailbox);
        self.state.mailboxes.is_open(is_open);
        let Some(found) = self.state.mailboxes.get_mut(mailbox) else {
            return Ok(None);
        };
        found.before = listing.listed;
        found.uids.clear();
        let trouble = match answer.ok {
            true => match opened.scope(&found.name) {
                Ok(scope) => {
                    found.scope = Some(scope);
                    None
                }
                Err(violation) => Some(Trouble::Violation(violation)),
            },
            false => Some(Trouble::Refused("EXAMINE", answer)),
        };
        if trouble.is_some() {
            if ahead {
                // Whatever it says there is of no mailbox that we have.
                self.wire.answer(Phase::Listing)?;
            }
            return Ok(trouble);
        }
        listing.opened += 1;
        if chooses {
            listing.joiner.begin_folder(found.folder.clone());
        }
        if !ahead {
            self.wire.send(Command::FetchAll)?;
        }
        let trouble = self.read_part(mailbox, listing, opened)?;
        listing.read += usize::from(trouble.is_none());
        Ok(trouble)
    }

    /// Reads a mailbox's listing to the answer behind it, whatever it says: what makes no sense in it is the
    /// trouble of this mailbox alone, and those behind it are listed.
    fn read_part(
        &mut self,
        mailbox: usize,
        listing: &mut Listing,
        opened: Opened,
    ) -> Result<Option<Trouble>, Error> {
        let add = |session: &mut Self, uid, octets| session.add(mailbox, listing, uid, octets);
        let (part, answer) = self.read_messages(opened, add)?;
        if let Some(violation) = part.violation {
            self.take_back(mailbox, listing);
            return Ok(Some(Trouble::Senseless(violation)));
        }
        // Of no messages nothing need be fetched.
        if !answer.ok && opened.exists != Some(0) {
            // What it has listed until then counts, and what it has not is no miscount.
            listing.stated = listing.stated.saturating_add(part.listed);
            return Ok(Some(Trouble::Refused("UID FETCH", answer)));
        }
        listing.stated = listing.stated.saturating_add(part.stated(opened));
        Ok(None)
    }

    /// Reads the messages of the mailbox that is open, to the answer behind them.
    fn read_messages(
        &mut self,
        opened: Opened,
        mut each: impl FnMut(&mut Self, NonZeroU32, u64) -> Result<(), Error>,
    ) -> Result<(Part, Answer), Error> {
        let mut part = Part::default();
        loop {
            match self.wire.next(Phase::Listing)? {
                Step::Fetched(fetched) => {
                    if let Some((uid, octets)) = part.take(fetched) {
                        each(self, uid, octets)?;
                    }
                }
                Step::Gone(count) => part.gone = part.gone.saturating_add(count),
                Step::Exists(count) => part.exists = Some(count),
                // It was told in the answer to EXAMINE, and must stay what it was.
                Step::UidValidity(value) if opened.uid_validity != Some(value) => {
                    part.violation.get_or_insert(Violation::OtherUidValidity);
                }
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(answer) => return Ok((part, answer)),
                _ => {}
            }
        }
    }

    /// A mailbox whose listing makes no sense is listed once more, with nothing else under way: it may be that
    /// the server has mixed up its answers. One is enough.
    ///
    /// # Errors
    /// Where it makes sense now.
    fn blame(&mut self, troubles: &[(usize, Trouble)]) -> Result<(), Error> {
        let senseless = troubles
            .iter()
            .find_map(|(mailbox, trouble)| match trouble {
                Trouble::Senseless(violation) => Some((*mailbox, violation)),
                _ => None,
            });
        let senseless = senseless.filter(|_| self.options.pipelining);
        let Some((mailbox, violation)) = senseless else {
            return Ok(());
        };
        let Some(found) = self.state.mailboxes.get(mailbox) else {
            return Ok(());
        };
        self.wire.send(Command::Examine(&found.name))?;
        let (answer, opened) = self.read_opened(Phase::Listing)?;
        self.state.mailboxes.is_open(answer.ok.then_some(mailbox));
        if !answer.ok {
            return Ok(());
        }
        self.wire.send(Command::FetchAll)?;
        let (part, answer) = self.read_messages(opened, |_, _, _| Ok(()))?;
        match part.violation.is_none() && answer.ok {
            true => Err(Error::violation(Phase::Listing, violation.clone())),
            false => Ok(()),
        }
    }

    /// Takes what is listed of the last mailbox out of the listing again.
    fn take_back(&mut self, mailbox: usize, listing: &mut Listing) {
        if let Some(found) = self.state.mailboxes.get_mut(mailbox) {
            found.uids.clear();
            listing.listed = found.before;
        }
        listing.joiner.take_back_folder();
    }

    /// Adds a message to the listing.
    fn add(
        &mut self,
        mailbox: usize,
        listing: &mut Listing,
        uid: NonZeroU32,
        octets: u64,
    ) -> Result<(), Error> {
        let number = listing.listed.saturating_add(1);
        let found = self.state.mailboxes.get_mut(mailbox);
        let scope = found.and_then(|found| {
            found.uids.push(uid);
            found.scope.as_ref()
        });
        if let Some((number, scope)) = MessageNumber::new(number).zip(scope) {
            listing.joiner.scan(number, octets)?;
            let unique_id = scope.unique_id(uid);
            listing.joiner.unique_id(number, unique_id.as_bytes())?;
            listing.listed = number.value();
        }
        Ok(())
    }
}

impl Part {
    /// Takes in what was told of a message: its UID and its size. What has no size answers nothing: flags
    /// that have changed, say. Nothing more is taken in behind what makes no sense.
    fn take(&mut self, fetched: Fetched) -> Option<(NonZeroU32, u64)> {
        if self.violation.is_some() {
            return None;
        }
        match self.read(fetched) {
            Ok(found) => found,
            Err(violation) => {
                self.violation = Some(violation);
                None
            }
        }
    }

    fn read(&mut self, fetched: Fetched) -> Result<Option<(NonZeroU32, u64)>, Violation> {
        if fetched.is_unusable {
            return Err(Violation::Unusable);
        }
        let Some(octets) = fetched.size else {
            return Ok(None);
        };
        let uid = fetched.uid.and_then(NonZeroU32::new);
        let uid = uid.ok_or(Violation::NoUid)?;
        if uid.get() <= self.last {
            return Err(Violation::UidOrder(uid.get(), self.last));
        }
        self.last = uid.get();
        self.listed += 1;
        Ok(Some((uid, octets)))
    }

    /// How many messages there are by what the server counts. Messages come and go while they are listed:
    /// as many as were not there from the beginning to the end may be missing, or be in it.
    fn stated(&self, opened: Opened) -> u64 {
        let Some(exists) = opened.exists else {
            return self.listed;
        };
        let least = u64::from(exists).saturating_sub(self.gone);
        let most = u64::from(self.exists.unwrap_or(0).max(exists));
        match (least..=most).contains(&self.listed) {
            true => self.listed,
            false => least,
        }
    }
}

impl Trouble {
    fn in_words(&self) -> String {
        match self {
            Self::Refused(command, answer) => format!("the server refused {command}: {answer}"),
            Self::Violation(violation) | Self::Senseless(violation) => violation.to_string(),
        }
    }

    fn into_error(self) -> Error {
        match self {
            Self::Refused(command, answer) => Error::Refused { command, answer },
            Self::Violation(violation) | Self::Senseless(violation) => {
                Error::violation(Phase::Listing, violation)
            }
        }
    }
}
