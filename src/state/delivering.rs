//! A message's way into the journal: its intent before it can stand in the Maildir (E1), and that it was
//! delivered (E4), a batch at a time; or that it came to nothing (E9).

use super::record::{Entry, Id, Listing, Stored};
use super::{Error, Placed, Same, Store};
use crate::delivery::{Delivered, Synced, Unplaced};

/// Proof that a message's intent is in the journal and on the disk (E1).
#[derive(Debug)]
pub struct Intent(Id);

impl Intent {
    /// Which message's it is.
    pub(super) fn id(&self) -> Id {
        self.0
    }
}

/// Messages on the disk in tmp/, each with the proof that its intent is recorded.
pub type Intended = Vec<(Synced, Intent)>;

/// A message that is recorded as seen, on the disk.
pub enum Settled {
    /// It was delivered; with the proof of that, unless its end was doubtful (E12).
    Delivered(Box<Delivered<Intent>>, Option<Placed>),
    /// It turned out to be one that was stored before.
    Known(Same),
}

impl Store {
    /// Writes the intents of a batch and forces them to the disk (E1), with all that was recorded
    /// before: those messages are settled. On an error nothing is intended, and the batch's files
    /// are gone unless the journal is in doubt.
    pub fn intend(&mut self, mut batch: Vec<Synced>) -> Result<(Intended, Vec<Settled>), Error> {
        if !batch.is_empty() {
            self.raise()?;
            self.begin_telling();
        }
        let mut intents = Vec::with_capacity(batch.len());
        for synced in &mut batch {
            synced.entrust();
            let id = self.memory.next_id();
            let message = synced.message();
            let placed = synced.placed_name();
            let bearers = message
                .identity
                .map(|identity| self.memory.bearers_of(identity));
            self.write([Entry::Intent {
                id,
                time: self.moment.now,
                listing: Listing {
                    // Another message under a name that is known has a turn of its own.
                    turn: u32::try_from(bearers.unwrap_or_default()).unwrap_or(u32::MAX),
                    ..Listing::of(message)
                },
                stored: Stored {
                    octets: synced.octets(),
                    digests: *synced.digests(),
                    name: synced.name().clone(),
                    sized: placed.size.is_some(),
                    flags: placed.flags,
                    evidence: Some(*synced.evidence()),
                    folder: synced.folder().cloned(),
                },
            }]);
            if !synced.is_orderly() {
                self.write([Entry::Doubtful { id }]);
            }
            if self.onward.is_some() {
                self.begin_waiting(id, synced);
            }
            self.memory.claim(message, id);
            intents.push(Intent(id));
        }
        match self.sync() {
            Ok(()) => {
                let intended = batch.into_iter().zip(intents).collect();
                Ok((intended, self.give_out()))
            }
            Err(error) => {
                if !self.journal.is_in_doubt() {
                    batch.iter_mut().for_each(Synced::reclaim);
                }
                Err(error)
            }
        }
    }

    /// Records delivered messages as seen: written at once, so that a kill takes nothing of it away,
    /// and settled with the next sync.
    pub fn record(&mut self, delivered: Vec<Delivered<Intent>>) -> Result<(), Error> {
        let stored: Vec<Id> = delivered.iter().map(|it| it.intent().0).collect();
        let mut ids = stored.iter().copied();
        if let Some(mut first) = ids.next() {
            let mut last = first;
            for id in ids {
                if id != last + 1 {
                    self.write([Entry::Seen { first, last }]);
                    first = id;
                }
                last = id;
            }
            self.write([Entry::Seen { first, last }]);
        }
        self.end_refetched(&stored);
        for delivered in delivered {
            let recorded = Placed::of_delivered(&delivered);
            self.unsynced
                .push(Settled::Delivered(Box::new(delivered), recorded));
        }
        self.flush()
    }

    /// The intents of messages that could not be placed, and whose names are gone for certain,
    /// came to nothing; durable on return.
    pub fn withdraw(&mut self, unplaced: &[&Unplaced<Intent>]) -> Result<(), Error> {
        for failed in unplaced {
            self.refetched.remove(&failed.intent.0);
            self.write([Entry::Dropped {
                id: failed.intent.0,
            }]);
        }
        self.sync()
    }

    /// Forces what is recorded to the disk, and gives the messages that are settled now.
    pub fn settle(&mut self) -> Result<Vec<Settled>, Error> {
        if !self.unsynced.is_empty() {
            self.sync()?;
        }
        Ok(self.give_out())
    }

    /// What is settled, to be reported.
    fn give_out(&mut self) -> Vec<Settled> {
        let settled = std::mem::take(&mut self.unsynced);
        for settled in &settled {
            if let Settled::Delivered(delivered, _) = settled {
                self.told_before = self.told_before.max(delivered.intent().0 + 1);
            }
        }
        settled
    }
}
