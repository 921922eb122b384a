//! What a client has to know about a server of the tests, and how that server protects itself.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;

use super::certificate::{Authority, Identity};

/// What a client needs to know to sign in.
#[derive(Clone, Debug)]
pub struct Account {
    /// "localhost".
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
    /// The authority's PEM file; None if the server speaks no TLS.
    pub roots: Option<PathBuf>,
}

impl Account {
    /// That of "ada" with the password "secret", at a port of localhost.
    pub fn of_ada(port: u16, roots: Option<PathBuf>) -> Self {
        Self {
            host: "localhost".into(),
            port,
            user: "ada".into(),
            password: "secret".into(),
            roots,
        }
    }
}

/// How a server's connections are protected.
#[derive(Clone, Debug, Default)]
pub enum Security {
    /// Not at all.
    Plain,
    /// TLS from the first octet with this config. `roots` is the file that the account names for
    /// it; the authority that made it has to be kept by the test.
    Custom {
        /// What the server presents and accepts.
        config: Arc<ServerConfig>,
        /// What the client is told to trust.
        roots: PathBuf,
    },
    /// As [`Security::Custom`], but after STLS; the account's keys need `tls = "starttls"`.
    StartTls {
        /// What the server presents and accepts.
        config: Arc<ServerConfig>,
        /// What the client is told to trust.
        roots: PathBuf,
    },
    /// TLS from the first octet with a good certificate for localhost, from an authority of the
    /// server's own.
    #[default]
    Tls,
}

impl Security {
    /// TLS with this certificate; the client is told to trust `authority`.
    pub fn identity(identity: &Identity, authority: &Authority) -> Self {
        Self::Custom {
            config: identity.server_config(),
            roots: authority.pem_file(),
        }
    }

    /// The same after STLS.
    pub fn stls(identity: &Identity, authority: &Authority) -> Self {
        Self::StartTls {
            config: identity.server_config(),
            roots: authority.pem_file(),
        }
    }

    /// Whether connections begin in clear and may be encrypted later.
    pub(super) fn starts_in_clear(&self) -> bool {
        matches!(self, Self::StartTls { .. })
    }

    pub(super) fn prepare(
        self,
    ) -> (
        Option<Authority>,
        Option<PathBuf>,
        Option<Arc<ServerConfig>>,
    ) {
        match self {
            Self::Plain => (None, None, None),
            Self::Custom { config, roots } | Self::StartTls { config, roots } => {
                (None, Some(roots), Some(config))
            }
            Self::Tls => {
                let authority = Authority::new();
                let config = authority.localhost().server_config();
                let roots = authority.pem_file();
                (Some(authority), Some(roots), Some(config))
            }
        }
    }
}
