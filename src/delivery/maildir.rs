//! The Maildir: tmp, new and cur (cr.yp.to/proto/maildir.html).

use super::Error;
use super::digest::{Digests, examine};
use super::incoming::{Incoming, Synced, TmpFile};
use super::unique_name::{AccountTag, UniqueName};
use crate::durable::{Dir, Disk};
use crate::maildrop::Message;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const PARTS: [&str; 3] = ["tmp", "new", "cur"];

/// An open Maildir. Its directories are held open: what is put in their place later is not used.
pub struct Maildir {
    root: PathBuf,
    pub(super) tmp: Dir,
    new: Dir,
    cur: Dir,
}

/// Where a message was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Location {
    /// In tmp/: not delivered yet.
    Tmp,
    /// In new/: nobody has seen it.
    New,
    /// In cur/, under this name with its flags.
    Cur(OsString),
}

/// A message that is in new/ for good, together with the proof `I` that its intent had been
/// recorded before.
pub struct Delivered<I> {
    synced: Synced,
    intent: I,
    path: PathBuf,
}

/// A message that could not be given its name, or whose name could not be made durable.
pub struct Unpublished<I> {
    /// The file, in tmp/ or in new/.
    name: UniqueName,
    /// The message as it was listed.
    pub message: Message,
    /// Its intent, which must be withdrawn before the file is removed.
    pub intent: I,
    /// Why.
    pub error: io::Error,
}

