//! The three header fields by which a person recognises a message.

use jiff::{Timestamp, civil, tz::Offset};
use mail_parser::{HeaderName, MessageParser};
use std::panic::catch_unwind;

/// Octets of a header that are looked at. Real ones rarely have a tenth of it.
const LIMIT: usize = 64 * 1024;

/// Date, from and subject of a message: `None` where the field is missing or makes no sense.
///
/// The texts are decoded (RFC 2047) but not escaped.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Heading {
    /// The Date field in RFC 3339 form, with the sender's offset.
    pub date: Option<String>,
    /// The first author: `Name <address>`, or whichever of the two there is.
    pub from: Option<String>,
    /// The Subject field.
    pub subject: Option<String>,
}

impl Heading {
    /// Reads the first octets of a message, at least its header. Takes any octets, and never
    /// fails: what cannot be understood is `None`.
    pub fn parse(header: &[u8]) -> Self {
        let header = header.get(..LIMIT).unwrap_or(header);
        // A fault of the parser must not stop a fetch: the message is stored already, and its
        // file does not need to be understood.
        catch_unwind(|| Self::read(header)).unwrap_or_default()
    }

    fn read(header: &[u8]) -> Self {
        let parser = MessageParser::new()
            .header_date(HeaderName::Date)
            .header_address(HeaderName::From)
            .header_text(HeaderName::Subject)
            .default_header_ignore();
        // A header cut short, or a message that is nothing but a header, needs its empty line.
        let header = [header, b"\r\n\r\n"].concat();
        let Some(message) = parser.parse_headers(&header) else {
            return Self::default();
        };
        Self {
            date: message.date().and_then(rfc3339),
            from: message
                .from()
                .and_then(|from| from.first())
                .and_then(|author| author_text(author.name(), author.address())),
            subject: message.subject().map(str::to_owned),
        }
    }
}

fn author_text(name: Option<&str>, address: Option<&str>) -> Option<String> {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let address = address.map(str::trim).filter(|addr| !addr.is_empty());
    match (name, address) {
        (Some(name), Some(address)) => Some(format!("{name} <{address}>")),
        (name, address) => name.or(address).map(str::to_owned),
    }
}

/// mail-parser accepts a 31 February; jiff does not.
fn rfc3339(date: &mail_parser::DateTime) -> Option<String> {
    let seconds = i32::from(date.tz_hour) * 3600 + i32::from(date.tz_minute) * 60;
    let sign = if date.tz_before_gmt { -1 } else { 1 };
    let offset = Offset::from_seconds(sign * seconds).ok()?;
    let local = civil::DateTime::new(
        i16::try_from(date.year).ok()?,
        i8::try_from(date.month).ok()?,
        i8::try_from(date.day).ok()?,
        i8::try_from(date.hour).ok()?,
        i8::try_from(date.minute).ok()?,
        // RFC 5322 allows for a leap second, which no clock here can show.
        i8::try_from(date.second.min(59)).ok()?,
        0,
    )
    .ok()?;
    let timestamp: Timestamp = offset.to_timestamp(local).ok()?;
    Some(timestamp.display_with_offset(offset).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heading(date: Option<&str>, from: Option<&str>, subject: Option<&str>) -> Heading {
        Heading {
            date: date.map(str::to_owned),
            from: from.map(str::to_owned),
            subject: subject.map(str::to_owned),
        }
    }

    #[test]
    fn an_ordinary_header_is_decoded() {
        let header = b"From: =?utf-8?q?Ad=C3=A1?= <ada@example.com>\r\n\
            Date: Mon, 23 Nov 2026 09:10:11 +0200\r\n\
            Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n aus Wien\r\n\r\nFrom: body\r\n";
        assert_eq!(
            Heading::parse(header),
            heading(
                Some("2026-11-23T09:10:11+02:00"),
                Some("Adá <ada@example.com>"),
                Some("Grüße aus Wien")
            )
        );
    }

    #[test]
    fn east_asian_charsets_are_decoded() {
        let header = b"Subject: =?ISO-2022-JP?B?GyRCRnxLXDhsGyhC?=\r\n\r\n";
        assert_eq!(Heading::parse(header).subject.as_deref(), Some("日本語"));
    }

    #[test]
    fn a_header_cut_short_still_gives_what_is_there() {
        assert_eq!(
            Heading::parse(b"Subject: half a hea"),
            heading(None, None, Some("half a hea"))
        );
    }

    #[test]
    fn nonsense_is_none() {
        assert_eq!(Heading::parse(b""), Heading::default());
        assert_eq!(
            Heading::parse(b"\r\n\r\nSubject: body\r\n"),
            Heading::default()
        );
        assert_eq!(Heading::parse(&[0xff; 100]), Heading::default());
        assert_eq!(
            Heading::parse(b"Date: soon\r\nFrom:\r\n\r\n"),
            Heading::default()
        );
        assert_eq!(
            Heading::parse(b"Date: Mon, 31 Feb 2026 09:10:11 +0000\r\n\r\n").date,
            None
        );
    }

    #[test]
    fn an_author_may_lack_a_name_or_an_address() {
        let from = |header: &str| Heading::parse(header.as_bytes()).from;
        assert_eq!(
            from("From: a@b.example\r\n\r\n").as_deref(),
            Some("a@b.example")
        );
        assert_eq!(from("From: undisclosed:;\r\n\r\n"), None);
    }

    proptest! {
        #[test]
        fn any_octets_are_survived(octets in any::<Vec<u8>>()) {
            Heading::read(&octets);
        }

        #[test]
        fn any_field_values_are_survived(
            date in any::<Vec<u8>>(),
            from in "[ -~\\PC<>@(),:;\"\\\\=?\r\n\t]*",
            subject in "[ =?a-zA-Z0-9+/_\r\n\\PC-]*",
        ) {
            let mut header = b"Date: ".to_vec();
            header.extend(date);
            header.extend(format!("\r\nFrom: {from}\r\nSubject: {subject}\r\n\r\n").into_bytes());
            Heading::read(&header);
        }

        #[test]
        fn any_date_is_none_or_rfc3339(
            day in 0_u32..99, year in 0_u32..99_999, hour in 0_u32..99, second in 0_u32..99,
            zone in "[+-][0-9]{1,6}",
        ) {
            let header = format!("Date: {day} Mar {year} {hour}:00:{second} {zone}\r\n\r\n");
            if let Some(date) = Heading::read(header.as_bytes()).date {
                prop_assert!(date.parse::<Timestamp>().is_ok(), "{date}");
            }
        }
    }
}
