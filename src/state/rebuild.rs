//! Making a journal again: from its good lines, and from the names in the Maildirs (E6, E11).

use super::claim::Claim;
use super::journal::{self, Journal};
use super::memory::Memory;
use super::record::{Entry, HandingEnd, Id, Stored};
use super::remembered::Kind;
use super::{Error, Files, Opened, Store, order};
use crate::delivery::{self, Surveyed};
use crate::durable::{Dir, Disk};
use crate::maildir::{AccountTag, JournalId, Maildir, MaildirId, Search};
use crate::message::Flags;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Makes a journal that is lost or damaged again, from what good lines there are and from what the
/// Maildirs hold, and keeps the damaged one under another name.
pub(super) fn make(
    claim: &Claim,
    id: JournalId,
    maildir: Option<&Arc<Maildir>>,
    opened: &mut Opened,
) -> Result<(Journal, Memory, bool), Error> {
    // Of what stands in a file that messages were appended to, any may be in a line that is missing: the file
    // is looked through from its beginning.
    let (mut journal, mut memory) = copy(claim, id, |it| !matches!(it, Entry::Extent(_)))?;
    // What came of one that waits by what is left may be in a line that is missing, too.
    let due = memory.onward.due.iter().copied();
    let untried: Vec<Id> = due.filter(|id| !memory.onward.was_tried(*id)).collect();
    for entry in untried.into_iter().map(Entry::perhaps_handed) {
        let place = journal.add(&entry);
        memory.apply(entry, place);
    }
    if let Some(maildir) = maildir {
        let found = search(&memory, &claim.account, maildir)
            .map_err(Error::from)
            .and_then(|search| {
                journal.flush().map_err(|source| claim.io_error(source))?;
                let draft = draft_name(&claim.files);
                let known = known_names(&claim.dir, &draft, &memory);
                let known = known.map_err(|source| claim.io_error(source))?;
                let now = claim.now();
                // What lies there has been delivered by now: a Maildir that is restored from before will
                // lack it, and must not count as one from which its owner has removed it (E13).
                let roster = maildir.roster()?;
                let line = roster.of(&claim.account, &memory.former);
                let (id, generation) = line.map_or((None, 0), |line| (roster.id, line.generation));
                let here = began(now, maildir.path().to_owned(), id, generation);
                add_missing(&mut journal, &mut memory, search, &known, here)
            });
        opened.found += found.map_err(|error| match error {
            Error::Delivery(source) => Error::Damaged {
                path: claim.path(),
                source,
            },
            other => other,
        })?;
    }
    let io = |source| claim.io_error(source);
    journal.sync().map_err(io)?;
    opened.damaged = set_aside(&claim.dir, &claim.files.journal).map_err(io)?;
    opened.is_rebuilt = true;
    if opened.damaged.is_some() {
        // Or a power cut could take the old name without leaving the new one.
        claim.dir.sync().map_err(io)?;
    }
    put_in_place(claim)?;
    Ok((journal, memory, false))
}

/// Writes a journal of an older version as one of today's, line by line.
pub(super) fn renew(claim: &Claim, id: JournalId) -> Result<(Journal, Memory), Error> {
    let (mut journal, memory) = copy(claim, id, |_| true)?;
    journal.sync().map_err(|source| claim.io_error(source))?;
    put_in_place(claim)?;
    Ok((journal, memory))
}

