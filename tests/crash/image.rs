//! What is on the disk: the files as programs see them, and as they would be after a power cut.

use popfetch::durable::Step;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A file's octets, by themselves: its names are the image's.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Inode {
    live: Vec<u8>,
    durable: Vec<u8>,
}

/// A name that came or went and whose directory has not been synced since.
#[derive(Clone, Debug)]
enum Change {
    Add(PathBuf, usize),
    Remove(PathBuf),
}

impl Change {
    fn path(&self) -> &Path {
        match self {
            Self::Add(path, _) | Self::Remove(path) => path,
        }
    }
}

/// A step, kept; paths are relative to the root.
#[derive(Clone, Debug)]
pub enum Taken {
    CreateDirectory(PathBuf),
    RemoveDirectory(PathBuf),
    Create(PathBuf),
    Append(PathBuf, Vec<u8>),
    Truncate(PathBuf, u64),
    /// Not kept: a mode and a time are nothing that a message is lost by.
    Describe,
    SyncFile(PathBuf),
    SyncDirectory(PathBuf),
    Link(PathBuf, PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl Taken {
    pub fn new(step: &Step<'_>, root: &Path) -> Self {
        let own = |path: &Path| {
            path.strip_prefix(root)
                .unwrap_or(Path::new("outside"))
                .to_owned()
        };
        match step {
            Step::CreateDirectory(path) => Self::CreateDirectory(own(path)),
            Step::Create(path) => Self::Create(own(path)),
            Step::Append(path, octets) => Self::Append(own(path), octets.to_vec()),
            Step::Truncate(path, length) => Self::Truncate(own(path), *length),
            Step::Describe(_) => Self::Describe,
            Step::SyncFile(path) => Self::SyncFile(own(path)),
            Step::SyncDirectory(path) => Self::SyncDirectory(own(path)),
            Step::Link(path, second) => Self::Link(own(path), own(second)),
            Step::Rename(from, to) => Self::Rename(own(from), own(to)),
            Step::Remove(path) => Self::Remove(own(path)),
            Step::RemoveDirectory(path) => Self::RemoveDirectory(own(path)),
        }
    }
}

/// What a power cut leaves of octets that were not synced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Octets {
    Kept,
    Dropped,
    Halved,
    Zeroed,
    /// Another fate for each file.
    Mixed(u64),
}

impl Octets {
    fn of_inode(self, inode: usize) -> Self {
        const FATES: [Octets; 4] = [
            Octets::Kept,
            Octets::Dropped,
            Octets::Halved,
            Octets::Zeroed,
        ];
        match self {
            Self::Mixed(seed) => FATES[mix(seed, inode) as usize % FATES.len()],
            alike => alike,
        }
    }
}

/// Some number or other, the same every time.
pub fn mix(seed: u64, place: usize) -> u64 {
    let mixed = (place as u64 + 1).wrapping_mul(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed ^ mixed >> 29
}

/// A file system in memory, with and without what is not synced.
#[derive(Clone, Debug, Default)]
pub struct Image {
    inodes: Vec<Inode>,
    live: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    changes: Vec<Change>,
    directories: BTreeSet<PathBuf>,
    /// Where a file that is open went: its steps still bear the name it was opened under.
    moved: BTreeMap<PathBuf, PathBuf>,
}

impl Image {
    /// A directory as it is, all of it durable.
    pub fn read(root: &Path) -> Self {
        let mut image = Self::default();
        image.read_in(root, Path::new(""));
        image.durable = image.live.clone();
        image
    }

    fn read_in(&mut self, root: &Path, below: &Path) {
        for entry in fs::read_dir(root.join(below)).unwrap() {
            let path = below.join(entry.unwrap().file_name());
            if root.join(&path).is_dir() {
                self.directories.insert(path.clone());
                self.read_in(root, &path);
            } else {
                let octets = fs::read(root.join(&path)).unwrap();
                self.live.insert(path, self.inodes.len());
                self.inodes.push(Inode {
                    live: octets.clone(),
                    durable: octets,
                });
            }
        }
    }

    pub fn take(&mut self, step: &Taken) {
        match step {
            // Directories are durable at once: their loss is the same as a run that never began.
            Taken::CreateDirectory(path) => {
                self.directories.insert(path.clone());
            }
            Taken::RemoveDirectory(path) => {
                self.directories.remove(path);
            }
            Taken::Create(path) => {
                self.moved.remove(path);
                self.inodes.push(Inode::default());
                self.add(path, self.inodes.len() - 1);
            }
            Taken::Append(path, octets) => self.inode(path).live.extend(octets),
            Taken::Truncate(path, length) => {
                let length = usize::try_from(*length).unwrap();
                self.inode(path).live.truncate(length);
            }
            Taken::Describe => {}
            Taken::SyncFile(path) => {
                let inode = self.inode(path);
                inode.durable = inode.live.clone();
            }
            Taken::SyncDirectory(directory) => {
                let (synced, left) = std::mem::take(&mut self.changes)
                    .into_iter()
                    .partition(|change| change.path().parent() == Some(directory));
                self.changes = left;
                apply(&mut self.durable, &synced);
            }
            Taken::Link(path, second) => {
                let inode = self.live[path];
                self.add(second, inode);
            }
            Taken::Rename(from, to) => {
                let inode = self.live[from];
                self.add(to, inode);
                self.remove(from);
                self.moved.insert(from.clone(), to.clone());
            }
            Taken::Remove(path) => {
                if self.live.contains_key(path) {
                    self.remove(path);
                }
            }
        }
    }

    fn inode(&mut self, path: &Path) -> &mut Inode {
        let path = self.moved.get(path).map_or(path, PathBuf::as_path);
        let inode = self.live[path];
        &mut self.inodes[inode]
    }

    fn add(&mut self, path: &Path, inode: usize) {
        self.live.insert(path.to_owned(), inode);
        self.changes.push(Change::Add(path.to_owned(), inode));
    }

    fn remove(&mut self, path: &Path) {
        self.live.remove(path);
        self.changes.push(Change::Remove(path.to_owned()));
    }

    /// This disk with the files of another where `of` holds for their paths, and none of its own
    /// there; all durable.
    pub fn with(&self, other: &Self, of: impl Fn(&Path) -> bool) -> Self {
        let mut image = self.clone();
        image.live.retain(|path, _| !of(path));
        for (path, inode) in other.live.iter().filter(|(path, _)| of(path)) {
            image.live.insert(path.clone(), image.inodes.len());
            image.inodes.push(other.inodes[*inode].clone());
        }
        image.durable.clone_from(&image.live);
        image
    }

    /// How long a file is.
    pub fn octets_of(&self, path: &str) -> usize {
        self.inodes[self.live[Path::new(path)]].live.len()
    }

    /// How many names came or went without being synced.
    pub fn unsynced_names(&self) -> usize {
        self.changes.len()
    }

    pub fn has_unsynced_octets(&self) -> bool {
        self.inodes.iter().any(|inode| inode.live != inode.durable)
    }

    /// Writes the files that are there after a power cut: of the names that are not synced, those
    /// whose place `keeps` holds for.
    pub fn write(&self, root: &Path, keeps: impl Fn(usize) -> bool, octets: Octets) {
        self.write_each(root, keeps, |_| octets);
    }

    /// The same where whole directories keep what is not synced, and the others lose it: its
    /// names go, and of its octets is left what `octets` says.
    pub fn write_where(&self, root: &Path, keeps: impl Fn(&Path) -> bool, octets: Octets) {
        let of_place = |place: usize| keeps(self.changes[place].path());
        self.write_each(root, of_place, |path| match keeps(path) {
            true => Octets::Kept,
            false => octets,
        });
    }

    fn write_each(
        &self,
        root: &Path,
        keeps: impl Fn(usize) -> bool,
        octets: impl Fn(&Path) -> Octets,
    ) {
        if root.exists() {
            fs::remove_dir_all(root).unwrap();
        }
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700).recursive(true).create(root).unwrap();
        for directory in &self.directories {
            builder.create(root.join(directory)).unwrap();
        }
        let mut names = self.durable.clone();
        let kept: Vec<Change> = (0..)
            .zip(&self.changes)
            .filter(|(place, _)| keeps(*place))
            .map(|(_, change)| change.clone())
            .collect();
        apply(&mut names, &kept);
        for (path, inode) in names {
            let left = self.inodes[inode].after(octets(&path).of_inode(inode));
            fs::write(root.join(path), left).unwrap();
        }
    }
}

impl Inode {
    fn after(&self, octets: Octets) -> Vec<u8> {
        let (live, durable) = (&self.live, &self.durable);
        if live == durable {
            return durable.clone();
        }
        let grown = live.starts_with(durable);
        match octets {
            Octets::Kept | Octets::Mixed(_) => live.clone(),
            Octets::Dropped => durable.clone(),
            Octets::Halved => {
                live[..(live.len() + if grown { durable.len() } else { 0 }) / 2].to_vec()
            }
            Octets::Zeroed => {
                let kept = if grown { durable.len() } else { 0 };
                let mut zeroed = live[..kept].to_vec();
                zeroed.resize(live.len(), 0);
                zeroed
            }
        }
    }
}

fn apply(names: &mut BTreeMap<PathBuf, usize>, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Add(path, inode) => names.insert(path.clone(), *inode),
            Change::Remove(path) => names.remove(path),
        };
    }
}
