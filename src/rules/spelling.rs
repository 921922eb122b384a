//! How addresses are written: in the one way that nearly all mail has, in which every program reads the
//! same, or in another. What is meant by the others nobody need know: it is enough to see that a field
//! has one.

/// Whether a field has addresses in the usual way only: each is `ada@example.com`, in angle brackets behind
/// a name or alone, with a comment behind it or not; or the empty group of mail to nobody in particular.
/// Octets as they are in the header.
///
/// Not usual, though allowed (RFC 5322 sections 3.4 and 4.4): quoted local parts, domains in brackets,
/// routes, groups, and comments or folds within an address. Never allowed, and met all the same:
/// schemes, `%40`, dots at the ends, encoded words in an address. Domains with letters beyond ASCII have
/// two forms.
pub(super) fn is_clean_addresses(value: &[u8]) -> bool {
    let Some(text) = plain(value) else {
        return false;
    };
    if let Some(name) = text.trim().strip_suffix(';') {
        let name = name.trim_end().strip_suffix(':');
        return name.is_some_and(|name| is_phrase(name, &[]));
    }
    text.split(',').all(is_clean_address)
}

/// The text with quoted strings and comments taken out, which may hold anything; `None` where one of
/// them has no end, or where there are octets that no field has.
fn plain(value: &[u8]) -> Option<String> {
    // Names in other charsets stand as they are; an address has none of these.
    let text = String::from_utf8_lossy(value);
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.trim_end_matches(['\r', '\n']).chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // Before a space this is a fold.
            '\r' if chars.next_if_eq(&'\n').is_none() => return None,
            '\r' | '\n' if !matches!(chars.peek(), Some(' ' | '\t')) => return None,
            '\r' | '\n' | '\t' => plain.push(' '),
            c if c.is_control() => return None,
            '"' => {
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => _ = chars.next()?,
                        _ => {}
                    }
                }
                plain.push('"');
            }
            '(' => {
                loop {
                    match chars.next()? {
                        ')' => break,
                        '(' | '\\' => return None,
                        _ => {}
                    }
                }
                plain.push(COMMENT);
            }
            c => plain.push(c),
        }
    }
    Some(plain)
}

/// Stands for a comment: no field has it, as it is a control character.
const COMMENT: char = '\u{1}';

fn is_clean_address(text: &str) -> bool {
    let text = text.trim_matches([' ', COMMENT]);
    match text.split_once('<') {
        Some((name, rest)) => {
            let address = rest.strip_suffix('>');
            is_phrase(name, &['"', COMMENT]) && address.is_some_and(is_plain_address)
        }
        None => is_plain_address(text),
    }
}

/// Words that are no part of an address, and what stands for quoted strings and comments.
fn is_phrase(text: &str, also: &[char]) -> bool {
    let is_word = |c: char| {
        !c.is_ascii() || c == ' ' || c == '.' || is_atom(c) || c == '%' || c == '!' || c == '?'
    };
    text.chars().all(|c| is_word(c) || also.contains(&c))
}

/// What an address is made of in the usual way, but for dots; `%` and `!` were routes once, and `?` is
/// in encoded words.
fn is_atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "#$&'*+-/=^_`{|}~".contains(c)
}

