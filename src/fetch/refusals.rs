//! Refusals to send messages: whose fault they are. A message's own they are only where the server
//! says so, or where that is shown, by another message that comes afterwards; what the server says of
//! itself, or of several messages in a row and of one that it has sent before, is the session's. But
//! not for ever: where nothing has come for a day, words that say nothing are about the messages.

use super::key::Key;
use super::tell::listed;
use super::{Account, Error};
use crate::maildrop::Message;
use crate::net;
use crate::report::{self, Event};
use crate::source::{self, Answer, Arrival, Meaning, Phase, Source};
use crate::state::{FailureKind, Store};
use std::collections::HashSet;
use std::mem::take;

/// So many messages in a row that are refused are not all to blame, as far as has been shown.
const SEVERAL: usize = 5;

/// The message that is asked for once more, to see whether the server sends any, is no larger.
const LARGEST_WITNESS: u64 = 1024 * 1024;

/// It is asked for so often in a session.
const MOST_ASKED: u32 = 8;

/// Lines about refused messages.
const MOST_TOLD: usize = 100;

/// What a session's RETRs have come to, refusals above all.
pub(super) struct Refusals {
    /// Those that have been refused before, while others came.
    known: HashSet<Key>,
    /// Refused since the last message that came, and not shown to be to blame.
    in_a_row: Vec<(Message, Answer)>,
    /// So many in a row are looked into.
    several: usize,
    /// The smallest message that the server is known to have sent.
    witness: Option<Message>,
    asked: u32,
    /// Messages that came.
    arrived: u64,
    /// They are refused for their own sake.
    to_blame: Vec<(Message, String)>,
    /// So are these, but the server says that it will pass: it is not counted.
    excused: Vec<(Message, String)>,
    /// Somebody has removed these since they were listed.
    gone: Vec<Message>,
    /// These were so, or in some other trouble, in an earlier run already.
    suspected: HashSet<Key>,
    /// The session's trouble met these.
    met: Vec<Message>,
    /// It is the session's trouble.
    pub(super) trouble: Option<Answer>,
    /// No message has come for so long that words which say nothing are about the messages.
    lasting: bool,
}

impl Default for Refusals {
    fn default() -> Self {
        Self::new(HashSet::new(), HashSet::new(), None, false)
    }
}

impl Refusals {
    /// `stored`: a message that an earlier session has brought.
    pub(super) fn new(
        known: HashSet<Key>,
        suspected: HashSet<Key>,
        stored: Option<Message>,
        lasting: bool,
    ) -> Self {
        Self {
            known,
            suspected,
            gone: Vec::new(),
            in_a_row: Vec::new(),
            several: SEVERAL,
            witness: stored.filter(|message| message.octets <= Some(LARGEST_WITNESS)),
            asked: 0,
            arrived: 0,
            to_blame: Vec::new(),
            excused: Vec::new(),
            met: Vec::new(),
            trouble: None,
            lasting,
        }
    }

    /// Notes them, for the runs to come.
    pub(super) fn note(&self, store: &mut Store) {
        for (message, _) in &self.to_blame {
            store.failed(message, FailureKind::Refused);
        }
        let excused = self.excused.iter().map(|(message, _)| message);
        for message in excused.chain(&self.met).chain(&self.gone) {
            store.suspect(message, FailureKind::Refused);
        }
    }

    /// The messages that are passed over in this run, and why.
    pub(super) fn passed_over(&self) -> impl Iterator<Item = &(Message, String)> {
        self.to_blame.iter().chain(&self.excused)
    }

    /// Messages that are gone from the server, and no failure.
    pub(super) fn gone(&self) -> &[Message] {
        &self.gone
    }

    /// Messages that came.
    pub(super) fn arrived(&self) -> u64 {
        self.arrived
    }

    /// A message came: those before it were refused for their own sake.
    pub(super) fn came(&mut self, message: &Message, account: &Account<'_>) {
        self.arrived += 1;
        let smallest = self.witness.as_ref().and_then(|witness| witness.octets);
        if let Some(octets) = message.octets
            && octets < smallest.unwrap_or(LARGEST_WITNESS)
        {
            self.witness = Some(message.clone());
        }
        self.blame_all(account);
    }

    /// A message was refused.
    pub(super) fn refused(&mut self, message: Message, answer: Answer, account: &Account<'_>) {
        match meaning(&message, &answer) {
            Meaning::Limit | Meaning::InUse => {
                self.trouble.get_or_insert(answer);
                self.met.push(message);
            }
            Meaning::Passing => self.in_a_row.push((message, answer)),
            _ if self.lasting
                || names_the_message(&message, &answer)
                || self.known.contains(&Key::of(&message)) =>
            {
                self.blame(message, &answer, account);
            }
            _ => self.in_a_row.push((message, answer)),
        }
    }

    /// Somebody has removed a message since it was listed, as far as the server says. One that it lists
    /// again, and has no more again, is refused: otherwise nobody would hear that it never comes.
    pub(super) fn removed(&mut self, message: Message, answer: Answer, account: &Account<'_>) {
        if self.suspected.contains(&Key::of(&message)) {
            return self.refused(message, answer, account);
        }
        if self.gone.len() < MOST_TOLD {
            account.tell(Event::Notice(&format!(
                "{} is gone from the server: somebody has removed it since it was listed",
                report::in_words(&listed(&message))
            )));
        }
        self.gone.push(message);
    }

