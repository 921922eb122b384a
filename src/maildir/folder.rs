//! Maildir++ folders: Maildirs below a Maildir whose names begin with a dot, as Dovecot, Courier and
//! many mail readers have them.

use super::Error;
use super::directory::Maildir;
use crate::durable::Dir;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// A folder's name is one name in a directory; what file systems take ends at 255 octets.
const LONGEST: usize = 200;

/// What marks a directory as a folder for Maildir++ programs: an empty file.
const MARK: &str = "maildirfolder";

const PARTS: [&str; 3] = ["tmp", "new", "cur"];

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
    open: OnceLock<Vec<(Folder, Dir)>>,
    /// Directories and files that were made for them, in this order.
    made: OnceLock<Vec<PathBuf>>,
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

impl Maildir {
    /// Opens these folders for messages that are placed later, and makes those that are not there.
    /// Once a Maildir: a thread that is confined makes no directories.
    ///
    /// # Errors
    /// One of them cannot be made or opened, or lies on another file system: a message gets there by
    /// being renamed.
    pub fn open_folders<'a>(
        &self,
        folders: impl IntoIterator<Item = &'a Folder>,
    ) -> Result<(), Error> {
        let (mut open, mut made) = (Vec::new(), Vec::new());
        let mut opened = Ok(());
        for folder in folders {
            match self.make_folder(folder, &mut made) {
                Ok(new) => open.push((folder.clone(), new)),
                Err(error) => {
                    opened = Err(error);
                    break;
                }
            }
        }
        let _ = self.folders().made.set(made);
        let _ = self.folders().open.set(open);
        opened
    }

    /// Where messages for a folder are placed: its new/, or that of the Maildir itself.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] for a folder that was not opened.
    pub fn inbox(&self, folder: Option<&Folder>) -> io::Result<&Dir> {
        let Some(folder) = folder else {
            return Ok(self.new_dir());
        };
        let open = self.folders().open.get().map_or(&[][..], Vec::as_slice);
        let found = open.iter().find(|(other, _)| other == folder);
        Ok(&found.ok_or(io::ErrorKind::NotFound)?.1)
    }

    /// The new/ of each folder that is open.
    pub fn open_inboxes(&self) -> impl Iterator<Item = &Dir> {
        self.folders()
            .open
            .get()
            .into_iter()
            .flatten()
            .map(|it| &it.1)
    }

    /// A folder's new/, made where it is not there; each part is durable before anything is in it.
    pub(super) fn make_folder(
        &self,
        folder: &Folder,
        made: &mut Vec<PathBuf>,
    ) -> Result<Dir, Error> {
        let path = self.path().join(folder.as_str());
        let create = |source| Error::Create {
            path: path.clone(),
            source,
        };
        let disk = self.disk();
        disk.create_directories(&path, made).map_err(create)?;
        let directory = Dir::open_linked(disk, &path).map_err(create)?;
        for part in PARTS {
            let part = path.join(part);
            disk.create_directories(&part, made).map_err(create)?;
        }
        let mark = OsStr::new(MARK);
        // Only where the folder is of our making: it may be another program's, or a link to one.
        if made.contains(&path) && !directory.contains(mark).map_err(create)? {
            directory.create(mark).map_err(create)?;
            made.push(path.join(MARK));
        }
        let unusable = |source| Error::Unusable {
            path: path.clone(),
            source,
        };
        let new = Dir::open(disk, &path.join("new")).map_err(unusable)?;
        new.check_writable().map_err(unusable)?;
        self.tmp().check_way_to(&new).map_err(unusable)?;
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::Disk;
    use crate::maildir::Site;
    use std::fs;

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

    #[test]
    fn folders_are_made_once_and_taken_back_with_the_maildir_where_nothing_came() {
        let home = tempfile::tempdir().unwrap();
        let (root, disk) = (home.path().join("mail"), Disk::new());
        let open = || {
            let site = Site::look(&disk, &root).unwrap();
            let maildir = site.settle(&disk, false).unwrap();
            maildir
                .open_folders(&[Folder::parse(".Lists").unwrap()])
                .unwrap();
            maildir
        };
        let maildir = open();
        for part in ["tmp", "new", "cur"] {
            assert!(root.join(".Lists").join(part).is_dir(), "{part}");
        }
        assert_eq!(fs::read(root.join(".Lists/maildirfolder")).unwrap(), b"");
        drop(open());
        maildir.take_back();
        assert!(!root.exists());
        let maildir = open();
        fs::write(root.join(".Lists/new/1"), "mail").unwrap();
        maildir.take_back();
        assert_eq!(fs::read(root.join(".Lists/new/1")).unwrap(), b"mail");
    }
}
