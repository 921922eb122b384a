//! What is remembered of messages that were never fetched.

use super::memory::Memory;
use super::record::{Entry, Id, Listing, MarkedBy};
use super::remembered::NOBODY;
use super::remembered::{Kind, Record, key_of_rule};
use super::time::Octets;
use super::{Error, Store};
use crate::maildrop::Message;

impl Store {
    /// Settles the first listing: `marked` count as seen from here on, without being fetched. Durable before
    /// anything is fetched, so that a crash does not change what "first" means.
    pub fn settle_first(&mut self, marked: &[Message], by: MarkedBy) -> Result<(), Error> {
        let time = self.moment.now;
        for listing in marked.iter().map(Listing::of) {
            if listing.is_recognisable() {
                let id = self.memory.next_id();
                self.write([Entry::Marked {
                    id,
                    time,
                    listing,
                    by: by.clone(),
                }]);
            }
        }
        self.write([Entry::Baseline { time }]);
        self.sync()
    }
}

impl Memory {
    /// Takes in an M line that stands at this place.
    pub(super) fn mark(&mut self, id: Id, time: i64, listing: &Listing, by: &MarkedBy, place: u64) {
        self.has_unique_ids |= listing.is_recognisable();
        let identity = listing.identity(&self.account).unwrap_or(NOBODY);
        let (kind, key) = match by {
            MarkedBy::Rule(rule) => (Kind::Ruled, key_of_rule(rule)),
            MarkedBy::Latest | MarkedBy::Request => (Kind::Marked, [0; 4]),
            MarkedBy::Import { may_delete: false } => (Kind::Imported, [0; 4]),
            MarkedBy::Import { may_delete: true } => (Kind::Released, [0; 4]),
        };
        self.has_imported |= kind.is_imported();
        let mut record = Record::new(kind, time, identity, key);
        record.octets = Octets::new(listing.octets);
        record.place = Octets::new(Some(place));
        self.insert(id, record);
    }
}
