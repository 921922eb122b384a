//! What becomes of messages that are to be deleted.

use super::{Answer, Error};
use crate::state::Recorded;

/// Messages that the server has marked as deleted; it deletes them in the UPDATE state, if it ever
/// comes to that.
#[derive(Debug, Default)]
pub struct Marked {
    pub(super) messages: Vec<Recorded>,
    /// Those that the server refused to mark. They stay.
    pub refused: Vec<Recorded>,
    /// So many it has refused in company with others, without a word on which: they stay, and nothing is
    /// held against them.
    pub refused_together: u64,
    /// What it said when it refused the first of them.
    pub refusal: Option<Answer>,
    /// What it was not even asked for.
    pub unasked: Option<Unasked>,
}

/// Messages whose deletion was not asked for, as it would have cost more than these.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unasked {
    /// How many.
    pub count: u64,
    /// Why, as what is said of the server.
    pub reason: &'static str,
}

/// What is known about the UPDATE state.
#[derive(Debug)]
pub enum Update {
    /// The server entered it and removed these.
    Confirmed(Vec<Recorded>),
    /// The server said that it removed all of these, and still has some.
    Partial {
        /// Those that it has no more.
        removed: Vec<Recorded>,
        /// Those that it still has.
        left: Vec<Recorded>,
    },
    /// The server answered QUIT with -ERR: some of these are not removed, and none but these are
    /// (RFC 1939 section 6). The next listing tells.
    Refused(Vec<Recorded>, Answer),
    /// The connection ended before its reply to QUIT, or was not closed behind that: some, all or none of
    /// these are removed. The next listing tells.
    Unknown(Vec<Recorded>),
    /// What stood where the reply to QUIT must stand was none: as before, and nothing that the
    /// server has said in this session is above doubt.
    Disorder(Vec<Recorded>, Error),
}

impl Marked {
    /// Whether the server is to delete nothing.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}
