//! Headers that rules ask for, and that sessions have broken over. Rules are a wish, and mail is not: a
//! message whose header cannot be had comes, and the others are judged as always.

use super::Error;
use super::broken::{Broken, Over};
use super::key::Key;
use crate::maildrop::{Maildrop, Message};
use crate::source::Phase;
use std::collections::HashSet;

/// After sessions have broken over so many headers, each asked for alone, rules do without any for the
/// rest of the run: it is the server, and each costs a session.
const MOST: usize = 4;

/// What rules may go by.
#[derive(Clone, Copy)]
pub(super) struct Trust<'a> {
    /// No age is known.
    pub(super) doubts_ages: bool,
    /// Headers are asked for: no session of the run has broken over them again and again.
    pub(super) asks_headers: bool,
    /// But for those of these messages.
    pub(super) without: Option<&'a HashSet<Key>>,
}

impl Trust<'_> {
    pub(super) fn asks_for(&self, message: &Message) -> bool {
        let is_left_out = self
            .without
            .is_some_and(|it| it.contains(&Key::of(message)));
        self.asks_headers && !is_left_out
    }
}

/// What a run has met so far.
#[derive(Default)]
pub(super) struct HeaderTrouble {
    /// The headers of these messages are not asked for.
    without: HashSet<Key>,
    /// Nor is any other.
    is_general: bool,
}

impl HeaderTrouble {
    /// What rules may go by in the session at hand.
    pub(super) fn trust(&self, doubts_ages: bool) -> Trust<'_> {
        Trust {
            doubts_ages,
            asks_headers: !self.is_general,
            without: Some(&self.without),
        }
    }

    /// A session broke over the header of this message, or over headers without a word on which.
    pub(super) fn note(&mut self, over: Option<&Message>) {
        let key = over.map(Key::of).filter(Key::is_lasting);
        match key.filter(|_| self.without.len() < MOST) {
            Some(key) => _ = self.without.insert(key),
            None => self.is_general = true,
        }
    }
}

/// How a session breaks off in which rules have asked for headers.
pub(super) fn broken(error: Error, maildrop: &Maildrop) -> Broken {
    // Where much was asked for at once, that may be what the server cannot do.
    let is_flight = error.broke_over_several().is_some();
    let over = match error.phase() {
        Some(Phase::Header(number)) if error.broke_over_headers() && !is_flight => {
            let mut listed = (0..maildrop.len()).filter_map(|place| maildrop.message(place));
            Over::Headers(listed.find(|message| message.number == number))
        }
        // Which of the answers was one too many, nobody knows.
        _ if error.is_disorder() || (error.broke_over_headers() && !is_flight) => {
            Over::Headers(None)
        }
        _ => Over::Itself,
    };
    Broken::over(error, over)
}
