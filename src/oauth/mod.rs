//! OAuth 2.0 (RFC 6749): an access token for the mail server, from a provider that a person signed
//! in to once.
//!
//! `protocol` is the messages, pure; [`crate::web`] carries them; `loopback` is where the browser
//! comes back to. [`browser_login`] and [`device_login`] are the two ways to sign in, [`refresh`]
//! is what every run does afterwards. Where a [`Grant`] is kept is not known here.

mod flows;
mod loopback;
mod protocol;

pub use flows::{browser_login, device_login, refresh};
pub use loopback::Loopback;
pub use protocol::{DevicePrompt, Grant};

use crate::exit::{Diagnose, Status};
use crate::net;
use crate::term::escape_str;
use crate::web;
use std::fmt;
use zeroize::Zeroizing;

pub use crate::web::{Endpoint, Line};

/// An access token that expires in so many seconds is no good any more.
pub const MARGIN: i64 = 300;

/// Who signs in, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Client {
    /// What the provider knows this program by; from the provider's console.
    pub id: String,
    /// The other half of it, where the provider wants one.
    pub secret: Option<ClientSecret>,
    /// Where the browser is sent; `None` where there is no such flow.
    pub authorization: Option<Endpoint>,
    /// Where tokens come from.
    pub token: Endpoint,
    /// Where the device flow begins; `None` where there is no such flow.
    pub device: Option<Endpoint>,
    /// What the token is to be good for.
    pub scope: String,
    /// What the provider wants this machine to be called where the browser comes back.
    pub redirect_host: &'static str,
    /// More that the authorization endpoint wants to be told.
    pub extra: &'static [(&'static str, &'static str)],
}

/// A client's secret: never shown by `Debug`.
#[derive(Clone, Eq, PartialEq)]
pub struct ClientSecret(pub Zeroizing<String>);

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(..)")
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The provider answers with something that is no answer.
    #[error("the answer of {host} is not understood: {reason}")]
    Answer {
        /// Who answered.
        host: String,
        /// What is wrong with it; without any of it.
        reason: &'static str,
    },
    /// The person said no.
    #[error("the sign-in was declined in the browser")]
    Declined,
    /// The person took too long.
    #[error("nobody signed in within {0} minutes")]
    Expired(u64),
    /// The provider has trouble of its own, or is asked too often.
    #[error("{host} cannot give a token now (HTTP status {code})")]
    Busy {
        /// Who answered.
        host: String,
        /// The HTTP status.
        code: u16,
    },
    /// The provider is not reached.
    #[error("cannot reach {host} for an access token")]
    Net {
        /// Which host.
        host: String,
        /// Why.
        source: Box<net::Error>,
    },
    /// No such flow.
    #[error("this provider is not known to have the {0}")]
    NoFlow(&'static str),
    /// The provider refuses.
    #[error("{host} refuses: {error}{}", described(description))]
    Refused {
        /// Who answered.
        host: String,
        /// Its word for it (RFC 6749 section 5.2), harmless.
        error: String,
        /// Its words, harmless.
        description: String,
    },
    /// The redirect cannot be waited for.
    #[error("cannot wait for the browser on 127.0.0.1")]
    Loopback(#[source] std::io::Error),
    /// Time-out of the whole exchange.
    #[error("{0} took too long to answer")]
    Slow(String),
    /// We were asked to stop.
    #[error("{0}")]
    Stopped(crate::stop::Reason),
}

fn described(description: &str) -> String {
    match description {
        "" => String::new(),
        text => format!(" (\"{}\")", escape_str(&text.replace('"', "'"))),
    }
}

impl Error {
    /// The sign-in has to be done again: it was withdrawn, or has expired.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Refused { error, .. } if error == "invalid_grant")
    }
}

impl From<web::Error> for Error {
    fn from(error: web::Error) -> Self {
        match error {
            web::Error::Answer { host, reason } => Self::Answer { host, reason },
            web::Error::Net { host, source } => Self::Net { host, source },
            web::Error::Slow(host) => Self::Slow(host),
            web::Error::Stopped(reason) => Self::Stopped(reason),
        }
    }
}

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Answer { .. } => Status::Protocol,
            Self::Busy { .. } | Self::Slow(_) => Status::Temporary,
            Self::Declined | Self::Expired(_) => Status::NoPermission,
            Self::Net { source, .. } => source.status(),
            Self::NoFlow(_) => Status::Config,
            // What must be changed for these stands in the config file.
            Self::Refused { error, .. } => match error.as_str() {
                "invalid_client"
                | "unauthorized_client"
                | "invalid_scope"
                | "unsupported_grant_type"
                | "invalid_request" => Status::Config,
                "temporarily_unavailable" | "server_error" => Status::Temporary,
                _ => Status::NoPermission,
            },
            Self::Loopback(_) => Status::Temporary,
            Self::Stopped(reason) => reason.status(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Answer { .. } => "check the endpoints in the account's `oauth` table",
            Self::Busy { .. } | Self::Slow(_) => "the next run tries again",
            Self::Declined | Self::Expired(_) => "run the same command again",
            Self::Net { source, .. } => match source.as_ref() {
                net::Error::NoSuchHost { .. } => {
                    "is there a network? Check the endpoints in the account's `oauth` table, if it \
                     has any"
                }
                other => return other.hint(),
            },
            Self::NoFlow("device flow") => "leave out --device",
            Self::NoFlow(_) => "use --device, or add `authorization-endpoint` to the account",
            Self::Refused { error, .. } => match error.as_str() {
                "invalid_client" | "unauthorized_client" => {
                    "check `client-id` and `client-secret` in the account's `oauth` table, and \
                     what kind of application the provider has them down for"
                }
                "invalid_scope" => "check `scope` in the account's `oauth` table",
                "invalid_grant" => "run popfetch login again",
                _ => return None,
            },
            Self::Loopback(_) | Self::Stopped(_) => return None,
        };
        Some(hint.to_owned())
    }
}
