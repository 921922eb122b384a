//! What a person may change about what is remembered: forgetting, accepting, moving.

use super::claim::Claim;
use super::homes::Home;
use super::onward::waits_in;
use super::record::{Entry, Id, Stored, Taken};
use super::remembered::{Kind, Leave};
use super::{Error, MessageId, Store, inspect, journal};
use crate::maildir::{Ground, Maildir, MaildirId, Nonces, Search, Site, UniqueName, random};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// What is to become of messages whose files are missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Missing {
    /// They are fetched again, as far as the server has them.
    FetchAgain,
    /// They were removed on purpose.
    Leave,
}

/// What accepting a Maildir came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Accepted {
    /// Messages that were delivered to it.
    pub stored: u64,
    /// How many of them are missing.
    pub missing: u64,
    /// Others that are in no Maildir, as was accepted of them before.
    pub left_before: u64,
    /// What becomes of those that are missing.
    pub becomes: Option<Missing>,
}

/// What forgetting came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Forgotten {
    /// Messages that are forgotten.
    pub messages: u64,
    /// Those of them that waited to be handed on, and stay in a Maildir of their owner's.
    pub unhanded: u64,
    /// Others that are not forgotten: they wait to be handed on, and are nowhere else here.
    pub waiting: u64,
}

/// Names of files, each as a hash: of a million damaged files few octets each are in memory, and one
/// that is taken for another is held for nothing, which harms nobody.
#[derive(Default)]
pub struct Names {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Names {
    /// Adds one.
    pub fn insert(&mut self, name: &UniqueName) {
        self.hashes.insert(self.hasher.hash_one(name.as_str()));
    }

    /// None was added.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    fn contains(&self, name: &UniqueName) -> bool {
        self.hashes.contains(&self.hasher.hash_one(name.as_str()))
    }
}

impl Store {
    /// Forgets messages, so that they are fetched again if the server still has them: those whose
    /// unique-id `which` holds for. What could not be fetched is as good as new.
    pub fn forget(&mut self, which: impl Fn(&[u8]) -> bool) -> Result<Forgotten, Error> {
        let shown = inspect::read(&self.dir, &self.files, &self.account)?;
        let mut ids = Vec::new();
        for message in shown.messages() {
            let message = message?;
            if message.unique_ids.iter().any(|unique_id| which(unique_id)) {
                ids.push(message.id);
            }
        }
        let failing = shown.failing().iter().filter(|id| which(id));
        self.forget_these(ids, failing.cloned())
    }

    /// Forgets everything, what has no unique-id included.
    pub fn forget_all(&mut self) -> Result<Forgotten, Error> {
        let shown = inspect::read(&self.dir, &self.files, &self.account)?;
        let ids = self.memory.records.iter().zip(0..).map(|(_, id)| id);
        self.forget_these(ids.collect(), shown.failing().iter().cloned())
    }

    fn forget_these(
        &mut self,
        ids: Vec<Id>,
        failing: impl Iterator<Item = Box<[u8]>>,
    ) -> Result<Forgotten, Error> {
        let only_here = self.only_here()?;
        let mut forgotten = Forgotten::default();
        for id in ids {
            let kind = self.memory.record(id).map(|record| record.kind);
            if kind.is_none_or(|kind| matches!(kind, Kind::Dropped | Kind::Forgotten)) {
                continue;
            }
            // The server may have it no more.
            if only_here.contains(&MessageId(id)) {
                forgotten.waiting += 1;
                continue;
            }
            let waits = kind == Some(Kind::Stored) && self.memory.onward.due.contains(&id);
            forgotten.unhanded += u64::from(waits);
            for id in self.gone_with(id)?.into_iter().chain([id]) {
                self.write([Entry::Forgotten { id }]);
            }
            forgotten.messages += 1;
        }
        forgotten.messages += self.forget_failures(failing);
        self.sync()?;
        Ok(forgotten)
    }

    /// The messages that have come back once they had left the server, and are not deleted there for that and
    /// for nothing else: not those that wait to be handed on or are lost, whose end was doubtful, or whose
    /// files are here.
    pub fn returned(&mut self) -> Result<Vec<MessageId>, Error> {
        let due = &self.memory.onward.due;
        let records = self.memory.records.iter().zip(0..);
        let returned = records.filter(|(record, id)| {
            let is_it = record.kind == Kind::Stored && record.leave == Leave::Returned;
            is_it && !record.held && !due.contains(id)
        });
        let returned: Vec<(Id, bool)> = returned.map(|(it, id)| (id, it.gone)).collect();
        let search = self.search_everywhere()?;
        let mut only_there = Vec::with_capacity(returned.len());
        for (id, is_gone) in returned {
            let is_here = !is_gone
                && self
                    .stored(id)?
                    .is_some_and(|stored| search.contains(&stored.name));
            if !is_here {
                only_there.push(MessageId(id));
            }
        }
        Ok(only_there)
    }

