//! Who else may read what is made here, where its owner has said so. Without a word files and
//! directories are for their owner alone.

use super::{Disk, Step};
use rustix::fs::{self as sys, Gid, Mode, OFlags, Uid};
use rustix::io::retry_on_intr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// A group's number.
pub type GroupId = u32;

/// What a directory has that is for its owner alone.
const OWNERS: u32 = 0o700;

/// The bits by which a group, and everybody, may read.
const READ: u32 = 0o044;

/// The mode and the group of files, and what follows from them for directories. Whatever is not named
/// stays as it is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Access {
    /// The bits of a file's mode.
    pub mode: Option<u32>,
    /// Its group.
    pub group: Option<GroupId>,
}

impl Access {
    /// The group comes first: no other one may read the file for a moment.
    pub(super) fn give_file(self, file: BorrowedFd<'_>) -> io::Result<()> {
        self.give(file, self.mode)
    }

    /// Who may read the files may list the directory and go through it, and nobody else. To add and to
    /// remove names stays the owner's, whoever may write to files.
    fn give_directory(self, directory: BorrowedFd<'_>) -> io::Result<()> {
        let mode = self.mode.map(|mode| {
            let read = mode & READ;
            OWNERS | read | read >> 2
        });
        self.give(directory, mode)
    }

    fn give(self, to: BorrowedFd<'_>, mode: Option<u32>) -> io::Result<()> {
        if let Some(group) = self.group {
            let group = Some(Gid::from_raw(group));
            retry_on_intr(|| sys::fchown(to, None::<Uid>, group))?;
        }
        if let Some(mode) = mode {
            retry_on_intr(|| sys::fchmod(to, Mode::from_raw_mode(mode)))?;
        }
        Ok(())
    }
}

/// Whether files may be given to this group: a member may do so, and root.
pub fn is_own_group(group: GroupId) -> bool {
    let is_it = |own: Gid| own.as_raw() == group;
    let process = rustix::process::geteuid();
    process.is_root()
        || is_it(rustix::process::getegid())
        || rustix::process::getgroups().is_ok_and(|all| all.into_iter().any(is_it))
}

impl Disk {
    /// Opens a directory that was just made to those who may read the files in it.
    pub fn open_up(&self, path: &Path, access: Access) -> io::Result<()> {
        if access == Access::default() {
            return Ok(());
        }
        self.step(Step::Describe(path))?;
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        let directory = retry_on_intr(|| sys::open(path, flags, Mode::empty()))?;
        access.give_directory(directory.as_fd())
    }
}
