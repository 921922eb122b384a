//! The config file as it is written: one field a TOML key, and the reference of these keys.
//!
//! These types know the shape of each value and nothing else. Defaults, and the rules that span
//! several keys, are in `resolve`. The manual page `man/popfetch.toml.5` describes the same keys
//! for people; a test below compares the two.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::LazyLock;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use toml::Spanned;

pub use super::filing::{GroupWord, ModeWord};
pub use super::folders::FolderWords;
pub use super::proxy::ProxyWord;
pub use super::rule_table::RuleTable;

use super::folders::Destination;
use super::units::{Octets, Period, duration};
use super::words::{expected_words, nearest};
use super::{Auth, Keep, MinVersion, Order, PathEnd, Pin, Pipelining, Protocol, Roots};
use crate::maildir::FileTime;
use crate::oauth::ClientSecret;
use crate::secrets::{Password, Store};
use zeroize::Zeroizing;

/// A value, if the file has it, with its place there for error messages.
pub type Key<T> = Option<Spanned<T>>;

/// The keys of one account, or of the defaults. All can be left out here; `resolve` asks for
/// those that an account cannot do without.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Account {
    /// `host`: the server's name or address. Required.
    pub host: Key<String>,
    /// `protocol`: `"pop3"` (default) or `"imap"`.
    pub protocol: Key<Protocol>,
    /// `port`: its TCP port; 995, or 110 with `tls = "starttls"` and `tls = "none"`; 993 and 143 for
    /// `protocol = "imap"`.
    pub port: Key<u16>,
    /// `user`: the user's name exactly as the server wants it. Required.
    pub user: Key<String>,
    /// `tls`: `"implicit"` (default), `"starttls"` or `"none"`.
    pub tls: Key<TlsMode>,
    /// `allow-insecure`: must be `true` for `tls = "none"`.
    pub allow_insecure: Key<bool>,
    /// `auth`: `"auto"` (default), or a method's name in lower case.
    pub auth: Key<Auth>,
    /// `password`: the password itself; the file must then be readable by its owner alone.
    pub password: Key<Inline>,
    /// `password-command`: a program and its arguments; the first line it prints is the password.
    pub password_command: Key<Vec<String>>,
    /// `password-credential`: a systemd credential whose first line is the password.
    pub password_credential: Key<String>,
    /// `password-file`: a file whose first line is the password.
    pub password_file: Key<PathBuf>,
    /// `password-keyring`: `true` takes the password from the system keyring.
    pub password_keyring: Key<bool>,
    /// `password-netrc`: a netrc file that holds the password, or `true` for `~/.netrc`.
    pub password_netrc: Key<NetrcWord>,
    /// `oauth`: access tokens in place of a password.
    #[serde(default, deserialize_with = "super::written::table")]
    pub oauth: Key<OAuthTable>,
    /// `maildir`: where new messages go; `~/Mail/{account}` by default.
    pub maildir: Key<String>,
    /// `file-mode`: the mode of each message's file in the Maildir; `"0600"` by default.
    pub file_mode: Key<ModeWord>,
    /// `file-group`: its group, by name or number.
    pub file_group: Key<GroupWord>,
    /// `file-time`: its time, `"received"` (default), `"arrival"` or `"date"`.
    pub file_time: Key<FileTime>,
    /// `size-in-name`: `true` puts `,S=` and its size into its name.
    pub size_in_name: Key<bool>,
    /// `flags`: `false` leaves out the flags that messages have on the server.
    pub flags: Key<bool>,
    /// `deliver`: what takes messages once they are stored; a Maildir only where `maildir` says so.
    #[serde(default, deserialize_with = "super::written::table")]
    pub deliver: Key<DeliverTable>,
    /// `keep`: `"always"` (default), `"never"`, or a duration such as `"14 days"`.
    pub keep: Key<Keep>,
    /// `max-size`: larger messages stay on the server, as in `"25 MB"`.
    pub max_size: Key<Octets>,
    /// `latest`: how many of the newest messages the very first fetch takes.
    pub latest: Key<u64>,
    /// `order`: `"oldest-first"` (default) or `"newest-first"`.
    pub order: Key<Order>,
    /// `filter-command`: a program that reads headers, and decides where no rule does.
    pub filter_command: Key<Vec<String>>,
    /// `rules`: which messages come, and where to; the first that fits decides.
    #[serde(default, deserialize_with = "super::written::tables")]
    pub rules: Key<Vec<Spanned<RuleTable>>>,
    /// `pipelining`: `"auto"` (default) or `"off"`.
    pub pipelining: Key<Pipelining>,
    /// `timeout`: how long the server may be silent; `"60 s"` by default.
    pub timeout: Key<Period>,
    /// `tls-roots`: `"system"` (default), `"bundled"`, `"pinned"`, or a PEM file.
    pub tls_roots: Key<Roots>,
    /// `tls-pin`: the SHA-256 of the server's public key, or a list of them.
    pub tls_pin: Key<Pins>,
    /// `tls-server-name`: the name the certificate must bear, where it is not `host`.
    pub tls_server_name: Key<String>,
    /// `tls-min-version`: `"1.2"` (default) or `"1.3"`.
    pub tls_min_version: Key<MinVersion>,
    /// `tls-client-cert`: a PEM file with the certificate that is shown to the server.
    pub tls_client_cert: Key<PathBuf>,
    /// `tls-client-key`: a PEM file with its key; the same file by default.
    pub tls_client_key: Key<PathBuf>,
    /// `source-address`: the address of this machine to connect from.
    pub source_address: Key<Address>,
    /// `proxy`: a proxy server, as in `"socks5://proxy.example.com:1080"`, or `"none"`.
    pub proxy: Key<ProxyWord>,
    /// `proxy-command`: a program whose standard input and output are the connection.
    pub proxy_command: Key<Vec<String>>,
    /// `folders`: which folders of an IMAP server are fetched; `["INBOX"]` by default.
    pub folders: Key<FolderWords>,
    /// `exclude`: which of them are left out.
    pub exclude: Key<FolderWords>,
    /// `into`: where in the Maildir their messages go; `"folders"` by default.
    pub into: Key<Destination>,
    /// `every`: how long `watch` waits between two fetches; `"10 min"` by default.
    pub every: Key<Period>,
    /// `on-new`: a program and its arguments, run after a fetch that brought something.
    pub on_new: Key<Vec<String>>,
    /// `on-new-paths`: how the paths that it is given end, `"newline"` (default) or `"nul"`.
    pub on_new_paths: Key<PathEnd>,
    /// `on-new-timeout`: how long it may take; `"10 min"` by default.
    pub on_new_timeout: Key<Period>,
    /// `disabled`: `true` leaves the account alone unless it is named on the command line.
    pub disabled: Key<bool>,
}

