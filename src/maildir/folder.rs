//! Maildir++ folders: Maildirs below a Maildir whose names begin with a dot, as Dovecot, Courier and
//! many mail readers have them.

use super::inbox::Inbox;
use crate::durable::Dir;
use crate::imap::mailbox_list::from_utf7;
use crate::term::hex;
use sha2::{Digest, Sha256};
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// A folder's name is one name in a directory; what file systems take ends at 255 octets.
const LONGEST: usize = 200;

/// So many digits of a hash stand for the rest of a name that is longer.
const HASH: usize = 16;

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

    /// The folder that a folder on a server becomes whose name has these parts, in modified UTF-7; the
    /// Maildir itself where there are none. What no name can have here is `_`: a dot would begin another
    /// part. Of what is too long for a file's name the beginning stays, with a hash of all of it.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut name = String::new();
        for part in parts {
            name.push('.');
            let plain = |c: char| match c {
                '.' | '/' => '_',
                ' ' | '!'..='~' => c,
                _ => '_',
            };
            match part.is_empty() {
                true => name.push('_'),
                false => name.extend(part.chars().map(plain)),
            }
        }
        if name.is_empty() {
            return None;
        }
        if name.len() > LONGEST {
            let mut hash = hex(&Sha256::digest(&name));
            hash.truncate(HASH);
            name.truncate(LONGEST - HASH - 1);
            // No part ends where it has not begun.
            name = format!("{}-{hash}", name.trim_end_matches('.'));
        }
        Some(Self(name.into()))
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

/// A folder's name as people read it: letters beyond ASCII stand there in modified UTF-7, as IMAP servers
/// write them. Hostile, as the name is.
pub fn legible(name: &str) -> String {
    from_utf7(name).unwrap_or_else(|| name.to_owned())
}

/// A Maildir's folders that messages go to, open.
#[derive(Default)]
pub(super) struct Folders {
    open: OnceLock<Vec<(Folder, Inbox)>>,
    /// Directories and files that were made for them, in this order.
    made: OnceLock<Vec<PathBuf>>,
    /// Those that were opened later.
    more: OnceLock<Box<Self>>,
}

impl Folders {
    /// One time that folders were opened after the other.
    fn times(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |it| it.more.get().map(Box::as_ref))
    }

    /// Those that are open.
    pub(super) fn open(&self) -> impl Iterator<Item = &(Folder, Inbox)> {
        self.times().filter_map(|it| it.open.get()).flatten()
    }

    /// Keeps what was opened, and what was made for it.
    pub(super) fn add(&self, open: Vec<(Folder, Inbox)>, made: Vec<PathBuf>) {
        let mut these = self;
        while these.open.get().is_some() {
            these = these.more.get_or_init(Box::default);
        }
        let _ = these.made.set(made);
        let _ = these.open.set(open);
    }

    /// Whether a directory of this name in the Maildir was made for one of them.
    pub(super) fn has_made(&self, root: &Dir, name: &OsStr) -> bool {
        let path = root.path().join(name);
        self.made().any(|made| *made == path)
    }

    fn made(&self) -> impl Iterator<Item = &PathBuf> {
        self.times().filter_map(|it| it.made.get()).flatten()
    }

    /// Removes what was made, as far as nothing has come into it.
    pub(super) fn take_back(&self, root: &Dir) {
        let made: Vec<&PathBuf> = self.made().collect();
        for path in made.into_iter().rev() {
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
    fn whatever_a_server_calls_a_folder_it_becomes_one_name() {
        let of = |parts: &[&str]| Folder::of(parts.iter().copied()).map(|it| it.to_string());
        assert_eq!(of(&[]), None);
        for (parts, name) in [
            (&["Sent"][..], ".Sent"),
            (&["Work", "v1.2", "a b"], ".Work.v1_2.a b"),
            (&["Entw&APw-rfe"], ".Entw&APw-rfe"),
            (&["..", "etc/passwd"], ".__.etc_passwd"),
            (&["", "new"], "._.new"),
            (&["a\0\nb\u{e9}"], ".a__b_"),
        ] {
            assert_eq!(of(parts).as_deref(), Some(name));
            assert!(Folder::parse(name).is_ok(), "{name}");
        }
        let long = "a".repeat(300);
        let (one, other) = (of(&[&long, "b"]).unwrap(), of(&[&long, "c"]).unwrap());
        assert_ne!(one, other);
        assert!(Folder::parse(&one).is_ok() && one.len() <= LONGEST, "{one}");
        for cut in 150..250 {
            let name = of(&[&"a".repeat(cut), "b", "c"]).unwrap();
            assert!(Folder::parse(&name).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_are_read_in_letters_where_they_are_in_that_form() {
        for (name, letters) in [
            ("Entw&APw-rfe.2024", "Entwürfe.2024"),
            ("A&-B", "A&B"),
            ("R&D", "R&D"),
            (".Lists", ".Lists"),
        ] {
            assert_eq!(legible(name), letters);
        }
    }

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
