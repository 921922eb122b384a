//! How an account is named on the command line: a command that a person is told to type names it in
//! the same way, with what has to stand beside it.

use std::path::{Path, PathBuf};

use super::{Auth, Keep, Order, Overrides, PasswordSource, Profile, Roots, units};
use crate::paths::in_full;
use crate::secrets::{OAuth, can_ask};
use crate::term::{quoted, visible};

/// What was typed to name an account, beside its name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Typed {
    is_url: bool,
    maildir: bool,
    config: Option<PathBuf>,
    sign_in: String,
    fetch: String,
}

impl Typed {
    /// For an account that is a URL.
    pub(super) fn url(overrides: &Overrides) -> Self {
        Self {
            is_url: true,
            maildir: true,
            config: None,
            sign_in: sign_in(overrides),
            fetch: of_fetch(overrides),
        }
    }

    /// For one of the config file, which was named with `--config` where it is given.
    pub(super) fn account(config: Option<&Path>, overrides: &Overrides) -> Self {
        Self {
            is_url: false,
            maildir: overrides.maildir.is_some(),
            config: config.map(Path::to_owned),
            sign_in: sign_in(overrides),
            fetch: of_fetch(overrides),
        }
    }

    /// Whether the account was given as a URL.
    pub fn is_url(&self) -> bool {
        self.is_url
    }
}

/// The options that say how to sign in, each behind a space.
fn sign_in(overrides: &Overrides) -> String {
    let roots = overrides.tls_roots.as_ref().map(|roots| match roots {
        Roots::File(path) => quoted(&in_full(path).display().to_string()),
        roots => roots.to_string(),
    });
    let pins = overrides.tls_pins.iter();
    let parts = [
        overrides
            .auth
            .map(|auth| format!(" --auth {}", Auth::word(auth))),
        roots.map(|roots| format!(" --tls-roots {roots}")),
        Some(pins.map(|pin| format!(" --tls-pin {pin}")).collect()),
        (overrides.password == Some(PasswordSource::Stdin)).then(|| " --password-stdin".to_owned()),
        overrides
            .timeout
            .map(|limit| with_value("timeout", &units::duration(limit))),
    ];
    parts.into_iter().flatten().collect()
}

/// The options that say what becomes of messages, each behind a space: without them a command that
/// is typed in the place of this one could delete what this one keeps.
fn of_fetch(overrides: &Overrides) -> String {
    let keep = overrides.keep.map(|keep| match keep {
        Keep::Always => " --keep".to_owned(),
        Keep::Never => " --delete".to_owned(),
        Keep::For(period) => with_value("delete-after", &units::duration(period)),
    });
    let max_size = overrides.max_size.map(units::octets);
    let parts = [
        keep,
        max_size.map(|size| with_value("max-size", &size)),
        overrides
            .latest
            .map(|number| with_value("latest", &number.to_string())),
        (overrides.order == Some(Order::NewestFirst)).then(|| " --newest-first".to_owned()),
        Some(overrides.beside.clone()),
    ];
    parts.into_iter().flatten().collect()
}

fn with_value(option: &str, value: &str) -> String {
    format!(" --{option} {}", quoted(value))
}

/// ` --config FILE`, where it was given.
pub fn config_option(config: Option<&Path>) -> String {
    config.map_or_else(String::new, |path| {
        format!(" --config {}", quoted(&path.display().to_string()))
    })
}

impl Profile {
    /// What names the account on the command line, as a shell takes it: the name in the config file,
    /// or the URL.
    pub fn word(&self) -> String {
        let name = match self.typed.is_url {
            true => quoted(&self.server.url()),
            false => quoted(&self.name),
        };
        name + &self.config_option()
    }

    /// ` --config FILE`, where it was given.
    pub fn config_option(&self) -> String {
        config_option(self.typed.config.as_deref())
    }

    /// The same for commands that work on its Maildir.
    pub fn word_with_maildir(&self) -> String {
        match self.typed.maildir {
            true => format!(
                "{} --maildir {}",
                self.word(),
                quoted(&self.maildir.display().to_string())
            ),
            false => self.word(),
        }
    }

    /// The same for commands that read its mail, which know nothing of URLs.
    pub fn word_to_read(&self) -> String {
        match self.typed.is_url {
            true => format!("--maildir {}", quoted(&self.maildir.display().to_string())),
            false => self.word_with_maildir(),
        }
    }

    /// Where the secret is from that a server has refused, and how another one takes its place.
    pub fn secret_in_words(&self) -> Option<String> {
        let place = |path: &Path| visible(&quoted(&path.display().to_string()));
        let from_keyring = || {
            format!(
                "the password is from the system keyring; another one: popfetch password set {}",
                self.word()
            )
        };
        Some(match &self.password {
            PasswordSource::Keyring => from_keyring(),
            PasswordSource::PromptOrKeyring if !can_ask() => from_keyring(),
            PasswordSource::File(path) => format!("the password is from {}", place(path)),
            PasswordSource::Netrc(path) => format!("the password is from {}", place(path)),
            PasswordSource::Inline(_) => "the password is from the config file".to_owned(),
            PasswordSource::Credential(name) => {
                format!("the password is from the credential `{}`", visible(name))
            }
            PasswordSource::Command(argv) => format!(
                "the password is what `{}` prints",
                visible(argv.first().map_or("", String::as_str))
            ),
            PasswordSource::OAuth(OAuth::Command(argv)) => format!(
                "the token is what `{}` prints",
                visible(argv.first().map_or("", String::as_str))
            ),
            PasswordSource::OAuth(OAuth::Login { .. }) => {
                format!("to sign in anew: popfetch login {}", self.word())
            }
            PasswordSource::Prompt | PasswordSource::PromptOrKeyring | PasswordSource::Stdin => {
                return None;
            }
        })
    }

    /// The same for commands that sign in as well.
    pub fn word_to_sign_in(&self) -> String {
        self.word_with_maildir() + &self.typed.sign_in
    }

    /// The same for another fetch, which does with the messages what this one was to do.
    pub fn word_to_fetch(&self) -> String {
        self.word_to_sign_in() + &self.typed.fetch
    }
}
