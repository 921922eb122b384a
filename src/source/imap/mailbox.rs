//! Opening the mailbox and listing it (RFC 3501 sections 6.3.1, 6.3.2 and 6.4.8).

use super::wire::Step;
use super::{Answer, Error, MAILBOX, Phase, Scope, Session, SignedIn};
use crate::imap::{Command, Fetched, Violation};
use crate::maildrop::{Joiner, Maildrop, MessageNumber};

/// What the server has told of the mailbox that it was asked to open.
#[derive(Clone, Copy, Debug, Default)]
struct Opened {
    uid_validity: Option<u32>,
    exists: Option<u32>,
}

/// A listing as it comes.
#[derive(Debug, Default)]
struct Listing {
    joiner: Joiner,
    listed: u64,
    last: u32,
    /// Messages that others have removed meanwhile.
    gone: u64,
    /// How many there were in the end, where that was told meanwhile.
    exists: Option<u32>,
}

impl Session<SignedIn> {
    /// Lists the mailbox, in one flight with opening it. A listing that breaks off is an error, never
    /// a short mailbox.
    pub(in crate::source) fn list(&mut self, account: &str) -> Result<Maildrop, Error> {
        let ahead = self.options.pipelining;
        if !self.state.knows_capabilities {
            self.wire.send(Command::Capability)?;
            if !ahead {
                self.learn_capabilities()?;
            }
        }
        self.wire.send(Command::Examine(MAILBOX))?;
        if ahead {
            self.wire.send(Command::FetchAll)?;
            if !self.state.knows_capabilities {
                self.learn_capabilities()?;
            }
        }
        let (mut answer, mut opened) = self.read_opened()?;
        let mut asked = ahead;
        if !answer.ok && self.capabilities.id {
            // There are servers that open nothing for who has not said what it is (fact Q25).
            if asked {
                self.wire.answer(Phase::Listing)?;
                asked = false;
            }
            self.wire.send(Command::Id)?;
            self.wire.answer(Phase::Listing)?;
            self.wire.send(Command::Examine(MAILBOX))?;
            (answer, opened) = self.read_opened()?;
        }
        if !answer.ok {
            return Err(Error::Refused {
                command: "EXAMINE",
                answer,
            });
        }
        let scope = self.scope_of(opened)?;
        self.state.scope = Some(scope);
        if !asked {
            self.wire.send(Command::FetchAll)?;
        }
        self.read_listing(account, scope, opened)
    }

    fn learn_capabilities(&mut self) -> Result<(), Error> {
        self.state.knows_capabilities = true;
        self.wire.answer(Phase::Capabilities)?;
        if let Some(told) = self.wire.take_capabilities() {
            self.capabilities = told;
        }
        Ok(())
    }

    /// The answer to EXAMINE or SELECT.
    fn read_opened(&mut self) -> Result<(Answer, Opened), Error> {
        let mut opened = Opened::default();
        loop {
            match self.wire.next(Phase::Listing)? {
                Step::Exists(count) => opened.exists = Some(count),
                Step::UidValidity(value) => opened.uid_validity = Some(value),
                Step::Done(answer) => return Ok((answer, opened)),
                Step::Octets => {
                    self.wire.octets();
                }
                _ => {}
            }
        }
    }

    fn scope_of(&self, opened: Opened) -> Result<Scope, Error> {
        let uid_validity = opened.uid_validity.filter(|value| *value > 0);
        let missing = || Error::violation(Phase::Listing, Violation::NoUidValidity);
        Ok(Scope {
            mailbox: MAILBOX,
            uid_validity: uid_validity.ok_or_else(missing)?,
        })
    }

    fn read_listing(
        &mut self,
        account: &str,
        scope: Scope,
        opened: Opened,
    ) -> Result<Maildrop, Error> {
        let mut listing = Listing::default();
        let answer = loop {
            match self.wire.next(Phase::Listing)? {
                Step::Fetched(fetched) => listing.add(scope, fetched)?,
                Step::Gone(count) => listing.gone = listing.gone.saturating_add(count),
                Step::Exists(count) => listing.exists = Some(count),
                // It was told in the answer to EXAMINE, and must stay what it was.
                Step::UidValidity(value) if value != scope.uid_validity => {
                    let violation = Violation::OtherUidValidity;
                    return Err(Error::violation(Phase::Listing, violation));
                }
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(answer) => break answer,
                _ => {}
            }
        };
        // Of no messages nothing need be fetched.
        if !answer.ok && opened.exists != Some(0) {
            return Err(Error::Refused {
                command: "UID FETCH",
                answer,
            });
        }
        Ok(listing.finish(account, opened))
    }

    /// Opens the mailbox anew, to be changed; the server's answer, if it refuses.
    pub(super) fn open_for_changes(&mut self) -> Result<Option<Answer>, Error> {
        self.wire.send(Command::Select(MAILBOX))?;
        let (answer, opened) = self.read_opened()?;
        if !answer.ok {
            return Ok(Some(answer));
        }
        // UIDs of another time would name other messages.
        match self.state.scope == Some(self.scope_of(opened)?) {
            true => Ok(None),
            false => Err(Error::violation(
                Phase::Listing,
                Violation::OtherUidValidity,
            )),
        }
    }
}

impl Listing {
    /// Takes in what was told of a message. What has no size answers nothing: flags that have
    /// changed, say.
    fn add(&mut self, scope: Scope, fetched: Fetched) -> Result<(), Error> {
        let Some(octets) = fetched.size else {
            return Ok(());
        };
        let wrong = |violation| Error::violation(Phase::Listing, violation);
        let uid = fetched.uid.ok_or_else(|| wrong(Violation::NoUid))?;
        let number = MessageNumber::new(uid).ok_or_else(|| wrong(Violation::NoUid))?;
        if uid <= self.last {
            return Err(wrong(Violation::UidOrder(uid, self.last)));
        }
        self.last = uid;
        self.listed += 1;
        self.joiner.scan(number, octets)?;
        let unique_id = scope.unique_id(uid);
        Ok(self.joiner.unique_id(number, unique_id.as_bytes())?)
    }

    fn finish(mut self, account: &str, opened: Opened) -> Maildrop {
        // Messages come and go while they are listed: as many as were not there from the beginning
        // to the end may be missing, or be in it.
        if let Some(exists) = opened.exists {
            let least = u64::from(exists).saturating_sub(self.gone);
            let most = u64::from(self.exists.unwrap_or(0).max(exists));
            let is_complete = (least..=most).contains(&self.listed);
            self.joiner
                .stated(if is_complete { self.listed } else { least });
        }
        self.joiner.finish(account, true)
    }
}
