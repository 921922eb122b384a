//! What goes on for long is told once a day.

use std::collections::BTreeMap;

/// What may go on for long. Each is told by itself: one that is new is no less new for another that was told
/// on the same day.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Lasting {
    /// Messages of which nothing tells how old they are.
    Undated,
    /// Messages that are due to be deleted, and are kept.
    Withheld,
    /// The time that ages are counted by cannot be had.
    Ageless,
    /// Headers that rules would have to see.
    Unruled,
    /// The server has no means to delete just what is due.
    Unasked,
    /// The server does not delete what it is asked to.
    Refused,
    /// Messages among others that have no unique-id of their own.
    Nameless,
}

impl Lasting {
    /// Their words in the journal.
    const WORDS: [(Self, &str); 7] = [
        (Self::Undated, "undated"),
        (Self::Withheld, "withheld"),
        (Self::Ageless, "ageless"),
        (Self::Unruled, "unruled"),
        (Self::Unasked, "unasked"),
        (Self::Refused, "refused"),
        (Self::Nameless, "nameless"),
    ];

    /// Its word in the journal.
    pub(super) fn word(self) -> &'static str {
        let mut words = Self::WORDS.iter();
        words.find(|(it, _)| *it == self).map_or("", |it| it.1)
    }

    /// By its word in the journal.
    pub(super) fn of(word: &str) -> Option<Self> {
        let mut words = Self::WORDS.iter();
        words.find(|it| it.1 == word).map(|it| it.0)
    }
}

/// When each was last told; those of `None` by a version that knew one time for all.
pub(super) type Told = BTreeMap<Option<Lasting>, i64>;
