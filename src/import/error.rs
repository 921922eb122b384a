//! Why a tool's files cannot be taken over.

use super::model::Draft;
use crate::exit::{Diagnose, Status};
use crate::term::quoted;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

/// What keeps an import from being made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such file.
    #[error("{tool}: no config file: looked for {}", list(looked))]
    Missing {
        /// Whose.
        tool: &'static str,
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It was named, and is not there.
    #[error("there is no file {}", path.display())]
    NoFile {
        /// Which file.
        path: PathBuf,
        /// Whose it should be.
        tool: &'static str,
    },
    /// It is larger than such a file is.
    #[error("{} is larger than {} MiB, so it is hardly one of {tool}'s", path.display(), limit >> 20)]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Octets that it may have.
        limit: u64,
        /// Whose it should be.
        tool: &'static str,
    },
    /// Not a line of this tool.
    #[error("{}, line {line}: {what}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong, without what stands there: it may be a password.
        what: String,
    },
    /// The unique-ids are damaged.
    #[error("{}, line {line}: {what}", path.display())]
    Seen {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
        /// Whose it should be.
        tool: &'static str,
    },
    /// There is nothing in it to take over.
    #[error("{tool}: no {} account in {}", taken(tool), list(files))]
    NoAccounts {
        /// Where.
        files: Vec<PathBuf>,
        /// Whose.
        tool: &'static str,
    },
    /// A file of unique-ids that does not say whose they are, and several accounts.
    #[error("{} does not say which of {accounts} accounts it belongs to", path.display())]
    Whose {
        /// Which file.
        path: PathBuf,
        /// How many.
        accounts: usize,
        /// One of them.
        first: String,
        /// Whose it should be.
        tool: &'static str,
    },
    /// A list of what was fetched was named, and is not there.
    #[error("there is no file {}", path.display())]
    NoSeen {
        /// Which file.
        path: PathBuf,
        /// Whose it should be.
        tool: &'static str,
    },
    /// A list of what was fetched of one folder, and several that it may be of.
    #[error(
        "{} does not say which folder of `{account}` it belongs to: {tool} has a file for each",
        path.display()
    )]
    WhichFolder {
        /// Which file.
        path: PathBuf,
        /// Of which account.
        account: String,
        /// Whose it should be.
        tool: &'static str,
    },
    /// It is the list of something else that the tool fetches.
    #[error("{} is what {tool} has fetched of {whose}", path.display())]
    Another {
        /// Which file.
        path: PathBuf,
        /// An account or a folder.
        whose: String,
        /// Whose it should be.
        tool: &'static str,
    },
    /// A directory without any of the files that are looked for.
    #[error("there is no file of {tool}'s in {}: looked for {}", path.display(), list(looked))]
    NoneThere {
        /// The directory.
        path: PathBuf,
        /// In it.
        looked: Vec<PathBuf>,
        /// Whose they should be.
        tool: &'static str,
    },
    /// What the tool has stored is renamed faster than it is read.
    #[error("the files in {} are renamed while they are read", path.display())]
    Restless {
        /// Where.
        path: PathBuf,
    },
    /// None of the accounts has this name.
    #[error("there is no account `{only}`: there is {}", names.join(", "))]
    NoSuchAccount {
        /// What was asked for.
        only: String,
        /// What there is.
        names: Vec<String>,
    },
}

impl Error {
    /// A config's line is wrong.
    pub(super) fn syntax(path: &Path, line: usize, what: impl Into<String>) -> Self {
        Self::Syntax {
            path: path.to_owned(),
            line,
            what: what.into(),
        }
    }

    /// A file of unique-ids that does not say whose they are is for one account.
    ///
    /// # Errors
    /// They are several, where those of one mailbox count as one.
    pub(super) fn check_whose<'a>(
        tool: &'static str,
        path: &Path,
        drafts: impl Iterator<Item = &'a Draft>,
    ) -> Result<(), Self> {
        let mut mailboxes = HashSet::new();
        let mut first = None;
        for draft in drafts {
            first.get_or_insert(&draft.name);
            mailboxes.insert(draft.mailbox());
        }
        match (first, mailboxes.len()) {
            (None, _) | (_, 0 | 1) => Ok(()),
            (Some(first), accounts) => Err(Self::Whose {
                path: path.to_owned(),
                accounts,
                first: first.clone(),
                tool,
            }),
        }
    }

    /// A line of unique-ids is wrong.
    pub(super) fn seen(tool: &'static str, path: &Path, line: usize, what: &str) -> Self {
        Self::Seen {
            path: path.to_owned(),
            line,
            what: what.to_owned(),
            tool,
        }
    }
}

