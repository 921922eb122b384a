//! What one session has shown, told apart from what was recorded before it, and what the next sessions of its
//! run know by it: each message is one record's, also where it is not read once more.

use super::memory::Memory;
use super::record::{Entry, Id};
use super::remembered::Kind;
use super::{Error, Store};
use crate::maildrop::{Identity, Maildrop, Message};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

impl Store {
    /// A session begins: what it records is told apart from what was recorded before.
    pub fn begin_session(&mut self) {
        self.session = self.memory.next_id();
        self.verified.clear();
        self.expected = None;
    }

    /// The session at hand has broken the protocol: whatever it recorded may be another message, or
    /// half of one, and is looked at again before it is believed (E12). Durable on return.
    pub fn distrust_session(&mut self) -> Result<(), Error> {
        let next = self.memory.next_id();
        // Nor is what it has read under a number that message.
        self.memory.numbered.clear();
        let mut entries = Vec::new();
        if self.session < next {
            let (first, last) = (self.session, next - 1);
            entries.push(Entry::Disorder { first, last });
        }
        // What it showed to be the same may have been shown by another message's header.
        for id in std::mem::take(&mut self.verified) {
            entries.push(Entry::Disorder {
                first: id,
                last: id,
            });
        }
        if entries.is_empty() {
            return Ok(());
        }
        for entry in entries {
            self.write([entry]);
        }
        self.sync()
    }

    /// Whether a message without a name has come in this run, and is here: its number tells that, until
    /// a listing has others at its beginning, or something is deleted.
    pub fn has_come(&self, message: &Message) -> bool {
        message.identity.is_none() && self.memory.claimed(message).is_some()
    }

    /// The listing at hand is one of several parts: what an earlier one of the run had is there besides, and
    /// a message that is like it is another one.
    pub fn add_to_earlier_parts(&mut self, maildrop: &Maildrop) {
        self.memory.add_to_earlier_parts(maildrop);
    }
}

impl Memory {
    /// What has no name in this listing, and was read in an earlier session of the run, is what it was, where
    /// others have only come behind all that was listed then. Where one has left, the numbers are others'.
    pub(super) fn claim_numbered(&mut self, maildrop: &Maildrop) {
        let (before, now) = (self.sizes_listed, sizes_of(maildrop, maildrop.len()));
        self.sizes_listed = Some((maildrop.len(), now));
        if self.numbered.is_empty() {
            return;
        }
        if before.is_some_and(|(len, sizes)| sizes != sizes_of(maildrop, len)) {
            return self.numbered.clear();
        }
        for place in 0..maildrop.len() {
            let message = maildrop.message(place);
            let nameless = message.filter(|it| it.identity.is_none());
            if let Some(id) = nameless.and_then(|it| self.numbered(&it)) {
                self.set_present(id, true);
            }
        }
    }

    /// The record of a message without a name that the run has read.
    pub(super) fn numbered(&self, message: &Message) -> Option<Id> {
        let id = self.numbered.get(&(message.number, message.octets));
        id.copied().filter(|id| {
            let record = self.record(*id);
            record.is_some_and(|it| it.kind == Kind::Stored || it.kind.is_imported())
        })
    }

    fn add_to_earlier_parts(&mut self, maildrop: &Maildrop) {
        if self.listed_before.is_empty() {
            return;
        }
        let places = 0..maildrop.len();
        let listed: HashSet<Identity> = places.filter_map(|it| maildrop.identity(it)).collect();
        for id in std::mem::take(&mut self.listed_before) {
            let identity = self.record(id).map(|record| record.identity);
            if identity.is_some_and(|it| !listed.contains(&it)) {
                self.set_present(id, true);
            }
        }
    }
}

/// Tells the sizes of the first messages of a listing, of as many as a million, from those of another one.
fn sizes_of(maildrop: &Maildrop, len: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    maildrop.len().min(len).hash(&mut hasher);
    let sizes = maildrop.octets().take(len);
    sizes.for_each(|octets| octets.hash(&mut hasher));
    hasher.finish()
}
