//! Finding delivered messages again, wherever a mail reader has put them: in new/ or cur/, in a
//! folder, with any flags and whatever else is appended to the name. Recovery, rebuilding, `verify`
//! and the look before a DELE all ask here, so that they agree.

use super::Error;
use super::folder::Folder;
use super::folders::Folders;
use super::unique_name::{AccountTag, UniqueName, size_in};
use crate::durable::{Dir, Disk};
use crate::message::{Examined, HEADER_KEPT, examine};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

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
    roots: Vec<PathBuf>,
    dirs: Vec<Dir>,
    found: Found,
    folders: Folders,
}

impl Search {
    /// For messages that bear one of `tags`. Looks nowhere yet.
    pub fn new(tags: Vec<AccountTag>) -> Self {
        Self {
            tags,
            roots: Vec::new(),
            dirs: Vec::new(),
            found: Found::default(),
            folders: Folders::default(),
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
        self.roots.push(root.to_owned());
        for folder in self.folders.below(root) {
            // Some tools leave out a part that is empty.
            for part in ["new", "cur"] {
                match Dir::open(disk, &folder.join(part)) {
                    Ok(dir) => self.dirs.push(dir),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(_) => self.folders.unread = Some(folder.clone()),
                }
            }
        }
        Ok(())
    }

    /// A folder that could not be read, if there is one: what is not found may be there.
    pub fn unread(&self) -> Option<&Path> {
        self.folders.unread.as_deref()
    }

    /// Whether a message that is not found, and was placed in this folder if in any, may be where nobody
    /// sees it: then nobody has removed it.
    pub fn may_be_hidden(&self, folder: Option<&Folder>) -> bool {
        let hides = |folder| self.roots.iter().any(|root| hides(root, folder));
        self.unread().is_some() || folder.is_some_and(hides)
    }

    /// Reads all names and keeps in mind where those are that are wanted.
    pub fn look(&mut self, wanted: impl Fn(&str) -> bool) -> Result<(), Error> {
        self.look_for(wanted, |_| {})
    }

    /// The same, and gives the names that were found, in their order.
    pub fn look_for_names(
        &mut self,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<UniqueName>, Error> {
        let mut names = Vec::new();
        self.look_for(wanted, |base| names.push(UniqueName::of_base(base)))?;
        // One that is moved meanwhile is found twice.
        names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        names.dedup();
        Ok(names)
    }

    fn look_for(
        &mut self,
        wanted: impl Fn(&str) -> bool,
        mut each: impl FnMut(&str),
    ) -> Result<(), Error> {
        self.found.clear();
        for (place, dir) in self.dirs.iter().enumerate() {
            let mut noted = Ok(());
            let listed = dir.for_each_name(|found| {
                if let Some((base, tag)) = UniqueName::base(found)
                    && self.tags.contains(&tag)
                    && wanted(base)
                {
                    let added = found.as_bytes().get(base.len()..).unwrap_or_default();
                    if let Err(error) = self.found.note(base, place, added) {
                        noted = Err(error);
                    }
                    each(base);
                }
            });
            listed.and(noted).map_err(|source| Error::Unusable {
                path: dir.path().to_owned(),
                source,
            })?;
        }
        self.found.arrange();
        Ok(())
    }

    /// Whether it was found.
    pub fn contains(&self, name: &UniqueName) -> bool {
        self.found.find(name).is_some()
    }

    /// Where a message was when it was looked for.
    pub fn path(&self, name: &UniqueName) -> Option<PathBuf> {
        let (dir, found) = self.place(name).ok()?;
        Some(dir.path().join(found))
    }

    /// What a message's file says; [`io::ErrorKind::NotFound`] where there is none.
    pub fn examine(&self, name: &UniqueName) -> io::Result<Examined> {
        let (dir, found) = self.place(name)?;
        examine(dir.read(&found)?)
    }

    /// A message's header, as far as it is kept of a message that is stored.
    pub fn header(&self, name: &UniqueName) -> io::Result<Vec<u8>> {
        let (dir, found) = self.place(name)?;
        let mut header = Vec::new();
        let limit = HEADER_KEPT as u64;
        dir.read(&found)?.take(limit).read_to_end(&mut header)?;
        Ok(header)
    }

    /// Whether the file is as long as it was when it was stored, as far as that can be told without
    /// reading it.
    pub fn has_size(&self, name: &UniqueName, octets: u64) -> io::Result<bool> {
        let (dir, found) = self.place(name)?;
        if dir.octets(&found)? == octets {
            return Ok(true);
        }
        if size_in(&found) != Some(octets) {
            return Ok(false);
        }
        let mut beginning = Vec::new();
        dir.read(&found)?.take(16).read_to_end(&mut beginning)?;
        Ok(PACKED.iter().any(|packed| beginning.starts_with(packed)))
    }

    /// Makes a message that was found durable, name and octets (E9).
    pub fn sync(&self, name: &UniqueName) -> io::Result<()> {
        let (dir, found) = self.place(name)?;
        dir.sync_file(&found)?;
        dir.sync()
    }

    fn place<'a>(&self, name: &'a UniqueName) -> io::Result<(&Dir, Cow<'a, OsStr>)> {
        let place = self.found.find(name).and_then(|(place, added)| {
            let found = match added {
                [] => Cow::Borrowed(name.as_os_str()),
                added => {
                    let found = [name.as_str().as_bytes(), added].concat();
                    Cow::Owned(OsString::from_vec(found))
                }
            };
            Some((self.dirs.get(place)?, found))
        });
        Ok(place.ok_or(io::ErrorKind::NotFound)?)
    }
}

/// In which directory each name was found, and what others have added to it. The names themselves are
/// not kept, as who looks for a file has its name: of each there is a hash, whose keys are drawn at
/// random, so wide that no two names of all Maildirs of the world share one.
#[derive(Default)]
struct Found {
    hashers: [RandomState; 2],
    /// In order: a table would take twice the memory.
    spots: Vec<Spot>,
    /// What was added, each with its length before it.
    added: Vec<u8>,
}

/// Of two with the same key, the one that was found later is the greater one.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Spot {
    key: [u64; 2],
    added: u32,
    place: u32,
}

