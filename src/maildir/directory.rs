//! The Maildir: tmp, new and cur (cr.yp.to/proto/maildir.html).

use super::Error;
use super::filing::{Filed, Filing};
use super::folder::{Folder, Folders};
use super::inbox::Inbox;
use super::roster::{Deliverer, MaildirId, NAME as ROSTER, Roster};
use super::unique_name::{AccountTag, JournalId, PlacedName, UniqueName};
use crate::durable::{Dir, Disk};
use crate::message::{Examined, Flags, examine};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What makes a directory a Maildir.
pub(super) const PARTS: [&str; 3] = ["tmp", "new", "cur"];

/// An open Maildir. Its directories are held open: what is put in their place later is not used.
pub struct Maildir {
    root: Dir,
    tmp: Arc<Dir>,
    inbox: Inbox,
    /// Directories that were made for it when it was opened, the outermost first.
    made: Vec<PathBuf>,
    folders: Folders,
    filing: Filed,
}

/// What stands where a Maildir should be, before anything is made or changed there.
#[derive(Debug)]
pub struct Site {
    path: PathBuf,
    ground: Ground,
    /// What the file in its root says.
    pub roster: Roster,
    filing: Filing,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ground {
    /// Nothing.
    Nothing,
    /// An empty directory.
    Empty,
    /// A directory with tmp, new and cur.
    Whole,
    /// A directory with one or two of them.
    Part,
    /// A directory with other things in it.
    Other,
}

impl Maildir {
    /// Opens the Maildir at `path`, which must have tmp, new and cur.
    pub fn open(disk: &Disk, path: &Path) -> Result<Self, Error> {
        let unusable = |path: PathBuf, source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => Error::Gone { path },
            _ => Error::Unusable { path, source },
        };
        let opened = Dir::open_linked(disk, path);
        let root = opened.map_err(|error| unusable(path.to_owned(), error))?;
        root.hold();
        let part = |name: &str| {
            let path = path.join(name);
            let opened = Dir::open(disk, &path);
            let opened = opened.and_then(|dir| dir.check_writable().map(|()| dir));
            opened.map_err(|error| unusable(path, error))
        };
        let (cur, tmp, new) = (part("cur")?, Arc::new(part("tmp")?), part("new")?);
        // Another run may have taken it back before it was held.
        match root.is_at_its_path() {
            Ok(true) => {}
            Ok(false) => return Err(Error::Gone { path: path.into() }),
            Err(error) => return Err(unusable(path.to_owned(), error)),
        }
        let made = Vec::new();
        Ok(Self {
            root,
            tmp,
            inbox: Inbox { new, cur },
            made,
            folders: Folders::default(),
            filing: Filed::default(),
        })
    }

    /// Removes what was made for it when it was opened, unless anything has come into it, or
    /// somebody else has it open.
    pub fn take_back(&self) {
        if self.made.is_empty() {
            return;
        }
        let is_part = |name: &OsStr| PARTS.iter().any(|part| OsStr::new(part) == name);
        let mut has_others = false;
        let is_ours = |name: &OsStr| is_part(name) || self.folders.has_made(&self.root, name);
        let listed = self.root.for_each_name(|name| has_others |= !is_ours(name));
        if listed.is_err() || has_others || !self.root.hold_alone() {
            return;
        }
        self.folders.take_back(&self.root);
        let disk = self.disk();
        for path in self.made.iter().rev() {
            if disk.remove_directory(path).is_err() {
                // Of its parts all are there or none.
                if path.starts_with(self.path()) {
                    let parts = PARTS.iter().map(|part| self.path().join(part));
                    let _ = parts
                        .map(|part| disk.create_directory(&part))
                        .all(|it| it.is_ok());
                }
                return;
            }
        }
        // What another account of the run has made above it, and could not take back before.
        disk.remove_made_above(self.path());
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// Where its steps are taken.
    pub fn disk(&self) -> &Disk {
        self.root.disk()
    }

    /// Its root, open.
    pub fn root(&self) -> &Dir {
        &self.root
    }

    /// What the file in its root says.
    pub fn roster(&self) -> Result<Roster, Error> {
        let roster = Roster::read(&self.root);
        roster.map_err(|source| self.write_error(&self.root, source))
    }

    /// Notes in the file in its root who delivers here, in the place of the lines that it had under
    /// `former` ids with their journals; durable on return. Gives the Maildir's id,
    /// which is `wanted` or a new one where it had none.
    pub fn enrol(
        &self,
        deliverer: &Deliverer,
        former: &[(String, JournalId)],
        wanted: Option<MaildirId>,
    ) -> Result<MaildirId, Error> {
        let rewritten = Roster::rewrite(&self.root, deliverer, former, wanted);
        rewritten.map_err(|source| self.write_error(&self.root, source))
    }

    /// Whether what is complete in tmp/ could be moved to new/, or why not. No file is touched: what has
    /// no name in tmp/ is asked to be moved, and the system says first whether there is a way.
    pub fn check_move(&self) -> io::Result<()> {
        self.tmp.check_way_to(&self.inbox.new)
    }

    /// Its tmp/, open.
    pub fn tmp(&self) -> &Arc<Dir> {
        &self.tmp
    }

    /// Where messages are placed in it, but for those of its folders.
    pub(super) fn own_inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// How messages are filed in it.
    pub fn filing(&self) -> Filed {
        self.filing
    }

    pub(super) fn folders(&self) -> &Folders {
        &self.folders
    }

    /// Moves a message that a crash left in tmp/ to its place, or to a folder's, where it is durable on
    /// return. Call [`Maildir::sync_new`] afterwards.
    pub fn roll_forward(&self, name: &PlacedName, folder: Option<&Folder>) -> Result<(), Error> {
        let made;
        let inbox = match folder {
            None => &self.inbox,
            Some(folder) => {
                made = self.make_folder(folder, &mut Vec::new())?;
                &made
            }
        };
        let mut name = name.clone();
        let moved = self.place(&mut name, inbox);
        let place = inbox.of(&name);
        match moved {
            // A crash between the two halves of a link and unlink left both names.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.remove_tmp(&name.name)?;
            }
            moved => moved.map_err(|source| self.write_error(place, source))?,
        }
        if folder.is_some() || !name.flags.is_empty() {
            let synced = place.sync();
            synced.map_err(|source| self.write_error(place, source))?;
        }
        Ok(())
    }

