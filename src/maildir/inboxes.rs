//! Where messages are placed in a Maildir: its own new/ and cur/, and those of its folders.

use super::Error;
use super::directory::{Maildir, PARTS};
use super::folder::{Folder, MARK};
use super::inbox::Inbox;
use crate::durable::Dir;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

impl Maildir {
    /// Opens these folders for messages that are placed later, and makes those that are not there. A
    /// thread that is confined may make none.
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
            let is_it = |(other, _): &(Folder, _)| other == folder;
            if self.folders().open().any(is_it) || open.iter().any(is_it) {
                continue;
            }
            match self.make_folder(folder, &mut made) {
                Ok(inbox) => open.push((folder.clone(), inbox)),
                Err(error) => {
                    opened = Err(error);
                    break;
                }
            }
        }
        if !open.is_empty() || !made.is_empty() {
            self.folders().add(open, made);
        }
        opened
    }

    /// The folders that are links to Maildirs elsewhere, as far as they can be read.
    pub fn linked_folders(&self) -> Vec<Folder> {
        let mut found = Vec::new();
        let _ = self.root().for_each_name(|name| {
            let folder = name.to_str().and_then(|name| Folder::parse(name).ok());
            let path = self.path().join(name);
            let is_maildir =
                || path.is_symlink() && PARTS.iter().all(|part| path.join(part).is_dir());
            found.extend(folder.filter(|_| is_maildir()));
        });
        found
    }

    /// Fails where a folder could not be opened, or made, as far as can be told without making anything.
    pub fn check_folder(&self, folder: &Folder) -> Result<(), Error> {
        let path = self.path().join(folder.as_str());
        for part in PARTS {
            let checked = self.disk().check_directory(&path.join(part));
            checked.map_err(|source| Error::Create {
                path: path.clone(),
                source,
            })?;
        }
        Ok(())
    }

    /// Where messages for a folder are placed, or for the Maildir itself.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] for a folder that was not opened.
    pub fn inbox(&self, folder: Option<&Folder>) -> io::Result<&Inbox> {
        let Some(folder) = folder else {
            return Ok(self.own_inbox());
        };
        let found = self.folders().open().find(|(other, _)| other == folder);
        Ok(&found.ok_or(io::ErrorKind::NotFound)?.1)
    }

    /// The new/ and cur/ of each folder that is open.
    pub fn open_inboxes(&self) -> impl Iterator<Item = &Dir> {
        let open = self.folders().open();
        open.flat_map(|(_, inbox)| [&inbox.new, &inbox.cur])
    }

    /// A folder's new/ and cur/, made where they are not there; each part is durable before anything is in it.
    pub(super) fn make_folder(
        &self,
        folder: &Folder,
        made: &mut Vec<PathBuf>,
    ) -> Result<Inbox, Error> {
        let path = self.path().join(folder.as_str());
        let create = |source| Error::Create {
            path: path.clone(),
            source,
        };
        let disk = self.disk();
        let before = made.len();
        disk.create_directories(&path, made).map_err(create)?;
        let directory = Dir::open_linked(disk, &path).map_err(create)?;
        for part in PARTS {
            let part = path.join(part);
            disk.create_directories(&part, made).map_err(create)?;
        }
        for path in made.iter().skip(before) {
            disk.open_up(path, self.filing().access).map_err(create)?;
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
        let open = |part: &str| {
            let part = Dir::open(disk, &path.join(part)).map_err(unusable)?;
            part.check_writable().map_err(unusable)?;
            Ok(part)
        };
        let (new, cur) = (open("new")?, open("cur")?);
        self.tmp().check_way_to(&new).map_err(unusable)?;
        Ok(Inbox { new, cur })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::Disk;
    use crate::maildir::Site;
    use std::fs;

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
