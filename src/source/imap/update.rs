//! Deleting: marking messages, and removing what is marked (RFC 3501 section 6.4.6, RFC 4315).

use super::wire::Step;
use super::{Answer, Error, Meaning, Phase, Session, SignedIn};
use crate::imap::{Command, UidSet};
use crate::maildrop::MessageNumber;
use crate::source::{Marked, Unasked, Update};
use crate::state::Recorded;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::num::NonZeroU32;
use std::time::Duration;

/// How long the answer to LOGOUT may take: nothing depends on it.
const LOGOUT_TIMEOUT: Duration = Duration::from_secs(10);

/// After a refusal that may be about one message of many, so many more commands find out which at most.
const MOST_ASKED_AGAIN: usize = 64;

/// What is said of a server that can only remove all that anybody has marked, whoever that was.
const NO_UIDPLUS: &str = "it can only remove whatever anybody has marked there (it has no UIDPLUS)";

/// What has a place in the listing.
trait Numbered {
    fn number(&self) -> MessageNumber;
}

/// Something that is about a message, with the message's UID.
struct Placed<T> {
    of: T,
    uid: NonZeroU32,
}

/// What has become of what was marked, mailbox by mailbox. What is in none of these is unknown.
#[derive(Default)]
struct Removal {
    /// The server says that these are gone, and has them no more.
    removed: HashSet<MessageNumber>,
    /// It says so, and still has these.
    left: HashSet<MessageNumber>,
    /// It has refused to remove some of these, or to be looked at.
    refused: HashSet<MessageNumber>,
    /// With this answer, the first time.
    refusal: Option<Answer>,
}

impl Session<SignedIn> {
    /// Marks messages as deleted, in one mailbox after the other. Takes nothing but what is stored and
    /// recorded (E4). Each mailbox is opened anew for it, and must be what it was: UIDs mean nothing under
    /// another UIDVALIDITY.
    ///
    /// # Errors
    /// The connection is of no more use then.
    pub(in crate::source) fn delete(
        &mut self,
        recorded: Vec<Recorded>,
    ) -> Result<Marked, (Error, Option<Recorded>)> {
        let mut marked = Marked::default();
        if recorded.is_empty() {
            return Ok(marked);
        }
        if !self.capabilities.uid_plus {
            marked.unasked = Some(Unasked {
                count: recorded.len() as u64,
                reason: NO_UIDPLUS,
            });
            return Ok(marked);
        }
        let marking = self.mark_by_mailbox(recorded, &mut marked);
        marking.map_err(|error| (error, None))?;
        Ok(marked)
    }

    fn mark_by_mailbox(
        &mut self,
        recorded: Vec<Recorded>,
        marked: &mut Marked,
    ) -> Result<(), Error> {
        for (mailbox, mut left) in self.by_mailbox(recorded) {
            let Some(first) = left.first() else {
                continue;
            };
            let phase = Phase::Deleting(first.of.number());
            if let Some(answer) = self.open_for_changes(mailbox, phase)? {
                marked.refused.extend(left.into_iter().map(|it| it.of));
                marked.refusal.get_or_insert(answer);
                continue;
            }
            let mut waiting = VecDeque::new();
            for set in sets(&left) {
                let these = left.partition_point(|it| it.uid.get() <= set.last());
                let others = left.split_off(these);
                waiting.push_back(std::mem::replace(&mut left, others));
            }
            self.mark_all(waiting, marked)?;
        }
        // In the order of the listing again.
        marked.messages.sort_unstable_by_key(Recorded::number);
        Ok(())
    }

    /// Messages with their UIDs, in the order of these, mailbox by mailbox.
    fn by_mailbox<T: Numbered>(&self, messages: Vec<T>) -> BTreeMap<usize, Vec<Placed<T>>> {
        let mut found: BTreeMap<usize, Vec<Placed<T>>> = BTreeMap::new();
        for of in messages {
            // Nothing was recorded in this session that it has not listed.
            if let Some(place) = self.state.mailboxes.place_of(of.number()) {
                let uid = place.uid;
                found
                    .entry(place.mailbox)
                    .or_default()
                    .push(Placed { of, uid });
            }
        }
        for messages in found.values_mut() {
            messages.sort_unstable_by_key(|it| it.uid);
        }
        found
    }

    /// Marks messages, those of a set at a time. A set may be refused for one of them, which does not
    /// show: then its halves are asked for, and theirs, the larger ones first. Where nothing at all can be
    /// marked, it is no single message's fault.
    fn mark_all(
        &mut self,
        mut waiting: VecDeque<Vec<Placed<Recorded>>>,
        marked: &mut Marked,
    ) -> Result<(), Error> {
        let mut asked_again = 0;
        let (mut together, mut has_marked) = (Vec::new(), false);
        while let Some(mut these) = waiting.pop_front() {
            // No part of a set is longer than the set.
            let (Some(set), Some(first)) = (sets(&these).pop(), these.first()) else {
                continue;
            };
            let phase = Phase::Deleting(first.of.number());
            let answer = self.mark(&set, phase)?;
            if answer.ok {
                has_marked = true;
                marked.messages.extend(these.into_iter().map(|it| it.of));
                continue;
            }
            let may_be_of_one = these.len() > 1 && Meaning::of(phase, &answer) == Meaning::Message;
            if may_be_of_one && asked_again + 2 <= MOST_ASKED_AGAIN {
                asked_again += 2;
                let others = these.split_off(these.len() / 2);
                waiting.extend([these, others]);
                continue;
            }
            marked.refusal.get_or_insert(answer);
            match may_be_of_one {
                true => together.extend(these.into_iter().map(|it| it.of)),
                false => marked.refused.extend(these.into_iter().map(|it| it.of)),
            }
        }
        match has_marked {
            false => marked.refused.extend(together),
            true => marked.refused_together += together.len() as u64,
        }
        Ok(())
    }

