//! A header's fields by name, decoded: what rules look at.

use super::legible::is_legible;
use super::split;
use super::worked_around::encoded_words;
use jiff::fmt::rfc2822::DateTimeParser;
use mail_parser::{HeaderName, MessageParser};
use std::panic::catch_unwind;

/// The fields of a header, as they are written.
#[derive(Clone, Debug)]
pub struct Header<'a> {
    /// Each name in small letters, and its lines behind the colon.
    fields: Vec<(String, &'a [u8])>,
    /// There are lines among them that are no field.
    is_strange: bool,
}

impl<'a> Header<'a> {
    /// Takes the octets of a message up to and with the first empty line, or as far as there are any.
    /// `None` where no field is among them: then it is something else.
    pub fn read(octets: &'a [u8]) -> Option<Self> {
        let mut in_fields = 0;
        let fields = split::fields(octets).map(|field| {
            in_fields += field.whole.len();
            let name = String::from_utf8_lossy(field.name).to_ascii_lowercase();
            (name, field.value)
        });
        let fields: Vec<_> = fields.collect();
        let lines = octets.split_inclusive(|octet| *octet == b'\n');
        let lines: usize = lines
            .take_while(|line| !split::ends_header(line))
            .map(<[u8]>::len)
            .sum();
        // Some servers give the first line of an mbox with the message.
        let envelope = [&b"From "[..], b">From "]
            .iter()
            .any(|it| octets.starts_with(it));
        let envelope = match envelope {
            true => octets.split_inclusive(|octet| *octet == b'\n').next(),
            false => None,
        };
        let is_strange = in_fields + envelope.map_or(0, <[u8]>::len) != lines;
        (!fields.is_empty()).then_some(Self { fields, is_strange })
    }

    /// Whether lines are among its fields that are none: a field may be hidden there, from who reads it
    /// as it is done here.
    pub fn has_strange_lines(&self) -> bool {
        self.is_strange
    }

    /// The fields of this name as they are written behind the colon, folds and line ends included.
    pub fn raw(&self, name: &str) -> Vec<&'a [u8]> {
        self.values(name).collect()
    }

    /// Whether there is a field of this name, which is in small letters.
    pub fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// Whether the fields of this name say plainly which characters they are made of: what is printed
    /// is in UTF-8, and each encoded word is in a charset that has its octets.
    pub fn is_legible(&self, name: &str) -> bool {
        self.values(name).all(is_legible)
    }

    /// How many octets the fields of this name have.
    pub fn octets(&self, name: &str) -> usize {
        self.values(name).map(<[u8]>::len).sum()
    }

    /// The fields of this name as texts, unfolded and decoded (RFC 2047). Not escaped.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let parser = MessageParser::new()
            .header_text(HeaderName::Subject)
            .default_header_ignore();
        let decoded = |value| {
            let field = relabelled("Subject", value);
            let message = parser.parse_headers(&field);
            let text = message.as_ref().and_then(|it| it.subject());
            text.map(|text| text.trim().to_owned()).unwrap_or_default()
        };
        self.values(name)
            .map(|value| guarded(decoded, value))
            .collect()
    }

    /// The addresses in the fields of this name, `ada@example.com`, those in groups included. Not
    /// escaped.
    pub fn addresses(&self, name: &str) -> Vec<String> {
        let parser = MessageParser::new()
            .header_address(HeaderName::From)
            .default_header_ignore();
        let read = |value| -> Vec<String> {
            let field = relabelled("From", value);
            let message = parser.parse_headers(&field);
            let addresses = message.as_ref().and_then(|it| it.from());
            let addresses = addresses.into_iter().flat_map(|all| all.iter());
            let addresses = addresses.filter_map(|it| it.address());
            addresses.map(|it| it.trim().to_owned()).collect()
        };
        self.values(name).flat_map(|it| guarded(read, it)).collect()
    }

    /// The Date field in seconds since 1970; `None` also where there are several, as any may be right,
    /// and where it is not written as RFC 5322 has it. What people are shown is read with more lenience
    /// ([`super::Heading`]); here a guess at a date could have a message deleted that came today.
    pub fn date(&self) -> Option<i64> {
        let mut dates = self.values("date");
        match (dates.next(), dates.next()) {
            (Some(date), None) => strict_date(date),
            _ => None,
        }
    }

    /// The time from which the message's age counts, in seconds since 1970: its Date, or when its
    /// server received it where that is later, for the sender's clock may be wrong. `None` where either
    /// is there and cannot be read.
    pub fn born(&self) -> Option<i64> {
        Some(self.date()?.max(self.received()?))
    }

    /// When the server that has the message received it, in seconds since 1970, by the first of its
    /// Received fields: each server puts its own before the others. By its Date where there is none.
    pub fn received(&self) -> Option<i64> {
        let Some(received) = self.values("received").next() else {
            return self.date();
        };
        // The date is what stands behind the last semicolon (RFC 5322 section 3.6.7).
        let at = received.iter().rposition(|octet| *octet == b';')?;
        strict_date(received.get(at + 1..)?)
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.fields.iter().filter(move |(other, _)| other == name);
        fields.map(|(_, value)| *value)
    }
}

