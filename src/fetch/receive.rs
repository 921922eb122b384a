//! Messages are fetched, and stored side by side with that; or in turn, where there is no second thread.

use super::arrivals::Received;
use super::broken::Broken;
use super::commit::{self, Committed};
use super::endings::{Care, Intake, Sizes, StampedTarget};
use super::key::Key;
use super::refusals::Refusals;
use super::{Account, Error, Missed, Run};
use crate::delivery::{Complete, Target};
use crate::maildir::{AccountTag, Stamp};
use crate::maildrop::{Maildrop, Message};
use crate::report::Outcome;
use crate::source::Source;
use crate::state::{FailureKind, Placed, Same, Store};
use crate::threads;
use std::collections::HashSet;
use std::mem::take;
use std::sync::mpsc::{channel, sync_channel};
use std::thread;

/// Complete messages that may wait for the disk, each an open file. When it is full the network
/// waits.
const QUEUE: usize = 128;

/// What came of fetching.
#[derive(Default)]
pub(super) struct Fetched {
    /// Messages that the session has delivered.
    pub(super) recorded: Vec<Placed>,
    /// Messages that turned out to be here already.
    pub(super) same: Vec<Same>,
    /// See [`Committed::rivals`].
    pub(super) rivals: Vec<(Complete, Vec<u32>)>,
    /// See [`Committed::others`].
    pub(super) others: Vec<Complete>,
}

impl Fetched {
    fn of(committed: Committed, outcome: &mut Outcome) -> Result<Self, Error> {
        outcome.fetched += committed.fetched;
        outcome.octets += committed.octets;
        outcome.doubtful += committed.doubtful;
        outcome.known += committed.same.len() as u64;
        match committed.error {
            Some(error) => Err(error),
            None => Ok(Self {
                recorded: committed.recorded,
                same: committed.same,
                rivals: committed.rivals,
                others: committed.others,
            }),
        }
    }

    fn extend(&mut self, other: Self) {
        self.recorded.extend(other.recorded);
        self.same.extend(other.same);
        self.others.extend(other.others);
    }
}

/// How messages are received where receiving and committing alternate.
struct Alternation<'a> {
    to: StampedTarget<'a>,
    care: Care,
    sizes: &'a mut Sizes,
    queue: usize,
}

