//! Writing a journal afresh, without what is superseded (E7): a new file, synced, takes the old
//! one's name at once or not at all.

use super::Files;
use super::journal::{self, Journal};
use super::memory::{ABSENCES, Kind, Memory, Record};
use super::rebuild::draft_name;
use super::record::{Entry, Id};
use crate::durable::Dir;
use std::io;
use std::path::PathBuf;

/// A message that has been absent or deleted for so long (seconds) is forgotten. Mail that a
/// server loses and finds again is back within days; a year is on the safe side.
const FORGET_AFTER: i64 = 365 * 24 * 60 * 60;

/// Writes the journal afresh. Nothing else may be waiting to be written.
pub(super) fn compact(
    dir: &Dir,
    files: &Files,
    account: &str,
    memory: &Memory,
    old: &Journal,
    now: i64,
) -> io::Result<Journal> {
    let draft = draft_name(files);
    dir.remove(&draft)?;
    let mut new = Journal::begin(dir.create(&draft)?, account, old.generation + 1);
    let mut copy = Copy::new(memory, now);
    let mut failed = Ok(());
    journal::read(dir.read(&files.journal)?, |entry| {
        if let Some(entry) = copy.line(entry) {
            new.add(&entry);
        }
        // One megabyte or so at a time, so that the memory does not grow with the journal.
        if failed.is_ok() {
            failed = new.flush_if_large();
        }
    })?;
    failed?;
    for entry in copy.rest() {
        new.add(&entry);
    }
    new.sync()?;
    dir.replace(&draft, &files.journal)?;
    dir.sync()?;
    Ok(new)
}

/// Decides line by line.
struct Copy<'a> {
    memory: &'a Memory,
    now: i64,
    /// The new id of each old one; `None` for those left out.
    ids: Vec<Option<Id>>,
    next: Id,
    maildirs: Vec<PathBuf>,
}

impl<'a> Copy<'a> {
    fn new(memory: &'a Memory, now: i64) -> Self {
        Self {
            memory,
            now,
            ids: vec![None; memory.records.len()],
            next: 0,
            maildirs: Vec::new(),
        }
    }

    fn line(&mut self, entry: Entry) -> Option<Entry> {
        match entry {
            Entry::Intent {
                id,
                time,
                listing,
                stored,
            } => {
                let id = self.keep(id)?;
                Some(Entry::Intent {
                    id,
                    time,
                    listing,
                    stored,
                })
            }
            Entry::Found { id, time, stored } => {
                let id = self.keep(id)?;
                Some(Entry::Found { id, time, stored })
            }
            Entry::Marked { id, time, listing } => {
                let id = self.keep(id)?;
                Some(Entry::Marked { id, time, listing })
            }
            Entry::Alias { id, time, listing } => {
                let id = self.new_id(id)?;
                Some(Entry::Alias { id, time, listing })
            }
            Entry::Deleted { id, time } => {
                let id = self.new_id(id)?;
                Some(Entry::Deleted { id, time })
            }
            Entry::Gone { id, time } => {
                let id = self.new_id(id)?;
                Some(Entry::Gone { id, time })
            }
            Entry::Failed { .. } => self.failure(entry),
            Entry::Began { ref maildir, .. } if !self.maildirs.contains(maildir) => {
                self.maildirs.push(maildir.clone());
                Some(entry)
            }
            Entry::Baseline { .. } => Some(entry),
            // These are written from memory at the end, or said by the others.
            Entry::Absent { .. }
            | Entry::Began { .. }
            | Entry::Dropped { .. }
            | Entry::Forgotten { .. }
            | Entry::Seen { .. }
            | Entry::Unpipelined { .. } => None,
        }
    }

    /// What is left to say once all messages have their new ids.
    fn rest(&self) -> Vec<Entry> {
        let mut rest = Vec::new();
        if let Some(last) = self.next.checked_sub(1) {
            rest.push(Entry::Seen { first: 0, last });
        }
        for (id, record) in (0..).zip(&self.memory.records) {
            if let (Some(id), Kind::Forgotten) = (self.new_id(id), record.kind) {
                rest.push(Entry::Forgotten { id });
            }
        }
        for (id, record) in self.memory.living() {
            if let (Some(id), true) = (self.new_id(id), record.absences > 0) {
                let time = record.absent_since.seconds();
                rest.push(Entry::Absent { id, time, count: 1 });
                if record.absences > 1 {
                    let count = record.absences;
                    rest.push(Entry::Absent { id, time, count });
                }
            }
        }
        rest.extend(
            self.memory
                .unpipelined
                .map(|time| Entry::Unpipelined { time }),
        );
        if let Some(run) = self.memory.runs.last() {
            let (time, boot, maildir) = (run.time, run.boot.clone(), run.maildir.clone());
            rest.push(Entry::Began {
                time,
                boot,
                maildir,
            });
        }
        rest
    }

    fn keep(&mut self, id: Id) -> Option<Id> {
        let record = self.memory.record(id)?;
        // Of what was forgotten on request the file may still be here. It must not make the
        // message known again, unless it was fetched again.
        let asked_for = record.kind == Kind::Forgotten && self.memory.is_newest(id);
        if !asked_for && (!record.kind.is_known() || self.is_forgettable(record)) {
            return None;
        }
        let place = self.ids.get_mut(usize::try_from(id).ok()?)?;
        let new = self.next;
        self.next += 1;
        *place = Some(new);
        Some(new)
    }

    fn is_forgettable(&self, record: &Record) -> bool {
        let absent = record.absences >= ABSENCES || record.deletions > 0;
        // A server may go on listing what it confirmed to have deleted.
        let lacking = self.memory.listed && !record.present;
        absent && lacking && record.absent_since.seconds() < self.now - FORGET_AFTER
    }

    fn new_id(&self, id: Id) -> Option<Id> {
        *self.ids.get(usize::try_from(id).ok()?)?
    }

    fn failure(&self, entry: Entry) -> Option<Entry> {
        let Entry::Failed {
            time,
            ref listing,
            count,
            ..
        } = entry
        else {
            return None;
        };
        let identity = listing.identity(&self.memory.account)?;
        let last = self.memory.failures.get(&identity)?;
        ((last.last, last.count) == (time, count)).then_some(entry)
    }
}
