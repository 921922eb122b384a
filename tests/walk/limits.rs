//! What may happen all the same: the limits that the manual names, and nothing else.
//!
//! Which of them a message falls under follows from what was done to it, to the Maildir and to the
//! state; [`History`] keeps that.

use super::server::{Maildrop, Message, Sizes, Update};
use super::tree::Tree;
use popfetch::profile::Keep;
use std::collections::{BTreeMap, BTreeSet};

/// Why the promise does not hold for a message.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Limit {
    /// Not fetched: a reused unique-id with the very same size (without TOP: with any size that it
    /// had), seen neither as deleted nor as absent, where nothing is ever deleted.
    ReusedWithTheSameSize,
    /// Not fetched: the same where sizes are estimates, which are no evidence (E11.3).
    ReusedAmongEstimates,
    /// Once more: a kill or a power cut before its seen line, and its owner moved it out then. A
    /// disk that takes no more is a kill to what is on it.
    MovedOutAfterKill,
    /// Once more: the state was removed or restored from before, and its owner had moved it out.
    StateFromBefore,
    /// Once more: the Maildir was restored from before, and its owner had moved it out since.
    MaildirFromBefore,
}

/// What departs from the promise.
#[derive(Clone, Copy, Debug)]
pub enum Departure<'a> {
    /// What its owner has moved out is delivered again.
    Again(usize),
    /// A message that is listed is not fetched.
    NotFetched(&'a Message),
}

/// What the state at hand must know, if it is any good.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Knowledge {
    /// It has delivered to the Maildir.
    pub has_stored: bool,
    /// Delivered, and a later run or the same came to a good end.
    known: BTreeSet<usize>,
    /// The size that each message was last listed with in a good run.
    sizes: BTreeMap<usize, u64>,
    /// Messages that a good run has seen as deleted, or as absent, under this unique-id.
    gone: BTreeSet<(String, usize)>,
}

/// What was done so far.
#[derive(Clone, Debug, Default, Hash)]
pub struct History {
    /// Counts events.
    pub now: usize,
    pub knowledge: Knowledge,
    /// How often all unique-ids have changed.
    pub eras: usize,
    /// Moved out of the Maildir and all its folders by its owner.
    pub moved_out: BTreeSet<usize>,
    /// Of these, what may come once more.
    again: BTreeMap<usize, Limit>,
    /// When it was last delivered.
    delivered: BTreeMap<usize, usize>,
    /// When the last run was that came to a good end.
    pub settled: usize,
    /// Delivered in runs of which none has come to a good end since.
    unsettled: BTreeSet<usize>,
    /// All that ever bore a unique-id.
    bearers: BTreeMap<String, Vec<usize>>,
    /// The server has listed estimates.
    estimates: bool,
    /// The server has said that it deletes, and has not.
    undeleting: bool,
}

impl History {
    pub fn allowed(
        &self,
        departure: Departure<'_>,
        maildrop: &Maildrop,
        keep: Keep,
    ) -> Option<Limit> {
        match departure {
            Departure::Again(serial) => self.again.get(&serial).copied(),
            Departure::NotFetched(message) => {
                let earlier = self.bearers.get(&message.unique_id)?.iter();
                let earlier = earlier.take_while(|serial| **serial != message.serial);
                let unseen = |serial: &&usize| {
                    let gone = (message.unique_id.clone(), **serial);
                    self.delivered.contains_key(serial) && !self.knowledge.gone.contains(&gone)
                };
                let unseen: Vec<usize> = earlier.filter(unseen).copied().collect();
                // Before a deletion it would be found out.
                let deletes = keep == Keep::Never && !self.undeleting;
                if unseen.is_empty() || deletes {
                    return None;
                }
                if self.estimates {
                    return Some(Limit::ReusedAmongEstimates);
                }
                let listed = maildrop.sizes.get(&message.serial)?.last()?;
                let was = |serial: &usize| {
                    let sizes = maildrop.sizes.get(serial).map_or(&[][..], Vec::as_slice);
                    let is_last = sizes.last() == Some(listed);
                    let is_known = self.knowledge.sizes.get(serial) == Some(listed);
                    is_last || is_known || !maildrop.manner.top && sizes.contains(listed)
                };
                unseen
                    .iter()
                    .any(was)
                    .then_some(Limit::ReusedWithTheSameSize)
            }
        }
    }

