//! Patterns of mbsync's as `folders` and `exclude` (mbsync 1.4, `main.c`, `filter_boxes` and `matches`).

use crate::import::wildcards::{covers, matches, overlap};

/// What a channel's patterns are here.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Names and patterns of what is fetched, with `/` between parts and without what stands before all.
    pub(super) wanted: Vec<String>,
    pub(super) excluded: Vec<String>,
    /// Patterns that leave something out there, and not here: what they mean cannot be said here, and mail that
    /// comes is better than mail that never does.
    pub(super) unsaid: Vec<String>,
    /// `%` stands in one for folders of one level, and `*` in its place for more than is left out again.
    pub(super) is_deeper: bool,
    /// The inbox is meant by the last pattern that fits it.
    pub(super) has_inbox: bool,
}

/// There the last pattern that fits says whether a folder is meant, and `%` stops at the end of a part. Here
/// names alone take back what is excluded, by patterns alone, and `*` stops nowhere.
pub(super) fn words(patterns: &[&str]) -> Words {
    let mut words = Words::default();
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            None => {
                let wanted = &words.wanted;
                let lost = |excluded: &String| {
                    let is_of_use = wanted.iter().any(|it| overlap(it, excluded));
                    let is_taken_back = !is_open(pattern) && is_open(excluded) && is_of_use;
                    overlap(pattern, excluded) && !is_taken_back
                };
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
    }
    words.has_inbox = mean(patterns, "INBOX");
    let levels = levels(&words.wanted);
    words.is_deeper = levels.is_none();
    for level in levels.unwrap_or_default() {
        push(&mut words.excluded, &level);
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

fn is_open(pattern: &str) -> bool {
    pattern.contains(['*', '%'])
}

/// What leaves out all that `*` in place of `%` would mean beyond it, where that is nothing that another pattern means.
fn levels(wanted: &[String]) -> Option<Vec<String>> {
    let mut levels = Vec::new();
    for pattern in wanted.iter().filter(|it| it.contains('%')) {
        let start = pattern.strip_suffix('%').filter(|it| !is_open(it))?;
        let is_apart = |other: &String| {
            let begin = other.split(['*', '%']).next().unwrap_or_default();
            let behind = begin.strip_prefix(start);
            let is_below = behind.is_some_and(|it| it.contains('/')) && is_open(other);
            let is_any = other.contains('*') && (behind.is_some() || start.starts_with(begin));
            !is_below && !is_any
        };
        if !wanted.iter().all(is_apart) {
            return None;
        }
        levels.push(format!("{start}*/*"));
    }
    Some(levels)
}

/// Whether they mean a folder: the last one that fits it says so.
pub(super) fn mean(patterns: &[&str], name: &str) -> bool {
    let parts = patterns.iter().map(|it| match it.strip_prefix('!') {
        Some(pattern) => (false, pattern),
        None => (true, *it),
    });
    let mut fitting = parts.rev().filter(|(_, pattern)| matches(pattern, name));
    fitting.next().is_some_and(|(is_wanted, _)| is_wanted)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_fits_counts() {
        for (patterns, wanted, excluded, unsaid, has_inbox) in [
            (&["*"][..], &["*"][..], &[][..], &[][..], true),
            (&["*", "!Junk"], &["*"], &["Junk"], &[], true),
            (&["!Junk", "*"], &["*"], &[], &[], true),
            (&["*", "!INBOX"], &["*"], &["INBOX"], &[], false),
            (&["*", "!IN*"], &["*"], &["IN*"], &[], false),
            (&["%", "!x"], &["*"], &["x", "*/*"], &[], true),
            (&["%", "!x%"], &["*"], &["x*", "*/*"], &[], true),
            (&["*", "!x%"], &["*"], &[], &["x%"], true),
            (&["*", "!A*", "A/b"], &["*", "A/b"], &["A*"], &[], true),
            (&["*", "!A/b", "A/b"], &["*", "A/b"], &[], &[], true),
            (
                &["*", "![Gmail]*", "[Gmail]/Sent Mail"],
                &["*", "[Gmail]/Sent Mail"],
                &["[Gmail]*"],
                &[],
                true,
            ),
            (&["%", "a/b"], &["*", "a/b"], &["*/*"], &[], true),
            (&["A/%"], &["A/*"], &["A/*/*"], &[], false),
            (&["%", "A/%"], &["*", "A/*"], &[], &[], true),
            (&["%", "A*"], &["*", "A*"], &[], &[], true),
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
