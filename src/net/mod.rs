//! From a host name to a channel of octets: [`route`] finds the way (over [`dial`], through a
//! [`proxy`] or a [`program`]), [`tls`] says whom to trust, [`channel`] carries the octets.
//!
//! Nothing here knows POP3. What can go wrong is one type, [`Error`], because to the person it is
//! one question: why can this server not be reached?

mod certificate;
pub mod channel;
pub mod dial;
pub mod facts;
mod layer;
pub mod pin;
pub mod program;
pub mod proxy;
pub mod route;
mod socks;
pub mod speech;
#[cfg(debug_assertions)]
pub(crate) mod stage;
mod stream;
pub mod tls;
mod tunnel;

pub use certificate::{Cause, Distrust};
pub use channel::{Channel, Socket};
pub use facts::Facts;
pub use route::{Protection, Route, Target};
pub use stream::{Moved, Stream};

use crate::exit::at_hand::either;
use crate::exit::{Diagnose, Status};
use crate::private;
use crate::stop;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Why a server cannot be reached, or a connection broke.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificate does not prove that this is the server.
    #[error("the certificate of {host} is not trusted: {reason}")]
    Certificate {
        /// What to do about it hangs on this.
        distrust: Box<certificate::Distrust>,
        /// The name that the certificate had to bear.
        host: String,
        /// What is wrong with it, and what is in it.
        reason: String,
    },
    /// The certificate that we are to show cannot be used.
    #[error("cannot use the client certificate {file}: {reason}")]
    ClientCertificate {
        /// The file of it, or of its key.
        file: String,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        advice: &'static str,
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
    /// Others can read the key of the certificate that we are to show.
    #[error("the key {} can be read by others", .0.display())]
    ExposedKey(PathBuf),
    /// The connection failed before TLS was set up.
    #[error("{0} in the TLS handshake")]
    Handshake(#[source] Box<Error>),
    /// Octets in clear behind the server's consent to TLS: someone in between would have them
    /// taken for the server's.
    #[error(
        "there was more in clear behind the server's consent to TLS, which is how an attack looks"
    )]
    Injected,
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
    #[error("{host}:{port} does not speak TLS on this port{}; nothing was sent to it",
        speech.map(|it| format!(": it is {}", it.speaker())).unwrap_or_default())]
    NotTls {
        /// What it speaks instead, where that is plain.
        speech: Option<speech::Speech>,
        /// The configured host.
        host: String,
        /// The configured port.
        port: u16,
    },
    /// The other side speaks no version of TLS that will do.
    #[error("{host} offers {versions}")]
    OldTls {
        /// The configured host.
        host: String,
        /// Which it does not offer.
        versions: &'static str,
    },
    /// The host has no address of the kind that `source-address` is.
    #[error("{host} has no address that can be reached from {from}")]
    OtherKind {
        /// The configured host.
        host: String,
        /// The configured source address.
        from: IpAddr,
    },
    /// The server wants a certificate of ours, or another one.
    #[error("the server refused the client certificate, or the lack of one ({0})")]
    OurCertificate(String),
    /// A word of `proxy-command` has a `%` that stands for nothing.
    #[error("`{0}` stands for nothing in `proxy-command`")]
    Placeholder(String),
    /// The program of `proxy-command` cannot be started.
    #[error("cannot run the proxy command `{program}`")]
    Program {
        /// The program, without its arguments.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A proxy gives no connection.
    #[error("the proxy {proxy} cannot be used: {source}")]
    Proxy {
        /// Which one.
        proxy: String,
        /// Why.
        source: Box<proxy::Refusal>,
    },
    /// `source-address` is no address of this machine.
    #[error("cannot connect from {address}")]
    Source {
        /// The configured address.
        address: IpAddr,
        /// What the system said.
        source: io::Error,
    },
    /// We were asked to stop.
    #[error("{0}")]
    Stopped(stop::Reason),
    /// The server was silent, or too slow, for so many seconds.
    #[error("no answer for {0} seconds")]
    TimedOut(u64),
    /// The server sent something, but hardly anything, in so many seconds.
    #[error("the server was too slow: less than 1 KiB in {0} seconds")]
    TooSlow(u64),
    /// The server kept sending, and next to nothing, for so many seconds of waiting.
    #[error("the server kept below 200 bytes a second for {0} seconds")]
    Dripping(u64),
    /// TLS failed for another reason than the certificate.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The server gave the handshake up, and told why.
    #[error("TLS failed: the server refused it ({0:?})")]
    Alert(rustls::AlertDescription),
    /// The trusted certificates cannot be loaded.
    #[error("cannot load the trusted certificates{0}")]
    Roots(String),
    /// The name cannot be one in a certificate.
    #[error("{0:?} is no host name that a certificate could bear")]
    ServerName(String),
}

impl Error {
    /// The same; a time-out was one of so long.
    fn after(self, timeout: Duration) -> Self {
        match self {
            Self::TimedOut(_) => Self::TimedOut(timeout.as_secs()),
            Self::Proxy { proxy, source } => Self::Proxy {
                proxy,
                source: Box::new(match *source {
                    proxy::Refusal::Net(error) => proxy::Refusal::Net(error.after(timeout)),
                    other => other,
                }),
            },
            other => other,
        }
    }
}

