//! Patterns of folders' names: `*` stands for anything, `%` for anything within a part.

use std::iter::once;

/// Whether a pattern fits a name.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    // Of the beginnings of the name, by their lengths: whether the pattern fits it as far as it has been read.
    let mut fits: Vec<bool> = once(true).chain(name.bytes().map(|_| false)).collect();
    for octet in pattern.bytes() {
        fits = match octet {
            b'*' | b'%' => {
                let last = once(None).chain(name.bytes().map(Some));
                let mut open = false;
                let longer = fits.iter().zip(last).map(|(fit, last)| {
                    open = *fit || (open && (octet == b'*' || last != Some(b'/')));
                    open
                });
                longer.collect()
            }
            _ => {
                let longer = fits.iter().zip(name.bytes());
                let longer = longer.map(|(fit, last)| *fit && last == octet);
                once(false).chain(longer).collect()
            }
        };
    }
    fits.last() == Some(&true)
}

/// Whether a pattern fits all that another does.
pub(super) fn covers(pattern: &str, other: &str) -> bool {
    matches(pattern, other) && !(pattern.contains('%') && other.contains('*'))
}

/// Whether a name may fit both; it may be said of two that no name fits.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    let literal = |pattern: &str| !pattern.contains(['*', '%']);
    let start = |pattern: &str| pattern.split(['*', '%']).next().map(str::to_owned);
    match (literal(one), literal(other)) {
        (true, _) => matches(other, one),
        (_, true) => matches(one, other),
        (false, false) => {
            let (one, other) = (
                start(one).unwrap_or_default(),
                start(other).unwrap_or_default(),
            );
            one.starts_with(&other) || other.starts_with(&one)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percent_sign_stops_at_the_end_of_a_part() {
        for (pattern, name, fits) in [
            ("", "", true),
            ("", "a", false),
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("%", "ab", true),
            ("%", "a/b", false),
            ("a*b", "ab", true),
            ("a*b", "a/x/b", true),
            ("a%b", "axb", true),
            ("a%b", "a/b", false),
            ("a/%", "a/b", true),
            ("*/%b", "x/y/ab", true),
            ("%*", "a/b", true),
            ("**a", "b", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_overlap_where_a_name_may_fit_both() {
        for (one, other, yes) in [
            ("Sent", "Sent", true),
            ("Sent", "Trash", false),
            ("*", "Sent", true),
            ("[Gmail]/Sent", "[Gmail]*", true),
            ("A*", "B*", false),
            ("A*", "Ab*", true),
        ] {
            assert_eq!(overlap(one, other), yes, "{one} {other}");
            assert_eq!(overlap(other, one), yes, "{other} {one}");
        }
    }
}
