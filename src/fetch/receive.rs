//! The network's side of a fetch: bodies arrive and are written to tmp/.

use super::broken::{Broken, Over};
use super::commit::{self, Committed};
use super::endings::{Care, Destination, Intake, Sizes};
use super::key::Key;
use super::refusals::{Refusals, is_sent_again};
use super::repeated::Beginning;
use super::{Account, Error, Missed, Run, listed};
use crate::delivery::{Complete, Incoming, Target};
use crate::maildir::{AccountTag, Stamp};
use crate::maildrop::{Maildrop, Message};
use crate::report::{self, Event, Outcome};
use crate::source::{self, Arrival, Retrieval, Source};
use crate::state::{FailureKind, Placed, Same, Store};
use crate::threads;
use std::mem::take;
use std::sync::mpsc::{channel, sync_channel};
use std::thread;

/// Complete messages that may wait for the disk, each an open file. When it is full the network
/// waits.
const QUEUE: usize = 128;

/// How many times its listed size, and how many octets beside that, a message has at most; what
/// exceeds it has no end. Servers list sizes of compressed copies, rounded ones, or 0 (fact
/// Q10); none is known to be this far off.
const OVERSIZE: (u64, u64) = (16, 256 * 1024 * 1024);

/// The same where the profile has a `max-size`: who wants no large messages gets none.
const OVERSIZE_LIMITED: (u64, u64) = (2, 1024 * 1024);

/// What the network's side came to.
#[derive(Default)]
struct Received {
    refusals: Refusals,
    /// Messages without identity that came: they are known by their numbers for as long as nothing
    /// is deleted.
    nameless: Vec<Key>,
    /// One over which the server broke the protocol.
    broken: Option<Message>,
    error: Option<Broken>,
}

impl Received {
    fn came(&mut self, message: &Message, account: &Account<'_>) {
        self.refusals.came(message, account);
        let key = Key::of(message);
        if !key.is_lasting() {
            self.nameless.push(key);
        }
    }
}

/// What came of fetching.
#[derive(Default)]
pub(super) struct Fetched {
    /// Messages that the session has delivered.
    pub(super) recorded: Vec<Placed>,
    /// Messages that turned out to be here already.
    pub(super) same: Vec<Same>,
    /// See [`Committed::rivals`].
    pub(super) rivals: Vec<(Complete, u32)>,
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
            }),
        }
    }

    fn extend(&mut self, other: Self) {
        self.recorded.extend(other.recorded);
        self.same.extend(other.same);
    }
}

