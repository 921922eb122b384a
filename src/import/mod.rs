//! Other tools' files become drafts of accounts, the names of what was fetched, and a remark on
//! each line.
//!
//! ```text
//! a tool's config and state ─> Found { drafts, lines } ─> profiles, names (command/import)
//!    mpop, getmail, ...          model
//! ```
//! There is a file a tool; `files` reads for all of them, within limits, and nothing here writes.
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
mod mda;
mod model;
mod mpop;
mod thunderbird;

pub use error::Error;
pub use files::Surroundings;
pub use model::{Draft, Fate, Found, Line, Secret, Word};

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
            Self::Mpop => "mpop",
            Self::Thunderbird => "thunderbird",
        }
    }
}

/// Reads a tool's files: those in the usual places, or the config at `path`; `seen` is where the
/// unique-ids are, if that is somewhere else. With `only`, the accounts are those of this name.
pub fn read(
    tool: Tool,
    path: Option<&Path>,
    seen: Option<&Path>,
    only: Option<&str>,
    surroundings: &Surroundings,
) -> Result<Found, Error> {
    let mut found = match tool {
        Tool::Fdm => fdm::read(path, seen, only, surroundings),
        Tool::Fetchmail => fetchmail::read(path, seen, surroundings),
        Tool::Getmail => getmail::read(path, seen, only, surroundings),
        Tool::Mpop => mpop::read(path, seen, surroundings),
        Tool::Thunderbird => thunderbird::read(path, seen, only, surroundings),
    }?;
    let names: Vec<String> = found.drafts.iter().map(|it| it.name.clone()).collect();
    found.drafts.retain(|draft| is_meant(only, draft));
    if let (Some(only), true, false) = (only, found.drafts.is_empty(), names.is_empty()) {
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

/// Whether an account is the one that is asked for: by its name, or as `USER@HOST` where several have
/// the same.
fn is_meant(only: Option<&str>, draft: &Draft) -> bool {
    let address = || {
        let (user, host) = (draft.get("user"), draft.get("host"));
        format!("{}@{}", user.unwrap_or_default(), host.unwrap_or_default())
    };
    only.is_none_or(|only| draft.name == only || address() == only)
}
