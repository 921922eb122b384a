//! The network's side of a fetch: bodies arrive and are written to tmp/.

use super::commit::{self, Committed};
use super::endings::{Care, Destination, Intake, Sizes};
use super::error::Key;
use super::{Account, Error, Run, listed};
use crate::delivery::{AccountTag, Complete, Incoming, Maildir, Stamp};
use crate::maildrop::{Maildrop, Message};
use crate::net;
use crate::pop3::ResponseCode;
use crate::report::{Event, Outcome};
use crate::session::{self, Arrival, Retrieval, Session, Transaction};
use crate::state::{FailureKind, Recorded, Same, Store};
use crate::threads;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, channel, sync_channel};
use std::thread;

/// Complete messages that may wait for the disk, each an open file. When it is full the network
/// waits.
const QUEUE: usize = 128;

/// How many times its listed size, and how many octets beside that, a message has at most; what
/// exceeds it has no end. Servers list sizes of compressed copies, rounded ones, or 0 (TRUST.md
/// Q10); none is known to be this far off.
const OVERSIZE: (u64, u64) = (16, 256 * 1024 * 1024);

/// The same where the profile has a `max-size`: who wants no large messages gets none.
const OVERSIZE_LIMITED: (u64, u64) = (2, 1024 * 1024);

/// What the network's side came to.
#[derive(Default)]
struct Received {
    failures: Vec<(Message, FailureKind)>,
    error: Option<Error>,
}

/// What came of fetching.
#[derive(Default)]
pub(super) struct Fetched {
    /// Messages that the session has delivered.
    pub(super) recorded: Vec<Recorded>,
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

impl Account<'_> {
    /// Fetches messages and stores them, as [`Account::receive`] does; and looks, where a message
    /// turned out to be one that another listed one counts as, at that one first.
    pub(super) fn receive_all(
        &self,
        session: &mut Session<Transaction>,
        store: &mut Store,
        run: &mut Run<'_>,
        maildrop: &Maildrop,
        messages: Vec<Message>,
        outcome: &mut Outcome,
    ) -> Result<Fetched, Error> {
        let (maildir, care) = (run.maildir, run.care);
        let mut fetched = self.receive(session, store, maildir, messages, care, outcome)?;
        let mut rivals = std::mem::take(&mut fetched.rivals);
        // What is not looked at in this run is fetched again in the next.
        rivals.truncate(run.budget.take_bodies(rivals.len()));
        let claimants = rivals
            .iter()
            .filter_map(|(_, id)| store.claimant(*id, maildrop));
        let mut claimants: Vec<Message> = claimants.collect();
        // Two copies may be rivals of one.
        claimants.sort_unstable_by_key(|message| message.number);
        claimants.dedup_by_key(|message| message.number);
        if !claimants.is_empty() {
            fetched.extend(self.receive(session, store, maildir, claimants, care, outcome)?);
        }
        if !rivals.is_empty() {
            let rivals = rivals.into_iter().map(|(complete, _)| complete).collect();
            fetched.extend(self.commit_all(store, maildir, rivals, outcome)?);
        }
        Ok(fetched)
    }

    /// Fetches messages and stores them; gives the proofs of what is settled. On an error, what
    /// had arrived whole is settled all the same.
    pub(super) fn receive(
        &self,
        session: &mut Session<Transaction>,
        store: &mut Store,
        maildir: &Arc<Maildir>,
        messages: Vec<Message>,
        care: Care,
        outcome: &mut Outcome,
    ) -> Result<Fetched, Error> {
        let queue = QUEUE.min(self.environment.room / 2).max(1);
        let mut sizes = Sizes::of(store);
        let to = self.destination(store, maildir);
        let side_by_side = thread::scope(|scope| {
            let (sender, receiver) = sync_channel(queue);
            let store = &mut *store;
            let work = move || commit::run(store, maildir, &receiver, self, false);
            let committer = threads::start(scope, work).ok()?;
            let messages = messages.clone();
            let received = self.receive_bodies(session, to, messages, care, &mut sizes, &sender);
            drop(sender);
            Some((received, committer.join()))
        });
        let (received, committed) = match side_by_side {
            Some((received, Ok(Some(committed)))) => (received, committed),
            Some(_) => return Err(Error::Thread),
            None => self.take_turns(session, store, to, &messages, care, &mut sizes, queue),
        };
        let fetched = Fetched::of(committed, outcome);
        for (message, kind) in &received.failures {
            store.failed(message, *kind);
            outcome.failed += u64::from(*kind == FailureKind::Refused);
        }
        match received.error {
            Some(error) => Err(fetched.err().unwrap_or(error)),
            None => fetched,
        }
    }

