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

/// What is known about the UPDATE state. Each message that was marked is in one of these.
#[derive(Debug, Default)]
pub struct Update {
    /// The server has confirmed that it removed these.
    pub removed: Vec<Recorded>,
    /// It said that it removed these, and still has them.
    pub left: Vec<Recorded>,
    /// It refused with this answer: some of these are not removed (RFC 1939 section 6). The next listing
    /// tells.
    pub refused: Option<(Vec<Recorded>, Answer)>,
    /// The connection ended before its answer, or was not closed behind that: some, all or none of these are
    /// removed. The next listing tells.
    pub unknown: Vec<Recorded>,
    /// What stood where its answer must stand was none: nothing that it has said in this session is above
    /// doubt.
    pub disorder: Option<Error>,
    /// It has confirmed the end of the session.
    pub is_confirmed: bool,
}

impl Marked {
    /// Whether the server is to delete nothing.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}
