//! The keys of certificates that an account is pinned to.

use crate::term::hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::fmt;
use std::str::FromStr;

/// SHA-256 of a certificate's SubjectPublicKeyInfo (as in RFC 7469 section 2.4).
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Pin(pub [u8; 32]);

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex(&self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Pin {
    type Err = String;

    /// Reads `sha256//BASE64` (as curl writes it), `sha256:HEX` or hexadecimal digits, with or
    /// without colons. Anything but exactly 32 octets is an error, never a pin that is passed over.
    fn from_str(text: &str) -> Result<Self, String> {
        let octets = if let Some(base64) = text.strip_prefix("sha256//") {
            BASE64
                .decode(base64)
                .map_err(|_| "`sha256//` must be followed by base64".to_owned())?
        } else {
            parse_hex(text.strip_prefix("sha256:").unwrap_or(text)).ok_or_else(|| {
                "a pin is written as \"sha256//BASE64\" or in hexadecimal digits".to_owned()
            })?
        };
        let count = octets.len();
        <[u8; 32]>::try_from(octets).map(Self).map_err(|_| {
            format!("a pin is a SHA-256 of 32 octets (64 hexadecimal digits), this one has {count}")
        })
    }
}

fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| *c != ':')
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        })
        .collect()
}

#[derive(Debug, thiserror::Error)]
#[error("its key {0} is none of those in `tls-pin`")]
pub(super) struct PinMismatch(pub(super) Pin);

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_pin_can_be_written_as_curl_and_as_openssl_do() {
        let colons = HEX
            .as_bytes()
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).unwrap().to_uppercase())
            .collect::<Vec<_>>()
            .join(":");
        let base64 = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        for text in [HEX, &format!("sha256:{HEX}"), &colons, base64] {
            let pin = text.parse::<Pin>().unwrap();
            assert_eq!(pin.0[..3], [0xe3, 0xb0, 0xc4], "{text}");
            assert_eq!(pin.0[31], 0x55, "{text}");
        }
    }

    #[test]
    fn a_pin_of_the_wrong_length_is_an_error() {
        for text in ["", "abcd", &HEX[2..], &HEX[1..], "sha256//AAAA", "md5:00"] {
            assert!(text.parse::<Pin>().is_err(), "{text}");
        }
    }
}
