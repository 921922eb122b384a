//! Directories and files that others may write to as well, where nothing is decided by what is in them.

use super::{Dir, Disk};
use rustix::fs::{self as sys, Mode, OFlags};
use rustix::io::retry_on_intr;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

impl Dir {
    /// Opens a directory whoever it belongs to, as /tmp: for what its owner wants to have there. Files
    /// are created anew there, so nobody can have put a link in their place.
    pub fn open_anyones(disk: &Disk, path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        let fd = retry_on_intr(|| sys::open(path, flags, Mode::empty()))?;
        Ok(Self {
            fd,
            path: path.to_owned(),
            disk: disk.clone(),
        })
    }

    /// Opens a file for reading, with what is known of it. Links are not followed.
    pub fn read_known(&self, name: &OsStr) -> io::Result<(fs::File, fs::Metadata)> {
        // Opening a FIFO would otherwise wait for someone to write to it.
        self.open_regular(name, OFlags::RDONLY | OFlags::NONBLOCK)
    }
}
