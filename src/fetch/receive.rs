//! The network's side of a fetch: bodies arrive and are written to tmp/.

use super::commit::{self, Committed};
use super::{Account, Error, listed};
use crate::delivery::{AccountTag, Complete, Incoming, Maildir};
use crate::maildrop::Message;
use crate::net;
use crate::pop3::ResponseCode;
use crate::report::{Event, Outcome};
use crate::session::{self, Arrival, Retrieval, Session, Transaction};
use crate::state::{FailureKind, Recorded, Store};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
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

impl Account<'_> {
    /// Fetches messages and stores them; gives the proofs of what is settled. On an error, what
    /// had arrived whole is settled all the same.
    pub(super) fn receive(
        &self,
        session: &mut Session<Transaction>,
        store: &mut Store,
        maildir: &Arc<Maildir>,
        messages: Vec<Message>,
        outcome: &mut Outcome,
    ) -> Result<Vec<Recorded>, Error> {
        let (sender, receiver) = sync_channel(QUEUE);
        let environment = self.environment;
        let teller = commit::Teller {
            report: environment.report.as_ref(),
            account: &self.profile.name,
        };
        let (received, committed) = thread::scope(|scope| {
            let store = &mut *store;
            let committer = scope.spawn(move || commit::run(store, maildir, &receiver, teller));
            let received = self.receive_bodies(session, maildir, messages, sender);
            (received, committer.join())
        });
        let Ok(Committed {
            recorded,
            fetched,
            octets,
            known,
            error,
        }) = committed
        else {
            return Err(Error::Thread);
        };
        outcome.fetched += fetched;
        outcome.octets += octets;
        outcome.known += known;
        for (message, kind) in &received.failures {
            store.failed(message, *kind);
            outcome.failed += u64::from(*kind == FailureKind::Refused);
        }
        match error.or(received.error) {
            Some(error) => Err(error),
            None => Ok(recorded),
        }
    }

    fn receive_bodies(
        &self,
        session: &mut Session<Transaction>,
        maildir: &Arc<Maildir>,
        messages: Vec<Message>,
        sender: SyncSender<Complete>,
    ) -> Received {
        let mut received = Received::default();
        let mut retrieval = session.retrieve(messages);
        let mut incoming: Option<Incoming> = None;
        let ended = self.take_arrivals(
            &mut retrieval,
            maildir,
            &sender,
            &mut incoming,
            &mut received,
        );
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
            received.error = Some(match interrupted.and_then(|message| message.identity) {
                Some(identity) if error.is_the_messages() => Error::Over {
                    identity,
                    source: Box::new(error),
                },
                _ => error,
            });
        }
        received
    }

    fn take_arrivals(
        &self,
        retrieval: &mut Retrieval<'_>,
        maildir: &Arc<Maildir>,
        sender: &SyncSender<Complete>,
        incoming: &mut Option<Incoming>,
        received: &mut Received,
    ) -> Result<(), Error> {
        let tag = AccountTag::new(&self.profile.server.id());
        let wants_header = self.environment.report.wants_header();
        let asked_for_utf8 = retrieval.was_asked_for_utf8();
        let mut octets_so_far = 0;
        while let Some(arrival) = retrieval.next_arrival()? {
            match arrival {
                Arrival::Begins(message) => {
                    octets_so_far = 0;
                    *incoming = Some(maildir.receive(tag, message, wants_header)?);
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
                Arrival::Ends => {
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
                    let complete = incoming.take().map(Incoming::finish).transpose()?;
                    if let Some(complete) = complete
                        && sender.send(complete).is_err()
                    {
                        // The committer has ended early; it says why.
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
