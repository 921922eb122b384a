//! A server that may have the mail, and how it came to be named.

use super::address::Address;
use crate::profile::draft::Security;
use crate::profile::{checked_user, normal_host};
use crate::server::Protocol;
use std::fmt;

/// A server that may have the mail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// What it speaks.
    pub protocol: Protocol,
    /// Its name.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Whom the server knows the person as.
    pub user: String,
    /// Who says so.
    pub origin: Origin,
}

/// Who names a server; who is trusted more comes first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Origin {
    /// The table that is built in, by the address's domain.
    Table,
    /// The same table, by the domain's mail exchanger.
    MailExchanger,
    /// SRV records (RFC 6186).
    Srv,
    /// A document of the domain's own.
    Autoconfig,
    /// A document of the shared database.
    Database,
    /// A name that is usual.
    Guess,
    /// The person.
    Hand,
}

impl Origin {
    /// Whether the name came by a way that nobody in between can change.
    pub fn is_secure(self) -> bool {
        !matches!(self, Self::Srv)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Table => "known to popfetch",
            Self::MailExchanger => "known to popfetch by the domain's mail exchanger",
            Self::Srv => "named by the domain's SRV records",
            Self::Autoconfig => "named by the domain's autoconfig document",
            Self::Database => "named by Thunderbird's database",
            Self::Guess => "found by trying usual names",
            Self::Hand => "named by you",
        })
    }
}

impl Candidate {
    /// Checks what a table or document says; `None` where it makes no sense.
    pub(super) fn new(
        address: &Address,
        protocol: Protocol,
        (host, port, security): (&str, u16, Security),
        user: &str,
        origin: Origin,
    ) -> Option<Self> {
        let host = normal_host(&address.fill(host)).ok()?;
        let user = checked_user(&address.fill(user)).ok()?;
        (port != 0).then_some(Self {
            protocol,
            host,
            port,
            security,
            user,
            origin,
        })
    }

    /// How its connection is protected, in words.
    pub fn protection(&self) -> &'static str {
        match (self.security, self.protocol) {
            (Security::Implicit, _) => "TLS",
            (Security::StartTls, Protocol::Pop) => "TLS after STLS",
            (Security::StartTls, Protocol::Imap) => "TLS after STARTTLS",
            (Security::Clear, _) => "no encryption",
        }
    }

    /// Whether it is the same port of the same host.
    pub(super) fn is_at(&self, other: &Self) -> bool {
        (&self.host, self.port) == (&other.host, other.port)
    }

    /// The rank that it may turn out to have.
    pub(super) fn rank_at_best(&self) -> (bool, Origin, Security) {
        (false, self.origin, self.security.min(Security::StartTls))
    }

    /// What comes first: encryption before none, then whoever is trusted more, then TLS before STLS.
    pub(super) fn rank(&self) -> (bool, Origin, Security) {
        (self.security == Security::Clear, self.origin, self.security)
    }
}