    /// Receives some, commits them, and so on: for where there is no second thread to be had.
    #[allow(clippy::too_many_arguments)]
    fn take_turns(
        &self,
        session: &mut Session<Transaction>,
        store: &mut Store,
        to: Destination<'_>,
        messages: &[Message],
        care: Care,
        sizes: &mut Sizes,
        queue: usize,
    ) -> (Received, Committed) {
        let (mut received, mut committed) = (Received::default(), Committed::default());
        for some in messages.chunks(queue) {
            // What is fetched once more comes twice.
            let (sender, receiver) = sync_channel(2 * queue);
            let more = self.receive_bodies(session, to, some.to_vec(), care, sizes, &sender);
            drop(sender);
            received.failures.extend(more.failures);
            received.error = more.error;
            committed.add(commit::run(store, to.maildir, &receiver, self, false));
            if received.error.is_some() || committed.error.is_some() {
                break;
            }
        }
        (received, committed)
    }

    /// Commits messages that have been fetched, and about which there is nothing more to be learnt.
    pub(super) fn commit_all(
        &self,
        store: &mut Store,
        maildir: &Arc<Maildir>,
        messages: Vec<Complete>,
        outcome: &mut Outcome,
    ) -> Result<Fetched, Error> {
        let (sender, receiver) = channel();
        for complete in messages {
            // The receiver is below.
            let _ = sender.send(complete);
        }
        drop(sender);
        let committed = commit::run(store, maildir, &receiver, self, true);
        Fetched::of(committed, outcome)
    }