/// How messages are received where receiving and committing alternate.
struct Alternation<'a> {
    to: Destination<'a>,
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
        rivals.truncate(run.budget.take_bodies(rivals.len()));
        let claimants = rivals
            .iter()
            .filter_map(|(_, id)| store.claimant(*id, maildrop));
        let mut claimants: Vec<Message> = claimants.collect();
        // Two copies may be rivals of one.
        claimants.sort_unstable_by_key(|message| message.number);
        claimants.dedup_by_key(|message| message.number);
        if !claimants.is_empty() && run.refusal.is_none() {
            fetched.extend(self.receive(session, store, run, claimants, outcome)?);
        }
        // Of one whose claimant nobody has looked at it cannot be said that it is a second copy.
        rivals.retain(|(_, id)| store.claimant(*id, maildrop).is_none());
        if !rivals.is_empty() {
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
        let mut refusals = Refusals::new(
            failing.map(Key::of).collect(),
            run.witness.clone(),
            run.is_withheld_for_long,
        );
        let queue = QUEUE.min(self.environment.room / 2).max(1);
        let mut sizes = Sizes::of(store);
        let to = self.destination(store, target);
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
        let Refusals {
            to_blame,
            excused,
            met,
            ..
        } = &received.refusals;
        for (message, _) in to_blame {
            store.failed(message, FailureKind::Refused);
        }
        for message in excused.iter().map(|(message, _)| message).chain(met) {
            store.suspect(message, FailureKind::Refused);
        }
        for (message, reason) in to_blame.iter().chain(excused) {
            outcome.failed += 1;
            run.refused.push(Missed::of(message, reason));
            run.passed.insert(Key::of(message));
        }
        if let Some(message) = &received.broken {
            store.failed(message, FailureKind::Dropped);
        }
        run.refusal = run.refusal.take().or(received.refusals.trouble);
        if fetched.is_ok() {
            run.passed.extend(received.nameless);
        }
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
            received = Received {
                nameless: [received.nameless, more.nameless].concat(),
                ..more
            };
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

    pub(super) fn destination<'a>(&self, store: &Store, target: &'a Target) -> Destination<'a> {
        let stamp = Stamp {
            account: AccountTag::new(&self.profile.server.id()),
            journal: store.journal_id(),
        };
        Destination { target, stamp }
    }

    fn receive_bodies(
        &self,
        session: &mut Source,
        messages: Vec<Message>,
        refusals: Refusals,
        intake: &mut Intake<'_>,
    ) -> Received {
        let mut received = Received {
            refusals,
            ..Received::default()
        };
        let rest = self.receive_and_inquire(session, messages, intake, &mut received);
        let stopped = rest.is_none_or(|rest| !rest.is_empty());
        received.refusals.end(stopped, self);
        if received.error.is_some() {
            return received;
        }
        let suspicious = take(&mut intake.suspicious);
        let (to, sizes, sender) = (intake.to, &mut *intake.sizes, intake.sender);
        if let Err(error) = self.read_again(session, to, suspicious, sizes, sender) {
            received.error = Some(error);
        }
        received
    }

    /// Receives messages, and finds out whose fault it is where some are refused; those that the
    /// server was not asked for. `None` where the session is of no more use.
    fn receive_and_inquire(
        &self,
        session: &mut Source,
        messages: Vec<Message>,
        intake: &mut Intake<'_>,
        received: &mut Received,
    ) -> Option<Vec<Message>> {
        let mut rest = self.receive_some(session, messages, intake, received)?;
        let mut has_tried_another = false;
        loop {
            if let Some(message) = received.refusals.inquire() {
                let sent = is_sent_again(session, message, &received.refusals);
                received
                    .refusals
                    .learn(*sent.as_ref().unwrap_or(&false), self);
                received.error = sent.err().map(Broken::from);
            }
            if received.error.is_some() {
                return None;
            }
            let some = match received.refusals.are_settled() {
                _ if rest.is_empty() => return Some(rest),
                true => take(&mut rest),
                // Nothing has come so far: if this does, the others come as well.
                false if !has_tried_another && received.refusals.may_try_another() => {
                    has_tried_another = true;
                    vec![rest.remove(rest.len() / 2)]
                }
                false => return Some(rest),
            };
            rest.extend(self.receive_some(session, some, intake, received)?);
        }
    }

    /// Receives messages, until there are no more or the server refuses to send them; those that
    /// it was not asked for. `None` where the session is of no more use, or nobody takes what comes.
    fn receive_some(
        &self,
        session: &mut Source,
        messages: Vec<Message>,
        intake: &mut Intake<'_>,
        received: &mut Received,
    ) -> Option<Vec<Message>> {
        let plainly = !session.traits().pipelines;
        let mut retrieval = session.retrieve(messages);
        let mut incoming: Option<Incoming> = None;
        let ended = self.take_arrivals(&mut retrieval, intake, &mut incoming, received);
        // Its end is doubtful for good: the message is fetched once more.
        let held = intake.held.pop();
        let mut broken = match ended {
            Ok(rest) => return rest,
            Err(broken) => broken,
        };
        let interrupted = incoming
            .as_ref()
            .map(Incoming::message)
            .or(retrieval.awaited());
        let is_violation = matches!(
            (&broken.error, &*broken.over),
            (
                Error::Session(source::Error::Violation { .. }),
                Over::Itself
            )
        );
        received.broken = interrupted.filter(|_| is_violation && plainly).cloned();
        // Any of what has come may be another message.
        if intake.echoes.are_unsettled() {
            broken = Error::NotInStep.into();
        }
        match (&mut *broken.over, interrupted) {
            (Over::End { reading, .. }, _) => *reading = held.map(|held| Box::new(held.complete)),
            (over, Some(message)) if broken.error.is_over_a_message() => {
                *over = Over::Message(message.clone());
            }
            _ => {}
        }
        received.error = Some(broken);
        None
    }

    /// `None` where nobody takes what comes.
    fn take_arrivals(
        &self,
        retrieval: &mut Retrieval<'_>,
        intake: &mut Intake<'_>,
        incoming: &mut Option<Incoming>,
        received: &mut Received,
    ) -> Result<Option<Vec<Message>>, Broken> {
        let wants_header = self.wants_header();
        let asked_for_utf8 = retrieval.source().traits().asked_for_utf8;
        let mut octets_so_far = 0;
        let mut beginning = None;
        let mut rest = Vec::new();
        while let Some(arrival) = retrieval.next_arrival()? {
            match arrival {
                Arrival::Begins(message) => {
                    if !intake.go_on() {
                        return Ok(None);
                    }
                    octets_so_far = 0;
                    beginning = Some(Beginning::of(&message));
                    let Destination { target, stamp } = intake.to;
                    *incoming = Some(target.spool().receive(stamp, message, wants_header)?);
                }
                Arrival::Octets(octets) => {
                    let count = octets.len() as u64;
                    octets_so_far += count;
                    self.tell(Event::Received { octets: count });
                    if let Some((incoming, beginning)) = incoming.as_mut().zip(beginning.as_mut()) {
                        incoming.write(&beginning.pass(octets))?;
                        self.check_size(incoming.message(), octets_so_far)?;
                    }
                }
                Arrival::Ends(ending) => {
                    let claims = |incoming: &mut Incoming| incoming.message().octets > Some(0);
                    if octets_so_far == 0
                        && let Some(nothing) = incoming.take_if(claims)
                    {
                        // Courier does so when its disk is full (fact F21).
                        let message = nothing.message().clone();
                        let reason = "the server sent nothing of it".to_owned();
                        received.refusals.blame_for(message, reason, self);
                    }
                    if let Some((whole, beginning)) = incoming.take().zip(beginning.take()) {
                        received.came(whole.message(), self);
                        if !intake.take_in(whole, ending, beginning)? {
                            return Ok(None);
                        }
                    }
                    retrieval.ask_for_no_more(intake.is_unsure());
                    if retrieval.is_idle() && !self.check_step(retrieval, intake)? {
                        return Ok(None);
                    }
                    if self.environment.stop.requested().is_some() {
                        retrieval.stop();
                    }
                }
                Arrival::Refused(message, answer) if answer.asks_for_utf8() && !asked_for_utf8 => {
                    return Err(Error::NeedsUtf8(report::in_words(&listed(&message))).into());
                }
                Arrival::Refused(message, answer) => {
                    if !intake.go_on()
                        || (retrieval.is_idle() && !self.check_step(retrieval, intake)?)
                    {
                        return Ok(None);
                    }
                    received.refusals.refused(message, answer, self);
                    if received.refusals.wants_a_stop() {
                        rest.extend(retrieval.stop());
                    }
                }
            }
        }
        if self.environment.stop.requested().is_some() {
            rest.clear();
        }
        Ok(Some(rest))
    }

    /// A message without end must not fill the disk (fact S36).
    fn check_size(&self, message: &Message, octets: u64) -> Result<(), Error> {
        let size = message.octets.unwrap_or(0);
        let (expected, (times, slack)) = match self.profile.policy.max_size {
            Some(most) => (most.max(size), OVERSIZE_LIMITED),
            None => (size, OVERSIZE),
        };
        if octets > expected.saturating_mul(times).saturating_add(slack) {
            return Err(Error::Oversized(report::in_words(&listed(message))));
        }
        Ok(())
    }
}
