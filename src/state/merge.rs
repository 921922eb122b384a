//! An account's maildrop is known by another name from now on: what was remembered under the old one
//! moves to the new one.

use super::claim::Claim;
use super::journal::{self, Journal};
use super::memory::Memory;
use super::record::{Entry, Id};
use super::{Error, Store, order, rebuild};
use crate::maildir::{JournalId, Maildir, Site, random};

impl Claim {
    /// Moves all that `old` remembers to this account, whose own memory stays. Both journals can be
    /// read until all is done; one that was moved in part is moved again. Gives the number of
    /// messages.
    ///
    /// # Errors
    /// Where one of the journals is damaged, or there is nothing to move.
    pub fn absorb(self, old: Self) -> Result<u64, Error> {
        let Some(old_id) = old.sound_id() else {
            return Err(Error::NothingToMove { path: old.path() });
        };
        if self.has_lines() && self.sound_id().is_none() {
            return Err(Error::Unmovable { path: self.path() });
        }
        let old_id = old_id.unwrap_or_default();
        let moved = old.memory.living().count() as u64;
        let already = |(account, journal): &(String, JournalId)| {
            *account == old.account && *journal == old_id
        };
        let mut store = match self.memory.former.iter().any(already) {
            true => self.without_maildir()?,
            false => self.merge(&old, old_id)?,
        };
        store.take_over_maildirs()?;
        store.close()?;
        old.retire()?;
        Ok(moved)
    }

    /// Writes both journals into one, which takes this one's place.
    fn merge(self, old: &Self, old_id: JournalId) -> Result<Store, Error> {
        let io = |source| self.io_error(source);
        let id = match self.sound_id() {
            Some(Some(id)) => id,
            _ => JournalId(random().map_err(io)?),
        };
        let draft = rebuild::draft_name(&self.files);
        self.dir.remove(&draft).map_err(io)?;
        let file = self.dir.create(&draft).map_err(io)?;
        let mut journal = Journal::begin(file, &self.account, self.generation() + 1, id);
        let mut memory = Memory::new(&self.account);
        let mut add = |entry: Entry| {
            let place = journal.add(&entry);
            memory.apply(entry, place);
        };
        // They come first: what follows bears their names.
        for (account, journal) in old.memory.former.iter().chain(&self.memory.former) {
            add(Entry::Former {
                account: account.clone(),
                journal: *journal,
            });
        }
        add(Entry::Former {
            account: old.account.clone(),
            journal: old_id,
        });
        let is_former = |entry: &Entry| matches!(entry, Entry::Former { .. });
        if self.has_lines() {
            let read = order::read(&self.dir, &self.files.journal, |entry, _| {
                if !is_former(&entry) {
                    add(entry);
                }
            });
            read.map_err(io)?;
        }
        let offset = self.memory.next_id();
        let theirs = old.dir.read(&old.files.journal).map_err(io)?;
        let read = journal::read(theirs, |entry, _| {
            if !is_former(&entry)
                && let Some(entry) = shifted(entry, offset)
            {
                add(entry);
            }
        });
        read.map_err(io)?;
        // What one of the two had not reported is history now.
        let before = offset.saturating_add(old.memory.next_id());
        add(Entry::Reported { before });
        let generation = self
            .memory
            .homes
            .generation
            .max(old.memory.homes.generation);
        // A run of its own, so that the count is nobody else's.
        let homes = [&self.memory.homes, &old.memory.homes];
        if let Some(home) = homes
            .iter()
            .find_map(|homes| homes.of_run(homes.last_run()))
        {
            add(Entry::Began {
                time: self.now(),
                boot: String::new(),
                maildir: home.path.clone(),
                maildir_id: home.id.filter(|_| home.vouches),
                generation,
                nonce: None,
            });
        }
        journal.sync().map_err(io)?;
        rebuild::put_in_place(&self)?;
        Ok(self.into_store(None, journal, memory))
    }

    /// The journal was moved: it keeps its lines under another name, and is no journal any more.
    fn retire(self) -> Result<(), Error> {
        let mut name = self.files.journal.clone();
        name.push(".moved");
        let replaced = self.dir.replace(&self.files.journal, &name);
        let replaced = replaced.and_then(|()| self.dir.sync());
        replaced.map_err(|source| self.io_error(source))?;
        self.note_nothing()
    }
}

impl Store {
    /// Puts this account's line in the place of the old one's, in all Maildirs that are there. One
    /// that is not is told when it is seen.
    fn take_over_maildirs(&mut self) -> Result<(), Error> {
        let disk = self.dir.disk().clone();
        let homes: Vec<_> = self.memory.homes.all.clone();
        for home in homes {
            let Ok(site) = Site::look(&disk, &home.path) else {
                continue;
            };
            let Some(line) = site.roster.of("", &self.memory.former) else {
                continue;
            };
            // Their own count: whether it is older than the journal is for the next run to see.
            let (mut generation, mut nonces) = (line.generation, line.nonces.clone());
            if let Some(own) = site.roster.of(&self.account, &[]) {
                generation = generation.max(own.generation);
                nonces.take_in(&own.nonces);
            }
            if let Ok(maildir) = Maildir::open(&disk, &home.path) {
                self.home = site.roster.id;
                self.enrol(&maildir, generation, &nonces)?;
            }
        }
        Ok(())
    }
}

/// The line as it stands behind `offset` messages; none of what is true of the other journal alone.
fn shifted(entry: Entry, offset: Id) -> Option<Entry> {
    match entry {
        Entry::Former { .. }
        | Entry::Reported { .. }
        | Entry::Sizes(_)
        | Entry::Told { .. }
        | Entry::Unpipelined { .. } => None,
        entry => entry.renumbered(|id| id.checked_add(offset)),
    }
}
