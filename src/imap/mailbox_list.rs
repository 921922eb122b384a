//! LIST: what mailboxes there are (RFC 3501 section 7.2.2), and the form of their names (section 5.1.3).

use super::command::ARGUMENT_LIMIT;
use super::items::{announced, unquoted, up_to_quote};
use base64::Engine;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};

/// The base64 of modified UTF-7: `,` in the place of `/`, and no padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// A mailbox as LIST tells of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListedMailbox {
    /// Its attributes, as in `\Noselect` and `\Sent`; hostile.
    pub attributes: Vec<Box<str>>,
    /// What stands between the parts of its name; none where names have no parts.
    pub delimiter: Option<char>,
    /// Its name as it came; hostile, and any octets.
    pub name: Vec<u8>,
}

impl ListedMailbox {
    /// From what stands behind LIST, literals included; `None` if it is none.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let inside = text.trim_ascii_start().strip_prefix(b"(")?;
        let end = inside.iter().position(|octet| *octet == b')')?;
        let attributes = inside.get(..end)?.split(|octet| *octet == b' ');
        let attributes = attributes.filter(|word| !word.is_empty());
        let attributes = attributes.map(|word| String::from_utf8_lossy(word).into());
        let (delimiter, rest) = astring(inside.get(end + 1..)?.trim_ascii_start())?;
        let delimiter = match delimiter {
            Astring::Text(text) => match text.as_slice() {
                [one] => Some(char::from(*one)),
                _ => return None,
            },
            Astring::Atom(atom) if atom.eq_ignore_ascii_case(b"NIL") => None,
            Astring::Atom(_) => return None,
        };
        // What an extension adds stands behind it (RFC 5258 section 6).
        let (name, _) = astring(rest.trim_ascii_start())?;
        let name = match name {
            Astring::Text(text) => text,
            Astring::Atom(atom) => atom.to_vec(),
        };
        Some(Self {
            attributes: attributes.collect(),
            delimiter,
            name,
        })
    }

    /// Whether it has this attribute, in any case.
    pub fn has(&self, attribute: &str) -> bool {
        let mut attributes = self.attributes.iter();
        attributes.any(|it| it.eq_ignore_ascii_case(attribute))
    }

    /// Whether it is a mailbox, and no mere name that others begin with.
    pub fn can_be_opened(&self) -> bool {
        !self.has("\\Noselect") && !self.has("\\NonExistent")
    }

    /// Its name as a command can have it; `None` where none can: it is too long, or no printable ASCII.
    pub fn argument(&self) -> Option<&str> {
        let is_plain = self.name.iter().all(|octet| matches!(octet, b' '..=b'~'));
        let name = Some(&self.name).filter(|name| is_plain && name.len() <= ARGUMENT_LIMIT);
        name.and_then(|name| std::str::from_utf8(name).ok())
    }
}

/// A string or an atom.
enum Astring<'a> {
    Text(Vec<u8>),
    Atom(&'a [u8]),
}

fn astring(text: &[u8]) -> Option<(Astring<'_>, &[u8])> {
    if let Some(inside) = text.strip_prefix(b"\"") {
        let (inside, rest) = up_to_quote(inside)?;
        return Some((Astring::Text(unquoted(inside)), rest));
    }
    if text.starts_with(b"{") {
        let end = text.iter().position(|octet| *octet == b'\n')? + 1;
        let length = usize::try_from(announced(text.get(..end)?)?).ok()?;
        let literal = text.get(end..end.checked_add(length)?)?;
        return Some((Astring::Text(literal.to_vec()), text.get(end + length..)?));
    }
    let ends = |octet: &u8| octet.is_ascii_whitespace();
    let end = text.iter().position(ends).unwrap_or(text.len());
    let (atom, rest) = text.split_at(end);
    (end > 0).then_some((Astring::Atom(atom), rest))
}

/// A mailbox's name in letters, from modified UTF-7; `None` where it is not in that form.
pub fn from_utf7(name: &str) -> Option<String> {
    let mut letters = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((plain, shifted)) = rest.split_once('&') {
        letters.push_str(plain);
        let (encoded, behind) = shifted.split_once('-')?;
        rest = behind;
        if encoded.is_empty() {
            letters.push('&');
            continue;
        }
        let octets = BASE64.decode(encoded).ok()?;
        let (units, []) = octets.as_chunks::<2>() else {
            return None;
        };
        let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
        let decoded: Result<String, _> = char::decode_utf16(units).collect();
        letters.push_str(&decoded.ok()?);
    }
    letters.push_str(rest);
    Some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Vec<String>, Option<char>, String)> {
        let listed = ListedMailbox::parse(text.as_bytes())?;
        let attributes = listed.attributes.iter().map(ToString::to_string);
        let name = String::from_utf8(listed.name).unwrap();
        Some((attributes.collect(), listed.delimiter, name))
    }

    #[test]
    fn a_mailbox_is_listed_with_its_attributes_its_delimiter_and_its_name() {
        for (text, attributes, delimiter, name) in [
            (" (\\HasNoChildren) \"/\" INBOX", 1, Some('/'), "INBOX"),
            (" () \".\" \"Sent Items\"", 0, Some('.'), "Sent Items"),
            (
                "(\\Noselect \\Sent) NIL \"a\\\"b\\\\c\"",
                2,
                None,
                "a\"b\\c",
            ),
            (" () \"\\\\\" {5}\r\na (\" \r\n", 0, Some('\\'), "a (\" "),
            (
                " () \"/\" \"x\" (\"CHILDINFO\" (\"SUBSCRIBED\"))",
                0,
                Some('/'),
                "x",
            ),
            (" () \"/\" \"\"", 0, Some('/'), ""),
        ] {
            let (found, found_delimiter, found_name) = read(text).unwrap();
            assert_eq!(found.len(), attributes, "{text}");
            assert_eq!(found_delimiter, delimiter, "{text}");
            assert_eq!(found_name, name, "{text}");
        }
        for wrong in [
            "",
            "()",
            "() \"/\"",
            "() \"//\" a",
            "() x a",
            "( \"/\" a",
            "() \"/\" \"a",
            "() \"/\" {9}\r\na",
            "() \"/\" {99999999999999999999}\r\na",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_in_modified_utf_7_are_read_as_letters() {
        for (name, letters) in [
            ("INBOX", "INBOX"),
            ("Entw&APw-rfe", "Entwürfe"),
            // The example of RFC 3501 section 5.1.3.
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("R&-D", "R&D"),
            ("&2D3eAA-", "😀"),
            ("Entwürfe", "Entwürfe"),
        ] {
            assert_eq!(from_utf7(name).as_deref(), Some(letters), "{name}");
        }
        for wrong in ["R&D", "&A-", "&2D0-", "&AGE=-", "&?-"] {
            assert_eq!(from_utf7(wrong), None, "{wrong}");
        }
    }
}