/// A fault of the parser is no reason to end a fetch: what it cannot read is nothing.
fn guarded<'a, T: Default>(read: impl Fn(&'a [u8]) -> T, value: &'a [u8]) -> T {
    catch_unwind(std::panic::AssertUnwindSafe(|| read(value))).unwrap_or_default()
}

/// A date as RFC 5322 section 3.3 has it, or section 4.3, in seconds since 1970. A comment may stand at
/// its end only; a day of the week that is another day's makes it none.
fn strict_date(value: &[u8]) -> Option<i64> {
    let read = |value| DateTimeParser::new().parse_timestamp(value).ok();
    Some(guarded(read, value)?.as_second())
}

/// The field under a name that the parser reads in the way that is wanted, alone.
fn relabelled(name: &str, value: &[u8]) -> Vec<u8> {
    let value = encoded_words(value, name == "Subject");
    [name.as_bytes(), b": ", value.trim_ascii(), b"\r\n\r\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_found_by_name_unfolded_and_decoded() {
        let header = b"Received: from a\r\n\tby b\r\nSUBJECT: =?iso-8859-1?q?Gr=FC=DFe?=\r\n aus Wien\r\n\
            From: \"Boss, the\" <boss@example.com>, =?utf-8?q?Ad=C3=A1?= <ada@example.com>\r\n\
            To: friends: a@b, c@d;\r\nX-Spam: \r\nDate: Mon, 23 Nov 2026 09:10:11 +0200\r\n\r\nSubject: body\r\n";
        let header = Header::read(header).unwrap();
        assert_eq!(header.texts("subject"), ["Grüße aus Wien"]);
        assert_eq!(
            header.addresses("from"),
            ["boss@example.com", "ada@example.com"]
        );
        assert_eq!(header.addresses("to"), ["a@b", "c@d"]);
        assert_eq!(header.texts("received"), ["from a by b"]);
        assert!(header.has("x-spam") && !header.has("x-virus"));
        assert_eq!(header.texts("x-spam"), [""]);
        assert_eq!(header.date(), Some(1_795_417_811));
    }

    #[test]
    fn a_message_was_received_when_the_server_that_has_it_says_so() {
        let received = |header: &str| Header::read(header.as_bytes()).unwrap().received();
        let old = "Date: Mon, 23 Nov 2020 09:10:11 +0200\r\n\r\n";
        let [new, other] = [
            "Mon, 23 Nov 2026 09:10:11 +0200",
            "Mon, 23 Nov 2025 09:10:11 +0200",
        ];
        let trail = format!(
            "Received: from a; by b;\r\n\t{new} (CET)\r\nReceived: from c; {other}\r\n{old}"
        );
        assert_eq!(received(&trail), Some(1_795_417_811));
        assert_eq!(received(old), Some(1_606_115_411));
        for none in [
            "Received: from a\r\n",
            "Received: a; soon\r\n",
            "Received:\r\n",
        ] {
            assert_eq!(received(&format!("{none}{old}")), None, "{none:?}");
        }
        assert_eq!(received("From: a\r\n\r\n"), None);
    }

    #[test]
    fn what_has_no_field_is_no_header() {
        for octets in [
            &b""[..],
            b"\r\n",
            b"hello\r\n\r\n",
            b" folded: x\r\n\r\n",
            b"\r\nA: b",
        ] {
            assert!(Header::read(octets).is_none(), "{octets:?}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_can_be_read(octets in any::<Vec<u8>>()) {
            let with_names = [b"From: ", &octets[..], b"\r\nSubject: ", &octets, b"\r\n\r\n"].concat();
            let header = Header::read(&with_names).unwrap();
            header.texts("subject");
            header.addresses("from");
            header.date();
            header.born();
            header.received();
        }
    }
}
