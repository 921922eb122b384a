//! Maildir++ folders: Maildirs below a Maildir whose names begin with a dot, as Dovecot, Courier and
//! many mail readers have them.

use super::inbox::Inbox;
use crate::durable::Dir;
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// A folder's name is one name in a directory; what file systems take ends at 255 octets.
const LONGEST: usize = 200;

/// What marks a directory as a folder for Maildir++ programs: an empty file.
pub(super) const MARK: &str = "maildirfolder";

/// The name of a folder, as in `.Lists` or `.Lists.rust`: one step of a path that is neither a
/// Maildir's own part nor a way out of it. It comes from the config file and the journal, never from
/// a message.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Folder(Arc<str>);

impl Folder {
    /// Takes a name, or says what is wrong with it.
    ///
    /// # Errors
    /// It does not begin with a dot, has an empty part, a `/`, or characters other than those of
    /// printable ASCII; or it is too long.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        let Some(parts) = name.strip_prefix('.') else {
            return Err("a folder's name begins with a dot, as in \".Lists\"");
        };
        if name.len() > LONGEST {
            return Err("a folder's name has at most 200 characters");
        }
        if name.contains('/') {
            return Err("a folder in a folder is written with a dot, as in \".Lists.rust\"");
        }
        // Servers write other letters in a form of UTF-7, and what is in this form here stays so.
        if !name.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
            return Err(
                "a folder's name has ASCII characters only; others are written as IMAP servers \
                 write them, in modified UTF-7: \".Entw&APw-rfe\"",
            );
        }
        if parts.split('.').any(str::is_empty) {
            return Err("a part of the folder's name is empty");
        }
        Ok(Self(name.into()))
    }

    /// As it is written in the config file, which is the name of its directory.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A Maildir's folders that messages go to, open.
#[derive(Default)]
pub(super) struct Folders {
    pub(super) open: OnceLock<Vec<(Folder, Inbox)>>,
    /// Directories and files that were made for them, in this order.
    pub(super) made: OnceLock<Vec<PathBuf>>,
}

impl Folders {
    /// Whether a directory of this name in the Maildir was made for one of them.
    pub(super) fn has_made(&self, root: &Dir, name: &OsStr) -> bool {
        let made = self.made.get().map_or(&[][..], Vec::as_slice);
        made.contains(&root.path().join(name))
    }

    /// Removes what was made, as far as nothing has come into it.
    pub(super) fn take_back(&self, root: &Dir) {
        for path in self.made.get().into_iter().flatten().rev() {
            let removed = match (path.ends_with(MARK), path.parent()) {
                (true, Some(folder)) => Dir::open_linked(root.disk(), folder)
                    .and_then(|folder| folder.remove(OsStr::new(MARK))),
                _ => root.disk().remove_directory(path),
            };
            if removed.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_name_that_begins_with_a_dot_and_leads_nowhere_else() {
        for good in [".Lists", ".Lists.rust", ".a b", ".Entw&APw-rfe", ".tmp"] {
            assert_eq!(Folder::parse(good).unwrap().as_str(), good);
        }
        let long = format!(".{}", "a".repeat(200));
        for bad in [
            "", ".", "..", "...", ".a.", ".a..b", "Lists", "./a", ".a/b", "../a", ".a\0", ".a\n",
            ".é", "new", "tmp", &long,
        ] {
            assert!(Folder::parse(bad).is_err(), "{bad:?}");
        }
    }
}
