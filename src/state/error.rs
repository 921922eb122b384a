//! Why the state cannot be used, and what to do then.

use super::Moment;
use super::lock::Holder;
use crate::delivery;
use crate::durable::is_untrusted;
use crate::exit::{Diagnose, Status};
use std::io;
use std::path::PathBuf;

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Maildir, which is needed to settle what a crash left, cannot be used.
    #[error(transparent)]
    Delivery(#[from] delivery::Error),
    /// Another process works on the account.
    #[error("another popfetch holds this account{}", told(.0))]
    Held(Option<Holder>),
    /// Reading or writing failed.
    #[error("cannot use the state file {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file system has no locks.
    #[error("cannot lock {path}")]
    NoLocks {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The journal was written by another version of popfetch.
    #[error("the state file {path} was written by another version of popfetch (format {version})")]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The journal in this directory is damaged: what it does not say cannot be verified.
    #[error("the state file in {0} is damaged, so that not everything can be verified")]
    Unverifiable(PathBuf),
    /// The journal is damaged, and the Maildir it could be made again from cannot be read.
    #[error("the state file {path} is damaged and cannot be made again from the Maildir")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: delivery::Error,
    },
}

fn told(holder: &Option<Holder>) -> String {
    match holder {
        Some(Holder { pid, since }) => {
            let since = Moment::on_the_wall(*since);
            format!(" (process {pid}, since {since})")
        }
        None => String::new(),
    }
}

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Delivery(error) => error.status(),
            Self::Held(_) => Status::Temporary,
            Self::Io { source, .. } if is_untrusted(source) => Status::Config,
            Self::Io { .. } => Status::Io,
            Self::NoLocks { .. } => Status::Config,
            Self::OtherVersion { .. } | Self::Damaged { .. } | Self::Unverifiable(_) => {
                Status::Data
            }
        }
    }

    fn is_routine(&self) -> bool {
        matches!(self, Self::Held(_))
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Delivery(error) => return error.hint(),
            Self::Held(_) => "wait until it is done; the lock goes with the process".to_owned(),
            Self::Io { source, .. } if delivery::is_full(source) => {
                "make room on the disk; what was not stored is still on the server".to_owned()
            }
            Self::Io { source, .. } if is_untrusted(source) => {
                "the state must be your own: regular files in a directory that others cannot write to"
                    .to_owned()
            }
            Self::Io { .. } => "check the disk, and who owns the file".to_owned(),
            Self::NoLocks { .. } => "keep the state on a local disk: set XDG_STATE_HOME".to_owned(),
            Self::Unverifiable(_) => {
                "the next fetch makes it again from its good lines and the Maildir".to_owned()
            }
            Self::OtherVersion { .. } => "use the newest popfetch on this machine".to_owned(),
            Self::Damaged { .. } => {
                "mend the Maildir first; or move the file away to fetch everything again".to_owned()
            }
        })
    }
}
