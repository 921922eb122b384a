//! Looking for a message that may have been appended (RFC 3501 section 6.4.4).

use super::wire::Step;
use super::{Answer, Error, Meaning, Phase, Session, SignedIn};
use crate::handover::{Likeness, Post};
use crate::imap::{Command, ListedMailbox, Search, Violation, to_utf7};
use crate::source::Found;
use crate::source::folders::INBOX;
use crate::source::header::ENDLESS_HEADER;
use std::num::NonZeroU32;

/// More mailboxes than this are not looked through, but for a few: people have dozens.
const LOOK_LIMIT: usize = 1000;

/// A server that lists more of them lists them without end.
const LIST_LIMIT: usize = 100_000;

/// More messages with the same Message-ID, or of the same day and size, are not compared.
const CANDIDATES: usize = 64;

impl Session<SignedIn> {
    /// Looks for a message: in the mailbox that it was for and in the one that has all messages, where the
    /// server has one; else in each.
    pub(in crate::source) fn find(
        &mut self,
        folder: &str,
        post: &mut Post,
    ) -> Result<Found, Error> {
        self.know_capabilities()?;
        let wanted = to_utf7(folder);
        let (listed, is_listed) = self.list_mailboxes()?;
        let is_wanted = |name: &str| {
            name == wanted || name.eq_ignore_ascii_case(&wanted) && name.eq_ignore_ascii_case(INBOX)
        };
        let all = listed.iter().find(|it| it.has("\\All"));
        let mut names = vec![wanted.clone()];
        let others = listed.iter().filter(|it| match all {
            // Spam and what was thrown away are not in it.
            Some(_) => has_its_own(it),
            None => it.can_be_opened(),
        });
        let others = others.filter_map(|it| it.argument()).map(str::to_owned);
        names.extend(others.filter(|name| !is_wanted(name)));
        let mut is_unclear = !is_listed && all.is_none();
        for name in names {
            match self.find_in(&name, post)? {
                Found::NotThere => {}
                Found::There => return Ok(Found::There),
                // A mailbox that is not there has nothing in it.
                Found::CannotTell => {
                    is_unclear |= listed.iter().any(|it| it.name == name.as_bytes())
                }
            }
        }
        Ok(match is_unclear {
            true => Found::CannotTell,
            false => Found::NotThere,
        })
    }

    /// What there is, as far as it is looked at, and whether that is all.
    fn list_mailboxes(&mut self) -> Result<(Vec<ListedMailbox>, bool), Error> {
        self.wire.send(Command::List {
            uses: self.capabilities.special_use,
        })?;
        let (mut listed, mut count) = (Vec::new(), 0);
        loop {
            match self.wire.next(Phase::Appending)? {
                Step::Listed(mailbox) => {
                    count += 1;
                    if count > LIST_LIMIT {
                        let violation = Violation::EndlessList;
                        return Err(Error::violation(Phase::Appending, violation));
                    }
                    // Those that have what is in no other may come last.
                    let is_to_be_looked_at = match has_its_own(&mailbox) {
                        true => listed.len() < 2 * LOOK_LIMIT,
                        false => listed.len() < LOOK_LIMIT,
                    };
                    if is_to_be_looked_at {
                        listed.push(mailbox);
                    }
                }
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(answer) => return Ok((listed, answer.ok && count <= LOOK_LIMIT)),
                _ => {}
            }
        }
    }

    fn find_in(&mut self, mailbox: &str, post: &mut Post) -> Result<Found, Error> {
        let (answer, _) = self.examine(mailbox, Phase::Appending)?;
        if !answer.ok {
            return cannot_tell("EXAMINE", answer);
        }
        self.wire.send(Command::Search(Search {
            message_id: post.message_id(),
            date: post.date(),
            octets: post.octets(),
        }))?;
        let mut uids = Vec::new();
        let answer = loop {
            match self.wire.next(Phase::Appending)? {
                Step::Found(more) => uids.extend(more),
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(answer) => break answer,
                _ => {}
            }
        };
        if !answer.ok {
            return cannot_tell("UID SEARCH", answer);
        }
        let mut is_unclear = uids.len() > CANDIDATES;
        // The newest are the likeliest.
        let uids = uids.iter().rev().filter_map(|uid| NonZeroU32::new(*uid));
        for uid in uids.take(CANDIDATES) {
            match self.likeness_of(uid, post)? {
                Some(Likeness::Same) => return Ok(Found::There),
                // It may be it, as the server has changed it, or another copy of the same mail.
                Some(Likeness::Body) | None => is_unclear = true,
                Some(Likeness::Other) => {}
            }
        }
        Ok(match is_unclear {
            true => Found::CannotTell,
            false => Found::NotThere,
        })
    }

    /// How alike a message is; of many with the same size the header is looked at first. `None` where it does
    /// not come, or ours cannot be read.
    fn likeness_of(&mut self, uid: NonZeroU32, post: &mut Post) -> Result<Option<Likeness>, Error> {
        if post.shows_by_header() {
            let mut header = Vec::new();
            let is_all = self.read_of(Command::FetchHeader(uid), uid, |octets| {
                header.extend_from_slice(octets);
                header.len() <= ENDLESS_HEADER
            })?;
            if !is_all {
                return Ok(None);
            }
            if !post.has_header(&header) {
                return Ok(Some(Likeness::Other));
            }
        }
        let Ok(mut comparison) = post.compare() else {
            return Ok(None);
        };
        let mut is_readable = true;
        let is_all = self.read_of(Command::FetchBody(uid), uid, |octets| {
            is_readable &= comparison.take(octets).is_ok();
            true
        })?;
        Ok(comparison.end().ok().filter(|_| is_all && is_readable))
    }

    /// Reads what is asked for of one message; whether all of it has come.
    ///
    /// # Errors
    /// As ever; and where `take` wants no more, which is a header without an end.
    fn read_of(
        &mut self,
        command: Command<'_>,
        uid: NonZeroU32,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<bool, Error> {
        self.wire.send(command)?;
        let (mut is_its_own, mut has_come) = (false, false);
        loop {
            match self.wire.next(Phase::Appending)? {
                Step::Begins(_, told) => {
                    is_its_own = !has_come && told.is_none_or(|it| it == uid.get());
                    has_come |= is_its_own;
                }
                Step::Octets => {
                    let octets = self.wire.octets();
                    if is_its_own && !take(octets) {
                        let violation = Violation::EndlessHeader;
                        return Err(Error::violation(Phase::Appending, violation));
                    }
                }
                Step::Done(answer) => return Ok(has_come && answer.ok),
                _ => {}
            }
        }
    }
}

/// Whether it has all messages, or some that are not in the one that has all.
fn has_its_own(mailbox: &ListedMailbox) -> bool {
    ["\\All", "\\Junk", "\\Trash"]
        .iter()
        .any(|it| mailbox.has(it))
}

/// A mailbox that cannot be looked through now, by a server in trouble, may be later; another never.
fn cannot_tell(command: &'static str, answer: Answer) -> Result<Found, Error> {
    match Meaning::of(Phase::Appending, &answer).is_the_sessions() {
        true => Err(Error::Refused { command, answer }),
        false => Ok(Found::CannotTell),
    }
}
