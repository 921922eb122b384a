//! Keeps passwords and tokens out of whatever a peer repeats: a mail server, a proxy, a provider.
//!
//! A peer may repeat a secret cut short, in other letters, in base64, in hex, or escaped as in a URL
//! or a page. So the text is read in each of these ways, and what stands for more than a few octets
//! of a secret is covered. Cover first, then cut: of a secret that was cut nothing is found any more.

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use memchr::memmem;
use std::borrow::Cow;
use std::ops::Range;
use zeroize::Zeroizing;

/// What stands where a secret stood.
const HIDDEN: &[u8] = b"****";

/// So many octets in a row that a text has in common with a secret are no accident.
const PIECE: usize = 8;

/// At the end of a text fewer are, for it may have been cut there.
const START: usize = 4;

/// Shorter pieces of base64 would hide innocent words as well, and tell little.
const SHORTEST_DIGITS: usize = 4;

/// What must not be shown, in the forms in which it is sent; letters are small ones.
#[derive(Default)]
pub struct Veil {
    secrets: Vec<Zeroizing<Vec<u8>>>,
    /// Each [`PIECE`] of them, in order.
    pieces: Zeroizing<Vec<[u8; PIECE]>>,
}

impl Veil {
    /// Covers a password or a token, whatever is around it.
    pub fn cover(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let digits = (0..3).flat_map(|offset| digits(secret, offset));
        let forms: Vec<_> = digits
            .chain([Zeroizing::new(secret.as_bytes().to_vec())])
            .collect();
        for form in forms {
            self.add(form);
        }
        self.sort();
    }

    /// Covers a message in base64 or a digest, as a whole or in parts.
    pub fn cover_message(&mut self, message: &str) {
        for form in [message, message.trim_end_matches('=')] {
            self.add(Zeroizing::new(form.as_bytes().to_vec()));
        }
        self.sort();
    }

    fn add(&mut self, mut form: Zeroizing<Vec<u8>>) {
        form.make_ascii_lowercase();
        let pieces = form.windows(PIECE);
        self.pieces
            .extend(pieces.filter_map(|piece| <[u8; PIECE]>::try_from(piece).ok()));
        self.secrets.push(form);
    }

    fn sort(&mut self) {
        self.pieces.sort_unstable();
        self.pieces.dedup();
    }

    /// The octets without any secret.
    pub fn hide<'a>(&self, octets: &'a [u8]) -> Cow<'a, [u8]> {
        if self.secrets.is_empty() {
            return Cow::Borrowed(octets);
        }
        let mut covered = vec![false; octets.len()];
        for reading in Reading::all(octets) {
            self.find_in(octets, &reading, |place| {
                covered.get_mut(place).unwrap_or_default().fill(true);
            });
        }
        if !covered.contains(&true) {
            return Cow::Borrowed(octets);
        }
        let (mut shown, mut before) = (Vec::new(), false);
        for (octet, covered) in octets.iter().zip(covered) {
            match (covered, before) {
                (false, _) => shown.push(*octet),
                (true, false) => shown.extend(HIDDEN),
                (true, true) => {}
            }
            before = covered;
        }
        Cow::Owned(shown)
    }

    /// [`Veil::hide`] for text.
    pub fn hide_in(&self, text: String) -> String {
        match self.hide(text.as_bytes()) {
            Cow::Borrowed(_) => text,
            Cow::Owned(hidden) => String::from_utf8_lossy(&hidden).into_owned(),
        }
    }

    /// Calls `cover` with each place of the source that stands for a secret or for part of one.
    fn find_in(&self, source: &[u8], reading: &Reading, mut cover: impl FnMut(Range<usize>)) {
        let octets = reading.octets.as_slice();
        for (at, piece) in octets.windows(PIECE).enumerate() {
            if self
                .pieces
                .binary_search_by(|own| own[..].cmp(piece))
                .is_ok()
            {
                cover(reading.source(at..at + PIECE));
            }
        }
        for secret in self.secrets.iter().filter(|secret| secret.len() < PIECE) {
            for at in memmem::find_iter(octets, secret.as_slice()) {
                cover(reading.source(at..at + secret.len()));
            }
        }
        let begun = self.start_at_the_end(octets).into_iter();
        let mut begun = begun.map(|start| reading.source(start));
        // A word of its own, as the source has it.
        let before = |place: &Range<usize>| source.get(place.start.checked_sub(1)?);
        let is_letter = |octet: &u8| octet.is_ascii_alphanumeric() || b"_-".contains(octet);
        if let Some(place) = begun.find(|place| !before(place).is_some_and(is_letter)) {
            cover(place);
        }
    }

    /// Where the beginning of a secret may stand at the end of a text.
    fn start_at_the_end(&self, octets: &[u8]) -> Vec<Range<usize>> {
        let is_mark = |octet: &u8| b" .\"'`)>]\r\n".contains(octet) || !octet.is_ascii();
        let marks = octets.iter().rev().take_while(|octet| is_mark(octet));
        let end = octets.len() - marks.count();
        let begins = |start: usize| {
            let word = octets.get(start..end).filter(|word| word.len() >= START);
            word.is_some_and(|word| self.secrets.iter().any(|secret| secret.starts_with(word)))
        };
        let starts = end.saturating_sub(PIECE)..end;
        starts
            .filter(|start| begins(*start))
            .map(|start| start..end)
            .collect()
    }
}

