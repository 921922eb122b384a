//! The folders below a Maildir, as mail readers make them: `.Archive` or `Archive`, each a Maildir
//! itself.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Directories that are looked at for folders at most, so that a whole home directory is not read.
const FOLDERS: usize = 10_000;

/// How deep folders lie in each other at most.
const DEPTH: usize = 8;

/// What was seen of folders so far.
#[derive(Debug, Default)]
pub struct Folders {
    visited: usize,
    /// The last folder that could not be read, or that is a link to what is not there.
    pub unread: Option<PathBuf>,
}

impl Folders {
    /// The directories below the Maildir at `root` that may be folders, links to some included.
    pub fn below(&mut self, root: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        self.add(root, DEPTH, &mut found);
        found
    }

    fn add(&mut self, root: &Path, depth: usize, found: &mut Vec<PathBuf>) {
        let Some(depth) = depth.checked_sub(1) else {
            self.unread = Some(root.to_owned());
            return;
        };
        let Ok(entries) = fs::read_dir(root) else {
            self.unread = Some(root.to_owned());
            return;
        };
        for entry in entries {
            let Ok(entry) = entry else {
                self.unread = Some(root.to_owned());
                return;
            };
            // Not a folder: the last is the file system's own, which only root can read.
            let part = ["tmp", "new", "cur", "lost+found"]
                .iter()
                .any(|part| entry.file_name() == *part);
            let Ok(kind) = entry.file_type() else {
                self.unread = Some(entry.path());
                continue;
            };
            // A folder may be a link to one.
            let is_link = kind.is_symlink()
                && match entry.path().metadata() {
                    Ok(there) => there.is_dir(),
                    Err(_) => {
                        // Its disk is away, say. Editors lock files by such links, `.#name`.
                        if !entry.file_name().as_bytes().starts_with(b".#") {
                            self.unread = Some(entry.path());
                        }
                        false
                    }
                };
            if part || !(kind.is_dir() || is_link) {
                continue;
            }
            self.visited += 1;
            if self.visited > FOLDERS {
                self.unread = Some(root.to_owned());
                return;
            }
            found.push(entry.path());
            // What is below a link may be anything, or this very Maildir.
            if !is_link {
                self.add(&entry.path(), depth, found);
            }
        }
    }
}
