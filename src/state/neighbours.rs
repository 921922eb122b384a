//! What accounts know of what each other have put somewhere: into one mbox file, or into folders of other accounts.
//! Each finds there what the others have left.

use super::files::Files;
use super::memory::Memory;
use super::record::{Entry, Id, NotTaken, Stored};
use super::remembered::Attempt;
use super::{journal, rebuild};
use crate::durable::{Dir, Disk};
use crate::handover::{Located, Others, Times, Unfinished};
use crate::maildir::Search;
use crate::message::Examined;
use std::collections::{BTreeMap, HashMap, HashSet};
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
    /// What was handed on counts as appended, whatever it was handed on to, or ended by its owner's word: in a
    /// state that is older than the file it may stand there all the same. It does no harm where it does not,
    /// as a time counts only for a message of the file with these octets, and this second before it.
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

    /// What has been put into folders of other accounts, by any account that has a state here, whatever the config
    /// file says of it today: a folder may be reached by several names. Of a message like the one that is looked for
    /// nobody may have noted where it was put, or know whether it was taken: it may be anywhere. What this account
    /// does not know of its own is looked for one after the other, and noted.
    pub fn put(&self, ours: &Ours) -> Others {
        let mut all = Others::default();
        let names = Dir::open(&self.disk, &self.directory).and_then(|dir| {
            let mut names = Vec::new();
            dir.for_each_name(|name| {
                if name.as_encoded_bytes().ends_with(b".journal") {
                    names.push(name.to_owned());
                }
            })?;
            Ok(names)
        });
        match names {
            Ok(names) => names
                .iter()
                .for_each(|name| self.take_in(name, ours, &mut all)),
            Err(_) => all.unknown += 1,
        }
        all
    }

    /// The same by the account at hand alone.
    pub fn put_from_here(&self, ours: &Ours) -> Others {
        let mut all = Others::default();
        self.take_in(&Files::of(&self.account).journal, ours, &mut all);
        all
    }

    fn take_in(&self, name: &OsStr, ours: &Ours, all: &mut Others) {
        let is_own = name == Files::of(&self.account).journal;
        let read = match self.open(name) {
            Ok(journal) => put_by(journal, ours),
            // It has handed on nothing that is known.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => Err(error),
        };
        // What cannot be read may say anything.
        let Ok(put) = read else {
            all.unknown += 1;
            return;
        };
        all.known.extend(put.known);
        all.unknown += put.unknown + if is_own { 0 } else { put.open };
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
        Entry::Handed { id, .. } => {
            appended.entry(id).or_default().0 = true;
        }
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

/// A message that is looked for where others have put theirs.
#[derive(Clone, Debug)]
pub struct Ours {
    /// The SHA-256 of what was fetched.
    pub sha256: [u8; 32],
    /// What its file is by now.
    pub file: Examined,
}

impl Ours {
    /// Whether another one may look the same on a server: servers add ends of lines at the end, and take them away.
    fn is_like(&self, stored: &Stored) -> bool {
        let has_same_text = stored.evidence.is_some_and(|it| {
            it.body == self.file.evidence.body && it.fields == self.file.evidence.fields
        });
        stored.digests.stored == self.sha256 || has_same_text
    }
}

/// What a journal says of what was put into folders.
#[derive(Debug, Default)]
struct PutBy {
    /// Where messages are, whatever they are.
    known: Vec<Located>,
    /// Messages like the one that is looked for that are somewhere.
    unknown: usize,
    /// Likewise, that may be.
    open: usize,
}

/// What is known of a message like the one that is looked for.
#[derive(Clone, Copy, Debug, Default)]
struct Alike {
    /// It was tried, and nobody has noted what came of that.
    is_open: bool,
    /// It was appended to a file, which is no folder.
    is_in_file: bool,
}

fn put_by(journal: std::fs::File, ours: &Ours) -> io::Result<PutBy> {
    let mut alike: BTreeMap<Id, Alike> = BTreeMap::new();
    let mut put = PutBy::default();
    let mut withheld = HashSet::new();
    let read = journal::read(journal, |entry, _| match entry {
        Entry::Intent { id, stored, .. }
        | Entry::Found { id, stored, .. }
        | Entry::Evidence { id, stored }
            if ours.is_like(&stored) =>
        {
            alike.entry(id).or_default();
        }
        Entry::Returned { id } => {
            withheld.insert(id);
        }
        Entry::Handing { id, length, .. } => {
            alike.entry(id).and_modify(|it| {
                it.is_open = length.is_none();
                it.is_in_file = length.is_some();
            });
        }
        // What it was handed on to before may be what it is handed on to now.
        Entry::Handed {
            located: Some(located),
            id,
            ..
        } => {
            put.known.push(located);
            alike.entry(id).and_modify(|it| it.is_open = false);
        }
        Entry::Handed { id, .. } => {
            if let Some(it) = alike.get_mut(&id) {
                it.is_open = false;
                put.unknown += usize::from(!it.is_in_file && !withheld.contains(&id));
            }
        }
        Entry::NotTaken { id, how, .. } if how != NotTaken::Unclear => {
            alike.entry(id).and_modify(|it| it.is_open = false);
        }
        _ => {}
    });
    read?;
    put.open = alike.values().filter(|it| it.is_open).count();
    Ok(put)
}
