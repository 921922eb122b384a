//! What every tool's files become.

use super::kept::Kept;
pub use crate::profile::edit::Word;
use crate::secrets::Password;
use crate::state::Name;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// All that a tool's files say.
#[derive(Debug, Default)]
pub struct Found {
    /// The config files that were read.
    pub files: Vec<PathBuf>,
    /// The accounts.
    pub drafts: Vec<Draft>,
    /// What becomes of each line of the files.
    pub lines: Vec<Line>,
}

/// An account on its way to a profile.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// What it is to be called.
    pub name: String,
    /// The profile's keys, in the order they are to stand in.
    pub keys: Vec<(&'static str, Word)>,
    /// Where the password is.
    pub secret: Secret,
    /// The tool leaves what it fetched on the server.
    pub left: bool,
    /// The tool wrote a unique-id's `/` as `-`.
    pub dashes: bool,
    /// What it has fetched.
    pub names: Vec<Name>,
    /// Where that stands, or the first of several that it stands in; `None` where there is no such file.
    pub seen_file: Option<PathBuf>,
    /// How many more it stands in, each of another folder.
    pub seen_more: usize,
    /// Folders, as words, of which it has fetched messages that are not known: they are left out, so that they do not
    /// come again.
    pub held: Vec<String>,
    /// What it has stored without keeping a list of it.
    pub kept: Kept,
    /// Where defaults differ, and what else its owner has to know.
    pub differs: Vec<String>,
}

/// Stands for the account's Maildir in remarks: until it has its last name, that is not known.
pub const MAILDIR: &str = "{maildir}";

/// Where an account's password is.
#[derive(Clone, Debug, Default)]
pub enum Secret {
    /// The tool asked for it, or had it where nobody else can get it.
    #[default]
    Nowhere,
    /// In its config: it is moved.
    Inline(Password),
    /// Somewhere that a key of the profile says.
    Key(&'static str, Word),
    /// There is none: the tool signs in by OAuth 2.0.
    Login,
}

/// A line of a tool's config, and what becomes of it.
#[derive(Clone, Debug)]
pub struct Line {
    /// Which file.
    pub file: Arc<PathBuf>,
    /// Counted from 1.
    pub number: usize,
    /// What stands there, without passwords.
    pub text: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It means the same here: as this.
    Taken(String),
    /// It becomes something else, for a reason.
    Changed(String, String),
    /// There is no counterpart, for a reason.
    Nothing(String),
}

impl Fate {
    /// Taken as this key.
    pub(super) fn key(key: &str, value: &Word) -> Self {
        Self::Taken(format!("{key} = {value}"))
    }

    /// There is no counterpart, and this is why.
    pub(super) fn nothing(why: impl Into<String>) -> Self {
        Self::Nothing(why.into())
    }

    /// Said by other lines of the profile, or by what popfetch does anyway.
    pub(super) fn taken(how: impl Into<String>) -> Self {
        Self::Taken(how.into())
    }
}

impl Draft {
    /// Notes that what was fetched of a folder stands in this file.
    pub fn note_seen_file(&mut self, path: &Path) {
        match &self.seen_file {
            None => self.seen_file = Some(path.to_owned()),
            Some(_) => self.seen_more += 1,
        }
    }

    /// Sets a key, in place of what it was before.
    pub(super) fn set(&mut self, key: &'static str, value: Word) -> Fate {
        let fate = Fate::key(key, &value);
        match self.keys.iter_mut().find(|(known, _)| *known == key) {
            Some((_, before)) => *before = value,
            None => self.keys.push((key, value)),
        }
        fate
    }

    pub(super) fn text(&mut self, key: &'static str, value: impl Into<String>) -> Fate {
        self.set(key, Word::Text(value.into()))
    }

    /// What it is an account of, as far as its keys say it.
    pub(super) fn mailbox(&self) -> String {
        let keys = ["protocol", "host", "port", "user", "proxy-command"];
        let words = keys.map(|key| {
            let found = self.keys.iter().find(|(known, _)| *known == key);
            found.map(|(_, word)| word.to_string()).unwrap_or_default()
        });
        words.join("\n")
    }

    /// What a key is, where it is text.
    pub fn get(&self, key: &str) -> Option<&str> {
        let (_, word) = self.keys.iter().find(|(known, _)| *known == key)?;
        match word {
            Word::Text(text) => Some(text),
            _ => None,
        }
    }
}