fn is_plain_address(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else {
        return false;
    };
    let is_local = |part: &str| !part.is_empty() && part.chars().all(is_atom);
    // A punycode label is another spelling of something else.
    let is_label = |label: &str| {
        let mut chars = label.chars();
        !label.is_empty()
            && !label.to_ascii_lowercase().starts_with("xn--")
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    local.split('.').all(is_local) && domain.split('.').all(is_label)
}

/// Whether a List-Id is an id alone, or one in angle brackets behind words (RFC 2919). Octets as they
/// are in the header.
pub(super) fn is_clean_list_id(value: &[u8]) -> bool {
    let Some(text) = plain(value) else {
        return false;
    };
    // A space or a dot at its end, or two dots, may be another way to write another id.
    let is_label = |label: &str| !label.is_empty() && label.chars().all(is_atom);
    let is_id = |id: &str| id.split(['.', '@']).all(is_label);
    match text.split_once('<') {
        Some((_, rest)) => {
            let rest = rest.trim_end_matches([' ', COMMENT]);
            rest.strip_suffix('>').is_some_and(is_id)
        }
        None => is_id(text.trim()),
    }
}

/// Whether nothing in a text is left to be decoded, and nothing was lost in that.
pub(super) fn is_decoded(text: &str) -> bool {
    let is_lost = |c: char| c == char::REPLACEMENT_CHARACTER || c.is_control() && c != '\t';
    !text.contains("=?") && !text.contains(is_lost)
}

/// What may be addresses in a field that is written in no proper form: without comments, quotes, spaces
/// around an @ and schemes.
pub(super) fn parts(field: &str) -> Vec<String> {
    let mut depth = 0_u32;
    let mut text = String::with_capacity(field.len());
    for c in field.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '"' => {}
            c if depth == 0 => text.push(c),
            _ => {}
        }
    }
    let around_at: Vec<&str> = text.split('@').map(str::trim).collect();
    let text = around_at.join("@");
    let parts = text.split(|c: char| c.is_whitespace() || "<>,;".contains(c));
    parts
        .map(|part| part.strip_prefix("mailto:").unwrap_or(part))
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_as_nearly_all_mail_has_them_are_clean() {
        for clean in [
            "ada@example.com",
            " Ada <ada@example.com>\r\n",
            "\"Ada, Countess (of) <Lovelace>\" <ada.l+x=y@mail.example.com>",
            "=?utf-8?q?Ad=C3=A1?=\r\n <ada@example.com>, bob@example.com",
            "ada@example.com (Ada Lovelace)",
            "J. Doe (Office) <j@example.com>",
            "100% off! Buy? <shop@example.com>",
            "\"quoted \\\" mark\" <ada@example.com>",
            "Adá <ada@example.com>",
            "undisclosed-recipients:;",
            "root@localhost",
        ] {
            assert!(is_clean_addresses(clean.as_bytes()), "{clean:?}");
        }
        assert!(is_clean_addresses(b"Ad\xe1 <ada@example.com>"));
    }

    #[test]
    fn addresses_in_any_other_form_are_not() {
        for odd in [
            "",
            "(unclosed boss@example.com",
            "boss(x)@example.com",
            "boss (x) @example.com",
            "MAILTO:boss@example.com",
            "<mailto:boss@example.com>",
            "boss%40example.com",
            "boss%example.com@relay.example",
            "relay!boss@example.com",
            "boss@example.com.",
            "boss@[192.0.2.1]",
            "\"boss\"@example.com",
            "<bo\"s\"s@example.com>",
            "<@relay.example:boss@example.com>",
            "boss@xn--bcher-kva.example",
            "boss@b\u{fc}cher.example",
            "=?utf-8?q?boss?=@example.com",
            "=?utf-8?q?boss=40example.com?=",
            "<=?utf-8?q?boss=40example.com?=>",
            "Bosses: boss@example.com;",
            "boss@\r\n example.com",
            "bo\r\n ss@example.com",
            "boss@example.com <x@example.net>",
            "\"The Boss <boss@example.com>",
            "<<boss@example.com>>",
            "boss @ example.com",
            "boss@exa\0mple.com",
            "boss@example.com; x@example.net",
            "a@example.net,,b@example.net",
            "bo\rss@example.com",
            "((nested)) boss@example.com",
            "boss",
            "boss@",
            "@example.com",
            "<>",
            "<boss@example.com",
            ".boss@example.com",
        ] {
            assert!(!is_clean_addresses(odd.as_bytes()), "{odd:?}");
        }
    }

    #[test]
    fn an_id_of_a_list_is_clean_alone_or_behind_words() {
        for clean in ["<rust.lists.example>", "The \"list\" <a.b>\r\n", "a.b.c"] {
            assert!(is_clean_list_id(clean.as_bytes()), "{clean:?}");
        }
        for odd in [
            "",
            "<>",
            "<a.b",
            "<a.b> <c.d>",
            "<a(x).b>",
            "< a.b >",
            "<a.b\r\n >",
            "<a.b.>",
            "<a..b>",
            "a.b.",
            "=?utf-8?q?a.b?=",
        ] {
            assert!(!is_clean_list_id(odd.as_bytes()), "{odd:?}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_clean_or_not(octets in any::<Vec<u8>>()) {
            is_clean_addresses(&octets);
            is_clean_list_id(&octets);
        }

        #[test]
        fn what_is_clean_has_no_address_that_a_reader_finds_elsewhere(
            text in "[a-c@<>(),.\";: %\\\\\\[\\]]{0,24}"
        ) {
            if is_clean_addresses(text.as_bytes()) {
                let header = format!("From: {text}\r\n\r\n");
                let header = crate::message::Header::read(header.as_bytes()).unwrap();
                for address in header.addresses("from") {
                    prop_assert!(text.contains(&address), "{address:?} in {text:?}");
                }
            }
        }
    }
}
