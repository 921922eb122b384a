//! Which message the numbers of the last list mean: `show 3` is the third line that a person has seen,
//! whatever was fetched, read or moved since.
//!
//! The file is a cache. Without it a list has to be made first, and nothing else is lost.

use super::Error;
use super::places::Places;
use crate::durable::{Dir, Disk};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The file in the directory for caches.
const NAME: &str = "last-list";

/// What it begins with.
const HEADER: &[u8] = b"popfetch list 1\0";

/// Octets of it that are read: a million paths.
const LIMIT: u64 = 256 * 1024 * 1024;

/// The paths of the last list, in its order.
#[derive(Debug, Default)]
pub struct Numbers(Vec<PathBuf>);

impl Numbers {
    /// Those that were kept in `cache`; none where there is no list.
    pub fn read(cache: &Path) -> Self {
        let mut octets = Vec::new();
        let read = fs::File::open(cache.join(NAME));
        let read = read.and_then(|file| file.take(LIMIT).read_to_end(&mut octets));
        let Some(paths) = read.ok().and_then(|_| octets.strip_prefix(HEADER)) else {
            return Self::default();
        };
        let paths = paths.split(|octet| *octet == 0);
        let paths = paths.filter(|path| !path.is_empty());
        Self(
            paths
                .map(|path| OsString::from_vec(path.to_vec()).into())
                .collect(),
        )
    }

    /// Keeps the paths of a list in `cache`, in place of those of the last one. Two that do so at once
    /// do not mix: one of them wins.
    pub fn keep(disk: &Disk, cache: &Path, paths: &[PathBuf]) -> io::Result<()> {
        disk.create_directory(cache)?;
        let dir = Dir::open_linked(disk, cache)?;
        let mut octets = HEADER.to_vec();
        for path in paths {
            octets.extend(path.as_os_str().as_bytes());
            octets.push(0);
        }
        let fresh = format!("{NAME}.{}", std::process::id());
        let fresh = OsStr::new(&fresh);
        // One that a process of this number has left behind.
        dir.remove(fresh)?;
        let written = dir
            .create(fresh)
            .and_then(|mut file| file.append(&octets))
            .and_then(|()| dir.replace(fresh, OsStr::new(NAME)));
        if written.is_err() {
            let _ = dir.remove(fresh);
        }
        written
    }

    /// The file of the message that a number meant.
    ///
    /// # Errors
    /// There is no such number.
    pub fn path(&self, number: usize) -> Result<&Path, Error> {
        let path = number.checked_sub(1).and_then(|place| self.0.get(place));
        path.map(PathBuf::as_path).ok_or(Error::NoNumber {
            number,
            known: self.0.len(),
        })
    }

    /// The same where it is now, under whatever flags: `places` says where it may have been moved to.
    ///
    /// # Errors
    /// There is no such number, or the message is in none of these.
    pub fn find(&self, number: usize, places: impl FnOnce() -> Places) -> Result<PathBuf, Error> {
        let path = self.path(number)?;
        if path.is_file() {
            return Ok(path.to_owned());
        }
        places().find(path).ok_or(Error::Moved(number))
    }
}
