//! What a connection is, for a person to look at.

use super::pin::Pin;
use std::net::SocketAddr;

/// A connection as it was made.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The address at its other end; `None` where a program is in between.
    pub peer: Option<SocketAddr>,
    /// Its TLS, if it has any.
    pub tls: Option<TlsFacts>,
}

/// How a connection is protected.
#[derive(Clone, Debug)]
pub struct TlsFacts {
    /// The version, in words.
    pub version: &'static str,
    /// The server's certificates, its own first, as it has shown them.
    pub chain: Vec<Certificate>,
    /// The pin of the server's key.
    pub pin: Option<Pin>,
}

/// A certificate's words are the other side's own, made harmless.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Who has signed it.
    pub issuer: String,
    /// The names that it is for.
    pub names: String,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: i64,
}

impl Certificate {
    /// All that are the other side's words.
    pub fn words_mut(&mut self) -> [&mut String; 3] {
        [&mut self.subject, &mut self.issuer, &mut self.names]
    }
}
