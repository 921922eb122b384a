//! What rules make of one message, as far as can be told.

use super::Rules;
use super::gist::Gist;
use super::rule::{Action, Conditions, Rule};
use std::fmt;

/// By so many seconds clocks differ that are right.
pub const SKEW: i64 = 24 * 60 * 60;

/// What is known of a message's header.
#[derive(Clone, Copy, Debug)]
pub enum Knowledge<'a> {
    /// Nobody has asked for it.
    Unasked,
    /// An earlier session has read it. Nothing is deleted on its word: another message may have taken
    /// the unique-id meanwhile.
    Remembered(&'a Gist),
    /// The session at hand has read it.
    Read(&'a Gist),
    /// It could not be had, or is in doubt.
    Unknown,
}

/// What is to be done with a message.
#[derive(Clone, Copy, Debug)]
pub enum Ruling<'a> {
    /// No rule is about it: what is done without rules.
    Otherwise,
    /// This one decides: fetch it, into a folder or not, or leave it.
    Rule(Decisive<'a>),
    /// A rule has it deleted.
    Delete(Hit<'a>),
    /// It is fetched whatever its header says; which rule decides shows then.
    Fetch,
    /// Its header must be read first.
    NeedsHeader,
    /// No rule is about it, and the filter is to be asked: what comes of that is judged with its verdict.
    AskFilter,
}

impl Ruling<'_> {
    /// Whether it keeps a message from being fetched.
    pub fn leaves(&self) -> bool {
        match self {
            Self::Rule(decisive) => !decisive.rule.action.fetches(),
            Self::Delete(_) => true,
            Self::Otherwise | Self::Fetch | Self::NeedsHeader | Self::AskFilter => false,
        }
    }
}

/// The rule that decides about a message, and which one it is.
#[derive(Clone, Copy, Debug)]
pub struct Decisive<'a> {
    /// From 1, as people count; 0 for the filter.
    pub number: u8,
    /// The rule.
    pub rule: &'a Rule,
}

/// That a message of the session at hand is one that a rule has deleted: each of its conditions was
/// seen to hold, and of no rule before it is anything unknown. Only [`Rules::judge`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'a>(Decisive<'a>);

impl<'a> Hit<'a> {
    /// The rule.
    pub fn rule(&self) -> Decisive<'a> {
        self.0
    }
}

impl fmt::Display for Decisive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            0 => f.write_str(&self.rule.text),
            number => write!(f, "rule {number} ({})", self.rule.text),
        }
    }
}

/// What the clock and the listing say.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// The listed octets.
    pub octets: Option<u64>,
    /// Seconds since 1970; `None` where the clock is in doubt, so that no age is known.
    pub now: Option<i64>,
    /// It is fetched where no rule is about it.
    pub is_fetched_otherwise: bool,
}

