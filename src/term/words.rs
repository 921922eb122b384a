//! Numbers in words that a person reads at a glance.

use std::fmt::Write as _;

/// Octets in decimal units: "532 B", "3.4 MB", "12 KB".
pub fn size(octets: u64) -> String {
    let units = ["KB", "MB", "GB", "TB", "PB", "EB"];
    if octets < 1000 {
        return format!("{octets} B");
    }
    let mut unit_size: u64 = 1000;
    let mut units = units.into_iter().peekable();
    while let Some(unit) = units.next() {
        let tenths = u128::from(octets) * 10 / u128::from(unit_size);
        if tenths < 100 {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        if tenths < 10_000 || units.peek().is_none() {
            return format!("{} {unit}", tenths / 10);
        }
        unit_size = unit_size.saturating_mul(1000);
    }
    format!("{octets} B")
}

/// A word as a shell takes it for one.
pub fn quoted(text: &str) -> String {
    // Some shells take `~` and `=` for something else at a word's beginning, and `[` anywhere; what
    // begins with `~/` is written so for a shell.
    let plain = |c: char| c.is_alphanumeric() || "@:._-+/~%,=".contains(c);
    let begins = |text: &str| {
        let odd = text.starts_with(['~', '=']) && !text.starts_with("~/");
        !text.is_empty() && !odd
    };
    match begins(text) && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// A text without the numbers that the system's errors bear, " (os error 2)": they are for programs.
pub fn without_numbers(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let mut bare = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.bytes().all(|it| it.is_ascii_digit()) => {
                bare.push_str(rest);
            }
            _ => {
                bare.push_str(" (os error ");
                bare.push_str(part);
            }
        }
    }
    bare
}

/// The known word that a misspelt one most likely stands for.
pub fn nearest<'a, S: AsRef<str>>(word: &str, known: &'a [S]) -> Option<&'a str> {
    /// Below this, words are not alike; found by trying misspellings of the keys.
    const ALIKE: f64 = 0.8;
    // One slip of a finger for three letters: what begins alike is not the same word yet.
    let slips = (word.chars().count() + 1) / 3;
    known
        .iter()
        .filter(|name| strsim::damerau_levenshtein(word, name.as_ref()) <= slips.max(1))
        .map(|name| (strsim::jaro_winkler(word, name.as_ref()), name))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name.as_ref())
}

/// Lower-case hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// The octets that [`hex`] wrote, and nothing but these; capitals are taken as well.
pub fn unhex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    // Without a branch for each digit: nobody can guess whether the next is a figure or a letter,
    // a processor included.
    if digits.len() != 2 * N || !is_hex(digits) {
        return None;
    }
    let value = |digit: &u8| (digit & 0x0f) + 9 * (digit >> 6);
    let mut octets = [0; N];
    let (pairs, _) = digits.as_chunks::<2>();
    for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
        *octet = value(high) << 4 | value(low);
    }
    Some(octets)
}

/// Whether these are hexadecimal digits, in either case.
pub fn is_hex(digits: &[u8]) -> bool {
    let all = |all, digit: &u8| all & digit.is_ascii_hexdigit();
    digits.iter().fold(true, all)
}

/// A number and the noun it counts: "1 message", "2 messages". For nouns whose plural takes an s.
pub fn count(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_or_three_digits_and_never_claim_too_much() {
        for (octets, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 KB"),
            (3_450_000, "3.4 MB"),
            (9_999, "9.9 KB"),
            (12_345, "12 KB"),
            (999_999, "999 KB"),
            (1_000_000, "1.0 MB"),
            (25_000_000, "25 MB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(size(octets), words);
        }
    }

    #[test]
    fn hexadecimal_is_read_back_and_nothing_else_is() {
        assert_eq!(
            unhex(hex(&[0, 0x7f, 0xff]).as_bytes()),
            Some([0, 0x7f, 0xff])
        );
        assert_eq!(unhex(b"aF"), Some([0xaf]));
        for wrong in [&b"f"[..], b"ffff", b"+f", b"fg", b"", b"0x"] {
            assert_eq!(unhex::<1>(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_systems_errors_are_shown_without_their_numbers() {
        for (text, bare) in [
            (
                "No such file or directory (os error 2)",
                "No such file or directory",
            ),
            ("a (os error 2): b (os error 13)", "a: b"),
            (
                "cannot connect to h:1: Connection refused (os error 111)",
                "cannot connect to h:1: Connection refused",
            ),
            ("a (os error x) b", "a (os error x) b"),
            ("a (os error ", "a (os error "),
        ] {
            assert_eq!(without_numbers(text), bare);
        }
    }

    #[test]
    fn one_is_singular_and_all_else_plural() {
        assert_eq!(count(1, "message"), "1 message");
        assert_eq!(count(0, "message"), "0 messages");
        assert_eq!(count(12, "account"), "12 accounts");
    }
}
