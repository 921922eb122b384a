//! How a connection in clear goes over to TLS.

use crate::server::Protocol;
use std::fmt;

/// The command for it, of one protocol or the other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Upgrade {
    /// POP3 (RFC 2595 section 4).
    Stls,
    /// IMAP (RFC 3501 section 6.2.1).
    StartTls,
}

impl Upgrade {
    /// The port on which the protocol begins with TLS.
    pub(super) fn implicit_port(self) -> u16 {
        let protocol = match self {
            Self::Stls => Protocol::Pop,
            Self::StartTls => Protocol::Imap,
        };
        protocol.tls_port()
    }

    /// What to do where it cannot be had.
    pub(super) fn hint(self) -> String {
        format!(
            "nothing was sent in clear; set tls = \"implicit\" and port {} if the server has that, or \
             someone may be between you and it",
            self.implicit_port()
        )
    }
}

impl fmt::Display for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stls => "STLS",
            Self::StartTls => "STARTTLS",
        })
    }
}
