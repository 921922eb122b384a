//! Which folders are listed for the first time: of these, `latest` passes over what is older.

use crate::maildrop::{Maildrop, RemoteFolder};
use std::collections::BTreeSet;

/// What is listed for the first time.
pub(super) enum FirstListings {
    /// All of it, but for folders that could not be read.
    All { unread: BTreeSet<Box<str>> },
    /// These folders, which could not be read in the first listing of all.
    Of(BTreeSet<Box<str>>),
}

impl FirstListings {
    /// Of the listing at hand. `first`: nothing is known of the account; `awaited`: nor of these folders.
    pub(super) fn of(first: bool, awaited: &BTreeSet<Box<str>>, maildrop: &Maildrop) -> Self {
        if first {
            let unread = maildrop.unread().map(Box::from).collect();
            return Self::All { unread };
        }
        // Most of the time there is none, and there may be a hundred thousand folders.
        if awaited.is_empty() {
            return Self::Of(BTreeSet::new());
        }
        let listed = maildrop.folder_names().filter(|it| awaited.contains(*it));
        let mut listed: BTreeSet<Box<str>> = listed.map(Box::from).collect();
        // A part of it may be listed all the same.
        maildrop.unread().for_each(|it| drop(listed.take(it)));
        Self::Of(listed)
    }

    /// Nothing: whoever asks passes over nothing for being old.
    pub(super) fn none() -> Self {
        Self::Of(BTreeSet::new())
    }

    /// Whether a folder is, or what has none.
    pub(super) fn has(&self, folder: Option<&RemoteFolder>) -> bool {
        match self {
            Self::All { .. } => true,
            Self::Of(folders) => folder.is_some_and(|it| folders.contains(&it.name)),
        }
    }

    /// Whether nothing is.
    pub(super) fn are_none(&self) -> bool {
        matches!(self, Self::Of(folders) if folders.is_empty())
    }
}
