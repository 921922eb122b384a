//! What accounts know of what each other have put somewhere: into one mbox file, or into folders of other accounts
//! (`folder`). Each finds there what the others have left.

mod folder;

pub use folder::{AlikePut, Ours, PlaceOf};

use super::files::Files;
use super::memory::Memory;
use super::record::{Entry, HandingEnd, Id, Stored};
use super::remembered::Attempt;
use super::{journal, rebuild};
use crate::durable::{Dir, Disk};
use crate::handover::{Times, Unfinished};
use crate::maildir::Search;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

/// The states of accounts that append to one file, or may append to one folder. Nothing is locked.
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

    /// When messages were fetched that were appended.
    ///
    /// What was handed on counts as appended, whatever it was handed on to, and so does what was about to be before its
    /// owner ended that: in a state that is older than the file it may stand there all the same. What never was, or
    /// stands for another one, does not: there may be one of the very same octets and second, of another account.
    pub fn appended(&self) -> Times {
        let mut all = Vec::new();
        let mut open = Vec::new();
        for account in self.others.iter().chain([&self.account]) {
            let Some(read) = self.journal(account).and_then(appended_by) else {
                continue;
            };
            if *account == self.account {
                let own = read.iter().filter(|appended| !appended.is_noted);
                open.extend(own.map(|appended| (appended.sha256, appended.time)));
            }
            all.extend(read.into_iter().map(|it| (it.sha256, it.time)));
        }
        Times::new(all, open)
    }

    /// What the others were about to append when they were ended, and to a file of which length.
    pub fn unfinished(&self) -> Vec<Unfinished> {
        let others = self.others.iter();
        others.flat_map(|it| self.unfinished_of(it)).collect()
    }

    fn unfinished_of(&self, account: &str) -> Vec<Unfinished> {
        let mut memory = Memory::new(account);
        let loaded = self
            .journal(account)
            .is_some_and(|it| memory.load(it).is_ok());
        let attempts = memory.onward.attempts_at_files().filter(|_| loaded);
        let attempts = attempts.filter_map(|(id, attempt)| {
            let place = memory.record(id)?.place.value()?;
            let line = journal::read_at(&self.journal(account)?, place);
            Some((line.ok()??.into_stored()?, attempt))
        });
        let attempts: Vec<(Stored, Attempt)> = attempts.collect();
        if attempts.is_empty() {
            return Vec::new();
        }
        let mut search = Search::new(rebuild::tags(&memory, account));
        for path in memory.homes.paths() {
            // One that is away holds nothing.
            let _ = search.add(&self.disk, &path);
        }
        let is_one = |name: &str| attempts.iter().any(|(it, _)| it.name.as_str() == name);
        let looked = search.look(is_one).is_ok();
        let unfinished = attempts.iter().filter_map(|(stored, attempt)| {
            Some(Unfinished {
                path: search.path(&stored.name).filter(|_| looked),
                octets: stored.octets,
                time: attempt.fetched,
                at: attempt.length?,
            })
        });
        unfinished.collect()
    }

    fn journal(&self, account: &str) -> Option<std::fs::File> {
        self.open(&Files::of(account).journal).ok()
    }

    fn open(&self, name: &OsStr) -> io::Result<std::fs::File> {
        Dir::open(&self.disk, &self.directory)?.read(name)
    }
}

/// A message that has been appended, or was about to be.
struct Appended {
    sha256: [u8; 32],
    time: i64,
    /// It was noted that it has been.
    is_noted: bool,
}

fn appended_by(journal: std::fs::File) -> Option<Vec<Appended>> {
    let mut fetched: Vec<(Id, [u8; 32], i64)> = Vec::new();
    let mut appended: HashMap<Id, (bool, Option<i64>)> = HashMap::new();
    let read = journal::read(journal, |entry, _| match entry {
        Entry::Intent {
            id, time, stored, ..
        }
        | Entry::Found { id, time, stored } => fetched.push((id, stored.digests.stored, time)),
        // One that is being appended just now counts: it is written down soon.
        Entry::Handing { id, fetched, .. } => {
            appended.insert(id, (false, fetched));
        }
        Entry::Handed { id, end, .. } => match end {
            HandingEnd::Taken(_) | HandingEnd::Untold => {
                appended.entry(id).or_default().0 = true;
            }
            HandingEnd::Before | HandingEnd::Copy | HandingEnd::GivenUp => {
                appended
                    .entry(id)
                    .and_modify(|(is_noted, _)| *is_noted = true);
            }
        },
        Entry::NotTaken { id, .. } | Entry::Again { id } => {
            appended.remove(&id);
        }
        _ => {}
    });
    read.ok()?;
    let appended = fetched.into_iter().filter_map(|(id, sha256, time)| {
        let (is_noted, before) = *appended.get(&id)?;
        Some(Appended {
            sha256,
            time: before.unwrap_or(time),
            is_noted,
        })
    });
    Some(appended.collect())
}