impl Account {
    /// The keys, as serde lists them when it meets another.
    pub(crate) fn keys() -> Vec<String> {
        let error = toml::from_str::<Self>("no-such-key = 1").err();
        error.map_or_else(Vec::new, |error| expected_words(error.message()))
    }
}

/// The table `oauth`.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OAuthTable {
    /// `provider`: `"google"` or `"microsoft"`.
    pub provider: Key<ProviderWord>,
    /// `client-id`: what the provider knows the program by.
    pub client_id: Key<String>,
    /// `client-secret`: the other half of it, where there is one.
    pub client_secret: Key<Secret>,
    /// `authorization-endpoint`: where the browser is sent.
    pub authorization_endpoint: Key<String>,
    /// `token-endpoint`: where tokens come from.
    pub token_endpoint: Key<String>,
    /// `device-endpoint`: where the device flow begins.
    pub device_endpoint: Key<String>,
    /// `scope`: what the token is to be good for.
    pub scope: Key<String>,
    /// `store`: `"keyring"` (default) or `"file"`.
    pub store: Key<Store>,
    /// `token-command`: a program that prints an access token, in place of all the above.
    pub token_command: Key<Vec<String>>,
}

/// The table `deliver`.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeliverTable {
    /// `command`: a program that reads the message from its standard input, and its arguments.
    pub command: Key<Vec<String>>,
    /// `mbox`: a file that each message is appended to, in place of `command`.
    pub mbox: Key<String>,
    /// `lmtp`: a mail server that each message is sent to: `"unix:PATH"` or `"HOST:PORT"`.
    pub lmtp: Key<String>,
    /// `account`: another account of this file, whose server each message is given to.
    pub account: Key<String>,
    /// `folder`: the folder there; `"INBOX"` by default.
    pub folder: Key<String>,
    /// `recipient`: whom an LMTP server is told that the messages are for.
    pub recipient: Key<String>,
    /// `allow-insecure`: `true` lets messages go to another machine, readable on the way.
    pub allow_insecure: Key<bool>,
    /// `from-line`: `true` puts a line `From sender date` before it.
    pub from_line: Key<bool>,
    /// `deadline`: how long it may take for a message; `"5 min"` by default.
    pub deadline: Key<Period>,
}

