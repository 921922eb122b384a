//! A certificate authority of the tests' own, and server certificates good and bad.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::scratch;

/// A certificate authority that nothing but these tests trusts. Its PEM file lives as long as it
/// does.
pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    /// A new authority with a new key.
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
            .distinguished_name
            .push(DnType::CommonName, "popfetch test authority");
        let certificate = params.self_signed(&key).unwrap();
        let directory = scratch::directory();
        fs::write(directory.path().join("ca.pem"), certificate.pem()).unwrap();
        Self {
            certificate,
            issuer: Issuer::new(params, key),
            directory,
        }
    }

    /// The file to name in `tls-roots`.
    pub fn pem_file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// The authority's own certificate, for a client that is not popfetch.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// A server's certificate for "localhost", 127.0.0.1 and ::1 that is valid now.
    pub fn localhost(&self) -> Identity {
        self.issue(&Wanted::default())
    }

    /// A certificate as wanted, signed by this authority.
    pub fn issue(&self, wanted: &Wanted) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = wanted.params().signed_by(&key, &self.issuer).unwrap();
        Identity::new(&certificate, &key)
    }
}

/// What a server's certificate says; by default nothing is wrong with it.
#[derive(Clone, Debug)]
pub struct Wanted {
    names: Vec<String>,
    common_name: String,
    years: (i32, i32),
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            names: ["localhost", "127.0.0.1", "::1"].map(String::from).into(),
            common_name: "popfetch test server".into(),
            years: (2000, 2099),
        }
    }
}

impl Wanted {
    /// For these names (or addresses) only.
    pub fn names(mut self, names: &[&str]) -> Self {
        self.names = names.iter().map(|name| name.to_string()).collect();
        self
    }

    /// With this name in its subject, which names no server.
    pub fn common_name(mut self, name: &str) -> Self {
        self.common_name = name.into();
        self
    }

    /// Valid until long ago.
    pub fn expired(mut self) -> Self {
        self.years = (2000, 2001);
        self
    }

    /// Valid from far in the future on.
    pub fn not_yet_valid(mut self) -> Self {
        self.years = (2098, 2099);
        self
    }

    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::new(self.names.clone()).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, self.common_name.as_str());
        params.not_before = date_time_ymd(self.years.0, 1, 1);
        params.not_after = date_time_ymd(self.years.1, 1, 1);
        params
    }
}

/// A server's certificate and its key.
#[derive(Clone, Debug)]
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
    certificate_pem: String,
    key_pem: String,
    /// SHA-256 of the key's SubjectPublicKeyInfo, for `tls-pin`.
    pub spki_sha256: [u8; 32],
}

impl Identity {
    /// A certificate that is signed by its own key and by nobody else.
    pub fn self_signed(wanted: &Wanted) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = wanted.params().self_signed(&key).unwrap();
        Self::new(&certificate, &key)
    }

    /// The same, and by its own word an authority's: what `openssl req -x509` makes.
    pub fn self_made_authority(wanted: &Wanted) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = wanted.params();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self::new(&params.self_signed(&key).unwrap(), &key)
    }

    fn new(certificate: &Certificate, key: &KeyPair) -> Self {
        Self {
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            spki_sha256: Sha256::digest(key.subject_public_key_info()).into(),
        }
    }

    /// The certificate alone, for a client that is to trust exactly this one.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }

    /// Writes `cert.pem` and `key.pem` into `directory`, for a server that wants files.
    pub fn write_to(&self, directory: &Path) {
        fs::write(directory.join("cert.pem"), &self.certificate_pem).unwrap();
        fs::write(directory.join("key.pem"), &self.key_pem).unwrap();
    }

    /// What a rustls server needs.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        self.server_config_for(rustls::ALL_VERSIONS)
    }

    /// The same for a server that asks its clients for a certificate of `clients`'.
    pub fn server_config_requiring(
        &self,
        clients: &Authority,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(clients.certificate()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![self.certificate.clone()], key)
            .unwrap();
        Arc::new(config)
    }

    /// Certificate and key in PEM, for a client.
    pub fn pem(&self) -> (String, String) {
        (self.certificate_pem.clone(), self.key_pem.clone())
    }

    /// The same for some versions of TLS only.
    pub fn server_config_for(
        &self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .unwrap();
        Arc::new(config)
    }
}

/// The one crypto provider of the project, named so that nothing depends on a process default.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A server that shows a certificate whose key it does not have.
#[derive(Debug)]
struct Unchecked(Arc<rustls::sign::CertifiedKey>);

impl rustls::server::ResolvesServerCert for Unchecked {
    fn resolve(
        &self,
        _: rustls::server::ClientHello<'_>,
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

impl Identity {
    /// This certificate with somebody else's key.
    pub fn with_key_of(&self, other: &Identity) -> Self {
        Self {
            key: other.key.clone(),
            ..self.clone()
        }
    }

    /// What a rustls server needs, without a look at whether certificate and key belong together.
    pub fn config_unchecked(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let key = provider().key_provider.load_private_key(key).unwrap();
        let certified = rustls::sign::CertifiedKey::new(vec![self.certificate.clone()], key);
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Unchecked(Arc::new(certified))));
        Arc::new(config)
    }
}
