//! Reading files that must be secret: keys, passwords.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::named::{self, LIMIT};
use crate::term::quoted;

/// The bits of a mode that let anybody but the owner do anything.
pub const OTHERS: u32 = 0o077;

/// Why it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its mode has bits that it must not have.
    #[error("others can read it")]
    Exposed,
    /// It is neither ours nor root's.
    #[error("it belongs to someone else")]
    NotYours,
    /// Others can put another file in its place, by this directory.
    #[error("others can put another file in its place, by {}", .0.display())]
    Replaceable(PathBuf),
    /// It has more than [`LIMIT`] octets.
    #[error("it is too long")]
    TooLong,
    /// The system refuses it, or it is no regular file.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Reads a file, if it belongs to us or to root and its mode has none of the bits `open`.
pub fn read(path: &Path, open: u32) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut file = named::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file").into());
    }
    if !is_trusted(metadata.uid()) {
        return Err(Error::NotYours);
    }
    if metadata.mode() & open != 0 {
        return Err(Error::Exposed);
    }
    if let Some(directory) = replaceable_by(path) {
        return Err(Error::Replaceable(directory));
    }
    let octets = named::read(&mut file, LIMIT as u64)?;
    if octets.len() > LIMIT {
        return Err(Error::TooLong);
    }
    Ok(octets)
}

/// The directory above a file by which others can put another one in its place: it is neither ours
/// nor root's, or anyone may write to it. With the sticky bit, as on /tmp, others cannot. Above the
/// home directory it is for the system's owner to see to that.
pub fn replaceable_by(path: &Path) -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let written = std::path::absolute(path).ok();
    // Where links lead to, and where they stand.
    let real = fs::canonicalize(path).ok();
    [written, real].into_iter().flatten().find_map(|path| {
        let above = path.ancestors().skip(1);
        let mut below = None;
        let ours = above.take_while(|directory| {
            let goes_on = below
                .as_deref()
                .is_none_or(|below| home.as_deref() != Some(below));
            below = Some(directory.to_path_buf());
            goes_on
        });
        ours.map(Path::to_owned).find(|directory| {
            let metadata = fs::metadata(directory);
            metadata.is_ok_and(|it| !is_trusted(it.uid()) || it.mode() & 0o1002 == 0o002)
        })
    })
}

/// What closes a file to others that has a secret in it.
pub fn way_to_close(path: &Path) -> String {
    let owner = fs::metadata(path).map(|it| it.uid());
    let shown = quoted(&path.display().to_string());
    match owner {
        Ok(owner) if owner != rustix::process::geteuid().as_raw() => {
            format!("{shown} is not yours to close: use a copy that is, of mode 600")
        }
        _ => format!("run: chmod 600 {shown}"),
    }
}

/// Whether what belongs to this user is in nobody else's hands: ours, or root's.
pub fn is_trusted(owner: u32) -> bool {
    owner == rustix::process::geteuid().as_raw() || owner == 0
}
