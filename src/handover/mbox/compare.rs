//! Whether what stands in an mbox file is a message, whatever mail readers have done to it.

use super::PIECE;
use crate::handover::quote::Quoter;
use sha2::{Digest, Sha256};
use std::io::{self, BufRead};

/// Header fields that mail readers add to a message that they have seen, or change.
const READERS: [&[u8]; 9] = [
    b"status:",
    b"x-status:",
    b"x-keywords:",
    b"x-uid:",
    b"x-imap:",
    b"x-imapbase:",
    b"x-label:",
    b"content-length:",
    b"lines:",
];

/// Whether the lines from here on, behind the line `From `, are this message, and no more than that.
pub(super) fn is_message(there: &mut impl BufRead, message: &mut impl BufRead) -> io::Result<bool> {
    let (mut one, mut other) = (Vec::new(), Vec::new());
    loop {
        let expected = next_field(message, &mut other, true)?;
        let found = next_field(there, &mut one, false)?;
        match (expected, found) {
            (true, true) if one == other => {}
            (false, false) if one == other => break,
            // A message of a header alone has an empty line behind it there.
            (false, false) if other.is_empty() => return ends(there),
            _ => return Ok(false),
        }
    }
    let mut quoter = Quoter::default();
    let mut out = Vec::new();
    loop {
        let octets = message.fill_buf()?;
        let count = octets.len();
        quoter.quote(octets, &mut out);
        message.consume(count);
        if count == 0 {
            break;
        }
        if !begins_with(there, &out)? {
            return Ok(false);
        }
        out.clear();
    }
    quoter.end(&mut out);
    // The last is the empty line behind it, which a reader may have left out at the end of the file.
    let last = out.strip_suffix(b"\n").unwrap_or_default();
    Ok(begins_with(there, last)? && ends(there)?)
}

/// What a header says as it stands in the file, without what readers add. `there` is left behind it.
pub(super) fn read_header(there: &mut impl BufRead, is_quoted: bool) -> io::Result<Header> {
    let mut hash = Sha256::new();
    let mut line = Vec::new();
    let mut is_stamped = false;
    while next_field(there, &mut line, !is_quoted)? {
        let is = |name: &[u8]| {
            let begins = line.get(..name.len());
            begins.is_some_and(|begins| begins.eq_ignore_ascii_case(name))
        };
        is_stamped |= is(b"received:") || is(b"message-id:");
        hash.update(&line);
        hash.update(b"\n");
    }
    let hash: [u8; 32] = hash.finalize().into();
    let hash = hash.first_chunk().copied().unwrap_or_default();
    Ok(Header {
        hash: u64::from_be_bytes(hash),
        is_stamped,
    })
}

/// What [`read_header`] tells.
pub(super) struct Header {
    /// The beginning of the hash of its lines.
    pub(super) hash: u64,
    /// It has a Received or a Message-ID: nothing else tells two messages with the same octets from one.
    pub(super) is_stamped: bool,
}

/// The next line of a header that is no reader's, without white space at its end; whether there is one.
/// `line` is then as it stands in an mbox file. It says whether the header has ended with an empty line
/// (which is then one), or with the file.
fn next_field(from: &mut impl BufRead, line: &mut Vec<u8>, is_bare: bool) -> io::Result<bool> {
    loop {
        line.clear();
        if next_line(from, line)? == 0 {
            return Ok(false);
        }
        if is_bare {
            let mut quoted = Vec::new();
            Quoter::default().quote_line(line, &mut quoted);
            *line = quoted;
        }
        line.truncate(line.trim_ascii_end().len());
        if line.is_empty() {
            // So that it differs from the end of the file.
            line.push(b'\n');
            return Ok(false);
        }
        let is_readers = READERS.iter().any(|name| {
            let begins = line.get(..name.len());
            begins.is_some_and(|begins| begins.eq_ignore_ascii_case(name))
        });
        if !is_readers {
            return Ok(true);
        }
    }
}

/// Whether these octets come next.
fn begins_with(there: &mut impl BufRead, mut wanted: &[u8]) -> io::Result<bool> {
    while !wanted.is_empty() {
        let octets = there.fill_buf()?;
        let count = octets.len().min(wanted.len());
        let (begin, rest) = wanted.split_at(count);
        if count == 0 || octets.get(..count) != Some(begin) {
            return Ok(false);
        }
        there.consume(count);
        wanted = rest;
    }
    Ok(true)
}

/// Whether nothing but empty lines comes before the next message.
fn ends(there: &mut impl BufRead) -> io::Result<bool> {
    let mut line = Vec::new();
    loop {
        line.clear();
        match next_line(there, &mut line)? {
            0 => return Ok(true),
            _ if line == b"\n" => {}
            _ => return Ok(line.starts_with(b"From ")),
        }
    }
}

/// A line, or a part of one that is too long to be read at once.
pub(super) fn next_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let mut part = io::Read::take(from, PIECE as u64);
    part.read_until(b'\n', line)
}
