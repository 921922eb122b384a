//! Looking for a message that may have been appended (RFC 3501 section 6.4.4).

use super::wire::Step;
use super::{Answer, Error, Meaning, Phase, Session, SignedIn};
use crate::handover::Post;
use crate::imap::{Command, ListedMailbox, Search, Section, Violation, to_utf7};
use crate::source::Found;
use crate::source::folders::INBOX;
use crate::source::header::ENDLESS_HEADER;
use std::num::NonZeroU32;

/// More mailboxes than this are not looked through: people have dozens.
const LOOK_LIMIT: usize = 1000;

/// More messages with the same Message-ID, or of the same day and size, are not compared.
const CANDIDATES: usize = 64;

impl Session<SignedIn> {
    /// Looks for a message: in the mailbox that it was for and in the one that has all messages, where the
    /// server has one; else in each.
    pub(in crate::source) fn find(&mut self, folder: &str, post: &Post) -> Result<Found, Error> {
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
            Some(all) => it.name == all.name || it.has("\\Junk") || it.has("\\Trash"),
            None => it.can_be_opened(),
        });
        let others = others.filter_map(|it| it.argument()).map(str::to_owned);
        names.extend(others.filter(|name| !is_wanted(name)));
        let mut is_unclear = !is_listed;
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

    /// What there is, and whether the server has told all of it.
    fn list_mailboxes(&mut self) -> Result<(Vec<ListedMailbox>, bool), Error> {
        self.wire.send(Command::List {
            uses: self.capabilities.special_use,
        })?;
        let mut listed = Vec::new();
        loop {
            match self.wire.next(Phase::Appending)? {
                Step::Listed(mailbox) => {
                    listed.push(mailbox);
                    if listed.len() > LOOK_LIMIT {
                        let violation = Violation::EndlessList;
                        return Err(Error::violation(Phase::Appending, violation));
                    }
                }
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(answer) => return Ok((listed, answer.ok)),
                _ => {}
            }
        }
    }

    fn find_in(&mut self, mailbox: &str, post: &Post) -> Result<Found, Error> {
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
            match self.header_of(uid)? {
                Some(header) if post.has_header(&header) => return Ok(Found::There),
                Some(_) => {}
                None => is_unclear = true,
            }
        }
        Ok(match is_unclear {
            true => Found::CannotTell,
            false => Found::NotThere,
        })
    }

    /// `None` where the server does not send it.
    fn header_of(&mut self, uid: NonZeroU32) -> Result<Option<Vec<u8>>, Error> {
        self.wire.send(Command::FetchHeader(uid))?;
        let mut header = None;
        loop {
            match self.wire.next(Phase::Appending)? {
                Step::Begins(Section::Header, told) if told.is_none_or(|it| it == uid.get()) => {
                    header = Some(Vec::new());
                }
                Step::Octets => {
                    let octets = self.wire.octets();
                    if let Some(header) = &mut header {
                        header.extend_from_slice(octets);
                        if header.len() > ENDLESS_HEADER {
                            let violation = Violation::EndlessHeader;
                            return Err(Error::violation(Phase::Appending, violation));
                        }
                    }
                }
                Step::Done(answer) => return Ok(header.filter(|_| answer.ok)),
                _ => {}
            }
        }
    }
}

/// A mailbox that cannot be looked through now, by a server in trouble, may be later; another never.
fn cannot_tell(command: &'static str, answer: Answer) -> Result<Found, Error> {
    match Meaning::of(Phase::Appending, &answer).is_the_sessions() {
        true => Err(Error::Refused { command, answer }),
        false => Ok(Found::CannotTell),
    }
}
