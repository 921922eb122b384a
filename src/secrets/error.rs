//! Why there is no password to sign in with.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use thiserror::Error;

use super::Wanted;
use crate::exit::at_hand::{either, takes};
use crate::exit::{self, Diagnose, Status};
use crate::net::program::{cannot_start, not_by_a_shell};
use crate::private;
use crate::term::{quoted, visible};

/// How long a command may take when a person may have to type a passphrase or touch a key.
pub(super) const ATTENDED: Duration = Duration::from_secs(300);

/// A program that prints a secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Helper {
    /// `password-command`.
    Password,
    /// `token-command`.
    Token,
}

impl Helper {
    fn what(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Token => "token",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Password => "password-command",
            Self::Token => "token-command",
        }
    }
}

/// Why there is no password to sign in with.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The password command printed nothing usable because it failed.
    #[error("the {} command `{}` failed: {status}", key.what(), visible(program))]
    Command {
        /// Which command.
        key: Helper,
        /// The program, without its arguments.
        program: String,
        /// The first of its arguments that a shell would have made something else of.
        for_shell: Option<String>,
        /// How it ended.
        status: ExitStatus,
    },
    /// The password command cannot be started, or not be read from.
    #[error("cannot run the {} command `{}`", key.what(), visible(program))]
    CommandIo {
        /// Which command.
        key: Helper,
        /// The program, without its arguments.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The password command took too long and was killed.
    #[error("the {} command `{}` did not end within {} s", key.what(), visible(program), limit.as_secs())]
    CommandTimeout {
        /// Which command.
        key: Helper,
        /// The program, without its arguments.
        program: String,
        /// How long it had.
        limit: Duration,
    },
    /// The service has other credentials, or none.
    #[error("this systemd service has no credential `{}`", visible(.0))]
    CredentialMissing(String),
    /// Nothing where a password should be.
    #[error("the password is empty")]
    Empty,
    /// The file that the password is in can be read by others.
    #[error("{} has the password in it, and can be read by others", visible(&.0.display().to_string()))]
    Exposed(PathBuf),
    /// The password file cannot be read.
    #[error("cannot read the password file {}", visible(&path.display().to_string()))]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Ctrl-C instead of a password.
    #[error("no password was given")]
    Interrupted,
    /// The keyring fails or cannot be reached.
    #[error("the system keyring cannot be used: {}", visible(.0))]
    Keyring(String),
    /// There is no keyring, not even a locked one.
    #[error("the system keyring cannot be used: there is none in this session")]
    KeyringAbsent,
    /// The keyring has no password for the account.
    #[error(
        "the system keyring has no password for account `{}`",
        visible(account)
    )]
    KeyringMissing {
        /// Its name.
        account: String,
        /// What names it on the command line.
        word: String,
    },
    /// The keyring did not answer.
    #[error("the system keyring did not answer within {} s; it may be locked", .0.as_secs())]
    KeyringTimeout(Duration),
    /// POP3 cannot carry it.
    #[error("the password has a line break or NUL in it")]
    LineBreak,
    /// The netrc file cannot be read as one.
    #[error("line {line} of {} is not understood", visible(&path.display().to_string()))]
    Netrc {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// There is no netrc file.
    #[error("there is no netrc file {}", visible(&path.display().to_string()))]
    NetrcAbsent {
        /// Which file.
        path: PathBuf,
        /// The account's host.
        host: String,
        /// The account's user.
        user: String,
    },
    /// The netrc file has no entry for the account.
    #[error("{} has no password for machine {}, login {}",
        visible(&path.display().to_string()), visible(host), visible(user))]
    NetrcMissing {
        /// Which file.
        path: PathBuf,
        /// The account's host.
        host: String,
        /// The account's user.
        user: String,
    },
    /// There is no service manager to take a credential from.
    #[error("no systemd service is running this, so there is no credential `{}`", visible(.0))]
    NoCredentials(String),
    /// A password must be asked for, but there is no terminal.
    #[error("a password is needed, and there is no terminal to ask for it")]
    NobodyToAsk {
        /// The account's URL, if it was given as one and there is a keyring.
        word: Option<String>,
    },
    /// A person was asked, and typed nothing.
    #[error("no password was typed")]
    NotTyped,
    /// The password is not UTF-8.
    #[error("the password is not UTF-8 text")]
    NotText,
    /// The file that the password is in belongs to someone else.
    #[error("{} has the password in it, and belongs to someone else", visible(&.0.display().to_string()))]
    NotYours(PathBuf),
    /// Others can put another file in the place of the one that the password is in.
    #[error("others can put another file in the place of {}", visible(&path.display().to_string()))]
    Replaceable {
        /// Which file.
        path: PathBuf,
        /// Where they can.
        directory: PathBuf,
    },
    /// Standard input cannot be read.
    #[error("cannot read the password from standard input")]
    Stdin(#[source] io::Error),
    /// The terminal cannot be read.
    #[error("cannot ask for the password on the terminal")]
    Terminal(#[source] io::Error),
    /// A person was asked, and nobody has answered.
    #[error("nobody answered the question for the password within {} s", .0.as_secs())]
    Unanswered(Duration),
    /// More than 64 KiB.
    #[error("this is too long for a password")]
    TooLong,
    /// What was read is no password, and where it was read.
    #[error("{fault} (from {})", visible(place))]
    Unfit {
        /// What is wrong with it.
        fault: Box<SecretError>,
        /// In words.
        place: String,
    },
}

/// The command that puts a password into a file, which its owner alone can read; with the directory, where
/// that is not there.
pub fn way_to_write(path: &Path) -> String {
    let name = |path: &Path| quoted(&path.display().to_string());
    let directory = path.parent().filter(|directory| !directory.exists());
    let make = directory.map_or_else(String::new, |it| format!("mkdir -p {} && ", name(it)));
    format!("(umask 077 && {make}cat > {})", name(path))
}

impl SecretError {
    fn source_io(&self) -> Option<&io::Error> {
        match self {
            Self::CommandIo { source, .. }
            | Self::File { source, .. }
            | Self::Stdin(source)
            | Self::Terminal(source) => Some(source),
            _ => None,
        }
    }

    /// Puts the account's name where the keyring knew only the server.
    pub(super) fn of_account(self, wanted: &Wanted<'_>) -> Self {
        match self {
            Self::KeyringMissing { .. } => Self::KeyringMissing {
                account: wanted.account.to_owned(),
                word: wanted.word.clone(),
            },
            other => other,
        }
    }
}

impl Diagnose for SecretError {
    fn status(&self) -> Status {
        match self {
            Self::Interrupted => Status::Interrupted,
            // The system's trouble, or the disk's, says nothing of the password.
            _ if self.source_io().is_some_and(exit::is_scarce) => Status::Temporary,
            _ if self.source_io().is_some_and(exit::is_of_disk) => Status::Io,
            _ => Status::NoPermission,
        }
    }

    fn hint(&self) -> Option<String> {
        if let Some(scarce) = self.source_io().and_then(exit::scarcity) {
            return Some(scarce.to_owned());
        }
        let hint = match self {
            Self::Command {
                key,
                for_shell: Some(word),
                ..
            } => visible(&not_by_a_shell(key.key(), word)),
            Self::Command { .. } => {
                "run the command by itself to see what is wrong; under cron it has no terminal, and a \
                 short PATH"
                    .into()
            }
            Self::CommandIo {
                key,
                program,
                source,
            } => visible(&cannot_start(key.key(), program, source)),
            Self::CommandTimeout { limit, .. } if *limit == ATTENDED => {
                "run the command by itself to see what it waits for".into()
            }
            Self::CommandTimeout { key, .. } => format!(
                "if it asks for something, run popfetch from a terminal; under cron `{}` must need \
                 nobody",
                key.key()
            ),
            Self::CredentialMissing(name) | Self::NoCredentials(name) => format!(
                "in a unit for popfetch, below [Service]: LoadCredential={name}:/path/of/a/file",
                name = visible(name)
            ),
            Self::Unfit { fault, .. } => return fault.hint(),
            Self::NotText => "save it as UTF-8 text; the password is the first line".into(),
            Self::Empty | Self::TooLong | Self::LineBreak => {
                "the password is the first line of what is read".into()
            }
            Self::Exposed(path) => visible(&private::way_to_close(path)),
            Self::File { path, source } if source.kind() == io::ErrorKind::NotFound => format!(
                "there is no such file: put the password into it, for you alone: {}",
                visible(&way_to_write(path))
            ),
            Self::NetrcAbsent { path, host, user } => format!(
                "to make it, for you alone: {}; what it takes is a line: machine {} login {} password ...",
                visible(&way_to_write(path)),
                visible(host),
                visible(user)
            ),
            Self::File { path, source } => {
                let advice = crate::durable::advice(path, source);
                visible(&advice.unwrap_or_else(|| "name a file that you can read".into()))
            }
            Self::KeyringAbsent => format!(
                "a desktop session has one; elsewhere use `password-file`, `password-command` or \
                 `password-credential` in the config file{}",
                either("password-stdin", ", or --password-stdin", "")
            ),
            Self::Keyring(_) | Self::KeyringTimeout(_) => format!(
                "unlock the keyring and try again, or use {}in the config file `password-command`, \
                 `password-file` or `password-credential`",
                either("password-stdin", "--password-stdin, or ", "")
            ),
            Self::KeyringMissing { word, .. } => format!(
                "store it with: popfetch password set {}; under cron, where the keyring may be \
                 locked, use `password-command`, `password-file` or `password-credential`",
                visible(word)
            ),
            Self::Netrc { .. } => {
                "a password with spaces stands in quotation marks, and so does one with a \
                 backslash, written twice"
                    .into()
            }
            Self::NetrcMissing { host, user, .. } => format!(
                "add a line to it: machine {} login {} password ...",
                visible(host),
                visible(user)
            ),
            Self::NobodyToAsk { word: Some(word) } if takes("password-stdin") => format!(
                "use --password-stdin, or store it with: popfetch password set {}",
                visible(word)
            ),
            Self::NobodyToAsk { word: Some(word) } => {
                format!("store it with: popfetch password set {}", visible(word))
            }
            Self::NobodyToAsk { word: None } => format!(
                "{}say in the config file where the account's password is: `password-file`, \
                 `password-command`, `password-keyring` or `password-credential`",
                either("password-stdin", "use --password-stdin, or ", "")
            ),
            Self::Replaceable { directory, .. } => format!(
                "keep it where only you can write; {} is not such a directory",
                visible(&directory.display().to_string())
            ),
            Self::NotYours(_) => "use a file of your own".into(),
            Self::NotTyped => "run it once more and type the password; nothing of it is shown".into(),
            Self::Unanswered(_) => {
                "run it once more and type it then; where nobody is there to be asked, say in the config \
                 file where the account's password is: `password-file`, `password-command` or \
                 `password-keyring`"
                    .into()
            }
            Self::Interrupted | Self::Stdin(_) | Self::Terminal(_) => return None,
        };
        Some(hint)
    }
}
