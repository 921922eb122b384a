//! The three header fields by which a person recognises a message.

use super::split;
use super::worked_around::{date, encoded_words};
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
        let whole = |name| split::last(header, name).map(|field| field.whole);
        let fields = [
            whole("Date").map(date),
            whole("From").map(|field| encoded_words(field, false)),
            whole("Subject").map(|field| encoded_words(field, true)),
        ];
        // Each with its end, which a header that is cut short lacks, and the empty line behind all.
        let fields = fields.into_iter().flatten();
        let mut header: Vec<u8> = fields
            .flat_map(|field| [field.trim_ascii_end(), b"\r\n"].concat())
            .collect();
        header.extend(b"\r\n");
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
        i16::try_from(year(date.year)).ok()?,
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

/// Years of two and three digits, as RFC 5322 section 4.3 reads them.
fn year(year: u16) -> u16 {
    match year {
        0..=49 => year + 2000,
        50..=999 => year + 1900,
        year => year,
    }
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
    fn g_text_that_follows_an_encoded_word_at_once_is_not_set_off_by_a_space() {
        for (written, read) in [
            (
                "=?utf-8?B?0JLQsNGI0LU=?=. Mail failure.",
                "Ваше. Mail failure.",
            ),
            ("=?utf-8?q?a?=, =?utf-8?q?b?=!", "a, b!"),
            ("=?iso-8859-1?q?a=FC?=b", "aüb"),
            ("=?utf-8?q?a?= b", "a b"),
        ] {
            let header = format!("Subject: {written}\r\nFrom: a@b\r\n\r\n");
            let heading = Heading::parse(header.as_bytes());
            assert_eq!(heading.subject.as_deref(), Some(read), "{written}");
        }
        let header = b"From: =?utf-8?q?Ada?=<ada@example.com>\r\n\r\n";
        let from = Heading::parse(header).from;
        assert_eq!(from.as_deref(), Some("Ada <ada@example.com>"));
    }

    #[test]
    fn g_a_zone_in_letters_is_read_and_swallows_no_other_field() {
        for (written, read) in [
            ("Mon, 23 Nov 2026 09:10:11 UT", "2026-11-23T09:10:11+00:00"),
            ("Mon, 23 Nov 2026 09:10:11 Z", "2026-11-23T09:10:11+00:00"),
            ("Mon, 23 Nov 2026 09:10:11 UTC", "2026-11-23T09:10:11+00:00"),
            ("Mon, 23 Nov 2026 09:10:11 GMT", "2026-11-23T09:10:11+00:00"),
            ("Mon, 23 Nov 2026 09:10:11 EST", "2026-11-23T09:10:11-05:00"),
            (
                "Mon, 23 Nov 2026 09:10:11 AM +0100",
                "2026-11-23T09:10:11+01:00",
            ),
            ("Mon, 23 Nov 2026 09:10:11 PM", "2026-11-23T21:10:11+00:00"),
            ("Mon, 23 Nov 2026 12:10:11 AM", "2026-11-23T00:10:11+00:00"),
            (
                "Mon, 23 Nov 2026 12:10:11 PM GMT",
                "2026-11-23T12:10:11+00:00",
            ),
            (
                "Mon, 23 Nov 2026 09:10:11 +0200 (CEST)",
                "2026-11-23T09:10:11+02:00",
            ),
            ("Mon, 23 Nov 26 09:10:11 +0000", "2026-11-23T09:10:11+00:00"),
            (
                "Mon, 23 Nov 126 09:10:11 +0000",
                "2026-11-23T09:10:11+00:00",
            ),
            ("Fri, 23 Nov 98 09:10:11 +0000", "1998-11-23T09:10:11+00:00"),
        ] {
            let header = format!("Date: {written}\r\nSubject: hello\r\nFrom: a@b.example\r\n\r\n");
            let wanted = heading(Some(read), Some("a@b.example"), Some("hello"));
            assert_eq!(Heading::parse(header.as_bytes()), wanted, "{written}");
        }
    }

    #[test]
    fn g_a_character_that_is_split_over_two_encoded_words_is_put_together() {
        for (written, read) in [
            ("=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "\u{20ac}"),
            (
                "=?UTF-8?Q?caf=C3?=\r\n =?utf-8?Q?=A9?= here",
                "caf\u{e9} here",
            ),
            ("=?utf-8?Q?caf=C3?= =?utf-8?B?qQ==?=", "caf\u{e9}"),
            ("=?utf-8?Q?one?= two =?utf-8?Q?three?=", "one two three"),
            ("=?utf-8?Q?a_b?= =?iso-8859-1?Q?=E9?=", "a b\u{e9}"),
            ("1 =?= 2 =?x 3", "1 =?= 2 =?x 3"),
        ] {
            let header = format!("Subject: {written}\r\n\r\n");
            let subject = Heading::parse(header.as_bytes()).subject;
            assert_eq!(subject.as_deref(), Some(read), "{written}");
        }
    }

    #[test]
    fn g_base64_without_its_padding_loses_no_letter() {
        for (written, read) in [
            ("=?utf-8?B?aGVsbG8?=", "hello"),
            ("=?utf-8?b?aGVsbG8=?=", "hello"),
            ("=?utf-8?B?aGVsbA?=", "hell"),
            ("=?utf-8?B?aGVsbG8h?=", "hello!"),
        ] {
            let header = format!("Subject: {written}\r\nFrom: {written} <a@b.example>\r\n\r\n");
            let found = Heading::parse(header.as_bytes());
            assert_eq!(found.subject.as_deref(), Some(read), "{written}");
            let from = format!("{read} <a@b.example>");
            assert_eq!(found.from.as_deref(), Some(from.as_str()), "{written}");
        }
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
