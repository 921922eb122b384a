//! Messages that may be copies of what was handed on, and have come back where that is the mailbox that they come
//! from.

use super::onward::DueId;
use super::record::{HandingEnd, Id};
use super::remembered::{Kind, Leave, Record};
use super::{Error, Store};
use crate::handover::Letter;

impl Store {
    /// Whether a message has the very same octets as one that was handed on, and taken, in an earlier run: of two that
    /// one run hands on both were there before.
    pub fn is_like_one_handed_on(&mut self, DueId(id): DueId) -> Result<bool, Error> {
        let run = self.memory.record(id).map(|record| record.run);
        let like = self.like(id, |it| match Some(it.run) == run {
            true => it.lines.say_before(),
            false => it.lines.say_handed(),
        })?;
        Ok(!like.is_empty())
    }

    /// What a copy is a copy of, and has left the server: once it is forgotten, that must not make it known again.
    pub(super) fn gone_with(&mut self, id: Id) -> Result<Vec<Id>, Error> {
        let is_copy = |record: &Record| record.leave == Leave::Copy;
        match self.memory.record(id).is_some_and(is_copy) {
            true => self.like(id, |it| {
                it.lines.say_handed() && (it.deleted || it.is_absent())
            }),
            false => Ok(Vec::new()),
        }
    }

    /// Others with the very same octets of which this holds.
    fn like(&mut self, id: Id, is_it: impl Fn(&Record) -> bool) -> Result<Vec<Id>, Error> {
        let (Some(record), Some(ours)) = (self.memory.record(id).copied(), self.stored(id)?) else {
            return Ok(Vec::new());
        };
        let mut like = Vec::new();
        let mut others = self.memory.candidates([record.key; 2]);
        // What stands for a lost one may have been stored since those were looked up.
        if self.memory.has_lost {
            others.extend(self.session..self.memory.next_id());
            others.sort_unstable();
            others.dedup();
        }
        for other in others {
            if other != id
                && self
                    .memory
                    .record(other)
                    .is_some_and(|it| it.key == record.key && is_it(it))
                && let Some(stored) = self.stored(other)?
                && stored.digests.stored == ours.digests.stored
            {
                like.push(other);
            }
        }
        Ok(like)
    }

    /// Whether the session at hand lists a message, or has brought it; `None` where that is not known.
    pub fn is_listed(&self, DueId(id): DueId) -> Option<bool> {
        let is_present = self.memory.record(id).is_some_and(|it| it.present);
        match is_present || id >= self.session {
            true => Some(true),
            false => self.memory.listed.then_some(false),
        }
    }

    /// A message is not handed on, as it looks like a copy of what was; it is not deleted, either, unless its owner
    /// says of it that it may go. Durable as what [`Store::handed`] notes.
    pub fn leave_as_copy(&mut self, due: DueId) -> Result<(), Error> {
        self.end_handing(due, HandingEnd::Copy)
    }

    /// Those that the session at hand lists.
    pub fn copies(&mut self) -> Result<Vec<Letter>, Error> {
        let records = (0..).zip(&self.memory.records);
        let left = records.filter(|(_, it)| it.leave == Leave::Copy && it.kind == Kind::Stored);
        let ids: Vec<Id> = left.map(|(id, _)| id).collect();
        let mut copies = Vec::new();
        for id in ids {
            if self.is_listed(DueId(id)) == Some(true) {
                copies.extend(self.letter(id)?.map(|(letter, _)| letter));
            }
        }
        Ok(copies)
    }
}
