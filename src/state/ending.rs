//! The end of a run: what the session's end has shown, and a journal in good order.

use super::lock::Mark;
use super::memory::ABSENCES;
use super::onward::waits_in;
use super::record::{Entry, Id};
use super::remembered::{Absence, Kind, Leave, Record};
use super::{Error, Recorded, Store, compact};

/// A journal is written afresh when it is larger than this (octets) and more than half of its
/// lines are superseded.
const COMPACT_FROM: u64 = 1024 * 1024;

/// What is not listed any more.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Changes {
    /// Messages that were there last time, and whose deletion nobody here has asked for.
    pub newly_absent: u64,
    /// The state was moved here, and this is the first listing since: what is known may be listed by other
    /// names now.
    pub moved: bool,
    /// How many of these were never fetched, but marked as seen.
    pub marked: u64,
    /// Known messages that are still there.
    pub present: u64,
}

impl Store {
    /// The server has confirmed, by its reply to QUIT, that these are deleted. Not synced: a lost
    /// line costs a second DELE at most, and that it was asked for stands in a line that is
    /// ([`Store::begin_deleting`]).
    pub fn deleted(&mut self, recorded: &[Recorded]) {
        let time = self.moment.now;
        for Recorded { id, .. } in recorded {
            self.write([Entry::Deleted { id: *id, time }]);
        }
    }

    /// Whether the server has listed it again after it had confirmed its deletion.
    pub fn has_come_back(&self, recorded: &Recorded) -> bool {
        let record = self.memory.record(recorded.id);
        record.is_some_and(|record| record.futile.was_confirmed())
    }

    /// How often the server was asked to delete it and did not, in earlier sessions.
    pub fn asked_in_vain(&self, recorded: &Recorded) -> u8 {
        let record = self.memory.record(recorded.id);
        record.map_or(0, |record| record.futile.times())
    }

    /// Their deletion was asked for, and the server has not said what became of it (E8).
    pub fn asked_to_delete(&mut self, recorded: &[Recorded]) {
        let time = self.moment.now;
        for Recorded { id, .. } in recorded {
            let record = self.memory.record(*id);
            if record.is_some_and(|it| it.leave == Leave::None) {
                let beside = self.memory.beside.get(id).copied().unwrap_or_default();
                self.write([Entry::Asked {
                    id: *id,
                    time,
                    beside,
                }]);
            }
        }
    }

    /// The server has refused to mark these as deleted: they have not left it.
    pub fn refused_to_delete(&mut self, recorded: &[Recorded]) {
        let time = self.moment.now;
        for Recorded { id, .. } in recorded {
            self.write([Entry::Undeletable { id: *id, time }]);
        }
    }

    /// The session at hand had a complete listing: what it does not list is absent. Whatever comes
    /// back under its name is looked at before it is believed, so this is durable on return; three
    /// listings in a row count towards forgetting (E5), but not one that lacks more than half of
    /// what was there last time: Gmail and servers in trouble make such.
    pub fn note_absences(&mut self) -> Result<Changes, Error> {
        self.memory.listed = true;
        let absent = |record: &Record| !record.present && !record.deleted;
        let living = || {
            let living = self.memory.living();
            living.filter(|(_, record)| !record.awaits_name())
        };
        let present = living().filter(|(_, record)| record.present).count();
        let newly = |record: &Record| absent(record) && record.absences == 0 && !record.is_absent();
        let new = living().filter(|(_, record)| newly(record)).count();
        let is_torn = new > present;
        // Of as many as a million; a line is made of each only as it is written.
        let mut counts: Vec<(Id, Option<u8>)> = Vec::new();
        for (id, record) in living() {
            let count = record.absences.saturating_add(1);
            let was_away = record.absences > 0 || record.is_absent();
            if record.present && was_away && record.kind == Kind::Marked {
                counts.push((id, Some(0)));
            } else if is_torn && newly(record) {
                counts.push((id, None));
            } else if !is_torn && absent(record) && record.absences < ABSENCES {
                counts.push((id, Some(count)));
            }
        }
        let moved = self.was_moved();
        // What was asked to be deleted is where it was to go, and what had no name can have no other.
        let are_named = self.has_unique_ids();
        let missed = || {
            let missed = living().map(|(_, record)| record);
            let missed = missed.filter(|_| are_named);
            missed.filter(|record| newly(record) && record.leave != Leave::Asked)
        };
        let marked = missed().filter(|record| record.kind == Kind::Marked);
        let changes = Changes {
            newly_absent: missed().count() as u64,
            moved,
            marked: marked.count() as u64,
            present: present as u64,
        };
        let time = self.moment.now;
        for (id, count) in counts {
            let is_new = self.memory.record(id).is_some_and(newly);
            self.write([match count {
                Some(count) => Entry::Absent { id, time, count },
                None => Entry::Unlisted { id, time },
            }]);
            if is_new {
                self.memory
                    .change(id, |record| record.absence = Absence::Now);
            }
            let flushed = self.journal.flush_if_large();
            flushed.map_err(|source| self.io_error(source))?;
        }
        if new > 0 {
            self.sync()?;
        }
        Ok(changes)
    }

