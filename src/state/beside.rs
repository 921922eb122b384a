//! Two messages that stood in one listing are two, whatever becomes of one of them. One that is deleted while
//! others were still to be fetched may leave a copy behind: what its name does not tell, their number does (E11.5).

use super::memory::Memory;
use super::record::{Entry, Id};
use super::remembered::{Kind, Leave};
use super::{Error, Recorded, Store};
use crate::maildrop::Message;
use std::collections::{HashMap, HashSet};

/// How many messages there are of each listed size.
type Sizes = HashMap<Option<u64>, u32>;

impl Store {
    /// The session at hand is to fetch these, now or later.
    pub fn expect(&mut self, octets: impl Iterator<Item = Option<u64>>) {
        let sizes: HashSet<Option<u64>> = self.memory.sizes_beside().collect();
        let mut expected = Sizes::new();
        if !sizes.is_empty() {
            let octets = octets.filter(|octets| sizes.contains(octets));
            octets.for_each(|octets| count(&mut expected, octets));
        }
        self.expected = Some(expected);
    }

    /// Whether all messages that are listed and may be this one were listed beside it, and so are others. Where
    /// there are more, one of them may be it.
    pub(super) fn were_beside(&self, id: Id) -> bool {
        let octets = self.memory.record(id).and_then(|it| it.octets.value());
        match (self.memory.beside.get(&id), &self.expected) {
            (Some(beside), Some(expected)) => {
                expected.get(&octets).copied().unwrap_or_default() <= *beside
            }
            _ => false,
        }
    }

    /// These are about to be deleted from the server. That is durable on return: nothing else may tell later
    /// what has come back from what has never left, as where a run is killed before the server's answer. `coming`:
    /// what is listed and was to be fetched; `are_all`: nothing else is on the server.
    pub fn begin_deleting(
        &mut self,
        recorded: &[Recorded],
        coming: impl Iterator<Item = Message>,
        are_all: bool,
    ) -> Result<(), Error> {
        if !recorded.is_empty() || !self.memory.beside.is_empty() {
            let left = self.count_left(coming);
            self.note_left(recorded, &left, are_all)?;
        }
        if !recorded.is_empty() {
            // The others may have other numbers from then on.
            self.memory.numbered.clear();
        }
        Ok(())
    }

    fn count_left(&self, coming: impl Iterator<Item = Message>) -> Sizes {
        let mut left = Sizes::new();
        for message in coming.filter(|it| self.memory.claimed(it).is_none()) {
            count(&mut left, message.octets);
        }
        left
    }

    fn note_left(
        &mut self,
        recorded: &[Recorded],
        left: &Sizes,
        are_all: bool,
    ) -> Result<(), Error> {
        let memory = &self.memory;
        let deleted: HashSet<Id> = recorded.iter().map(|recorded| recorded.id).collect();
        // What was deleted before and has left no copy that is still to come may come back.
        let before = memory.beside.keys().filter(|_| are_all);
        let before = before.filter(|id| !deleted.contains(id)).copied();
        let mut noted: Vec<(Id, u32)> = Vec::new();
        for id in deleted.iter().copied().chain(before) {
            let Some(record) = memory.record(id).filter(|it| it.kind == Kind::Stored) else {
                continue;
            };
            let known = memory.beside.get(&id).copied().unwrap_or_default();
            let beside = left
                .get(&record.octets.value())
                .copied()
                .unwrap_or_default();
            let is_asked = deleted.contains(&id) && record.leave == Leave::None;
            let is_news = match deleted.contains(&id) {
                true => beside != known,
                false => beside < known,
            };
            if is_asked || is_news {
                noted.push((id, beside));
            }
        }
        if noted.is_empty() {
            return Ok(());
        }
        noted.sort_unstable();
        let time = self.moment.now;
        for (id, beside) in noted {
            self.write([Entry::Asked { id, time, beside }]);
        }
        self.sync()
    }
}

impl Memory {
    pub(super) fn note_beside(&mut self, id: Id, beside: u32) {
        match beside {
            0 => self.beside.remove(&id),
            _ => self.beside.insert(id, beside),
        };
    }

    /// Whether a line with this number tells of a message what no other line does.
    pub(super) fn tells_beside(&self, id: Id, beside: u32) -> bool {
        self.beside.get(&id) == Some(&beside)
    }

    fn sizes_beside(&self) -> impl Iterator<Item = Option<u64>> + '_ {
        let ids = self.beside.keys();
        ids.filter_map(|id| self.record(*id).map(|record| record.octets.value()))
    }
}

fn count(sizes: &mut Sizes, octets: Option<u64>) {
    *sizes.entry(octets).or_default() += 1;
}
