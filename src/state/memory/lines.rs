//! What each line of the journal changes in what is remembered.

use super::Memory;
use crate::maildrop::Identity;
use crate::message::Size;
use crate::state::journal::{self, Reading};
use crate::state::record::{Entry, Glance, Id, Listing, Stored};
use crate::state::remembered::{Absence, Failures, Kind, Leave, NOBODY, Record, place_of};
use crate::state::time::{Octets, Time};
use std::io::{self, Read};

impl Memory {
    /// Reads a journal whose header is in order.
    pub(in crate::state) fn load(&mut self, input: impl Read) -> io::Result<Reading> {
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
    pub(in crate::state) fn apply(&mut self, entry: Entry, place: u64) {
        self.take_in(entry, place);
        self.by_identity.catch_up(&self.records);
    }

    fn take_in(&mut self, entry: Entry, place: u64) {
        match entry {
            Entry::Absent { id, time, count } => {
                self.change(id, |record| {
                    if count == 0 || (count == 1 && !record.is_absent()) {
                        record.absent_since = Time::new(time);
                    }
                    record.absences = count;
                    record.absence = Absence::of(count > 0);
                });
                self.superseded += u64::from(count != 1);
            }
            Entry::Again { id } => {
                (self.has_lost, self.lost) = (true, None);
                self.change(id, |record| record.kind = Kind::Lost);
                self.note_astray(id);
            }
            Entry::Alias { id, listing, .. } => self.relist(id, &listing),
            Entry::Baseline { .. } => {
                self.baseline = true;
                self.origin = None;
            }
            Entry::Unread {
                time,
                folder,
                is_listed,
            } => match is_listed {
                true => {
                    self.superseded += 2;
                    self.unread.remove(&folder);
                }
                false => {
                    self.unread.insert(folder, time);
                }
            },
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
            Entry::Deleted { id, time } => {
                let was_asked = self.record(id).is_some_and(|it| it.leave == Leave::Asked);
                self.superseded += u64::from(was_asked);
                self.change(id, |record| {
                    record.deleted = true;
                    record.absent_since = Time::new(time);
                });
            }
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
            Entry::Forgotten { id } => {
                self.change(id, |record| record.kind = Kind::Forgotten);
                self.note_astray(id);
            }
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
                    if matches!(record.leave, Leave::Returned | Leave::Copy) {
                        record.leave = Leave::Granted;
                    }
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
            Entry::Told { time, what } => {
                self.told.insert(what, time);
            }
            Entry::Undeletable { id, .. } => self.change(id, |record| {
                record.futile.add(false);
                if record.leave == Leave::Asked {
                    record.leave = Leave::None;
                }
            }),
            Entry::Unlisted { id, time } => self.change(id, |record| {
                record.absence = Absence::Before;
                if record.absences == 0 {
                    record.absent_since = Time::new(time);
                }
            }),
            Entry::Asked { id, beside, .. } => {
                self.note_beside(id, beside);
                self.change(id, |record| {
                    if record.leave == Leave::None {
                        record.leave = Leave::Asked;
                    }
                });
            }
            Entry::Granted { id } => self.change(id, |record| record.leave = Leave::Granted),
            Entry::Returned { id } => {
                self.has_returned = true;
                self.change(id, |record| {
                    if record.leave != Leave::Copy {
                        record.leave = Leave::Returned;
                    }
                });
            }
            Entry::Unpipelined { time } => self.unpipelined = Some(time),
        }
    }

    fn intend(&mut self, line: &Glance, place: u64) {
        let Glance {
            id, listed, octets, ..
        } = *line;
        self.has_unique_ids |= line.is_recognisable;
        self.has_nameless |= !line.is_recognisable;
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
        record.lines.note_evidence(line.size.is_some());
        if line.size == Some(Size::Off) {
            record.listed.note_off();
        }
        self.insert(id, record);
    }

    /// What was taken for cut is whole: so its size was wrong.
    fn believe_whole(&mut self, id: Id) {
        let doubted = |record: &Record| record.held && record.listed.are_off();
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
        self.inherit_attempt(id);
        if !self.has_lost {
            return;
        }
        // What was lost is here again.
        self.by_identity.catch_up(&self.records);
        self.find_again(id);
    }

    /// The message is the same under another listing, or listed again.
    fn relist(&mut self, id: Id, listing: &Listing) {
        let identity = listing.identity(&self.account);
        let Some(record) = self.records.get_mut(place_of(id)) else {
            return;
        };
        let before = record.octets.value();
        let resized = before.is_some() && before != listing.octets;
        // What is still there after its deletion was not deleted, unless it has come back by another name; any
        // other change is of its size.
        if record.deleted && identity.is_none_or(|identity| identity == record.identity) {
            record.futile.add(true);
        }
        let only_size = resized && !record.deleted && !record.is_absent() && !record.unsure;
        record.octets = Octets::new(listing.octets);
        record.absence = Absence::None;
        (record.deleted, record.unsure) = (false, false);
        record.absences = 0;
        let before = record.identity;
        // A server that writes into a message that was read changes its size once. Estimates change
        // again and again.
        let again = record.listed.have_changed();
        if resized {
            record.listed.note_change();
        }
        if again && only_size && identity == Some(before) {
            self.sizes.was_the_same();
        }
        if let Some(identity) = identity.filter(|identity| *identity != before) {
            self.rebind(id, identity);
        }
        // It is stored: what rules were told about what bears its name is of no more use.
        let had_told = identity.is_some_and(|it| self.headers.remove(&it).is_some());
        self.superseded += u64::from(had_told);
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
}