/// The value of `client-secret`, which no error shows.
#[derive(Clone, Debug)]
pub struct Secret(pub ClientSecret);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self(ClientSecret(Zeroizing::new(text)))),
            _ => Err(de::Error::custom("`client-secret` is a text in quotes")),
        }
    }
}

/// The values of `provider`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderWord {
    /// Gmail, Google Workspace.
    Google,
    /// Outlook.com, Microsoft 365.
    Microsoft,
}

/// The values of `tls`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TlsMode {
    /// TLS from the first octet.
    Implicit,
    /// TLS after STLS.
    StartTls,
    /// None at all.
    None,
}

impl<'de> Deserialize<'de> for TlsMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WORDS: &[&str] = &["implicit", "starttls", "none"];
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => text,
            toml::Value::Boolean(true) => {
                return Err(de::Error::custom(
                    "TLS is on without this line; `tls` says which kind it is: \"implicit\" (from \
                     the first octet, the default), \"starttls\" or \"none\"",
                ));
            }
            _ => {
                return Err(de::Error::custom(
                    "`tls` is \"implicit\" (the default), \"starttls\" or \"none\"",
                ));
            }
        };
        match text.as_str() {
            "implicit" => Ok(Self::Implicit),
            "starttls" => Ok(Self::StartTls),
            "none" => Ok(Self::None),
            _ => Err(de::Error::unknown_variant(&text, WORDS)),
        }
    }
}

/// The value of `source-address`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Address(pub IpAddr);

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|_| "`source-address` is an IP address of this machine".to_owned())
    }
}

/// The words of [`Auth::ALL`].
impl<'de> Deserialize<'de> for Auth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        static WORDS: LazyLock<Vec<&str>> =
            LazyLock::new(|| Auth::ALL.iter().map(|(word, _)| *word).collect());
        let text = String::deserialize(deserializer)?;
        Self::of_word(&text).ok_or_else(|| de::Error::unknown_variant(&text, &WORDS))
    }
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => text,
            toml::Value::Integer(number @ 1..) => {
                return Err(de::Error::custom(format!(
                    "`keep` is \"always\", \"never\" or a duration with its unit, as in \"{number} days\""
                )));
            }
            _ => {
                return Err(de::Error::custom(
                    "`keep` is \"always\", \"never\" or a duration in quotes, as in \"14 days\"",
                ));
            }
        };
        let period = match text.as_str() {
            "always" => return Ok(Self::Always),
            "never" => return Ok(Self::Never),
            text => text.parse::<Period>(),
        };
        let period = period.map_err(|error| {
            let words = ["always".to_owned(), "never".to_owned()];
            de::Error::custom(match nearest(&text.to_lowercase(), &words) {
                Some(near) => format!("`{text}` is not known here; did you mean `{near}`?"),
                None => format!("`keep` is \"always\", \"never\" or a duration: {error}"),
            })
        })?;
        Ok(Self::For(period.duration()))
    }
}

/// As it is written in the file.
impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("always"),
            Self::Never => f.write_str("never"),
            Self::For(period) => f.write_str(&duration(*period)),
        }
    }
}

/// A file is as written, not yet made absolute.
impl<'de> Deserialize<'de> for Roots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Ok(roots) = String::deserialize(deserializer)?.parse();
        Ok(roots)
    }
}

/// The values of `password-netrc`; a file is as written, not yet made absolute.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NetrcWord {
    /// Whether it is the usual file.
    Usual(bool),
    /// Another file.
    File(String),
}

impl<'de> Deserialize<'de> for NetrcWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Nothing of the value in the error: people may take this for the password's own place.
        match toml::Value::deserialize(deserializer)? {
            toml::Value::Boolean(usual) => Ok(Self::Usual(usual)),
            toml::Value::String(path) => Ok(Self::File(path)),
            _ => Err(de::Error::custom(
                "`password-netrc` is true or the path of a netrc file in quotes",
            )),
        }
    }
}

