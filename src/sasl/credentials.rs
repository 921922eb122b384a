//! Who signs in with what, and what it can be bound to.

use std::fmt;

/// What someone signs in with.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Secret<'a> {
    /// A password.
    Password(&'a str),
    /// An OAuth 2.0 access token.
    Token(&'a str),
    /// Nothing: the TLS connection says who it is.
    None,
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password(..)",
            Self::Token(_) => "Token(..)",
            Self::None => "None",
        })
    }
}

impl<'a> Secret<'a> {
    /// The secret itself; empty where there is none.
    pub fn reveal(self) -> &'a str {
        match self {
            Self::Password(secret) | Self::Token(secret) => secret,
            Self::None => "",
        }
    }
}

/// Who signs in, and where: some mechanisms name the server that a token is meant for.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    /// The user's name.
    pub user: &'a str,
    /// What proves it.
    pub secret: Secret<'a>,
    /// The configured host.
    pub host: &'a str,
    /// The configured port.
    pub port: u16,
}

/// Whether SCRAM can be bound to the TLS connection (RFC 5802 section 6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Binding {
    /// We cannot, or do not need to say that we could.
    Impossible,
    /// We could, but the server does not offer it: it will find out if someone on the way took the
    /// offer out.
    NotOffered,
    /// The keying material of `tls-exporter` (RFC 9266).
    TlsExporter([u8; 32]),
}
