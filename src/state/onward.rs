//! What is handed on once it is stored: which messages wait for that, and what came of it.
//!
//! ```text
//! Store::begin_handing ──> (a program reads it) ──> Store::handed, or Store::not_taken
//!    "g", synced                                       "d" or "k", synced with the next "g"
//! ```
//! A message that a crash found between the two may have been taken. It is handed on once more, and
//! that is told; there is never more than one.

use super::memory::Memory;
use super::record::{Entry, Id, NotTaken, Stored};
use super::remembered::{Delay, Kind, Record};
use super::{Error, MessageId, Store};
use crate::handover::{Archive, Extent, Letter};
use crate::maildir::{Maildir, Search, UniqueName};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

/// A message that waits to be handed on.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DueId(Id);

/// How one waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Which one.
    pub id: DueId,
    /// How often it was not taken.
    pub delay: Option<Delay>,
    /// Where its file is.
    pub file: Whereabouts,
}

/// Where the file of a message is that waits.
#[derive(Clone, Debug)]
pub enum Whereabouts {
    /// Here: what takes it gets this.
    There(Letter),
    /// Its owner has removed it from a Maildir that is theirs.
    Removed,
    /// It may be in a folder that cannot be read.
    Unseen(Letter),
    /// It is nowhere, and nobody has removed it on purpose: nobody but popfetch has any business where
    /// messages wait without a Maildir. To be fetched again.
    Lost(Letter),
}

impl Memory {
    /// Takes in a line about what is handed on.
    pub(super) fn take_in_handing(&mut self, entry: &Entry) {
        match *entry {
            Entry::Due { first, last } => {
                let next = self.next_id();
                self.is_disordered |= last >= next;
                let ids = (first..=last).take_while(|id| *id < next);
                self.onward.due.extend(ids);
            }
            Entry::Handed { id, removed, .. } => {
                self.end_handing(id);
                self.onward.delays.remove(&id);
                self.onward.due.remove(&id);
                self.change(id, |record| record.gone |= removed);
            }
            Entry::Extent(extent) => {
                self.superseded += u64::from(self.onward.extent.is_some());
                self.onward.extent = Some(extent);
            }
            Entry::Handing { id, length, .. } => self.onward.handing = Some((id, length)),
            Entry::NotTaken {
                id,
                time,
                how,
                count,
            } => {
                self.end_handing(id);
                let last = time;
                self.onward.delays.insert(id, Delay { how, count, last });
            }
            _ => {}
        }
    }

    fn end_handing(&mut self, id: Id) {
        // Its beginning says nothing any more, nor does what came of an earlier try.
        self.superseded += 2;
        self.onward.handing = self.onward.handing.filter(|(other, _)| *other != id);
    }
}

impl Store {
    /// From here on what is stored is handed on. What is in a place that each message leaves is on its
    /// way, however it came there; what has left and is still there, as a crash was in between, goes.
    pub fn hands_on(&mut self, archive: Archive) -> Result<(), Error> {
        self.onward = Some(archive);
        if archive == Archive::Kept {
            return Ok(());
        }
        let here = &self.path_of_maildir;
        let homes = &self.memory.homes;
        let due = &self.memory.onward.due;
        let on_its_way = self.memory.records.iter().zip(0..).filter(|(record, id)| {
            let home = homes.of_run(record.run);
            let is_here = home.is_some_and(|home| home.path == *here);
            record.kind == Kind::Stored && !due.contains(id) && !record.gone && is_here
        });
        let on_its_way: Vec<Id> = on_its_way.map(|(_, id)| id).collect();
        for id in on_its_way {
            self.write([Entry::Due {
                first: id,
                last: id,
            }]);
        }
        self.sweep_passed()
    }

