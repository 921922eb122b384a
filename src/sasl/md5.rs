//! CRAM-MD5 (RFC 2195) and APOP (RFC 1939 section 7): for servers that know nothing better, on
//! request and inside TLS only.

use crate::term::hex;
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// More is no timestamp of a greeting: a status line has 512 octets (RFC 2449 section 4).
const TIMESTAMP: usize = 512;

/// The response to a challenge of CRAM-MD5: the user and the keyed digest.
pub(super) fn cram(user: &str, password: &str, challenge: &[u8]) -> Zeroizing<String> {
    // HMAC takes a key of any length.
    let digest = match Hmac::<Md5>::new_from_slice(password.as_bytes()) {
        Ok(mac) => hex(&mac.chain_update(challenge).finalize().into_bytes()),
        Err(_) => String::new(),
    };
    Zeroizing::new(format!("{user} {digest}"))
}

/// The digest of APOP.
pub fn apop(timestamp: &str, password: &str) -> Zeroizing<String> {
    let digest = Md5::new().chain_update(timestamp).chain_update(password);
    Zeroizing::new(hex(&digest.finalize()))
}

/// The timestamp in a greeting, angle brackets included. It must be a msg-id of RFC 822 in 7-bit
/// printable characters: with octets of its own choice a server can find out a password
/// (CVE-2007-1558).
pub fn timestamp(greeting: &[u8]) -> Option<&str> {
    let start = memchr::memchr(b'<', greeting)?;
    let from = greeting.get(start..)?;
    let end = memchr::memchr(b'>', from)?;
    let stamp = std::str::from_utf8(from.get(..=end)?).ok()?;
    let (local, domain) = stamp.get(1..end)?.split_once('@')?;
    let is_msg_id = |part: &str| {
        let allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '@');
        !part.is_empty() && part.chars().all(allowed)
    };
    (stamp.len() <= TIMESTAMP && is_msg_id(local) && is_msg_id(domain)).then_some(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s22_the_example_of_rfc_2195_comes_out() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        let response = cram("tim", "tanstaaftanstaaf", challenge);
        assert_eq!(response.as_str(), "tim b913a602c7eda7a495b4e6e7334d3890");
    }

    #[test]
    fn r12_the_example_of_rfc_1939_comes_out() {
        let greeting = b"POP3 server ready <1896.697170952@dbc.mtview.ca.us>";
        let stamp = timestamp(greeting).unwrap();
        assert_eq!(stamp, "<1896.697170952@dbc.mtview.ca.us>");
        let digest = apop(stamp, "tanstaaf");
        assert_eq!(digest.as_str(), "c4c9334bac560ecc979e58001b3e22fb");
    }

    #[test]
    fn s22_a_timestamp_that_is_no_msg_id_is_none() {
        for greeting in [
            &b"ready"[..],
            b"",
            b"<",
            b"<>",
            b"<@>",
            b"<a@>",
            b"<@b>",
            b"<ab>",
            b"<a@b",
            b"a@b>",
            b"<a b@c>",
            b"<a@b@c>",
            b"<<a@b>",
            b"<a\x01@b>",
            b"<a\x7f@b>",
            b"<a\xc3\xa9@b>",
            b"<a\xff@b>",
        ] {
            assert_eq!(timestamp(greeting), None, "{}", greeting.escape_ascii());
        }
        let long = format!("<{}@b>", "a".repeat(TIMESTAMP));
        assert_eq!(timestamp(long.as_bytes()), None);
    }
}
