//! What a message is called in the sessions of one run.

use crate::maildrop::{Identity, Message, MessageNumber};

/// A message, for as long as the run goes on: its number may be another one in the next session.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Key {
    identity: Option<Identity>,
    turn: u32,
    /// Of one without identity, which lasts until the server deletes something.
    number: Option<MessageNumber>,
}

impl Key {
    /// Of a listed message.
    pub(super) fn of(message: &Message) -> Self {
        Self {
            identity: message.identity,
            turn: message.turn,
            number: message.identity.is_none().then_some(message.number),
        }
    }

    /// Whether it can be told in another session at all.
    pub(super) fn is_lasting(&self) -> bool {
        self.identity.is_some()
    }
}