impl Maildir {
    /// Opens the Maildir at `path`. Where there is nothing, or an empty directory, it is created
    /// if `create` says so.
    pub fn open(disk: &Disk, path: &Path, create: bool) -> Result<Self, Error> {
        let unusable = |path: &Path, source| Error::Unusable {
            path: path.to_owned(),
            source,
        };
        match missing_parts(path) {
            Ok(parts) if parts.is_empty() => {}
            Ok(parts) => create_parts(disk, path, &parts)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && create => {
                create_parts(disk, path, &PARTS)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::Gone { path: path.into() });
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let reason = "it is no directory";
                return Err(Error::NotAMaildir {
                    path: path.into(),
                    reason,
                });
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let reason = "it has no tmp, new and cur, but other things in it";
                return Err(Error::NotAMaildir {
                    path: path.into(),
                    reason,
                });
            }
            Err(error) => return Err(unusable(path, error)),
        }
        Dir::check_guarded(path).map_err(|error| unusable(path, error))?;
        let part = |name: &str| {
            let path = path.join(name);
            let opened = Dir::open(disk, &path);
            let opened = opened.and_then(|dir| dir.check_writable().map(|()| dir));
            opened.map_err(|error| unusable(&path, error))
        };
        Ok(Self {
            root: path.to_owned(),
            tmp: part("tmp")?,
            new: part("new")?,
            cur: part("cur")?,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Its directories, open.
    pub fn directories(&self) -> [&Dir; 3] {
        [&self.tmp, &self.new, &self.cur]
    }

    /// Begins to receive a message.
    pub fn receive(
        self: &Arc<Self>,
        tag: AccountTag,
        message: Message,
        keep_header: bool,
    ) -> Result<Incoming, Error> {
        let name = UniqueName::new(tag, message.identity);
        let tmp = TmpFile::create(Arc::clone(self), name)?;
        Ok(Incoming::new(message, tmp, keep_header))
    }

    /// Gives messages their names in new/ and makes the names durable. Each comes with the proof
    /// that its intent is recorded (E1): a crash from here on finds out what became of it.
    pub fn publish<I>(&self, batch: Vec<(Synced, I)>) -> (Vec<Delivered<I>>, Vec<Unpublished<I>>) {
        let (mut named, mut failed) = (Vec::with_capacity(batch.len()), Vec::new());
        for (synced, intent) in batch {
            match self.tmp.publish(synced.name().as_os_str(), &self.new) {
                Ok(()) => named.push((synced, intent)),
                Err(error) => failed.push(Unpublished::new(&synced, intent, error)),
            }
        }
        if named.is_empty() {
            return (Vec::new(), failed);
        }
        if let Err(error) = self.new.sync() {
            // Their names may or may not survive a power cut: they count as not stored.
            let again = || io::Error::new(error.kind(), error.to_string());
            let unsure = named.into_iter();
            failed
                .extend(unsure.map(|(synced, intent)| Unpublished::new(&synced, intent, again())));
            return (Vec::new(), failed);
        }
        let deliver = |(synced, intent): (Synced, I)| Delivered {
            path: self.new.path().join(synced.name().as_os_str()),
            synced,
            intent,
        };
        (named.into_iter().map(deliver).collect(), failed)
    }

    /// Removes the file of a message that could not be published. Its intent must be withdrawn,
    /// durably, before.
    pub fn discard<I>(&self, unpublished: &Unpublished<I>) {
        let name = unpublished.name.as_os_str();
        // Nothing depends on it: without an intent the next run removes what is left in tmp/.
        let _ = self.tmp.remove(name);
        // A name that was taken is somebody else's message.
        if unpublished.error.kind() != io::ErrorKind::AlreadyExists {
            let _ = self.new.remove(name);
        }
    }

    /// Moves a message that a crash left in tmp/ to new/. Call [`Maildir::sync_new`] afterwards.
    pub fn roll_forward(&self, name: &UniqueName) -> Result<(), Error> {
        match self.tmp.publish(name.as_os_str(), &self.new) {
            // A crash between the two halves of a link and unlink left both names.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.remove_tmp(name),
            moved => moved.map_err(|source| self.write_error(&self.new, source)),
        }
    }

    /// Makes the names in new/ durable.
    pub fn sync_new(&self) -> Result<(), Error> {
        let synced = self.new.sync();
        synced.map_err(|source| self.write_error(&self.new, source))
    }

    /// Removes a file from tmp/.
    pub fn remove_tmp(&self, name: &UniqueName) -> Result<(), Error> {
        let removed = self.tmp.remove(name.as_os_str());
        removed.map_err(|source| self.write_error(&self.tmp, source))
    }

    /// Calls `each` with every message that popfetch was delivering to the account.
    pub fn for_each_in_tmp(
        &self,
        tag: AccountTag,
        each: impl FnMut(UniqueName, Location),
    ) -> Result<(), Error> {
        self.for_each_in([(&self.tmp, Location::Tmp)], tag, each)
    }

    /// Calls `each` with every message that popfetch has delivered to the account, as far as it
    /// still is in new/ or cur/.
    pub fn for_each_delivered(
        &self,
        tag: AccountTag,
        each: impl FnMut(UniqueName, Location),
    ) -> Result<(), Error> {
        let cur = Location::Cur(OsString::new());
        self.for_each_in([(&self.new, Location::New), (&self.cur, cur)], tag, each)
    }

    fn for_each_in<const N: usize>(
        &self,
        parts: [(&Dir, Location); N],
        tag: AccountTag,
        mut each: impl FnMut(UniqueName, Location),
    ) -> Result<(), Error> {
        for (dir, location) in parts {
            let listed = for_each_of(dir, tag, |name, found| {
                let location = match &location {
                    Location::Cur(_) => Location::Cur(found.to_owned()),
                    other => other.clone(),
                };
                each(name, location);
            });
            listed.map_err(|source| Error::Unusable {
                path: dir.path().to_owned(),
                source,
            })?;
        }
        Ok(())
    }

    /// Length in octets and hashes of a stored message.
    pub fn examine(&self, name: &UniqueName, location: &Location) -> io::Result<(u64, Digests)> {
        examine(self.open_message(name, location)?)
    }

    fn open_message(&self, name: &UniqueName, location: &Location) -> io::Result<fs::File> {
        match location {
            Location::Tmp => self.tmp.read(name.as_os_str()),
            Location::New => self.new.read(name.as_os_str()),
            Location::Cur(found) => self.cur.read(found),
        }
    }

    pub(super) fn write_error(&self, dir: &Dir, source: io::Error) -> Error {
        Error::Write {
            path: dir.path().to_owned(),
            source,
        }
    }
}

impl<I> Delivered<I> {
    /// The message as it was synced.
    pub fn synced(&self) -> &Synced {
        &self.synced
    }

    /// The proof that came with it.
    pub fn intent(&self) -> &I {
        &self.intent
    }

    /// Its path in new/.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl<I> Unpublished<I> {
    fn new(synced: &Synced, intent: I, error: io::Error) -> Self {
        Self {
            name: synced.name().clone(),
            message: synced.message().clone(),
            intent,
            error,
        }
    }
}

/// Calls `each` with every message in `dir` that popfetch delivered to the account, and its name
/// as it is now, with flags.
pub(super) fn for_each_of(
    dir: &Dir,
    tag: AccountTag,
    mut each: impl FnMut(UniqueName, &OsStr),
) -> io::Result<()> {
    dir.for_each_name(|found| {
        if let Some(name) = UniqueName::parse(found)
            && name.tag() == Some(tag)
        {
            each(name, found);
        }
    })
}

/// Which of tmp, new and cur are missing in a directory that is a Maildir, or may become one.
/// [`io::ErrorKind::InvalidData`] if it is something else: a home directory must not be filled.
fn missing_parts(path: &Path) -> io::Result<Vec<&'static str>> {
    let mut missing = PARTS.to_vec();
    let mut other = false;
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        match PARTS.iter().find(|part| OsStr::new(part) == name) {
            Some(part) => missing.retain(|candidate| candidate != part),
            None => other |= !name.as_bytes().starts_with(b"."),
        }
    }
    if other && missing.len() == PARTS.len() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(missing)
}

fn create_parts(disk: &Disk, path: &Path, parts: &[&str]) -> Result<(), Error> {
    for part in parts {
        let created = disk.create_directory(&path.join(part));
        created.map_err(|source| Error::Create {
            path: path.to_owned(),
            source,
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
