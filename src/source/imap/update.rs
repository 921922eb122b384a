//! Deleting: marking messages, and removing what is marked (RFC 3501 section 6.4.6, RFC 4315).

use super::wire::Step;
use super::{Answer, Error, Phase, Session, SignedIn};
use crate::imap::{Command, UidSet};
use crate::source::{Marked, Update};
use crate::state::Recorded;
use std::time::Duration;

/// How long the answer to LOGOUT may take: nothing depends on it.
const LOGOUT_TIMEOUT: Duration = Duration::from_secs(10);

/// What is said of a server that can only remove all that anybody has marked, whoever that was.
const NO_UIDPLUS: &str = "no UIDPLUS: what popfetch marks could not be removed by itself";

/// What has become of what was marked.
enum Removal {
    /// It is gone.
    Done,
    /// The server has refused to remove some of it.
    Refused(Answer),
    /// Some of it is still there, or may be.
    Unclear,
}

impl Session<SignedIn> {
    /// Marks messages as deleted. Takes nothing but what is stored and recorded (E4). The mailbox is
    /// opened anew for it, and must be what it was: UIDs mean nothing under another UIDVALIDITY.
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
        let refusal = match self.capabilities.uid_plus {
            true => self.open_for_changes().map_err(|error| (error, None))?,
            false => Some(Answer::said(NO_UIDPLUS)),
        };
        if let Some(answer) = refusal {
            (marked.refused, marked.refusal) = (recorded, Some(answer));
            return Ok(marked);
        }
        let mut left = recorded;
        left.sort_unstable_by_key(Recorded::number);
        for set in sets(&left) {
            let these = left.partition_point(|it| it.number().value() <= set.last());
            let others = left.split_off(these);
            let these = std::mem::replace(&mut left, others);
            let answer = self.mark(&set, &these).map_err(|error| (error, None))?;
            if answer.ok {
                marked.messages.extend(these);
            } else {
                marked.refused.extend(these);
                marked.refusal.get_or_insert(answer);
            }
        }
        Ok(marked)
    }

    fn mark(&mut self, set: &UidSet, these: &[Recorded]) -> Result<Answer, Error> {
        self.wire.send(Command::StoreDeleted(set))?;
        let first = these.first().map(Recorded::number);
        self.wire
            .answer(first.map_or(Phase::Listing, Phase::Deleting))
    }

    /// Removes what is marked, looks whether it is gone, and ends the session. That it is gone is known from both: that the server has done what it was asked, and that it has none of them
    /// any more.
    pub(in crate::source) fn end(mut self, marked: Marked) -> Update {
        let messages = marked.messages;
        let removal = self.remove(&messages);
        let parting = removal.is_ok().then(|| {
            self.wire.link.limit_timeout(LOGOUT_TIMEOUT);
            self.wire.answer(Phase::Quit)
        });
        self.wire.link.close();
        match (removal, parting) {
            (Err(error @ Error::Violation { .. }), _)
            | (Ok(Removal::Done), Some(Err(error @ Error::Violation { .. }))) => {
                Update::Disorder(messages, error)
            }
            (Ok(Removal::Refused(answer)), _) => Update::Refused(messages, answer),
            // What was said of the messages counts, whatever becomes of the connection.
            (Ok(Removal::Done), Some(Ok(_))) => Update::Confirmed(messages),
            (Ok(Removal::Done), _) if !messages.is_empty() => Update::Confirmed(messages),
            (Ok(Removal::Done | Removal::Unclear) | Err(_), _) => Update::Unknown(messages),
        }
    }

    /// All but the answer to LOGOUT, which is sent as well. The look waits for the answers to EXPUNGE: in
    /// the same flight Dovecot would still show what it is about to remove (fact Q24).
    fn remove(&mut self, messages: &[Recorded]) -> Result<Removal, Error> {
        let sets = sets(messages);
        let mut removal = Removal::Done;
        let expunges: Vec<_> = sets.iter().map(Command::Expunge).collect();
        for (answer, _) in self.ask(&expunges, &sets)? {
            if matches!(removal, Removal::Done) && !answer.ok {
                removal = Removal::Refused(answer);
            }
        }
        let looks: Vec<_> = sets.iter().map(Command::FetchThese).collect();
        for (answer, are_gone) in self.ask(&looks, &sets)? {
            if matches!(removal, Removal::Done) && !(answer.ok && are_gone) {
                removal = Removal::Unclear;
            }
        }
        self.wire.send(Command::Logout)?;
        Ok(removal)
    }

    /// Sends commands, in one flight where that may be. The answers, and whether none of the messages in
    /// `sets` was told of before each: what is told may come before the answers to earlier commands.
    fn ask(
        &mut self,
        commands: &[Command<'_>],
        sets: &[UidSet],
    ) -> Result<Vec<(Answer, bool)>, Error> {
        let ahead = self.options.pipelining;
        let mut answers = Vec::new();
        for command in commands.iter().filter(|_| ahead) {
            self.wire.send(*command)?;
        }
        for command in commands {
            if !ahead {
                self.wire.send(*command)?;
            }
            answers.push(self.look(sets)?);
        }
        Ok(answers)
    }

    fn look(&mut self, sets: &[UidSet]) -> Result<(Answer, bool), Error> {
        let mut are_gone = true;
        loop {
            match self.wire.next(Phase::Quit)? {
                Step::Fetched(fetched) => {
                    let is_one = |uid| sets.iter().any(|set| set.contains(uid));
                    are_gone &= !fetched.uid.is_some_and(is_one);
                }
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(answer) => return Ok((answer, are_gone)),
                _ => {}
            }
        }
    }
}

fn sets(messages: &[Recorded]) -> Vec<UidSet> {
    UidSet::of(messages.iter().map(|message| message.number().into()))
}
