//! Files and directories that are not used although the system would allow it.

use std::io;

/// Why a file or a directory is not used although the system would allow it: what is written there
/// would be in someone else's hands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Untrusted {
    /// It belongs to another user, whose number this is.
    #[error("it belongs to another user (uid {0})")]
    Foreign(u32),
    /// It would be made by root in a directory of another user, whose number this is.
    #[error("it would be root's in a directory that belongs to another user (uid {0})")]
    ForeignParent(u32),
    /// It is a symbolic link.
    #[error("it is a symbolic link")]
    Link,
    /// It is a directory, a FIFO or a device.
    #[error("it is not a regular file")]
    NotRegular,
    /// It is a directory in which all users may create, replace and remove files.
    #[error("anyone can write to it (chmod o-w)")]
    Open,
    /// It is a directory in which a group of users may create, replace and remove files.
    #[error("a group can write to it (chmod g-w)")]
    Shareable,
    /// It is known by another name as well, under which it may be another program's.
    #[error("it is another file by a hard link")]
    Shared,
}

impl From<Untrusted> for io::Error {
    fn from(reason: Untrusted) -> Self {
        Self::new(io::ErrorKind::PermissionDenied, reason)
    }
}

/// Whether this error is an [`Untrusted`].
pub fn is_untrusted(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Untrusted>())
}

/// [`Untrusted::Foreign`] unless the owner is the user we act as.
pub(super) fn check_owner(owner: u32) -> io::Result<()> {
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(Untrusted::Foreign(owner).into())
}

/// [`Untrusted::Open`] where anyone may write to a directory of this mode. The sticky bit lets others
/// add files, but not replace ours.
pub(super) fn check_mode(mode: u32) -> io::Result<()> {
    const OTHERS_WRITE: u32 = 0o0002;
    const STICKY: u32 = 0o1000;
    if mode & (OTHERS_WRITE | STICKY) == OTHERS_WRITE {
        return Err(Untrusted::Open.into());
    }
    Ok(())
}

/// [`Untrusted::Shareable`] where a group may write to a directory of this mode, without the sticky
/// bit.
pub(super) fn check_group(mode: u32) -> io::Result<()> {
    const GROUP_WRITES: u32 = 0o0020;
    const STICKY: u32 = 0o1000;
    if mode & (GROUP_WRITES | STICKY) == GROUP_WRITES {
        return Err(Untrusted::Shareable.into());
    }
    Ok(())
}

/// [`Untrusted::ForeignParent`] where root would make something in another user's directory: that
/// user could put something else in its place meanwhile, and could not use what was made.
pub(super) fn check_parent(owner: u32) -> io::Result<()> {
    if rustix::process::geteuid().is_root() && owner != 0 {
        return Err(Untrusted::ForeignParent(owner).into());
    }
    Ok(())
}
