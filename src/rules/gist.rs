//! What a header has told, in few octets: the time from which its age counts, when it came, and of each rule
//! whether the header meets what it asks of it. That is remembered, so that nobody need ask for the header again;
//! sizes, ages and what is done are judged anew each time.

use super::MOST;
use super::filter::{FilterCommand, Verdict};
use super::fit::{Fit, LOOKED_AT};
use super::rule::Rule;
use crate::message::Header;
use crate::term::{hex, unhex};
use sha2::{Digest, Sha256};
use std::fmt;

/// A header as long as this has no end, or was cut.
const LONGEST: usize = 512 * 1024;

/// Mail that says it is older (before 1990, in seconds since 1970) was written by a clock that nobody had set.
const OLDEST: i64 = 631_152_000;

/// Raised where headers come to be read in another way: what was remembered by the earlier one holds no more.
const READING: u8 = 3;

/// Tells what some rules ask of a header from what others ask.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Fingerprint([u8; 8]);

impl Fingerprint {
    pub(super) fn of(rules: &[Rule], filter: Option<&FilterCommand>) -> Self {
        let mut hasher = Sha256::new();
        hasher.update([READING]);
        for word in filter.into_iter().flat_map(FilterCommand::argv) {
            hasher.update(word);
            hasher.update([2]);
        }
        for rule in rules {
            for test in &rule.conditions.header {
                hasher.update(test.to_string());
                hasher.update([0]);
            }
            // What has a message come takes a match in any form: another answer to the same question.
            hasher.update([1, u8::from(rule.action.fetches())]);
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

/// When the server received a message, as the header says ([`Header::received`]).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Arrival {
    /// Nobody has noted it.
    #[default]
    Unnoted,
    /// The header does not say.
    Unsaid,
    /// Then, in seconds since 1970.
    At(i64),
}

/// See the module.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Gist {
    /// What the rules asked.
    fingerprint: Fingerprint,
    date: Option<i64>,
    arrival: Arrival,
    /// A bit for each rule, the first one lowest.
    holds: u64,
    /// A bit for each rule whose bit in `holds` is not set, although the header may meet what it asks.
    unknown: u64,
    filtered: Option<Verdict>,
}

impl Gist {
    /// As it was remembered.
    pub fn new(fingerprint: Fingerprint, date: Option<i64>, holds: u64) -> Self {
        Self {
            fingerprint,
            date,
            arrival: Arrival::Unnoted,
            holds,
            unknown: 0,
            filtered: None,
        }
    }

    /// When the server received the message, and nothing else: whether it meets what the rules ask nobody can
    /// tell.
    pub fn of_arrival(fingerprint: Fingerprint, arrival: Arrival) -> Self {
        Self::new(fingerprint, None, 0)
            .with_arrival(arrival)
            .with_unknown(u64::MAX)
    }

    /// Whether it is one of [`Gist::of_arrival`], so that the header has still to be asked for what rules ask.
    pub fn is_of_arrival(&self) -> bool {
        self.unknown == u64::MAX && self.date.is_none()
    }

    /// Nothing that any rules would ask: what was remembered holds no more.
    pub fn nothing() -> Self {
        Self::new(Fingerprint::default(), None, 0)
    }

    /// Of the rules with these bits nobody can tell whether the header meets what they ask.
    pub fn with_unknown(self, unknown: u64) -> Self {
        Self { unknown, ..self }
    }

    /// What [`Gist::with_unknown`] took.
    pub fn unknown_bits(&self) -> u64 {
        self.unknown
    }

    /// The server received it then.
    pub fn with_arrival(self, arrival: Arrival) -> Self {
        Self { arrival, ..self }
    }

    /// When the server received it, which is what ages are counted to.
    pub fn arrival(&self) -> Arrival {
        self.arrival
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

    /// The time from which the message's age counts ([`Header::born`]), in seconds since 1970; `None`
    /// where there is none, or none that makes sense.
    pub fn date(&self) -> Option<i64> {
        self.date
    }

    /// The answers, a bit a rule.
    pub fn bits(&self) -> u64 {
        self.holds
    }

    /// Whether the header meets what the rule at a place asks of it; `None` where nobody can tell.
    pub(super) fn holds(&self, place: usize) -> Option<bool> {
        let bit = |bits: u64| place < MOST && bits >> place & 1 == 1;
        (bit(self.holds) || !bit(self.unknown)).then_some(bit(self.holds))
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
            // It is here, and nothing is left or deleted on this word: what may be meant is not guessed at.
            Some(header) => Self::of(&header, rules, fingerprint).with_unknown(0),
            None => Self::new(fingerprint, None, 0),
        }
    }

    fn of(header: &Header<'_>, rules: &[Rule], fingerprint: Fingerprint) -> Self {
        let (mut holds, mut unknown) = (0, 0);
        for (place, rule) in rules.iter().enumerate().take(MOST) {
            // One that saves a message from a later rule must not miss it for the way it is written.
            let in_any_form = rule.action.fetches();
            match Fit::of(header, &rule.conditions.header, in_any_form) {
                Fit::Yes => holds |= 1 << place,
                Fit::Unknown => unknown |= 1 << place,
                Fit::No => {}
            }
        }
        Self::new(
            fingerprint,
            header.born().filter(|date| *date >= OLDEST),
            holds,
        )
        .with_arrival(header.received().map_or(Arrival::Unsaid, Arrival::At))
        .with_unknown(unknown)
    }
}
