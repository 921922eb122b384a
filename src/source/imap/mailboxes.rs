//! The mailboxes that a session reads, which message is in which, and which of them is open (RFC 3501
//! sections 6.3.1 and 6.3.2).

use super::wire::Step;
use super::{Answer, Error, Phase, Session, SignedIn};
use crate::imap::Scope;
use crate::imap::{Command, Violation};
use crate::maildrop::{MessageNumber, RemoteFolder};
use std::num::NonZeroU32;
use std::sync::Arc;

/// A mailbox that is read.
pub(super) struct Mailbox {
    /// As the server calls it: printable ASCII.
    pub(super) name: Box<str>,
    /// The same for everybody else.
    pub(super) folder: Arc<RemoteFolder>,
    /// Once it is listed.
    pub(super) scope: Option<Scope>,
    /// How many messages are listed before its first.
    pub(super) before: u32,
    /// Its messages, in the order of the listing.
    pub(super) uids: Vec<NonZeroU32>,
    /// It could not be opened again: nothing in it is asked for any more.
    refusal: Option<Answer>,
}

/// See the [module](self).
#[derive(Default)]
pub(super) struct Mailboxes {
    all: Vec<Mailbox>,
    /// The one that what is asked next is about.
    open: Option<usize>,
    /// It can be changed there.
    is_writable: bool,
}

/// Where a message is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// In which of the mailboxes.
    pub(super) mailbox: usize,
    /// Under which UID.
    pub(super) uid: NonZeroU32,
}

/// What the server has told of a mailbox that it was asked to open.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Opened {
    pub(super) uid_validity: Option<u32>,
    pub(super) uid_next: Option<u32>,
    pub(super) exists: Option<u32>,
    pub(super) recent: Option<u32>,
}

/// Whether a mailbox can be read.
pub(super) enum Opening {
    /// It is open.
    Open,
    /// It was asked for: the answer comes before those to what is asked next.
    Asked,
    /// The server refuses to open it.
    Refused(Answer),
}

impl Mailbox {
    pub(super) fn new(name: &str, folder: RemoteFolder) -> Self {
        Self {
            name: name.into(),
            folder: Arc::new(folder),
            scope: None,
            before: 0,
            uids: Vec::new(),
            refusal: None,
        }
    }
}

impl Opened {
    /// The mailbox that this was told of.
    pub(super) fn scope(self, mailbox: &str) -> Result<Scope, Violation> {
        let uid_validity = self.uid_validity.filter(|value| *value > 0);
        let uid_validity = uid_validity.ok_or(Violation::NoUidValidity)?;
        Ok(Scope::new(mailbox, uid_validity))
    }
}

