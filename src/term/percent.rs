//! Octets as text in which some stand as `%` and two hexadecimal digits (RFC 3986 section 2.1).

use super::words::unhex;
use std::fmt::Write as _;

/// Adds the octets to `text`: those that are `plain`, which must be ASCII, as they are.
pub fn percent(text: &mut String, octets: &[u8], plain: impl Fn(u8) -> bool) {
    for octet in octets {
        match plain(*octet) {
            true => text.push(char::from(*octet)),
            // Writing to a String cannot fail.
            false => _ = write!(text, "%{octet:02X}"),
        }
    }
}

/// The octets that [`percent`] wrote; none where a `%` stands before anything else.
pub fn unpercent(text: &str) -> Option<Vec<u8>> {
    // Nearly always nothing is.
    if !text.contains('%') {
        return Some(text.as_bytes().to_vec());
    }
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => {
                let [octet] = unhex(&[rest.next()?, rest.next()?])?;
                octet
            }
            plain => plain,
        });
    }
    Some(octets)
}