    /// Whether no run has written since the state was moved here.
    fn was_moved(&self) -> bool {
        let mut runs = self.memory.homes.runs.iter().rev();
        let before = runs.nth(usize::from(self.begun));
        // Only what is put together from other journals is of no machine's run.
        !self.memory.former.is_empty() && before.is_some_and(|run| run.boot.is_empty())
    }

    /// Ends the run: everything is synced, the journal written afresh if that pays, and its length
    /// noted. Where there was nothing to note, what was made for it goes again: it may be that there is
    /// no such server.
    pub fn close(mut self) -> Result<(), Error> {
        self.enter_where_nothing_came()?;
        self.raise_again()?;
        if !self.has_noted {
            if let Some(maildir) = &self.maildir {
                maildir.take_back();
            }
            if self.is_made && self.memory.records.is_empty() {
                // The lock still says that no line of a journal was synced.
                let removed = self.dir.remove(&self.files.journal);
                return removed.map_err(|source| self.io_error(source));
            }
        }
        if self.begun {
            self.sync()?;
            self.memory.forget_unlisted_headers();
            let lines = (self.memory.records.len() + self.memory.headers.len()) as u64;
            if self.journal.length() > COMPACT_FROM && self.memory.superseded > lines {
                self.write_afresh()?;
            }
        }
        self.note_length()
    }

    /// An account with mail elsewhere has been to its server, and had nothing for a Maildir that is new to
    /// it: that is its Maildir from now on all the same, whoever looks for it there. One that never had any
    /// gets none before its first mail: where a disk is not mounted, it would stand below the mount point.
    fn enter_where_nothing_came(&mut self) -> Result<(), Error> {
        let is_maildir = !waits_in(&self.dir, &self.path_of_maildir);
        if self.is_enrolled || !self.memory.listed || !is_maildir || self.has_stored_nothing() {
            return Ok(());
        }
        self.raise()
    }

    /// Ends the run as [`Store::close`] does, but writes the journal afresh whatever its size.
    pub fn compact(mut self) -> Result<(), Error> {
        self.raise_again()?;
        self.sync()?;
        self.write_afresh()?;
        self.note_length()
    }

    /// The ids in memory are those of the old journal: nothing can be recorded after this.
    fn write_afresh(&mut self) -> Result<(), Error> {
        // What became of an open intent is for the next run to find out; here it would be lost
        // among those that were carried out.
        if self.memory.open().next().is_some() {
            return Ok(());
        }
        self.journal = compact::compact(
            &self.dir,
            &self.files,
            &self.account,
            &self.memory,
            &self.journal,
            Some(self.moment.now).filter(|_| !self.doubts_clock()),
        )
        .map_err(|source| self.io_error(source))?;
        Ok(())
    }

    fn note_length(mut self) -> Result<(), Error> {
        let mark = Mark {
            generation: self.journal.generation,
            length: self.journal.length(),
        };
        self.lock
            .write(mark)
            .map_err(|source| self.io_error(source))
    }
}