    /// Moves a file from tmp/ to where it belongs. Where cur/ cannot take it the flags go from its name: not
    /// all file systems have names with a colon, and cur/ may be on another one.
    pub fn place(&self, name: &mut PlacedName, inbox: &Inbox) -> io::Result<()> {
        let publish = |name: &PlacedName| {
            let here = name.name.as_os_str();
            self.tmp
                .publish_as(here, inbox.of(name), &name.to_os_string())
        };
        match publish(name) {
            Err(error) if !name.flags.is_empty() && cannot_have_flags(&error) => {
                name.flags = Flags::default();
                publish(name)
            }
            moved => moved,
        }
    }

    /// Makes the names in new/ durable.
    pub fn sync_new(&self) -> Result<(), Error> {
        let synced = self.inbox.new.sync();
        synced.map_err(|source| self.write_error(&self.inbox.new, source))
    }

    /// Removes a file from tmp/.
    pub fn remove_tmp(&self, name: &UniqueName) -> Result<(), Error> {
        let removed = self.tmp.remove(name.as_os_str());
        removed.map_err(|source| self.write_error(&self.tmp, source))
    }

    /// Calls `each` with every name in tmp/ of a message that is or was being delivered to the
    /// account.
    pub fn for_each_in_tmp(
        &self,
        tag: AccountTag,
        mut each: impl FnMut(UniqueName),
    ) -> Result<(), Error> {
        let listed = self.tmp.for_each_name(|found| {
            if let Some(name) = UniqueName::parse(found)
                && name.tag() == Some(tag)
            {
                each(name);
            }
        });
        listed.map_err(|source| Error::Unusable {
            path: self.tmp.path().to_owned(),
            source,
        })
    }

    /// What a file in tmp/ says.
    pub fn examine_tmp(&self, name: &UniqueName) -> io::Result<Examined> {
        examine(self.tmp.read(name.as_os_str())?)
    }

    fn write_error(&self, dir: &Dir, source: io::Error) -> Error {
        Error::Write {
            path: dir.path().to_owned(),
            source,
        }
    }
}

