//! TLS by rustls: whom to trust, and who we say that we are.
//!
//! This is the only file that names the crypto provider (aws-lc-rs). TLS 1.2 and 1.3, nothing
//! below; no 0-RTT; no way to switch verification off.

use super::Error;
use super::certificate::{Expected, key_of, refusal};
use super::channel::{HandshakeError, Socket};
use super::pin::{Pin, PinMismatch};
use crate::exit::is_scarce;
use crate::{named, private};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, OtherError,
    RootCertStore, SignatureScheme,
};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

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
    /// The oldest version of TLS that will do.
    pub min_version: MinVersion,
    /// What to show a server that asks who we are.
    pub client: Option<ClientCertificate>,
}

/// The oldest version of TLS that will do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
pub enum MinVersion {
    /// TLS 1.2.
    #[default]
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}

/// A certificate of ours, in PEM files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientCertificate {
    /// The certificate, and those between it and an authority.
    pub certificate: PathBuf,
    /// Its key; nobody else may read it.
    pub key: PathBuf,
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
    /// None: the key must be one of the pins, and nothing else counts.
    Pinned,
}

impl FromStr for Roots {
    type Err = Infallible;

    /// `system`, `bundled`, `pinned`, or the path of a file.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "system" => Self::System,
            "bundled" => Self::Bundled,
            "pinned" => Self::Pinned,
            _ => Self::File(text.into()),
        })
    }
}

/// As [`FromStr`] reads it.
impl fmt::Display for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Bundled => f.write_str("bundled"),
            Self::Pinned => f.write_str("pinned"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl TlsPolicy {
    /// Loads whom it trusts, to find out whether that can be done.
    ///
    /// # Errors
    /// A file cannot be read, or has no certificate in it.
    pub fn check(&self) -> Result<(), Error> {
        Verifier::new(self).map(drop)
    }
}

/// Octets that nobody can guess; `None` where the system has none to give.
pub fn random_octets() -> Option<[u8; 32]> {
    let mut octets = [0; 32];
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.secure_random.fill(&mut octets).ok()?;
    Some(octets)
}

/// TLS with one server: everything that takes a file is read.
pub(super) struct Security {
    config: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
    server: ServerName<'static>,
    /// The name that the certificate must bear.
    name: String,
    host: String,
    port: u16,
    versions: &'static str,
    timeout: Duration,
}

impl Security {
    /// Reads what `policy` names. The server may take `timeout` for the handshake.
    pub(super) fn new(
        policy: &TlsPolicy,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let name = policy.server_name.as_deref().unwrap_or(host);
        let bad_name = |_| Error::ServerName(name.to_owned());
        let verifier = Arc::new(Verifier::new(policy)?);
        Ok(Self {
            config: client_config(policy, &verifier)?,
            verifier,
            server: ServerName::try_from(name.to_owned()).map_err(bad_name)?,
            name: name.to_owned(),
            host: host.to_owned(),
            port,
            versions: match policy.min_version {
                MinVersion::Tls12 => "neither TLS 1.3 nor TLS 1.2, and what is older is not safe",
                MinVersion::Tls13 => "no TLS 1.3, which `tls-min-version` asks for",
            },
            timeout: timeout.min(HANDSHAKE_TIMEOUT),
        })
    }

    /// Sets up TLS, and verifies who is there.
    pub(super) fn shake_hands(&self, socket: &mut Socket) -> Result<(), Error> {
        let tls = ClientConnection::new(Arc::clone(&self.config), self.server.clone());
        socket.encrypt(tls.map_err(|error| Error::Tls(error.to_string()))?);
        match socket.handshake(Instant::now() + self.timeout) {
            Ok(()) => Ok(()),
            Err(HandshakeError::Net(error)) => Err(match error.after(self.timeout) {
                error @ (Error::Closed | Error::Io(_) | Error::TimedOut(_)) => {
                    Error::Handshake(Box::new(error))
                }
                other => other,
            }),
            Err(HandshakeError::Tls(error)) => {
                let expected = Expected {
                    name: &self.name,
                    host: &self.host,
                    port: self.port,
                    versions: self.versions,
                };
                let shown = self.verifier.shown();
                Err(refusal(error, &expected, shown.as_ref(), socket.newest()))
            }
        }
    }
}

fn client_config(policy: &TlsPolicy, verifier: &Arc<Verifier>) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions: &[_] = match policy.min_version {
        MinVersion::Tls12 => rustls::ALL_VERSIONS,
        MinVersion::Tls13 => &[&rustls::version::TLS13],
    };
    // "dangerous" is rustls's word for any verifier of one's own.
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| Error::Tls(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(verifier) as Arc<dyn ServerCertVerifier>);
    let mut config = match &policy.client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let (chain, key) = client_certificate(client)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| Error::ClientCertificate {
                    file: client.key.display().to_string(),
                    reason: error.to_string(),
                    advice: "the key must be the one that the certificate was made for: see \
                             `tls-client-cert` and `tls-client-key`",
                })?
        }
    };
    // Each connection verifies the certificate anew; a run makes one or two (fact S18).
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn client_certificate(
    client: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
    const READABLE: &str = "`tls-client-cert` and `tls-client-key` are PEM files that you can read";
    let unusable = |path: &Path, error: &dyn fmt::Display, advice| Error::ClientCertificate {
        file: path.display().to_string(),
        reason: error.to_string(),
        advice,
    };
    let path = &client.certificate;
    let pem = read(path).map_err(|error| unusable(path, &error, READABLE))?;
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| unusable(path, &error, READABLE))?;
    if chain.is_empty() {
        return Err(unusable(path, &"there is no certificate in it", READABLE));
    }
    let path = &client.key;
    let pem = private::read(path, private::OTHERS).map_err(|error| match error {
        private::Error::Exposed => Error::ExposedKey(path.clone()),
        private::Error::NotYours | private::Error::Replaceable(_) => unusable(
            path,
            &error,
            "keep the key in a file of your own, in directories that only you can write to",
        ),
        error => unusable(path, &error, READABLE),
    })?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => unusable(
            path,
            &"there is no key without a passphrase in it",
            "a key without one is made by: openssl pkey -in KEY -out NEW, and chmod 600 NEW",
        ),
        error => unusable(path, &error, READABLE),
    })?;
    Ok((chain, key))
}

