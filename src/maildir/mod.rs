//! Maildirs (cr.yp.to/proto/maildir.html): their layout, the names of what is delivered, the file in
//! the root that says who delivers, and finding messages again wherever a mail reader has put them.

mod directory;
mod filing;
mod flags;
mod folder;
mod folders;
mod inbox;
mod inboxes;
pub mod leave;
mod nonces;
mod roster;
mod search;
mod unique_name;

pub use directory::{Ground, Maildir, Site};
pub use filing::{FileMode, FileTime, Filed, Filing, Group};
pub use flags::{base_of, delivered, flags_of, seen_name};
pub use folder::{Folder, legible};
pub use folders::Folders;
pub use inbox::Inbox;
pub use nonces::{Nonce, Nonces, random};
pub use roster::{Brought, Deliverer, MaildirId, NAME as ROSTER, Roster};
pub use search::Search;
pub use unique_name::{AccountTag, JournalId, PlacedName, Stamp, UniqueName, size_in};

use crate::durable::{advice, unstored};
use crate::exit::{Diagnose, Status, is_scarce};
use crate::term::quoted;
use std::io;
use std::path::{Path, PathBuf};

/// Why a Maildir cannot be used.
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
    /// There is no group of the name that `file-group` says.
    #[error("there is no group `{0}` on this machine")]
    NoSuchGroup(Group),
    /// Files cannot be given to a group that one does not belong to.
    #[error("cannot give messages to the group `{0}`: you are not a member of it")]
    NotInGroup(Group),
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
            Self::NotAMaildir { .. } | Self::NoSuchGroup(_) | Self::NotInGroup(_) => Status::Config,
            Self::Write { .. } => Status::Io,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Create { path, source } | Self::Unusable { path, source }
                if is_scarce(source) =>
            {
                unstored(path, source)
            }
            Self::Create { path, source } | Self::Unusable { path, source } => {
                let advice = of_dead_link(path).or_else(|| advice(path, source));
                advice.unwrap_or_else(|| "look at what is there, or set another `maildir`".into())
            }
            Self::NoSuchGroup(_) => {
                "set `file-group` to a group that `/etc/group` names, or to the number \
                                     of one"
                    .to_owned()
            }
            Self::NotInGroup(group) => format!(
                "`id -Gn` shows your groups; after `sudo usermod -aG {} \"$USER\"`, log in again, or set \
                 another `file-group`",
                quoted(&group.to_string())
            ),
            Self::Gone { .. } => "if its disk is not mounted, mount it; if it was moved, set \
                                  `maildir`; if it is lost, popfetch fetch says what can be done, and makes \
                                  one that nothing was fetched into"
                .to_owned(),
            Self::NotAMaildir { path, reason } if *reason == PART => format!(
                "name an empty or a new directory as `maildir`; if this is to be one, make the rest: \
                 mkdir -p {0}/tmp {0}/new {0}/cur",
                quoted(&path.display().to_string())
            ),
            Self::NotAMaildir { .. } => "name an empty or a new directory as `maildir`".to_owned(),
            Self::Write { path, source } => unstored(path, source),
        })
    }
}

/// What to do where a link on the way leads nowhere.
fn of_dead_link(path: &Path) -> Option<String> {
    let there = path.ancestors().find(|it| it.symlink_metadata().is_ok())?;
    there.metadata().is_err().then(|| {
        format!(
            "{} is a link that leads nowhere: if its disk is not mounted, mount it; or set another `maildir`",
            there.display()
        )
    })
}

/// Why a directory is no Maildir of which something is there.
pub(crate) const PART: &str = "it has only a part of tmp, new and cur";
