//! Responses with data: what follows `*` and is no status (RFC 3501 sections 7.2 to 7.4).

use super::status::number;

/// What the server tells of the mailbox or of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Data<'a> {
    /// CAPABILITY with what follows.
    Capability(&'a [u8]),
    /// EXISTS: so many messages.
    Exists(u32),
    /// EXPUNGE, or VANISHED but for (EARLIER): so many messages are gone.
    Gone(u64),
    /// RECENT: so many messages no other session has been told of.
    Recent(u32),
    /// LIST with what follows: a mailbox.
    List(&'a [u8]),
    /// SEARCH with what follows: UIDs.
    Search(&'a [u8]),
    /// Anything else, which nobody has asked for.
    Other,
}

impl<'a> Data<'a> {
    /// What a response says, FETCH left out.
    pub fn parse(line: &'a [u8]) -> Self {
        let (word, rest) = word(line);
        let upper = word.to_ascii_uppercase();
        if let Some(count) = number(word) {
            return match rest.trim_ascii().to_ascii_uppercase().as_slice() {
                b"EXISTS" => Self::Exists(count),
                b"EXPUNGE" => Self::Gone(1),
                b"RECENT" => Self::Recent(count),
                _ => Self::Other,
            };
        }
        match upper.as_slice() {
            b"CAPABILITY" => Self::Capability(rest),
            b"LIST" => Self::List(rest),
            b"SEARCH" => Self::Search(rest),
            b"VANISHED" => vanished(rest.trim_ascii()).map_or(Self::Other, Self::Gone),
            _ => Self::Other,
        }
    }
}

/// The items of a FETCH, from behind their first parenthesis; `None` if it is something else.
pub(super) fn items(line: &[u8]) -> Option<&[u8]> {
    let (count, rest) = word(line);
    let _: u32 = number(count)?;
    let (verb, rest) = word(rest.trim_ascii_start());
    let items = rest.trim_ascii_start().strip_prefix(b"(");
    items.filter(|_| verb.eq_ignore_ascii_case(b"FETCH"))
}

/// How many UIDs a set like `3:7,9` names. What vanished earlier (RFC 7162 section 3.2.10) is `None`: it
/// was not counted any more when the mailbox was opened.
fn vanished(set: &[u8]) -> Option<u64> {
    let mut count = 0u64;
    for range in set.split(|octet| *octet == b',') {
        let mut ends = range.split(|octet| *octet == b':').map(number::<u32>);
        let first = ends.next()??;
        let last = ends.next().unwrap_or(Some(first))?;
        count = count.saturating_add(u64::from(first.abs_diff(last)) + 1);
    }
    Some(count)
}

fn word(line: &[u8]) -> (&[u8], &[u8]) {
    let ends = |octet: &u8| matches!(octet, b' ' | b'\r' | b'\n');
    line.split_at(line.iter().position(ends).unwrap_or(line.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_mailbox_is_understood_and_the_rest_passed_over() {
        for (line, data) in [
            (
                "CAPABILITY IMAP4rev1 ID",
                Data::Capability(b" IMAP4rev1 ID"),
            ),
            ("23 EXISTS", Data::Exists(23)),
            ("0 exists", Data::Exists(0)),
            ("44 EXPUNGE", Data::Gone(1)),
            ("VANISHED (EARLIER) 41,43:116", Data::Other),
            ("VANISHED 41,43:116\r\n", Data::Gone(75)),
            ("vanished 4:1", Data::Gone(4)),
            ("VANISHED 1:4294967295,1:x", Data::Other),
            ("4294967296 EXISTS", Data::Other),
            ("5 RECENT", Data::Recent(5)),
            ("FLAGS (\\Answered)", Data::Other),
            ("LIST () \"/\" INBOX", Data::List(b" () \"/\" INBOX")),
            ("LSUB () \"/\" INBOX", Data::Other),
            ("SEARCH 2 3", Data::Search(b" 2 3")),
            ("", Data::Other),
        ] {
            assert_eq!(Data::parse(line.as_bytes()), data, "{line}");
        }
    }

    #[test]
    fn the_items_of_a_fetch_stand_behind_a_parenthesis() {
        assert_eq!(items(b"12 FETCH (UID 3)"), Some(&b"UID 3)"[..]));
        assert_eq!(items(b"12 fetch  (UID 3)"), Some(&b"UID 3)"[..]));
        for line in [
            "FETCH (UID 3)",
            "12 FETCHED (UID 3)",
            "12 FETCH UID 3",
            "x FETCH ()",
        ] {
            assert_eq!(items(line.as_bytes()), None, "{line}");
        }
    }
}
