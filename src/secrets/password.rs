//! Where passwords come from, and the type that keeps them out of sight.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use thiserror::Error;
use zeroize::Zeroizing;

use super::{PasswordSource, Wanted, helper, keyring, netrc};
use crate::exit::{Diagnose, Status};
use crate::net::program::cannot_start;
use crate::private;
use crate::server::Server;
use crate::stop::{Stop, echo};
use crate::term::{quoted, visible};

/// No password is longer than this; what is, is another file or a program gone wild.
pub(crate) use crate::private::LIMIT;

/// A password in memory: wiped when dropped, and never shown by `Debug`.
#[derive(Clone, Eq, PartialEq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes the secret as it is, spaces included.
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is a password that POP3 can carry: not empty, no line break, no NUL.
    pub fn can_be_sent(&self) -> bool {
        !self.0.is_empty() && !self.0.contains(['\r', '\n', '\0'])
    }

    /// The first line of `octets`, without its line break.
    pub(crate) fn first_line(octets: &[u8]) -> Result<Self, SecretError> {
        // Editors of some systems put it there; nobody has typed it.
        let octets = octets.strip_prefix(BYTE_ORDER_MARK).unwrap_or(octets);
        let line = octets.split(|b| *b == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line).map_err(|_| SecretError::NotText)?;
        Self::new(line.to_owned()).checked()
    }

    fn checked(self) -> Result<Self, SecretError> {
        if self.0.is_empty() {
            Err(SecretError::Empty)
        } else if self.can_be_sent() {
            Ok(self)
        } else {
            Err(SecretError::LineBreak)
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What may stand before the text of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Gets an account's password from where its profile says.
///
/// `interactive` says that a person can be asked: then a prompt is possible, and a password
/// command may use the terminal. Takes no longer than a minute without a person. Accounts must be
/// asked for one after another where that is so, because they share the terminal. A password command
/// is ended where somebody wants us to `stop`.
///
/// # Errors
///
/// There is no password, or none that can be sent. No error holds any part of one.
pub fn obtain(
    wanted: &Wanted<'_>,
    interactive: bool,
    stop: Option<&Stop>,
) -> Result<Password, SecretError> {
    let Wanted {
        account, server, ..
    } = *wanted;
    match wanted.source {
        PasswordSource::Command(argv) => helper::run(Helper::Password, argv, interactive, stop),
        PasswordSource::Credential(name) => {
            from_credential(name, std::env::var_os("CREDENTIALS_DIRECTORY"))
        }
        PasswordSource::File(path) => from_file(path),
        PasswordSource::Netrc(path) => from_netrc(path, server),
        PasswordSource::Inline(password) => password.clone().checked(),
        PasswordSource::Keyring => keyring::load(server, interactive)
            .and_then(Password::checked)
            .map_err(|error| error.of_account(wanted)),
        // No password: tokens are got by whoever can renew them.
        PasswordSource::OAuth(_) => Err(SecretError::Empty),
        PasswordSource::Prompt if interactive => prompt(account, server),
        PasswordSource::PromptOrKeyring if interactive => prompt(account, server),
        PasswordSource::Prompt => Err(SecretError::NobodyToAsk { word: None }),
        // Whatever the keyring says, the person never asked for it.
        PasswordSource::PromptOrKeyring => keyring::load(server, interactive)
            .and_then(Password::checked)
            .map_err(|error| SecretError::NobodyToAsk {
                word: Some(wanted.word.clone())
                    .filter(|_| matches!(error, SecretError::KeyringMissing { .. })),
            }),
        PasswordSource::Stdin if io::stdin().is_terminal() => prompt(account, server),
        PasswordSource::Stdin => from_line(&mut io::stdin().lock()),
    }
}

/// What a program prints, as [`obtain`] gets a password from one.
///
/// # Errors
///
/// It prints none.
pub fn printed_by(
    key: Helper,
    argv: &[String],
    interactive: bool,
    stop: Option<&Stop>,
) -> Result<Password, SecretError> {
    helper::run(key, argv, interactive, stop)
}

/// Whether a person sits at the terminal who could be asked for a password.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for an account's password on the terminal, without echo.
///
/// # Errors
///
/// There is no terminal, or nothing usable was typed.
pub fn prompt(account: &str, server: &Server) -> Result<Password, SecretError> {
    let Server { user, host, .. } = server;
    // An account given as a URL is called by the same two.
    let question = match account == format!("{user}@{host}") {
        true => format!("Password for {user} at {host}: "),
        false => format!("Password for {} ({user} at {host}): ", account),
    };
    echo::restored(|| rpassword::prompt_password(visible(&question)))
        .map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => SecretError::Interrupted,
            _ => SecretError::Terminal(error),
        })
        .and_then(|secret| Password::new(secret).checked())
}

