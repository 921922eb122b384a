//! Lines of text with a checksum, as the journal and the other small files have them: fields with
//! tabs between, then a tab and the CRC-32 of all before it in hexadecimal.

use crate::term::unhex;
use std::fmt::Write as _;

/// Appends a line with its checksum and its ending.
pub fn seal(mut line: String, out: &mut Vec<u8>) {
    line.push('\t');
    let crc = crc32fast::hash(line.as_bytes());
    let _ = writeln!(line, "{crc:08x}");
    out.extend(line.as_bytes());
}

/// The fields of a line whose checksum is right.
pub fn unseal(line: &[u8]) -> Option<&str> {
    let (fields, crc) = line.split_at_checked(line.len().checked_sub(8)?)?;
    let crc = std::str::from_utf8(crc).ok()?;
    // from_str_radix takes "+" and upper case, too: a line reads in one way only.
    let canonical = crc.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    let right = canonical && u32::from_str_radix(crc, 16) == Ok(crc32fast::hash(fields));
    right.then_some(std::str::from_utf8(fields).ok()?.strip_suffix('\t')?)
}

/// Writes octets so that they hold no space, tab or line end, and are never just "-".
pub fn escape(octets: &[u8]) -> String {
    if octets == b"-" {
        return "%2D".to_owned();
    }
    let mut text = String::with_capacity(octets.len());
    for octet in octets {
        match octet {
            b'%' | ..=b' ' | 0x7f.. => {
                let _ = write!(text, "%{octet:02X}");
            }
            plain => text.push(char::from(*plain)),
        }
    }
    text
}

/// The octets that [`escape`] wrote.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
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