    /// A message has come to bear a unique-id.
    pub fn named(&mut self, message: &Message) {
        let bearers = self.bearers.entry(message.unique_id.clone()).or_default();
        bearers.push(message.serial);
    }

    /// Unique-ids that are free again, each with its last bearer.
    pub fn free_ids(&self, maildrop: &Maildrop) -> Vec<(String, usize)> {
        let is_taken = |id: &String| maildrop.messages.iter().any(|one| one.unique_id == *id);
        let free = self.bearers.iter().filter(|(id, _)| !is_taken(id));
        free.map(|(id, bearers)| (id.clone(), *bearers.last().unwrap()))
            .collect()
    }

    /// Leaves out the times that only tell what came after what.
    pub fn without_times(&mut self) {
        (self.now, self.settled) = (0, 0);
        let mut order: Vec<usize> = self.delivered.values().copied().collect();
        order.sort_unstable();
        order.dedup();
        let place = |when: &usize| order.iter().position(|one| one == when).unwrap_or(0);
        self.delivered
            .values_mut()
            .for_each(|when| *when = place(when));
    }

    /// The owner has moved a message out.
    pub fn moves_out(&mut self, serial: usize) {
        self.moved_out.insert(serial);
        if self.unsettled.contains(&serial) {
            self.again.insert(serial, Limit::MovedOutAfterKill);
        } else if !self.knowledge.known.contains(&serial) {
            self.again.insert(serial, Limit::StateFromBefore);
        }
    }

    /// The state is as it was then.
    pub fn restores_state(&mut self, knowledge: &Knowledge) {
        self.knowledge = knowledge.clone();
        for serial in self.moved_out.difference(&self.knowledge.known) {
            self.again.insert(*serial, Limit::StateFromBefore);
        }
    }

    /// The Maildir is as it was when a run at `then` had ended well, or in later ones that had not,
    /// which may have been at work: it holds this, and its owner
    /// had moved this out.
    pub fn restores_maildir(&mut self, tree: &Tree, then: usize, moved_out: &BTreeSet<usize>) {
        self.moved_out.extend(moved_out);
        self.moved_out.retain(|serial| tree.count(*serial) == 0);
        self.again.retain(|serial, _| tree.count(*serial) == 0);
        for serial in &self.moved_out {
            if self.delivered.get(serial).is_none_or(|when| *when > then) {
                self.again.insert(*serial, Limit::MaildirFromBefore);
            }
        }
    }

    /// What the owner moved out is here again.
    pub fn came_again(&mut self, serial: usize) {
        self.moved_out.remove(&serial);
        self.again.remove(&serial);
    }

    /// A run is about to begin.
    pub fn begins_run(&mut self, maildrop: &Maildrop) {
        self.estimates |= maildrop.manner.sizes == Sizes::Drifting;
        self.undeleting |= maildrop.manner.update == Update::OnlySays;
    }

    /// A run has ended, well if `is_good`, and `all` was looked at.
    pub fn ends_run(
        &mut self,
        before: &Tree,
        after: &Tree,
        maildrop: &Maildrop,
        is_good: bool,
        all: bool,
    ) {
        for (serial, count) in after.counts() {
            if count > before.count(serial) {
                self.delivered.insert(serial, self.now);
                self.unsettled.insert(serial);
            }
        }
        if !is_good {
            return;
        }
        self.unsettled.clear();
        self.settled = self.now;
        self.knowledge.known.extend(after.counts().keys());
        self.knowledge.has_stored |= !after.files.is_empty();
        // The run has had its chance to fetch them: it knows them.
        for message in &maildrop.messages {
            if let Some(size) = maildrop
                .sizes
                .get(&message.serial)
                .and_then(|all| all.last())
            {
                self.knowledge.sizes.insert(message.serial, *size);
            }
            if all && self.moved_out.contains(&message.serial) {
                self.again.remove(&message.serial);
                self.knowledge.known.insert(message.serial);
            }
        }
        let replied = matches!(maildrop.manner.update, Update::Deletes | Update::OnlySays);
        if let Some(listed) = maildrop.log.listed.as_ref().filter(|_| replied) {
            for (id, bearers) in self.bearers.iter().filter(|(id, _)| !listed.contains(*id)) {
                let gone = bearers.iter().map(|serial| (id.clone(), *serial));
                self.knowledge.gone.extend(gone);
            }
            self.knowledge
                .gone
                .extend(maildrop.log.confirmed.iter().cloned());
        }
    }
}