    /// Messages that wait to be handed on, those first that were never tried, but for one that was being
    /// handed on when a run ended; and of one whether it was
    /// being handed on when a run ended, so that nobody knows what came of it.
    pub fn waiting(&mut self) -> Result<Vec<Waiting>, Error> {
        let mut ids: Vec<Id> = self.waiting_ids().collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // What a crash has left of one must be cut off before another is appended behind it.
        let handing = self.memory.onward.handing.map(|(id, _)| id);
        ids.sort_by_key(|id| {
            let was_tried = self.memory.onward.delays.contains_key(id);
            (handing != Some(*id), was_tried)
        });
        let mut waiting = Vec::with_capacity(ids.len());
        let mut files = Vec::with_capacity(ids.len());
        for id in ids {
            let line = self.line(id)?;
            let unique_id = match &line {
                Some(Entry::Intent { listing, .. }) => listing.unique_id.clone(),
                _ => None,
            };
            let record = self.memory.record(id);
            let stored = line.and_then(Entry::into_stored);
            // Until it is found, its name is all that is known of where it is.
            let name = stored.as_ref().map_or("", |stored| stored.name.as_str());
            let letter = Letter {
                path: PathBuf::from(name),
                octets: stored.as_ref().map_or(0, |stored| stored.octets),
                sha256: stored.as_ref().map_or([0; 32], |it| it.digests.stored),
                unique_id,
                time: record.map_or(0, |record| record.time.seconds()),
            };
            waiting.push(Waiting {
                id: DueId(id),
                delay: self.memory.onward.delays.get(&id).copied(),
                file: Whereabouts::Lost(letter),
            });
            files.push(stored);
        }
        let stored: Vec<&Stored> = files.iter().flatten().collect();
        let mut searches: Vec<Search> = self.search_for(&stored)?.into_iter().collect();
        let is_found = |stored: &&Stored| searches.iter().any(|it| it.contains(&stored.name));
        if !stored.iter().all(is_found) {
            // A reader may be moving some just now: what is missing is looked for once more.
            searches.extend(self.search_for(&stored)?);
        }
        for (waiting, stored) in waiting.iter_mut().zip(files) {
            let Some(stored) = stored else {
                continue;
            };
            let Whereabouts::Lost(letter) = &waiting.file else {
                continue;
            };
            waiting.file = self.whereabouts(waiting.id, letter.clone(), &stored, &searches);
        }
        Ok(waiting)
    }

    fn whereabouts(
        &self,
        DueId(id): DueId,
        letter: Letter,
        stored: &Stored,
        searches: &[Search],
    ) -> Whereabouts {
        let path = searches.iter().find_map(|it| it.path(&stored.name));
        if let Some(path) = path {
            return Whereabouts::There(Letter { path, ..letter });
        }
        let hides = |search: &Search| search.may_be_hidden(stored.folder.as_ref());
        if searches.iter().any(hides) {
            return Whereabouts::Unseen(letter);
        }
        // Its owner has said so, or the Maildir shows it.
        let shows =
            |record: &Record| record.gone || self.is_archived(id) && self.removal_shows(record);
        match self.memory.record(id).is_some_and(shows) {
            true => Whereabouts::Removed,
            false => Whereabouts::Lost(letter),
        }
    }

    /// Whether it was placed in the Maildir at hand, and that is its owner's.
    fn is_archived(&self, id: Id) -> bool {
        self.onward == Some(Archive::Kept) && self.is_here(id)
    }

    /// Whether it was placed in the Maildir at hand.
    fn is_here(&self, id: Id) -> bool {
        let record = self.memory.record(id);
        let home = record.and_then(|record| self.memory.homes.of_run(record.run));
        home.is_some_and(|home| home.path == self.path_of_maildir)
    }

    /// Its file is not there, or not what was fetched: it waits no more, and is fetched again where the
    /// server still lists it. Durable with the next one, or with [`Store::settle_handing`].
    pub fn lost(&mut self, DueId(id): DueId) -> Result<(), Error> {
        self.write([Entry::Again { id }]);
        self.flush()
    }

    /// How many wait to be handed on.
    pub fn count_waiting(&self) -> usize {
        self.waiting_ids().count()
    }

