//! Rules about messages that have not been fetched: which of them are fetched, into which folder, which
//! are left on the server, and which are deleted there unread.
//!
//! Pure, as [`crate::plan`] is: from the listed size, what a header has told, and the time. The first
//! rule whose conditions all hold decides. A condition may be one that nobody can answer yet, or at all:
//! [`Rules::judge`] asks for a header only where the answer could change what is done, and without
//! one nothing is left on the server or deleted by a rule that would have needed it.

mod bounds;
mod filter;
mod pattern;
mod rule;
mod told;

pub use bounds::Bounds;
pub use filter::{Filter, Verdict};
pub use pattern::{Pattern, Unusable};
pub use rule::{Action, Conditions, Field, Rule, Test};
pub use told::{Fingerprint, Told};

use std::fmt;
use std::sync::Arc;

/// So many rules an account has at most: what a header has told is remembered in a bit for each.
pub const MOST: usize = 64;

/// An account's rules, in their order.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Arc<[Rule]>,
    filter: Option<Arc<Filter>>,
    fingerprint: Fingerprint,
}

/// Why rules make no sense together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Which one, from 0.
    pub place: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// There are more than [`MOST`].
    TooMany,
    /// No message has such a size, or such an age.
    Contradictory(&'static str),
    /// Every message that it is about is one of an earlier rule, from 0.
    Unreachable(usize),
    /// It would delete every message.
    DeletesAll,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => write!(f, "an account has at most {MOST} rules"),
            Self::Contradictory(what) => write!(f, "no message has such {what}"),
            Self::Unreachable(earlier) => write!(
                f,
                "this rule never decides: rule {} stands before it and is about all of its messages",
                earlier + 1
            ),
            Self::DeletesAll => f.write_str("a rule without a condition would delete all mail"),
        }
    }
}

/// What is known of a message's header.
#[derive(Clone, Copy, Debug)]
pub enum Header<'a> {
    /// Nobody has asked for it.
    Unasked,
    /// An earlier session has read it. Nothing is deleted on its word: another message may have taken
    /// the unique-id meanwhile.
    Remembered(&'a Told),
    /// The session at hand has read it.
    Read(&'a Told),
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
    /// No rule is about it, and the filter is to be asked: [`Rules::filtered`] says what comes of that.
    AskFilter,
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
    /// Takes rules in their order.
    ///
    /// # Errors
    /// One of them contradicts itself, never decides, or would delete everything.
    pub fn new(rules: Vec<Rule>) -> Result<Self, Fault> {
        for (place, rule) in rules.iter().enumerate() {
            let fault = |reason| Fault { place, reason };
            if place >= MOST {
                return Err(fault(Reason::TooMany));
            }
            if let Some(what) = rule.conditions.contradiction() {
                return Err(fault(Reason::Contradictory(what)));
            }
            if rule.action == Action::Delete && rule.conditions.are_none() {
                return Err(fault(Reason::DeletesAll));
            }
            let mut earlier = rules.iter().take(place);
            let covers = |earlier: &Rule| rule.conditions.imply(&earlier.conditions);
            if let Some(earlier) = earlier.position(covers) {
                return Err(fault(Reason::Unreachable(earlier)));
            }
        }
        Ok(Self {
            fingerprint: Fingerprint::of(&rules, None),
            filter: None,
            rules: rules.into(),
        })
    }

    /// The same with a program that decides where no rule does.
    pub fn with_filter(self, filter: Filter) -> Self {
        Self {
            fingerprint: Fingerprint::of(&self.rules, Some(&filter)),
            filter: Some(Arc::new(filter)),
            rules: self.rules,
        }
    }

    /// The program that decides where no rule does.
    pub fn filter(&self) -> Option<&Filter> {
        self.filter.as_deref()
    }

    /// The same, but what they would delete is left.
    pub fn sparing(&self) -> Self {
        let spared = self.rules.iter().cloned().map(|rule| match rule.action {
            Action::Delete => Rule {
                action: Action::Skip,
                ..rule
            },
            _ => rule,
        });
        Self {
            rules: spared.collect(),
            filter: self
                .filter
                .as_ref()
                .map(|filter| Arc::new(filter.sparing())),
            fingerprint: self.fingerprint,
        }
    }

    /// Whether there are none, and no filter.
    pub fn are_none(&self) -> bool {
        self.rules.is_empty() && self.filter.is_none()
    }

    /// Them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// The rule of this number, from 1.
    pub fn numbered(&self, number: u8) -> Option<Decisive<'_>> {
        let rule = match usize::from(number).checked_sub(1) {
            Some(place) => self.rules.get(place)?,
            None => self.filter()?.rule(Verdict::Skip)?,
        };
        Some(Decisive { number, rule })
    }

    /// What tells what they ask of a header from what others ask.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// What a header tells; `None` where it is in doubt: it has no end, or is no header.
    pub fn read(&self, header: &[u8]) -> Option<Told> {
        Told::read(header, &self.rules, self.fingerprint)
    }

    /// What to do with a message that has not been fetched.
    pub fn judge(&self, listed: Listed, header: Header<'_>) -> Ruling<'_> {
        let told = match header {
            Header::Remembered(told) | Header::Read(told) => Some(told),
            Header::Unasked | Header::Unknown => None,
        };
        // Rules that may decide, up to the first that does; those that nobody can tell about yet.
        let mut open: Vec<&Rule> = Vec::new();
        let mut decisive = None;
        let mut looked = false;
        for (number, (place, rule)) in (1..=u8::MAX).zip(self.rules.iter().enumerate()) {
            looked |= rule.conditions.need_header();
            match rule.holds(listed, told, place) {
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
                Header::Unasked => Ruling::NeedsHeader,
                // Nobody will know. It comes, which is the safe side, where that may be what is wanted.
                _ if may_fetch => Ruling::Fetch,
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
            Some(_) if looked && !matches!(header, Header::Read(_)) => Ruling::NeedsHeader,
            Some(decisive) => Ruling::Delete(Hit(decisive)),
        }
    }

    /// Where no rule is about a message.
    fn after_rules(&self, header: Header<'_>) -> Ruling<'_> {
        let Some(filter) = &self.filter else {
            return Ruling::Otherwise;
        };
        let (told, is_read) = match header {
            Header::Unasked => return Ruling::NeedsHeader,
            Header::Unknown => return Ruling::Otherwise,
            Header::Remembered(told) => (told, false),
            Header::Read(told) => (told, true),
        };
        match told.filtered().map(|verdict| filter.rule(verdict)) {
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
        let told = Told::of_message(header, &self.rules, self.fingerprint);
        match self.judge(listed, Header::Read(&told)) {
            Ruling::Rule(decisive) if decisive.rule.action.folder().is_some() => Some(decisive),
            _ => None,
        }
    }

    /// The folders that messages may go to, each once.
    pub fn folders(&self) -> Vec<&crate::maildir::Folder> {
        let mut folders: Vec<_> = self.iter().filter_map(|it| it.action.folder()).collect();
        folders.sort_unstable();
        folders.dedup();
        folders
    }
}

#[cfg(test)]
mod tests;
