//! Proofs that a message may be deleted from the server (E4, E11.4, E14). Nothing else can make them.

use super::journal;
use super::record::{Entry, Id, Stored};
use super::remembered::{Kind, Leave, Record};
use super::{Elsewhere, Error, Intent, Ruled, Store, rebuild};
use crate::delivery::Delivered;
use crate::maildir::Search;
use crate::maildrop::{Message, MessageNumber};
use crate::threads;
use std::collections::HashSet;
use std::{io, thread};

/// Proof that a message of the session at hand is stored and recorded as seen, both on the disk (E4).
/// Where it is to be handed on as well, that may still have to be done ([`Store::done_with`]).
#[derive(Debug)]
pub struct Placed(Recorded);

/// Proof that a message is stored and recorded as seen, both on the disk (E4), that nothing more is to
/// be done with it, and that the session at hand lists it under this number: it may be deleted from the
/// server.
#[derive(Debug)]
pub struct Recorded {
    pub(super) id: Id,
    number: MessageNumber,
    /// It was never stored: a rule has it deleted, this one in words.
    rule: Option<Box<str>>,
}

impl Recorded {
    /// The message-number in the session at hand.
    pub fn number(&self) -> MessageNumber {
        self.number
    }

    /// The rule that has it deleted, in words; none for a message that is stored.
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }
}

impl Placed {
    /// The message-number in the session at hand.
    pub fn number(&self) -> MessageNumber {
        self.0.number
    }

    /// Of a message that the session at hand has delivered; `None` where its end was doubtful.
    pub(super) fn of_delivered(delivered: &Delivered<Intent>) -> Option<Self> {
        let synced = delivered.synced();
        synced.is_orderly().then_some(Self(Recorded {
            id: delivered.intent().id(),
            number: synced.message().number,
            rule: None,
        }))
    }
}

impl Recorded {
    /// Of a message that another tool has stored, on its owner's word.
    fn of_elsewhere(elsewhere: Elsewhere) -> Self {
        let Same { id, message } = elsewhere.into_same();
        Self {
            id,
            number: message.number,
            rule: None,
        }
    }
}

/// Of a message that was never fetched, on a rule's word, which is recorded.
impl From<Ruled> for Recorded {
    fn from(ruled: Ruled) -> Self {
        let Ruled { id, number, rule } = ruled;
        Self {
            id,
            number,
            rule: Some(rule),
        }
    }
}

/// Proof that a listed message is one that an earlier session stored: the session at hand has shown
/// that it is the same (E11.2).
#[derive(Debug)]
pub struct Same {
    pub(super) id: Id,
    pub(super) message: Message,
}

impl Same {
    /// The message-number in the session at hand.
    pub fn number(&self) -> MessageNumber {
        self.message.number
    }
}

/// Why a message that is due to be deleted is not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Withheld {
    /// Its end was doubtful when it was stored.
    Doubtful,
    /// Its file is not as long as it was.
    Changed,
    /// Its file is nowhere, and nothing says that its owner removed it.
    Missing,
    /// It has come back, or may have, and nothing of it is here.
    Returned,
    /// It was not handed on, as it looks like a copy of what was, and nothing of it is here.
    Copy,
    /// It waits to be handed on.
    Waiting,
}

/// What may be deleted of messages of earlier sessions, and what may not.
#[derive(Debug, Default)]
pub struct Vouched {
    /// The proofs.
    pub recorded: Vec<Recorded>,
    /// The others, with the reason.
    pub withheld: Vec<(Message, Withheld)>,
    /// How many more there are that have come back, as earlier runs have found.
    pub returned_before: u64,
}

