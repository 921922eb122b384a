//! What the journal says, in memory: one small record a message, found by identity or content. What
//! is only wanted in doubt stays in the journal, and each record knows where.

use super::homes::Homes;
use super::index::Index;
use super::lasting::Told;
use super::record::{Glance, Id, Listing, Origin};
use super::remembered::{Absence, Failures, Heard, Key, Kind, Lost, Onward, Record, place_of};
use super::sizes::Sizes;
use crate::maildir::{Brought, JournalId};
use crate::maildrop::{Identity, MessageNumber};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What each line changes in it.
mod lines;

/// After so many complete listings without it, a message may be forgotten one day (E5).
pub(super) const ABSENCES: u8 = 3;

#[derive(Default)]
pub(super) struct Memory {
    pub(super) account: String,
    /// Earlier ids of the account, and the journals that they had.
    pub(super) former: Vec<(String, JournalId)>,
    pub(super) records: Vec<Record>,
    /// How many of them stand for lines that are missing.
    gaps: usize,
    /// Some line was about a message that had no line yet, or gave a number once more.
    pub(super) is_disordered: bool,
    by_identity: Index,
    /// Once somebody has asked for them.
    pub(super) lost: Option<Lost>,
    /// In order.
    by_key: Option<Vec<(Key, Id)>>,
    /// Which record each message of the listing at hand is, by its turn, where several bear a name.
    pub(super) claims: HashMap<Identity, Vec<(u32, Id)>>,
    /// Which record each message without a name is that the run at hand has read, by its number and size.
    pub(super) numbered: HashMap<(MessageNumber, Option<u64>), Id>,
    /// How many messages that listing had, and what tells their sizes.
    pub(super) sizes_listed: Option<(usize, u64)>,
    /// What counted as present in the listing before.
    pub(super) listed_before: Vec<Id>,
    /// Unique-ids that messages bear in the listing at hand which are no copies of one another.
    pub(super) vague: HashSet<Identity>,
    /// The intent that was read last: what is said of its end follows.
    latest: Option<Glance>,
    pub(super) failures: HashMap<Identity, Failures>,
    /// What headers told of messages that are not fetched.
    pub(super) headers: HashMap<Identity, Heard>,
    pub(super) onward: Onward,
    /// What was to be deleted while others of its size were still to come, and how many.
    pub(super) beside: HashMap<Id, u32>,
    pub(super) homes: Homes,
    pub(super) sizes: Sizes,
    pub(super) baseline: bool,
    /// The folders that the first listing lacks, and since when.
    pub(super) unread: BTreeMap<Box<str>, i64>,
    /// Where names came from that no listing has been held against yet.
    pub(super) origin: Option<Origin>,
    /// The last import of each tool, in the order of their names.
    pub(super) brought: Vec<Brought>,
    /// Some imported names have `-` where the server has `/`.
    pub(super) has_dashes: bool,
    /// Some names were imported.
    pub(super) has_imported: bool,
    /// A message was once listed with a unique-id.
    pub(super) has_unique_ids: bool,
    /// A message was once listed without one.
    pub(super) has_nameless: bool,
    /// Some records bear an identity that is not today's: that of a file's name.
    pub(super) has_strange_names: bool,
    /// Some have come back, or may have.
    pub(super) has_returned: bool,
    /// Some records are of messages whose files were lost.
    pub(super) has_lost: bool,
    pub(super) unpipelined: Option<i64>,
    pub(super) told: Told,
    /// Too many names that were passed over have other sizes in the listing at hand for any to be another message.
    pub(super) doubts_marks: bool,
    /// Messages from here on were not reported yet.
    pub(super) reported: Option<Id>,
    /// There is a complete listing at hand, and [`Record::present`] says what it holds.
    pub(super) listed: bool,
    /// Lines that a compaction would leave out.
    pub(super) superseded: u64,
}