/// A draft with all good lines of the journal that are wanted.
fn copy(
    claim: &Claim,
    id: JournalId,
    is_wanted: fn(&Entry) -> bool,
) -> Result<(Journal, Memory), Error> {
    let io = |source| claim.io_error(source);
    let draft = draft_name(&claim.files);
    claim.dir.remove(&draft).map_err(io)?;
    let file = claim.dir.create(&draft).map_err(io)?;
    let mut journal = Journal::begin(file, &claim.account, claim.generation() + 1, id);
    let mut memory = Memory::new(&claim.account);
    if claim.has_lines() {
        let mut failed = Ok(());
        let read = order::read(&claim.dir, &claim.files.journal, |entry, _| {
            // What is about one whose own line is missing would be about the next one that gets its number.
            let is_lost = |id: Id| id >= memory.next_id();
            if !is_wanted(&entry) || is_about(&entry).is_some_and(is_lost) {
                return;
            }
            let is_open = |id: &Id| {
                let record = memory.record(*id);
                record.is_some_and(|record| record.kind == Kind::Intended)
            };
            // The line that says so is missing, and its file may be where nobody looks for it by now.
            if let Some(id) = is_about_stored(&entry).filter(is_open) {
                let seen = Entry::Seen {
                    first: id,
                    last: id,
                };
                let place = journal.add(&seen);
                memory.apply(seen, place);
            }
            let place = journal.add(&entry);
            memory.apply(entry, place);
            if failed.is_ok() {
                failed = journal.flush_if_large();
            }
        });
        read.and(failed).map_err(io)?;
    }
    Ok((journal, memory))
}

/// The message that a line says something of, or the first of several.
fn is_about(entry: &Entry) -> Option<Id> {
    match entry {
        Entry::Again { id }
        | Entry::Back { id }
        | Entry::Doubtful { id }
        | Entry::Dropped { id }
        | Entry::Evidence { id, .. }
        | Entry::Forgotten { id }
        | Entry::Gone { id, .. }
        | Entry::Granted { id }
        | Entry::Handed { id, .. }
        | Entry::NotTaken { id, .. }
        | Entry::Returned { id } => Some(*id),
        Entry::Seen { first, .. } | Entry::Due { first, .. } | Entry::Disorder { first, .. } => {
            Some(*first)
        }
        _ => is_about_stored(entry),
    }
}

/// The message of a line that is written only about what is stored. That it stands for one that was handed on, or may
/// have been, which is told as of no time, is written with its intent.
fn is_about_stored(entry: &Entry) -> Option<Id> {
    match entry {
        Entry::Absent { id, .. }
        | Entry::Alias { id, .. }
        | Entry::Asked { id, .. }
        | Entry::Deleted { id, .. }
        | Entry::Handing { id, .. }
        | Entry::NotTaken { id, time: 1.., .. }
        | Entry::Undeletable { id, .. }
        | Entry::Unlisted { id, .. } => Some(*id),
        Entry::Handed { id, end, .. } => (*end != HandingEnd::Before).then_some(*id),
        _ => None,
    }
}

/// The draft takes the journal's name.
pub(super) fn put_in_place(claim: &Claim) -> Result<(), Error> {
    let draft = draft_name(&claim.files);
    let replaced = claim.dir.replace(&draft, &claim.files.journal);
    let replaced = replaced.and_then(|()| claim.dir.sync());
    replaced.map_err(|source| claim.io_error(source))
}

impl Store {
    /// Takes in what the Maildirs hold of the account and no line speaks of, as after the state was
    /// restored from a backup that is older than the mail; durable on return. Gives the number of
    /// messages.
    pub(super) fn take_in_delivered(&mut self, maildir: &Maildir) -> Result<u64, Error> {
        let search = search(&self.memory, &self.account, maildir)?;
        self.flush()?;
        let known = known_names(&self.dir, &self.files.journal, &self.memory);
        let known = known.map_err(|source| self.io_error(source))?;
        let now = self.moment.now;
        self.begin_run();
        let generation = self.memory.homes.generation;
        let here = began(now, maildir.path().to_owned(), self.home, generation);
        let found = add_missing(&mut self.journal, &mut self.memory, search, &known, here)?;
        self.sync()?;
        Ok(found)
    }
}

/// All Maildirs that messages of the account were delivered to, as far as they are there.
pub(super) fn search(
    memory: &Memory,
    account: &str,
    maildir: &Maildir,
) -> Result<Search, delivery::Error> {
    let mut search = Search::new(tags(memory, account));
    search.add(maildir.disk(), maildir.path())?;
    for path in memory.homes.paths() {
        add_other(&mut search, maildir.disk(), maildir.path(), &path)?;
    }
    Ok(search)
}

