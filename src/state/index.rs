//! Which record bears an identity: a hash table of ids, five octets each.
//!
//! A map from identities to ids would hold every identity a second time, and of an account with a
//! million messages that is most of what is to be remembered.

use super::memory::{Record, place};
use super::record::Id;
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
    /// The newest record of this identity.
    pub(super) fn find(&self, identity: Identity, records: &[Record]) -> Option<Id> {
        let hash = self.hasher.hash_one(identity);
        let found = self.ids.find(hash, |id| bears(*id, identity, records));
        found.copied()
    }

    /// From here on the identity is that of `id`, which need not be among the records yet.
    pub(super) fn insert(&mut self, identity: Identity, id: Id, records: &[Record]) {
        let hash = self.hasher.hash_one(identity);
        let rehash = |id: &Id| {
            let identity = records.get(place(*id)).map(|record| record.identity);
            self.hasher.hash_one(identity.unwrap_or_default())
        };
        let entry = self
            .ids
            .entry(hash, |id| bears(*id, identity, records), rehash);
        entry.and_modify(|kept| *kept = id).or_insert(id);
    }
}

fn bears(id: Id, identity: Identity, records: &[Record]) -> bool {
    let record = records.get(place(id));
    record.is_some_and(|record| record.identity == identity)
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
        assert!(
            index.ids.capacity() < 2 * 10_000,
            "{}",
            index.ids.capacity()
        );
    }

    #[test]
    fn the_newest_of_an_identity_is_found_and_takes_no_further_place() {
        let again: Vec<u32> = (0..1000).map(|n| n % 10).collect();
        let (index, records) = fill(&again);
        for n in 0..10 {
            assert_eq!(index.find(identity(n), &records), Some(990 + n));
        }
        assert_eq!(index.ids.len(), 10);
    }
}
