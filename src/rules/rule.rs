//! A rule: conditions that must all hold, and what is done then.

use super::bounds::Bounds;
use super::pattern::Pattern;
use crate::maildir::Folder;
use std::fmt;

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What must hold.
    pub conditions: Conditions,
    /// What is done then.
    pub action: Action,
    /// The conditions in words, as they are written in the config file.
    pub text: String,
}

/// What is done with a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// It is fetched, whatever its size.
    Fetch,
    /// It is fetched into a folder of the Maildir.
    Folder(Folder),
    /// It is left on the server.
    Skip,
    /// It is deleted on the server, unread.
    Delete,
}

/// What must hold of a message; all of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Conditions {
    /// Its listed octets.
    pub size: Bounds,
    /// The seconds since it was written, or since it came, whichever was later.
    pub age: Bounds,
    /// What its header has.
    pub header: Vec<Test>,
}

/// A condition about a field of the header. One of the fields of that name, or one of the addresses in
/// them, must fit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Test {
    /// Which field.
    pub field: Field,
    /// What it must be like; `None` where it need only be there.
    pub pattern: Option<Pattern>,
}

/// Which field of a header is looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Field {
    /// From: an address, or the whole text.
    From,
    /// To and Cc, likewise.
    To,
    /// Subject.
    Subject,
    /// List-Id: the id between `<` and `>`, or the whole text.
    ListId,
    /// Any other, by its name in small letters.
    Named(String),
}

impl Action {
    /// Whether the message comes.
    pub fn fetches(&self) -> bool {
        matches!(self, Self::Fetch | Self::Folder(_))
    }

    /// The folder that it comes to.
    pub fn folder(&self) -> Option<&Folder> {
        match self {
            Self::Folder(folder) => Some(folder),
            _ => None,
        }
    }

    /// Its word in the config file.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Folder(_) => "folder",
            Self::Skip => "skip",
            Self::Delete => "delete",
        }
    }
}

impl Conditions {
    /// Whether there are none, so that every message meets them.
    pub(super) fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it takes a header to tell.
    pub(super) fn need_header(&self) -> bool {
        !self.age.are_none() || !self.header.is_empty()
    }

    /// What no message has.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        match (self.size.contradict(), self.age.contradict()) {
            (true, _) => Some("a size"),
            (_, true) => Some("an age"),
            _ => None,
        }
    }

    /// Whether every message that meets these meets the others, as far as can be told.
    pub(super) fn imply(&self, others: &Self) -> bool {
        let mut tests = others.header.iter();
        self.size.imply(others.size)
            && self.age.imply(others.age)
            && tests.all(|test| self.header.contains(test))
    }
}

impl Field {
    /// Its word in the config file, or the field's own name.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::From => "from",
            Self::To => "to",
            Self::Subject => "subject",
            Self::ListId => "list-id",
            Self::Named(name) => name,
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self.field, Field::Named(_)) {
            f.write_str("header ")?;
        }
        match &self.pattern {
            Some(pattern) => write!(f, "{} {pattern}", self.field.word()),
            None => f.write_str(self.field.word()),
        }
    }
}
