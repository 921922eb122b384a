//! A header's fields by name, decoded: what rules look at.

use super::Heading;
use super::split;
use super::worked_around::encoded_words;
use jiff::Timestamp;
use mail_parser::{HeaderName, MessageParser};
use std::panic::catch_unwind;

/// The fields of a header, as they are written.
#[derive(Clone, Debug)]
pub struct Header<'a> {
    octets: &'a [u8],
    /// Each name in small letters, and its lines behind the colon.
    fields: Vec<(String, &'a [u8])>,
}

impl<'a> Header<'a> {
    /// Takes the octets of a message up to and with the first empty line, or as far as there are any.
    /// `None` where no field is among them: then it is something else.
    pub fn read(octets: &'a [u8]) -> Option<Self> {
        let fields = split::fields(octets).map(|field| {
            let name = String::from_utf8_lossy(field.name).to_ascii_lowercase();
            (name, field.value)
        });
        let fields: Vec<_> = fields.collect();
        (!fields.is_empty()).then_some(Self { octets, fields })
    }

    /// Whether there is a field of this name, which is in small letters.
    pub fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
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

    /// The Date field in seconds since 1970; `None` also where there are several, as any may be right.
    pub fn date(&self) -> Option<i64> {
        if self.values("date").count() > 1 {
            return None;
        }
        let date = Heading::parse(self.octets).date?;
        Some(date.parse::<Timestamp>().ok()?.as_second())
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
        }
    }
}