impl Mailboxes {
    pub(super) fn of(all: Vec<Mailbox>) -> Self {
        Self {
            all,
            ..Self::default()
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, place: usize) -> Option<&Mailbox> {
        self.all.get(place)
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Mailbox> {
        self.all.get_mut(place)
    }

    /// What is asked next is about this one.
    pub(super) fn is_open(&mut self, mailbox: Option<usize>) {
        (self.open, self.is_writable) = (mailbox, false);
    }

    /// Where a listed message is.
    pub(super) fn place_of(&self, number: MessageNumber) -> Option<Place> {
        let before = number.value() - 1;
        let behind = self.all.partition_point(|it| it.before <= before);
        let mailbox = behind.checked_sub(1)?;
        let found = self.all.get(mailbox)?;
        let at = usize::try_from(before - found.before).ok()?;
        let uid = *found.uids.get(at)?;
        Some(Place { mailbox, uid })
    }

    /// The number of the message that this UID names in a mailbox, if it is listed.
    pub(super) fn number_of(&self, mailbox: usize, uid: u32) -> Option<MessageNumber> {
        let found = self.all.get(mailbox)?;
        // They go up.
        let at = found.uids.binary_search_by_key(&uid, |it| it.get()).ok()?;
        let behind = u32::try_from(at).ok()?.checked_add(1)?;
        MessageNumber::new(found.before.checked_add(behind)?)
    }
}

impl Session<SignedIn> {
    /// Where a message is, to ask for it in `phase`.
    pub(super) fn place_of(&self, number: MessageNumber, phase: Phase) -> Result<Place, Error> {
        let place = self.state.mailboxes.place_of(number);
        place.ok_or_else(|| Error::violation(phase, Violation::OtherMessage))
    }

    /// Has a mailbox open for what is asked next, to be read alone.
    pub(super) fn open_to_read(&mut self, mailbox: usize, phase: Phase) -> Result<Opening, Error> {
        let mailboxes = &mut self.state.mailboxes;
        let Some(wanted) = mailboxes.all.get(mailbox) else {
            return Err(Error::violation(phase, Violation::OtherMessage));
        };
        if let Some(refusal) = &wanted.refusal {
            return Ok(Opening::Refused(refusal.clone()));
        }
        if mailboxes.open == Some(mailbox) {
            return Ok(Opening::Open);
        }
        self.wire.send(Command::Examine(&wanted.name))?;
        mailboxes.is_open(Some(mailbox));
        if self.options.pipelining {
            return Ok(Opening::Asked);
        }
        let (answer, opened) = self.read_opened(phase)?;
        Ok(match self.reopened(mailbox, answer, opened, phase)? {
            None => Opening::Open,
            Some(refusal) => Opening::Refused(refusal),
        })
    }

    /// The server has answered that it opened a mailbox again; its answer, if it refuses.
    ///
    /// # Errors
    /// The mailbox has another UIDVALIDITY than it was listed with: its UIDs name other messages now.
    pub(super) fn reopened(
        &mut self,
        mailbox: usize,
        answer: Answer,
        opened: Opened,
        phase: Phase,
    ) -> Result<Option<Answer>, Error> {
        let mailboxes = &mut self.state.mailboxes;
        let Some(found) = mailboxes.all.get_mut(mailbox) else {
            return Ok(Some(answer));
        };
        if !answer.ok {
            found.refusal = Some(answer.clone());
            // None is open from then on (RFC 3501 section 6.3.1).
            if mailboxes.open == Some(mailbox) {
                mailboxes.is_open(None);
            }
            return Ok(Some(answer));
        }
        let wrong = |violation| Error::violation(phase, violation);
        let scope = opened.scope(&found.name).map_err(wrong)?;
        match found.scope.as_ref() == Some(&scope) {
            true => Ok(None),
            false => Err(wrong(Violation::OtherUidValidity)),
        }
    }

    /// Has a mailbox open to be changed in `phase`; the server's answer, if it refuses.
    pub(super) fn open_for_changes(
        &mut self,
        mailbox: usize,
        phase: Phase,
    ) -> Result<Option<Answer>, Error> {
        let mailboxes = &mut self.state.mailboxes;
        if mailboxes.open == Some(mailbox) && mailboxes.is_writable {
            return Ok(None);
        }
        let Some(found) = mailboxes.all.get(mailbox) else {
            return Ok(Some(Answer::said("no such folder")));
        };
        self.wire.send(Command::Select(&found.name))?;
        mailboxes.is_open(Some(mailbox));
        let (answer, opened) = self.read_opened(phase)?;
        let refusal = self.reopened(mailbox, answer, opened, phase)?;
        self.state.mailboxes.is_writable = refusal.is_none();
        Ok(refusal)
    }

    /// Opens a mailbox that is none of those that are read.
    pub(super) fn examine(
        &mut self,
        mailbox: &str,
        phase: Phase,
    ) -> Result<(Answer, Opened), Error> {
        loop {
            self.wire.send(Command::Examine(mailbox))?;
            let (answer, opened) = self.read_opened(phase)?;
            if answer.ok || !self.says_what_we_are(phase)? {
                return Ok((answer, opened));
            }
        }
    }

    /// Tells the server what we are, by ID (RFC 2971): there are some that open nothing before that (fact Q25).
    /// Whether that is news to it, so that what it has refused may be asked for again.
    pub(super) fn says_what_we_are(&mut self, phase: Phase) -> Result<bool, Error> {
        if !self.capabilities.id || std::mem::replace(&mut self.state.knows_what_we_are, true) {
            return Ok(false);
        }
        self.wire.send(Command::Id)?;
        self.wire.answer(phase)?;
        Ok(true)
    }

    /// The answer to EXAMINE or SELECT.
    pub(super) fn read_opened(&mut self, phase: Phase) -> Result<(Answer, Opened), Error> {
        let mut opened = Opened::default();
        loop {
            match self.wire.next(phase)? {
                Step::Exists(count) => opened.exists = Some(count),
                Step::Recent(count) => opened.recent = Some(count),
                Step::UidValidity(value) => opened.uid_validity = Some(value),
                Step::UidNext(value) => opened.uid_next = Some(value),
                Step::Done(answer) => return Ok((answer, opened)),
                Step::Octets => {
                    self.wire.octets();
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(before: u32, uids: &[u32]) -> Mailbox {
        let folder = RemoteFolder {
            name: "x".into(),
            parts: Vec::new(),
        };
        let uids = uids.iter().copied().filter_map(NonZeroU32::new);
        Mailbox {
            before,
            uids: uids.collect(),
            ..Mailbox::new("x", folder)
        }
    }

    #[test]
    fn a_number_is_a_place_in_the_listing_of_all_mailboxes() {
        let all = vec![mailbox(0, &[7, 9]), mailbox(2, &[]), mailbox(2, &[3])];
        let mailboxes = Mailboxes::of(all);
        let found = |number| {
            let place = mailboxes.place_of(MessageNumber::new(number).unwrap());
            place.map(|place| (place.mailbox, place.uid.get()))
        };
        let all: Vec<_> = (1..=4).map(found).collect();
        assert_eq!(all, [Some((0, 7)), Some((0, 9)), Some((2, 3)), None]);
        for (mailbox, uid, number) in [(0, 9, 2), (2, 3, 3)] {
            assert_eq!(
                mailboxes.number_of(mailbox, uid),
                MessageNumber::new(number)
            );
        }
        for (mailbox, uid) in [(0, 8), (1, 3), (3, 3)] {
            assert_eq!(mailboxes.number_of(mailbox, uid), None);
        }
    }
}
