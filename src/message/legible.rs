//! Whether the octets of a field say plainly which characters they are. Where they do not, one mail reader
//! shows a word that another one does not, and nobody can tell whether a person would see it.

use super::worked_around::has_mislabelled_words;

/// Whether a field's value, line ends included, is UTF-8 without control characters but for tabs and
/// folds, and its encoded words (RFC 2047) are in charsets that have their octets.
pub(super) fn is_legible(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    let mut chars = text.trim_end_matches(['\r', '\n']).chars().peekable();
    while let Some(c) = chars.next() {
        let is_plain = match (c, chars.peek()) {
            ('\t', _) | ('\r', Some('\n')) | ('\n', Some(' ' | '\t')) => true,
            _ => !c.is_control(),
        };
        if !is_plain {
            return false;
        }
    }
    !has_mislabelled_words(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_legible_where_all_readers_see_the_same_characters() {
        for plain in [
            "",
            " Gr\u{fc}\u{df}e\r\n\taus\n Wien\r\n",
            "=?utf-8?q?Gr=C3=BC=C3=9Fe?= =?iso-8859-1?q?=FC?=",
            "=?us-ascii?q?plain?= =?shift_jis?b?k/qWew==?=",
            "=?utf-8?q?caf=C3?= =?utf-8?q?=A9?=",
        ] {
            assert!(is_legible(plain.as_bytes()), "{plain:?}");
        }
        for odd in [
            &b"Gr\xfc\xdfe"[..],
            b"a\rb",
            b"a\0b",
            b"a\x7fb",
            b"a\nb",
            "a\u{85}b".as_bytes(),
            b"=?us-ascii?q?Gr=FC?=",
            b"=?ASCII*de?b?w7w=?=",
            b"=?x-none?q?a?=",
        ] {
            assert!(!is_legible(odd), "{odd:?}");
        }
    }
}
