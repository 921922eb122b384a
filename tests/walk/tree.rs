//! What is in a Maildir, and whole directories kept and put back.

use super::content::{Content, without_notes};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The messages in new/ and cur/ of a Maildir and its folders.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tree {
    /// Their files, relative to the Maildir, and which content each is; none of what anyone sent
    /// if it was cut short, say.
    pub files: BTreeMap<PathBuf, Option<usize>>,
}

impl Tree {
    pub fn read(maildir: &Path, contents: &[Content]) -> Self {
        let known = contents.iter().enumerate();
        let known: HashMap<String, usize> = known
            .map(|(serial, content)| (content.stored(), serial))
            .collect();
        let mut tree = Self::default();
        for folder in folders(maildir) {
            for part in ["new", "cur"].map(|part| folder.join(part)) {
                for entry in fs::read_dir(&part).into_iter().flatten() {
                    let path = entry.unwrap().path();
                    let octets = fs::read(&path).unwrap();
                    let own = without_notes(&String::from_utf8_lossy(&octets));
                    let below = path.strip_prefix(maildir).unwrap().to_owned();
                    tree.files.insert(below, known.get(&own).copied());
                }
            }
        }
        tree
    }

    pub fn count(&self, serial: usize) -> usize {
        let files = self.files.values();
        files.filter(|one| **one == Some(serial)).count()
    }

    /// How often each content is there.
    pub fn counts(&self) -> BTreeMap<usize, usize> {
        let mut counts = BTreeMap::new();
        for serial in self.files.values().flatten() {
            *counts.entry(*serial).or_default() += 1;
        }
        counts
    }

    pub fn whole(&self) -> bool {
        self.files.values().all(Option::is_some)
    }
}

/// The Maildir itself, and those below it.
fn folders(maildir: &Path) -> Vec<PathBuf> {
    let mut folders = vec![maildir.to_owned()];
    for entry in fs::read_dir(maildir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.join("cur").is_dir() {
            folders.push(path);
        }
    }
    folders
}

/// A directory with all that is in it.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Saved(Option<Vec<Entry>>);

/// A path in it, its mode, and what is in a file.
type Entry = (PathBuf, u32, Option<Vec<u8>>);

impl Saved {
    /// As it is; what is not there is kept as that.
    pub fn read(root: &Path) -> Self {
        if !root.is_dir() {
            return Self(None);
        }
        let mut all = Vec::new();
        read_in(root, Path::new(""), &mut all);
        all.sort();
        Self(Some(all))
    }

    /// Puts it back in the place of whatever is there.
    pub fn write(&self, root: &Path) {
        if root.is_dir() {
            fs::remove_dir_all(root).unwrap();
        }
        for (below, mode, octets) in self.0.iter().flatten() {
            let path = match below.as_os_str().is_empty() {
                true => root.to_owned(),
                false => root.join(below),
            };
            match octets {
                Some(octets) => fs::write(&path, octets).unwrap(),
                None => fs::create_dir(&path).unwrap(),
            }
            fs::set_permissions(&path, Permissions::from_mode(*mode)).unwrap();
        }
    }

    /// The files in it.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        let all = self.0.iter().flatten();
        all.filter_map(|(path, _, octets)| Some((path.as_path(), octets.as_deref()?)))
    }
}

fn read_in(root: &Path, below: &Path, all: &mut Vec<Entry>) {
    let path = root.join(below);
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    if !path.is_dir() {
        return all.push((below.to_owned(), mode, Some(fs::read(&path).unwrap())));
    }
    all.push((below.to_owned(), mode, None));
    for entry in fs::read_dir(&path).unwrap() {
        read_in(root, &below.join(entry.unwrap().file_name()), all);
    }
}