impl Site {
    /// Looks at `path`.
    pub fn look(disk: &Disk, path: &Path) -> Result<Self, Error> {
        let unusable = |path: &Path, source| Error::Unusable {
            path: path.into(),
            source,
        };
        let ground = match ground(path) {
            Ok(ground) => ground,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ground::Nothing,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(Error::NotAMaildir {
                    path: path.into(),
                    reason: "it is no directory",
                });
            }
            Err(source) => return Err(unusable(path, source)),
        };
        let root = match ground {
            Ground::Nothing => None,
            _ => match Dir::open_linked(disk, path) {
                // Another run has taken it back meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                opened => Some(opened.map_err(|source| unusable(path, source))?),
            },
        };
        let (ground, roster) = match root {
            None => (Ground::Nothing, Roster::default()),
            // What is in the way of the file is told by its own name: nobody should move the mail away.
            Some(root) => (
                ground,
                Roster::read(&root).map_err(|source| unusable(&path.join(ROSTER), source))?,
            ),
        };
        Ok(Self {
            path: path.to_owned(),
            ground,
            roster,
            filing: Filing::default(),
        })
    }

    /// How messages are to be filed in it.
    #[must_use]
    pub fn filed(self, filing: &Filing) -> Self {
        let filing = filing.clone();
        Self { filing, ..self }
    }

    /// Fails where messages could not be filed as they are to be, whatever is there.
    pub fn check_filing(&self) -> Result<(), Error> {
        self.filing.settle().map(drop)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is there.
    pub fn ground(&self) -> Ground {
        self.ground
    }

    /// Opens the Maildir, and makes it where there is nothing, or an empty directory: anything else
    /// may be a home directory, or a disk's own root. A part of one is made whole only where
    /// `is_known` says that it was one before.
    ///
    /// # Errors
    /// Also where its files are to be given to a group that they cannot be given to.
    pub fn settle(&self, disk: &Disk, is_known: bool) -> Result<Maildir, Error> {
        match self.ground {
            Ground::Whole if is_known => self.open(disk),
            // Another run may take back what it has made.
            Ground::Whole => match self.open(disk) {
                Err(Error::Gone { .. }) => self.make(disk),
                opened => opened,
            },
            Ground::Nothing | Ground::Empty => match self.make(disk) {
                Err(Error::Gone { .. }) => self.make(disk).map_err(|error| match error {
                    // Nobody takes it back each time: it leads nowhere.
                    Error::Gone { path } => Error::Create {
                        path,
                        source: Errno::NOENT.into(),
                    },
                    error => error,
                }),
                made => made,
            },
            Ground::Part if is_known => self.make(disk),
            Ground::Part => Err(Error::NotAMaildir {
                path: self.path.clone(),
                reason: super::PART,
            }),
            Ground::Other => Err(Error::NotAMaildir {
                path: self.path.clone(),
                reason: "it has no tmp, new and cur, but other things in it",
            }),
        }
    }

    /// Fails where [`Site::settle`] would, as far as can be told without making anything.
    pub fn check(&self, disk: &Disk, is_known: bool) -> Result<(), Error> {
        self.check_filing()?;
        match self.ground {
            Ground::Nothing | Ground::Empty => {
                let checked = disk.check_directory(&self.path);
                checked.map_err(|source| {
                    let path = self.path.clone();
                    Error::Create { path, source }
                })
            }
            Ground::Part if is_known => Ok(()),
            // Opens what is there: nothing is made of anything else.
            Ground::Whole => self.open(disk).map(drop),
            Ground::Part | Ground::Other => self.settle(disk, false).map(drop),
        }
    }

    /// Fails where [`Site::settle`] would: what is missing is made for the trial, and taken back.
    pub fn try_out(&self, disk: &Disk) -> Result<(), Error> {
        self.check(disk, false)?;
        if self.ground != Ground::Nothing {
            return Ok(());
        }
        disk.try_directory(&self.path).map_err(|source| {
            let path = self.path.clone();
            Error::Create { path, source }
        })
    }

    /// Opens the Maildir, which is there.
    pub fn open(&self, disk: &Disk) -> Result<Maildir, Error> {
        let filing = self.filing.settle()?;
        let maildir = Maildir::open(disk, &self.path)?;
        Ok(Maildir { filing, ..maildir })
    }

    /// Makes what is missing of a Maildir, whatever else is there, and opens it.
    pub fn make(&self, disk: &Disk) -> Result<Maildir, Error> {
        let filing = self.filing.settle()?;
        let mut made = Vec::new();
        for part in PARTS {
            let created = disk.create_directories(&self.path.join(part), &mut made);
            created.map_err(|source| self.unmade(source))?;
        }
        // What is above it is not its own, and may have other mail in it.
        for path in made.iter().filter(|path| path.starts_with(&self.path)) {
            let opened = disk.open_up(path, filing.access);
            opened.map_err(|source| self.unmade(source))?;
        }
        let maildir = self.open(disk)?;
        Ok(Maildir { made, ..maildir })
    }

    fn unmade(&self, source: io::Error) -> Error {
        let path = self.path.clone();
        match source.kind() {
            io::ErrorKind::NotFound => Error::Gone { path },
            _ => Error::Create { path, source },
        }
    }
}

fn cannot_have_flags(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::CrossesDevices
    )
}

fn ground(path: &Path) -> io::Result<Ground> {
    let (mut parts, mut others, mut has_roster) = (Vec::new(), 0, false);
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        has_roster |= name == ROSTER;
        match PARTS.iter().find(|part| OsStr::new(part) == name) {
            Some(part) => parts.push(path.join(part)),
            None => others += 1,
        }
    }
    // Another run may take back what it has made, a part after the other.
    let is_empty = |part: &PathBuf| match fs::read_dir(part) {
        Ok(mut all) => all.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    Ok(match parts.len() {
        3 => Ground::Whole,
        // A run that was killed while it made them leaves some of them, and nothing else.
        _ if others == 0 && parts.iter().all(is_empty) => Ground::Empty,
        0 if !has_roster => Ground::Other,
        _ => Ground::Part,
    })
}

#[cfg(test)]
mod tests;
