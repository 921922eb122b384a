//! What the journal says, in memory: one small record a message, found by identity or content.

use super::index::Index;
use super::record::{Entry, FailureKind, Id, Listing, Stored};
use super::time::Time;
use crate::maildrop::Identity;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

/// The identity of what has none.
const NOBODY: Identity = Identity([0; 16]);

/// The first octets of a content's SHA-256: enough to tell messages apart.
type ContentKey = [u8; 16];

/// After so many complete listings without it, a message may be forgotten one day (E5).
pub(super) const ABSENCES: u8 = 3;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Its intent is in the journal and nothing else: a crash must have come between.
    Intended,
    /// It is stored, or was until its owner removed it.
    Stored,
    /// Seen on request; never fetched, never to be deleted.
    Marked,
    /// It was to be stored, and was not.
    Dropped,
    /// Nothing is known any more, because someone wanted it forgotten.
    Forgotten,
}

impl Kind {
    /// Whether a listed message can be recognised by it.
    pub(super) fn is_known(self) -> bool {
        !matches!(self, Self::Dropped | Self::Forgotten)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) identity: Identity,
    content: ContentKey,
    /// When it was fetched or marked.
    pub(super) time: Time,
    pub(super) kind: Kind,
    /// How often the server confirmed its deletion.
    pub(super) deletions: u8,
    /// It was listed again after a confirmed deletion, and its content was the same.
    pub(super) reappeared: bool,
    /// How many complete listings in a row lacked it.
    pub(super) absences: u8,
    /// Since when it has been absent, or deleted.
    pub(super) absent_since: Time,
    /// The session at hand lists it.
    pub(super) present: bool,
}

/// An intent that neither came true nor to nothing yet.
#[derive(Clone, Debug)]
pub(super) struct OpenIntent {
    pub(super) stored: Stored,
    /// The run that wrote it: which boot of the machine, and which Maildir.
    pub(super) run: usize,
}

/// A run that wrote to the journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Run {
    pub(super) time: i64,
    pub(super) boot: String,
    pub(super) maildir: PathBuf,
}

/// What is known of a listed message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Known {
    /// Nothing but perhaps failures.
    New(Option<Failures>),
    /// It was stored.
    Stored {
        /// When, in seconds since 1970.
        since: i64,
        /// How often the server has confirmed its deletion and still lists it.
        deletions: u8,
    },
    /// It was stored, the server confirmed its deletion, and now it is listed again: or another
    /// message under the same unique-id and of the same size. Its content will tell.
    Doubtful,
    /// It was marked as seen, and never fetched.
    Marked,
}

/// How often a message could not be fetched, and when that was last tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Failures {
    /// How it failed last.
    pub kind: FailureKind,
    /// How often it failed in this way.
    pub count: u32,
    /// When, in seconds since 1970.
    pub last: i64,
}

#[derive(Default)]
pub(super) struct Memory {
    pub(super) account: String,
    pub(super) records: Vec<Record>,
    /// How many of them stand for lines that are missing.
    gaps: usize,
    by_identity: Index,
    /// What was listed under another identity than it bears, or again under its own.
    aliases: HashMap<Identity, Id>,
    /// In order.
    by_content: Option<Vec<(ContentKey, Id)>>,
    pub(super) open: BTreeMap<Id, OpenIntent>,
    pub(super) failures: HashMap<Identity, Failures>,
    pub(super) runs: Vec<Run>,
    pub(super) baseline: bool,
    /// A message was once listed with a unique-id.
    pub(super) has_unique_ids: bool,
    pub(super) unpipelined: Option<i64>,
    /// There is a listing at hand, and [`Record::present`] says what it holds.
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

