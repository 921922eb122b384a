//! What is remembered of messages that were never fetched.

use super::doubt::ADDED;
use super::memory::Memory;
use super::record::{Entry, Id, Listing, MarkedBy};
use super::remembered::NOBODY;
use super::remembered::{Kind, Record, key_of_rule};
use super::time::Octets;
use super::{Error, Store};
use crate::maildrop::{Maildrop, Message};
use std::collections::{BTreeMap, BTreeSet};

/// A longer name than this, in octets, is no folder's that people have: a line of the journal has room for it
/// three times over, as it is written.
const LONGEST_NAME: usize = 4096;

/// So many names that were passed over are taken for other messages in a listing at most, for their sizes: more
/// have changed because the server counts otherwise.
const MOST_OTHERS: usize = 100;

impl Store {
    /// Settles the first listing: `marked` count as seen from here on, without being fetched. `unread` are
    /// folders that it lacks: their first listing is yet to come. Durable before anything is fetched, so that a
    /// crash does not change what "first" means.
    pub fn settle_first(
        &mut self,
        marked: &[Message],
        by: &MarkedBy,
        unread: &BTreeSet<Box<str>>,
    ) -> Result<(), Error> {
        self.mark(marked, by);
        let time = self.moment.now;
        self.write([Entry::Baseline { time }]);
        let short = unread.iter().filter(|it| it.len() <= LONGEST_NAME);
        self.note_folders(short, false);
        self.sync()
    }

    /// The same for folders that the first listing lacked, and that are listed now.
    pub fn settle_late(
        &mut self,
        marked: &[Message],
        by: &MarkedBy,
        listed: &BTreeSet<Box<str>>,
    ) -> Result<(), Error> {
        self.mark(marked, by);
        self.note_folders(listed, true);
        self.sync()
    }

    /// The folders that the first listing lacks, by what people call them, and whose first one is yet to come:
    /// when that listing was, in seconds since 1970.
    pub fn unread_folders(&self) -> &BTreeMap<Box<str>, i64> {
        &self.memory.unread
    }

    fn note_folders<'a>(
        &mut self,
        folders: impl IntoIterator<Item = &'a Box<str>>,
        is_listed: bool,
    ) {
        let time = self.moment.now;
        for folder in folders.into_iter().cloned() {
            self.write([Entry::Unread {
                time,
                folder,
                is_listed,
            }]);
        }
    }

    fn mark(&mut self, marked: &[Message], by: &MarkedBy) {
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

    /// Sees whether what was passed over may be taken for another message in this listing: not where that would
    /// be so of very many at once, as where a server counts otherwise than it did.
    pub(super) fn see_marks(&mut self, maildrop: &Maildrop) {
        self.doubts_marks = false;
        let away = |record: &Record| record.kind == Kind::Marked && record.is_absent();
        if !self.records.iter().any(away) {
            return;
        }
        let mut others = 0;
        let mut sizes = Vec::new();
        for listed in (0..maildrop.len()).filter_map(|place| maildrop.listed(place)) {
            let ids = listed.identity.map(|it| self.all_of(it));
            let records = ids.into_iter().flatten().filter_map(|id| self.record(id));
            let records: Vec<&Record> = records.filter(|record| away(record)).collect();
            let is_other = |it: &&Record| self.is_another(it, listed.octets);
            others += usize::from(records.iter().any(is_other));
            if others > MOST_OTHERS {
                break;
            }
            let before = records.iter().find_map(|record| record.octets.value());
            sizes.extend(before.zip(listed.octets));
        }
        self.doubts_marks = others > MOST_OTHERS || is_counted_otherwise(&sizes);
    }
}

/// Whether messages that were all listed with one size, and with another one later, are the same, and the server counts
/// otherwise by now, as with a CR for each line or without. Other messages would be longer and shorter.
fn is_counted_otherwise(sizes: &[(u64, u64)]) -> bool {
    /// Of fewer chance may have it so.
    const ENOUGH: usize = 3;
    let is_little = |less: u64, more: u64| less < more && more - less <= more / 4;
    let are_shorter = sizes.iter().all(|(before, now)| is_little(*now, *before));
    let are_longer = sizes.iter().all(|(before, now)| is_little(*before, *now));
    sizes.len() >= ENOUGH && (are_shorter || are_longer)
}

/// Whether a message that was passed over, and of which nothing but its size is known, cannot be listed with
/// this one: no server adds as much to it, nor takes anything away.
pub(super) fn is_not_size_of(record: &Record, octets: Option<u64>) -> bool {
    let (Some(before), Some(octets)) = (record.octets.value(), octets) else {
        return false;
    };
    octets.checked_sub(before).is_none_or(|added| added > ADDED)
}
