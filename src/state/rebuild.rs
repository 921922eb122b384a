//! Making a journal again: from its good lines, and from the names in the Maildir (E6, E11).

use super::journal::{self, Journal};
use super::lock::Mark;
use super::memory::Memory;
use super::record::{Entry, Stored};
use super::{Error, Files, Opened, Store};
use crate::delivery::{self, AccountTag, Location, Maildir, UniqueName};
use crate::durable::Dir;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

/// A journal that is ready to be written to.
pub(super) struct Loaded {
    pub(super) journal: Journal,
    pub(super) memory: Memory,
    pub(super) opened: Opened,
}

/// A journal of which nothing can be trusted, or that is lost: all there is to know is in the
/// Maildir.
pub(super) fn from_maildir(
    dir: &Dir,
    files: &Files,
    account: &str,
    maildir: &Maildir,
    mark: Mark,
) -> Result<Loaded, Error> {
    make(dir, files, account, maildir, mark.generation, false)
}

/// A journal with damaged lines, or whose end is lost: the good lines count.
pub(super) fn from_lines(
    dir: &Dir,
    files: &Files,
    account: &str,
    maildir: &Maildir,
    generation: u64,
) -> Result<Loaded, Error> {
    make(dir, files, account, maildir, generation, true)
}

fn make(
    dir: &Dir,
    files: &Files,
    account: &str,
    maildir: &Maildir,
    generation: u64,
    keep_lines: bool,
) -> Result<Loaded, Error> {
    let path = dir.path().join(&files.journal);
    let io = |source| Error::Io {
        path: path.clone(),
        source,
    };
    let draft = draft_name(files);
    dir.remove(&draft).map_err(io)?;
    let mut journal = Journal::begin(dir.create(&draft).map_err(io)?, account, generation + 1);
    let mut memory = Memory::new(account);
    if keep_lines {
        let old = dir.read(&files.journal).map_err(io)?;
        let copy = |entry: Entry| {
            journal.add(&entry);
            memory.apply(entry);
        };
        journal::read(old, copy).map_err(io)?;
    }
    let found =
        add_missing(&mut journal, &mut memory, account, maildir, dir).map_err(
            |error| match error {
                Error::Delivery(source) => Error::Damaged {
                    path: path.clone(),
                    source,
                },
                other => other,
            },
        )?;
    journal.sync().map_err(io)?;
    let aside = set_aside(dir, &files.journal).map_err(io)?;
    if aside.is_some() {
        // Or a power cut could take the old name without leaving the new one.
        dir.sync().map_err(io)?;
    }
    dir.replace(&draft, &files.journal).map_err(io)?;
    dir.sync().map_err(io)?;
    let opened = Opened {
        rebuilt: Some((aside, found)),
        recovered: 0,
    };
    Ok(Loaded {
        journal,
        memory,
        opened,
    })
}

impl Store {
    /// Takes in what the Maildir holds of the account and no line speaks of, as after the state was
    /// restored from a backup that is older than the mail; durable on return. Gives the number of
    /// messages. Whoever is about to fetch asks this first: names are read, and nothing else.
    pub fn take_in_delivered(&mut self, maildir: &Maildir) -> Result<u64, Error> {
        let Self {
            dir,
            account,
            journal,
            memory,
            ..
        } = self;
        let found = add_missing(journal, memory, account, maildir, dir)?;
        if found > 0 {
            self.begun = true;
            self.sync()?;
        }
        Ok(found)
    }
}

/// Adds a line for every message in the Maildirs that no line speaks of. Gives their number.
pub(super) fn add_missing(
    journal: &mut Journal,
    memory: &mut Memory,
    account: &str,
    maildir: &Maildir,
    dir: &Dir,
) -> Result<u64, Error> {
    let mut found = add_missing_in(journal, memory, account, maildir)?;
    let mut others: Vec<PathBuf> = memory.runs.iter().map(|run| run.maildir.clone()).collect();
    others.sort_unstable();
    others.dedup();
    others.retain(|path| path != maildir.path());
    for path in others {
        // One that was used earlier and is gone has nothing to tell.
        if let Ok(other) = Maildir::open(dir.disk(), &path, false) {
            found += add_missing_in(journal, memory, account, &other)?;
        }
    }
    Ok(found)
}

fn add_missing_in(
    journal: &mut Journal,
    memory: &mut Memory,
    account: &str,
    maildir: &Maildir,
) -> Result<u64, Error> {
    let mut missing: Vec<(UniqueName, Location)> = Vec::new();
    maildir.for_each_delivered(AccountTag::new(account), |name, location| {
        if name
            .identity()
            .is_some_and(|identity| !memory.accounts_for(identity))
        {
            missing.push((name, location));
        }
    })?;
    let mut found = 0;
    for (name, location) in missing {
        let (octets, digests) = match maildir.examine(&name, &location) {
            Ok(examined) => examined,
            // A mail reader moved or removed it just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => {
                let path = maildir.path().join(name.as_os_str());
                return Err(delivery::Error::Unusable { path, source }.into());
            }
        };
        let entry = Entry::Found {
            id: memory.next_id(),
            time: name.seconds(),
            stored: Stored {
                octets,
                digests,
                name,
            },
        };
        journal.add(&entry);
        memory.apply(entry);
        found += 1;
    }
    Ok(found)
}

/// Keeps a damaged journal under another name beside it, as far as there is one.
fn set_aside(dir: &Dir, journal: &OsStr) -> io::Result<Option<PathBuf>> {
    for count in 1.. {
        let mut name = journal.to_owned();
        name.push(format!(".damaged-{count}"));
        match dir.link(journal, &name) {
            Ok(()) => return Ok(Some(dir.path().join(name))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // A file system without links.
            Err(_) => {
                dir.replace(journal, &name)?;
                return Ok(Some(dir.path().join(name)));
            }
        }
    }
    Ok(None)
}

/// Where a new journal is written before it takes its name.
pub(super) fn draft_name(files: &Files) -> OsString {
    let mut name = Path::new(&files.journal).as_os_str().to_owned();
    name.push(".new");
    name
}