    /// Takes in a line, from the journal or about to go there. A line about an id that never was
    /// changes nothing.
    pub(super) fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Absent { id, time, count } => {
                self.change(id, |record| {
                    if count <= 1 {
                        record.absent_since = Time::new(time);
                    }
                    record.absences = count;
                });
                self.superseded += u64::from(count != 1);
            }
            Entry::Alias { id, listing, .. } => {
                let identity = listing.identity(&self.account);
                self.change(id, |record| {
                    record.reappeared |= record.deletions > 0;
                    record.absences = 0;
                });
                if let Some(identity) = identity {
                    self.aliases.insert(identity, id);
                }
            }
            Entry::Baseline { .. } => self.baseline = true,
            Entry::Began {
                time,
                boot,
                maildir,
            } => {
                self.superseded += u64::from(!self.runs.is_empty());
                self.runs.push(Run {
                    time,
                    boot,
                    maildir,
                });
            }
            Entry::Deleted { id, time } => self.change(id, |record| {
                record.deletions = record.deletions.saturating_add(1);
                record.absent_since = Time::new(time);
            }),
            Entry::Dropped { id } => {
                self.open.remove(&id);
                self.superseded += 2;
                self.change(id, |record| record.kind = Kind::Dropped);
            }
            Entry::Failed {
                time,
                listing,
                kind,
                count,
            } => {
                if let Some(identity) = listing.identity(&self.account) {
                    let failures = Failures {
                        kind,
                        count,
                        last: time,
                    };
                    let before = self.failures.insert(identity, failures);
                    self.superseded += u64::from(before.is_some());
                }
            }
            // Not superseded: see `compact`.
            Entry::Forgotten { id } => self.change(id, |record| record.kind = Kind::Forgotten),
            // Only `inspect` wants to know: to a fetch it is stored, wherever its file is.
            Entry::Gone { .. } => {}
            Entry::Found { id, time, stored } => self.push(id, Kind::Stored, time, &stored),
            Entry::Intent {
                id,
                time,
                listing,
                stored,
            } => {
                self.has_unique_ids |= listing.is_recognisable();
                self.push(id, Kind::Intended, time, &stored);
                let run = self.runs.len().saturating_sub(1);
                self.open.insert(id, OpenIntent { stored, run });
            }
            Entry::Marked { id, time, listing } => {
                self.has_unique_ids = true;
                let identity = listing.identity(&self.account).unwrap_or(NOBODY);
                self.insert(id, Record::new(Kind::Marked, time, identity, [0; 16]));
            }
            // A range that goes backwards was not written by us, and would panic below.
            Entry::Seen { first, last } if first > last => {}
            Entry::Seen { first, last } => {
                let carried_out: Vec<Id> =
                    self.open.range(first..=last).map(|(id, _)| *id).collect();
                for id in carried_out {
                    self.open.remove(&id);
                    self.change(id, |record| record.kind = Kind::Stored);
                    if let Some(record) = self.records.get(place(id)) {
                        let identity = record.identity;
                        self.superseded += u64::from(self.failures.remove(&identity).is_some());
                    }
                }
            }
            Entry::Unpipelined { time } => self.unpipelined = Some(time),
        }
    }

    /// The id that the next I, R or M line gets.
    pub(super) fn next_id(&self) -> Id {
        Id::try_from(self.records.len()).unwrap_or(Id::MAX)
    }

    pub(super) fn record(&self, id: Id) -> Option<&Record> {
        self.records.get(place(id))
    }

    /// The record of a message that is listed under this identity.
    pub(super) fn find(&self, identity: Identity) -> Option<(Id, &Record)> {
        let id = self.id_of(identity)?;
        let record = self.record(id).filter(|record| record.kind.is_known())?;
        Some((id, record))
    }

    fn id_of(&self, identity: Identity) -> Option<Id> {
        let alias = self.aliases.get(&identity).copied();
        alias.or_else(|| self.by_identity.find(identity, &self.records))
    }

    /// Whether a file that bears this identity in its name is accounted for. One whose storing
    /// was given up is not: it should have been removed, and where that failed it is there.
    pub(super) fn accounts_for(&self, identity: Identity) -> bool {
        let id = self.id_of(identity);
        let record = id.and_then(|id| self.record(id));
        record.is_some_and(|record| record.kind != Kind::Dropped)
    }

    /// Whether no other message came later under the identity of this one.
    pub(super) fn is_newest(&self, id: Id) -> bool {
        let record = self.record(id);
        record.is_some_and(|record| self.id_of(record.identity) == Some(id))
    }

    pub(super) fn is_first(&self) -> bool {
        !self.baseline && self.records.is_empty()
    }

    /// A listing is at hand, of which nothing is known yet.
    pub(super) fn begin_listing(&mut self) {
        self.by_content = None;
        self.listed = true;
        for record in &mut self.records {
            record.present = false;
        }
    }

    pub(super) fn set_present(&mut self, id: Id) {
        self.change(id, |record| record.present = true);
    }

    /// A stored message of this content that the session at hand does not list otherwise, so that
    /// a message of unknown identity may be it. One that the server confirmed to have deleted is
    /// it only under its own identity.
    pub(super) fn find_content(
        &mut self,
        content: &[u8; 32],
        identity: Option<Identity>,
    ) -> Option<Id> {
        let own = identity.and_then(|identity| self.id_of(identity));
        let records = &self.records;
        let by_content = self.by_content.get_or_insert_with(|| {
            let absent = |record: &Record| record.kind == Kind::Stored && !record.present;
            let absent = (0..).zip(records).filter(|(_, record)| absent(record));
            let mut places: Vec<_> = absent.map(|(id, record)| (record.content, id)).collect();
            places.sort_unstable();
            places
        });
        let key = content_key(content);
        let begin = by_content.partition_point(|(content, _)| *content < key);
        let candidates = by_content.iter().skip(begin);
        let fits = |id: &Id| {
            records.get(place(*id)).is_some_and(|record| {
                let may_be_it = record.deletions == 0 || own == Some(*id);
                record.kind == Kind::Stored && !record.present && may_be_it
            })
        };
        candidates
            .take_while(|(content, _)| *content == key)
            .map(|(_, id)| *id)
            .find(fits)
    }

    /// The messages that are remembered as stored or marked.
    pub(super) fn living(&self) -> impl Iterator<Item = (Id, &Record)> + '_ {
        (0..)
            .zip(&self.records)
            .filter(|(_, record)| matches!(record.kind, Kind::Stored | Kind::Marked))
    }

    fn push(&mut self, id: Id, kind: Kind, time: i64, stored: &Stored) {
        // Every name that `UniqueName` reads bears an identity.
        let identity = stored.name.identity().unwrap_or(NOBODY);
        let content = content_key(&stored.digests.content);
        self.insert(id, Record::new(kind, time, identity, content));
    }

    /// Ids count up. Where a damaged line is missing there is a gap, which is filled; a line that
    /// goes back, or far ahead, is no line of ours, nor are several that go far ahead together.
    fn insert(&mut self, id: Id, record: Record) {
        const WIDEST_GAPS: usize = 1_000_000;
        let place = place(id);
        let Some(gap) = place.checked_sub(self.records.len()) else {
            return;
        };
        if gap > WIDEST_GAPS - self.gaps {
            return;
        }
        self.gaps += gap;
        let gap = Record::new(Kind::Forgotten, 0, NOBODY, [0; 16]);
        self.records.resize(place, gap);
        self.aliases.remove(&record.identity);
        self.by_identity.insert(record.identity, id, &self.records);
        self.records.push(record);
    }

    fn change(&mut self, id: Id, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.records.get_mut(place(id)) {
            change(record);
        }
    }
}

impl Record {
    pub(super) fn new(kind: Kind, time: i64, identity: Identity, content: ContentKey) -> Self {
        Self {
            identity,
            content,
            time: Time::new(time),
            kind,
            deletions: 0,
            reappeared: false,
            absences: 0,
            absent_since: Time::default(),
            present: false,
        }
    }
}

impl Listing {
    /// Whether it can be recognised in a later session at all.
    pub(super) fn is_recognisable(&self) -> bool {
        self.unique_id.is_some()
    }
}

pub(super) fn place(id: Id) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}

fn content_key(content: &[u8; 32]) -> ContentKey {
    let mut key = [0; 16];
    key.iter_mut()
        .zip(content)
        .for_each(|(place, octet)| *place = *octet);
    key
}
