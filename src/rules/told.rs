//! What a header has told, in few octets: the Date, and of each rule whether the header meets what it
//! asks of it. That is remembered, so that nobody need ask for the header again; sizes, ages and what
//! is done are judged anew each time.

use super::MOST;
use super::filter::{Filter, Verdict};
use super::rule::{Field, Rule, Test};
use crate::message::Header;
use crate::term::{hex, unhex};
use sha2::{Digest, Sha256};
use std::fmt;

/// A header as long as this has no end, or was cut.
const LONGEST: usize = 512 * 1024;

/// Mail that says it is older (before 1990, in seconds since 1970) was written by a clock that nobody had set.
const OLDEST: i64 = 631_152_000;

/// Octets of the fields of one name that are looked at. A header with more of them is in doubt: a
/// pattern may match behind them.
const LOOKED_AT: usize = 64 * 1024;

/// Tells what some rules ask of a header from what others ask.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Fingerprint([u8; 8]);

impl Fingerprint {
    pub(super) fn of(rules: &[Rule], filter: Option<&Filter>) -> Self {
        let mut hasher = Sha256::new();
        for word in filter.into_iter().flat_map(Filter::argv) {
            hasher.update(word);
            hasher.update([2]);
        }
        for rule in rules {
            for test in &rule.conditions.header {
                hasher.update(test.to_string());
                hasher.update([0]);
            }
            hasher.update([1]);
        }
        let hash: [u8; 32] = hasher.finalize().into();
        Self(hash.first_chunk().copied().unwrap_or_default())
    }

    /// Reads what [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text.as_bytes()).map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// See the module.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Told {
    /// What the rules asked.
    fingerprint: Fingerprint,
    date: Option<i64>,
    /// A bit for each rule, the first one lowest.
    holds: u64,
    filtered: Option<Verdict>,
}

impl Told {
    /// As it was remembered.
    pub fn new(fingerprint: Fingerprint, date: Option<i64>, holds: u64) -> Self {
        Self {
            fingerprint,
            date,
            holds,
            filtered: None,
        }
    }

    /// What the filter has said of it.
    pub fn filtered(&self) -> Option<Verdict> {
        self.filtered
    }

    /// The filter has said this of it.
    pub fn with_verdict(self, verdict: Option<Verdict>) -> Self {
        Self {
            filtered: verdict,
            ..self
        }
    }

    /// What the rules asked of the header.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The Date field in seconds since 1970; `None` where there is none, or none that makes sense.
    pub fn date(&self) -> Option<i64> {
        self.date
    }

    /// The answers, a bit a rule.
    pub fn bits(&self) -> u64 {
        self.holds
    }

    /// Whether the header meets what the rule at a place asks of it.
    pub(super) fn holds(&self, place: usize) -> bool {
        place < MOST && self.holds >> place & 1 == 1
    }

    /// Of a header as TOP gives it, which ends with an empty line. `None` where it is in doubt.
    pub(super) fn read(header: &[u8], rules: &[Rule], fingerprint: Fingerprint) -> Option<Self> {
        let ends = [&b"\r\n\r\n"[..], b"\n\n"];
        if header.len() >= LONGEST || !ends.iter().any(|end| header.ends_with(end)) {
            return None;
        }
        let header = Header::read(header)?;
        // It has neither of what each message has (RFC 5322 section 3.6): it was cut.
        if !header.has("from") && !header.has("date") {
            return None;
        }
        let asked = rules.iter().flat_map(|rule| &rule.conditions.header);
        for test in asked {
            let names = test.field.names();
            let octets = names.iter().map(|name| header.octets(name));
            if octets.sum::<usize>() > LOOKED_AT {
                return None;
            }
        }
        Some(Self::of(&header, rules, fingerprint))
    }

    /// Of a message that was fetched, by its first octets: where these tell nothing it is in no folder.
    pub(super) fn of_message(header: &[u8], rules: &[Rule], fingerprint: Fingerprint) -> Self {
        match Header::read(header) {
            Some(header) => Self::of(&header, rules, fingerprint),
            None => Self::new(fingerprint, None, 0),
        }
    }

    fn of(header: &Header<'_>, rules: &[Rule], fingerprint: Fingerprint) -> Self {
        let mut holds = 0;
        for (place, rule) in rules.iter().enumerate().take(MOST) {
            let mut tests = rule.conditions.header.iter();
            // One that saves a message from a later rule must not miss it for the way it is written.
            let in_any_form = rule.action.fetches();
            holds |= u64::from(tests.all(|test| fits(header, test, in_any_form))) << place;
        }
        Self::new(
            fingerprint,
            header.date().filter(|date| *date >= OLDEST),
            holds,
        )
    }
}

fn fits(header: &Header<'_>, test: &Test, in_any_form: bool) -> bool {
    let names = test.field.names();
    let Some(pattern) = &test.pattern else {
        return names.iter().any(|name| header.has(name));
    };
    let matches = |text: &String| {
        // As much of it as is looked at; only a message that was fetched may have more.
        let end = text.floor_char_boundary(LOOKED_AT);
        pattern.matches(text.get(..end).unwrap_or_default())
    };
    names.iter().any(|name| match test.field {
        Field::From | Field::To => {
            let mut addresses = header.addresses(name).into_iter();
            addresses.any(|address| matches(&address))
                || header.texts(name).iter().any(matches)
                || in_any_form
                    && header
                        .texts(name)
                        .iter()
                        .flat_map(|it| parts(it))
                        .any(|it| matches(&it))
        }
        Field::ListId => header.texts(name).iter().any(|text| {
            let id = text.rsplit_once('<').map(|(_, rest)| rest);
            let id = id.and_then(|rest| rest.split_once('>')).map(|(id, _)| id);
            matches(text) || id.is_some_and(|id| matches(&id.to_owned()))
        }),
        Field::Subject | Field::Named(_) => header.texts(name).iter().any(matches),
    })
}

/// What may be addresses in a field that is written in no proper form: without comments, quotes, spaces
/// around an @ and schemes.
fn parts(field: &str) -> Vec<String> {
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

impl Field {
    /// The fields of a header, in small letters.
    fn names(&self) -> Vec<&str> {
        match self {
            Self::To => vec!["to", "cc"],
            other => vec![other.word()],
        }
    }
}
