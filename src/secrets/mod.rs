//! Where secrets are, and what an account signs in with: passwords from programs, files, the keyring
//! or a person, and access tokens with the sign-ins that they come from.

mod error;
mod helper;
pub mod keyring;
pub mod logins;
mod netrc;
mod obtain;
mod password;
mod tokens;

pub use error::{Helper, SecretError, way_to_write};
pub use helper::run as printed_by;
pub use obtain::{from_line, is_credential_name, obtain as obtain_password, prompt, prompt_once};
pub use password::{Password, can_ask};
pub use tokens::{Asking, Credential, Error, Login, Question, Sign, answer, lock_login};

use crate::oauth::{Client, Line};
use crate::server::Server;
use std::path::PathBuf;

/// An account that is to be signed in to.
pub struct Wanted<'a> {
    /// What its owner calls it.
    pub account: &'a str,
    /// What names it on the command line.
    pub word: String,
    /// Where its maildrop is.
    pub server: &'a Server,
    /// Where its secret is.
    pub source: &'a PasswordSource,
    /// The way to whoever gives access tokens.
    pub line: Line,
}

/// Where the password comes from. The secret itself never stands in a [`Profile`](crate::profile::Profile).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PasswordSource {
    /// Standard output of a program, given as argv; no shell is involved.
    Command(Vec<String>),
    /// The first line of a credential that systemd hands to the service, under this name.
    Credential(String),
    /// The first line of a file.
    File(PathBuf),
    /// In the config file itself, which then must be readable by its owner alone.
    Inline(Password),
    /// The system keyring, under service `popfetch` and the account's `user@host:port`.
    Keyring,
    /// The entry of a netrc file for the server's host and user.
    Netrc(PathBuf),
    /// Access tokens of OAuth 2.0 in place of a password.
    OAuth(OAuth),
    /// Ask on the terminal.
    Prompt,
    /// Ask on the terminal; where nobody can be asked, look into the keyring. For an account given
    /// as a URL, which has no profile that says where its password is.
    PromptOrKeyring,
    /// The first line of standard input.
    Stdin,
}

/// Where access tokens come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OAuth {
    /// The first line that a program prints.
    Command(Vec<String>),
    /// A sign-in in the browser, once (`popfetch login`).
    Login {
        /// Who asks whom.
        client: Box<Client>,
        /// Where the sign-in is kept.
        store: Store,
    },
}

/// Where a sign-in is kept.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// The system keyring.
    #[default]
    Keyring,
    /// A file of its own below `$XDG_DATA_HOME/popfetch`, for its owner alone.
    File,
}
