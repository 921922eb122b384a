//! Whom things belong to, where the benchmark is run by root: some of the programs refuse to work
//! for root, and nobody lets root fetch mail. So all of them work for the user nobody then, who has
//! to be able to reach `target/`.

use std::fs;
use std::io;
use std::os::unix::fs::lchown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

const NOBODY: u32 = 65534;

/// Gives a file or a directory with all that is in it to whoever the programs work for.
pub fn give(path: &Path) -> io::Result<()> {
    if !rustix::process::getuid().is_root() {
        return Ok(());
    }
    lchown(path, Some(NOBODY), Some(NOBODY))?;
    if path.symlink_metadata()?.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path())?;
        }
    }
    Ok(())
}

/// Lets a program work for that user.
pub fn work_for(command: &mut Command) {
    if rustix::process::getuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
}
