//! What the accounts know that append to one mbox file: each finds there what the others have left.

use super::files::Files;
use super::memory::Memory;
use super::record::{Entry, Id};
use super::{journal, rebuild};
use crate::durable::{Dir, Disk};
use crate::handover::{Keeping, Letter};
use crate::maildir::Search;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

/// The states of accounts that append to one file. Nothing is locked, and what cannot be read says nothing.
#[derive(Clone)]
pub struct Neighbours {
    disk: Disk,
    directory: PathBuf,
    account: String,
    others: Vec<String>,
}

impl Neighbours {
    /// Those of `account` and of the `others`, in the directory of all states.
    pub fn new(disk: Disk, directory: PathBuf, account: String, others: Vec<String>) -> Self {
        Self {
            disk,
            directory,
            account,
            others,
        }
    }

    /// When messages with these octets were fetched that were appended, in seconds since 1970.
    pub fn appended(&self, sha256: &[u8; 32]) -> Vec<i64> {
        let mut times = Vec::new();
        for account in self.others.iter().chain([&self.account]) {
            let Some(journal) = self.journal(account) else {
                continue;
            };
            let mut alike: HashMap<Id, i64> = HashMap::new();
            let mut appended: HashSet<Id> = HashSet::new();
            let read = journal::read(journal, |entry, _| match entry {
                Entry::Intent {
                    id, time, stored, ..
                }
                | Entry::Found { id, time, stored }
                    if stored.digests.stored == *sha256 =>
                {
                    alike.insert(id, time);
                }
                // One that is being appended just now counts: it is written down soon.
                Entry::Handing { id, .. } | Entry::Handed { id, .. } => {
                    appended.insert(id);
                }
                Entry::NotTaken { id, .. } | Entry::Again { id } => {
                    appended.remove(&id);
                }
                _ => {}
            });
            if read.is_ok() {
                let appended = alike.into_iter().filter(|(id, _)| appended.contains(id));
                times.extend(appended.map(|(_, time)| time));
            }
        }
        times
    }

    /// What the others were about to append when they were ended, and to a file of which length.
    pub fn unfinished(&self) -> Vec<(Letter, u64)> {
        let others = self.others.iter();
        others.filter_map(|it| self.unfinished_of(it)).collect()
    }

    fn unfinished_of(&self, account: &str) -> Option<(Letter, u64)> {
        let mut memory = Memory::new(account);
        memory.load(self.journal(account)?).ok()?;
        let (id, length) = memory.onward.handing?;
        let record = memory.record(id)?;
        let line = journal::read_at(&self.journal(account)?, record.place.value()?);
        let stored = line.ok()??.into_stored()?;
        let mut search = Search::new(rebuild::tags(&memory, account));
        for path in memory.homes.paths() {
            // One that is away holds nothing.
            let _ = search.add(&self.disk, &path);
        }
        search.look(|name| name == stored.name.as_str()).ok()?;
        let letter = Letter {
            path: search.path(&stored.name)?,
            octets: stored.octets,
            sha256: stored.digests.stored,
            unique_id: None,
            time: record.time.seconds(),
            keeping: Keeping::Accepted,
        };
        Some((letter, length?))
    }

    fn journal(&self, account: &str) -> Option<std::fs::File> {
        let dir = Dir::open(&self.disk, &self.directory).ok()?;
        dir.read(&Files::of(account).journal).ok()
    }
}
