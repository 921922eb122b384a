//! Which record bears an identity: a hash table of ids, four octets each.
//!
//! A map from identities to ids would hold every identity a second time, and of an account with a
//! million messages that is most of what is to be remembered.

use super::memory::{Record, place};
use super::record::Id;
use crate::maildrop::Identity;
use std::hash::{BuildHasher, RandomState};

/// Marks a place that is free. There are never so many records.
const FREE: Id = Id::MAX;

/// Finds ids by the identities of their records, which whoever asks has.
#[derive(Default)]
pub(super) struct Index {
    /// Each id is at its identity's place or soon after it. A power of two, a quarter of it free
    /// at least.
    places: Vec<Id>,
    used: usize,
    /// Keyed, because it is the server that chooses what the identities are made of.
    hasher: RandomState,
}

impl Index {
    /// The newest record of this identity.
    pub(super) fn find(&self, identity: Identity, records: &[Record]) -> Option<Id> {
        let at = self.position(identity, records)?;
        self.places.get(at).copied().filter(|id| *id != FREE)
    }

    /// From here on the identity is that of `id`, which need not be among the records yet.
    pub(super) fn insert(&mut self, identity: Identity, id: Id, records: &[Record]) {
        if (self.used + 1) * 4 > self.places.len() * 3 {
            self.grow(records);
        }
        self.put(identity, id, records);
    }

    /// The records are taken in their order, which is that of the memory they lie in.
    fn grow(&mut self, records: &[Record]) {
        self.places = vec![FREE; (2 * self.places.len()).max(64)];
        self.used = 0;
        for (id, record) in (0..).zip(records) {
            self.put(record.identity, id, records);
        }
    }

    fn put(&mut self, identity: Identity, id: Id, records: &[Record]) {
        let at = self.position(identity, records);
        if let Some(kept) = at.and_then(|at| self.places.get_mut(at)) {
            self.used += usize::from(*kept == FREE);
            *kept = id;
        }
    }

    /// Where the identity is, or the free place where it belongs.
    fn position(&self, identity: Identity, records: &[Record]) -> Option<usize> {
        let last = self.places.len().checked_sub(1)?;
        let bears_it = |id: Id| {
            let record = records.get(place(id));
            record.is_some_and(|record| record.identity == identity)
        };
        // Which bits of a hash are taken does not matter.
        #[allow(clippy::cast_possible_truncation)]
        let mut at = self.hasher.hash_one(identity) as usize & last;
        loop {
            match *self.places.get(at)? {
                FREE => return Some(at),
                id if bears_it(id) => return Some(at),
                _ => at = (at + 1) & last,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::Kind;
    use super::*;

    fn identity(n: u32) -> Identity {
        let mut identity = Identity::default();
        identity.0[..4].copy_from_slice(&n.to_be_bytes());
        identity
    }

    fn fill(identities: &[u32]) -> (Index, Vec<Record>) {
        let (mut index, mut records) = (Index::default(), Vec::new());
        for (n, id) in identities.iter().zip(0..) {
            index.insert(identity(*n), id, &records);
            records.push(Record::new(Kind::Stored, 0, identity(*n), [0; 16]));
        }
        (index, records)
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        assert_eq!(Index::default().find(identity(1), &[]), None);
    }

    #[test]
    fn each_of_many_is_found_and_no_other() {
        let many: Vec<u32> = (0..10_000).collect();
        let (index, records) = fill(&many);
        for n in many {
            assert_eq!(index.find(identity(n), &records), Some(n));
            assert_eq!(index.find(identity(n + 10_000), &records), None);
        }
        assert!(index.places.len() < 2 * 10_000, "{}", index.places.len());
    }

    #[test]
    fn the_newest_of_an_identity_is_found_and_takes_no_further_place() {
        let again: Vec<u32> = (0..1000).map(|n| n % 10).collect();
        let (index, records) = fill(&again);
        for n in 0..10 {
            assert_eq!(index.find(identity(n), &records), Some(990 + n));
        }
        assert_eq!((index.used, index.places.len()), (10, 64));
    }
}
