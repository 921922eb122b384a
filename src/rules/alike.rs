//! Texts that are the same although they are written with other characters, and texts that look the same
//! to a person. A letter with its accent is one character or two, as the sender's system has it; spaces
//! are of many kinds; and some characters are not seen at all.

use crate::term::is_ignorable;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// The one form of all texts that are the same by Unicode (canonical equivalence, NFC).
pub(super) fn same(text: &str) -> Cow<'_, str> {
    match text.is_ascii() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().collect()),
    }
}

/// One form of texts that look much the same: without what is not seen, in small letters, by
/// compatibility (NFKC), and with one plain space where there are any.
pub(super) fn alike(text: &str) -> String {
    let seen = text.chars().filter(|c| !is_ignorable(*c)).nfkc();
    // By the large letters: that makes `ss` of a sharp s.
    let folded = seen.collect::<String>().to_uppercase().to_lowercase();
    let mut alike = String::with_capacity(folded.len());
    for c in folded.nfkc() {
        match c.is_whitespace() {
            true if alike.ends_with(' ') => {}
            true => alike.push(' '),
            false => alike.push(c),
        }
    }
    alike
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_that_a_person_reads_as_one_are_alike() {
        for (one, other) in [
            ("Geb\u{fc}hr", "GEBU\u{308}HR"),
            ("a b", "a\u{a0}\u{2003}\t b"),
            ("urgent", "ur\u{ad}ge\u{200b}nt\u{feff}"),
            ("stra\u{df}e", "STRASSE"),
            ("office", "o\u{fb03}ce"),
            ("abc", "\u{ff21}\u{ff22}\u{ff23}"),
        ] {
            assert_eq!(alike(one), alike(other), "{one:?} {other:?}");
        }
        assert_ne!(alike("a"), alike("\u{e4}"));
        assert_eq!(same("u\u{308}"), same("\u{fc}"));
        assert_ne!(same("a\u{ad}"), same("a"));
    }

    proptest! {
        #[test]
        fn what_is_alike_has_no_second_space_and_nothing_that_is_not_seen(text in "\\PC*") {
            let alike = alike(&text);
            prop_assert!(!alike.contains("  ") && !alike.chars().any(is_ignorable), "{alike:?}");
        }
    }
}