    fn mark(&mut self, set: &UidSet, phase: Phase) -> Result<Answer, Error> {
        self.wire.send(Command::StoreDeleted(set))?;
        self.wire.answer(phase)
    }

    /// Removes what is marked, looks whether it is gone, and ends the session. It is gone where the server has
    /// done what it was asked, and has none of them any more.
    pub(in crate::source) fn end(mut self, marked: Marked) -> Update {
        let messages = marked.messages;
        let mut removal = Removal::default();
        let removed = self.remove(&messages, &mut removal);
        let parting = removed.and_then(|()| {
            self.wire.link.limit_timeout(LOGOUT_TIMEOUT);
            self.wire.answer(Phase::Quit).map(drop)
        });
        self.wire.link.close();
        match parting {
            Err(error @ Error::Violation { .. }) => Update {
                unknown: messages,
                disorder: Some(error),
                ..Update::default()
            },
            // What was said of the messages counts, whatever becomes of the connection.
            parting => Update {
                is_confirmed: parting.is_ok() && removal.refusal.is_none(),
                ..removal.of(messages)
            },
        }
    }

    /// All but the answer to LOGOUT, which is sent as well: in one mailbox after the other, beginning with
    /// the last, which is open for the marks. What cannot be removed in one of them keeps nothing from being removed in another.
    fn remove(&mut self, messages: &[Recorded], removal: &mut Removal) -> Result<(), Error> {
        let numbers = messages.iter().map(Recorded::number).collect();
        for (mailbox, placed) in self.by_mailbox(numbers).into_iter().rev() {
            match self.open_for_changes(mailbox, Phase::Quit)? {
                Some(answer) => removal.is_refused(answer, &placed),
                None => self.remove_here(&placed, removal)?,
            }
        }
        self.wire.send(Command::Logout)
    }

    /// The same in the mailbox that is open. The look waits for the answers to EXPUNGE: in the same flight
    /// Dovecot would still show what it is about to remove (fact Q24).
    fn remove_here(
        &mut self,
        placed: &[Placed<MessageNumber>],
        removal: &mut Removal,
    ) -> Result<(), Error> {
        let sets = sets(placed);
        let expunges: Vec<_> = sets.iter().map(Command::Expunge).collect();
        let (removals, _) = self.ask(&expunges, &sets)?;
        let looks: Vec<_> = sets.iter().map(Command::FetchThese).collect();
        let (looks, left) = self.ask(&looks, &sets)?;
        if let Some(answer) = removals.into_iter().chain(looks).find(|answer| !answer.ok) {
            removal.is_refused(answer, placed);
            return Ok(());
        }
        for it in placed {
            match left.contains(&it.uid.get()) {
                true => removal.left.insert(it.of),
                false => removal.removed.insert(it.of),
            };
        }
        Ok(())
    }

    /// Sends commands, in one flight where that may be. The answers, and which of the messages in `sets`
    /// were told of: what is told may come before the answers to earlier commands.
    fn ask(
        &mut self,
        commands: &[Command<'_>],
        sets: &[UidSet],
    ) -> Result<(Vec<Answer>, HashSet<u32>), Error> {
        let ahead = self.options.pipelining;
        let mut answers = Vec::new();
        let mut told = HashSet::new();
        for command in commands.iter().filter(|_| ahead) {
            self.wire.send(*command)?;
        }
        for command in commands {
            if !ahead {
                self.wire.send(*command)?;
            }
            answers.push(self.look(sets, &mut told)?);
        }
        Ok((answers, told))
    }

    fn look(&mut self, sets: &[UidSet], told: &mut HashSet<u32>) -> Result<Answer, Error> {
        loop {
            match self.wire.next(Phase::Quit)? {
                Step::Fetched(fetched) => {
                    let is_one = |uid| sets.iter().any(|set| set.contains(uid));
                    // No more than were asked about.
                    told.extend(fetched.uid.filter(|uid| is_one(*uid)));
                }
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(answer) => return Ok(answer),
                _ => {}
            }
        }
    }
}

fn sets<T>(messages: &[Placed<T>]) -> Vec<UidSet> {
    UidSet::of(messages.iter().map(|message| message.uid))
}

impl Removal {
    fn is_refused(&mut self, answer: Answer, placed: &[Placed<MessageNumber>]) {
        self.refused.extend(placed.iter().map(|it| it.of));
        self.refusal.get_or_insert(answer);
    }

    /// What became of these.
    fn of(self, messages: Vec<Recorded>) -> Update {
        let mut update = Update::default();
        let mut refused = Vec::new();
        for message in messages {
            let number = message.number();
            match number {
                it if self.removed.contains(&it) => update.removed.push(message),
                it if self.left.contains(&it) => update.left.push(message),
                it if self.refused.contains(&it) => refused.push(message),
                _ => update.unknown.push(message),
            }
        }
        update.refused = self.refusal.map(|answer| (refused, answer));
        update
    }
}

impl Numbered for Recorded {
    fn number(&self) -> MessageNumber {
        Recorded::number(self)
    }
}

impl Numbered for MessageNumber {
    fn number(&self) -> MessageNumber {
        *self
    }
}
