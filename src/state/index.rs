//! Which record bears an identity: a hash table of ids, five octets each.
//!
//! A map from identities to ids would hold every identity a second time, and of an account with a
//! million messages that is most of what is to be remembered.

use super::record::Id;
use super::remembered::{NOBODY, Record, place_of};
use crate::maildrop::Identity;
use hashbrown::HashTable;
use std::hash::{BuildHasher, RandomState};

/// Finds ids by the identities of their records, which whoever asks has.
pub(super) struct Index {
    ids: HashTable<Id>,
    /// Records up to here are in the table. Those behind are looked through, so that nothing is ever
    /// missed: a journal is read first, and its table made at once.
    indexed: usize,
    /// Two numbers that nobody else knows, because it is the server that chooses what the identities
    /// are made of.
    key: (u64, u64),
}

impl Default for Index {
    fn default() -> Self {
        let random = RandomState::new();
        Self {
            ids: HashTable::new(),
            indexed: 0,
            key: (random.hash_one(0), random.hash_one(1)),
        }
    }
}

impl Index {
    /// The records of this identity, in no order.
    pub(super) fn find_all(&self, identity: Identity, records: &[Record]) -> Vec<Id> {
        if identity == NOBODY {
            return Vec::new();
        }
        let hash = hash(self.key, identity);
        let fitting = self.ids.iter_hash(hash).copied();
        let found = fitting.filter(|id| bears(*id, identity, records));
        let behind = self.behind(records);
        let behind = behind.filter(|(_, record)| record.identity == identity);
        found.chain(behind.map(|(id, _)| id)).collect()
    }

    /// Takes in the records that came since.
    pub(super) fn catch_up(&mut self, records: &[Record]) {
        let (key, new) = (self.key, records.len().saturating_sub(self.indexed));
        if new > 1 {
            self.ids.reserve(new, |id| hash_of(key, *id, records));
        }
        for (id, record) in self.behind(records) {
            if record.identity != NOBODY {
                self.insert(record.identity, id, records);
            }
        }
        self.indexed = records.len();
    }

    /// What is not in the table.
    fn behind<'a>(
        &self,
        records: &'a [Record],
    ) -> impl Iterator<Item = (Id, &'a Record)> + use<'a> {
        let new = records.get(self.indexed..).unwrap_or_default();
        let first = Id::try_from(self.indexed).unwrap_or(Id::MAX);
        (first..).zip(new)
    }

    /// The record has another identity than `before`.
    pub(super) fn change(&mut self, before: Identity, id: Id, records: &[Record]) {
        if place_of(id) >= self.indexed {
            return;
        }
        let former = hash(self.key, before);
        if let Ok(entry) = self.ids.find_entry(former, |other| *other == id) {
            entry.remove();
        }
        if let Some(record) = records.get(place_of(id)) {
            self.insert(record.identity, id, records);
        }
    }

    fn insert(&mut self, identity: Identity, id: Id, records: &[Record]) {
        let key = self.key;
        let rehash = |id: &Id| hash_of(key, *id, records);
        self.ids.insert_unique(hash(key, identity), id, rehash);
    }
}

fn hash_of(key: (u64, u64), id: Id, records: &[Record]) -> u64 {
    let identity = records.get(place_of(id)).map(|record| record.identity);
    hash(key, identity.unwrap_or_default())
}

/// An identity is a hash already. A product whose factors nobody can foretell spreads whatever a
/// server may have chosen.
fn hash((one, other): (u64, u64), Identity(octets): Identity) -> u64 {
    let whole = u128::from_ne_bytes(octets);
    let halves = (whole as u64 ^ one, (whole >> 64) as u64 ^ other);
    let product = u128::from(halves.0) * u128::from(halves.1);
    product as u64 ^ (product >> 64) as u64
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
        identity.0[..4].copy_from_slice(&(n + 1).to_be_bytes());
        identity
    }

    fn records(identities: &[u32]) -> Vec<Record> {
        let record = |n: &u32| Record::new(Kind::Stored, 0, identity(*n), [0; 4]);
        identities.iter().map(record).collect()
    }

    fn fill(identities: &[u32]) -> (Index, Vec<Record>) {
        let (mut index, records) = (Index::default(), records(identities));
        index.catch_up(&records);
        (index, records)
    }

    #[test]
    fn what_has_not_been_taken_in_yet_is_found_as_well() {
        let all: Vec<u32> = (0..100).collect();
        let mut index = Index::default();
        let records = records(&all);
        index.catch_up(&records[..60]);
        for n in all {
            assert_eq!(index.find_all(identity(n), &records), [n]);
        }
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
        records[13].identity = identity(77);
        index.change(identity(3), 13, &records);
        assert_eq!(index.find_all(identity(77), &records), [13]);
        assert_eq!(index.find_all(identity(3), &records).len(), 9);
    }
}