/// A secret in base64 behind `offset` octets of something else, as in any SASL message that holds
/// it: the digits that depend on it alone, and those at its end that hold some bits of it.
fn digits(secret: &str, offset: usize) -> Vec<Zeroizing<Vec<u8>>> {
    let octets = Zeroizing::new([&vec![0; offset], secret.as_bytes()].concat());
    let digits = Zeroizing::new(BASE64_STANDARD_NO_PAD.encode(octets.as_slice()));
    let first = (offset * 8).div_ceil(6);
    let whole = octets.len() * 8 / 6;
    [first..digits.len(), first..whole]
        .into_iter()
        .filter_map(|range| digits.as_bytes().get(range))
        .filter(|piece| piece.len() >= SHORTEST_DIGITS)
        .map(|piece| Zeroizing::new(piece.to_vec()))
        .collect()
}

/// What a text says when it is read in one of the ways, in small letters.
#[derive(Default)]
struct Reading {
    octets: Zeroizing<Vec<u8>>,
    /// Where each of them stands in the source.
    places: Vec<Range<usize>>,
}

impl Reading {
    fn all(source: &[u8]) -> impl Iterator<Item = Self> {
        let urls = source.iter().any(|octet| b"-_".contains(octet));
        let escapes = source.iter().any(|octet| b"%=\\&+".contains(octet));
        let forms = source.contains(&b'+');
        [
            Some(Self::of(source, |octet| octet)),
            urls.then(|| Self::of(source, of_url_alphabet)),
            escapes.then(|| Self::unescaped(source, false)),
            (escapes && forms).then(|| Self::unescaped(source, true)),
            Some(Self::hex(source)),
        ]
        .into_iter()
        .flatten()
    }

    fn source(&self, range: Range<usize>) -> Range<usize> {
        let places = self.places.get(range).unwrap_or_default();
        match (places.first(), places.last()) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }

    fn push(&mut self, octet: u8, place: Range<usize>) {
        self.octets.push(octet.to_ascii_lowercase());
        self.places.push(place);
    }

    fn of(source: &[u8], read: impl Fn(u8) -> u8) -> Self {
        let mut reading = Self::default();
        for (at, octet) in source.iter().enumerate() {
            reading.push(read(*octet), at..at + 1);
        }
        reading
    }

    /// As in URLs (`%40`), forms (`+`), quoted-printable (`=40`), strings (`\x40`, `\"`) and pages
    /// (`&#64;`, `&amp;`).
    fn unescaped(source: &[u8], form: bool) -> Self {
        let (mut reading, mut at) = (Self::default(), 0);
        while let Some(rest @ [first, ..]) = source.get(at..) {
            let (octet, length) = match escape(rest) {
                Some(found) => found,
                None if form && *first == b'+' => (b' ', 1),
                None => (*first, 1),
            };
            reading.push(octet, at..at + length);
            at += length;
        }
        reading
    }

    /// Pairs of hex digits, with a space, a colon or a hyphen between two or without. Each run of
    /// digits is read from its first and from its second, with a NUL behind.
    fn hex(source: &[u8]) -> Self {
        let mut reading = Self::default();
        let mut run: Vec<(usize, u32)> = Vec::new();
        for (at, octet) in source.iter().enumerate() {
            match char::from(*octet).to_digit(16) {
                Some(digit) => run.push((at, digit)),
                None if b" :-".contains(octet) => {}
                None => reading.push_pairs(&std::mem::take(&mut run)),
            }
        }
        reading.push_pairs(&run);
        reading
    }

    fn push_pairs(&mut self, run: &[(usize, u32)]) {
        if run.len() < 2 * START {
            return;
        }
        for digits in [run, run.get(1..).unwrap_or_default()] {
            for pair in digits.chunks_exact(2) {
                if let [(start, high), (end, low)] = pair {
                    let octet = u8::try_from(high * 16 + low).unwrap_or_default();
                    self.push(octet, *start..*end + 1);
                }
            }
            self.push(0, 0..0);
        }
    }
}

/// Base64 in the alphabet of URLs (RFC 4648 section 5).
fn of_url_alphabet(octet: u8) -> u8 {
    match octet {
        b'-' => b'+',
        b'_' => b'/',
        octet => octet,
    }
}

/// The octet that an escape at the beginning of `text` stands for, and how long it is.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    let pair = |digits: &[u8]| match digits {
        [high, low, ..] => {
            let digit = |octet: &u8| char::from(*octet).to_digit(16);
            u8::try_from(digit(high)? * 16 + digit(low)?).ok()
        }
        _ => None,
    };
    match text {
        [b'%' | b'=', digits @ ..] => Some((pair(digits)?, 3)),
        [b'\\', b'x' | b'X', digits @ ..] => Some((pair(digits)?, 4)),
        [b'\\', b'u', b'0', b'0', digits @ ..] => Some((pair(digits)?, 6)),
        [b'\\', octet @ (b'\\' | b'"' | b'\'' | b'/'), ..] => Some((*octet, 2)),
        [b'&', rest @ ..] => {
            let end = rest.iter().take(8).position(|octet| *octet == b';')?;
            let name = std::str::from_utf8(rest.get(..end)?).ok()?;
            let octet = match name.strip_prefix('#') {
                Some(number) => match number.strip_prefix(['x', 'X']) {
                    Some(digits) => u8::from_str_radix(digits, 16).ok()?,
                    None => number.parse().ok()?,
                },
                None => match name {
                    "amp" => b'&',
                    "lt" => b'<',
                    "gt" => b'>',
                    "quot" => b'"',
                    "apos" => b'\'',
                    _ => return None,
                },
            };
            Some((octet, end + 2))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "veil_tests.rs"]
mod tests;
