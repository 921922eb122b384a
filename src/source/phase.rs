//! What a session is about at a time.

use crate::maildrop::MessageNumber;
use std::fmt;

/// What the session was about, in words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Waiting for the greeting.
    Greeting,
    /// CAPA in clear, STLS and the handshake.
    StartTls,
    /// CAPA.
    Capabilities,
    /// USER, PASS, AUTH.
    SignIn,
    /// STAT, LIST, UIDL.
    Listing,
    /// RETR.
    Message(MessageNumber),
    /// TOP.
    Header(MessageNumber),
    /// NOOP.
    Step,
    /// APPEND, and looking for what was appended.
    Appending,
    /// DELE.
    Deleting(MessageNumber),
    /// QUIT.
    Quit,
    /// IDLE.
    News,
}

impl Phase {
    /// Whether somebody has signed in.
    pub(super) fn is_of_mailbox(self) -> bool {
        !matches!(
            self,
            Self::Greeting | Self::StartTls | Self::Capabilities | Self::SignIn
        )
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greeting => f.write_str("waiting for the server's greeting"),
            Self::StartTls => f.write_str("setting up TLS"),
            Self::Capabilities => f.write_str("asking for the server's capabilities"),
            Self::SignIn => f.write_str("signing in"),
            Self::Listing => f.write_str("listing the mailbox"),
            Self::Message(number) => write!(f, "fetching message {number}"),
            Self::Header(number) => write!(f, "reading the header of message {number}"),
            Self::Step => f.write_str("asking whether the server is still in step"),
            Self::Appending => f.write_str("appending a message"),
            Self::Deleting(number) => write!(f, "marking message {number} as deleted"),
            Self::Quit => f.write_str("ending the session"),
            Self::News => f.write_str("waiting for news of mail"),
        }
    }
}
