//! The values of `folders`, `exclude` and `into`, as they are written.

use super::Profile;
use crate::maildir::Folder;
use crate::maildrop::RemoteFolder;
use crate::source::folders::Word;
use serde::de::{self, Deserialize, Deserializer};
use std::fmt;

/// The value of `folders` and `exclude`: a word, or a list of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FolderWords(pub Vec<Word>);

/// Where in the Maildir a folder's messages go.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Destination {
    /// Each folder's to the Maildir's folder of its name, and the inbox's to the Maildir itself.
    #[default]
    Folders,
    /// All to the Maildir itself.
    Inbox,
    /// All to this folder of it.
    Folder(Folder),
}

impl Profile {
    /// Where in the Maildir the messages of a folder go, where no rule says it; none is the Maildir itself.
    pub fn home_of(&self, folder: Option<&RemoteFolder>) -> Option<Folder> {
        match &self.into {
            _ if !self.has_maildir() => None,
            Destination::Folders => Folder::of(folder?.parts.iter().map(AsRef::as_ref)),
            Destination::Inbox => None,
            Destination::Folder(folder) => Some(folder.clone()),
        }
    }

    /// Whether the Maildir gets folders as the server has them.
    pub fn follows_folders(&self) -> bool {
        self.has_maildir() && self.into == Destination::Folders && !self.folders.is_inbox_alone()
    }

    /// The folders of the Maildir that are known to get messages, whatever the server has.
    pub fn known_folders(&self) -> impl Iterator<Item = &Folder> {
        let into = match &self.into {
            Destination::Folder(folder) if self.has_maildir() => Some(folder),
            _ => None,
        };
        self.rules.folders().into_iter().chain(into)
    }
}

impl<'de> Deserialize<'de> for FolderWords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shape = || {
            de::Error::custom(
                "folders are written as a list of names in quotes, as in [\"INBOX\", \"Archive/*\"]",
            )
        };
        let words = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(word) => vec![word],
            toml::Value::Array(list) => {
                let words = list.into_iter().map(|value| match value {
                    toml::Value::String(word) => Ok(word),
                    _ => Err(shape()),
                });
                words.collect::<Result<_, _>>()?
            }
            _ => return Err(shape()),
        };
        let words = words.iter().map(|word| word.parse());
        let words: Result<Vec<Word>, String> = words.collect();
        words.map(Self).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Destination {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shape = "`into` is \"folders\" (the default: each folder to one of its own), \"inbox\" (all \
                     to the Maildir itself), or the name of one folder for all, as in \".Work\"";
        let toml::Value::String(text) = toml::Value::deserialize(deserializer)? else {
            return Err(de::Error::custom(shape));
        };
        match text.as_str() {
            "folders" => Ok(Self::Folders),
            "inbox" => Ok(Self::Inbox),
            folder if folder.starts_with('.') => Folder::parse(folder)
                .map(Self::Folder)
                .map_err(de::Error::custom),
            _ => Err(de::Error::custom(shape)),
        }
    }
}

/// As it is written in the config file.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folders => f.write_str("folders"),
            Self::Inbox => f.write_str("inbox"),
            Self::Folder(folder) => folder.fmt(f),
        }
    }
}
