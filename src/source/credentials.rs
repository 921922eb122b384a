//! Who signs in, how, and where.

use super::Auth;
use crate::sasl::{self, Secret};

/// Who signs in, how, and where.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    /// Which methods are allowed.
    pub auth: Auth,
    /// The user's name.
    pub user: &'a str,
    /// What proves it.
    pub secret: Secret<'a>,
    /// The configured host; OAUTHBEARER names it.
    pub host: &'a str,
    /// The configured port, likewise.
    pub port: u16,
}

impl<'a> Credentials<'a> {
    pub(super) fn for_sasl(self) -> sasl::Credentials<'a> {
        sasl::Credentials {
            user: self.user,
            secret: self.secret,
            host: self.host,
            port: self.port,
        }
    }
}
