//! What a failed handshake means to a person: which check failed, what was expected, what was
//! found. All that stands in a certificate is the other side's own word, and hostile.

use super::Error;
use super::channel::is_about_ours;
use super::tls::Pin;
use crate::term::escape_up_to;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{AlertDescription, CertificateError, OtherError, PeerIncompatible};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// So many of a certificate's names are told.
const NAMES: usize = 5;

/// What is told of a name, in characters.
const NAME_LIMIT: usize = 80;

/// The server that was to be spoken to.
pub(super) struct Expected<'a> {
    /// The name that its certificate had to bear.
    pub(super) name: &'a str,
    pub(super) host: &'a str,
    pub(super) port: u16,
    /// The oldest version of TLS that would do, in words.
    pub(super) versions: &'static str,
}

/// What a failed handshake means. `shown` is the server's certificate, where it came to that.
pub(super) fn refusal(
    error: rustls::Error,
    expected: &Expected<'_>,
    shown: Option<&CertificateDer<'_>>,
) -> Error {
    match error {
        rustls::Error::InvalidCertificate(fault) => Error::Certificate {
            host: expected.name.to_owned(),
            reason: reason(&fault) + &found(&fault, shown),
            pin: shown.and_then(key_of),
        },
        rustls::Error::InvalidMessage(_) => Error::NotTls {
            host: expected.host.to_owned(),
            port: expected.port,
        },
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => Error::OldTls {
            host: expected.host.to_owned(),
            versions: expected.versions,
        },
        rustls::Error::AlertReceived(alert) if is_about_ours(alert) => {
            Error::OurCertificate(format!("{alert:?}"))
        }
        other => Error::Tls(other.to_string()),
    }
}

/// The pin of a certificate's key.
pub(super) fn key_of(certificate: &CertificateDer<'_>) -> Option<Pin> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(Pin(Sha256::digest(certificate.public_key().raw).into()))
}

fn reason(fault: &CertificateError) -> String {
    match fault {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it expired on {}", date(seconds(*not_after)))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("it is valid only from {}", date(seconds(*not_before)))
        }
        // The latter where the authority bears the name of one that is trusted.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "no authority that this machine trusts has signed it".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "it bears no name at all (a name in its subject does not count)".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<_> = presented.iter().map(|name| bare(name).to_owned()).collect();
            format!("it is for {}", listed(&names))
        }
        CertificateError::Other(OtherError(other)) => match other.to_string() {
            // What `openssl req -x509` makes by itself; webpki has the name of the fault alone.
            name if name == "CaUsedAsEndEntity" => {
                "it is an authority's certificate and not a server's".to_owned()
            }
            text => text,
        },
        other => other.to_string(),
    }
}

/// What else stands in it.
fn found(fault: &CertificateError, shown: Option<&CertificateDer<'_>>) -> String {
    let Some((_, certificate)) = shown.and_then(|der| X509Certificate::from_der(der).ok()) else {
        return String::new();
    };
    let names = match fault {
        CertificateError::NotValidForNameContext { .. } => String::new(),
        _ => match names(&certificate) {
            names if names.is_empty() => "is for no name, ".to_owned(),
            names => format!("is for {}, ", listed(&names)),
        },
    };
    let validity = certificate.validity();
    format!(
        "; it {names}was issued by \"{}\", and is valid from {} to {}",
        harmless(&certificate.issuer().to_string()),
        date(validity.not_before.timestamp()),
        date(validity.not_after.timestamp())
    )
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let names = names.value.general_names.iter();
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => match octets.len() {
            4 => <[u8; 4]>::try_from(*octets).ok().map(IpAddr::from),
            _ => <[u8; 16]>::try_from(*octets).ok().map(IpAddr::from),
        }
        .map(|address| address.to_string()),
        _ => None,
    };
    names.filter_map(name).collect()
}

/// A certificate may bear hundreds of names, and its words are the server's.
fn listed(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(NAMES).map(|n| harmless(n)).collect();
    match names.len().saturating_sub(NAMES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn harmless(text: &str) -> String {
    let escaped = text.escape_debug().to_string().replace("\\\"", "'");
    escape_up_to(&escaped, NAME_LIMIT)
}

/// A name without the words that rustls puts around it, as in `DnsName("pop.example.com")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"')
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

fn date(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(timestamp) => timestamp.strftime("%Y-%m-%d").to_string(),
        Err(_) => "a day beyond the calendar".to_owned(),
    }
}
