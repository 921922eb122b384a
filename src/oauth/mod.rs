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

use crate::exit::at_hand::either;
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
    /// A sign-in that would be over within the hour.
    #[error("{0} gave an access token, and no refresh token to get the next one with")]
    NoRefreshToken(String),
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

    /// The provider wants a person, as where it has a new question (OpenID Connect Core 1.0 section
    /// 3.1.2.6).
    pub fn wants_person(&self) -> bool {
        const WORDS: [&str; 4] = [
            "account_selection_required",
            "consent_required",
            "interaction_required",
            "login_required",
        ];
        matches!(self, Self::Refused { error, .. } if WORDS.contains(&error.as_str()))
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
            Self::NoFlow(_) | Self::NoRefreshToken(_) => Status::Config,
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
            Self::Answer { .. } => {
                "check the endpoints in the account's `oauth` table, if it has any; where they are \
                 right, the provider has trouble of its own: try again in a while"
            }
            Self::Busy { .. } | Self::Slow(_) => PASSES,
            Self::Declined | Self::Expired(_) => "run the same command again",
            Self::Net { source, .. } => match source.as_ref() {
                net::Error::NoSuchHost { .. } => {
                    "is there a network? Check the endpoints in the account's `oauth` table, if it \
                     has any"
                }
                other => match of_the_way(other) {
                    Some(hint) => hint,
                    None => return other.hint(),
                },
            },
            Self::NoRefreshToken(_) => {
                "`scope` in the account's `oauth` table must ask for one, which many providers have as \
                 offline_access"
            }
            Self::NoFlow("device flow") => "leave out --device",
            Self::NoFlow(_) => either(
                "device",
                "use --device, or add `authorization-endpoint` to the account's `oauth` table",
                "add `authorization-endpoint` to the account's `oauth` table",
            ),
            Self::Refused { error, .. } => match error.as_str() {
                "invalid_client" | "unauthorized_client" => {
                    "check `client-id` and `client-secret` in the account's `oauth` table, and \
                     what kind of application the provider has them down for"
                }
                "invalid_scope" => "check `scope` in the account's `oauth` table",
                "invalid_grant" => "run the same command again: what a sign-in brings is good once",
                "temporarily_unavailable" | "server_error" => PASSES,
                _ => {
                    "what the provider says is for whoever runs it, or has set up the account there"
                }
            },
            Self::Loopback(_) => either(
                "device",
                "use --device, for which nothing has to come back to this machine",
                "popfetch login --device signs in without",
            ),
            Self::Stopped(_) => return None,
        };
        Some(hint.to_owned())
    }
}

/// Of what is the provider's trouble. A fetch has a next run, and who signs in is there to try again.
const PASSES: &str = "this will pass: try again in a while, as the next fetch does by itself";

/// What to do about the way to a provider, where that is something else than about the way to a mail
/// server: it is not the account's `host` and `port`, nor a certificate of its keys.
fn of_the_way(error: &net::Error) -> Option<&'static str> {
    Some(match error {
        net::Error::Connect { .. } | net::Error::Lookup { .. } => {
            "check the network, and the endpoints in the account's `oauth` table, if it has any"
        }
        net::Error::Closed
        | net::Error::Io(_)
        | net::Error::TimedOut(_)
        | net::Error::TooSlow(_)
        | net::Error::Dripping(_) => PASSES,
        net::Error::Handshake(_) | net::Error::NotTls { .. } => {
            "check the endpoints in the account's `oauth` table, if it has any: they are https, and \
             usually on port 443"
        }
        net::Error::Certificate { .. } => {
            "the provider is trusted by this system's list of authorities alone, or by Mozilla's with \
             tls-roots = \"bundled\" in the account; a certificate or a pin of the account's is about \
             its mail server. If the list is right, someone may be between you and the provider: do not \
             go on"
        }
        net::Error::Alert(_) | net::Error::OldTls { .. } => {
            "the provider and popfetch agree on no way to encrypt: check the endpoints in the account's \
             `oauth` table, if it has any"
        }
        _ => return None,
    })
}
