//! From the config file and the command line to a validated [`Profile`].
//!
//! Parse, don't validate: `file` holds the serde types, one field a TOML key, and knows nothing
//! else; `resolve` merges defaults, account and command line and applies the rules that span
//! several keys; what comes out is a [`Profile`], which the engine (`fetch`, `session`) takes as
//! it is. The engine never sees TOML, and this module never opens a connection.

use crate::handover::Recipient;
use crate::maildir::Filing;
use crate::oauth::Line;
use crate::secrets::Wanted;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

pub use crate::net::pin::Pin;
pub use crate::net::proxy::{Proxy, ProxyServer, Way};
pub use crate::net::tls::{ClientCertificate, MinVersion, Roots, TlsPolicy};
pub use crate::plan::{Keep, Order, Policy};
pub use crate::rules::Rules;
pub use crate::secrets::{OAuth, PasswordSource};
pub use crate::server::{Protocol, Server, TLS_PORT};
pub use crate::source::Auth;
pub use crate::source::folders::Folders;
pub(crate) use address::{checked_user, normal_host, without_password};
pub use config::{Config, Selected, select};
pub use dated::Dated;
pub use deliver::Deliver;
pub use diagnose::{ConfigError, Told};
pub use folders::Destination;
pub use on_new::{OnNew, PathEnd};
pub use overrides::Overrides;
pub use problem::Problem;
pub use resolve::{EVERY, TIMEOUT};
pub use shard::Shard;
pub use typed::{Typed, config_option};
pub(crate) use words::nearest;

mod address;
mod addressee;
mod config;
mod dated;
mod deliver;
mod diagnose;
pub mod draft;
pub mod edit;
pub mod file;
mod filing;
mod folders;
mod mailbox;
mod misread;
mod on_new;
mod overrides;
mod problem;
pub mod providers;
mod proxy;
pub mod removal;
mod resolve;
pub mod rule_table;
mod salvage;
mod shape;
mod shard;
pub mod shown;
mod syntax;
mod tables;
mod typed;
pub mod units;
mod url;
mod words;
mod written;

/// One account, validated: everything `fetch` needs to know about it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The account's name in the config file, or `user@host` for one given as a URL.
    pub name: String,
    /// Where the maildrop is and whose it is.
    pub server: Server,
    /// How the connection is protected.
    pub tls: Tls,
    /// By which way the server is connected to.
    pub way: Way,
    /// How to sign in.
    pub auth: Auth,
    /// Where the password comes from.
    pub password: PasswordSource,
    /// The Maildir that new messages are stored in; an absolute path. It is beside the state where
    /// [`Profile::deliver`] says that they only pass through it.
    pub maildir: PathBuf,
    /// How its path follows the year or the month, if it does.
    pub dated: Option<Dated>,
    /// How their files are made there; as always, where they only pass through.
    pub filing: Filing,
    /// Which folders of the server are read.
    pub folders: Folders,
    /// Where in the Maildir the messages of each go, where no rule says it.
    pub into: Destination,
    /// What takes them once they are there, if anything.
    pub deliver: Option<Deliver>,
    /// The account whose folder that is, if it is one.
    pub addressee: Option<Box<Profile>>,
    /// What becomes of messages.
    pub policy: Policy,
    /// Which of those that have not been fetched come, and where to.
    pub rules: Rules,
    /// Whether commands may be sent before earlier ones are answered.
    pub pipelining: Pipelining,
    /// How long the server may be silent.
    pub timeout: Duration,
    /// How long `watch` leaves it alone between two fetches.
    pub every: Duration,
    /// What is run after a fetch that brought something.
    pub on_new: Option<OnNew>,
    /// How its owner named it.
    pub typed: Typed,
}

impl Profile {
    /// A profile that says nothing but whose mail it is.
    pub fn new(name: String, server: Server) -> Self {
        Self {
            name,
            server,
            tls: Tls::Implicit(TlsPolicy::default()),
            way: Way::default(),
            auth: Auth::default(),
            password: PasswordSource::Prompt,
            maildir: PathBuf::new(),
            dated: None,
            filing: Filing::default(),
            folders: Folders::default(),
            into: Destination::default(),
            deliver: None,
            addressee: None,
            policy: Policy::default(),
            rules: Rules::default(),
            pipelining: Pipelining::default(),
            timeout: TIMEOUT,
            every: EVERY,
            on_new: None,
            typed: Typed::default(),
        }
    }

    /// Whether its mail is in a Maildir of its owner's, rather than passing through a place of ours.
    pub fn has_maildir(&self) -> bool {
        self.deliver.as_ref().is_none_or(Deliver::keeps)
    }

    /// Whether its messages are written to standard output.
    pub fn writes_to_stdout(&self) -> bool {
        let deliver = self.deliver.as_ref();
        deliver.is_some_and(|deliver| deliver.to == Recipient::Stdout)
    }

    /// The Maildirs that the account had before, where its path follows the year or the month, and that
    /// are there.
    pub fn earlier_maildirs(&self) -> Vec<PathBuf> {
        let dated = self.dated.as_ref();
        dated.map_or_else(Vec::new, |dated| dated.earlier(&self.maildir))
    }

    /// What is to be got for a sign-in.
    pub fn wanted(&self) -> Wanted<'_> {
        Wanted {
            account: &self.name,
            word: self.word(),
            server: &self.server,
            source: &self.password,
            line: self.line(),
        }
    }

    /// The way to whoever gives access tokens.
    pub fn line(&self) -> Line {
        Line {
            way: self.way.clone(),
            // A file or a pin of the account's is about its mail server alone.
            roots: match self.tls.policy().map(|policy| &policy.roots) {
                Some(Roots::Bundled) => Roots::Bundled,
                _ => Roots::System,
            },
            timeout: self.timeout,
        }
    }
}

/// How the connection is protected.
#[derive(Clone, Debug)]
pub enum Tls {
    /// TLS from the first octet (RFC 8314 section 3).
    Implicit(TlsPolicy),
    /// TLS after STLS, without which nothing is sent (RFC 2595 section 4).
    StartTls(TlsPolicy),
    /// No TLS; only with `allow-insecure = true`.
    None,
}

impl Tls {
    /// Whom to trust, where there is TLS.
    pub fn policy(&self) -> Option<&TlsPolicy> {
        match self {
            Self::Implicit(policy) | Self::StartTls(policy) => Some(policy),
            Self::None => None,
        }
    }

    /// The same, to be changed.
    pub(crate) fn policy_mut(&mut self) -> Option<&mut TlsPolicy> {
        match self {
            Self::Implicit(policy) | Self::StartTls(policy) => Some(policy),
            Self::None => None,
        }
    }
}

/// Whether commands may be sent before earlier ones are answered.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pipelining {
    /// When the server announces it (RFC 2449 section 6.6).
    #[default]
    Auto,
    /// Never.
    Off,
}
