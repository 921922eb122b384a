//! APPEND, and SEARCH for what may have been appended (RFC 3501 sections 6.3.11 and 6.4.4).

use super::capability::Capabilities;
use super::date_time;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;

/// With LITERAL- alone a literal of no more octets need not wait (RFC 7888 section 5).
const SMALL_LITERAL: u64 = 4096;

/// A message that is appended, without its octets. It has no flags.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Append<'a> {
    /// The mailbox, as the server calls it.
    pub mailbox: &'a str,
    /// What becomes its INTERNALDATE, in seconds since 1970.
    pub date: i64,
    /// Octets, with CRLF at the ends of lines.
    pub octets: u64,
    /// They need not wait for the server's word.
    pub at_once: bool,
}

/// What a message is looked for by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Search<'a> {
    /// Its Message-ID without brackets, in printable ASCII.
    pub message_id: Option<&'a str>,
    /// Its INTERNALDATE, in seconds since 1970, where it has no Message-ID and that is known.
    pub date: Option<i64>,
    /// Its octets, where it has no Message-ID.
    pub octets: u64,
}

impl Capabilities {
    /// Whether the octets of such a literal need not wait.
    pub fn takes_at_once(&self, octets: u64) -> bool {
        self.literal_plus || self.literal_minus && octets <= SMALL_LITERAL
    }
}

impl Append<'_> {
    pub(super) fn behind_mailbox(&self) -> String {
        // What is no date leaves the server to take its own.
        let date = date_time::written(self.date);
        let date = date.map_or_else(String::new, |date| format!(" \"{date}\""));
        let plus = if self.at_once { "+" } else { "" };
        format!("{date} {{{}{plus}}}", self.octets)
    }
}

impl Search<'_> {
    /// By size, and by date where that is known. Servers count days in zones of their own.
    pub(super) fn without_id(&self) -> String {
        // Some end each message with a line's end.
        let most = format!("SMALLER {}", self.octets.saturating_add(3));
        let size = match self.octets.checked_sub(1) {
            Some(least) => format!("LARGER {least} {most}"),
            None => most,
        };
        let day = |days| date_time::day(self.date?, days);
        match (day(-1), day(2)) {
            (Some(since), Some(before)) => format!("SINCE {since} BEFORE {before} {size}"),
            _ => size,
        }
    }
}

/// A mailbox's name in modified UTF-7 (RFC 3501 section 5.1.3).
pub fn to_utf7(letters: &str) -> String {
    let mut name = String::with_capacity(letters.len());
    let mut shifted: Vec<u8> = Vec::new();
    let flush = |shifted: &mut Vec<u8>, name: &mut String| {
        if !shifted.is_empty() {
            let encoded = BASE64_STANDARD_NO_PAD.encode(&*shifted);
            name.push('&');
            name.push_str(&encoded.replace('/', ","));
            name.push('-');
            shifted.clear();
        }
    };
    for letter in letters.chars() {
        if matches!(letter, ' '..='~') {
            flush(&mut shifted, &mut name);
            name.push(letter);
            if letter == '&' {
                name.push('-');
            }
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                shifted.extend(unit.to_be_bytes());
            }
        }
    }
    flush(&mut shifted, &mut name);
    name
}

#[cfg(test)]
mod tests {
    use super::super::mailbox_list::from_utf7;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_is_announced_with_its_date_and_its_length() {
        let append = Append {
            mailbox: "INBOX",
            date: 837_596_665,
            octets: 310,
            at_once: false,
        };
        let date = "\"17-Jul-1996 09:44:25 +0000\"";
        assert_eq!(append.behind_mailbox(), format!(" {date} {{310}}"));
        let at_once = Append {
            at_once: true,
            ..append
        };
        assert_eq!(at_once.behind_mailbox(), format!(" {date} {{310+}}"));
        let undated = Append {
            date: i64::MAX,
            ..append
        };
        assert_eq!(undated.behind_mailbox(), " {310}");
    }

    #[test]
    fn octets_go_at_once_where_the_server_takes_so_many() {
        for (capabilities, octets, at_once) in [
            ("IMAP4rev1", 1, false),
            ("IMAP4rev1 LITERAL+", 1 << 30, true),
            ("IMAP4rev1 LITERAL-", 4096, true),
            ("IMAP4rev1 LITERAL-", 4097, false),
            ("IMAP4rev2", 4096, true),
        ] {
            let capabilities = Capabilities::read(capabilities.as_bytes());
            assert_eq!(capabilities.takes_at_once(octets), at_once, "{octets}");
        }
    }

    #[test]
    fn names_are_written_in_modified_utf_7() {
        for (letters, name) in [
            ("INBOX", "INBOX"),
            ("Entw\u{fc}rfe", "Entw&APw-rfe"),
            ("R&D", "R&-D"),
            ("\u{53f0}\u{5317}/x", "&U,BTFw-/x"),
            ("\u{1f600}", "&2D3eAA-"),
        ] {
            assert_eq!(to_utf7(letters), name);
        }
    }

    proptest! {
        #[test]
        fn any_name_is_read_as_it_is_written(letters in any::<String>()) {
            prop_assert_eq!(from_utf7(&to_utf7(&letters)), Some(letters));
        }
    }
}