/// A file of certificates.
fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // All authorities of a system are a few hundred KiB.
    const LIMIT: u64 = 16 << 20;
    let octets = named::read(&mut named::open(path)?, LIMIT)?;
    match octets.len() as u64 > LIMIT {
        true => Err(io::Error::other("it is larger than 16 MiB")),
        false => Ok(octets),
    }
}

fn roots(choice: &Roots) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    match choice {
        Roots::System => {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
            if store.is_empty() {
                // There are some, and a server that they vouch for would be refused without them.
                let kinds = found.errors.into_iter().map(|error| error.kind);
                let scarce = kinds.filter_map(|kind| match kind {
                    rustls_native_certs::ErrorKind::Io { inner, .. } => Some(inner),
                    _ => None,
                });
                if let Some(error) = scarce.into_iter().find(is_scarce) {
                    return Err(Error::Io(error));
                }
                store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
        }
        Roots::Bundled => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Roots::Pinned => {}
        Roots::File(path) => {
            let unusable =
                |error: &dyn fmt::Display| Error::Roots(format!(" in {}: {error}", path.display()));
            let pem = read(path).map_err(|error| match is_scarce(&error) {
                true => Error::Io(error),
                false => unusable(&error),
            })?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
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
    /// `None` where the pins alone count.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
    pins: Vec<Pin>,
    /// The newest certificate that a server has shown, to tell what was wrong with it.
    shown: Mutex<Option<CertificateDer<'static>>>,
}

impl Verifier {
    fn new(policy: &TlsPolicy) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let webpki = match &policy.roots {
            Roots::Pinned if policy.pins.is_empty() => {
                return Err(Error::Roots(": without a pin nobody is trusted".to_owned()));
            }
            Roots::Pinned => None,
            choice => {
                let roots = Arc::new(roots(choice)?);
                let built = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
                Some(built.map_err(|error| Error::Roots(format!(": {error}")))?)
            }
        };
        Ok(Self {
            webpki,
            algorithms,
            pins: policy.pins.clone(),
            shown: Mutex::default(),
        })
    }

    fn shown(&self) -> Option<CertificateDer<'static>> {
        let shown = self.shown.lock();
        shown.unwrap_or_else(PoisonError::into_inner).clone()
    }
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
        let shown = self.shown.lock();
        *shown.unwrap_or_else(PoisonError::into_inner) = Some(end_entity.clone().into_owned());
        if let Some(webpki) = &self.webpki {
            webpki.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            )?;
        }
        if self.webpki.is_none() || !self.pins.is_empty() {
            let found = key_of(end_entity).ok_or(CertificateError::BadEncoding)?;
            if !self.pins.contains(&found) {
                let mismatch = OtherError(Arc::new(PinMismatch(found)));
                return Err(CertificateError::Other(mismatch).into());
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
