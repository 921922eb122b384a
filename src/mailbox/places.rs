//! The directories that messages lie in: new/ and cur/ of Maildirs and of their folders.

use super::Error;
use crate::durable::{Dir, Disk};
use crate::maildir::{Folders, base_of, flags_of, legible};
use crate::term::nearest;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// Which folders of a Maildir are looked at.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Which {
    /// None: what lies in the Maildir itself, where mail is delivered to.
    #[default]
    Inbox,
    /// The one of this name, as [`Place::folder`] has it.
    One(String),
    /// The Maildir itself and all of them.
    All,
}

/// A directory with messages.
pub struct Place {
    /// The directory, open.
    pub dir: Dir,
    /// The Maildir that it belongs to: its place in the order in which they were added.
    pub maildir: usize,
    /// The folder: its path in the Maildir, without the dot that it begins with. None for the Maildir
    /// itself.
    pub folder: Option<String>,
}

/// Directories that are open and can be read.
#[derive(Default)]
pub struct Places {
    /// In the order in which they were added.
    pub all: Vec<Place>,
    /// Directories of theirs that could not be read, and folders.
    pub unread: Vec<PathBuf>,
    /// What lies in folders that are not looked at.
    pub elsewhere: Elsewhere,
    maildirs: usize,
}

/// How many messages lie in some folders, as far as these can be read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Elsewhere {
    /// All of them.
    pub messages: u64,
    /// Those that nobody has read.
    pub new: u64,
}

impl Places {
    /// Adds the Maildir at `root`, as far as it is asked for.
    ///
    /// # Errors
    /// There is no Maildir, or nothing of it can be read, or it lacks the folder.
    pub fn add(&mut self, disk: &Disk, root: &Path, which: &Which) -> Result<(), Error> {
        let maildir = self.maildirs;
        // The Maildir itself may be a link to one, as everywhere.
        let opened = Dir::open_linked(disk, root);
        opened.map_err(|source| missing(root, source))?;
        let (mut found, mut unread, mut wrong) = (Vec::new(), Vec::new(), None);
        if !matches!(which, Which::One(_)) {
            for part in ["new", "cur"] {
                let path = root.join(part);
                match Dir::open(disk, &path).map_err(|source| missing(root, source)) {
                    Ok(dir) => found.push(Place {
                        dir,
                        maildir,
                        folder: None,
                    }),
                    // What lies beside it can be read all the same.
                    Err(error @ Error::Unreadable { .. }) => {
                        unread.push(path);
                        wrong = Some(error);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        let mut there = Vec::new();
        if *which != Which::Inbox {
            let mut folders = Folders::default();
            for path in folders.below(root) {
                let name = name_of(root, &path);
                if matches!(which, Which::One(wanted) if !is_called(&name, plain(wanted))) {
                    there.push(legible(&name));
                    continue;
                }
                for part in ["new", "cur"] {
                    match Dir::open(disk, &path.join(part)) {
                        Ok(dir) => found.push(Place {
                            dir,
                            maildir,
                            folder: Some(name.clone()),
                        }),
                        // It is no folder, or a part of it is left out because it is empty.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(_) => unread.push(path.join(part)),
                    }
                }
            }
            unread.extend(folders.unread);
        }
        if let (Some(error), true) = (wrong, found.is_empty()) {
            return Err(error);
        }
        if let Which::One(name) = which
            && found.is_empty()
            && unread.is_empty()
        {
            // So people call the Maildir itself.
            if name.eq_ignore_ascii_case("inbox") {
                return self.add(disk, root, &Which::Inbox);
            }
            there.sort_unstable();
            return Err(Error::NoFolder {
                name: name.clone(),
                path: root.to_owned(),
                near: near(plain(name), &there),
                there,
            });
        }
        if *which == Which::Inbox {
            self.elsewhere.add_folders(disk, root);
        }
        self.maildirs += 1;
        self.unread.extend(unread);
        self.all.extend(found);
        Ok(())
    }

    /// Where a message is whose name, without what readers add to it, is that of `path`.
    pub fn find(&self, path: &Path) -> Option<PathBuf> {
        let base = base_of(path.file_name()?);
        self.all.iter().rev().find_map(|place| {
            let mut found = None;
            let listed = place.dir.for_each_name(|name| {
                if base_of(name) == base {
                    found = Some(place.dir.path().join(name));
                }
            });
            listed.ok()?;
            found
        })
    }
}

impl Elsewhere {
    /// Adds what lies in the folders of a Maildir.
    fn add_folders(&mut self, disk: &Disk, root: &Path) {
        for path in Folders::default().below(root) {
            for part in ["new", "cur"] {
                let Ok(dir) = Dir::open(disk, &path.join(part)) else {
                    continue;
                };
                let _ = dir.for_each_name(|name| {
                    if !name.as_encoded_bytes().starts_with(b".") {
                        self.messages += 1;
                        self.new += u64::from(!flags_of(name).is_seen());
                    }
                });
            }
        }
    }
}

/// A Maildir that is not there is told from one that cannot be read.
fn missing(root: &Path, source: io::Error) -> Error {
    let path = root.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::NoMaildir(path),
        _ => Error::Unreadable { path, source },
    }
}

fn name_of(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let below = below.as_os_str().to_string_lossy();
    plain(&below).to_owned()
}

/// Whether somebody who asks for a folder means the one of this name: they may type it as they read it, and
/// as it is called on a server.
fn is_called(name: &str, wanted: &str) -> bool {
    let dotted = wanted.replace('/', ".");
    [name, &legible(name)]
        .iter()
        .any(|it| *it == wanted || *it == dotted)
}

/// The folder that is most likely meant by a name that none has.
fn near(wanted: &str, there: &[String]) -> Option<String> {
    let small: Vec<String> = there.iter().map(|name| name.to_lowercase()).collect();
    let found = nearest(&wanted.to_lowercase(), &small)?;
    let at = small.iter().position(|name| name == found)?;
    there.get(at).cloned()
}

/// Maildir++ has a dot before the names of folders, which people leave out.
fn plain(name: &str) -> &str {
    name.strip_prefix('.').unwrap_or(name)
}

/// Whether a directory is one of the two of a Maildir that messages lie in.
pub(super) fn is_part(name: &OsStr) -> bool {
    name == "new" || name == "cur"
}
