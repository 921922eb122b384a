//! Finding delivered messages again, wherever a mail reader has put them: in new/ or cur/, in a
//! folder, with any flags and whatever else is appended to the name. Recovery, rebuilding, `verify`
//! and the look before a DELE all ask here, so that they agree.

use super::Error;
use super::unique_name::{AccountTag, UniqueName, size_in};
use crate::durable::{Dir, Disk};
use crate::message::{Examined, HEADER_KEPT, examine};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Directories that are looked at for folders at most, so that a whole home directory is not read.
const FOLDERS: usize = 10_000;

/// How deep folders lie in each other at most.
const DEPTH: usize = 8;

/// What compressed or encrypted mail begins with: gzip, bzip2, xz, zstd, lz4, and Dovecot's
/// mail-crypt. Its size says nothing then, but `,S=` in the name does.
const PACKED: [&[u8]; 6] = [
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"CRYPTED\x03\x07",
];

/// The messages of an account in some Maildirs and their folders. Nothing is written there.
pub struct Search {
    tags: Vec<AccountTag>,
    dirs: Vec<Dir>,
    /// In which of `dirs`, and under which name, where others have added to it.
    found: HashMap<UniqueName, (usize, Option<OsString>)>,
    visited: usize,
    /// The last folder that could not be read.
    unread: Option<PathBuf>,
}

impl Search {
    /// For messages that bear one of `tags`. Looks nowhere yet.
    pub fn new(tags: Vec<AccountTag>) -> Self {
        Self {
            tags,
            dirs: Vec::new(),
            found: HashMap::new(),
            visited: 0,
            unread: None,
        }
    }

    /// Looks into the Maildir at `root` as well, and into its folders.
    pub fn add(&mut self, disk: &Disk, root: &Path) -> Result<(), Error> {
        let parts = open_parts(disk, root).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::Gone {
                path: root.to_owned(),
            },
            _ => Error::Unusable {
                path: root.to_owned(),
                source,
            },
        })?;
        self.dirs.extend(parts);
        self.add_folders(disk, root, DEPTH);
        Ok(())
    }

    /// The folders below a Maildir, as mail readers make them: `.Archive` or `Archive`, each a
    /// Maildir itself.
    fn add_folders(&mut self, disk: &Disk, root: &Path, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            self.unread = Some(root.to_owned());
            return;
        };
        let Ok(entries) = fs::read_dir(root) else {
            self.unread = Some(root.to_owned());
            return;
        };
        for entry in entries {
            let Ok(entry) = entry else {
                self.unread = Some(root.to_owned());
                return;
            };
            // Not a folder: the last is the file system's own, which only root can read.
            let part = ["tmp", "new", "cur", "lost+found"]
                .iter()
                .any(|part| entry.file_name() == *part);
            let Ok(kind) = entry.file_type() else {
                self.unread = Some(entry.path());
                continue;
            };
            // A folder may be a link to one.
            let is_link = kind.is_symlink() && entry.path().is_dir();
            if part || !(kind.is_dir() || is_link) {
                continue;
            }
            self.visited += 1;
            if self.visited > FOLDERS {
                self.unread = Some(root.to_owned());
                return;
            }
            // Some tools leave out a part that is empty.
            for part in ["new", "cur"] {
                match Dir::open(disk, &entry.path().join(part)) {
                    Ok(dir) => self.dirs.push(dir),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(_) => self.unread = Some(entry.path()),
                }
            }
            // What is below a link may be anything, or this very Maildir.
            if !is_link {
                self.add_folders(disk, &entry.path(), depth);
            }
        }
    }

    /// A folder that could not be read, if there is one: what is not found may be there.
    pub fn unread(&self) -> Option<&Path> {
        self.unread.as_deref()
    }

    /// Reads all names and keeps those that are wanted.
    pub fn look(&mut self, wanted: impl Fn(&str) -> bool) -> Result<(), Error> {
        self.found.clear();
        for (place, dir) in self.dirs.iter().enumerate() {
            let listed = dir.for_each_name(|found| {
                if let Some((base, tag)) = UniqueName::base(found)
                    && self.tags.contains(&tag)
                    && wanted(base)
                {
                    let longer = (base.len() < found.len()).then(|| found.to_owned());
                    let name = UniqueName::of_base(base);
                    self.found.insert(name, (place, longer));
                }
            });
            listed.map_err(|source| Error::Unusable {
                path: dir.path().to_owned(),
                source,
            })?;
        }
        Ok(())
    }

    /// What was found, in no order.
    pub fn names(&self) -> impl Iterator<Item = &UniqueName> {
        self.found.keys()
    }

    /// Whether it was found.
    pub fn contains(&self, name: &UniqueName) -> bool {
        self.found.contains_key(name)
    }

    /// Where a message was when it was looked for.
    pub fn path(&self, name: &UniqueName) -> Option<PathBuf> {
        let (dir, found) = self.place(name).ok()?;
        Some(dir.path().join(found))
    }

    /// What a message's file says; [`io::ErrorKind::NotFound`] where there is none.
    pub fn examine(&self, name: &UniqueName) -> io::Result<Examined> {
        let (dir, found) = self.place(name)?;
        examine(dir.read(found)?)
    }

    /// A message's header, as far as it is kept of a message that is stored.
    pub fn header(&self, name: &UniqueName) -> io::Result<Vec<u8>> {
        let (dir, found) = self.place(name)?;
        let mut header = Vec::new();
        let limit = HEADER_KEPT as u64;
        dir.read(found)?.take(limit).read_to_end(&mut header)?;
        Ok(header)
    }

    /// Whether the file is as long as it was when it was stored, as far as that can be told without
    /// reading it.
    pub fn has_size(&self, name: &UniqueName, octets: u64) -> io::Result<bool> {
        let (dir, found) = self.place(name)?;
        if dir.octets(found)? == octets {
            return Ok(true);
        }
        if size_in(found) != Some(octets) {
            return Ok(false);
        }
        let mut beginning = Vec::new();
        dir.read(found)?.take(16).read_to_end(&mut beginning)?;
        Ok(PACKED.iter().any(|packed| beginning.starts_with(packed)))
    }

    /// Makes a message that was found durable, name and octets (E9).
    pub fn sync(&self, name: &UniqueName) -> io::Result<()> {
        let (dir, found) = self.place(name)?;
        dir.sync_file(found)?;
        dir.sync()
    }

    fn place<'a>(&'a self, name: &'a UniqueName) -> io::Result<(&'a Dir, &'a OsStr)> {
        let found = self.found.get(name);
        let place = found.and_then(|(place, longer)| {
            let found = longer.as_deref().unwrap_or(name.as_os_str());
            Some((self.dirs.get(*place)?, found))
        });
        Ok(place.ok_or(io::ErrorKind::NotFound)?)
    }
}

fn open_parts(disk: &Disk, maildir: &Path) -> io::Result<Vec<Dir>> {
    let parts = ["new", "cur"].into_iter();
    parts
        .map(|part| Dir::open(disk, &maildir.join(part)))
        .collect()
}