/// The value of `password`. Unlike other values it never appears in an error about its type.
#[derive(Clone, Debug)]
pub struct Inline(pub Password);

impl<'de> Deserialize<'de> for Inline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(secret) => Ok(Self(Password::new(secret))),
            _ => Err(de::Error::custom("a password must be a text in quotes")),
        }
    }
}

/// The value of `tls-pin`: one pin or a list.
#[derive(Clone, Debug, Default)]
pub struct Pins(pub Vec<Pin>);

impl<'de> Deserialize<'de> for Pins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Pins;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a pin in quotes or a list of them")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Pins, E> {
                Ok(Pins(vec![text.parse().map_err(E::custom)?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Pins, A::Error> {
                let mut pins = Vec::new();
                while let Some(text) = list.next_element::<String>()? {
                    pins.push(text.parse().map_err(de::Error::custom)?);
                }
                if pins.is_empty() {
                    return Err(de::Error::custom("an empty list of pins protects nothing"));
                }
                Ok(Pins(pins))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::File;
    use super::*;

    const PAGE: &str = include_str!("../../man/popfetch.toml.5");
    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn account(text: &str) -> Result<Account, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn the_manual_page_describes_each_key_and_no_other() {
        let mut described: Vec<_> = PAGE
            .lines()
            .filter_map(|line| line.strip_prefix(".It Ic "))
            .map(|rest| rest.split_whitespace().next().unwrap().to_owned())
            .collect();
        let mut known = Account::keys();
        assert!(known.len() > 20, "{known:?}");
        let error = toml::from_str::<OAuthTable>("no-such-key = 1").unwrap_err();
        let of_oauth = expected_words(error.message());
        known.extend(of_oauth.into_iter().map(|key| format!("oauth.{key}")));
        let error = toml::from_str::<DeliverTable>("no-such-key = 1").unwrap_err();
        let of_deliver = expected_words(error.message());
        known.extend(of_deliver.into_iter().map(|key| format!("deliver.{key}")));
        let error = toml::from_str::<RuleTable>("no-such-key = 1").unwrap_err();
        let of_rules = expected_words(error.message());
        known.extend(of_rules.into_iter().map(|key| format!("rules.{key}")));
        described.sort();
        known.sort();
        assert_eq!(described, known);
    }

    #[test]
    fn the_sample_of_the_manual_page_is_a_config_file() {
        let sample: String = PAGE
            .split_once(".\\\" sample")
            .and_then(|(_, rest)| rest.split_once(".Ed"))
            .map(|(sample, _)| sample.lines().filter(|l| !l.starts_with('.')))
            .unwrap()
            .map(|line| format!("{}\n", line.replace("\\(dq", "\"").replace("\\-", "-")))
            .collect();
        let file = File::parse(&sample);
        assert!(file.accounts.len() >= 3, "{sample}");
        let mut accounts = file.accounts.values();
        assert!(accounts.all(|it| it.faults.is_empty()), "{sample}");
    }

    #[test]
    fn a_list_of_pins_has_one_at_least() {
        assert!(account("tls-pin = []").is_err());
        let two = format!("tls-pin = [\"{HEX}\", \"{HEX}\"]");
        assert_eq!(account(&two).unwrap().tls_pin.unwrap().as_ref().0.len(), 2);
    }

    #[test]
    fn an_error_about_a_password_does_not_repeat_it() {
        let error = account("password = 31415926").unwrap_err();
        assert!(!error.message().contains("31415926"));
    }

    #[test]
    fn keep_is_a_word_or_a_duration() {
        let keep = |text: &str| account(text).map(|a| a.keep.unwrap().into_inner());
        assert_eq!(keep("keep = 'always'").unwrap(), Keep::Always);
        assert_eq!(keep("keep = 'never'").unwrap(), Keep::Never);
        let day = std::time::Duration::from_secs(86_400);
        assert_eq!(keep("keep = '1 day'").unwrap(), Keep::For(day));
        let error = keep("keep = 'sometimes'").unwrap_err();
        assert!(
            error.message().contains("\"never\" or a duration"),
            "{error}"
        );
        assert!(keep("keep = '0 days'").is_err());
    }
}