impl Memory {
    pub(super) fn new(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            ..Self::default()
        }
    }

    /// The intents that neither came true nor to nothing yet.
    pub(super) fn open(&self) -> impl Iterator<Item = Id> + '_ {
        let records = (0..).zip(&self.records);
        let open = records.filter(|(_, record)| record.kind == Kind::Intended);
        open.map(|(id, _)| id)
    }

    /// The record bears another identity from here on.
    pub(super) fn rebind(&mut self, id: Id, identity: Identity) {
        let Some(record) = self.records.get_mut(place_of(id)) else {
            return;
        };
        let before = std::mem::replace(&mut record.identity, identity);
        self.by_identity.change(before, id, &self.records);
    }

    /// The id that the next I, R or M line gets.
    pub(super) fn next_id(&self) -> Id {
        Id::try_from(self.records.len()).unwrap_or(Id::MAX)
    }

    pub(super) fn record(&self, id: Id) -> Option<&Record> {
        self.records.get(place_of(id))
    }

    /// All records that bear this identity, oldest first.
    pub(super) fn all_of(&self, identity: Identity) -> Vec<Id> {
        let mut ids = self.by_identity.find_all(identity, &self.records);
        ids.sort_unstable();
        ids
    }

    pub(super) fn is_first(&self) -> bool {
        !self.baseline && self.records.is_empty()
    }

    /// A listing is at hand, of which nothing is known yet.
    pub(super) fn begin_listing(&mut self) {
        self.by_key = None;
        self.claims.clear();
        self.vague.clear();
        self.listed = false;
        self.headers.values_mut().for_each(|it| it.present = false);
        self.listed_before.clear();
        for (record, id) in self.records.iter_mut().zip(0..) {
            if record.present {
                self.listed_before.push(id);
            }
            record.present = false;
            if record.absence == Absence::Now {
                record.absence = Absence::Before;
            }
        }
    }

    pub(super) fn set_present(&mut self, id: Id, present: bool) {
        self.change(id, |record| record.present = present);
    }

    /// Messages that are stored, here or elsewhere, whose content may be this one.
    pub(super) fn candidates(&mut self, keys: [Key; 2]) -> Vec<Id> {
        let records = &self.records;
        let by_key = self.by_key.get_or_insert_with(|| {
            let stored =
                |record: &Record| record.kind == Kind::Stored || record.is_known_by_content();
            let stored = (0..).zip(records).filter(|(_, record)| stored(record));
            let mut places: Vec<_> = stored.map(|(id, record)| (record.key, id)).collect();
            places.sort_unstable();
            places
        });
        let mut found = Vec::new();
        for key in keys {
            let begin = by_key.partition_point(|(other, _)| *other < key);
            let fitting = by_key.iter().skip(begin);
            let fitting = fitting.take_while(|(other, _)| *other == key);
            found.extend(fitting.map(|(_, id)| *id));
        }
        found
    }

    /// The messages that are remembered as stored or marked.
    pub(super) fn living(&self) -> impl Iterator<Item = (Id, &Record)> + '_ {
        (0..).zip(&self.records).filter(|(_, record)| {
            matches!(record.kind, Kind::Stored | Kind::Marked) || record.kind.is_imported()
        })
    }

    /// Ids count up. Where a damaged line is missing there is a gap, which is filled; a line that
    /// goes back, or far ahead, is no line of ours, nor are several that go far ahead together.
    pub(super) fn insert(&mut self, id: Id, mut record: Record) {
        const WIDEST_GAPS: usize = 1_000_000;
        let place = place_of(id);
        let Some(gap) = place.checked_sub(self.records.len()) else {
            self.is_disordered = true;
            return;
        };
        if gap > WIDEST_GAPS - self.gaps {
            return;
        }
        self.gaps += gap;
        self.records.resize(place, Record::gap());
        record.run = self.homes.last_run();
        self.records.push(record);
    }

    pub(super) fn change(&mut self, id: Id, change: impl FnOnce(&mut Record)) {
        match self.records.get_mut(place_of(id)) {
            Some(record) => change(record),
            None => self.is_disordered = true,
        }
    }
}

impl Listing {
    /// Whether it can be recognised in a later session at all.
    pub(super) fn is_recognisable(&self) -> bool {
        self.unique_id.is_some()
    }
}
