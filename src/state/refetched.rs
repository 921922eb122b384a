//! Messages whose files were lost and that are fetched once more: what was handed on before is not handed on again,
//! whatever the server calls it by now. Each that was lost stands for one that comes.

use super::Store;
use super::doubt::{is_another_reading, is_the_same_text, is_under_another_name};
use super::memory::Memory;
use super::record::{Entry, HandingEnd, Id};
use super::remembered::{Key, Kind, Lost, NOBODY, Record, key_of};
use crate::delivery::Synced;
use crate::handover::Archive;
use std::path::Path;

impl Store {
    /// What is about to be stored waits to be handed on; unless it stands for a lost message that was, as its line
    /// says: whoever took that has it, and where it would only pass through, it does not stay. Of what was found in a
    /// Maildir, without its line, nobody knows.
    pub(super) fn begin_waiting(&mut self, id: Id, synced: &Synced) {
        let lost = self.lost_before(synced);
        self.refetched.extend(lost.map(|lost| (id, lost)));
        let lost = lost.and_then(|lost| Some((lost, self.memory.record(lost)?.lines.say_handed())));
        let time = self.moment.now;
        if let Some((_, true)) = lost {
            let end = HandingEnd::Before;
            let removed = self.onward == Some(Archive::Passed);
            return self.write([Entry::Handed {
                id,
                time,
                removed,
                end,
            }]);
        }
        let (first, last) = (id, id);
        self.write([Entry::Due { first, last }]);
        let lost = lost.filter(|(lost, _)| !self.memory.onward.due.contains(lost));
        let line = lost.and_then(|(lost, _)| self.line(lost).ok().flatten());
        if let Some(Entry::Found { .. }) = line {
            self.write([Entry::perhaps_handed(id)]);
        }
    }

    /// The lost message that it stands for: one of its name before others, and one that waits, or was not handed on,
    /// before one that was. A line that cannot be read proves nothing.
    fn lost_before(&mut self, synced: &Synced) -> Option<Id> {
        if !self.memory.has_lost {
            return None;
        }
        let (examined, identity) = (synced.examined(), synced.message().identity);
        let keys = [
            key_of(Some(&examined.evidence), &examined.digests),
            key_of(None, &examined.digests),
        ];
        let mut lost: Vec<(bool, bool, Id)> = Vec::new();
        for id in self.memory.lost_like(keys) {
            let is_taken = self.refetched.values().any(|taken| *taken == id);
            let record = self.memory.record(id);
            if let Some(record) = record.filter(|_| !is_taken) {
                let is_other = identity != Some(record.identity);
                // What is listed by its own name is fetched by that.
                if !(is_other && self.memory.listed && record.present) {
                    // In doubt it is one that was not handed on.
                    lost.push((is_other, record.lines.say_handed(), id));
                }
            }
        }
        lost.sort_unstable();
        lost.into_iter().find_map(|(is_other, _, id)| {
            let stored = self.stored(id).ok().flatten()?;
            let is_it = match is_other {
                false => !is_another_reading(&stored, examined),
                true => {
                    is_under_another_name(&stored, examined, identity, false)
                        || is_the_same_text(&stored, examined)
                }
            };
            is_it.then_some(id)
        })
    }

    /// These are stored: what they stand for is not lost any more, whatever it was called. What has nothing to wait
    /// for goes once that is on the disk.
    pub(super) fn end_refetched(&mut self, stored: &[Id]) {
        for id in stored {
            let is_over = self.memory.record(*id).is_some_and(|it| it.gone);
            let spool = self.spool_of(*id).filter(|_| is_over);
            if let Some(spool) = spool.map(Path::to_owned)
                && let Ok(Some(stored)) = self.stored(*id)
            {
                self.passed.push((spool, stored.name));
            }
            let lost = self.refetched.remove(id);
            let name = self.memory.record(*id).map(|record| record.identity);
            // Of its own name one is found again by that.
            let is_lost = |id: &Id| {
                let lost = self.memory.record(*id);
                let lost = lost.filter(|lost| lost.kind == Kind::Lost);
                lost.is_some_and(|lost| name != Some(lost.identity) || lost.identity == NOBODY)
            };
            if let Some(id) = lost.filter(is_lost) {
                self.write([Entry::Dropped { id }]);
            }
        }
    }
}

impl Record {
    /// Whether what is known of two messages of one name tells that they are not the same: another body, or another
    /// Message-ID, of messages that came whole.
    fn is_told_from(&self, other: &Self) -> bool {
        let is_sure = |it: &Self| it.lines.have_evidence() && !it.held && !it.unsure;
        self.key != other.key && is_sure(self) && is_sure(other)
    }
}

impl Memory {
    fn lost_like(&mut self, keys: [Key; 2]) -> Vec<Id> {
        let records = &self.records;
        let is_lost = |record: &Record| record.kind == Kind::Lost;
        let lost = self.lost.get_or_insert_with(|| {
            let mut lost = Lost::new();
            let all = (0..).zip(records).filter(|(_, record)| is_lost(record));
            all.for_each(|(id, record)| lost.entry(record.key).or_default().push(id));
            lost
        });
        let mut found: Vec<Id> = keys
            .iter()
            .filter_map(|key| lost.get(key))
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        found.retain(|id| self.record(*id).is_some_and(is_lost));
        found
    }

    /// A message is stored: what was lost of its name is here again, unless its body tells that it is another
    /// one. Of several of that name it is the one with its body, and of copies one that waits to be handed on as
    /// it does, or does not.
    pub(super) fn find_again(&mut self, id: Id) {
        let Some((identity, key)) = self.record(id).map(|it| (it.identity, it.key)) else {
            return;
        };
        let mut lost = self.all_of(identity);
        lost.retain(|id| self.record(*id).is_some_and(|it| it.kind == Kind::Lost));
        let is_like = |id: &&Id| self.record(**id).is_some_and(|it| it.key == key);
        let due = &self.onward.due;
        let waits_alike = |other: &&Id| is_like(other) && due.contains(*other) == due.contains(&id);
        let found = lost.iter().find(waits_alike);
        let found = found.or_else(|| lost.iter().find(is_like));
        let may_be_it = |other: Id| {
            let records = self.record(other).zip(self.record(id));
            records.is_some_and(|(lost, stored)| !lost.is_told_from(stored))
        };
        let found = found.or(match lost.as_slice() {
            [only] if identity != NOBODY && may_be_it(*only) => Some(only),
            _ => None,
        });
        if let Some(found) = found.copied() {
            self.change(found, |record| record.kind = Kind::Dropped);
        }
    }
}