impl Found {
    fn clear(&mut self) {
        self.spots.clear();
        self.added.clear();
    }

    fn note(&mut self, name: &str, place: usize, added: &[u8]) -> io::Result<()> {
        let full = || io::Error::other("there are too many files to be looked for");
        let spot = Spot {
            key: self.key(name),
            added: u32::try_from(self.added.len()).map_err(|_| full())?,
            place: u32::try_from(place).map_err(|_| full())?,
        };
        // Some file systems take names longer than any that was written here.
        let Ok(length) = u8::try_from(added.len()) else {
            return Ok(());
        };
        self.added.push(length);
        self.added.extend(added);
        self.spots.push(spot);
        Ok(())
    }

    /// All has been noted. Where a name was found twice, it is where it was found last: a reader moves
    /// files to where they are looked for later.
    fn arrange(&mut self) {
        self.spots.sort_unstable_by(|one, other| other.cmp(one));
        self.spots.dedup_by_key(|spot| spot.key);
        self.spots.reverse();
    }

    fn find(&self, name: &UniqueName) -> Option<(usize, &[u8])> {
        let key = self.key(name.as_str());
        let at = self.spots.binary_search_by_key(&key, |spot| spot.key);
        let spot = self.spots.get(at.ok()?)?;
        let rest = self.added.get(usize::try_from(spot.added).ok()?..)?;
        let (length, rest) = rest.split_first()?;
        let added = rest.get(..usize::from(*length))?;
        Some((usize::try_from(spot.place).ok()?, added))
    }

    fn key(&self, name: &str) -> [u64; 2] {
        self.hashers.each_ref().map(|hasher| hasher.hash_one(name))
    }
}

/// Whether something else stands where a folder was, so that what it holds does not show: a link, or
/// another disk. Messages are delivered to neither. A folder that is gone hides nothing.
fn hides(root: &Path, folder: &Folder) -> bool {
    let there = root.join(folder.as_str()).symlink_metadata();
    match (there, root.metadata()) {
        (Ok(there), Ok(own)) => !there.is_dir() || there.dev() != own.dev(),
        (Err(error), _) => error.kind() != io::ErrorKind::NotFound,
        (_, Err(_)) => true,
    }
}

fn open_parts(disk: &Disk, maildir: &Path) -> io::Result<Vec<Dir>> {
    let parts = ["new", "cur"].into_iter();
    parts
        .map(|part| Dir::open(disk, &maildir.join(part)))
        .collect()
}
