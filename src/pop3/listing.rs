//! Drop listing (STAT), scan listing (LIST) and unique-id listing (UIDL): RFC 1939 sections 5
//! and 7.
//!
//! A line that makes no sense is `None`, and costs no more than itself: a server's one bad line
//! must not keep a person from the rest of the mail.

use super::quirks;
use std::fmt;
use std::num::NonZeroU32;

/// A message-number: from 1, valid in one session only, not always without gaps.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MessageNumber(NonZeroU32);

/// The longest unique-id that is taken. RFC 1939 says 70 octets; servers exceed it.
pub const UNIQUE_ID_LIMIT: usize = 1024;

/// The reply to STAT. Only a hint: servers count deleted mail, or miss what arrived meanwhile.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DropListing {
    /// Messages in the maildrop.
    pub messages: u64,
    /// Octets of them; 0 where the server sent no sensible figure.
    pub octets: u64,
}

impl MessageNumber {
    /// `None` for 0, which is no message-number.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The number as it is written.
    pub fn value(self) -> u32 {
        self.0.get()
    }

    fn parse(digits: &[u8]) -> Option<Self> {
        Self::new(u32::try_from(decimal(digits)?).ok()?)
    }
}

impl From<MessageNumber> for NonZeroU32 {
    fn from(number: MessageNumber) -> Self {
        number.0
    }
}

impl fmt::Display for MessageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl DropListing {
    /// Reads the text of a reply to STAT: `count SP octets`, and whatever else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (messages, rest) = word(text);
        let (octets, _) = word(rest);
        Some(Self {
            messages: decimal(messages)?,
            octets: decimal(octets).unwrap_or(0),
        })
    }
}

/// Reads a line of a scan listing: `n SP octets`, and whatever else.
pub fn scan_line(line: &[u8]) -> Option<(MessageNumber, u64)> {
    let (number, rest) = word(quirks::without_status_prefix(line));
    let (octets, _) = word(rest);
    Some((MessageNumber::parse(number)?, decimal(octets)?))
}

/// Reads a line of a scan listing that has no sensible size.
pub fn number_alone(line: &[u8]) -> Option<MessageNumber> {
    MessageNumber::parse(word(quirks::without_status_prefix(line)).0)
}

/// Reads a line of a unique-id listing: `n SP unique-id`. The unique-id is taken as it stands,
/// spaces and 8-bit octets included; it is compared, never interpreted.
pub fn unique_id_line(line: &[u8]) -> Option<(MessageNumber, &[u8])> {
    let (number, unique_id) = word(quirks::without_status_prefix(line));
    let fits = (1..=UNIQUE_ID_LIMIT).contains(&unique_id.len());
    Some((MessageNumber::parse(number)?, fits.then_some(unique_id)?))
}

/// The first word, and what follows it without the spaces between (see `quirks` for why plural).
fn word(line: &[u8]) -> (&[u8], &[u8]) {
    let line = skip_spaces(line);
    let end = line.iter().position(|octet| *octet == b' ');
    let (word, rest) = line.split_at(end.unwrap_or(line.len()));
    (word, skip_spaces(rest))
}

fn skip_spaces(mut line: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] = line {
        line = rest;
    }
    line
}

/// Plain decimal digits and nothing else: no sign, no exponent, no wrapping round.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, octet| {
        let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(n: u32) -> MessageNumber {
        MessageNumber::new(n).unwrap()
    }

    #[test]
    fn r7_a_scan_listing_line_may_hold_more_than_it_should() {
        assert_eq!(scan_line(b"1 120"), Some((number(1), 120)));
        assert_eq!(scan_line(b"2 200 extra"), Some((number(2), 200)));
    }

    #[test]
    fn s32_a_number_that_is_no_decimal_number_makes_the_line_bad() {
        for bad in [
            &b"99999999999999999999 1"[..],
            b"4294967296 1",
            b"-1 1",
            b"0 1",
            b"0x10 1",
            b"1e3 1",
            b"+1 1",
            "\u{663} 1".as_bytes(),
            b"",
            b"1",
            b"1 -5",
            b"1 18446744073709551616",
        ] {
            assert_eq!(scan_line(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn q5_a_unique_id_is_taken_verbatim() {
        assert_eq!(
            unique_id_line(b"7 whqtswO00WBw418f9t5JxYwZ"),
            Some((number(7), &b"whqtswO00WBw418f9t5JxYwZ"[..]))
        );
        assert_eq!(
            unique_id_line(b"7 a b\xff/../"),
            Some((number(7), &b"a b\xff/../"[..]))
        );
    }

    #[test]
    fn s35_a_unique_id_has_1_to_1024_octets() {
        let long = [b"1 ".as_slice(), &[b'x'; UNIQUE_ID_LIMIT]].concat();
        assert!(unique_id_line(&long).is_some());
        let longer = [long.as_slice(), b"x"].concat();
        assert_eq!(unique_id_line(&longer), None);
        assert_eq!(unique_id_line(b"1"), None);
        assert_eq!(unique_id_line(b"1 "), None);
    }

    #[test]
    fn a_drop_listing_counts_even_where_its_octets_are_nonsense() {
        let listing = |messages, octets| Some(DropListing { messages, octets });
        assert_eq!(DropListing::parse(b"2 320"), listing(2, 320));
        assert_eq!(DropListing::parse(b"2 -3"), listing(2, 0));
        assert_eq!(DropListing::parse(b"2"), listing(2, 0));
        assert_eq!(DropListing::parse(b"two"), None);
    }
}
