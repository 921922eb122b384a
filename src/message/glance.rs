//! What a list of messages shows of one: all from its header, so that no body has to be read.

use super::heading::Heading;
use super::split;

/// Octets of a Message-ID that are kept. Real ones have a tenth of it.
const ID_LIMIT: usize = 1000;

/// What the beginning of a message says about it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Glance {
    /// Date, sender and subject.
    pub heading: Heading,
    /// The Message-ID without its angle brackets. Not escaped.
    pub message_id: Option<String>,
    /// Whether it says to be made of several things, or of something that is no text: it very likely
    /// has attachments. Only its body could tell for sure.
    pub attachments: bool,
}

impl Glance {
    /// Reads the first octets of a message, at least its header. Takes any octets, and never fails.
    pub fn parse(header: &[u8]) -> Self {
        let value = |name| split::last(header, name).map(|field| field.value);
        Self {
            heading: Heading::parse(header),
            message_id: value("Message-ID").and_then(message_id),
            attachments: value("Content-Type").is_some_and(has_attachments),
        }
    }
}

/// A Message-ID as a person gives it, `<a@b>` or `a@b`, in the form in which messages have it.
pub fn bare_id(text: &str) -> &str {
    let text = text.trim();
    let open = text.find('<').map_or(0, |at| at + 1);
    let inner = text.get(open..).unwrap_or_default();
    let close = inner.find('>').unwrap_or(inner.len());
    inner.get(..close).unwrap_or_default().trim()
}

fn message_id(value: &[u8]) -> Option<String> {
    let value = value.get(..ID_LIMIT).unwrap_or(value);
    let value = String::from_utf8_lossy(value);
    let id = bare_id(&value);
    (!id.is_empty()).then(|| id.to_owned())
}

fn has_attachments(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let end = value
        .iter()
        .position(|octet| *octet == b';' || octet.is_ascii_whitespace());
    let kind = value.get(..end.unwrap_or(value.len())).unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    match kind.split(|octet| *octet == b'/').next() {
        Some(b"multipart") => kind == b"multipart/mixed",
        Some(b"text" | b"message" | b"") | None => false,
        // "Content-Type: text" alone is an old habit, and anything without a slash is none.
        Some(_) => kind.contains(&b'/'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_whether_there_are_attachments() {
        for (kind, wanted) in [
            ("multipart/mixed; boundary=a", true),
            ("Multipart/Mixed;\r\n boundary=a", true),
            ("multipart/alternative; boundary=a", false),
            ("multipart/signed; boundary=a", false),
            ("text/plain", false),
            ("text", false),
            ("application/pdf", true),
            ("", false),
        ] {
            let header = format!("Content-Type: {kind}\r\n\r\nbody");
            assert_eq!(
                Glance::parse(header.as_bytes()).attachments,
                wanted,
                "{kind}"
            );
        }
        assert!(!Glance::parse(b"Subject: a\r\n\r\n").attachments);
    }

    #[test]
    fn a_message_id_is_the_same_with_its_brackets_and_without() {
        let id = |header: &str| Glance::parse(header.as_bytes()).message_id;
        assert_eq!(
            id("Message-ID:\r\n <a@b.example>\r\n\r\n").as_deref(),
            Some("a@b.example")
        );
        assert_eq!(id("message-id: a@b\r\n\r\n").as_deref(), Some("a@b"));
        assert_eq!(id("Message-ID: <>\r\n\r\n"), None);
        assert_eq!(bare_id(" <a@b> "), "a@b");
        assert_eq!(bare_id("a@b"), "a@b");
    }
}
