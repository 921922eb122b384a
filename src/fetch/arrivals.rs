//! The network's side of a fetch: bodies arrive and are written to tmp/.

use super::broken::{Broken, Over};
use super::endings::{Intake, StampedTarget};
use super::refusals::{Refusals, is_sent_again};
use super::repeated::Beginning;
use super::{Account, Error, listed};
use crate::delivery::Incoming;
use crate::maildrop::Message;
use crate::report::{self, Event};
use crate::source::{self, Arrival, Retrieval, Source, Traits};
use std::mem::take;

/// How many times its listed size, and how many octets beside that, a message has at most; what
/// exceeds it has no end. Servers list sizes of compressed copies, rounded ones, or 0 (fact
/// Q10); none is known to be this far off.
const OVERSIZE: (u64, u64) = (16, 256 * 1024 * 1024);

/// The same where the profile has a `max-size`: who wants no large messages gets none.
const OVERSIZE_LIMITED: (u64, u64) = (2, 1024 * 1024);

/// What the network's side came to.
#[derive(Default)]
pub(super) struct Received {
    pub(super) refusals: Refusals,
    /// One over which the server broke the protocol.
    pub(super) broken: Option<Message>,
    pub(super) error: Option<Broken>,
}

impl Account<'_> {
    /// Receives messages, and reads those whose ends are suspicious once more.
    pub(super) fn receive_bodies(
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
        let Traits {
            asked_for_utf8,
            repeats_status,
            ..
        } = retrieval.source().traits();
        let mut octets_so_far = 0;
        let mut beginning = None;
        let mut rest = Vec::new();
        while let Some(arrival) = retrieval.next_arrival()? {
            let is_gone = matches!(arrival, Arrival::Gone(..));
            match arrival {
                Arrival::Begins(message) => {
                    if !intake.go_on() {
                        return Ok(None);
                    }
                    octets_so_far = 0;
                    beginning = Some(Beginning::of(&message, repeats_status));
                    let StampedTarget { target, stamp } = intake.to;
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
                Arrival::Ends(ending, attributes) => {
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
                        received.refusals.came(whole.message(), self);
                        if !intake.take_in(whole, (ending, attributes), beginning)? {
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
                Arrival::Refused(message, answer) | Arrival::Gone(message, answer) => {
                    if !intake.go_on()
                        || (retrieval.is_idle() && !self.check_step(retrieval, intake)?)
                    {
                        return Ok(None);
                    }
                    match is_gone {
                        true => received.refusals.removed(message, answer, self),
                        false => received.refusals.refused(message, answer, self),
                    }
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
