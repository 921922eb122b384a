//! Other tools' files become drafts of accounts, the names of what was fetched, and a remark on
//! each line.
//!
//! ```text
//! a tool's config and state ─> Found { drafts, lines } ─> profiles, names (command/import)
//!    mpop, getmail, ...          model
//! ```
//! There is a file a tool; `files` reads for all of them, within limits, and `kept` the Maildirs of a tool
//! that keeps no list of what it has fetched. Nothing here writes.
//! What stands in the files was written by anybody: no parser panics, recurses without a bound, or
//! repeats a password.

mod argv;
mod common;
mod error;
mod fdm;
mod fetchmail;
mod files;
mod getmail;
mod ini;
mod kept;
mod mbsync;
mod mda;
mod model;
mod mpop;
mod thunderbird;
mod unite;
mod wildcards;

pub use error::Error;
pub use files::Surroundings;
pub use kept::Kept;
pub use model::{Draft, Fate, Found, Line, MAILDIR, Secret, Word};

use std::path::Path;

/// The tools that accounts can be taken over from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tool {
    /// fdm.
    Fdm,
    /// fetchmail 6 and 7.
    Fetchmail,
    /// getmail 4 to 6.
    Getmail,
    /// mbsync, of the package isync.
    Mbsync,
    /// mpop.
    Mpop,
    /// Thunderbird.
    Thunderbird,
}

impl Tool {
    /// As its owner and the command line call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fdm => "fdm",
            Self::Fetchmail => "fetchmail",
            Self::Getmail => "getmail",
            Self::Mbsync => "mbsync",
            Self::Mpop => "mpop",
            Self::Thunderbird => "thunderbird",
        }
    }
}

/// What is to be read of a tool's files.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The config, where it is not in one of the usual places.
    pub path: Option<&'a Path>,
    /// Where the unique-ids are, if not where the config says.
    pub seen: Option<&'a Path>,
    /// The accounts of this name alone.
    pub only: Option<&'a str>,
    /// What the tool would find around it.
    pub around: &'a Surroundings,
}

/// Reads a tool's files.
pub fn read(tool: Tool, wanted: Wanted<'_>) -> Result<Found, Error> {
    if let Some(path) = wanted
        .seen
        .filter(|path| path.try_exists().is_ok_and(|it| !it))
    {
        return Err(Error::NoSeen {
            path: path.to_owned(),
            tool: tool.word(),
        });
    }
    let read = match tool {
        Tool::Fdm => fdm::read,
        Tool::Fetchmail => fetchmail::read,
        Tool::Getmail => getmail::read,
        Tool::Mbsync => mbsync::read,
        Tool::Mpop => mpop::read,
        Tool::Thunderbird => thunderbird::read,
    };
    let mut found = read(wanted)?;
    let names: Vec<String> = found.drafts.iter().map(|it| it.name.clone()).collect();
    found.drafts.retain(|draft| wanted.means(draft));
    if let (Some(only), true, false) = (wanted.only, found.drafts.is_empty(), names.is_empty()) {
        return Err(Error::NoSuchAccount {
            only: only.to_owned(),
            names,
        });
    }
    if found.drafts.is_empty() {
        return Err(Error::NoAccounts {
            files: found.files,
            tool: tool.word(),
        });
    }
    Ok(found)
}

impl Wanted<'_> {
    /// Whether an account is the one that is asked for: by its name, or as `USER@HOST` where several
    /// have the same.
    fn means(&self, draft: &Draft) -> bool {
        let address = || {
            let (user, host) = (draft.get("user"), draft.get("host"));
            format!("{}@{}", user.unwrap_or_default(), host.unwrap_or_default())
        };
        self.only
            .is_none_or(|only| draft.name == only || address() == only)
    }
}
