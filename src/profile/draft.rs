//! An account that is being set up, as text of the config file, and into the file itself.
//!
//! The file is its owner's: a table is added, and nothing else in it is touched.

use super::{Auth, Keep, Pin, Roots, edit, units};
use crate::durable::{Dir, Disk};
use crate::exit::{Diagnose, Status};
use crate::paths;
use crate::server::Protocol;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml_edit::{Array, InlineTable, Table, value};

/// How a connection is protected; what is better comes first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Security {
    /// TLS from the first octet.
    Implicit,
    /// TLS after STLS or STARTTLS.
    StartTls,
    /// None.
    Clear,
}

/// An account as a person has answered the questions about it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// What the server speaks.
    pub protocol: Protocol,
    /// The server.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Whom to trust.
    pub roots: Roots,
    /// The server's keys, where it must have one of these.
    pub pins: Vec<Pin>,
    /// How to sign in.
    pub auth: Auth,
    /// How long the server may be silent, where not the usual time.
    pub timeout: Option<Duration>,
    /// The user's name.
    pub user: String,
    /// Where the mail goes, as it is to stand in the file.
    pub maildir: String,
    /// Which folders of the server are fetched.
    pub reach: Reach,
    /// What becomes of messages on the server.
    pub keep: Keep,
    /// Of the first fetch only so many.
    pub latest: Option<u64>,
    /// Where the password is.
    pub secret: Place,
}

/// Which folders of the server are fetched.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Reach {
    /// The inbox.
    #[default]
    Inbox,
    /// All but those that the server marks as spam and trash.
    AllButJunk,
    /// The one that has all messages, of a server that has such a one.
    AllMail,
    /// All.
    All,
}

impl Reach {
    /// What stands in `folders` and `exclude`.
    fn words(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Inbox => (&["INBOX"], &[]),
            Self::AllButJunk => (&["*"], &["\\Junk", "\\Trash"]),
            Self::AllMail => (&["\\All"], &[]),
            Self::All => (&["*"], &[]),
        }
    }
}

/// Where the password of an account is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// Nowhere: it is asked for.
    Ask,
    /// In the system keyring.
    Keyring,
    /// In a file, as it is to stand in the config file.
    File(String),
    /// With another program.
    Command(Vec<String>),
    /// There is none, but a sign-in by OAuth 2.0.
    OAuth {
        /// `google` or `microsoft`.
        provider: &'static str,
        /// What the program is registered as.
        client_id: String,
        /// The other half of it, where there is one.
        client_secret: Option<String>,
        /// Whether the sign-in is kept in a file, not in the keyring.
        in_file: bool,
    },
}

impl Draft {
    /// The account as text, for a file of its own.
    pub fn text(&self) -> String {
        self.added_to("").unwrap_or_default()
    }

    /// `text`, a config file's, with the account at its end.
    ///
    /// # Errors
    /// `text` cannot be read, or has an account of this name.
    pub fn added_to(&self, text: &str) -> Result<String, DraftError> {
        let defaults = edit::default_keys(text);
        let table = self.table(|key| defaults.keys.iter().any(|known| known == key));
        Ok(edit::with_account(text, &self.name, table)?)
    }

    /// `has_default`: whether `[defaults]` says something about a key, so that it is to be said here.
    fn table(&self, has_default: impl Fn(&str) -> bool) -> Table {
        let mut table = Table::new();
        let usual_port = match self.security {
            Security::Implicit => self.protocol.tls_port(),
            Security::StartTls | Security::Clear => self.protocol.plain_port(),
        };
        if self.protocol != Protocol::default() || has_default("protocol") {
            table.insert("protocol", value(self.protocol.word()));
        }
        table.insert("host", value(&self.host));
        if self.port != usual_port || has_default("port") {
            table.insert("port", value(i64::from(self.port)));
        }
        match self.security {
            Security::Implicit if has_default("tls") => {
                table.insert("tls", value("implicit"));
            }
            Security::Implicit => {}
            Security::StartTls => {
                table.insert("tls", value("starttls"));
            }
            Security::Clear => {
                table.insert("tls", value("none"));
                table.insert("allow-insecure", value(true));
            }
        }
        let roots = match &self.roots {
            Roots::System => has_default("tls-roots").then(|| "system".to_owned()),
            roots => Some(roots.to_string()),
        };
        if let Some(roots) = roots.filter(|_| self.security != Security::Clear) {
            table.insert("tls-roots", value(roots));
        }
        if !self.pins.is_empty() && self.security != Security::Clear {
            let pins = self.pins.iter().map(Pin::to_string);
            table.insert("tls-pin", value(pins.collect::<Array>()));
        }
        table.insert("user", value(&self.user));
        if self.auth != Auth::Auto || has_default("auth") {
            table.insert("auth", value(self.auth.word()));
        }
        if let Some(timeout) = self.timeout {
            table.insert("timeout", value(units::duration(timeout)));
        }
        match &self.secret {
            Place::Ask => {}
            Place::Keyring => {
                table.insert("password-keyring", value(true));
            }
            Place::File(path) => {
                table.insert("password-file", value(path));
            }
            Place::Command(argv) => {
                table.insert("password-command", value(argv.iter().collect::<Array>()));
            }
            Place::OAuth {
                provider,
                client_id,
                client_secret,
                in_file,
            } => {
                let mut oauth = InlineTable::new();
                oauth.insert("provider", (*provider).into());
                oauth.insert("client-id", client_id.into());
                if let Some(secret) = client_secret {
                    oauth.insert("client-secret", secret.into());
                }
                if *in_file {
                    oauth.insert("store", "file".into());
                }
                table.insert("oauth", value(oauth));
            }
        }
        if self.protocol.has_folders() {
            let (folders, excluded) = self.reach.words();
            let list = |words: &[&str]| value(words.iter().copied().collect::<Array>());
            if self.reach != Reach::Inbox || has_default("folders") {
                table.insert("folders", list(folders));
            }
            if !excluded.is_empty() || has_default("exclude") {
                table.insert("exclude", list(excluded));
            }
        }
        table.insert("maildir", value(&self.maildir));
        table.insert("keep", value(self.keep.to_string()));
        if let Some(latest) = self.latest {
            table.insert("latest", value(i64::try_from(latest).unwrap_or(i64::MAX)));
        }
        table
    }
}

