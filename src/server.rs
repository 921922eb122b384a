//! Where a maildrop is, and whose it is.

use crate::term::percent;

/// The port of POP3 over TLS (RFC 8314 section 7.2).
pub const TLS_PORT: u16 = 995;

/// By which protocol mail is fetched.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, serde::Deserialize)]
pub enum Protocol {
    /// POP3.
    #[default]
    #[serde(rename = "pop3")]
    Pop,
    /// IMAP.
    #[serde(rename = "imap")]
    Imap,
}

impl Protocol {
    /// Whether this tool of others keeps a list of what it has fetched by it.
    pub fn is_listed_by(self, tool: &str) -> bool {
        match self {
            Self::Pop => true,
            Self::Imap => ["getmail", "mbsync"].contains(&tool),
        }
    }

    /// Its word in the config file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pop => "pop3",
            Self::Imap => "imap",
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pop => "POP3",
            Self::Imap => "IMAP",
        }
    }

    /// The scheme of its URLs, with TLS from the first octet.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Pop => "pops",
            Self::Imap => "imaps",
        }
    }

    /// Whether its servers may say by themselves that mail has come.
    pub fn tells_of_mail(self) -> bool {
        match self {
            Self::Pop => false,
            Self::Imap => true,
        }
    }

    /// A server's name, for a person who is asked for one.
    pub fn example(self) -> &'static str {
        match self {
            Self::Pop => "pop.example.com",
            Self::Imap => "imap.example.com",
        }
    }

    /// Its port with TLS from the first octet (RFC 8314 section 7).
    pub fn tls_port(self) -> u16 {
        match self {
            Self::Pop => TLS_PORT,
            Self::Imap => 993,
        }
    }

    /// Whether a server takes messages by it, to keep them.
    pub fn takes_messages(self) -> bool {
        match self {
            Self::Pop => false,
            Self::Imap => true,
        }
    }

    /// Whether there are other folders than the inbox.
    pub fn has_folders(self) -> bool {
        match self {
            Self::Pop => false,
            Self::Imap => true,
        }
    }

    /// Its port where a connection begins without TLS (RFC 1939 section 3, RFC 3501 section 2.1).
    pub fn plain_port(self) -> u16 {
        match self {
            Self::Pop => 110,
            Self::Imap => 143,
        }
    }
}

/// A maildrop's address. State is kept under this, not under the profile's name, so that a
/// renamed profile keeps its history and an edited one never inherits another maildrop's.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Server {
    /// What it speaks.
    pub protocol: Protocol,
    /// Host name or address, lower case, without a trailing dot.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The user's name exactly as the server wants it.
    pub user: String,
}

impl Server {
    /// `user@host:port`, the name under which state and passwords are kept. `+imap` behind it keeps
    /// those of IMAP apart: no id of POP3 ends so.
    pub fn id(&self) -> String {
        let protocol = match self.protocol {
            Protocol::Pop => "",
            Protocol::Imap => "+imap",
        };
        format!("{}@{}:{}{protocol}", self.user, self.host, self.port)
    }

    /// The URL of a maildrop, as a person can give it on the command line.
    pub fn url(&self) -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~@+".contains(&b);
        let mut url = format!("{}://", self.protocol.scheme());
        percent(&mut url, self.user.as_bytes(), plain);
        match &self.host {
            host if host.contains(':') => url.push_str(&format!("@[{host}]")),
            host => url.push_str(&format!("@{host}")),
        }
        if self.port != self.protocol.tls_port() {
            url.push_str(&format!(":{}", self.port));
        }
        url
    }
}
