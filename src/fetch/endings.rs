//! Whether a message that has ended is whole, and what becomes of one where that is doubtful (E12).
//!
//! A server that does not byte-stuff ends a message at its first line that is only a dot, one that
//! answers twice shifts all replies, and one that writes a reply into a body hides it there. Each
//! shows in the size, or in what stands where the next reply must stand. So a message of another
//! size than was listed waits for the next reply, or for that of a NOOP.

use super::broken::{Broken, Over};
use super::echoes::Echoes;
use super::repeated::Beginning;
use super::tell::argument;
use super::{Account, Error};
use crate::delivery::{Complete, Delivered, Incoming, Target};
use crate::maildir::Stamp;
use crate::maildrop::Message;
use crate::message::{Attributes, Heading, Size};
use crate::report::{self, Event};
use crate::source::{Arrival, Ending, Retrieval, Source};
use crate::state::{SizesSoFar, Store};
use crate::term::escape_up_to;
use std::sync::mpsc::SyncSender;

/// What is told of a sender or a subject, in characters.
const NAME_LIMIT: usize = 80;

/// How much is made of each message's end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Care {
    /// A size that is as listed is enough.
    Usual,
    /// The server broke the protocol in this run: after each message it must show that it is in
    /// step.
    EachMessage,
}

/// Where messages are received, and who delivers them there.
#[derive(Clone, Copy)]
pub(super) struct StampedTarget<'a> {
    pub(super) target: &'a Target,
    pub(super) stamp: Stamp,
}

/// What the server's sizes have been worth so far.
pub(super) struct Sizes(SizesSoFar);

/// After so many exact sizes, and none that was off, one that is off is a fault.
const ENOUGH: u64 = 10;

impl Sizes {
    pub(super) fn of(store: &Store) -> Self {
        Self(store.sizes_so_far())
    }

    fn note(&mut self, held: &Held) {
        let complete = &held.complete;
        let listed = complete.message().octets;
        self.0.note(held.size, listed, complete.octets());
    }

    /// Whether a size that is off must be a fault. On a server of which less is known it is one only
    /// where a good part of the message is lacking.
    fn contradict(&self, ending: Ending, message: &Message) -> bool {
        let listed = message.octets.unwrap_or_default();
        let lacks_much = ending.octets < listed - listed / 10;
        let exact = self.0.exact;
        let seem_exact = !self.0.are_off() && (exact >= ENOUGH || (exact > 0 && lacks_much));
        seem_exact || self.lacks_most(ending.octets, message)
    }

    /// Whether a message that came twice as this may be whole, although it is not as long as listed.
    fn allow(&self, octets: u64, message: &Message) -> bool {
        (self.0.are_off() || self.0.exact == 0) && !self.lacks_most(octets, message)
    }

    /// No way of counting makes twice as much of a message as there is, unless it is no counting.
    fn lacks_most(&self, octets: u64, message: &Message) -> bool {
        let listed = message.octets.filter(|listed| *listed < ABSURD);
        !self.0.are_far_off && octets < listed.unwrap_or_default() / 2
    }
}

/// A tebibyte is no message's size, so that it says nothing of one.
const ABSURD: u64 = 1 << 40;

/// Messages that are held at most, each an open file. A server that answers twice gives itself away
/// only where it has nothing more to answer; what was taken in before is looked at in the next
/// session.
const MOST_HELD: usize = 256;

/// Messages that are fetched once more because of their sizes, each an open file as well. More than
/// these are not looked at again, but delivered as doubtful.
const MOST_SUSPICIOUS: usize = 50;

/// The way of messages that have ended to the committer.
pub(super) struct Intake<'a> {
    pub(super) to: StampedTarget<'a>,
    pub(super) care: Care,
    pub(super) sizes: &'a mut Sizes,
    pub(super) sender: &'a SyncSender<Complete>,
    /// Wait until the server has shown that it is in step.
    pub(super) held: Vec<Held>,
    /// Each of several replies may be in order and the answer to another command, so that the server
    /// must show it where nothing is under way.
    unsure: bool,
    /// Messages whose sizes are off although this server's are not, and behind which it was in step:
    /// to be fetched once more, alone.
    pub(super) suspicious: Vec<Complete>,
    pub(super) echoes: Echoes,
}