impl Account<'_> {
    /// Fetches messages and stores them, as [`Account::receive`] does; and looks, where a message
    /// turned out to be one that another listed one counts as, at that one first.
    pub(super) fn receive_all(
        &self,
        session: &mut Source,
        store: &mut Store,
        run: &mut Run<'_>,
        maildrop: &Maildrop,
        messages: Vec<Message>,
        outcome: &mut Outcome,
    ) -> Result<Fetched, Broken> {
        let mut fetched = self.receive(session, store, run, messages, outcome)?;
        let mut rivals = take(&mut fetched.rivals);
        // What is not looked at in this run is fetched again in the next.
        let mut asked = HashSet::new();
        rivals.retain_mut(|(_, ids)| {
            let mut may_ask = |id| asked.contains(&id) || run.budget.take_bodies(1) == 1;
            ids.retain(|id| may_ask(*id));
            asked.extend(ids.iter().copied());
            !ids.is_empty()
        });
        let ids = rivals.iter().flat_map(|(_, ids)| ids);
        let claimants = ids.filter_map(|id| store.claimant(*id, maildrop));
        let mut claimants: Vec<Message> = claimants.collect();
        // Two copies may be rivals of one.
        claimants.sort_unstable_by_key(|message| message.number);
        claimants.dedup_by_key(|message| message.number);
        if !claimants.is_empty() && run.refusal.is_none() {
            fetched.extend(self.receive(session, store, run, claimants, outcome)?);
        }
        // Of one whose claimant nobody has looked at it cannot be said that it is a second copy.
        let is_seen = |id: &u32| store.claimant(*id, maildrop).is_none();
        rivals.retain(|(_, ids)| ids.iter().all(is_seen));
        // Nor where it cannot be asked for once more.
        if !rivals.is_empty() && run.refusal.is_none() {
            let to = self.stamped(store, run.target);
            self.settle_copies(session, to, rivals.iter().map(|(complete, _)| complete))?;
            let rivals = rivals.into_iter().map(|(complete, _)| complete).collect();
            fetched.extend(self.commit_all(store, run.target, rivals, outcome)?);
        }
        Ok(fetched)
    }

    /// Fetches messages and stores them; gives the proofs of what is settled. On an error, what
    /// had arrived whole is settled all the same.
    pub(super) fn receive(
        &self,
        session: &mut Source,
        store: &mut Store,
        run: &mut Run<'_>,
        mut messages: Vec<Message>,
        outcome: &mut Outcome,
    ) -> Result<Fetched, Broken> {
        let (target, care) = (run.target, run.care);
        let failing = messages.iter().filter(|message| store.has_failed(message));
        let suspected = messages.iter().filter(|it| store.is_suspected(it));
        let mut refusals = Refusals::new(
            failing.map(Key::of).collect(),
            suspected.map(Key::of).collect(),
            run.witness.clone(),
            run.is_withheld_for_long,
        );
        let queue = QUEUE.min(self.environment.room / 2).max(1);
        let mut sizes = Sizes::of(store);
        let to = self.stamped(store, target);
        let side_by_side = thread::scope(|scope| {
            let (sender, receiver) = sync_channel(queue);
            let store = &mut *store;
            let work = move || commit::run(store, target, &receiver, self, false);
            let committer = threads::start(scope, work).ok()?;
            let mut intake = Intake::new(to, care, &mut sizes, &sender);
            let (messages, refusals) = (take(&mut messages), take(&mut refusals));
            let received = self.receive_bodies(session, messages, refusals, &mut intake);
            drop(intake);
            drop(sender);
            Some((received, committer.join()))
        });
        let (received, committed) = match side_by_side {
            Some((received, Ok(Some(committed)))) => (received, committed),
            Some(_) => return Err(Error::Thread.into()),
            None => {
                let alternation = Alternation {
                    to,
                    care,
                    sizes: &mut sizes,
                    queue,
                };
                self.alternate(session, store, alternation, &messages, refusals)
            }
        };
        let fetched = Fetched::of(committed, outcome);
        run.brought.arrived += received.refusals.arrived();
        received.refusals.note(store);
        for (message, reason) in received.refusals.passed_over() {
            outcome.failed += 1;
            run.refused.push(Missed::of(message, reason));
            run.passed.insert(Key::of(message));
        }
        run.passed
            .extend(received.refusals.gone().iter().map(Key::of));
        if let Some(message) = &received.broken {
            store.failed(message, FailureKind::Dropped);
        }
        run.refusal = run.refusal.take().or(received.refusals.trouble);
        match received.error {
            Some(broken) => Err(fetched.err().map_or(broken, Broken::from)),
            None => Ok(fetched?),
        }
    }

    /// Receives some, commits them, and so on: for where there is no second thread to be had.
    fn alternate(
        &self,
        session: &mut Source,
        store: &mut Store,
        alternation: Alternation<'_>,
        messages: &[Message],
        refusals: Refusals,
    ) -> (Received, Committed) {
        let mut committed = Committed::default();
        let mut received = Received {
            refusals,
            ..Received::default()
        };
        for some in messages.chunks(alternation.queue) {
            // What is fetched once more comes twice.
            let (sender, receiver) = sync_channel(2 * alternation.queue);
            let mut intake =
                Intake::new(alternation.to, alternation.care, alternation.sizes, &sender);
            let refusals = take(&mut received.refusals);
            let more = self.receive_bodies(session, some.to_vec(), refusals, &mut intake);
            drop(intake);
            drop(sender);
            received = more;
            committed.add(commit::run(
                store,
                alternation.to.target,
                &receiver,
                self,
                false,
            ));
            let is_over = received.error.is_some()
                || received.refusals.trouble.is_some()
                || self.environment.stop.requested().is_some();
            if is_over || committed.error.is_some() {
                break;
            }
        }
        (received, committed)
    }

    /// Commits messages that have been fetched, and about which there is nothing more to be learnt.
    pub(super) fn commit_all(
        &self,
        store: &mut Store,
        target: &Target,
        messages: Vec<Complete>,
        outcome: &mut Outcome,
    ) -> Result<Fetched, Error> {
        let (sender, receiver) = channel();
        for complete in messages {
            // The receiver is below.
            let _ = sender.send(complete);
        }
        drop(sender);
        let committed = commit::run(store, target, &receiver, self, true);
        Fetched::of(committed, outcome)
    }

    pub(super) fn stamped<'a>(&self, store: &Store, target: &'a Target) -> StampedTarget<'a> {
        let stamp = Stamp {
            account: AccountTag::new(&self.profile.server.id()),
            journal: store.journal_id(),
        };
        StampedTarget { target, stamp }
    }
}