    fn waiting_ids(&self) -> impl Iterator<Item = Id> + '_ {
        let due = self.memory.onward.due.iter().copied();
        due.filter(|id| {
            let record = self.memory.record(*id);
            record.is_some_and(|record| record.kind == Kind::Stored)
        })
    }

    /// What was being handed on when an earlier run was ended, and the length of the file that it was
    /// being appended to.
    pub fn was_being_handed(&self) -> Option<(DueId, Option<u64>)> {
        let (id, length) = self.memory.onward.handing?;
        let is_due = self.memory.onward.due.contains(&id);
        is_due.then_some((DueId(id), length))
    }

    /// A message is about to be handed on, to a file of this length where it is appended to one. Durable
    /// on return, with what came of the one before.
    pub fn begin_handing(&mut self, DueId(id): DueId, length: Option<u64>) -> Result<(), Error> {
        let time = self.moment.now;
        self.write([Entry::Handing { id, time, length }]);
        self.settle_handing()
    }

    /// It has been taken. Durable with the next one, or with [`Store::settle_handing`].
    pub fn handed(&mut self, DueId(id): DueId) -> Result<(), Error> {
        // What waits in an earlier Maildir stays there.
        let removed = self.onward == Some(Archive::Passed) && self.is_here(id);
        if removed && let Some(stored) = self.stored(id)? {
            self.passed.push(stored.name);
        }
        let time = self.moment.now;
        self.write([Entry::Handed { id, time, removed }]);
        self.flush()
    }

    /// Up to where the file is accounted for that messages are appended to.
    pub fn extent(&self) -> Option<Extent> {
        self.memory.onward.extent
    }

    /// It is so up to there. Durable as what [`Store::handed`] notes.
    pub fn account_for(&mut self, extent: Extent) -> Result<(), Error> {
        self.write([Entry::Extent(extent)]);
        self.flush()
    }

    /// It has not been taken; how often that was so, in the same way and in a row.
    pub fn not_taken(&mut self, DueId(id): DueId, how: NotTaken) -> Result<u32, Error> {
        let before = self
            .memory
            .onward
            .delays
            .get(&id)
            .filter(|delay| delay.how == how);
        let count = before.map_or(0, |delay| delay.count).saturating_add(1);
        let time = self.moment.now;
        self.write([Entry::NotTaken {
            id,
            time,
            how,
            count,
        }]);
        self.flush()?;
        Ok(count)
    }

    /// These are not handed on any more, as nothing takes them and their owner has said that they are fine
    /// where they are. Durable with [`Store::note_gone`].
    pub fn end_waiting(&mut self, messages: impl IntoIterator<Item = MessageId>) {
        let time = self.moment.now;
        for MessageId(id) in messages {
            if self.memory.onward.due.contains(&id) {
                let removed = false;
                self.write([Entry::Handed { id, time, removed }]);
            }
        }
    }

    /// Makes durable what came of handing on; then the files go that nobody needs any more.
    pub fn settle_handing(&mut self) -> Result<(), Error> {
        self.sync()?;
        let passed = std::mem::take(&mut self.passed);
        let maildir = self.maildir.clone();
        remove(maildir.as_ref(), &passed);
        Ok(())
    }

    /// Removes files whose messages have been handed on.
    fn sweep_passed(&mut self) -> Result<(), Error> {
        let Some(maildir) = self.maildir.clone() else {
            return Ok(());
        };
        let mut there = HashSet::new();
        let read = maildir.new_dir().for_each_name(|name| {
            there.extend(UniqueName::parse(name).map(|name| name.as_str().to_owned()));
        });
        read.map_err(|source| self.io_error(source))?;
        let gone = self.memory.records.iter().zip(0..);
        let due = &self.memory.onward.due;
        let gone = gone.filter(|(record, id)| record.gone && !due.contains(id));
        let gone: Vec<Id> = gone.map(|(_, id)| id).collect();
        let waiting = self.count_waiting();
        // As a rule all that are there wait.
        if there.len() <= waiting {
            return Ok(());
        }
        let mut passed = Vec::new();
        for id in gone {
            let stored = self.stored(id)?;
            let name = stored.map(|stored| stored.name);
            passed.extend(name.filter(|name| there.contains(name.as_str())));
        }
        remove(Some(&maildir), &passed);
        Ok(())
    }
}

/// What cannot be removed now is removed by a later run.
fn remove(maildir: Option<&Arc<Maildir>>, names: &[UniqueName]) {
    for name in names {
        let _ = maildir.map(|maildir| maildir.new_dir().remove(name.as_os_str()));
    }
}
