//! How a session breaks off: with an error, which is told as it is, and with what it broke over, as far
//! as that shows. The first is for people, the second for the choice of what to try next.

use super::Error;
use crate::delivery::Complete;
use crate::maildrop::{Maildrop, Message};

/// A session that broke off.
#[derive(Debug)]
pub(super) struct Broken {
    /// What happened.
    pub(super) error: Error,
    /// What it happened over.
    pub(super) over: Box<Over>,
}

/// What a session broke over.
#[derive(Debug)]
pub(super) enum Over {
    /// What the error says.
    Itself,
    /// The sign-in and the listings were sent in one flight, and the server has not followed.
    Flight,
    /// Commands were sent ahead, and replies got out of step with them.
    Step,
    /// Headers that rules have asked for; that of this message, where it shows.
    Headers(Option<Message>),
    /// A message: the connection ended over it, or had to be given up because of it. The others can be
    /// had without it.
    Message(Message),
    /// The end of a message: the server was not in step behind it, so that it may not be whole (E12).
    End {
        /// The message.
        message: Message,
        /// What came of it.
        reading: Option<Box<Complete>>,
    },
}

impl<E: Into<Error>> From<E> for Broken {
    fn from(error: E) -> Self {
        Self::over(error, Over::Itself)
    }
}

impl Broken {
    pub(super) fn over(error: impl Into<Error>, over: Over) -> Self {
        Self {
            error: error.into(),
            over: Box::new(over),
        }
    }

    /// The same, with what `maildrop` lists of the message that it is about.
    pub(super) fn about(self, maildrop: &Maildrop) -> Self {
        Self {
            error: self.error.about(maildrop),
            ..self
        }
    }
}
