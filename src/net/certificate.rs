//! What a failed handshake means to a person: which check failed, what was expected, what was
//! found. All that stands in a certificate is the other side's own word, and hostile.

use super::Error;
use super::facts::Certificate;
use super::pin::{Pin, PinMismatch};
use super::speech::Speech;
use crate::exit::at_hand::{either, takes};
use crate::moment::Moment;
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

/// What a failed handshake means. `shown` is the server's certificate, where it came to that, and
/// `newest` what it sent last.
pub(super) fn refusal(
    error: rustls::Error,
    expected: &Expected<'_>,
    shown: Option<&CertificateDer<'_>>,
    newest: &[u8],
) -> Error {
    match error {
        rustls::Error::InvalidCertificate(fault) => Error::Certificate {
            distrust: Box::new(Distrust {
                cause: Cause::of(&fault, shown),
                pin: shown.and_then(key_of),
            }),
            host: expected.name.to_owned(),
            reason: reason(&fault) + &found(&fault, shown),
        },
        rustls::Error::InvalidMessage(_) => Error::NotTls {
            speech: Speech::of(newest),
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
        rustls::Error::AlertReceived(alert) => Error::Alert(alert),
        other => Error::Tls(other.to_string()),
    }
}

/// Whether an alert is about the certificate that the client shows, or does not show.
pub(super) fn is_about_ours(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::AccessDenied
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate
    )
}

/// The pin of a certificate's key.
pub(super) fn key_of(certificate: &CertificateDer<'_>) -> Option<Pin> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(Pin(Sha256::digest(certificate.public_key().raw).into()))
}

/// What a certificate says; `None` where it is none.
pub(super) fn shown(certificate: &CertificateDer<'_>) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(Certificate {
        subject: harmless(&certificate.subject().to_string()),
        issuer: harmless(&certificate.issuer().to_string()),
        names: listed(&names(&certificate)),
        not_after: certificate.validity().not_after.timestamp(),
    })
}

fn reason(fault: &CertificateError) -> String {
    match fault {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it expired on {}", Moment::day(seconds(*not_after)))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!(
                "it is valid only from {}",
                Moment::day(seconds(*not_before))
            )
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
        CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id,
            ..
        } => match forgeable(signature_algorithm_id) {
            Some(name) => format!("it is signed with {name}, which can be forged"),
            None => "it is signed in a way that is not safe, or not known".to_owned(),
        },
        CertificateError::Other(OtherError(other)) => match other.to_string() {
            // What `openssl req -x509` makes by itself; webpki has the name of the fault alone.
            name if name == "CaUsedAsEndEntity" => {
                "it is an authority's certificate and not a server's".to_owned()
            }
            text => text,
        },
        CertificateError::Revoked => "its authority has withdrawn it".to_owned(),
        CertificateError::BadEncoding => "it is damaged, or no certificate at all".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not meant for a server".to_owned()
        }
        other => other.to_string(),
    }
}

/// The hash of a signature that can be forged, by the identifier of the algorithm in DER.
fn forgeable(identifier: &[u8]) -> Option<&'static str> {
    // RFC 8017 appendix C, RFC 3279 section 2.2: with RSA, ECDSA and DSA.
    const MD2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02";
    const MD5: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04";
    const SHA1: [&[u8]; 3] = [
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05",
        b"\x2a\x86\x48\xce\x3d\x04\x01",
        b"\x2a\x86\x48\xce\x38\x04\x03",
    ];
    let has = |oid: &[u8]| {
        let mut places = identifier.windows(oid.len());
        places.any(|place| place == oid)
    };
    match () {
        () if has(MD2) => Some("MD2"),
        () if has(MD5) => Some("MD5"),
        () if SHA1.iter().any(|oid| has(oid)) => Some("SHA-1"),
        () => None,
    }
}

/// Why a certificate is not trusted, as far as another cause wants something else done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cause {
    /// It is over.
    Expired,
    /// It is not for today yet.
    NotYetValid,
    /// It is for these names and not for the server's.
    WrongName(Vec<String>),
    /// Nobody but itself has signed it.
    SelfSigned,
    /// Its authority is none of those that are trusted.
    UnknownAuthority,
    /// The key is none of the pins.
    OtherKey,
    /// What it is signed with can be forged.
    Forgeable,
    /// Anything else.
    Other,
}

/// A certificate that is not trusted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Distrust {
    /// Why.
    pub cause: Cause,
    /// The key that was seen.
    pub pin: Option<Pin>,
}

