//! Rules about messages that have not been fetched: which of them are fetched, into which folder, which
//! are left on the server, and which are deleted there unread.
//!
//! Pure, as [`crate::plan`] is: from the listed size, what a header has told, and the time. The first
//! rule whose conditions all hold decides. A condition may be one that nobody can answer yet, or at all:
//! [`Rules::judge`] asks for a header only where the answer could change what is done, and without
//! one nothing is left on the server or deleted by a rule that would have needed it.

mod alike;
mod bounds;
mod filter;
mod fit;
mod gist;
mod judge;
mod pattern;
mod rule;
mod spelling;

pub use bounds::Bounds;
pub use filter::{FilterCommand, Verdict};
pub use gist::{Arrival, Fingerprint, Gist};
pub use judge::{Decisive, Hit, Knowledge, Listed, Ruling, SKEW};
pub use pattern::{Pattern, Unusable};
pub use rule::{Action, Conditions, Field, Rule, Test};

use std::fmt;
use std::sync::Arc;

/// So many rules an account has at most: what a header has told is remembered in a bit for each.
pub const MOST: usize = 64;

/// An account's rules, in their order.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Arc<[Rule]>,
    filter: Option<Arc<FilterCommand>>,
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
    pub fn with_filter(self, filter: FilterCommand) -> Self {
        Self {
            fingerprint: Fingerprint::of(&self.rules, Some(&filter)),
            filter: Some(Arc::new(filter)),
            rules: self.rules,
        }
    }

    /// The program that decides where no rule does.
    pub fn filter(&self) -> Option<&FilterCommand> {
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

    /// Whether one of them asks how old a message is.
    pub fn ask_ages(&self) -> bool {
        self.iter().any(|rule| !rule.conditions.age.are_none())
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
    pub fn read(&self, header: &[u8]) -> Option<Gist> {
        Gist::read(header, &self.rules, self.fingerprint)
    }

    /// The same of a message that was fetched, by its first octets, whatever is in doubt about its header: what
    /// it does not plainly say counts as not said.
    pub fn read_fetched(&self, header: &[u8]) -> Gist {
        let gist = Gist::of_message(header, &self.rules, self.fingerprint);
        match gist.arrival() {
            Arrival::Unnoted => gist.with_arrival(Arrival::Unsaid),
            Arrival::Unsaid | Arrival::At(_) => gist,
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
