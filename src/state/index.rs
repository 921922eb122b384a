//! Which record bears an identity: a hash table of ids, five octets each.
//!
//! A map from identities to ids would hold every identity a second time, and of an account with a
//! million messages that is most of what is to be remembered.

use super::memory::place_of;
use super::record::Id;
use super::remembered::Record;
use crate::maildrop::Identity;
use hashbrown::HashTable;
use std::hash::{BuildHasher, RandomState};

/// Finds ids by the identities of their records, which whoever asks has.
#[derive(Default)]
pub(super) struct Index {
    ids: HashTable<Id>,
    /// Keyed, because it is the server that chooses what the identities are made of.
    hasher: RandomState,
}

impl Index {
    /// The records of this identity, in no order.
    pub(super) fn find_all(&self, identity: Identity, records: &[Record]) -> Vec<Id> {
        let hash = self.hasher.hash_one(identity);
        let fitting = self.ids.iter_hash(hash).copied();
        fitting.filter(|id| bears(*id, identity, records)).collect()
    }

    /// The identity is that of `id` as well, which need not be among the records yet.
    pub(super) fn insert(&mut self, identity: Identity, id: Id, records: &[Record]) {
        let hash = self.hasher.hash_one(identity);
        let rehash = |id: &Id| {
            let identity = records.get(place_of(*id)).map(|record| record.identity);
            self.hasher.hash_one(identity.unwrap_or_default())
        };
        self.ids.insert_unique(hash, id, rehash);
    }

    /// The identity is not that of `id` any more.
    pub(super) fn remove(&mut self, identity: Identity, id: Id) {
        let hash = self.hasher.hash_one(identity);
        if let Ok(entry) = self.ids.find_entry(hash, |other| *other == id) {
            entry.remove();
        }
    }
}

fn bears(id: Id, identity: Identity, records: &[Record]) -> bool {
    let record = records.get(place_of(id));
    record.is_some_and(|record| record.identity == identity)
}

#[cfg(test)]
mod tests {
    use super::super::remembered::Kind;
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
            records.push(Record::new(Kind::Stored, 0, identity(*n), [0; 4]));
        }
        (index, records)
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        assert_eq!(
            Index::default().find_all(identity(1), &[]),
            Vec::<Id>::new()
        );
    }

    #[test]
    fn each_of_many_is_found_and_no_other() {
        let many: Vec<u32> = (0..10_000).collect();
        let (index, records) = fill(&many);
        for n in many {
            assert_eq!(index.find_all(identity(n), &records), [n]);
            assert!(index.find_all(identity(n + 10_000), &records).is_empty());
        }
        let capacity = index.ids.capacity();
        assert!(capacity < 2 * 10_000, "{capacity}");
    }

    #[test]
    fn all_of_an_identity_are_found_until_they_bear_another() {
        let again: Vec<u32> = (0..100).map(|n| n % 10).collect();
        let (mut index, mut records) = fill(&again);
        let mut found = index.find_all(identity(3), &records);
        found.sort_unstable();
        assert_eq!(found, [3, 13, 23, 33, 43, 53, 63, 73, 83, 93]);
        index.remove(identity(3), 13);
        records[13].identity = identity(77);
        index.insert(identity(77), 13, &records);
        assert_eq!(index.find_all(identity(77), &records), [13]);
        assert_eq!(index.find_all(identity(3), &records).len(), 9);
    }
}
