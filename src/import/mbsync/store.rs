//! A store of mbsync's on the disk, and how its mailboxes lie in directories.

use super::sections::Section;
use crate::import::files::{self, Surroundings};
use std::path::{Path, PathBuf};

/// Mailboxes lie no deeper in each other, and are no more than this.
const DEPTH: usize = 16;
const MAILBOXES: usize = 10_000;

/// A `MaildirStore`.
#[derive(Clone, Copy)]
pub(super) struct MaildirStore<'a>(pub(super) &'a Section);

/// Where the paths of a config lead: to where it says, or to a copy of all that is in a directory.
#[derive(Clone)]
pub(super) struct Place<'a> {
    around: &'a Surroundings,
    copy: Option<&'a Path>,
    /// What the copy is of, where that is more than files beside the mailboxes.
    base: Option<PathBuf>,
}

impl<'a> Place<'a> {
    pub(super) fn new(around: &'a Surroundings) -> Self {
        Self {
            around,
            copy: None,
            base: None,
        }
    }

    /// A directory that stands for the deepest one in which all of these stores are.
    pub(super) fn copied<'b>(
        self,
        copy: &'a Path,
        stores: impl Iterator<Item = MaildirStore<'b>>,
    ) -> Self {
        let places = stores.flat_map(|store| {
            let inbox = self.around.path(store.inbox());
            let others = (store.layout() != Layout::Maildir).then(|| store.path());
            let others = others.flatten().map(|path| {
                let (directory, _) = path.rsplit_once('/').unwrap_or(("", path));
                self.around.path(directory)
            });
            std::iter::once(inbox).chain(others)
        });
        let both = |one: PathBuf, other: PathBuf| {
            let parts = one.components().zip(other.components());
            let parts = parts.take_while(|(one, other)| one == other);
            parts.map(|(part, _)| part).collect()
        };
        let base = places.reduce(both);
        Self {
            copy: Some(copy),
            base,
            ..self
        }
    }

    /// As [`Surroundings::path`] has it.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        let path = self.around.path(text);
        let (Some(copy), Some(base)) = (self.copy, &self.base) else {
            return path;
        };
        match path.strip_prefix(base) {
            Ok(rest) => copy.join(rest),
            Err(_) => path,
        }
    }

    /// A file with what was fetched that is in no mailbox.
    pub(super) fn beside(&self, text: &str) -> PathBuf {
        let path = self.around.path(text);
        match (self.copy, path.file_name()) {
            (Some(copy), Some(name)) => copy.join(name),
            _ => path,
        }
    }
}

/// How the directories of its mailboxes are called, but for the inbox (`SubFolders`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Layout {
    /// As Maildir++ has them: `.Archive.2026` in the inbox.
    Maildir,
    /// `Archive/.2026`, behind the path.
    Legacy,
    /// `Archive/2026`, behind the path.
    Verbatim,
}

impl<'a> MaildirStore<'a> {
    pub(super) fn name(self) -> &'a str {
        &self.0.name
    }

    pub(super) fn layout(self) -> Layout {
        match self.0.get("SubFolders").map(str::to_lowercase).as_deref() {
            Some("maildir++") => Layout::Maildir,
            Some("legacy") => Layout::Legacy,
            _ => Layout::Verbatim,
        }
    }

    /// Where the inbox's messages are.
    pub(super) fn inbox(self) -> &'a str {
        self.0.get("Inbox").unwrap_or("~/Maildir")
    }

    /// Where those of the other mailboxes are, unless they are in the inbox.
    pub(super) fn path(self) -> Option<&'a str> {
        self.0.get("Path")
    }

    pub(super) fn max_size(self) -> Option<&'a str> {
        self.0.get("MaxSize")
    }

    /// Where the messages of a mailbox are.
    pub(super) fn directory(self, mailbox: &str, place: &Place<'_>) -> PathBuf {
        let inbox = place.path(self.inbox());
        if mailbox == "INBOX" {
            return inbox;
        }
        let mailbox = self.flattened(mailbox);
        match (self.layout(), self.path()) {
            (Layout::Maildir, _) => inbox.join(format!(".{}", mailbox.replace('/', "."))),
            (Layout::Legacy, Some(path)) => {
                place.path(&format!("{path}{}", mailbox.replace('/', "/.")))
            }
            (Layout::Verbatim, Some(path)) => place.path(&format!("{path}{mailbox}")),
            (_, None) => inbox,
        }
    }

    /// A mailbox as it is named on the disk, where a `/` may be something else (`Flatten`).
    pub(super) fn flattened(self, mailbox: &str) -> String {
        match self.0.get("Flatten") {
            Some(flat) => mailbox.replace('/', flat),
            None => mailbox.to_owned(),
        }
    }

    /// The mailboxes that it may have, but for the inbox.
    pub(super) fn mailboxes(self, place: &Place<'_>) -> Vec<String> {
        let mut found = self.directories(place);
        if let Some(flat) = self.0.get("Flatten").filter(|it| !it.is_empty()) {
            for name in &mut found {
                *name = name.replace(flat, "/");
            }
        }
        found
    }

    /// The names of its directories, with `/` between parts.
    fn directories(self, place: &Place<'_>) -> Vec<String> {
        if self.layout() == Layout::Maildir {
            let inbox = place.path(self.inbox());
            let names = files::names(&inbox).into_iter();
            let directories = names.filter(|name| inbox.join(name).is_dir());
            let mailboxes =
                directories.filter_map(|it| Some(it.strip_prefix('.')?.replace('.', "/")));
            return mailboxes.filter(|it| !it.is_empty()).collect();
        }
        let Some(path) = self.path() else {
            return Vec::new();
        };
        // It may end in the beginning of a name.
        let (directory, start) = path.rsplit_once('/').unwrap_or(("", path));
        let mut found = Vec::new();
        let mut left = vec![(place.path(directory), String::new(), 0)];
        while let Some((at, name, depth)) = left.pop() {
            for entry in files::names(&at) {
                let path = at.join(&entry);
                let part = match depth {
                    0 => entry.strip_prefix(start),
                    _ => entry.strip_prefix('.').or(Some(entry.as_str())),
                };
                let is_part = !["cur", "new", "tmp"].contains(&entry.as_str());
                let is_directory = path.symlink_metadata().is_ok_and(|it| it.is_dir());
                let Some(part) = part.filter(|it| is_part && is_directory && !it.is_empty()) else {
                    continue;
                };
                let name = match name.as_str() {
                    "" => part.to_owned(),
                    above => format!("{above}/{part}"),
                };
                if found.len() == MAILBOXES {
                    return found;
                }
                if path != place.path(self.inbox()) {
                    found.push(name.clone());
                }
                if depth < DEPTH {
                    left.push((path, name, depth + 1));
                }
            }
        }
        found
    }
}
