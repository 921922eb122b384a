//! Messages that may be copies of what was handed on, and have come back where that is the mailbox that they come
//! from.

use super::onward::DueId;
use super::record::Entry;
use super::remembered::Kind;
use super::{Error, Store};

impl Store {
    /// Whether a message has the very same octets as one that an earlier run has handed on. Of two that one run has
    /// fetched both were listed before either was handed on.
    pub fn is_like_one_handed_on(&mut self, DueId(id): DueId) -> Result<bool, Error> {
        let (Some(record), Some(ours)) = (self.memory.record(id).copied(), self.stored(id)?) else {
            return Ok(false);
        };
        for other in self.memory.candidates([record.key; 2]) {
            let is_done = self.memory.record(other).is_some_and(|it| {
                let is_stored = matches!(it.kind, Kind::Stored | Kind::Lost);
                is_stored && it.run != record.run
            });
            if other != id
                && is_done
                && !self.memory.onward.due.contains(&other)
                && let Some(stored) = self.stored(other)?
                && stored.digests.stored == ours.digests.stored
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the session at hand lists a message, or has brought it; `None` where that is not known.
    pub fn is_listed(&self, DueId(id): DueId) -> Option<bool> {
        let is_present = self.memory.record(id).is_some_and(|it| it.present);
        match is_present || id >= self.session {
            true => Some(true),
            false => self.memory.listed.then_some(false),
        }
    }

    /// A message is not handed on, as it has come back from there; it is not deleted, either, unless its owner says
    /// that it may go. Durable as what [`Store::handed`] notes.
    pub fn withhold(&mut self, due: DueId) -> Result<(), Error> {
        self.write([Entry::Returned { id: due.0 }]);
        self.handed(due, None)
    }
}
