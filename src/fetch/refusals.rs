//! Refusals to send messages: whose fault they are. A message's own they are only where that is
//! shown; what the server says of itself, or of several messages in a row, is the session's.

use super::Account;
use super::key::Key;
use super::tell::listed;
use crate::maildrop::Message;
use crate::report::Event;
use crate::session::{Answer, Meaning, Phase};
use std::collections::HashSet;

/// So many messages in a row that are refused are not all to blame.
const SEVERAL: usize = 5;

/// What a session's RETRs have come to, refusals above all.
#[derive(Default)]
pub(super) struct Refusals {
    /// Those that have been refused before, while others came.
    pub(super) known: HashSet<Key>,
    /// Refused since the last message that came, and not shown to be to blame.
    in_a_row: Vec<(Message, Answer)>,
    /// Messages that came.
    arrived: u64,
    /// They are refused for their own sake.
    pub(super) to_blame: Vec<(Message, String)>,
    /// The session's trouble met these.
    pub(super) met: Vec<Message>,
    /// It is the session's trouble.
    pub(super) trouble: Option<Answer>,
}

impl Refusals {
    pub(super) fn new(known: HashSet<Key>) -> Self {
        Self {
            known,
            ..Self::default()
        }
    }

    /// Messages that came.
    pub(super) fn arrived(&self) -> u64 {
        self.arrived
    }

    /// A message came: those before it were refused for their own sake.
    pub(super) fn came(&mut self, account: &Account<'_>) {
        self.arrived += 1;
        for (message, answer) in std::mem::take(&mut self.in_a_row) {
            self.blame(message, &answer, account);
        }
    }

    /// A message was refused. Whether the server may be asked for more.
    pub(super) fn refused(&mut self, message: Message, answer: Answer, account: &Account<'_>) {
        let meaning = Meaning::of(Phase::Message(message.number), &answer);
        if meaning.is_the_sessions() {
            self.trouble.get_or_insert(answer);
            if self.met.len() < SEVERAL {
                self.met.push(message);
            }
        } else if self.known.contains(&Key::of(&message)) {
            self.blame(message, &answer, account);
        } else if self.in_a_row.len() < SEVERAL {
            self.in_a_row.push((message, answer));
            if let (SEVERAL.., Some((_, first))) = (self.in_a_row.len(), self.in_a_row.first()) {
                self.trouble.get_or_insert(first.clone());
            }
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self, account: &Account<'_>) {
        let in_a_row = std::mem::take(&mut self.in_a_row);
        let is_all = self.arrived == 0 && in_a_row.len() > 1;
        if let (true, Some((_, answer))) = (is_all, in_a_row.first()) {
            self.trouble.get_or_insert(answer.clone());
        }
        for (message, answer) in in_a_row {
            match self.trouble.is_some() {
                true => self.met.push(message),
                false => self.blame(message, &answer, account),
            }
        }
    }

    fn blame(&mut self, message: Message, answer: &Answer, account: &Account<'_>) {
        let reason = format!("the server refused to send it: {answer}");
        self.blame_for(message, reason, account);
    }

    /// A message could not be had, for its own sake.
    pub(super) fn blame_for(&mut self, message: Message, reason: String, account: &Account<'_>) {
        account.tell(Event::Failed {
            message: listed(&message),
            reason: &reason,
        });
        self.to_blame.push((message, reason));
    }
}