/// A message that has ended, and that is not taken in yet.
pub(super) struct Held {
    pub(super) complete: Complete,
    size: Size,
    suspicious: bool,
}

/// A message that has ended, how its size agrees, and its ending without a status line before it. Where
/// there was one, and the size does not say that it is none of the message's, the message is doubtful.
fn finish(
    mut incoming: Incoming,
    mut beginning: Beginning,
    (ending, attributes): (Ending, Attributes),
) -> Result<(Complete, Size, Ending), Error> {
    incoming.write(&beginning.rest())?;
    let ending = beginning.without(ending);
    let size = size_of(incoming.message(), ending);
    let complete = incoming.finish(size, attributes)?;
    let complete = match beginning.is_repeated() && size == Size::Off {
        true => complete.doubt(),
        false => complete,
    };
    Ok((complete, size, ending))
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        to: StampedTarget<'a>,
        care: Care,
        sizes: &'a mut Sizes,
        sender: &'a SyncSender<Complete>,
    ) -> Self {
        Self {
            to,
            care,
            sizes,
            sender,
            held: Vec::new(),
            unsure: false,
            suspicious: Vec::new(),
            echoes: Echoes::default(),
        }
    }

    /// Takes in a message that has ended. `false` where the committer has ended early; it says why.
    pub(super) fn take_in(
        &mut self,
        incoming: Incoming,
        end: (Ending, Attributes),
        beginning: Beginning,
    ) -> Result<bool, Error> {
        let (complete, size, ending) = finish(incoming, beginning, end)?;
        let suspicious = size == Size::Off && self.sizes.contradict(ending, complete.message());
        // An end that may be the message's own octets is as good as none, whatever its size: a sender
        // knows how servers count, and can put there what looks like the next answer.
        self.unsure |= (size == Size::Off && !self.sizes.0.are_off()) || !ending.clean;
        // Of a server that is asked for one thing at a time nothing else can come.
        self.unsure |= self.care == Care::Usual && self.echoes.note(&complete);
        self.held.push(Held {
            complete,
            size,
            suspicious,
        });
        let in_order = size != Size::Off && self.care == Care::Usual && !self.unsure;
        Ok(!in_order || self.release())
    }

    /// A reply was in order behind what is held.
    pub(super) fn go_on(&mut self) -> bool {
        (self.unsure && self.held.len() < MOST_HELD) || self.release()
    }

    /// Whether the server must show that it is in step before it is asked for more.
    pub(super) fn is_unsure(&self) -> bool {
        self.unsure
    }

    /// The server was in step behind what is held.
    fn release(&mut self) -> bool {
        self.unsure = false;
        for held in std::mem::take(&mut self.held) {
            if held.suspicious && self.suspicious.len() < MOST_SUSPICIOUS {
                self.suspicious.push(held.complete);
                continue;
            }
            let complete = match held.suspicious {
                true => held.complete.doubt(),
                false => {
                    self.sizes.note(&held);
                    held.complete
                }
            };
            if self.sender.send(complete).is_err() {
                return false;
            }
        }
        true
    }
}