impl Distrust {
    /// What to do about it.
    pub fn advice(&self) -> String {
        let advice = self.cause.advice();
        match self.pin {
            None => advice,
            Some(pin) => {
                let of_url = match takes("tls-pin") {
                    true => format!(" (with a URL: --tls-roots pinned --tls-pin {pin})"),
                    false => String::new(),
                };
                format!(
                    "{advice}. The key that was seen is tls-pin = \"{pin}\"; once you have made sure by \
                 another way that it is the server's, that line together with tls-roots = \
                 \"pinned\" in its account trusts it and no other{of_url}"
                )
            }
        }
    }
}

impl Cause {
    fn of(fault: &CertificateError, shown: Option<&CertificateDer<'_>>) -> Self {
        let certificate = shown.and_then(|der| X509Certificate::from_der(der).ok());
        let certificate = certificate.as_ref().map(|(_, certificate)| certificate);
        let own = certificate.is_some_and(|it| it.issuer().as_raw() == it.subject().as_raw());
        match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName(certificate.map(names).unwrap_or_default())
            }
            CertificateError::UnsupportedSignatureAlgorithmContext { .. } => Self::Forgeable,
            CertificateError::Other(OtherError(other)) if other.is::<PinMismatch>() => {
                Self::OtherKey
            }
            _ if own => Self::SelfSigned,
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::UnknownAuthority
            }
            _ => Self::Other,
        }
    }

    /// What to do about it, in the words of the config file.
    pub fn advice(&self) -> String {
        match self {
            Self::Expired => format!(
                "whoever runs the server must renew it; this machine's clock says {}: set that if \
                 it is wrong",
                now()
            ),
            Self::NotYetValid => format!(
                "this machine's clock says {}: set that if it is wrong; if it is right, whoever \
                 runs the server must put in another certificate",
                now()
            ),
            Self::WrongName(names) => match names.iter().find(|name| is_host(name)) {
                Some(name) => format!(
                    "if the server has one of these names, set `host` to it (in a URL it stands \
                     behind the @); where `host` must stay, tls-server-name = \"{}\" accepts that \
                     name; otherwise it is another server: do not go on",
                    harmless(name)
                ),
                None => "set `host` to a name that the certificate is for, or tls-server-name in \
                         the account; if it is for none, whoever runs the server must put in one \
                         with its name"
                    .to_owned(),
            },
            Self::SelfSigned => {
                "it is signed by itself alone, as on a server of one's own; if that \
                                 is not what this is, do not go on"
                    .to_owned()
            }
            Self::UnknownAuthority => format!(
                "if your organisation or you have an authority, name its certificate: tls-roots = \
                 \"/path/to/ca.pem\"; if this machine's list may be old, tls-roots = \"bundled\" is \
                 Mozilla's{}; otherwise someone may be between you and the server: do not go on",
                either("tls-roots", " (--tls-roots does the same for URLs)", "")
            ),
            Self::OtherKey => {
                "either the server has a new key, which whoever runs it can tell you, or someone \
                 is between you and it: do not go on before you know"
                    .to_owned()
            }
            Self::Forgeable => "whoever runs the server must put in a newer certificate".to_owned(),
            Self::Other => "whoever runs the server must put in another certificate; if it has a \
                            good one, someone may be between you and it: do not go on"
                .to_owned(),
        }
    }
}

/// Whether a name of a certificate could be one that a person configures.
fn is_host(name: &str) -> bool {
    let of_hosts = |c: char| c.is_ascii_alphanumeric() || ".-:".contains(c);
    !name.is_empty() && name.len() <= NAME_LIMIT && name.chars().all(of_hosts)
}

/// What this machine's clock says.
fn now() -> String {
    Moment::minute(Moment::now().now)
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
        Moment::day(validity.not_before.timestamp()),
        Moment::day(validity.not_after.timestamp())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j_a_certificate_that_is_signed_with_what_can_be_forged_is_refused_in_words() {
        for (oid, name) in [
            (
                &b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"[..],
                "SHA-1",
            ),
            (b"\x06\x07\x2a\x86\x48\xce\x3d\x04\x01", "SHA-1"),
            (
                b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04\x05\x00",
                "MD5",
            ),
        ] {
            let fault = CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: oid.to_vec(),
                supported_algorithms: Vec::new(),
            };
            let said = format!("it is signed with {name}, which can be forged");
            assert_eq!(reason(&fault), said);
            let advice = Cause::of(&fault, None).advice();
            assert!(
                advice.contains("must put in a newer certificate"),
                "{advice}"
            );
        }
    }
}
