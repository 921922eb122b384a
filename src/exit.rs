//! Exit statuses: what each failure means to cron, systemd and shell scripts.
//!
//! The numbers are those of `sysexits.h`, so that people who come from mpop or sendmail know them
//! already. Each error type below the command layer implements [`Diagnose`]; nothing else decides
//! an exit status.

pub mod at_hand;

use rustix::io::Errno;
use std::error::Error;
use std::io;
use std::process::ExitCode;

/// How a run, or one account's part in it, ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum Status {
    /// All done, new mail or not.
    Ok = 0,
    /// Some messages failed and are named; the rest is safe. Also what `check -q` and `verify`
    /// answer for "no".
    Partial = 1,
    /// The command line makes no sense.
    Usage = 64,
    /// The state file is damaged and could not be rebuilt.
    Data = 65,
    /// The server cannot be used: it refuses for good, or its certificate is not trusted.
    Unavailable = 69,
    /// A fault of popfetch itself.
    Internal = 70,
    /// Nothing can be created in the Maildir.
    CannotCreate = 73,
    /// Reading or writing the disk failed, or it is full.
    Io = 74,
    /// A temporary failure: the next run may well succeed.
    Temporary = 75,
    /// The server broke the protocol.
    Protocol = 76,
    /// The server refused the sign-in, or there is no password to sign in with.
    NoPermission = 77,
    /// The configuration is wrong.
    Config = 78,
    /// Stopped by SIGINT.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

impl Status {
    /// The number given to the shell.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The more severe of two accounts' statuses.
    pub fn worst(self, other: Self) -> Self {
        if other.severity() > self.severity() {
            other
        } else {
            self
        }
    }

    fn severity(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Partial => 1,
            Self::Temporary => 2,
            Self::Data => 3,
            Self::Unavailable => 4,
            Self::Protocol => 5,
            Self::CannotCreate => 6,
            Self::Io => 7,
            Self::NoPermission => 8,
            Self::Config => 9,
            Self::Usage => 10,
            Self::Internal => 11,
            Self::Interrupted => 12,
            Self::Terminated => 13,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}

/// An error with its sources, each said once: some repeat their source in their own text.
pub fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        source = cause.source();
    }
    message
}

/// What every error below the command layer can say about itself, beside its text.
///
/// The text (its `Display` and its chain of sources) says what happened; [`Diagnose::hint`] says
/// what a person can do next.
pub trait Diagnose: std::error::Error + Send + Sync + 'static {
    /// The exit status this error asks for.
    fn status(&self) -> Status;

    /// What to do next: a sentence, printed after `hint:`. `None` where the text says it all.
    fn hint(&self) -> Option<String> {
        None
    }

    /// Whether it is part of everyday life, and nobody need be told who asked for quiet.
    fn is_routine(&self) -> bool {
        false
    }
}

/// What to do where there are not enough files, or not enough memory.
pub fn scarcity(error: &io::Error) -> Option<&'static str> {
    let code = error.raw_os_error().map(Errno::from_raw_os_error)?;
    match code {
        Errno::MFILE => Some(at_hand::either(
            "jobs",
            "too many files are open: raise the limit (ulimit -n); where there are several accounts, \
             --jobs 1 takes one at a time",
            "too many files are open: raise the limit (ulimit -n)",
        )),
        Errno::NFILE => Some(
            "the whole system has too many files open: see what has them (lsof), or raise \
             fs.file-max",
        ),
        Errno::NOMEM => Some("the system has no memory to spare: end other programs"),
        _ => None,
    }
}

/// Whether the disk, or the server behind it, fails to read what is there.
pub fn is_of_disk(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    code.is_some_and(|code| [Errno::IO, Errno::STALE, Errno::REMOTEIO].contains(&code))
}

/// Whether no more files can be opened, which is no fault of the disk.
pub fn is_scarce(error: &io::Error) -> bool {
    scarcity(error).is_some()
}

#[cfg(test)]
mod tests {
    use super::Status::{self, *};

    #[test]
    fn the_most_severe_account_decides() {
        let order = [
            Ok,
            Partial,
            Temporary,
            Data,
            Unavailable,
            Protocol,
            CannotCreate,
            Io,
            NoPermission,
            Config,
        ];
        for (i, lesser) in order.iter().enumerate() {
            for greater in &order[i..] {
                assert_eq!(lesser.worst(*greater), *greater);
                assert_eq!(greater.worst(*lesser), *greater);
            }
        }
    }

    #[test]
    fn a_signal_is_never_hidden_by_an_account() {
        assert_eq!(Config.worst(Status::Interrupted), Interrupted);
    }
}
