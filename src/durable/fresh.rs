//! Directories that a run makes, and takes back where nothing has come into them.

use super::{DIRECTORY_MODE, Dir, Disk, Step, check_parent};
use rustix::fs::{self as sys, FlockOperation};
use rustix::io::{Errno, retry_on_intr};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Who takes directories back holds them for some microseconds.
const MOMENTS: u32 = 20;
const MOMENT: Duration = Duration::from_millis(1);

impl Disk {
    /// Creates `path` and what is missing above it, each durable in its parent.
    pub fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.create_directories(path, &mut Vec::new())
    }

    /// The same, and adds to `made` what was not there, the outermost first.
    pub fn create_directories(&self, path: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        self.create_directories(parent, made)?;
        check_parent(fs::metadata(parent)?.uid())?;
        self.step(Step::CreateDirectory(path))?;
        match retry_on_intr(|| sys::mkdir(path, DIRECTORY_MODE)) {
            Ok(()) => {
                made.push(path.to_owned());
                self.all_made().insert(path.to_owned());
            }
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        self.step(Step::SyncDirectory(parent))?;
        fs::File::open(parent)?.sync_all()
    }

    /// Removes a directory, if it is empty. Not synced: one that comes back is as empty.
    pub fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.step(Step::RemoveDirectory(path))?;
        retry_on_intr(|| sys::rmdir(path))?;
        self.all_made().remove(path);
        Ok(())
    }

    /// Removes what is above `path` as far as it was made here, for this or for another account, and has
    /// nothing left in it.
    pub fn remove_made_above(&self, path: &Path) {
        for above in path.ancestors().skip(1) {
            let is_made = self.all_made().contains(above);
            if !is_made || self.remove_directory(above).is_err() {
                return;
            }
        }
    }

    /// Whether [`Disk::create_directory`] could make it. Nothing is made.
    pub fn check_directory(&self, path: &Path) -> io::Result<()> {
        let is_there = |path: &&Path| fs::symlink_metadata(path).is_ok();
        let there = path.ancestors().find(is_there).unwrap_or(Path::new("/"));
        // A link that leads nowhere: its disk may not be mounted.
        if !fs::metadata(there)?.is_dir() {
            return Err(Errno::NOTDIR.into());
        }
        let dir = Dir::open_anyones(self, there)?;
        if there != path {
            check_parent(fs::metadata(there)?.uid())?;
        }
        dir.check_writable()
    }

    /// Whether [`Disk::create_directory`] makes it: the first directory that is missing is made, and taken
    /// back at once. Some places, as /proc, take none although whoever asks may write there.
    pub fn try_directory(&self, path: &Path) -> io::Result<()> {
        self.check_directory(path)?;
        let is_missing = |path: &&Path| fs::symlink_metadata(path).is_err();
        let Some(first) = path.ancestors().take_while(is_missing).last() else {
            return Ok(());
        };
        self.create_directory(first)?;
        // Somebody may have put something there meanwhile, and wants it then.
        let _ = self.remove_directory(first);
        Ok(())
    }

    fn all_made(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dir {
    /// Keeps others from taking the directory back, for as long as it is open. Where the file system
    /// has no such locks nobody takes any back either, and who else locks a directory does not mean us.
    pub fn hold(&self) {
        for _ in 0..MOMENTS {
            match self.lock(FlockOperation::NonBlockingLockShared) {
                Err(Errno::WOULDBLOCK) => thread::sleep(MOMENT),
                _ => break,
            }
        }
    }

    /// Whether nobody else holds it, and nobody does from now on.
    pub fn hold_alone(&self) -> bool {
        self.lock(FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    fn lock(&self, operation: FlockOperation) -> Result<(), Errno> {
        retry_on_intr(|| sys::flock(&self.fd, operation))
    }

    /// Whether its path still leads to it.
    pub fn is_at_its_path(&self) -> io::Result<bool> {
        let here = sys::fstat(&self.fd)?;
        let there = fs::metadata(&self.path)?;
        Ok((here.st_dev, here.st_ino) == (there.dev(), there.ino()))
    }
}
