//! The end of a run: what the session's end has shown, and a journal in good order.

use super::lock::Mark;
use super::memory::{ABSENCES, Record};
use super::record::Entry;
use super::{Error, Recorded, Store, compact};

/// A journal is written afresh when it is larger than this (octets) and more than half of its
/// lines are superseded.
const COMPACT_FROM: u64 = 1024 * 1024;

impl Store {
    /// The server has confirmed, by its reply to QUIT, that these are deleted. Not synced: a lost
    /// line costs a second DELE at most.
    pub fn deleted(&mut self, recorded: &[Recorded]) {
        let time = self.run.time;
        for Recorded { id, .. } in recorded {
            self.write([Entry::Deleted { id: *id, time }]);
        }
    }

    /// The session at hand had a complete listing and came to its end: what it did not list is
    /// counted as absent (E5). A listing that lacks more than half of what was there last time
    /// proves nothing; Gmail and servers in trouble make such.
    pub fn note_absences(&mut self) {
        let absences = |record: &Record| match record.present {
            true => (record.absences > 0).then_some(0),
            false if record.deletions > 0 => None,
            false => (record.absences < ABSENCES).then_some(record.absences + 1),
        };
        let living = || self.memory.living();
        let present = living().filter(|(_, record)| record.present).count();
        let newly_absent = living().filter(|(_, record)| absences(record) == Some(1));
        if newly_absent.count() > present {
            return;
        }
        let counts = living().filter_map(|(id, record)| Some((id, absences(record)?)));
        let (time, counts) = (self.run.time, counts.collect::<Vec<_>>());
        for (id, count) in counts {
            self.write([Entry::Absent { id, time, count }]);
        }
    }

    /// Ends the run: everything is synced, the journal written afresh if that pays, and its length
    /// noted.
    pub fn close(mut self) -> Result<(), Error> {
        if self.begun {
            self.sync()?;
            let lines = self.memory.records.len() as u64;
            if self.journal.length() > COMPACT_FROM && self.memory.superseded > lines {
                self.write_afresh()?;
            }
        }
        self.note_length()
    }

    /// Ends the run as [`Store::close`] does, but writes the journal afresh whatever its size.
    pub fn compact(mut self) -> Result<(), Error> {
        self.sync()?;
        self.write_afresh()?;
        self.note_length()
    }

    /// The ids in memory are those of the old journal: nothing can be recorded after this.
    fn write_afresh(&mut self) -> Result<(), Error> {
        // What became of an open intent is for the next run to find out; here it would be lost
        // among those that were carried out.
        if !self.memory.open.is_empty() {
            return Ok(());
        }
        self.journal = compact::compact(
            &self.dir,
            &self.files,
            &self.account,
            &self.memory,
            &self.journal,
            self.run.time,
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
