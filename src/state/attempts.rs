//! What the journal says of handing on, in memory; and that nothing that was tried once is ever tried again as
//! if it were for the first time.
//!
//! A message of which "g" is the last word may have been taken, and so may one with a "k": an answer may have
//! been lost. That holds for as long as it is not known to have been taken, however many others are tried
//! meanwhile; and where its file is lost, or it is forgotten, for the message that is fetched in its place.

use super::memory::Memory;
use super::record::{Entry, HandingEnd, Id, NotTaken, Repeat};
use super::remembered::{Attempt, Delay, Kind, Leave, NOBODY, Onward, Record, Tries};
use crate::handover::Located;
use std::collections::BTreeSet;

impl Onward {
    /// Those at files that are appended to.
    pub(super) fn attempts_at_files(&self) -> impl Iterator<Item = (Id, Attempt)> + '_ {
        let attempts = self.attempts.iter().map(|(id, attempt)| (*id, *attempt));
        attempts.filter(|(_, attempt)| attempt.length.is_some())
    }

    /// One more try with a message, which may be where an earlier one has left it.
    fn try_with(&mut self, id: Id, from: Option<Located>, repeat: Repeat) {
        let tries = self.tries.entry(id).or_insert(Tries { from, repeat });
        tries.repeat = tries.repeat.max(repeat);
        // Nothing is known of where the earlier one left it, where the folder is another one by now.
        let is_beside = |earlier: &Located| from.is_some_and(|from| earlier.is_beside(&from));
        tries.from = tries.from.filter(is_beside).min(from).or(from);
    }

    /// All of which anything is known.
    pub(super) fn tried(&self) -> BTreeSet<Id> {
        let ids = self.attempts.keys().chain(self.delays.keys());
        ids.copied().collect()
    }

    pub(super) fn was_tried(&self, id: Id) -> bool {
        self.attempts.contains_key(&id) || self.delays.contains_key(&id)
    }
}

impl Memory {
    /// Takes in a line about what is handed on.
    pub(super) fn take_in_handing(&mut self, entry: &Entry) {
        match *entry {
            Entry::Due { first, last } => {
                let next = self.next_id();
                self.is_disordered |= last >= next;
                let ids = (first..=last).take_while(|id| *id < next);
                self.onward.due.extend(ids);
            }
            Entry::Handed {
                id, removed, end, ..
            } => {
                self.end_attempt(id);
                self.onward.tries.remove(&id);
                self.onward.delays.remove(&id);
                self.onward.due.remove(&id);
                self.change(id, |record| {
                    record.gone |= removed;
                    match end.or_told_by(record.leave == Leave::Returned) {
                        HandingEnd::Taken(_) => record.lines.note_handed(),
                        HandingEnd::Before => record.lines.note_before(),
                        HandingEnd::Copy => record.leave = Leave::Copy,
                        HandingEnd::GivenUp | HandingEnd::Untold => {}
                    }
                });
            }
            Entry::Extent(extent) => {
                self.superseded += u64::from(self.onward.extent.is_some());
                self.onward.extent = Some(extent);
            }
            Entry::Handing {
                id,
                time,
                length,
                fetched,
                from,
                repeat,
            } => {
                let own = || self.record(id).map_or(0, |record| record.time.seconds());
                let attempt = Attempt {
                    length,
                    fetched: fetched.unwrap_or_else(own),
                    time,
                };
                self.onward.attempts.insert(id, attempt);
                self.onward.try_with(id, from, repeat);
                self.note_astray(id);
            }
            Entry::NotTaken {
                id,
                time,
                how,
                count,
            } => {
                // What an earlier attempt has left in a file is there still.
                let attempt = self.onward.attempts.get(&id);
                if attempt.is_none_or(|attempt| attempt.length.is_none()) {
                    self.end_attempt(id);
                }
                // What became of an earlier one nobody knows for all that.
                let tries = self.onward.tries.get(&id);
                let is_only_one = tries.is_some_and(|it| it.repeat == Repeat::First);
                if how != NotTaken::Unclear && is_only_one {
                    self.onward.tries.remove(&id);
                }
                let last = time;
                self.onward.delays.insert(id, Delay { how, count, last });
                self.note_astray(id);
            }
            _ => {}
        }
    }

    fn end_attempt(&mut self, id: Id) {
        // Its beginning says nothing any more, nor does what came of an earlier try.
        self.superseded += 2;
        self.onward.attempts.remove(&id);
    }

    /// One that was tried may be lost or forgotten from here on.
    pub(super) fn note_astray(&mut self, id: Id) {
        if self.record(id).is_some_and(is_astray) && self.onward.was_tried(id) {
            self.onward.astray.insert(id);
        }
    }

    /// This message has been stored: what is known of one that it was fetched in place of holds for it. That is
    /// one of its name. One with its body and Message-ID may be it, or another, as mail of a machine that says
    /// the same each day: what is known holds for that too, and for the one of the name, should it come.
    pub(super) fn inherit_attempt(&mut self, id: Id) {
        let Some(record) = self.record(id).filter(|_| !self.onward.astray.is_empty()) else {
            return;
        };
        let (identity, key) = (record.identity, record.key);
        let astray = |is_it: &dyn Fn(&Record) -> bool| {
            let mut ids = self.onward.astray.iter().copied();
            ids.find(|other| {
                let other = self.record(*other).filter(|other| is_astray(other));
                other.is_some_and(is_it)
            })
        };
        let namesake = astray(&|other| other.identity == identity && identity != NOBODY);
        let Some(before) = namesake.or_else(|| astray(&|other| other.key == key)) else {
            return;
        };
        let onward = &mut self.onward;
        if let Some(attempt) = onward.attempts.get(&before).copied() {
            onward.attempts.insert(id, attempt);
        }
        if let Some(tries) = onward.tries.get(&before).copied() {
            onward.tries.insert(id, tries);
        }
        if let Some(delay) = onward.delays.get(&before).copied() {
            onward.delays.insert(id, delay);
        }
        if namesake.is_some() {
            onward.astray.remove(&before);
            onward.attempts.remove(&before);
            onward.delays.remove(&before);
            onward.tries.remove(&before);
        }
    }
}

fn is_astray(record: &Record) -> bool {
    matches!(record.kind, Kind::Lost | Kind::Forgotten)
}