/// Adds an account to the config file, which is made where it is missing, for its owner alone. The
/// file is another one at once, or none at all: nobody ever finds half of it.
///
/// # Errors
/// It cannot be read or written, or somebody else has changed it meanwhile.
pub fn add_to_file(path: &Path, draft: &Draft) -> Result<(), DraftError> {
    let before = edit::read(path)?;
    Ok(edit::rewrite(path, &before, &draft.added_to(&before)?)?)
}

/// Removes a file that [`edit::replace_file`] has written.
pub fn remove_private(path: &Path) {
    if let (Some(directory), Some(name)) = (path.parent(), path.file_name()) {
        let dir = Dir::open_linked(&Disk::new(), directory);
        // It holds what its owner knows, and is for that person's eyes alone.
        let _ = dir.and_then(|dir| dir.remove(name));
    }
}

/// A path as it is written for people: from the home directory, where it is in it.
pub fn shown(path: &Path) -> String {
    let home = directories::BaseDirs::new().map(|base| base.home_dir().to_owned());
    let below = home.and_then(|home| Some(path.strip_prefix(home).ok()?.to_owned()));
    match below {
        Some(below) if !below.as_os_str().is_empty() => format!("~/{}", below.display()),
        _ => path.display().to_string(),
    }
}

/// What a person typed for a path, made absolute: from the home directory, unless it says otherwise.
///
/// # Errors
/// It is none; the reason is for that person.
pub fn path_of(text: &str) -> Result<PathBuf, String> {
    let text = text.trim();
    paths::in_home(Path::new(text)).map_err(|error| error.to_string())
}

/// Why an account is not in the config file.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The file is no TOML.
    #[error("the config file cannot be read: {0}")]
    Broken(String),
    /// Somebody else has changed it.
    #[error("{} has been changed meanwhile, and is left as it is", .0.display())]
    Changed(PathBuf),
    /// A file cannot be read or written.
    #[error("cannot write {}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is such an account.
    #[error("there is an account `{0}` already")]
    Taken(String),
}

impl From<edit::EditError> for DraftError {
    fn from(error: edit::EditError) -> Self {
        match error {
            edit::EditError::Changed(path) => Self::Changed(path),
            error @ edit::EditError::NoAccount(_) => Self::Broken(error.to_string()),
            edit::EditError::NoToml(why) => Self::Broken(why),
            edit::EditError::Taken(name) => Self::Taken(name),
            edit::EditError::Write { path, source } => Self::Io { path, source },
        }
    }
}

impl From<edit::Unwritten> for DraftError {
    fn from(edit::Unwritten { path, source }: edit::Unwritten) -> Self {
        Self::Io { path, source }
    }
}

impl Diagnose for DraftError {
    fn status(&self) -> Status {
        match self {
            Self::Broken(_) | Self::Taken(_) => Status::Config,
            Self::Changed(_) => Status::Temporary,
            Self::Io { .. } => Status::Io,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Broken(_) => "mend it first; popfetch account list shows where it is wrong",
                Self::Changed(_) => "run the same command again",
                Self::Io { .. } => {
                    "with --print the account is shown, for you to put it where it belongs"
                }
                Self::Taken(_) => "choose another name: --name NAME",
            }
            .to_owned(),
        )
    }
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