    /// Notes that these may be deleted although they have come back, as their owner says; durable on return.
    pub fn let_go(&mut self, messages: impl IntoIterator<Item = MessageId>) -> Result<(), Error> {
        for MessageId(id) in messages {
            self.write([Entry::Granted { id }]);
        }
        self.sync()
    }

    /// All Maildirs that are there, looked through.
    fn search_everywhere(&self) -> Result<Search, Error> {
        let mut search = Search::new(super::rebuild::tags(&self.memory, &self.account));
        for path in self.memory.homes.paths() {
            // One that is away holds nothing.
            let _ = search.add(self.dir.disk(), &path);
        }
        search.look(|_| true)?;
        Ok(search)
    }

    /// Notes that the files of these messages were removed on purpose, or are fine as they are, as
    /// their owner says: `keep` may act on them; durable on return.
    pub fn note_gone(
        &mut self,
        messages: impl IntoIterator<Item = MessageId>,
    ) -> Result<(), Error> {
        let time = self.moment.now;
        let search = self.search_everywhere()?;
        // What is noted below is not read here, so that it need not be written a line at a time.
        self.flush()?;
        let file = self.dir.read(&self.files.journal);
        let file = file.map_err(|source| self.io_error(source))?;
        for MessageId(id) in messages {
            let record = self.memory.record(id);
            let line = match record.and_then(|record| record.place.value()) {
                Some(place) => journal::read_at(&file, place),
                None => Ok(None),
            };
            let line = line.map_err(|source| self.io_error(source))?;
            let stored = line.and_then(Entry::into_stored);
            // One that is there as it was stored is not gone: should its Maildir be restored from
            // a backup without it, it is fetched again.
            let is_there = stored.is_some_and(|it| {
                let examined = search.examine(&it.name);
                examined.is_ok_and(|examined| examined.digests.stored == it.digests.stored)
            });
            self.write([match is_there {
                true => Entry::Back { id },
                false => Entry::Gone { id, time },
            }]);
            let flushed = self.journal.flush_if_large();
            flushed.map_err(|source| self.io_error(source))?;
        }
        self.sync()
    }

    /// The files of these names were read, and are not as they were stored: what they hold is not deleted
    /// from the server before its owner has seen to it. Durable on return. Gives how many there are.
    pub fn hold(&mut self, names: &Names) -> Result<u64, Error> {
        let shown = inspect::read(&self.dir, &self.files, &self.account)?;
        let mut held = 0;
        for message in shown.messages() {
            let message = message?;
            let is_named = |(name, ..): &(UniqueName, u64, [u8; 32])| names.contains(name);
            if message.gone || !message.stored.as_ref().is_some_and(is_named) {
                continue;
            }
            held += 1;
            if !message.held {
                self.write([Entry::Doubtful { id: message.id }]);
            }
        }
        self.sync()?;
        Ok(held)
    }

    fn take_for(&mut self, site: &Site, id: MaildirId, generation: u64, nonces: &Nonces) {
        let home = Entry::Home {
            maildir: site.path().to_owned(),
            maildir_id: id,
            taken: Taken::Accepted,
        };
        let nonces = nonces.clone();
        self.write([home, Entry::Generation { generation, nonces }]);
    }

    /// Which of these stored messages are in none of the Maildirs that are there.
    pub(super) fn missing(&mut self, ids: &[Id], maildir: &Maildir) -> Result<Vec<Id>, Error> {
        let mut stored = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(line) = self.stored(*id)? {
                stored.push((*id, line));
            }
        }
        if stored.is_empty() {
            return Ok(Vec::new());
        }
        let mut search = super::rebuild::search(&self.memory, &self.account, maildir)?;
        // A reader may be moving some just now: what is missing is looked for once more.
        for _ in 0..2 {
            let wanted: HashSet<&str> = stored.iter().map(|(_, it)| it.name.as_str()).collect();
            search.look(|name| wanted.contains(name))?;
            stored.retain(|(_, stored)| !search.contains(&stored.name));
        }
        Ok(stored.into_iter().map(|(id, _)| id).collect())
    }
}