/// Reads one line and not an octet more, so that the rest stays for others.
///
/// # Errors
///
/// Reading fails, or the line is no usable password.
pub fn from_line(input: &mut impl Read) -> Result<Password, SecretError> {
    let mut line = Zeroizing::new(Vec::with_capacity(LIMIT));
    let mut octet = [0];
    while line.len() < LIMIT {
        match input.read(&mut octet) {
            Ok(0) => return Password::first_line(&line),
            Ok(_) if octet == *b"\n" => return Password::first_line(&line),
            Ok(_) => line.extend_from_slice(&octet),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SecretError::Stdin(error)),
        }
    }
    Err(SecretError::TooLong)
}

fn from_file(path: &Path) -> Result<Password, SecretError> {
    Password::first_line(&read(path, private::OTHERS)?)
}

/// Whether systemd can have a credential of this name.
pub fn is_credential_name(name: &str) -> bool {
    let wrong = |c: char| c == '/' || c == ':' || c.is_control();
    !name.is_empty() && name.len() <= 255 && name != "." && name != ".." && !name.contains(wrong)
}

/// The first line of a credential (systemd.exec(5), `LoadCredential=`). `directory`: where the
/// service manager says that they are.
fn from_credential(name: &str, directory: Option<OsString>) -> Result<Password, SecretError> {
    let directory = directory
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .ok_or_else(|| SecretError::NoCredentials(name.to_owned()))?;
    // To the group it may look open: where root owns it, an access list lets the service's user
    // in, and its mask is shown in the group's place.
    match read(&directory.join(name), 0o027) {
        Err(SecretError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Err(SecretError::CredentialMissing(name.to_owned()))
        }
        octets => Password::first_line(&octets?),
    }
}

fn from_netrc(path: &Path, server: &Server) -> Result<Password, SecretError> {
    let octets = read(path, private::OTHERS).map_err(|error| match error {
        SecretError::TooLong => SecretError::File {
            path: path.to_owned(),
            source: io::Error::other("it is larger than 64 KiB"),
        },
        error => error,
    })?;
    let octets = octets.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&octets);
    let found = netrc::find(octets, &server.host, &server.user);
    let found = found.map_err(|netrc::Malformed(line)| SecretError::Netrc {
        path: path.to_owned(),
        line,
    })?;
    let secret = found.ok_or_else(|| SecretError::NetrcMissing {
        path: path.to_owned(),
        host: server.host.clone(),
        user: server.user.clone(),
    })?;
    let secret = std::str::from_utf8(&secret).map_err(|_| SecretError::NotText)?;
    Password::new(secret.to_owned()).checked()
}

fn read(path: &Path, open: u32) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let path_of = || path.to_owned();
    private::read(path, open).map_err(|error| match error {
        private::Error::Exposed => SecretError::Exposed(path_of()),
        private::Error::Io(source) => SecretError::File {
            path: path_of(),
            source,
        },
        private::Error::NotYours => SecretError::NotYours(path_of()),
        private::Error::Replaceable(directory) => SecretError::Replaceable {
            path: path_of(),
            directory,
        },
        private::Error::TooLong => SecretError::TooLong,
    })
}

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
    /// More than 64 KiB.
    #[error("this is too long for a password")]
    TooLong,
}

impl SecretError {
    /// Puts the account's name where the keyring knew only the server.
    fn of_account(self, wanted: &Wanted<'_>) -> Self {
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
            _ => Status::NoPermission,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
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
            Self::CommandTimeout { limit, .. } if *limit == helper::ATTENDED => {
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
            Self::NotText => "save it as UTF-8 text; the password is the first line".into(),
            Self::Empty | Self::TooLong | Self::LineBreak => {
                "the password is the first line of what is read".into()
            }
            Self::Exposed(path) => visible(&private::way_to_close(path)),
            Self::File { path, source } if source.kind() == io::ErrorKind::NotFound => format!(
                "there is no such file: put the password into it, for you alone: (umask 077 && cat > {})",
                visible(&quoted(&path.display().to_string()))
            ),
            Self::File { path, source } => {
                let advice = crate::durable::advice(path, source);
                visible(&advice.unwrap_or_else(|| "name a file that you can read".into()))
            }
            Self::Keyring(_) | Self::KeyringTimeout(_) => {
                "unlock the keyring and try again, or use --password-stdin, or in the config file \
                 `password-command`, `password-file` or `password-credential`"
                    .into()
            }
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
            Self::NobodyToAsk { word: Some(word) } => format!(
                "use --password-stdin, or store it with: popfetch password set {}",
                visible(word)
            ),
            Self::NobodyToAsk { word: None } => {
                "use --password-stdin, or an account in the config file that has \
                 `password-command`, `password-file`, `password-keyring` or `password-credential`"
                    .into()
            }
            Self::Replaceable { directory, .. } => format!(
                "keep it where only you can write; {} is not such a directory",
                visible(&directory.display().to_string())
            ),
            Self::NotYours(_) => "use a file of your own".into(),
            Self::Interrupted | Self::Stdin(_) | Self::Terminal(_) => return None,
        };
        Some(hint)
    }
}

#[cfg(test)]
#[path = "password_tests.rs"]
mod tests;
