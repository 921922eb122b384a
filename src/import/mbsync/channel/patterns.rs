//! Patterns of mbsync's as `folders` and `exclude` (mbsync 1.4, `main.c`, `filter_boxes` and `matches`).

use std::iter::once;

/// What a channel's patterns are here.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Names and patterns of what is fetched, with `/` between parts and without what stands before all.
    pub(super) wanted: Vec<String>,
    pub(super) excluded: Vec<String>,
    /// Patterns that leave something out there, and not here: what they mean cannot be said here, and mail that
    /// comes is better than mail that never does.
    pub(super) unsaid: Vec<String>,
    /// The inbox is meant by the last pattern that fits it.
    pub(super) has_inbox: bool,
}

/// There the last pattern that fits says whether a folder is meant, and `%` stops at the end of a part. Here
/// nothing takes back what is excluded, and `*` stops nowhere.
pub(super) fn words(patterns: &[&str]) -> Words {
    let mut words = Words::default();
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            None => {
                let lost = |excluded: &String| overlap(pattern, excluded);
                let wanted = &words.wanted;
                let is_felt = |excluded: &String| {
                    !covers(pattern, excluded) && wanted.iter().any(|it| overlap(it, excluded))
                };
                let gone = words.excluded.extract_if(.., |it| lost(it));
                words.unsaid.extend(gone.filter(is_felt));
                push(&mut words.wanted, pattern);
            }
            Some(excluded) if is_too_much(excluded, patterns) => {
                push(&mut words.unsaid, excluded);
            }
            Some(excluded) => push(&mut words.excluded, excluded),
        }
        let (is_wanted, pattern) = match pattern.strip_prefix('!') {
            Some(pattern) => (false, pattern),
            None => (true, *pattern),
        };
        if matches(pattern, "INBOX") {
            words.has_inbox = is_wanted;
        }
    }
    for list in [&mut words.wanted, &mut words.excluded] {
        let mut stars: Vec<String> = Vec::new();
        for word in list.iter() {
            push(&mut stars, &word.replace('%', "*"));
        }
        *list = stars;
    }
    words
}

fn push(list: &mut Vec<String>, word: &str) {
    if !list.iter().any(|it| it == word) {
        list.push(word.to_owned());
    }
}

/// Whether `*` in place of `%` would leave out more than the pattern does of what is meant: folders that lie
/// deeper, unless nothing so deep is. mbsync finds nothing where a `/` comes right behind `%`.
fn is_too_much(excluded: &str, patterns: &[&str]) -> bool {
    let depth = |pattern: &str| pattern.matches('/').count();
    let mut wanted = patterns.iter().copied().filter(|it| !it.starts_with('!'));
    let is_deep = |it: &str| it.contains('*') || depth(it) > depth(excluded);
    excluded.contains('%') && (excluded.contains("%/") || wanted.any(is_deep))
}

/// Whether a pattern fits a name.
fn matches(pattern: &str, name: &str) -> bool {
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
fn covers(pattern: &str, other: &str) -> bool {
    matches(pattern, other) && !(pattern.contains('%') && other.contains('*'))
}

/// Whether a name may fit both; it may be said of two that no name fits.
fn overlap(one: &str, other: &str) -> bool {
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
    fn the_last_pattern_that_fits_counts() {
        for (patterns, wanted, excluded, unsaid, has_inbox) in [
            (&["*"][..], &["*"][..], &[][..], &[][..], true),
            (&["*", "!Junk"], &["*"], &["Junk"], &[], true),
            (&["!Junk", "*"], &["*"], &[], &[], true),
            (&["*", "!INBOX"], &["*"], &["INBOX"], &[], false),
            (&["*", "!IN*"], &["*"], &["IN*"], &[], false),
            (&["%", "!x"], &["*"], &["x"], &[], true),
            (&["%", "!x%"], &["*"], &["x*"], &[], true),
            (&["*", "!x%"], &["*"], &[], &["x%"], true),
            (&["*", "!A*", "A/b"], &["*", "A/b"], &[], &["A*"], true),
            (
                &["*", "!A*", "B*", "Ab*"],
                &["*", "B*", "Ab*"],
                &[],
                &["A*"],
                true,
            ),
            (&["A", "!B", "C*"], &["A", "C*"], &["B"], &[], false),
            (&["!*", "INBOX"], &["INBOX"], &[], &[], true),
            (&["INBOX*"], &["INBOX*"], &[], &[], true),
            (&["*", "!A*", "%"], &["*"], &[], &["A*"], true),
            (&["%", "x/%", "!%/b"], &["*", "x/*"], &[], &["%/b"], true),
        ] {
            let words = words(patterns);
            assert_eq!(words.wanted, wanted, "{patterns:?}");
            assert_eq!(words.excluded, excluded, "{patterns:?}");
            assert_eq!(words.unsaid, unsaid, "{patterns:?}");
            assert_eq!(words.has_inbox, has_inbox, "{patterns:?}");
        }
    }
}