    /// Whether the server is to be asked for no more for now.
    pub(super) fn wants_a_stop(&self) -> bool {
        self.trouble.is_some()
            || self.in_a_row.len() >= self.several
            || self.speaks_of_passing_trouble()
    }

    /// The message to ask for once more while nothing is under way; `None` where none was refused, or
    /// nothing more can be shown.
    pub(super) fn inquire(&mut self) -> Option<Message> {
        let witness = self.witness.clone().filter(|_| {
            self.trouble.is_none() && !self.in_a_row.is_empty() && self.asked < MOST_ASKED
        })?;
        self.asked += 1;
        Some(witness)
    }

    /// Whether the server has sent once more what it had sent before.
    pub(super) fn learn(&mut self, sent: bool, account: &Account<'_>) {
        match sent {
            true => {
                self.several = self.several.saturating_mul(2);
                self.blame_all(account);
            }
            false => self.is_the_sessions(),
        }
    }

    /// Whether one of the messages that are still to be asked for may show more.
    pub(super) fn may_try_another(&self) -> bool {
        self.witness.is_none()
            && self.trouble.is_none()
            && self.in_a_row.len() == self.several
            && !self.speaks_of_passing_trouble()
    }

    /// Whether there is nothing more to be shown.
    pub(super) fn are_settled(&self) -> bool {
        self.in_a_row.is_empty() && self.trouble.is_none()
    }

    /// Nothing more comes; `stopped`: although there is more to be asked for.
    pub(super) fn end(&mut self, stopped: bool, account: &Account<'_>) {
        let is_all = self.arrived == 0 && self.in_a_row.len() > 1;
        if is_all || stopped || self.speaks_of_passing_trouble() {
            self.is_the_sessions();
        }
        match self.trouble.is_some() {
            true => {
                let in_a_row = take(&mut self.in_a_row);
                self.met
                    .extend(in_a_row.into_iter().map(|(message, _)| message));
                self.met.truncate(SEVERAL);
            }
            false => self.blame_all(account),
        }
        let untold = (self.to_blame.len() + self.excused.len()).saturating_sub(MOST_TOLD);
        if untold > 0 {
            account.tell(Event::Warning(&format!(
                "{untold} more were refused as well"
            )));
        }
    }

    fn is_the_sessions(&mut self) {
        if let Some((_, answer)) = self.in_a_row.first() {
            self.trouble.get_or_insert(answer.clone());
        }
    }

    fn speaks_of_passing_trouble(&self) -> bool {
        let mut in_a_row = self.in_a_row.iter();
        in_a_row.any(|(message, answer)| meaning(message, answer) == Meaning::Passing)
    }

    fn blame_all(&mut self, account: &Account<'_>) {
        for (message, answer) in take(&mut self.in_a_row) {
            self.blame(message, &answer, account);
        }
    }

    fn blame(&mut self, message: Message, answer: &Answer, account: &Account<'_>) {
        let reason = format!("the server refused to send it: {answer}");
        match meaning(&message, answer) {
            Meaning::Passing => {
                self.tell(&message, &reason, account);
                self.excused.push((message, reason));
            }
            _ => self.blame_for(message, reason, account),
        }
    }

    /// A message could not be had, for its own sake.
    pub(super) fn blame_for(&mut self, message: Message, reason: String, account: &Account<'_>) {
        self.tell(&message, &reason, account);
        self.to_blame.push((message, reason));
    }

    fn tell(&self, message: &Message, reason: &str, account: &Account<'_>) {
        if self.to_blame.len() + self.excused.len() < MOST_TOLD {
            account.tell(Event::Failed {
                message: listed(message),
                reason,
            });
        }
    }
}

fn meaning(message: &Message, answer: &Answer) -> Meaning {
    Meaning::of(Phase::Message(message.number), answer)
}

/// Whether the server says that it is this message which cannot be had, and nothing that it could say
/// of a limit or of itself as well.
fn names_the_message(message: &Message, answer: &Answer) -> bool {
    let here = Meaning::recognised(Phase::Message(message.number), answer);
    let elsewhere = Meaning::recognised(Phase::Listing, answer);
    here == Some(Meaning::Message) && !elsewhere.is_some_and(Meaning::is_the_sessions)
}

/// Whether the server sends a message that it has sent before; what comes of it is dropped.
///
/// # Errors
/// [`Error::Stopped`] and the like; that the server breaks over it is its answer, and the session is
/// over.
pub(super) fn is_sent_again(
    session: &mut Source,
    message: Message,
    refused: &Refusals,
) -> Result<bool, Error> {
    let mut retrieval = session.retrieve([message]);
    let mut sent = false;
    loop {
        match retrieval.next_arrival() {
            Ok(Some(Arrival::Ends(..))) => sent = true,
            Ok(Some(_)) => {}
            Ok(None) => return Ok(sent),
            Err(error) => {
                let is_ours = matches!(
                    error,
                    source::Error::Net {
                        source: net::Error::Stopped(_),
                        ..
                    }
                );
                return Err(match refused.in_a_row.first() {
                    Some((_, answer)) if !is_ours => Error::Refusing(answer.clone()),
                    _ => error.into(),
                });
            }
        }
    }
}
