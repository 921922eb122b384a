//! A file that must be its owner's alone.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// No key is longer than this.
const LIMIT: usize = 64 << 10;

/// Why it cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("others can read it")]
    Exposed,
    #[error("it belongs to someone else")]
    NotYours,
    #[error("it is too long")]
    TooLong,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Reads it, if it belongs to us or to root and nobody else can read it.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let file = OpenOptions::new()
        .read(true)
        // Opening a FIFO would otherwise wait for someone to write to it.
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file").into());
    }
    let owner = metadata.uid();
    if owner != rustix::process::geteuid().as_raw() && owner != 0 {
        return Err(Error::NotYours);
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(Error::Exposed);
    }
    let mut octets = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
    file.take(LIMIT as u64 + 1).read_to_end(&mut octets)?;
    if octets.len() > LIMIT {
        return Err(Error::TooLong);
    }
    Ok(octets)
}