impl Store {
    /// The proofs for messages of earlier sessions whose files are where they should be, or that
    /// their owner has removed; and the others, with the reason. Names and lengths are read once, and
    /// nothing else. `is_due`: whether one that has been stored since then would go, which it was asked to so
    /// many times in vain.
    pub fn vouch(
        &mut self,
        same: Vec<Same>,
        is_due: impl Fn(i64, u8) -> bool,
    ) -> Result<Vouched, Error> {
        let of_now: HashSet<Id> = same.iter().map(|same| same.id).collect();
        let mut vouched = Vouched {
            returned_before: self.count_returned(|id| !of_now.contains(&id), is_due),
            ..Vouched::default()
        };
        let mut stored = Vec::with_capacity(same.len());
        let mut still = Vec::with_capacity(same.len());
        for same in same {
            match self.elsewhere(&same) {
                Some(elsewhere) => vouched.recorded.push(Recorded::of_elsewhere(elsewhere)),
                // Nobody lets it be deleted.
                None if self.is_elsewhere(&same) => {}
                None => still.push(same),
            }
        }
        let lines = self.lines_of(&still)?;
        for (same, line) in still.into_iter().zip(lines) {
            match line? {
                Some(line) => stored.push((same, line)),
                // Without a line there is no file to look for.
                None => vouched.withheld.push((same.message, Withheld::Missing)),
            }
        }
        let ids: Vec<&Stored> = stored.iter().map(|(_, stored)| stored).collect();
        let search = self.search_for(&ids)?;
        // What a thread that ended early has not looked at is not there for certain.
        let missing = || Some(Withheld::Missing);
        let why = at_once(&stored, missing, |(same, stored)| {
            match self.memory.record(same.id) {
                _ if self.memory.onward.due.contains(&same.id) => Some(Withheld::Waiting),
                Some(record) if record.kind == Kind::Stored => {
                    self.doubt_about(record, stored, search.as_ref())
                }
                _ => Some(Withheld::Missing),
            }
        });
        for ((same, _), why) in stored.into_iter().zip(why) {
            let record = self.memory.record(same.id);
            if why == Some(Withheld::Returned)
                && record.is_some_and(|it| it.leave != Leave::Returned)
            {
                self.write([Entry::Returned { id: same.id }]);
            }
            match why {
                Some(why) => vouched.withheld.push((same.message, why)),
                None => vouched.recorded.push(Recorded {
                    id: same.id,
                    number: same.message.number,
                    rule: None,
                }),
            }
        }
        Ok(vouched)
    }

    fn count_returned(&self, counts: impl Fn(Id) -> bool, is_due: impl Fn(i64, u8) -> bool) -> u64 {
        if !self.memory.has_returned {
            return 0;
        }
        let records = self.memory.records.iter().zip(0..);
        let returned = records.filter(|(record, id)| {
            let since = self.memory.age_begins(record);
            let is_it = record.present && record.kind == Kind::Stored && record.is_last_copy();
            is_it && counts(*id) && is_due(since, record.futile.times())
        });
        returned.count() as u64
    }

    /// Those of the messages that the session has delivered with which nothing more is to be done.
    pub fn done_with(&self, placed: Vec<Placed>) -> Vec<Recorded> {
        let due = &self.memory.onward.due;
        let is_done = |recorded: &Recorded| {
            let record = self.memory.record(recorded.id);
            // What has come back is looked at by a later run.
            let may_go =
                record.is_some_and(|it| !matches!(it.leave, Leave::Returned | Leave::Copy));
            may_go && !due.contains(&recorded.id)
        };
        let recorded = placed.into_iter().map(|Placed(recorded)| recorded);
        recorded.filter(is_done).collect()
    }

    /// The lines of these messages' files, in their order.
    fn lines_of(&mut self, same: &[Same]) -> Result<Vec<Result<Option<Stored>, Error>>, Error> {
        self.flush()?;
        let file = self.dir.read(&self.files.journal);
        let file = file.map_err(|source| self.io_error(source))?;
        let ended = || Err(self.io_error(io::Error::other("a thread that read it ended early")));
        Ok(at_once(same, ended, |same| {
            let record = self.memory.record(same.id);
            let Some(place) = record.and_then(|record| record.place.value()) else {
                return Ok(None);
            };
            let line = journal::read_at(&file, place);
            let line = line.map_err(|source| self.io_error(source))?;
            Ok(line.and_then(Entry::into_stored))
        }))
    }

