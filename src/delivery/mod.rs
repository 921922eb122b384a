//! Storing messages in a Maildir, in steps that are types.
//!
//! ```text
//! Incoming --finish--> Complete --sync_all--> Synced --(intent)--> Maildir::publish --> Delivered
//!  tmp/ file,          termination   octets on          E1, by     rename to new/,     name on
//!  growing             octet seen    the disk (E2)      `state`    sync of new/ (E3)   the disk
//! ```
//! A file that does not reach the next step is removed from tmp/ when its value is dropped, so a
//! body that was cut short or could not be synced leaves nothing behind. Each step's type can only
//! be made by the step before it; what `state` records, and what a session may then delete, starts
//! from a [`Delivered`].

mod digest;
mod fields;
mod incoming;
mod maildir;
mod room;
mod roster;
mod search;
mod turns;
mod unique_name;

pub use digest::{Digests, Examined};
pub use fields::{Evidence, Fields, Size, Trail};
pub use incoming::{Complete, Incoming, Synced, sync_all};
pub use maildir::{Delivered, Ground, Maildir, Site, Unpublished};
pub use room::Room;
pub use roster::{Deliverer, MaildirId, NAME as ROSTER, Roster, random};
pub use search::Search;
pub use turns::{Turn, Turns};
pub use unique_name::{AccountTag, JournalId, Stamp, UniqueName};

use crate::exit::{Diagnose, Status};
use rustix::io::Errno;
use std::io;
use std::path::PathBuf;

/// Why a message could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Maildir cannot be made.
    #[error("cannot create the Maildir {path}")]
    Create {
        /// The Maildir.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was there and is not there any more.
    #[error("the Maildir {path} is gone")]
    Gone {
        /// The Maildir.
        path: PathBuf,
    },
    /// There is something else than a Maildir.
    #[error("{path} is not a Maildir: {reason}")]
    NotAMaildir {
        /// What was configured.
        path: PathBuf,
        /// What it is instead.
        reason: &'static str,
    },
    /// It is there and cannot be used.
    #[error("cannot use the Maildir {path}")]
    Unusable {
        /// The Maildir or the directory in it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing to it failed.
    #[error("cannot write to the Maildir {path}")]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Create { source, .. }
            | Self::Unusable { source, .. }
            | Self::Write { source, .. }
                if is_scarce(source) =>
            {
                Status::Temporary
            }
            Self::Create { .. } | Self::Gone { .. } | Self::Unusable { .. } => Status::CannotCreate,
            Self::NotAMaildir { .. } => Status::Config,
            Self::Write { .. } => Status::Io,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Create { source, .. }
            | Self::Unusable { source, .. }
            | Self::Write { source, .. }
                if is_scarce(source) =>
            {
                SCARCE.to_owned()
            }
            Self::Create { .. } | Self::Unusable { .. } => {
                "check `maildir` in the configuration, and who owns the directory".to_owned()
            }
            Self::Gone { .. } => "if its disk is not mounted, mount it; if it was moved, set \
                                  `maildir`; the next fetch names the other ways on"
                .to_owned(),
            Self::NotAMaildir { .. } => "name an empty or a new directory as `maildir`".to_owned(),
            Self::Write { source, .. } if is_full(source) => {
                "make room on the disk; what was not stored is still on the server".to_owned()
            }
            Self::Write { .. } => {
                "check the disk; what was not stored is still on the server".to_owned()
            }
        })
    }
}

/// What to do where there are not enough files.
pub const SCARCE: &str = "too many files are open: raise the limit (ulimit -n), or use --jobs 1; what \
                          was not stored is still on the server";

/// Whether no more files can be opened, which is no fault of the disk.
pub fn is_scarce(error: &io::Error) -> bool {
    let scarce = [Errno::MFILE, Errno::NFILE, Errno::NOMEM].map(Errno::raw_os_error);
    error
        .raw_os_error()
        .is_some_and(|code| scarce.contains(&code))
}

/// Whether the disk, or the person's share of it, is full.
pub fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
