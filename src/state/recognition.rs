//! What is known of each message of a listing, one after the other (E11).
//!
//! A listed message is compared with all records of its name: those of its size first, then in their
//! order. Where something about it is not as it was, it is doubtful; `doubt` judges then.

use super::Known;
use super::memory::Memory;
use super::record::Id;
use super::remembered::{Kind, Record};
use crate::maildrop::{Identity, Maildrop, Message};
use std::collections::HashMap;
use std::ops::Range;

/// Recognises the messages of a complete listing, place by place. A maildrop may list a million, so
/// whoever asks keeps what is worth keeping. What is recognised counts as present; dropping this
/// goes through the rest, so that nothing counts as absent for not being asked about.
pub struct Recognition<'a> {
    memory: &'a mut Memory,
    maildrop: &'a Maildrop,
    places: Range<usize>,
}

impl<'a> Recognition<'a> {
    pub(super) fn new(memory: &'a mut Memory, maildrop: &'a Maildrop) -> Self {
        memory.begin_listing();
        memory.see_marks(maildrop);
        memory.claim_shared(maildrop);
        memory.claim_numbered(maildrop);
        Self {
            memory,
            maildrop,
            places: 0..maildrop.len(),
        }
    }
}

impl Iterator for Recognition<'_> {
    type Item = Known;

    fn next(&mut self) -> Option<Known> {
        let place = self.places.next()?;
        Some(self.memory.recognise(self.maildrop, place))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl ExactSizeIterator for Recognition<'_> {}

impl Drop for Recognition<'_> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

impl Memory {
    fn recognise(&mut self, maildrop: &Maildrop, place: usize) -> Known {
        let Some(listed) = maildrop.listed(place) else {
            return Known::New(None);
        };
        let Some(identity) = listed.identity else {
            return Known::New(None);
        };
        let id = match listed.shared {
            true => self.claim_of(identity, listed.turn),
            false => {
                let bearers = self.bearers(identity, maildrop, place);
                self.likeliest(&bearers, listed.octets)
            }
        };
        let Some(id) = id else {
            return Known::New(self.failures.get(&identity).copied());
        };
        if self
            .record(id)
            .is_some_and(|it| self.is_another(it, listed.octets))
        {
            return Known::New(self.failures.get(&identity).copied());
        }
        if listed.turn == 0 && self.is_left(identity, id, listed.octets) {
            return Known::New(self.failures.get(&identity).copied());
        }
        // It was compared in a session that broke the protocol, and may be another one.
        if self
            .record(id)
            .is_some_and(|it| it.is_known_by_content() && it.unsure)
        {
            return Known::New(self.failures.get(&identity).copied());
        }
        self.set_present(id, true);
        let Some(record) = self.record(id) else {
            return Known::New(None);
        };
        let since = self.age_begins(record);
        match record.kind {
            Kind::Marked | Kind::Imported => Known::Marked,
            Kind::Released if self.is_resized(record, listed.octets) => Known::Marked,
            Kind::Released => Known::Stored {
                since,
                futile: record.futile.times(),
                held: false,
            },
            Kind::Lost => Known::Lost,
            _ if self.is_doubtful(record, listed.octets) => Known::Doubtful { since },
            _ if listed.shared && self.vague.contains(&identity) => Known::Doubtful { since },
            _ => Known::Stored {
                since,
                futile: record.futile.times(),
                held: record.held || record.is_last_copy() || self.onward.due.contains(&id),
            },
        }
    }

    /// Whether a listed message is another one than the stored one of its name, as an earlier run has found, and
    /// rules have left it: a header that was read stays remembered until its message is stored.
    fn is_left(&mut self, identity: Identity, id: Id, octets: Option<u64>) -> bool {
        let was_stored = |record: &Record| matches!(record.kind, Kind::Stored | Kind::Lost);
        let is_stored = self.record(id).is_some_and(was_stored);
        let Some(heard) = self.headers.get_mut(&identity).filter(|_| is_stored) else {
            return false;
        };
        let is_it = heard.octets == octets && !heard.gist.is_of_arrival();
        heard.present |= is_it;
        is_it
    }

    /// Whether any message of the account was ever stored.
    pub(super) fn has_stored(&self) -> bool {
        let stored = |record: &Record| matches!(record.kind, Kind::Stored | Kind::Lost);
        self.records.iter().any(stored)
    }

    /// From when on a message has been here for certain: never, where the clock was wrong and nobody
    /// knows.
    pub(super) fn age_begins(&self, record: &Record) -> i64 {
        if record.kind.is_imported() {
            // Another tool's time, by another tool's clock.
            return record.time.seconds();
        }
        let begins = self.homes.age_begins(record.time.seconds(), record.run);
        // In a journal that was merged the order of runs says nothing.
        let begins = begins.filter(|it| *it == record.time.seconds() || self.former.is_empty());
        begins.unwrap_or(i64::MAX)
    }

    /// The records that a listed message of this name may be, oldest first.
    fn bearers(&mut self, identity: Identity, maildrop: &Maildrop, place: usize) -> Vec<Id> {
        let known = |memory: &Self, identity| {
            let mut ids = memory.all_of(identity);
            ids.retain(|id| memory.record(*id).is_some_and(Record::is_known));
            ids
        };
        let ids = known(self, identity);
        if !ids.is_empty() {
            return ids;
        }
        if let Some(id) = self.with_dashes(maildrop, place) {
            self.rebind(id, identity);
            return vec![id];
        }
        if !self.has_strange_names {
            return ids;
        }
        // A file's name may bear what the first version, or a former account, called the message.
        for strange in self.strange_names(maildrop, place) {
            let ids = known(self, strange);
            if !ids.is_empty() {
                ids.iter().for_each(|id| self.rebind(*id, identity));
                return ids;
            }
        }
        Vec::new()
    }

    fn strange_names(&self, maildrop: &Maildrop, place: usize) -> Vec<Identity> {
        let Some(message) = maildrop.message(place) else {
            return Vec::new();
        };
        let Some(unique_id) = &message.unique_id else {
            return Vec::new();
        };
        let former = self.former.iter().map(|(account, _)| account.as_str());
        let accounts = former.chain([self.account.as_str()]);
        accounts
            .flat_map(|account| {
                let old = |turn| Identity::of_version_1(account, unique_id, message.octets, turn);
                [Identity::new(account, unique_id), old(0), old(message.turn)]
            })
            .collect()
    }

    /// Of several records that a message may be, the one of its size, or else the newest that is
    /// still on the server as far as is known.
    fn likeliest(&self, bearers: &[Id], octets: Option<u64>) -> Option<Id> {
        let newest = |fits: &dyn Fn(&Record) -> bool| {
            let mut ids = bearers.iter().rev().copied();
            ids.find(|id| self.record(*id).is_some_and(fits))
        };
        let gone = is_gone;
        let sized = |record: &Record| octets.is_some() && record.octets.value() == octets;
        newest(&|record| sized(record) && !gone(record))
            .or_else(|| newest(&sized))
            .or_else(|| newest(&|record| !gone(record)))
            .or_else(|| bearers.last().copied())
    }

    /// Which records the messages are whose unique-id is listed more than once: those of their sizes
    /// first, then in their order. A record stands for one of them at most.
    fn claim_shared(&mut self, maildrop: &Maildrop) {
        let mut groups: HashMap<Identity, Vec<usize>> = HashMap::new();
        for place in maildrop.shared() {
            if let Some(identity) = maildrop.identity(place) {
                groups.entry(identity).or_default().push(place);
            }
        }
        for (identity, places) in groups {
            let Some(first) = places.first() else {
                continue;
            };
            let mut free = self.bearers(identity, maildrop, *first);
            // What is not listed any more comes last.
            free.sort_by_key(|id| self.record(*id).is_some_and(is_gone));
            if self.are_several(&free) {
                self.vague.insert(identity);
            }
            let mut rest = Vec::new();
            for place in places {
                let Some(listed) = maildrop.listed(place) else {
                    continue;
                };
                let sized = |id: &Id| {
                    let octets = self.record(*id).and_then(|record| record.octets.value());
                    octets.is_some() && octets == listed.octets
                };
                match free.iter().position(sized) {
                    Some(at) => self.note_claim(identity, listed.turn, free.remove(at)),
                    None => rest.push(listed.turn),
                }
            }
            for (turn, id) in rest.into_iter().zip(free) {
                self.note_claim(identity, turn, id);
            }
        }
    }

    /// Whether these records, of one name, are of messages that are no copies of one another. Then the name does
    /// not tell which one is listed: when one of them goes and another comes, its size may be the same.
    fn are_several(&self, ids: &[Id]) -> bool {
        let records = ids.iter().filter_map(|id| self.record(*id));
        let here = records.filter(|it| it.kind == Kind::Stored && !is_gone(it));
        let mut keys = here.map(|record| record.key);
        let first = keys.next();
        keys.any(|key| Some(key) != first)
    }

    /// Whether something about a listed message is not as it was (E11.2).
    fn is_doubtful(&self, record: &Record, octets: Option<u64>) -> bool {
        let stored = record.octets.value();
        let resized = match stored {
            // Found in the Maildir, where nobody knows how it was listed.
            None => record.lines.have_evidence(),
            Some(_) => octets.is_some() && stored != octets && !self.sizes.are_estimates(),
        };
        record.deleted || record.is_absent() || record.unsure || resized
    }

    /// Whether nothing is doubtful about a listed message but that others which are no copies of it have its name.
    pub(super) fn is_namesake(&self, message: &Message) -> bool {
        let is_shared = message.identity.is_some_and(|it| self.vague.contains(&it));
        let record = self.claimed(message).and_then(|id| self.record(id));
        is_shared && record.is_some_and(|record| !self.is_doubtful(record, message.octets))
    }

    /// The record that a listed message counts as.
    pub(super) fn claimed(&self, message: &Message) -> Option<Id> {
        let Some(identity) = message.identity else {
            return self.numbered(message);
        };
        // Of the first of a name, or the only one, nothing need be noted.
        self.claim_of(identity, message.turn).or_else(|| {
            let claims = self.claims.get(&identity);
            let taken =
                |id: &Id| claims.is_some_and(|all| all.iter().any(|(_, other)| other == id));
            let mut free = self
                .all_of(identity)
                .into_iter()
                .filter(|id| self.record(*id).is_some_and(|record| record.present) && !taken(id));
            free.next().filter(|_| message.turn == 0)
        })
    }

    /// From here on a listed message counts as this record.
    pub(super) fn claim(&mut self, message: &Message, id: Id) {
        self.set_present(id, true);
        let Some(identity) = message.identity else {
            let number = (message.number, message.octets);
            self.numbered.insert(number, id);
            return;
        };
        let alone = message.turn == 0 && self.all_of(identity) == [id];
        if !alone {
            self.note_claim(identity, message.turn, id);
        }
    }

    /// It does not count as this record.
    pub(super) fn unclaim(&mut self, message: &Message, id: Id) {
        self.set_present(id, false);
        if message.identity.is_none() {
            self.numbered.remove(&(message.number, message.octets));
        }
        if let Some(claims) = message.identity.and_then(|it| self.claims.get_mut(&it)) {
            claims.retain(|(turn, _)| *turn != message.turn);
        }
    }

    fn claim_of(&self, identity: Identity, turn: u32) -> Option<Id> {
        let mut claims = self.claims.get(&identity)?.iter();
        claims.find(|(other, _)| *other == turn).map(|(_, id)| *id)
    }

    pub(super) fn note_claim(&mut self, identity: Identity, turn: u32, id: Id) {
        let claims = self.claims.entry(identity).or_default();
        claims.retain(|(other, _)| *other != turn);
        claims.push((turn, id));
    }
}

/// Whether the server does not list it any more, as far as is known.
fn is_gone(record: &Record) -> bool {
    record.deleted || record.is_absent()
}

impl Record {
    /// Whether a listed message can be recognised by it.
    pub(super) fn is_known(&self) -> bool {
        matches!(self.kind, Kind::Stored | Kind::Lost | Kind::Marked) || self.kind.is_imported()
    }
}
