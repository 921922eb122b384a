//! From a host name to a channel of octets: [`dial`], [`tls`] and [`channel`].
//!
//! Nothing here knows POP3. What can go wrong is one type, [`Error`], because to the person it is
//! one question: why can this server not be reached?

pub mod channel;
pub mod dial;
pub mod tls;

pub use channel::{Channel, Moved, Socket};

use crate::exit::{Diagnose, Status};
use crate::stop;
use std::io;

/// Why a server cannot be reached, or a connection broke.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificate does not prove that this is the server.
    #[error("the certificate of {host} is not trusted: {reason}")]
    Certificate {
        /// The name that the certificate had to bear.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The connection ended before it should.
    #[error("the server closed the connection")]
    Closed,
    /// No address answered.
    #[error("cannot connect to {host}:{port}")]
    Connect {
        /// The configured host.
        host: String,
        /// The configured port.
        port: u16,
        /// The last address's error.
        source: io::Error,
    },
    /// The connection failed before TLS was set up.
    #[error("{0} in the TLS handshake")]
    Handshake(#[source] Box<Error>),
    /// The host name leads nowhere.
    #[error("there is no host named {host}")]
    NoSuchHost {
        /// The configured host.
        host: String,
    },
    /// The name service did not answer.
    #[error("cannot look up {host}")]
    Lookup {
        /// The configured host.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the connection broke")]
    Io(#[from] io::Error),
    /// The other side does not speak TLS.
    #[error("{host}:{port} does not speak TLS on this port; nothing was sent to it")]
    NotTls {
        /// The configured host.
        host: String,
        /// The configured port.
        port: u16,
    },
    /// The other side speaks no version of TLS that is safe.
    #[error("{0} offers neither TLS 1.3 nor TLS 1.2, and what is older is not safe")]
    OldTls(String),
    /// We were asked to stop.
    #[error("{0}")]
    Stopped(stop::Reason),
    /// The server was silent, or too slow, for so many seconds.
    #[error("no answer for {0} seconds")]
    TimedOut(u64),
    /// The server sent something, but hardly anything, in so many seconds.
    #[error("the server was too slow: less than 1 KiB in {0} seconds")]
    TooSlow(u64),
    /// TLS failed for another reason than the certificate.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The trusted certificates cannot be loaded.
    #[error("cannot load the trusted certificates{0}")]
    Roots(String),
    /// The name cannot be one in a certificate.
    #[error("{0:?} is no host name that a certificate could bear")]
    ServerName(String),
}

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Certificate { .. } | Self::NoSuchHost { .. } | Self::NotTls { .. } => {
                Status::Unavailable
            }
            Self::OldTls(_) | Self::Tls(_) => Status::Unavailable,
            Self::Handshake(source) => source.status(),
            Self::Stopped(reason) => reason.status(),
            Self::Roots(_) | Self::ServerName(_) => Status::Config,
            Self::Closed
            | Self::Connect { .. }
            | Self::Lookup { .. }
            | Self::Io(_)
            | Self::TimedOut(_)
            | Self::TooSlow(_) => Status::Temporary,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Handshake(source) => return source.hint(),
            Self::Certificate { .. } => {
                "if this is your own server, name its CA's certificate: tls-roots = \"/path/to/ca.pem\"; \
                 otherwise someone may be between you and the server: do not go on"
            }
            Self::NoSuchHost { .. } => "check `host` in the configuration",
            Self::NotTls { .. } => {
                "check `port`: POP3 over TLS is usually on 995; popfetch never falls back to plain text"
            }
            Self::OldTls(_) => "ask the provider for a server that is up to date",
            Self::Connect { .. } | Self::Lookup { .. } => {
                "check the network, and `host` and `port` in the configuration"
            }
            Self::Closed | Self::Io(_) | Self::TimedOut(_) | Self::TooSlow(_) => {
                "the next run takes up where this one ended"
            }
            Self::Roots(_) => "set `tls-roots` to a PEM file, or to \"bundled\" for Mozilla's list",
            Self::Stopped(_) | Self::Tls(_) | Self::ServerName(_) => return None,
        };
        Some(hint.to_owned())
    }
}
