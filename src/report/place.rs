//! Where an account's messages go, and how many have come into which folder: for a person who looks for them.

use super::Message;
use crate::maildir::legible;
use crate::term::{count, escape_str};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Folders that are counted apart: nobody reads through more of them, and a server could think of a new one
/// for each message.
const FOLDERS: usize = 1000;

/// Of them so many are named.
const NAMED: usize = 3;

/// The Maildir that an account's messages are delivered to.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its path.
    pub path: PathBuf,
    /// The same as people write it.
    pub shown: String,
    /// It did not exist before.
    pub is_made: bool,
    /// What lists all that is in it, folders included, as a shell takes it.
    pub list: String,
}

/// How many new messages lie in which folders of a Maildir.
#[derive(Debug, Default)]
pub(super) struct Folders {
    by_name: BTreeMap<String, u64>,
    /// Those in folders that are not counted apart.
    others: u64,
}

impl Folders {
    /// Counts a message that has been delivered to a folder of the Maildir.
    pub(super) fn add(&mut self, place: &Place, message: &Message<'_>) {
        let folder = message.path.parent().and_then(|part| part.parent());
        let folder = folder.and_then(|folder| folder.strip_prefix(&place.path).ok());
        let Some(folder) = folder.filter(|it| !it.as_os_str().is_empty()) else {
            return;
        };
        let name = folder.to_string_lossy();
        let name = name.strip_prefix('.').unwrap_or(&name);
        let has_room = self.by_name.len() < FOLDERS;
        match self.by_name.get_mut(name) {
            Some(count) => *count += 1,
            None if has_room => {
                self.by_name.insert(name.to_owned(), 1);
            }
            None => self.others += 1,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The folders with the most, each with how many, escaped: "5 in Sent, 1 in Lists".
    pub(super) fn in_words(&self) -> String {
        let mut folders: Vec<(&String, u64)> = self
            .by_name
            .iter()
            .map(|(name, count)| (name, *count))
            .collect();
        folders.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let (named, rest) = folders.split_at(folders.len().min(NAMED));
        let named = named
            .iter()
            .map(|(name, count)| format!("{count} in {}", escape_str(&legible(name))));
        let mut parts: Vec<String> = named.collect();
        let messages: u64 = rest.iter().map(|(_, count)| count).sum::<u64>() + self.others;
        match self.others {
            _ if messages == 0 => {}
            0 => parts.push(format!(
                "{messages} in {}",
                count(rest.len() as u64, "other folder")
            )),
            _ => parts.push(format!("{messages} in many others")),
        }
        parts.join(", ")
    }
}
