//! What becomes of a message that is given to a server to keep.

use super::{Answer, Error};
use crate::handover::Spot;
use std::io;

/// What the server has said of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Appended {
    /// It has it.
    Taken {
        /// The folder was made for it.
        made: bool,
        /// Where it is, as far as the server says so.
        spot: Option<Spot>,
    },
    /// It does not take it now.
    NotNow(Answer),
    /// It does not take it, and will not for as long as the message is what it is.
    Refused(Answer),
    /// The folder takes none, whatever they are: it cannot be made, or is not for this user.
    NoFolder(Answer),
    /// It is never asked to: why.
    Never(String),
}

/// Whether it was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Found {
    /// These may be what an earlier try has left, as they were not there before; none is one of those that are known
    /// to be others.
    Since(Vec<Spot>),
    /// It is not known to be there; what is there are other messages with the very same octets.
    Like {
        /// How many in the folder that has most of them.
        most: usize,
        /// Those in the folder that it was for.
        here: Vec<Spot>,
    },
    /// It is not.
    NotThere,
    /// The server does not tell: it has something that may be it, changed, or cannot be looked through.
    CannotTell,
}

/// What is known of a folder before anything is put into it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Standing {
    /// Where the next message will be at least, as far as the server can be believed.
    pub next: Option<Spot>,
    /// The folder was made just now.
    pub made: bool,
}

/// Why nobody knows what has become of it, or why it was not sent.
#[derive(Debug)]
pub enum Unappended {
    /// Its file cannot be read.
    File(io::Error),
    /// The server has said this before it had all of it, and waits for the rest.
    Cut(Appended),
    /// The connection is of no more use.
    Session {
        /// Why.
        error: Error,
        /// The server may have had all of it.
        may_be_taken: bool,
    },
}

impl Unappended {
    pub(super) fn before(error: Error) -> Self {
        Self::Session {
            error,
            may_be_taken: false,
        }
    }

    pub(super) fn behind(error: Error) -> Self {
        Self::Session {
            error,
            may_be_taken: true,
        }
    }
}
