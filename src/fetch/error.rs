//! What can end an account's fetch.

use crate::delivery;
use crate::exit::{Diagnose, Status};
use crate::maildrop::Identity;
use crate::net;
use crate::pop3::MessageNumber;
use crate::session::{self, Phase};
use crate::state;
use crate::stop;

/// What ended an account's fetch.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server cannot be reached.
    #[error(transparent)]
    Connect(net::Error),
    /// The Maildir cannot be used.
    #[error(transparent)]
    Delivery(#[from] delivery::Error),
    /// Replies and commands got out of step while commands were sent ahead.
    #[error("{0}")]
    OutOfStep(Box<Error>),
    /// The connection ended over a message, or had to be given up because of it: the others can
    /// be had without it.
    #[error("{source}")]
    Over {
        /// The message.
        identity: Identity,
        /// What happened.
        source: Box<Error>,
    },
    /// A message is far larger than the server said.
    #[error("message {0} has no end: it is far larger than the server listed it")]
    Oversized(MessageNumber),
    /// The session failed.
    #[error(transparent)]
    Session(#[from] session::Error),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] state::Error),
    /// We were asked to stop.
    #[error("{0}")]
    Stopped(stop::Reason),
    /// The thread that stores messages ended in a way it should not.
    #[error("the thread that stores messages failed")]
    Thread,
}

impl Error {
    fn cause(&self) -> Option<&dyn Diagnose> {
        Some(match self {
            Self::Connect(error) => error,
            Self::Delivery(error) => error,
            Self::Session(error) => error,
            Self::State(error) => error,
            Self::OutOfStep(source) | Self::Over { source, .. } => source.as_ref(),
            Self::Oversized(_) | Self::Stopped(_) | Self::Thread => return None,
        })
    }

    /// Whether the server closed the connection at this point.
    pub(super) fn closed_on(&self, wanted: Phase) -> bool {
        match self {
            Self::Session(session::Error::Net {
                phase,
                source: net::Error::Closed,
            }) => *phase == wanted,
            _ => false,
        }
    }

    /// Whether the message at hand may be what broke the connection, rather than the line, the
    /// disk or the person: the server closed it, or sends without end.
    pub(super) fn is_the_messages(&self) -> bool {
        match self {
            Self::Session(session::Error::Net { phase, source }) => {
                matches!(phase, Phase::Message(_))
                    && matches!(source, net::Error::Closed | net::Error::Io(_))
            }
            Self::Oversized(_) => true,
            _ => false,
        }
    }

    /// Whether replies and commands got out of step.
    pub(super) fn is_disorder(&self) -> bool {
        match self {
            Self::Session(session::Error::Violation { phase, .. }) => {
                matches!(phase, Phase::Listing | Phase::Message(_) | Phase::Deleting)
            }
            _ => false,
        }
    }
}

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Oversized(_) => Status::Protocol,
            Self::Stopped(reason) => reason.status(),
            other => other.cause().map_or(Status::Internal, Diagnose::status),
        }
    }

    fn is_routine(&self) -> bool {
        self.cause().is_some_and(Diagnose::is_routine)
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Oversized(_) => Some(
                "if it is meant to be so large, set `max-size` to more than its size".to_owned(),
            ),
            other => other.cause().and_then(Diagnose::hint),
        }
    }
}