/// One that was used earlier and is gone has nothing to tell; one that cannot be read may have.
fn add_other(
    search: &mut Search,
    disk: &Disk,
    maildir: &Path,
    other: &Path,
) -> Result<(), delivery::Error> {
    if other == maildir {
        return Ok(());
    }
    match search.add(disk, other) {
        Err(delivery::Error::Gone { .. }) => Ok(()),
        // A file has taken its place.
        Err(delivery::Error::Unusable { source, .. })
            if source.kind() == io::ErrorKind::NotADirectory =>
        {
            Ok(())
        }
        added => added,
    }
}

/// What the account's files bear in their names: today's id, and those that it had earlier.
pub(super) fn tags(memory: &Memory, account: &str) -> Vec<AccountTag> {
    let former = memory.former.iter().map(|(id, _)| id.as_str());
    former.chain([account]).map(AccountTag::new).collect()
}

/// Hashes of names: a million of them take no more memory than they must.
pub(super) struct Names {
    hashes: HashSet<u64>,
    hasher: RandomState,
}

impl Names {
    pub(super) fn contains(&self, name: &str) -> bool {
        self.hashes.contains(&self.hasher.hash_one(name))
    }
}

/// The names of all files that a line speaks of. One whose storing was given up is not among them:
/// it should have been removed, and where that failed it is there.
fn known_names(dir: &Dir, journal: &OsStr, memory: &Memory) -> io::Result<Names> {
    let mut names = Names {
        hashes: HashSet::new(),
        hasher: RandomState::new(),
    };
    let input = match dir.read(journal) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        opened => opened?,
    };
    journal::read(input, |entry, _| {
        let (id, stored) = match entry {
            Entry::Intent { id, stored, .. } | Entry::Found { id, stored, .. } => (id, stored),
            _ => return,
        };
        // A line that is out of order was not taken in, and a gap is in its place.
        let is_taken_in = memory
            .record(id)
            .is_some_and(|record| record.kind != Kind::Dropped && !record.is_gap());
        if is_taken_in {
            let hash = names.hasher.hash_one(stored.name.as_str());
            names.hashes.insert(hash);
        }
    })?;
    Ok(names)
}

fn began(time: i64, maildir: PathBuf, maildir_id: Option<MaildirId>, generation: u64) -> Entry {
    Entry::Began {
        time,
        boot: String::new(),
        maildir,
        maildir_id,
        generation,
        nonce: None,
    }
}

/// Adds a line for every message in the Maildirs that no line speaks of. Gives their number. What
/// lies in another Maildir than this run's comes first, and with a run of its own, because this
/// Maildir does not vouch for it; `here` is this one's, for the rest, which was delivered up to its
/// generation.
fn add_missing(
    journal: &mut Journal,
    memory: &mut Memory,
    search: Search,
    known: &Names,
    here: Entry,
) -> Result<u64, Error> {
    let Entry::Began { time, maildir, .. } = &here else {
        return Ok(0);
    };
    let now = *time;
    let mut found = 0;
    // What was recorded last may be of an earlier generation.
    let mut is_here = false;
    let known = |name: &str| known.contains(name);
    delivery::survey(search, maildir, known, |surveyed| {
        let Surveyed {
            name,
            path,
            examined,
        } = surveyed;
        let run = match path.starts_with(maildir) {
            true => (!std::mem::replace(&mut is_here, true)).then(|| here.clone()),
            false => {
                is_here = false;
                let homes = memory.homes.all.iter().map(|home| home.path.clone());
                let other = homes.rev().find(|home| path.starts_with(home));
                Some(began(now, other.unwrap_or(path), None, 0))
            }
        };
        if let Some(run) = run {
            let place = journal.add(&run);
            memory.apply(run, place);
        }
        let entry = Entry::Found {
            id: memory.next_id(),
            // How long it has been here nobody knows.
            time: now,
            stored: Stored {
                octets: examined.octets,
                digests: examined.digests,
                name,
                // It has been placed, whatever its name tells.
                sized: false,
                flags: Flags::default(),
                evidence: Some(examined.evidence),
                folder: None,
            },
        };
        let place = journal.add(&entry);
        memory.apply(entry, place);
        found += 1;
    })?;
    if found > 0 && !is_here {
        let place = journal.add(&here);
        memory.apply(here, place);
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