impl Rules {
    /// What to do with a message that has not been fetched.
    pub fn judge(&self, listed: Listed, header: Knowledge<'_>) -> Ruling<'_> {
        let gist = match header {
            Knowledge::Remembered(gist) | Knowledge::Read(gist) => Some(gist),
            Knowledge::Unasked | Knowledge::Unknown => None,
        };
        // Rules that may decide, up to the first that does; those that nobody can tell about yet.
        let mut open: Vec<&Rule> = Vec::new();
        let mut decisive = None;
        let mut looked = false;
        for (number, (place, rule)) in (1..=u8::MAX).zip(self.rules.iter().enumerate()) {
            // One that its size rules out has asked nothing of a header.
            looked |= rule.conditions.need_header() && rule.fits_size(listed) != Some(false);
            match rule.holds(listed, gist, place) {
                Some(false) => {}
                None => open.push(rule),
                Some(true) => {
                    decisive = Some(Decisive { number, rule });
                    break;
                }
            }
        }
        let ends_in_fetch = match decisive {
            Some(decisive) => decisive.rule.action.fetches(),
            None => listed.is_fetched_otherwise,
        };
        // Where no rule decides, the filter may say anything.
        let filters = self.filter.is_some() && decisive.is_none();
        if !open.is_empty() {
            let may_fetch = open.iter().any(|rule| rule.action.fetches());
            let may_not = open.iter().any(|rule| !rule.action.fetches());
            return match header {
                _ if ends_in_fetch && !may_not && !filters => Ruling::Fetch,
                Knowledge::Unasked => Ruling::NeedsHeader,
                // Nobody will know. It comes, which is the safe side, where that may be what is wanted; what is
                // too large without a rule stays where it is.
                _ if may_fetch && (decisive.is_some() || listed.is_fetched_otherwise) => {
                    Ruling::Fetch
                }
                _ => match decisive {
                    Some(decisive) if decisive.rule.action != Action::Delete => {
                        Ruling::Rule(decisive)
                    }
                    _ => Ruling::Otherwise,
                },
            };
        }
        match decisive {
            None => self.after_rules(header),
            Some(decisive) if decisive.rule.action != Action::Delete => Ruling::Rule(decisive),
            Some(_) if looked && !matches!(header, Knowledge::Read(_)) => Ruling::NeedsHeader,
            Some(decisive) => Ruling::Delete(Hit(decisive)),
        }
    }

    /// Where no rule is about a message.
    fn after_rules(&self, header: Knowledge<'_>) -> Ruling<'_> {
        let Some(filter) = &self.filter else {
            return Ruling::Otherwise;
        };
        let (gist, is_read) = match header {
            Knowledge::Unasked => return Ruling::NeedsHeader,
            Knowledge::Unknown => return Ruling::Otherwise,
            Knowledge::Remembered(gist) => (gist, false),
            Knowledge::Read(gist) => (gist, true),
        };
        match gist.filtered().map(|verdict| filter.rule(verdict)) {
            None if is_read => Ruling::AskFilter,
            None => Ruling::NeedsHeader,
            Some(None) => Ruling::Otherwise,
            Some(Some(rule)) => {
                let decisive = Decisive { number: 0, rule };
                match (&rule.action, is_read) {
                    (Action::Delete, true) => Ruling::Delete(Hit(decisive)),
                    (Action::Delete, false) => Ruling::NeedsHeader,
                    _ => Ruling::Rule(decisive),
                }
            }
        }
    }

    /// The rule that sends a message that was fetched to a folder, if one does.
    pub fn folder_of(&self, listed: Listed, header: &[u8]) -> Option<Decisive<'_>> {
        let gist = Gist::of_message(header, &self.rules, self.fingerprint);
        match self.judge(listed, Knowledge::Read(&gist)) {
            Ruling::Rule(decisive) if decisive.rule.action.folder().is_some() => Some(decisive),
            _ => None,
        }
    }
}

impl Rule {
    /// Whether it is about a message: `None` where that cannot be told. `place` is its own among all
    /// rules.
    pub(super) fn holds(&self, listed: Listed, gist: Option<&Gist>, place: usize) -> Option<bool> {
        let Conditions { age, header, .. } = &self.conditions;
        let size = self.fits_size(listed);
        let header = match (header.is_empty(), gist) {
            (true, _) => Some(true),
            // Nothing is deleted on a guess, nor is anything saved by that.
            (false, Some(gist)) if self.action == Action::Delete => {
                Some(gist.holds(place) == Some(true))
            }
            (false, gist) => gist.and_then(|gist| gist.holds(place)),
        };
        let age = match (age.are_none(), gist, listed.now) {
            (true, ..) => Some(true),
            // What was sent in the future says nothing, but that a clock is wrong.
            (false, Some(gist), Some(now)) => gist
                .date()
                .and_then(|date| u64::try_from(now.saturating_sub(date).saturating_add(SKEW)).ok())
                .map(|age| self.conditions.age.hold(age.saturating_sub(SKEW as u64))),
            (false, ..) => None,
        };
        match [size, header, age] {
            all if all.contains(&Some(false)) => Some(false),
            all if all.contains(&None) => None,
            _ => Some(true),
        }
    }

    /// Whether its size fits: `None` where the server tells none.
    fn fits_size(&self, listed: Listed) -> Option<bool> {
        let size = self.conditions.size;
        match (size.are_none(), listed.octets) {
            (true, _) => Some(true),
            (false, octets) => octets.map(|octets| size.hold(octets)),
        }
    }
}