/// Minutes that are clearly more than so many seconds.
fn longer(seconds: u64) -> u64 {
    const LEAST: u64 = 5;
    (seconds.saturating_mul(2) / 60 + 1).max(LEAST)
}

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Certificate { .. } | Self::NoSuchHost { .. } | Self::NotTls { .. } => {
                Status::Unavailable
            }
            // Trouble of its own passes.
            Self::Alert(rustls::AlertDescription::InternalError) => Status::Temporary,
            Self::OldTls { .. } | Self::Tls(_) | Self::Alert(_) => Status::Unavailable,
            Self::Handshake(source) => source.status(),
            Self::Injected => Status::Protocol,
            Self::OurCertificate(_) => Status::NoPermission,
            Self::Proxy { source, .. } => source.status(),
            Self::Stopped(reason) => reason.status(),
            Self::ClientCertificate { .. }
            | Self::ExposedKey(_)
            | Self::OtherKind { .. }
            | Self::Placeholder(_)
            | Self::Program { .. }
            | Self::Roots(_)
            | Self::ServerName(_)
            | Self::Source { .. } => Status::Config,
            Self::Closed
            | Self::Connect { .. }
            | Self::Lookup { .. }
            | Self::Io(_)
            | Self::TimedOut(_)
            | Self::TooSlow(_)
            | Self::Dripping(_) => Status::Temporary,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Handshake(source) => match source.as_ref() {
                Self::Closed | Self::TimedOut(_) | Self::Io(_) => {
                    "if that happens each time, it is not the port for TLS from the first octet, which is \
                     995 for POP3 and 993 for IMAP as a rule; for 110 and 143 an account of the config file \
                     has tls = \"starttls\" (popfetch setup finds out which it is)"
                }
                source => return source.hint(),
            },
            Self::Proxy { source, .. } => return source.hint(),
            Self::Certificate { distrust, .. } => return Some(distrust.advice()),
            Self::ClientCertificate { advice, .. } => advice,
            Self::ExposedKey(path) => return Some(private::way_to_close(path)),
            Self::Injected => {
                "nothing was sent; try tls = \"implicit\", which leaves no room for this"
            }
            Self::NoSuchHost { .. } => {
                "is there a network? Check the host's name: `host` in the config file, or what stands \
                 behind the @ of a URL"
            }
            Self::NotTls {
                speech: Some(speech),
                ..
            } => {
                return Some(format!(
                    "{}; popfetch never falls back to plain text",
                    speech.way_on()
                ));
            }
            Self::NotTls { .. } => {
                "check the port: with TLS from the first octet POP3 is usually on 995, IMAP on 993; popfetch \
                 never falls back to plain text"
            }
            Self::Alert(rustls::AlertDescription::InternalError) => {
                "that is the server's own trouble: the next run tries again"
            }
            Self::Alert(rustls::AlertDescription::UnrecognisedName) => {
                "the server does not know itself by this name: check `host`, and `tls-server-name` \
                 where it is set"
            }
            Self::Alert(_) => {
                "the server and popfetch agree on no way to encrypt: check `host` and `port`; where \
                 they are right, ask the provider for a server that is up to date"
            }
            Self::OldTls { versions, .. } if versions.contains("tls-min-version") => {
                "set tls-min-version = \"1.2\", which is safe as well, or leave it out; or ask the \
                 provider for TLS 1.3"
            }
            Self::OldTls { .. } => "ask the provider for a server that is up to date",
            Self::OtherKind { .. } | Self::Source { .. } => {
                "`source-address` is an address of this machine, of the same kind as the server's"
            }
            Self::OurCertificate(_) => {
                "the account's `tls-client-cert` and `tls-client-key` in the config file must be those \
                 that the server knows"
            }
            Self::Placeholder(_) => "%h is the host, %p the port, %% a percent sign",
            Self::Program { program, source } => {
                return Some(program::cannot_start("proxy-command", program, source));
            }
            Self::Connect { .. } | Self::Lookup { .. } => {
                "check the network, and `host` and `port` in the config file or in the URL"
            }
            Self::TimedOut(seconds) | Self::TooSlow(seconds) => {
                return Some(format!(
                    "the next run tries again, and goes on behind what is here already; a server \
                     that needs longer gets it by timeout = \"{} min\" in its account{}",
                    longer(*seconds),
                    either("timeout", ", or by --timeout", "")
                ));
            }
            Self::Dripping(_) => {
                "what came whole is kept, and the next run takes up where this one ended; if it is \
                 always so slow, and your line is not, ask the provider"
            }
            Self::Closed | Self::Io(_) => {
                "the next run tries again, and goes on behind what is here already"
            }
            Self::Roots(_) => {
                "`tls-roots` is a file of certificates in PEM, each between BEGIN \
                 CERTIFICATE and END CERTIFICATE, or \"bundled\" for Mozilla's list; one in DER \
                 becomes PEM by: openssl x509 -inform der -in FILE -out FILE.pem"
            }
            Self::Stopped(_) | Self::Tls(_) | Self::ServerName(_) => return None,
        };
        Some(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::AlertDescription;

    #[test]
    fn hint_each_alert_of_a_server_has_a_way_on_and_its_own_trouble_passes() {
        for (alert, status, way) in [
            (
                AlertDescription::InternalError,
                Status::Temporary,
                "tries again",
            ),
            (
                AlertDescription::UnrecognisedName,
                Status::Unavailable,
                "`tls-server-name`",
            ),
            (
                AlertDescription::HandshakeFailure,
                Status::Unavailable,
                "up to date",
            ),
        ] {
            let error = Error::Alert(alert);
            assert_eq!(error.status(), status);
            assert!(error.hint().unwrap().contains(way), "{alert:?}");
        }
    }

    #[test]
    fn hint_a_least_version_of_ones_own_is_named_where_the_server_lacks_it() {
        let error = Error::OldTls {
            host: "h".to_owned(),
            versions: "no TLS 1.3, which `tls-min-version` asks for",
        };
        assert!(error.hint().unwrap().contains("tls-min-version = \"1.2\""));
    }
}
