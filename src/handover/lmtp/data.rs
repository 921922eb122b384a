//! A message as it is on the wire behind DATA.

use std::fs::File;
use std::io::{self, Read};

/// What is read of a message at once.
pub(super) const PIECE: usize = 64 * 1024;

/// What a message is like on the wire.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Measures {
    /// Octets, lines ending with CRLF.
    pub(super) octets: u64,
    /// Some are beyond ASCII.
    pub(super) has_8_bits: bool,
    /// Its header has characters beyond ASCII in it as they are, in UTF-8.
    pub(super) has_utf8_header: bool,
}

/// A header with more octets is not looked at any further.
const HEADER: usize = 512 * 1024;

/// Reads all of it.
pub(super) fn measure(file: &mut File) -> io::Result<Measures> {
    let mut measures = Measures::default();
    let mut piece = vec![0; PIECE];
    let mut last = b'\n';
    let (mut header, mut is_over) = (Vec::new(), false);
    loop {
        let count = file.read(&mut piece)?;
        let octets = piece.get(..count).unwrap_or_default();
        let Some(end) = octets.last() else {
            break;
        };
        if !is_over {
            header.extend_from_slice(octets);
            let end = memchr::memmem::find(&header, b"\n\n");
            is_over = end.is_some() || header.len() > HEADER || header.starts_with(b"\n");
            header.truncate(match header.starts_with(b"\n") {
                true => 0,
                false => end.unwrap_or(HEADER),
            });
        }
        last = *end;
        let lines = octets.iter().filter(|octet| **octet == b'\n').count();
        measures.octets += (octets.len() + lines) as u64;
        measures.has_8_bits |= !octets.is_ascii();
    }
    if last != b'\n' {
        measures.octets += 2;
    }
    measures.has_utf8_header = !header.is_ascii() && std::str::from_utf8(&header).is_ok();
    Ok(measures)
}

/// The file's octets as DATA has them: lines end with CRLF, and one that begins with a dot has one more
/// (RFC 5321 section 4.5.2). The end comes from [`Stuffer::end`].
#[derive(Debug)]
pub(super) struct Stuffer {
    at_line_start: bool,
}

impl Default for Stuffer {
    fn default() -> Self {
        Self {
            at_line_start: true,
        }
    }
}

impl Stuffer {
    pub(super) fn stuff(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for line in octets.split_inclusive(|octet| *octet == b'\n') {
            if self.at_line_start && line.starts_with(b".") {
                out.push(b'.');
            }
            match line.strip_suffix(b"\n") {
                Some(text) => {
                    out.extend_from_slice(text);
                    out.extend_from_slice(b"\r\n");
                    self.at_line_start = true;
                }
                None => {
                    out.extend_from_slice(line);
                    self.at_line_start = false;
                }
            }
        }
    }

    /// What stands behind the last octet.
    pub(super) fn end(&self, out: &mut Vec<u8>) {
        if !self.at_line_start {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{Seek, SeekFrom, Write};

    fn stuffed(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut stuffer, mut out) = (Stuffer::default(), Vec::new());
        for piece in pieces {
            stuffer.stuff(piece, &mut out);
        }
        stuffer.end(&mut out);
        out
    }

    #[test]
    fn lines_end_with_crlf_and_no_line_of_the_message_is_its_end() {
        for (text, wire) in [
            ("", ".\r\n"),
            ("a\n", "a\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            (".\n", "..\r\n.\r\n"),
            ("a\n.\nb\n", "a\r\n..\r\nb\r\n.\r\n"),
            ("..a\nb.\n", "...a\r\nb.\r\n.\r\n"),
            ("a\r\n", "a\r\r\n.\r\n"),
        ] {
            assert_eq!(stuffed(&[text.as_bytes()]), wire.as_bytes(), "{text:?}");
            let octets: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(stuffed(&octets), wire.as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn a_message_is_measured_as_it_is_on_the_wire() {
        for (text, octets, has_8_bits, has_utf8_header) in [
            (&b""[..], 0, false, false),
            (b"a\nb\n", 6, false, false),
            (b"a\nb", 6, false, false),
            ("\u{e9}\n".as_bytes(), 4, true, true),
            ("a: b\n\n\u{e9}\n".as_bytes(), 12, true, false),
            ("a: \u{e9}\n\nb\n".as_bytes(), 12, true, true),
            (b"a: \xe9\n\nb\n", 11, true, false),
            ("\n\u{e9}\n".as_bytes(), 6, true, false),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text).unwrap();
            file.seek(SeekFrom::Start(0)).unwrap();
            let wanted = Measures {
                octets,
                has_8_bits,
                has_utf8_header,
            };
            let text = text.escape_ascii();
            assert_eq!(measure(&mut file).unwrap(), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_stuffed_is_got_back_whole_and_has_one_end(octets in any::<Vec<u8>>()) {
            let wire = stuffed(&[&octets]);
            let end = wire.windows(5).position(|it| it == b"\r\n.\r\n").map_or(0, |at| at + 2);
            prop_assert_eq!(&wire[end..], b".\r\n");
            let mut back = Vec::new();
            for line in wire[..end].split_inclusive(|octet| *octet == b'\n') {
                let line = line.strip_prefix(b".").unwrap_or(line);
                back.extend_from_slice(line.strip_suffix(b"\r\n").unwrap());
                back.push(b'\n');
            }
            let mut wanted = octets;
            if wanted.last().is_some_and(|last| *last != b'\n') {
                wanted.push(b'\n');
            }
            prop_assert_eq!(back, wanted);
        }
    }
}
