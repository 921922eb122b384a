//! Where a maildrop is, and whose it is.

use crate::term::percent;

/// The port of POP3 over TLS (RFC 8314 section 7.2).
pub const TLS_PORT: u16 = 995;

/// A maildrop's address. State is kept under this, not under the profile's name, so that a
/// renamed profile keeps its history and an edited one never inherits another maildrop's.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Server {
    /// Host name or address, lower case, without a trailing dot.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The user's name exactly as the server wants it.
    pub user: String,
}

impl Server {
    /// `user@host:port`, the name under which state and passwords are kept.
    pub fn id(&self) -> String {
        format!("{}@{}:{}", self.user, self.host, self.port)
    }

    /// The URL of a maildrop, as a person can give it on the command line.
    pub fn url(&self) -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~@+".contains(&b);
        let mut url = String::from("pops://");
        percent(&mut url, self.user.as_bytes(), plain);
        match &self.host {
            host if host.contains(':') => url.push_str(&format!("@[{host}]")),
            host => url.push_str(&format!("@{host}")),
        }
        if self.port != TLS_PORT {
            url.push_str(&format!(":{}", self.port));
        }
        url
    }
}
