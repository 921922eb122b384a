//! Ways to a server that are not the straight one: which proxy, and how it is asked.
//!
//! SOCKS5 is RFC 1928 with RFC 1929; the server's name is left to the proxy to resolve. HTTP is
//! CONNECT (RFC 9110 section 9.3.6). What a proxy answers is as hostile as what a server does.

use super::Error;
use crate::exit::{Diagnose, Status};
use std::fmt;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// How a server is connected to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Way {
    /// The address of this machine to connect from.
    pub source_address: Option<IpAddr>,
    /// What stands between.
    pub proxy: Option<Proxy>,
}

/// What stands between this machine and the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Proxy {
    /// A program whose standard input and output are the connection. In its arguments `%h` and
    /// `%p` stand for the server's host and port, `%%` for a percent sign.
    Command(Vec<String>),
    /// A proxy server.
    Server(ProxyServer),
}

/// A proxy server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProxyServer {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Its name or address.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// What to sign in to it with.
    pub login: Option<Login>,
}

/// What a proxy server speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProxyKind {
    /// HTTP with the method CONNECT.
    Http,
    /// SOCKS version 5.
    Socks5,
}

/// What a person signs in to a proxy with.
#[derive(Clone, Eq, PartialEq)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Login").field(&self.user).finish()
    }
}

/// As in the config file, without the password.
impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::Http => "http",
            ProxyKind::Socks5 => "socks5",
        };
        write!(f, "{scheme}://")?;
        if let Some(login) = &self.login {
            write!(f, "{}:***@", login.user)?;
        }
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Why a proxy gives no connection.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It cannot be reached, or the connection to it broke.
    #[error("{0}")]
    Net(#[source] Error),
    /// It wants another user or password, or any at all.
    #[error("it refused the sign-in: {said}")]
    Login {
        /// What it said.
        said: String,
        /// Whether it was given what it wants.
        lack: Lack,
    },
    /// It will not connect to the server.
    #[error("it refused to connect to the server: {0}")]
    Refused(String),
    /// It could not connect to the server now.
    #[error("it could not connect to the server: {0}")]
    Unreachable(String),
    /// It does not speak as it should.
    #[error("it does not answer as {0} does")]
    Gibberish(&'static str),
}

/// What a proxy that refuses the sign-in lacks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lack {
    /// A user and a password.
    Login,
    /// A way to sign in that is known here.
    Method,
    /// The right user or password.
    Right,
}

impl Diagnose for Refusal {
    fn status(&self) -> Status {
        match self {
            // Where the proxy's name leads nowhere, or its address is wrong, says more.
            Self::Net(error) => error.status(),
            Self::Login { .. } => Status::NoPermission,
            Self::Refused(_) | Self::Gibberish(_) => Status::Unavailable,
            Self::Unreachable(_) => Status::Temporary,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Net(error) if error.status() == Status::Config => return error.hint(),
            Self::Net(_) => "check the network, and `proxy` in the configuration",
            Self::Login {
                lack: Lack::Right, ..
            } => "check user and password in `proxy`",
            Self::Login {
                lack: Lack::Method, ..
            } => {
                "it wants a way to sign in that popfetch does not have: ask whoever runs the proxy"
            }
            Self::Login {
                lack: Lack::Login, ..
            } => {
                "put user and password into `proxy`, as in socks5://USER:PASSWORD@HOST:PORT (the config \
                 file is then for you alone: chmod 600)"
            }
            Self::Refused(_) => "ask whoever runs the proxy; is `port` one that it lets through?",
            Self::Unreachable(_) => "check the account's `host` and `port`, or try later",
            Self::Gibberish(_) => "check scheme, host and port of `proxy` in the configuration",
        };
        Some(hint.to_owned())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Net(error)
    }
}

/// The words of an argv with `%h`, `%p` and `%%` put in; an error is the `%` that is unknown.
pub fn expand(argv: &[String], host: &str, port: u16) -> Result<Vec<String>, String> {
    let word = |word: &String| {
        let mut expanded = String::new();
        let mut rest = word.chars();
        while let Some(c) = rest.next() {
            match c {
                '%' => match rest.next() {
                    Some('h') => expanded.push_str(host),
                    Some('p') => expanded.push_str(&port.to_string()),
                    Some('%') => expanded.push('%'),
                    Some(other) => return Err(format!("%{other}")),
                    None => return Err("%".to_owned()),
                },
                c => expanded.push(c),
            }
        }
        Ok(expanded)
    };
    argv.iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_stand_for_host_and_port_and_nothing_else() {
        let argv =
            |words: &[&str]| -> Vec<String> { words.iter().map(|w| w.to_string()).collect() };
        let ssh = argv(&["ssh", "-W", "[%h]:%p", "100%%h", "$HOME"]);
        assert_eq!(
            expand(&ssh, "pop.example.com", 995),
            Ok(argv(&[
                "ssh",
                "-W",
                "[pop.example.com]:995",
                "100%h",
                "$HOME"
            ]))
        );
        for (word, wrong) in [("%r", "%r"), ("a%", "%")] {
            assert_eq!(expand(&argv(&[word]), "h", 1), Err(wrong.to_owned()));
        }
    }

    #[test]
    fn a_proxy_is_named_without_its_password() {
        let proxy = ProxyServer {
            kind: ProxyKind::Socks5,
            host: "::1".into(),
            port: 1080,
            login: Some(Login {
                user: "ada".into(),
                password: Zeroizing::new("tr0ub4dor".into()),
            }),
        };
        assert_eq!(proxy.to_string(), "socks5://ada:***@[::1]:1080");
        assert!(!format!("{proxy:?}").contains("tr0ub4dor"));
    }
}
