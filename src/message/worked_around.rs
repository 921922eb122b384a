//! What mail-parser 0.11 makes wrong of header fields, put right before it reads them. Its part, for
//! its own tracker:
//!
//! - `Date: ... UT`, `Z`, `AM` or `PM`: letters that are no zone it knows make it read on over the end
//!   of the line, so that the next field is lost. Here each field is read alone, and such a date is
//!   written anew.
//! - A character that is split over two encoded words, which RFC 2047 section 5 forbids and many
//!   programs do, becomes two U+FFFD. Here adjacent words of one charset are put together.
//! - Base64 without its padding loses its last letters. Here it is padded.
//! - Text that follows an encoded word with nothing in between is set off by a space. Here it is made a
//!   part of the word.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use mail_parser::decoders::charsets::map::charset_decoder;

/// Takes whatever padding there is, and bits behind the last octet.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A Date field with a zone in digits and the hours of a day that has 24.
pub(super) fn date(field: &[u8]) -> Vec<u8> {
    let mut shift = None;
    let text = String::from_utf8_lossy(field);
    let words = text.split_whitespace().filter_map(|word| {
        let upper = word.to_ascii_uppercase();
        match upper.as_str() {
            "AM" | "PM" => {
                shift = Some(upper == "PM");
                None
            }
            "UT" | "UTC" | "GMT" | "Z" => Some("+0000".to_owned()),
            _ => Some(word.to_owned()),
        }
    });
    let mut words: Vec<String> = words.collect();
    if let Some(afternoon) = shift
        && let Some(time) = words.iter_mut().skip(1).find(|word| word.contains(':'))
        && let Some((hour, rest)) = time.split_once(':')
        && let Ok(hour @ 1..=12) = hour.parse::<u8>()
    {
        *time = format!("{:02}:{rest}", hour % 12 + if afternoon { 12 } else { 0 });
    }
    // Without a zone it is anybody's guess, and UTC the usual one.
    if words.last().is_some_and(|last| last.contains(':')) && words.len() > 2 {
        words.push("+0000".to_owned());
    }
    words.join(" ").into_bytes()
}

/// A field whose encoded words are whole. `is_text`: it is a text, in which no other character means
/// anything.
pub(super) fn encoded_words(field: &[u8], is_text: bool) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), field);
    // A word that is not written yet, for the next one may belong to it.
    let mut held: Option<Word> = None;
    while let Some(at) = rest.windows(2).position(|two| two == b"=?") {
        let (between, from) = rest.split_at(at);
        match Word::read(from) {
            Some((word, length)) => {
                let text = between;
                let between = match &mut held {
                    Some(word) if is_text => word.take_in(text),
                    _ => text,
                };
                let joined = between.iter().all(u8::is_ascii_whitespace);
                // Only where nothing else stands between two words, the space is none of the text.
                let is_apart = joined && !between.is_empty() && between.len() < text.len();
                if let Some(word) = held.as_mut().filter(|_| is_apart) {
                    word.octets.push(b' ');
                }
                held = Some(match held.take() {
                    Some(mut before) if joined && before.charset == word.charset => {
                        before.octets.extend(&word.octets);
                        before
                    }
                    before => {
                        before.into_iter().for_each(|word| word.write(&mut out));
                        out.extend(between);
                        word
                    }
                });
                rest = from.get(length..).unwrap_or_default();
            }
            None => {
                held.take()
                    .into_iter()
                    .for_each(|word| word.write(&mut out));
                out.extend(between);
                out.extend(from.get(..2).unwrap_or_default());
                rest = from.get(2..).unwrap_or_default();
            }
        }
    }
    if let Some(word) = held.as_mut().filter(|_| is_text) {
        rest = word.take_in(rest);
    }
    held.into_iter().for_each(|word| word.write(&mut out));
    out.extend(rest);
    out
}

/// Whether one of a field's encoded words is in a charset that nobody knows, or that has no such octets.
pub(super) fn has_mislabelled_words(field: &[u8]) -> bool {
    let mut rest = field;
    while let Some(at) = rest.windows(2).position(|two| two == b"=?") {
        let from = rest.get(at..).unwrap_or_default();
        let word = Word::read(from);
        if word.as_ref().is_some_and(|(word, _)| word.is_mislabelled()) {
            return true;
        }
        let length = word.map_or(2, |(_, length)| length);
        rest = from.get(length..).unwrap_or_default();
    }
    false
}

/// An encoded word (RFC 2047 section 2).
struct Word {
    /// In small letters, without a language (RFC 2231 section 5).
    charset: Vec<u8>,
    octets: Vec<u8>,
}

impl Word {
    /// The one at the beginning of `text`, and how long it is.
    fn read(text: &[u8]) -> Option<(Self, usize)> {
        let mut parts = text.get(2..)?.splitn(4, |octet| *octet == b'?');
        let (charset, encoding, data) = (parts.next()?, parts.next()?, parts.next()?);
        if !parts.next()?.starts_with(b"=") || charset.is_empty() || data.contains(&b'\n') {
            return None;
        }
        let octets = match encoding {
            b"B" | b"b" => {
                let digit = |octet: &&u8| !octet.is_ascii_whitespace() && **octet != b'=';
                let digits: Vec<u8> = data.iter().filter(digit).copied().collect();
                LENIENT.decode(digits).ok()?
            }
            b"Q" | b"q" => quoted(data),
            _ => return None,
        };
        let length = 2 + charset.len() + 1 + encoding.len() + 1 + data.len() + 2;
        let charset = charset.split(|octet| *octet == b'*').next()?;
        let charset = charset.to_ascii_lowercase();
        Some((Self { charset, octets }, length))
    }

    /// See [`has_mislabelled_words`]. Octets that are no UTF-8 show in the text.
    fn is_mislabelled(&self) -> bool {
        match self.charset.as_slice() {
            b"utf-8" | b"utf8" => false,
            // Its decoder takes them for those of Windows.
            b"us-ascii" | b"ascii" | b"ansi_x3.4-1968" => !self.octets.is_ascii(),
            charset => charset_decoder(charset).is_none(),
        }
    }

    /// Takes in what follows the word without a space, as far as its charset has the same letters for it;
    /// the rest of the text.
    fn take_in<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        let families: [&[u8]; 5] = [b"utf-8", b"us-ascii", b"iso-8859-", b"windows-", b"koi8-"];
        let is_ascii = families.iter().any(|it| self.charset.starts_with(it));
        let is_glued = |octet: &&u8| is_ascii && octet.is_ascii_graphic();
        let (glued, rest) = text.split_at(text.iter().take_while(is_glued).count());
        self.octets.extend(glued);
        rest
    }

    fn write(self, out: &mut Vec<u8>) {
        out.extend(b"=?");
        out.extend(self.charset);
        out.extend(b"?B?");
        out.extend(BASE64_STANDARD.encode(self.octets).into_bytes());
        out.extend(b"?=");
    }
}

fn quoted(data: &[u8]) -> Vec<u8> {
    let digit = |octet: &u8| char::from(*octet).to_digit(16);
    let (mut octets, mut rest) = (Vec::new(), data);
    while let [first, tail @ ..] = rest {
        let pair = match (first, tail) {
            (b'=', [high, low, ..]) => digit(high).zip(digit(low)),
            _ => None,
        };
        let (octet, used) = match (pair, first) {
            (Some((high, low)), _) => (u8::try_from(high * 16 + low).unwrap_or_default(), 3),
            (None, b'_') => (b' ', 1),
            (None, first) => (*first, 1),
        };
        octets.push(octet);
        rest = rest.get(used..).unwrap_or_default();
    }
    octets
}