impl Account<'_> {
    /// Where messages are held and nothing is under way the server must show that it is in step.
    pub(super) fn check_step(
        &self,
        retrieval: &mut Retrieval<'_>,
        intake: &mut Intake<'_>,
    ) -> Result<bool, Broken> {
        if intake.held.is_empty() && !intake.echoes.are_unsettled() {
            return Ok(true);
        }
        let error = match retrieval.source().is_in_step() {
            Ok(true) => {
                let session = retrieval.source();
                self.settle_echoes(session, intake.to, &mut intake.echoes)?;
                return Ok(intake.release());
            }
            Ok(false) => Error::NotInStep,
            Err(error) => error.into(),
        };
        let over = match intake.held.as_slice() {
            [held] => Over::End {
                message: held.complete.message().clone(),
                reading: None,
            },
            // Any of them may be what it stumbled over.
            _ => Over::Itself,
        };
        Err(Broken::over(error, over))
    }

    /// Fetches messages once more, each alone, and takes the better of both readings.
    pub(super) fn read_again(
        &self,
        session: &mut Source,
        to: StampedTarget<'_>,
        suspicious: Vec<Complete>,
        sizes: &mut Sizes,
        sender: &SyncSender<Complete>,
    ) -> Result<(), Broken> {
        for first in suspicious {
            let message = first.message().clone();
            let second = self.read_alone(session, to, &message);
            let complete = match second {
                // What comes alone is what was asked for. So the first reading was of another message,
                // and its own number may have brought this one, whatever else came.
                Ok((second, true)) if first.evidence().fields != second.evidence().fields => {
                    return Err(Error::NotInStep.into());
                }
                Ok(second) => self.better((first, true), second, sizes),
                Err(error) => {
                    let reading = Some(Box::new(first));
                    return Err(Broken::over(error, Over::End { message, reading }));
                }
            };
            if sender.send(complete).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A message by itself, and whether the server was in step behind it.
    pub(super) fn read_alone(
        &self,
        session: &mut Source,
        to: StampedTarget<'_>,
        message: &Message,
    ) -> Result<(Complete, bool), Error> {
        let wants_header = self.wants_header();
        let mut incoming: Option<Incoming> = None;
        let mut beginning = None;
        let mut complete = None;
        let repeats_status = session.traits().repeats_status;
        let mut retrieval = session.retrieve([message.clone()]);
        while let Some(arrival) = retrieval.next_arrival()? {
            match arrival {
                Arrival::Begins(message) => {
                    beginning = Some(Beginning::of(&message, repeats_status));
                    incoming = Some(to.target.spool().receive(to.stamp, message, wants_header)?);
                }
                Arrival::Octets(octets) => {
                    if let Some((incoming, beginning)) = incoming.as_mut().zip(beginning.as_mut()) {
                        incoming.write(&beginning.pass(octets))?;
                    }
                }
                Arrival::Ends(ending, attributes) => {
                    if let Some((whole, beginning)) = incoming.take().zip(beginning.take()) {
                        complete = Some(finish(whole, beginning, (ending, attributes))?.0);
                    }
                }
                Arrival::Refused(message, answer) => {
                    let reason = format!("the server refused to send it again: {answer}");
                    self.tell(Event::Warning(&format!(
                        "{}: {reason}",
                        report::in_words(&super::listed(&message))
                    )));
                }
                Arrival::Gone(..) => {}
            }
        }
        let in_step = retrieval.source().is_in_step()?;
        match complete {
            Some(complete) => Ok((complete, in_step)),
            None => Err(Error::NotInStep),
        }
    }

    /// Of two readings of a message the better one: what is as listed and in order is above doubt,
    /// and so is what came twice from a server whose sizes are off. Anything else is kept, and never
    /// deleted.
    pub(super) fn better(
        &self,
        (first, first_in_step): (Complete, bool),
        (second, in_step): (Complete, bool),
        sizes: &Sizes,
    ) -> Complete {
        let as_listed = second.evidence().size != Size::Off;
        let alike = first.digests().content == second.digests().content
            || first.evidence().agrees(second.evidence());
        let may_be_whole = sizes.allow(second.octets(), second.message());
        if in_step && (as_listed || (alike && may_be_whole)) {
            return second;
        }
        let is_better = (in_step, second.octets()) >= (first_in_step, first.octets());
        if is_better { second } else { first }.doubt()
    }

    /// A reading that may not be whole is delivered all the same, and the message stays on the
    /// server.
    pub(super) fn tell_doubtful<I>(&self, delivered: &Delivered<I>) {
        let message = delivered.synced().message();
        let heading = Heading::parse(&delivered.beginning());
        let by = |word: &str, text: Option<String>| {
            let text = text.map(|text| escape_up_to(&text, NAME_LIMIT));
            text.map(|text| format!(", {word} {text}"))
                .unwrap_or_default()
        };
        let id = message.unique_id.as_deref();
        self.tell(Event::Warning(&format!(
            "{}{}{}: the server lists another size than it sends, or breaks the protocol behind it, so \
             it may not be whole. It is delivered as it came, as {}, and never deleted from the server. \
             Once you have seen that it is whole: popfetch state accept {}{}",
            report::in_words(&super::listed(message)),
            by("from", heading.from),
            by("subject", heading.subject),
            delivered.path().display(),
            self.profile.word_with_maildir(),
            id.map_or_else(String::new, argument)
        )));
    }
}

fn size_of(message: &Message, ending: Ending) -> Size {
    match message.octets {
        None => Size::Unknown,
        Some(_) if ending.explains(message.octets) => Size::Exact,
        Some(_) => Size::Off,
    }
}
