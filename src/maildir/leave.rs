//! A Maildir that is of no use any more goes, if there is nothing in it: the place of ours that an
//! account's messages pass through, once the account is removed.

use super::directory::PARTS;
use super::roster::NAME;
use crate::durable::{Dir, Disk};
use std::ffi::OsStr;
use std::io;
use std::path::Path;

/// How many files lie in new/ and cur/ of the Maildir at `path`; none where there is no Maildir.
///
/// # Errors
/// It cannot be read.
pub fn count(disk: &Disk, path: &Path) -> io::Result<u64> {
    let mut count = 0;
    for part in ["new", "cur"] {
        match Dir::open(disk, &path.join(part)) {
            Ok(dir) => dir.for_each_name(|_| count += 1)?,
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// Removes the Maildir at `path` with the file that says who delivers to it, unless there is anything
/// else in it.
///
/// # Errors
/// Something is in it, or the disk refuses. Its parts may be gone then; whoever opens it makes them again.
pub fn remove_empty(disk: &Disk, path: &Path) -> io::Result<()> {
    let gone = |removed: io::Result<()>| match removed {
        Err(error) if is_absent(&error) => Ok(()),
        removed => removed,
    };
    for part in PARTS {
        gone(disk.remove_directory(&path.join(part)))?;
    }
    let root = match Dir::open(disk, path) {
        Err(error) if is_absent(&error) => return Ok(()),
        opened => opened?,
    };
    root.remove(OsStr::new(NAME))?;
    gone(disk.remove_directory(path))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
