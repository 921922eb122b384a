//! TLS by rustls: whom to trust, and what to say when a server is not trusted.
//!
//! This is the only file that names the crypto provider (aws-lc-rs). TLS 1.2 and 1.3, nothing
//! below; no 0-RTT; no way to switch verification off.

use super::Error;
use super::channel::{HandshakeError, Socket};
use super::dial::Addresses;
use crate::stop::Stop;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct,
    OtherError, PeerIncompatible, RootCertStore, SignatureScheme,
};
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the TLS handshake may take at most.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// Whom to trust at the other end of a TLS connection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TlsPolicy {
    /// Which authorities' signatures count.
    pub roots: Roots,
    /// If not empty, the server's key must be one of these as well.
    pub pins: Vec<Pin>,
    /// The name that the certificate must bear, where it is not the host.
    pub server_name: Option<String>,
}

/// Which certificate authorities are trusted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Roots {
    /// The system's store; Mozilla's list (crate webpki-roots) where it is empty.
    #[default]
    System,
    /// Mozilla's list, as compiled in.
    Bundled,
    /// The certificates in this PEM file alone.
    File(PathBuf),
}

impl FromStr for Roots {
    type Err = Infallible;

    /// `system`, `bundled`, or the path of a file.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "system" => Self::System,
            "bundled" => Self::Bundled,
            _ => Self::File(text.into()),
        })
    }
}

/// SHA-256 of a certificate's SubjectPublicKeyInfo (as in RFC 7469 section 2.4).
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Pin(pub [u8; 32]);

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a server is reached: its addresses, and whom to trust there. Connecting by it needs no file
/// any more, neither the resolver's nor a certificate store.
pub struct Route {
    addresses: Addresses,
    /// `None` for a connection without TLS.
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// The name that the certificate must bear.
    name: String,
    timeout: Duration,
}

impl Route {
    /// Finds the way to `host:port`, with TLS from the first octet (RFC 8314 section 3) where there
    /// is a policy for it. The server may take `timeout` to accept a connection, and again for the
    /// handshake.
    pub fn find(
        host: &str,
        port: u16,
        policy: Option<&TlsPolicy>,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let name = policy.and_then(|policy| policy.server_name.as_deref());
        let name = name.unwrap_or(host);
        let tls = match policy {
            Some(policy) => {
                let bad_name = |_| Error::ServerName(host.to_owned());
                let server = ServerName::try_from(name.to_owned()).map_err(bad_name)?;
                Some((client_config(policy)?, server))
            }
            None => None,
        };
        Ok(Self {
            addresses: Addresses::look_up(host, port)?,
            tls,
            name: name.to_owned(),
            timeout,
        })
    }

    /// Connects, and verifies who is there.
    pub fn connect(&self, stop: &Stop) -> Result<Socket, Error> {
        let stream = self.addresses.dial(self.timeout, stop)?;
        let Some((config, server)) = &self.tls else {
            return Ok(Socket::plain(stream, stop.clone()));
        };
        let tls = ClientConnection::new(Arc::clone(config), server.clone());
        let tls = tls.map_err(|error| Error::Tls(error.to_string()))?;
        let mut socket = Socket::tls(stream, tls, stop.clone());
        let timeout = self.timeout.min(HANDSHAKE_TIMEOUT);
        match socket.handshake(Instant::now() + timeout) {
            Ok(()) => Ok(socket),
            Err(HandshakeError::Net(error)) => Err(match error {
                Error::TimedOut(_) => {
                    Error::Handshake(Box::new(Error::TimedOut(timeout.as_secs())))
                }
                Error::Closed | Error::Io(_) => Error::Handshake(Box::new(error)),
                other => other,
            }),
            Err(HandshakeError::Tls(error)) => {
                let Addresses { host, port, .. } = &self.addresses;
                Err(refusal(error, &self.name, host, *port))
            }
        }
    }
}

fn client_config(policy: &TlsPolicy) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let unusable = |error: &dyn fmt::Display| Error::Roots(format!(": {error}"));
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| Error::Tls(error.to_string()))?;
    let roots = Arc::new(roots(&policy.roots)?);
    let webpki = WebPkiServerVerifier::builder_with_provider(roots, provider)
        .build()
        .map_err(|error| unusable(&error))?;
    let verifier = Arc::new(Verifier {
        webpki,
        pins: policy.pins.clone(),
    });
    // "dangerous" is rustls's word for any verifier of one's own; ours only ever adds a check.
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // Each connection verifies the certificate anew; a run makes one or two (TRUST.md S18).
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn roots(choice: &Roots) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    match choice {
        Roots::System => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
        }
        Roots::Bundled => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Roots::File(path) => {
            let unusable =
                |error: &dyn fmt::Display| Error::Roots(format!(" in {}: {error}", path.display()));
            for certificate in
                CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))?
            {
                let certificate = certificate.map_err(|error| unusable(&error))?;
                store.add(certificate).map_err(|error| unusable(&error))?;
            }
            if store.is_empty() {
                return Err(unusable(&"there is no certificate in it"));
            }
        }
    }
    Ok(store)
}

/// What rustls's own verifier says, and then the pins.
#[derive(Debug)]
struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    pins: Vec<Pin>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.webpki.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )?;
        if !self.pins.is_empty() {
            let key = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
            let found = Pin(Sha256::digest(key.as_ref()).into());
            if !self.pins.contains(&found) {
                let mismatch = OtherError(Arc::new(PinMismatch(found)));
                return Err(CertificateError::Other(mismatch).into());
            }
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("its key {0} is none of those in `tls-pin`")]
struct PinMismatch(Pin);

/// What a failed handshake means to a person.
fn refusal(error: rustls::Error, name: &str, host: &str, port: u16) -> Error {
    match error {
        rustls::Error::InvalidCertificate(fault) => Error::Certificate {
            host: name.to_owned(),
            reason: reason(&fault),
        },
        rustls::Error::InvalidMessage(_) => Error::NotTls {
            host: host.to_owned(),
            port,
        },
        rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)
        | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            Error::OldTls(host.to_owned())
        }
        other => Error::Tls(other.to_string()),
    }
}

fn reason(fault: &CertificateError) -> String {
    match fault {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it expired on {}", date(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("it is valid only from {}", date(*not_before))
        }
        // The latter where the authority bears the name of one that is trusted.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "no authority that this machine trusts has signed it".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "it bears no name at all (a name in its subject does not count)".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            // A certificate may bear hundreds of names, and its words are the server's.
            let names: Vec<_> = presented
                .iter()
                .take(5)
                .map(|name| bare(name).escape_default().to_string())
                .collect();
            format!("it is for {}", names.join(", "))
        }
        CertificateError::Other(OtherError(other)) => other.to_string(),
        other => other.to_string(),
    }
}

/// A name without the words that rustls puts around it, as in `DnsName("pop.example.com")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"')
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_second(seconds) {
        Ok(timestamp) => timestamp.strftime("%Y-%m-%d").to_string(),
        Err(_) => "a day beyond the calendar".to_owned(),
    }
}
