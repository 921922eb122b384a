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

/// Lower-case hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
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
    fn one_is_singular_and_all_else_plural() {
        assert_eq!(count(1, "message"), "1 message");
        assert_eq!(count(0, "message"), "0 messages");
        assert_eq!(count(12, "account"), "12 accounts");
    }
}