impl Claim {
    /// Takes the Maildir at a path as it is, on its owner's word: from here on it is the one that
    /// messages were delivered to. Durable on return.
    ///
    /// # Errors
    /// Also where messages are missing and `missing` does not say what is to become of them: then
    /// nothing is changed.
    pub fn accept(self, site: &Site, missing: Option<Missing>) -> Result<Accepted, Error> {
        // Nobody removes on purpose what waits to be handed on: it would be nowhere then.
        let missing = match waits_in(&self.dir, site.path()) {
            true => Some(Missing::FetchAgain),
            false => missing,
        };
        let is_it = |home: &Home| {
            home.path == site.path() || (home.id.is_some() && home.id == site.roster.id)
        };
        let disk = self.dir.disk().clone();
        let delivered = |claim: &Self| -> Vec<Id> {
            let records = claim.memory.records.iter().zip(0..);
            let here = records.filter(|(record, _)| {
                let home = claim.memory.homes.of_run(record.run);
                matches!(record.kind, Kind::Stored | Kind::Lost) && home.is_some_and(is_it)
            });
            here.map(|(_, id)| id).collect()
        };
        let ids = delivered(&self);
        let home = self.memory.homes.all.iter().rev().find(|home| is_it(home));
        let home = home.and_then(|home| home.id);
        // Before anything is changed: whether there is something to decide.
        if missing.is_none() {
            let absent = self.count_missing(site, &ids)?;
            if absent > 0 {
                return Err(Error::Undecided {
                    missing: absent,
                    stored: ids.len() as u64,
                    name: self.name,
                });
            }
        }
        let mut store = self.without_maildir()?;
        // Its owner wants it here, whatever else is in it.
        let maildir = Arc::new(match site.ground() {
            Ground::Whole => site.open(&disk)?,
            _ => site.make(&disk)?,
        });
        store.maildir = Some(Arc::clone(&maildir));
        store.path_of_maildir = site.path().to_owned();
        let id = match site.roster.id.or(home) {
            Some(id) => id,
            None => MaildirId(random().map_err(|source| store.io_error(source))?),
        };
        store.home = Some(id);
        // What the state does not know, being older perhaps, is known from here on.
        store.take_in_delivered(&maildir)?;
        let is_gone = |id: &Id| store.memory.record(*id).is_some_and(|record| record.gone);
        let (gone, ids): (Vec<Id>, Vec<Id>) = ids.into_iter().partition(is_gone);
        let left_before = store.missing(&gone, &maildir)?.len() as u64;
        let absent = store.missing(&ids, &maildir)?;
        let time = store.moment.now;
        for id in &absent {
            store.write([match missing {
                Some(Missing::FetchAgain) => Entry::Again { id: *id },
                Some(Missing::Leave) | None => Entry::Gone { id: *id, time },
            }]);
        }
        let line = site.roster.of(&store.memory.account, &store.memory.former);
        let generation = store.memory.homes.generation;
        let generation = line.map_or(generation, |line| line.generation.max(generation));
        // What is behind either is behind both from here on.
        let theirs = line.map_or_else(Nonces::default, |line| line.nonces.clone());
        store.take_for(site, id, generation, &theirs);
        // What is to become of the missing is durable before the Maildir is seen with its line: what
        // is missing then was removed by its owner, and may be deleted.
        store.sync()?;
        let nonces = store.memory.homes.nonces.clone();
        let given = store.enrol(&maildir, generation, &nonces)?;
        if given != id {
            store.take_for(site, given, generation, &theirs);
        }
        let accepted = Accepted {
            stored: ids.len() as u64,
            missing: absent.len() as u64,
            left_before,
            becomes: missing,
        };
        store.close()?;
        Ok(accepted)
    }

    fn count_missing(&self, site: &Site, ids: &[Id]) -> Result<u64, Error> {
        let mut wanted: Vec<Stored> = Vec::new();
        for id in ids {
            let record = self.memory.record(*id).filter(|record| !record.gone);
            let place = record.and_then(|record| record.place.value());
            if let Some(place) = place {
                wanted.extend(self.stored_at(place)?);
            }
        }
        let mut search = Search::new(super::rebuild::tags(&self.memory, &self.account));
        if site.ground() == Ground::Whole {
            search.add(self.dir.disk(), site.path())?;
        }
        let names: HashSet<&str> = wanted.iter().map(|stored| stored.name.as_str()).collect();
        search.look(|name| names.contains(name))?;
        let missing = wanted
            .iter()
            .filter(|stored| !search.contains(&stored.name));
        Ok(missing.count() as u64)
    }
}
