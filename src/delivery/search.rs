//! Finding delivered messages again, wherever a mail reader has put them.

use super::Error;
use super::digest::{Digests, examine};
use super::maildir::for_each_of;
use super::unique_name::{AccountTag, UniqueName};
use crate::durable::{Dir, Disk};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Subfolders that are looked into at most, so that a whole home directory is not read.
const FOLDERS: usize = 10_000;

/// The messages of an account in some Maildirs and their subfolders. Nothing is written there.
pub struct Search {
    tag: AccountTag,
    dirs: Vec<Dir>,
    /// In which of `dirs`, and under which name.
    found: HashMap<UniqueName, (usize, OsString)>,
}

impl Search {
    /// Looks into `maildir`, which must be there, and into `others` as far as they are.
    pub fn begin<'a>(
        disk: &Disk,
        tag: AccountTag,
        maildir: &Path,
        others: impl IntoIterator<Item = &'a PathBuf>,
    ) -> Result<Self, Error> {
        let mut dirs = open_parts(disk, maildir).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::Gone {
                path: maildir.to_owned(),
            },
            _ => Error::Unusable {
                path: maildir.to_owned(),
                source,
            },
        })?;
        dirs.extend(open_folders(disk, maildir));
        for other in others.into_iter().filter(|other| *other != maildir) {
            dirs.extend(open_parts(disk, other).unwrap_or_default());
            dirs.extend(open_folders(disk, other));
        }
        let mut search = Self {
            tag,
            dirs,
            found: HashMap::new(),
        };
        search.look_again()?;
        Ok(search)
    }

    /// Reads all names anew: a mail reader may have renamed some meanwhile.
    pub fn look_again(&mut self) -> Result<(), Error> {
        self.found.clear();
        for (place, dir) in self.dirs.iter().enumerate() {
            let listed = for_each_of(dir, self.tag, |name, found| {
                self.found.insert(name, (place, found.to_owned()));
            });
            listed.map_err(|source| Error::Unusable {
                path: dir.path().to_owned(),
                source,
            })?;
        }
        Ok(())
    }

    /// Where a message was when it was looked for.
    pub fn path(&self, name: &UniqueName) -> Option<PathBuf> {
        let (place, found) = self.found.get(name)?;
        Some(self.dirs.get(*place)?.path().join(found))
    }

    /// Length in octets and hashes of a message; [`io::ErrorKind::NotFound`] where there is none.
    pub fn examine(&self, name: &UniqueName) -> io::Result<(u64, Digests)> {
        let found = self.found.get(name);
        let place = found.and_then(|(place, found)| Some((self.dirs.get(*place)?, found)));
        let (dir, found) = place.ok_or(io::ErrorKind::NotFound)?;
        examine(dir.read(found)?)
    }
}

fn open_parts(disk: &Disk, maildir: &Path) -> io::Result<Vec<Dir>> {
    let parts = ["new", "cur"].into_iter();
    parts
        .map(|part| Dir::open(disk, &maildir.join(part)))
        .collect()
}

/// The folders below a Maildir, as mail readers make them: `.Archive` or `Archive`, each a Maildir
/// itself. What cannot be read is none.
fn open_folders(disk: &Disk, maildir: &Path) -> Vec<Dir> {
    let entries = fs::read_dir(maildir).into_iter().flatten().flatten();
    let folders = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .take(FOLDERS);
    let open = |entry: fs::DirEntry| open_parts(disk, &entry.path()).unwrap_or_default();
    folders.flat_map(open).collect()
}
