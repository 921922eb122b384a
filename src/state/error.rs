//! Why the state cannot be used, and what to do then.

use super::Moment;
use super::lock::Holder;
use crate::delivery;
use crate::durable::{is_untrusted, unstored};
use crate::exit::{Diagnose, Status, is_scarce};
use crate::term::count;
use std::io;
use std::path::{Path, PathBuf};

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Maildir, which is needed to settle what a crash left, cannot be used.
    #[error(transparent)]
    Delivery(#[from] delivery::Error),
    /// Another process works on the account.
    #[error("another popfetch holds this account{}", told(.0))]
    Held(Option<Holder>),
    /// Another process works on the account, and has done so for so long that it may hang.
    #[error("another popfetch has held this account for {}{}", hours(*.now, .holder), told(&Some(*.holder)))]
    HeldLong {
        /// Which.
        holder: Holder,
        /// What the time is.
        now: i64,
    },
    /// Reading or writing failed.
    #[error("cannot use the state {} {path}", what(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The Maildir is not the one that mail of the account was delivered to: its disk is not
    /// mounted, as likely as not.
    #[error("{}", not_seen(.maildir, *.is_there))]
    NotSeen {
        /// Where it should be.
        maildir: PathBuf,
        /// There is something.
        is_there: bool,
        /// What its owner calls the account.
        name: String,
    },
    /// The place is gone where messages of the account wait to be handed on. Nobody but popfetch has any
    /// business there.
    #[error("{spool} is gone, where messages of this account waited to be handed on")]
    SpoolNotSeen {
        /// Where it should be.
        spool: PathBuf,
        /// What its owner calls the account.
        name: String,
    },
    /// The Maildir that was delivered to before this one is not seen.
    #[error(
        "mail of this account was delivered to {before} until now, and that is not there: {maildir} is not \
         begun while it is away"
    )]
    BeforeNotSeen {
        /// The one that comes next.
        maildir: PathBuf,
        /// The one before.
        before: PathBuf,
        /// What its owner calls the account.
        name: String,
    },
    /// There is no journal to move, or none that is in order.
    #[error("there is no state to move: {path} is not there, or damaged")]
    NothingToMove {
        /// The journal.
        path: PathBuf,
    },
    /// The journal to move to is damaged.
    #[error("the state file {path} is damaged, so that nothing can be moved there")]
    Unmovable {
        /// The journal.
        path: PathBuf,
    },
    /// Another state delivers the same account's mail to the same Maildir.
    #[error(
        "mail of this account is delivered to {maildir} by another state, {theirs}; this one is {ours}"
    )]
    Rival {
        /// The Maildir.
        maildir: PathBuf,
        /// The journal that its file names.
        theirs: PathBuf,
        /// The journal at hand.
        ours: PathBuf,
    },
    /// Messages are missing in the Maildir, and nobody has said what is to become of them.
    #[error("{missing} of {} that were delivered to the Maildir {are} missing in it",
        count(*stored, "message"), are = if *missing == 1 { "is" } else { "are" })]
    Undecided {
        /// How many are missing.
        missing: u64,
        /// Of how many.
        stored: u64,
        /// What its owner calls the account.
        name: String,
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

/// A directory may stand in the place of a file, too.
fn what(path: &Path) -> &'static str {
    match path.is_dir() && path.extension().is_none() {
        true => "directory",
        false => "file",
    }
}

fn not_seen(maildir: &Path, is_there: bool) -> String {
    let maildir = maildir.display();
    match is_there {
        true => format!("{maildir} is not the Maildir that mail of this account was delivered to"),
        false => format!("the Maildir {maildir} is gone"),
    }
}

fn hours(now: i64, holder: &Holder) -> String {
    let hours = now.saturating_sub(holder.since) / (60 * 60);
    count(hours.unsigned_abs(), "hour")
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
            Self::Held(_) | Self::HeldLong { .. } => Status::Temporary,
            Self::Io { source, .. } if is_untrusted(source) => Status::Config,
            Self::Io { source, .. } if is_scarce(source) => Status::Temporary,
            Self::Io { .. } => Status::Io,
            Self::NoLocks { .. } | Self::Rival { .. } => Status::Config,
            Self::NotSeen { .. } | Self::SpoolNotSeen { .. } | Self::BeforeNotSeen { .. } => {
                Status::CannotCreate
            }
            Self::NothingToMove { .. } => Status::Config,
            Self::Unmovable { .. } => Status::Data,
            Self::Undecided { .. } => Status::Usage,
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
            Self::Held(holder) => match holder {
                Some(Holder { pid, .. }) => {
                    format!("wait until it is done; if it hangs, nothing is lost by: kill {pid}")
                }
                None => "wait until it is done; the lock goes with the process".to_owned(),
            },
            Self::HeldLong { holder, .. } => format!(
                "a first fetch of years of mail may take so long; if it hangs, end it: kill {}. What it \
                 has stored is safe, and the next run goes on. popfetch --max-time \"30 min\" ends such runs by \
                 itself",
                holder.pid
            ),
            Self::Io { path, source } => unstored(path, source),
            // Of what is gone altogether it has to be said at once what becomes of its mail.
            Self::NotSeen {
                is_there: false,
                name,
                ..
            } => format!(
                "if its disk is not mounted, mount it; if it was moved, set `maildir`; if it is lost: \
                 `popfetch state accept {name} --fetch-again` has what is still on the server fetched \
                 once more, `popfetch state accept {name} --leave` takes its mail for removed on \
                 purpose, and `popfetch state forget {name} --all` has everything fetched anew"
            ),
            Self::NotSeen { maildir, name, .. } => format!(
                "if its disk is not mounted, mount it; if it was moved, set `maildir`; to take what \
                 is at {0} for it, `popfetch state accept {name}`; to fetch everything once \
                 more, beside what is there, `popfetch state forget {name} --all`",
                maildir.display()
            ),
            Self::SpoolNotSeen { name, .. } => format!(
                "if it was moved, put it back; if it is lost, `popfetch state accept {name}` makes it again: \
                 what waited there is fetched once more, as far as the server still has it"
            ),
            Self::BeforeNotSeen { maildir, name, .. } => format!(
                "if its disk is not mounted, mount it; if it is gone for good or was moved, `popfetch state \
                 accept {name}` begins {}",
                maildir.display()
            ),
            Self::NothingToMove { .. } => {
                "the ids of all accounts with a state are the names of the files there, up to \
                 `.journal`"
                    .to_owned()
            }
            Self::Unmovable { .. } => "the next fetch makes it again; then move".to_owned(),
            Self::Rival { theirs, .. } => format!(
                "run popfetch with the state that it began with (XDG_STATE_HOME), or set another \
                 `maildir`; once {} is not used any more, remove it: then this state goes on with \
                 what is there",
                theirs.display()
            ),
            Self::Undecided { name, .. } => format!(
                "to fetch what is missing once more, `popfetch state accept {name} --fetch-again`; \
                 if it was removed on purpose, `popfetch state accept {name} --leave`"
            ),
            Self::NoLocks { .. } => {
                "move the state to a local disk, and set XDG_STATE_HOME to where it is".to_owned()
            }
            Self::Unverifiable(_) => {
                "the next fetch makes it again from its good lines and the Maildir".to_owned()
            }
            Self::OtherVersion { .. } => "use the newest popfetch on this machine".to_owned(),
            Self::Damaged { source, .. } => {
                let way = source.hint().unwrap_or_default();
                format!("mend the Maildir first, and the next fetch makes it again: {way}")
            }
        })
    }
}
