//! Which messages a line speaks of, by their numbers, and the same line about others.

use super::{Entry, Id};

impl Entry {
    /// The same line with other numbers for the messages that it speaks of; none where one of them has no other.
    pub(in crate::state) fn renumbered(self, new: impl Fn(Id) -> Option<Id>) -> Option<Self> {
        let mut all = Some(());
        let mut entry = self;
        for id in entry.numbers().into_iter().flatten() {
            match new(*id) {
                Some(new) => *id = new,
                None => all = None,
            }
        }
        all.map(|()| entry)
    }

    /// The message that it speaks of, or the first and the last of several.
    fn numbers(&mut self) -> [Option<&mut Id>; 2] {
        match self {
            Self::Absent { id, .. }
            | Self::Again { id }
            | Self::Alias { id, .. }
            | Self::Asked { id, .. }
            | Self::Back { id }
            | Self::Deleted { id, .. }
            | Self::Doubtful { id }
            | Self::Dropped { id }
            | Self::Evidence { id, .. }
            | Self::Forgotten { id }
            | Self::Found { id, .. }
            | Self::Gone { id, .. }
            | Self::Granted { id }
            | Self::Handed { id, .. }
            | Self::Handing { id, .. }
            | Self::Intent { id, .. }
            | Self::Marked { id, .. }
            | Self::NotTaken { id, .. }
            | Self::Returned { id }
            | Self::Undeletable { id, .. }
            | Self::Unlisted { id, .. } => [Some(id), None],
            Self::Disorder { first, last }
            | Self::Due { first, last }
            | Self::Seen { first, last } => [Some(first), Some(last)],
            Self::Baseline { .. }
            | Self::Began { .. }
            | Self::Extent(_)
            | Self::Failed { .. }
            | Self::Former { .. }
            | Self::Generation { .. }
            | Self::Header { .. }
            | Self::Home { .. }
            | Self::Import(_)
            | Self::Reported { .. }
            | Self::Sizes(_)
            | Self::Told { .. }
            | Self::Unpipelined { .. }
            | Self::Unread { .. } => [None, None],
        }
    }
}