    fn doubt_about(
        &self,
        record: &Record,
        stored: &Stored,
        search: Option<&Search>,
    ) -> Option<Withheld> {
        if record.held {
            return Some(Withheld::Doubtful);
        }
        let returned = match record.leave {
            Leave::Returned => Some(Withheld::Returned),
            Leave::Copy => Some(Withheld::Copy),
            Leave::None | Leave::Asked | Leave::Granted => None,
        };
        if record.gone {
            return returned;
        }
        let Some(search) = search else {
            return Some(Withheld::Missing);
        };
        if search.contains(&stored.name) {
            // What cannot be looked at is not as it was.
            let right = search
                .has_size(&stored.name, stored.octets)
                .unwrap_or(false);
            return (!right).then_some(Withheld::Changed);
        }
        let is_hidden = search.may_be_hidden(stored.folder.as_ref());
        match is_hidden || !self.removal_shows(record) {
            true => Some(Withheld::Missing),
            false => returned.or(self
                .is_renamed(record, stored)
                .then_some(Withheld::Returned)),
        }
    }

    /// Whether a message is listed under another name than its file's was made of, and its owner has not said that
    /// it may go for all that. Those of former accounts and versions bear others for another reason.
    fn is_renamed(&self, record: &Record, stored: &Stored) -> bool {
        let is_foreign = self.memory.has_strange_names || !self.memory.former.is_empty();
        let before = stored.name.identity();
        let is_other = before.is_some_and(|name| name != record.identity);
        is_other && !is_foreign && record.leave != Leave::Granted
    }

    /// Whether the Maildir that the message was placed in is seen, so that what is nowhere in it was
    /// removed by its owner.
    pub(super) fn removal_shows(&self, record: &Record) -> bool {
        let homes = &self.memory.homes;
        let (home, run) = (homes.of_run(record.run), homes.run(record.run));
        // A Maildir that is older than the record lacks it for another reason.
        let since = run.map_or(u64::MAX, |run| run.generation);
        home.is_some_and(|home| {
            let is_here = home.id.is_some() && home.id == self.home;
            let mut seen = self.seen.iter();
            let is_seen = seen.any(|(id, at)| home.id == Some(*id) && since <= *at);
            home.vouches && (is_here || is_seen)
        })
    }

    /// Looks for the files of these messages in all Maildirs that are there.
    pub(super) fn search_for(&self, stored: &[&Stored]) -> Result<Option<Search>, Error> {
        let Some(maildir) = self.maildir.as_ref().filter(|_| !stored.is_empty()) else {
            return Ok(None);
        };
        let wanted: HashSet<&str> = stored.iter().map(|stored| stored.name.as_str()).collect();
        let mut search = rebuild::search(&self.memory, &self.account, maildir)?;
        search.look(|name| wanted.contains(name))?;
        Ok(Some(search))
    }
}

#[cfg(test)]
mod tests;

/// What `each` makes of each of many, in their order, by several threads at once: each line and each
/// file is a call of the system.
fn at_once<T: Sync, R: Send>(
    all: &[T],
    ended_early: impl Fn() -> R,
    each: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    /// Fewer are done before a thread has begun.
    const WORTH: usize = 500;
    /// As many as there are processors in most machines. These cannot be counted here: they stand in
    /// files, which this thread may not read.
    const THREADS: usize = 4;
    let part = all.len().div_ceil(THREADS).max(WORTH);
    if all.len() <= part {
        return all.iter().map(each).collect();
    }
    let each = &each;
    thread::scope(|scope| {
        let helpers: Vec<_> = all
            .chunks(part)
            .map(|part| {
                let work = move || part.iter().map(each).collect::<Vec<R>>();
                (part, threads::start(scope, work))
            })
            .collect();
        let mut results = Vec::with_capacity(all.len());
        for (part, helper) in helpers {
            let done = match helper {
                Ok(helper) => helper.join().ok().flatten(),
                // There is no thread to be had.
                Err(work) => work.map(|work| work()),
            };
            results.extend(done.unwrap_or_else(|| part.iter().map(|_| ended_early()).collect()));
        }
        results
    })
}
