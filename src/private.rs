//! Reading files that must be secret: keys, passwords.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// No secret is longer than this, in octets; what is, is another file.
pub const LIMIT: usize = 64 << 10;

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
    /// It has more than [`LIMIT`] octets.
    #[error("it is too long")]
    TooLong,
    /// The system refuses it, or it is no regular file.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Reads a file, if it belongs to us or to root and its mode has none of the bits `open`.
pub fn read(path: &Path, open: u32) -> Result<Zeroizing<Vec<u8>>, Error> {
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
    if metadata.mode() & open != 0 {
        return Err(Error::Exposed);
    }
    let mut octets = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
    file.take(LIMIT as u64 + 1).read_to_end(&mut octets)?;
    if octets.len() > LIMIT {
        return Err(Error::TooLong);
    }
    Ok(octets)
}