    pub(super) fn destination<'a>(
        &self,
        store: &Store,
        maildir: &'a Arc<Maildir>,
    ) -> Destination<'a> {
        let stamp = Stamp {
            account: AccountTag::new(&self.profile.server.id()),
            journal: store.journal_id(),
        };
        Destination { maildir, stamp }
    }

    fn receive_bodies(
        &self,
        session: &mut Session<Transaction>,
        to: Destination<'_>,
        messages: Vec<Message>,
        care: Care,
        sizes: &mut Sizes,
        sender: &SyncSender<Complete>,
    ) -> Received {
        let mut received = Received::default();
        let mut retrieval = session.retrieve(messages);
        let mut incoming: Option<Incoming> = None;
        let mut intake = Intake::new(to, care, sizes, sender);
        let ended = self.take_arrivals(&mut retrieval, &mut intake, &mut incoming, &mut received);
        // Its end is doubtful for good: the message is fetched once more.
        let held = intake.held.pop();
        if let Err(error) = ended {
            let interrupted = incoming
                .as_ref()
                .map(Incoming::message)
                .or(retrieval.awaited());
            if let (Some(message), true) = (interrupted, is_the_servers(&error)) {
                received
                    .failures
                    .push((message.clone(), FailureKind::Dropped));
            }
            // Any of what has come may be another message.
            let error = match intake.echoes.are_unsettled() {
                true => Error::NotInStep,
                false => error,
            };
            received.error = Some(match (interrupted, error, held) {
                (
                    _,
                    Error::Doubtful {
                        message, source, ..
                    },
                    Some(held),
                ) => Error::Doubtful {
                    message,
                    reading: Some(Box::new(held.complete)),
                    source,
                },
                (Some(message), error, _) if error.is_the_messages() => Error::Over {
                    message: Key::of(message),
                    source: Box::new(error),
                },
                (_, error, _) => error,
            });
            return received;
        }
        let suspicious = intake.suspicious;
        drop(retrieval);
        if let Err(error) = self.read_again(session, to, suspicious, sizes, sender) {
            received.error = Some(error);
        }
        received
    }

    fn take_arrivals(
        &self,
        retrieval: &mut Retrieval<'_>,
        intake: &mut Intake<'_>,
        incoming: &mut Option<Incoming>,
        received: &mut Received,
    ) -> Result<(), Error> {
        let wants_header = self.environment.report.wants_header();
        let asked_for_utf8 = retrieval.was_asked_for_utf8();
        let mut octets_so_far = 0;
        while let Some(arrival) = retrieval.next_arrival()? {
            match arrival {
                Arrival::Begins(message) => {
                    if !intake.go_on() {
                        return Ok(());
                    }
                    octets_so_far = 0;
                    let Destination { maildir, stamp } = intake.to;
                    *incoming = Some(maildir.receive(stamp, message, wants_header)?);
                }
                Arrival::Octets(octets) => {
                    let count = octets.len() as u64;
                    octets_so_far += count;
                    self.tell(Event::Received { octets: count });
                    if let Some(incoming) = incoming {
                        incoming.write(octets)?;
                        self.check_size(incoming.message(), octets_so_far)?;
                    }
                }
                Arrival::Ends(ending) => {
                    let claims = |incoming: &mut Incoming| incoming.message().octets > Some(0);
                    if octets_so_far == 0
                        && let Some(nothing) = incoming.take_if(claims)
                    {
                        // Courier does so when its disk is full (TRUST.md F21).
                        self.tell(Event::Failed {
                            message: listed(nothing.message()),
                            reason: "the server sent nothing of it",
                        });
                        let message = nothing.message().clone();
                        received.failures.push((message, FailureKind::Refused));
                    }
                    if let Some(whole) = incoming.take()
                        && !intake.take_in(whole, ending)?
                    {
                        return Ok(());
                    }
                    retrieval.ask_for_no_more(intake.is_unsure());
                    if retrieval.is_idle() && !self.check_step(retrieval, intake)? {
                        return Ok(());
                    }
                    if self.environment.stop.requested().is_some() {
                        retrieval.stop();
                    }
                }
                Arrival::Refused(message, answer)
                    if answer.code == Some(ResponseCode::Utf8) && !asked_for_utf8 =>
                {
                    return Err(Error::NeedsUtf8(message.number));
                }
                Arrival::Refused(message, answer) => {
                    if !intake.go_on()
                        || (retrieval.is_idle() && !self.check_step(retrieval, intake)?)
                    {
                        return Ok(());
                    }
                    let reason = format!("the server refused to send it: {answer}");
                    self.tell(Event::Failed {
                        message: listed(&message),
                        reason: &reason,
                    });
                    received.failures.push((message, FailureKind::Refused));
                }
            }
        }
        Ok(())
    }

    /// A message without end must not fill the disk (TRUST.md S36).
    fn check_size(&self, message: &Message, octets: u64) -> Result<(), Error> {
        let listed = message.octets.unwrap_or(0);
        let (expected, (times, slack)) = match self.profile.max_size {
            Some(most) => (most.max(listed), OVERSIZE_LIMITED),
            None => (listed, OVERSIZE),
        };
        if octets > expected.saturating_mul(times).saturating_add(slack) {
            return Err(Error::Oversized(message.number));
        }
        Ok(())
    }
}

/// Whether a broken fetch may be the message's fault, rather than the disk's or the person's.
fn is_the_servers(error: &Error) -> bool {
    match error {
        Error::Session(session::Error::Net { source, .. }) => {
            !matches!(source, net::Error::Stopped(_))
        }
        Error::Session(_) | Error::Oversized(_) => true,
        _ => false,
    }
}