/// Which accounts of a tool's are taken over.
fn taken(tool: &str) -> &'static str {
    match tool {
        "mbsync" => "IMAP",
        "mpop" => "POP3",
        _ => "POP3 or IMAP",
    }
}

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Read { .. } | Self::Restless { .. } => Status::Io,
            Self::Seen { .. } => Status::Data,
            Self::Whose { .. }
            | Self::WhichFolder { .. }
            | Self::Another { .. }
            | Self::NoSuchAccount { .. } => Status::Usage,
            Self::Missing { .. }
            | Self::NoFile { .. }
            | Self::NoSeen { .. }
            | Self::NoneThere { .. }
            | Self::TooLarge { .. }
            | Self::Syntax { .. }
            | Self::NoAccounts { .. } => Status::Config,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { tool, .. } => {
                format!("name it: popfetch import {tool} PATH")
            }
            Self::NoFile { tool, .. } => format!(
                "name the file that there is: popfetch import {tool} PATH; nothing was changed"
            ),
            Self::NoSeen { tool, .. } | Self::Another { tool, .. } => format!(
                "name the right one: popfetch import {tool} --seen FILE; nothing was changed"
            ),
            Self::WhichFolder { tool, .. } => format!(
                "name the directory that {tool}'s files are in, under the names that it gave them: popfetch import \
                 {tool} --seen DIR; nothing was changed"
            ),
            Self::NoneThere { tool, .. } => format!(
                "name the directory that they are in: popfetch import {tool} --seen DIR; nothing was changed"
            ),
            Self::Read { source, .. } if source.kind() != io::ErrorKind::PermissionDenied => {
                "name a file that can be read; nothing was changed".into()
            }
            Self::Restless { .. } => {
                "stop what sorts or reads the mail there, and run the import again; nothing was changed".into()
            }
            Self::Read { .. } => {
                "make it readable for you, and run the import again; nothing was changed".into()
            }
            Self::TooLarge { tool, .. } => format!(
                "name the right file: popfetch import {tool} PATH, or --seen FILE for the \
                 unique-ids; nothing was changed"
            ),
            Self::Syntax { .. } => {
                "mend that line, or import a copy without it; nothing was changed".into()
            }
            Self::Seen { tool, .. } => format!(
                "run {tool} once more, so that it writes the file anew, or name the right one with \
                 --seen FILE; nothing was changed"
            ),
            Self::NoAccounts { tool, .. } => format!(
                "popfetch import takes {} accounts of {tool}'s alone; if they are in another file, name it: \
                 popfetch import {tool} PATH",
                taken(tool)
            ),
            Self::Whose {
                path, first, tool, ..
            } => format!(
                "say which: `popfetch import {tool} --account {} --seen {}`, and so on for each of \
                 them; nothing was changed",
                quoted(first),
                quoted(&path.display().to_string())
            ),
            Self::NoSuchAccount { .. } => {
                "name one of these by --account; nothing was changed".into()
            }
        })
    }
}

/// The first of them, and how many more there are: a Maildir may have thousands.
fn list(paths: &[PathBuf]) -> String {
    const MOST: usize = 8;
    let shown = paths
        .iter()
        .take(MOST)
        .map(|path| path.display().to_string());
    let left = paths.len().saturating_sub(MOST);
    let more = (left > 0).then(|| format!("and {left} more"));
    shown.chain(more).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_files_the_first_are_named_and_the_others_counted() {
        let paths: Vec<PathBuf> = (1..=10).map(|n| n.to_string().into()).collect();
        assert_eq!(list(&paths), "1, 2, 3, 4, 5, 6, 7, 8, and 2 more");
        assert_eq!(list(paths.get(..2).unwrap()), "1, 2");
    }
}
