//! What the journal says, in memory: one small record a message, found by identity or content. What
//! is only wanted in doubt stays in the journal, and each record knows where.

use super::homes::Homes;
use super::index::Index;
use super::journal::{self, Reading};
use super::record::{Entry, Glance, Id, Listing, Origin, Stored};
use super::remembered::{Failures, Heard, Key, Kind, NOBODY, Onward, Record, place_of};
use super::sizes::Sizes;
use super::time::{Octets, Time};
use crate::maildir::{Brought, JournalId};
use crate::maildrop::Identity;
use crate::message::Size;
use std::collections::HashMap;
use std::io::{self, Read};

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
    /// In order.
    by_key: Option<Vec<(Key, Id)>>,
    /// Which record each message of the listing at hand is, by its turn, where several bear a name.
    pub(super) claims: HashMap<Identity, Vec<(u32, Id)>>,
    /// The intent that was read last: what is said of its end follows.
    latest: Option<Glance>,
    pub(super) failures: HashMap<Identity, Failures>,
    /// What headers told of messages that are not fetched.
    pub(super) headers: HashMap<Identity, Heard>,
    pub(super) onward: Onward,
    pub(super) homes: Homes,
    pub(super) sizes: Sizes,
    pub(super) baseline: bool,
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
    /// Some records bear an identity that is not today's: that of a file's name.
    pub(super) has_strange_names: bool,
    /// Some records are of messages whose files were lost.
    has_lost: bool,
    pub(super) unpipelined: Option<i64>,
    /// When it was last told that something is not deleted.
    pub(super) told: Option<i64>,
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

    /// Reads a journal whose header is in order.
    pub(super) fn load(&mut self, input: impl Read) -> io::Result<Reading> {
        let reading = journal::read_lines(input, |line, place| {
            // A former account's names bear another identity.
            if let Some(glance) = Glance::read(line).filter(|_| self.former.is_empty()) {
                self.intend(&glance, place);
                return true;
            }
            let entry = Entry::read(line);
            entry.map(|entry| self.take_in(entry, place)).is_some()
        });
        self.by_identity.catch_up(&self.records);
        reading
    }

    /// Takes in a line, from the journal or about to go there, that stands at this place. A line
    /// about an id that never was changes nothing.
    pub(super) fn apply(&mut self, entry: Entry, place: u64) {
        self.take_in(entry, place);
        self.by_identity.catch_up(&self.records);
    }

    fn take_in(&mut self, entry: Entry, place: u64) {
        match entry {
            Entry::Absent { id, time, count } => {
                self.change(id, |record| {
                    if count <= 1 {
                        record.absent_since = Time::new(time);
                    }
                    record.absences = count;
                    record.absent = count > 0;
                });
                self.superseded += u64::from(count != 1);
            }
            Entry::Again { id } => {
                self.has_lost = true;
                // Nobody hands on what is not there.
                self.onward.handing = self.onward.handing.filter(|(other, _)| *other != id);
                self.change(id, |record| record.kind = Kind::Lost);
            }
            Entry::Alias { id, listing, .. } => self.relist(id, &listing),
            Entry::Baseline { .. } => {
                self.baseline = true;
                self.origin = None;
            }
            Entry::Began {
                time,
                boot,
                maildir,
                maildir_id,
                generation,
                nonce,
            } => {
                let raised = (generation, nonce);
                self.homes
                    .begin_run(time, boot, maildir, maildir_id, raised);
            }
            Entry::Deleted { id, time } => self.change(id, |record| {
                record.deleted = true;
                record.absent_since = Time::new(time);
            }),
            Entry::Disorder { first, last } => {
                let range =
                    place_of(first)..place_of(last).saturating_add(1).min(self.records.len());
                let records = self.records.get_mut(range).unwrap_or_default();
                records.iter_mut().for_each(|record| record.unsure = true);
            }
            Entry::Doubtful { id } => {
                // The fault of one message says nothing of the server's sizes.
                let latest = self.latest.filter(|latest| latest.id == id);
                if let Some((latest, size)) = latest.and_then(|it| Some((it, it.size?))) {
                    self.sizes.was_doubtful(size, latest.listed, latest.octets);
                }
                self.change(id, |record| record.held = true);
            }
            Entry::Dropped { id } => {
                self.superseded += 2;
                self.change(id, |record| record.kind = Kind::Dropped);
            }
            entry @ (Entry::Due { .. }
            | Entry::Extent(_)
            | Entry::Handed { .. }
            | Entry::Handing { .. }
            | Entry::NotTaken { .. }) => self.take_in_handing(&entry),
            Entry::Evidence { id, stored } => self.change(id, |record| {
                record.set_evidence(&stored, place);
            }),
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
            // What a crash left half done is forgotten with it.
            Entry::Forgotten { id } => self.change(id, |record| record.kind = Kind::Forgotten),
            Entry::Former { account, journal } => self.former.push((account, journal)),
            Entry::Found { id, time, stored } => {
                self.has_strange_names = true;
                let identity = stored.name.identity().unwrap_or(NOBODY);
                self.push(id, Kind::Stored, time, identity, &stored, place);
            }
            Entry::Generation { generation, nonces } => {
                self.homes.set_generation(generation);
                self.homes.nonces.take_in(&nonces);
            }
            Entry::Gone { id, .. } => {
                self.believe_whole(id);
                self.change(id, |record| {
                    (record.gone, record.held, record.unsure) = (true, false, false);
                    if record.kind == Kind::Lost {
                        record.kind = Kind::Stored;
                    }
                });
            }
            Entry::Header { listing, gist, .. } => self.hear(&listing, gist, place),
            Entry::Home {
                maildir,
                maildir_id,
                taken,
            } => self.homes.name(&maildir, maildir_id, taken),
            Entry::Import(origin) => {
                self.has_dashes |= origin.dashes;
                self.note_import(&origin);
                self.origin = Some(origin);
            }
            Entry::Intent {
                id,
                time,
                listing,
                stored,
            } => {
                let identity = self.identity_of(&listing, &stored);
                self.intend(&Glance::of(id, time, identity, &listing, &stored), place);
            }
            Entry::Marked {
                id,
                time,
                listing,
                by,
            } => self.mark(id, time, &listing, &by, place),
            Entry::Reported { before } => {
                self.superseded += u64::from(self.reported.is_some());
                self.reported = Some(before);
            }
            Entry::Seen { first, last } => {
                self.latest = None;
                let next = self.next_id();
                self.is_disordered |= last >= next;
                (first..=last)
                    .take_while(|id| *id < next)
                    .for_each(|id| self.carry_out(id));
            }
            Entry::Sizes(sizes) => self.sizes = sizes,
            Entry::Back { id } => {
                self.believe_whole(id);
                self.change(id, |record| {
                    (record.held, record.unsure) = (false, false);
                    if record.kind == Kind::Lost {
                        record.kind = Kind::Stored;
                    }
                });
            }
            Entry::Told { time } => self.told = Some(time),
            Entry::Undeletable { id, .. } => self.change(id, |record| {
                record.futile.add(false);
            }),
            Entry::Unlisted { id, time } => self.change(id, |record| {
                record.absent = true;
                if record.absences == 0 {
                    record.absent_since = Time::new(time);
                }
            }),
            // Only `inspect` wants to know.
            Entry::Asked { .. } => {}
            Entry::Unpipelined { time } => self.unpipelined = Some(time),
        }
    }

    fn intend(&mut self, line: &Glance, place: u64) {
        let Glance {
            id, listed, octets, ..
        } = *line;
        self.has_unique_ids |= line.is_recognisable;
        if line.turn > 0 {
            self.sizes.was_another();
        }
        if let Some(size) = line.size {
            self.sizes.retrieved(size, listed, octets);
        }
        self.latest = Some(*line);
        let mut record = Record::new(Kind::Intended, line.time, line.identity, line.key);
        record.place = Octets::new(Some(place));
        record.octets = Octets::new(listed);
        record.has_evidence = line.size.is_some();
        record.is_off = line.size == Some(Size::Off);
        self.insert(id, record);
    }

    /// The intents that neither came true nor to nothing yet.
    pub(super) fn open(&self) -> impl Iterator<Item = Id> + '_ {
        let records = (0..).zip(&self.records);
        let open = records.filter(|(_, record)| record.kind == Kind::Intended);
        open.map(|(id, _)| id)
    }

    /// What was taken for cut is whole: so its size was wrong.
    fn believe_whole(&mut self, id: Id) {
        let doubted = |record: &Record| record.held && record.is_off;
        if self.record(id).is_some_and(doubted) {
            self.sizes.was_whole();
        }
    }

    fn carry_out(&mut self, id: Id) {
        let Some(before) = self
            .record(id)
            .filter(|record| record.kind == Kind::Intended)
        else {
            return;
        };
        let (before, identity) = (before.run, before.identity);
        // A run that settles what a crash left is the one that delivered it, if it was to this
        // Maildir.
        let run = self.homes.last_run();
        let here = self.homes.are_of_one(before, run);
        self.change(id, |record| {
            record.kind = Kind::Stored;
            if here {
                record.run = run;
            }
        });
        // Hardly any has failed, and each would be hashed.
        let had_failed = !self.failures.is_empty() && self.failures.remove(&identity).is_some();
        let had_told = !self.headers.is_empty() && self.headers.remove(&identity).is_some();
        self.superseded += u64::from(had_failed) + u64::from(had_told);
        if !self.has_lost {
            return;
        }
        // What was lost is here again.
        self.by_identity.catch_up(&self.records);
        for lost in self.all_of(identity) {
            self.change(lost, |record| {
                if record.kind == Kind::Lost {
                    record.kind = Kind::Dropped;
                }
            });
        }
    }

    /// The message is the same under another listing, or listed again.
    fn relist(&mut self, id: Id, listing: &Listing) {
        let identity = listing.identity(&self.account);
        let Some(record) = self.records.get_mut(place_of(id)) else {
            return;
        };
        let before = record.octets.value();
        let resized = before.is_some() && before != listing.octets;
        // What came back after its deletion was not deleted; any other change is of its size.
        if record.deleted {
            record.futile.add(true);
        }
        let only_size = resized && !record.deleted && !record.absent && !record.unsure;
        record.octets = Octets::new(listing.octets);
        (record.absent, record.deleted, record.unsure) = (false, false, false);
        record.absences = 0;
        let before = record.identity;
        // A server that writes into a message that was read changes its size once. Estimates change
        // again and again.
        let again = record.was_resized;
        record.was_resized |= resized;
        if again && only_size && identity == Some(before) {
            self.sizes.was_the_same();
        }
        if let Some(identity) = identity.filter(|identity| *identity != before) {
            self.rebind(id, identity);
        }
    }

    /// The record bears another identity from here on.
    pub(super) fn rebind(&mut self, id: Id, identity: Identity) {
        let Some(record) = self.records.get_mut(place_of(id)) else {
            return;
        };
        let before = std::mem::replace(&mut record.identity, identity);
        self.by_identity.change(before, id, &self.records);
    }

    /// Of our own lines the file's name has it, which saves a hash a line.
    fn identity_of(&self, listing: &Listing, stored: &Stored) -> Identity {
        let named = stored.name.identity().unwrap_or(NOBODY);
        let ours = stored.evidence.is_some() && self.former.is_empty();
        match ours {
            true => named,
            false => listing.identity(&self.account).unwrap_or(named),
        }
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
        self.listed = false;
        self.headers.values_mut().for_each(|it| it.present = false);
        for record in &mut self.records {
            record.present = false;
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

    fn push(
        &mut self,
        id: Id,
        kind: Kind,
        time: i64,
        identity: Identity,
        stored: &Stored,
        place: u64,
    ) {
        let mut record = Record::new(kind, time, identity, [0; 4]);
        record.set_evidence(stored, place);
        self.insert(id, record);
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
