//! How a line gets into the journal, and to the disk.

use super::record::Entry;
use super::{Error, Store};
use std::io;

impl Store {
    pub(super) fn write<const N: usize>(&mut self, entries: [Entry; N]) {
        self.begin_run();
        for entry in entries {
            self.add(entry);
        }
    }

    /// From now on ages can be measured, where the clock was wrong when the last run wrote.
    pub(super) fn note_time(&mut self) {
        if self.memory.homes.lacks_a_time(self.moment.now) {
            self.begin_run();
        }
    }

    /// The run's own line comes before all others of it.
    pub(super) fn begin_run(&mut self) {
        if !std::mem::replace(&mut self.begun, true) {
            self.add(Entry::Began {
                time: self.moment.now,
                boot: self.moment.boot.to_string(),
                maildir: self.path_of_maildir.clone(),
                maildir_id: self.home,
                generation: self.memory.homes.generation,
                nonce: self.raised,
            });
        }
    }

    pub(super) fn add(&mut self, entry: Entry) {
        self.has_noted |= !matches!(entry, Entry::Began { .. } | Entry::Reported { .. });
        let place = self.journal.add(&entry);
        self.memory.apply(entry, place);
    }

    /// Writes what is recorded, unsynced: a kill takes nothing of it away.
    pub fn flush(&mut self) -> Result<(), Error> {
        let flushed = self.journal.flush();
        flushed.map_err(|source| self.io_error(source))
    }

    pub(super) fn sync(&mut self) -> Result<(), Error> {
        let synced = self.journal.sync();
        synced.map_err(|source| self.io_error(source))
    }

    pub(super) fn io_error(&self, source: io::Error) -> Error {
        Error::Io {
            path: self.path(),
            source,
        }
    }
}
