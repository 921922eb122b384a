//! A file that is written to: each step is shown to the witness first.

use super::{Access, Disk, Step, Untrusted};
use rustix::fs as sys;
use rustix::io::retry_on_intr;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// An open file that grows at its end.
pub struct File {
    pub(super) file: fs::File,
    path: PathBuf,
    disk: Disk,
    /// Its mode, group or time was set, which is more than a sync of its octets makes durable.
    is_described: bool,
}

impl File {
    /// One that was opened at this path.
    pub(super) fn new(file: fs::File, path: PathBuf, disk: &Disk) -> Self {
        Self {
            file,
            path,
            disk: disk.clone(),
            is_described: false,
        }
    }

    /// The open file itself, for [`crate::sandbox`].
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Where it was when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes at the current position, which is the end unless someone read.
    pub fn append(&mut self, octets: &[u8]) -> io::Result<()> {
        self.disk.step(Step::Append(&self.path, octets))?;
        self.file.write_all(octets)
    }

    /// Cuts the file to `length` octets and goes on from there.
    pub fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.disk.step(Step::Truncate(&self.path, length))?;
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length))?;
        Ok(())
    }

    /// Lets the disk begin with what will be synced later. A hint: nothing depends on it.
    pub fn begin_sync(&self) {
        let _ = sys::fadvise(&self.file, 0, None, sys::Advice::DontNeed);
    }

    /// Gives the file this mode and group, whatever the umask: durable with its sync.
    pub fn give(&mut self, access: Access) -> io::Result<()> {
        if access == Access::default() {
            return Ok(());
        }
        self.disk.step(Step::Describe(&self.path))?;
        self.is_described = true;
        access.give_file(self.file.as_fd())
    }

    /// Sets when it was last changed, in seconds since 1970: durable with its sync.
    pub fn date(&mut self, seconds: i64) -> io::Result<()> {
        self.disk.step(Step::Describe(&self.path))?;
        self.is_described = true;
        let at = |tv_sec, tv_nsec| sys::Timespec { tv_sec, tv_nsec };
        let times = sys::Timestamps {
            last_access: at(0, sys::UTIME_OMIT),
            last_modification: at(seconds, 0),
        };
        Ok(retry_on_intr(|| sys::futimens(&self.file, &times))?)
    }

    /// Forces the file's octets, and what is needed to read them, to the disk; what has been said of it
    /// as well, where something has.
    pub fn sync(&self) -> io::Result<()> {
        self.disk.step(Step::SyncFile(&self.path))?;
        match self.is_described {
            true => self.file.sync_all(),
            false => self.file.sync_data(),
        }
    }

    /// A reader from the beginning; afterwards the position is wherever it stopped.
    pub fn reader(&mut self) -> io::Result<impl Read + '_> {
        self.file.seek(SeekFrom::Start(0))?;
        Ok(&self.file)
    }

    /// The same from this place.
    pub fn reader_at(&mut self, place: u64) -> io::Result<impl Read + '_> {
        self.file.seek(SeekFrom::Start(place))?;
        Ok(&self.file)
    }

    /// Fails where the file has another name as well. What is in it should be looked at first: a
    /// backup may be made of hard links.
    pub fn check_sole_name(&self) -> io::Result<()> {
        match self.file.metadata()?.nlink() {
            0 | 1 => Ok(()),
            _ => Err(Untrusted::Shared.into()),
        }
    }

    /// Takes the kernel's lock on the file, for as long as the file is open. `false` if another
    /// process has it.
    pub fn try_lock(&self) -> io::Result<bool> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(fs::TryLockError::WouldBlock) => Ok(false),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
}
