//! Lines of text with a checksum, as the journal and the other small files have them: fields with
//! tabs between, then a tab and the CRC-32 of all before it in hexadecimal.

use crate::term::percent;
use std::fmt::Write as _;

/// The octets that [`escape`] wrote.
pub use crate::term::unpercent as unescape;

/// Appends a line with its checksum and its ending.
pub fn seal(mut line: String, out: &mut Vec<u8>) {
    line.push('\t');
    let crc = crc32fast::hash(line.as_bytes());
    let _ = writeln!(line, "{crc:08x}");
    out.extend(line.as_bytes());
}

/// The fields of a line whose checksum is right.
pub fn unseal(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(unseal_octets(line)?).ok()
}

/// The same, before it is known to be text.
pub fn unseal_octets(line: &[u8]) -> Option<&[u8]> {
    let (fields, crc) = line.split_last_chunk()?;
    // Compared as it is written, so that a line reads in one way only.
    let right = *crc == digits(crc32fast::hash(fields));
    right.then_some(fields.strip_suffix(b"\t")?)
}

/// In hexadecimal, as `{:08x}` writes it.
fn digits(number: u32) -> [u8; 8] {
    let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
    let mut digits = [0; 8];
    for (pair, octet) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair.copy_from_slice(&[digit(octet >> 4), digit(octet & 0x0f)]);
    }
    digits
}

/// Writes octets so that they hold no space, tab or line end, and are never just "-".
pub fn escape(octets: &[u8]) -> String {
    if octets == b"-" {
        return "%2D".to_owned();
    }
    let mut text = String::with_capacity(octets.len());
    percent(
        &mut text,
        octets,
        |octet| matches!(octet, b'!'..=b'~' if octet != b'%'),
    );
    text
}
