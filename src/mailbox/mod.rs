//! Reading what was fetched, with no connection: which messages there are, and one of them.
//!
//! Maildirs are only read here, by whoever has opened them before the thread was confined
//! ([`crate::sandbox`]); what marks a message as seen and saves its attachments are [`mark_seen`] and
//! [`save`]. Nothing is remembered of messages but the [`Numbers`] of the last list, which may be
//! deleted at any time.

mod entry;
mod filter;
mod numbers;
mod places;
mod save;
mod seen;

pub use entry::{Entry, Listing, list};
pub use filter::Filter;
pub use numbers::Numbers;
pub use places::{Elsewhere, Place, Places, Which};
pub use save::{safe_name, save};
pub use seen::mark_seen;

use crate::durable::advice;
use crate::exit::{Diagnose, Status, scarcity};
use crate::term::quoted;
use std::io;
use std::path::PathBuf;

/// Octets of a message at most: more than any server takes, and what fits into memory.
pub const LARGEST: u64 = 1024 * 1024 * 1024;

/// So many folders are named where one is missing.
const NAMED: usize = 8;

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was fetched yet, or it is not there any more.
    #[error("there is no Maildir at {0}")]
    NoMaildir(PathBuf),
    /// The account hands its messages on and keeps none.
    #[error("it has no Maildir: each message is handed on, and none is kept here")]
    PassesThrough,
    /// No account has such a folder.
    #[error("there is no folder {name} in {path}")]
    NoFolder {
        /// As it was asked for.
        name: String,
        /// The Maildir.
        path: PathBuf,
        /// The folder that is most likely meant, as people read its name.
        near: Option<String>,
        /// Which there are, as people read their names.
        there: Vec<String>,
    },
    /// Something is there and cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is larger than [`LARGEST`].
    #[error("{0} is larger than a message can be")]
    TooLarge(PathBuf),
    /// A number that the last list did not have, or there was none.
    #[error("there is no message {number} in the last list")]
    NoNumber {
        /// As it was asked for.
        number: usize,
        /// How many there were.
        known: usize,
    },
    /// A message that was listed is not there any more.
    #[error("message {0} of the last list is not there any more")]
    Moved(usize),
    /// There is neither a file of this name nor a message with this id.
    #[error("there is no message `{0}`")]
    NoMessage(String),
    /// Nothing can be written where attachments should be saved.
    #[error("cannot save to {path}")]
    Unsaved {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Unreadable { source, .. } if scarcity(source).is_some() => Status::Temporary,
            Self::NoMaildir(_) => Status::CannotCreate,
            Self::PassesThrough => Status::Config,
            Self::Unreadable { .. } | Self::TooLarge(_) | Self::Unsaved { .. } => Status::Io,
            Self::NoFolder { .. } | Self::NoNumber { .. } | Self::Moved(_) | Self::NoMessage(_) => {
                Status::Partial
            }
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoMaildir(_) => {
                "mount its disk, or bring it back: popfetch fetch says what else can be done"
                    .to_owned()
            }
            Self::PassesThrough => {
                "read it where `deliver` has taken it; with `maildir` beside `deliver` what comes \
                 from then on is here as well"
                    .to_owned()
            }
            Self::NoFolder { near, there, .. } => {
                let more = if there.len() > NAMED { ", ..." } else { "" };
                let some: Vec<_> = there.iter().take(NAMED).map(String::as_str).collect();
                let there = match some.as_slice() {
                    [] => "it has no folders beside the inbox, which is listed without --folder"
                        .to_owned(),
                    some => format!("it has these: {}{more}", some.join(", ")),
                };
                match near {
                    Some(near) => format!("did you mean --folder {}? {there}", quoted(near)),
                    None => there,
                }
            }
            Self::Unreadable { path, source } => {
                advice(path, source).or_else(|| scarcity(source).map(str::to_owned))?
            }
            Self::TooLarge(_) => "another program may be able to read it".to_owned(),
            Self::NoNumber { known: 0, .. } => {
                "numbers are those of the last list, and there is none; to make one: popfetch list"
                    .to_owned()
            }
            Self::NoNumber { known, .. } => {
                let numbers = match known {
                    1 => "its only number is 1".to_owned(),
                    _ => format!("its numbers are 1 to {known}"),
                };
                format!("{numbers}; for a new list: popfetch list")
            }
            Self::Moved(_) => {
                "another program has moved it to another place, or removed it; for what is there \
                 now: popfetch list --all-folders"
                    .to_owned()
            }
            Self::NoMessage(_) => {
                "name a number of popfetch list, a file, or the Message-ID of a message in an \
                                   account that is not disabled"
                    .to_owned()
            }
            Self::Unsaved { path, source } => scarcity(source)
                .map(str::to_owned)
                .or_else(|| advice(path, source))
                .unwrap_or_else(|| "name another directory: --save DIR".to_owned()),
        })
    }
}
