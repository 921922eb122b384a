//! What to do with each message of a maildrop: pure, from what is listed, what is known, and what
//! the profile says.
//!
//! [`decide`] never looks at a clock, a disk or a network, so that every rule can be tested in a
//! line, and `--dry-run` and `check` say exactly what a fetch would do.

use crate::rules::{Action, Decisive, Ruling};
use crate::state::{Failures, Known};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// After so many failures in a row a message is tried only once a day (fact F20): one that
/// makes the server close the connection would keep every run from coming to its end.
const PATIENCE: u32 = 3;

/// The day of [`PATIENCE`], in seconds.
const RETRY_AFTER: i64 = 24 * 60 * 60;

/// A server that has confirmed this many deletions of a message and still lists it does not delete
/// (fact F27): Gmail, for one, has a setting of its own for that.
pub const DELETIONS: u8 = 5;

/// What the profile says about messages, and what of the run changes it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    /// What happens on the server to what is stored.
    pub keep: Keep,
    /// Larger messages are left on the server.
    pub max_size: Option<u64>,
    /// How many of the newest to take at the first listing.
    pub latest: Option<u64>,
    /// Which come first.
    pub order: Order,
    /// The run: a person wants everything tried now, whatever failed before.
    pub insist: bool,
    /// The run: the clock may be wrong: nothing is old enough to be deleted.
    pub doubts_clock: bool,
}

impl Policy {
    /// The same in a run whose clock may be wrong.
    pub fn with_clock(self, doubted: bool) -> Self {
        Self {
            doubts_clock: doubted,
            ..self
        }
    }
}

/// What happens to a message on the server once it is safely stored.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Keep {
    /// It stays.
    #[default]
    Always,
    /// It is deleted once it has been stored here for this long.
    For(Duration),
    /// It is deleted in the session that fetched it.
    Never,
}

/// Which messages come first.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// As the maildrop lists them, which is oldest first.
    #[default]
    OldestFirst,
    /// The other way round.
    NewestFirst,
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Delete it: it is stored, and the profile wants it gone.
    Delete,
    /// Something about it is not as it was: see whether it is the same, and delete it then if it is
    /// due.
    Doubt {
        /// The profile wants it gone.
        due: bool,
    },
    /// Delete it, unread: a rule says so.
    Discard,
    /// Fetch it.
    Fetch(Why),
    /// Mark it as seen without fetching it.
    Mark,
    /// Nothing: it is stored, or was marked as seen.
    Seen,
    /// Leave it on the server.
    Skip(Reason),
}

/// Why a message is fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// It has not been fetched before.
    New,
    /// It has been tried before, in vain.
    Again,
    /// Its file is lost.
    Lost,
}

/// Why a message is left on the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// It is larger than so many octets.
    TooLarge(u64),
    /// It could not be fetched so often that it is tried again only tomorrow.
    Failed(Failures),
    /// A rule leaves it.
    Rule,
    /// The server confirms its deletion or refuses it, and lists it all the same: it is seen, and
    /// stays.
    Undeletable,
}

/// What to do with each message of a maildrop, by its place from 0. In most runs nearly all are
/// [`Decision::Seen`], of as many as a million, so that only the others take memory.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    listed: usize,
    known: usize,
    stored: usize,
    undated: usize,
    smallest_stored: Option<(u64, usize)>,
    /// In the order of their places.
    unseen: Vec<(usize, Decision)>,
    /// The number of the rule that has decided, by place.
    rules: HashMap<usize, u8>,
}

impl Plan {
    /// Messages listed.
    pub fn listed(&self) -> usize {
        self.listed
    }

    /// How many of them are not new.
    pub fn known(&self) -> usize {
        self.known
    }

    /// So many of those that seemed known may be other messages.
    pub fn may_be_new(&mut self, count: usize) {
        self.known = self.known.saturating_sub(count);
    }

    /// What seemed to be stored at a place is a message that nobody knows: it is decided about as about any
    /// new one.
    pub fn is_new(
        &mut self,
        place: usize,
        octets: Option<u64>,
        failures: Option<Failures>,
        policy: Policy,
        now: i64,
    ) {
        let found = self.unseen.binary_search_by_key(&place, |(it, _)| *it);
        if let Some((_, decision)) = found.ok().and_then(|at| self.unseen.get_mut(at)) {
            *decision = decide_one(octets, Known::New(failures), policy, now);
            self.known = self.known.saturating_sub(1);
            self.stored = self.stored.saturating_sub(1);
        }
    }

    /// How many of them are stored here.
    pub fn stored(&self) -> usize {
        self.stored
    }

    /// The place of the smallest message that is stored here.
    pub fn smallest_stored(&self) -> Option<usize> {
        self.smallest_stored.map(|(_, place)| place)
    }

    /// How many would be deleted for their age, were the clock not in doubt.
    pub fn undated(&self) -> usize {
        self.undated
    }

    /// The places where there is something to do or to say, in order, and what that is.
    pub fn unseen(&self) -> impl Iterator<Item = (usize, Decision)> + '_ {
        self.unseen.iter().copied()
    }

    /// What to do with the message at a place.
    pub fn at(&self, place: usize) -> Option<Decision> {
        let found = self
            .unseen
            .binary_search_by_key(&place, |(place, _)| *place);
        let unseen = found.ok().and_then(|at| self.unseen.get(at));
        let listed = place < self.listed;
        listed.then_some(unseen.map_or(Decision::Seen, |(_, decision)| *decision))
    }

    /// What rules may decide otherwise: the places of messages that have not been fetched, in order,
    /// and whether each is fetched without a rule.
    pub fn open_to_rules(&self) -> impl Iterator<Item = (usize, bool)> + '_ {
        self.unseen()
            .filter_map(|(place, decision)| match decision {
                Decision::Fetch(Why::New | Why::Again) => Some((place, true)),
                Decision::Skip(Reason::TooLarge(_)) => Some((place, false)),
                Decision::Skip(Reason::Failed(_)) => Some((place, true)),
                _ => None,
            })
    }

    /// Does with the message at a place what rules say.
    pub fn apply(&mut self, place: usize, ruling: Ruling<'_>) {
        let found = self.unseen.binary_search_by_key(&place, |(it, _)| *it);
        let Some((_, decision)) = found.ok().and_then(|at| self.unseen.get_mut(at)) else {
            return;
        };
        let mut decided_by = |decisive: Decisive<'_>| self.rules.insert(place, decisive.number);
        match ruling {
            Ruling::Otherwise | Ruling::NeedsHeader | Ruling::AskFilter => {}
            Ruling::Delete(hit) => {
                *decision = Decision::Discard;
                decided_by(hit.rule());
            }
            Ruling::Rule(decisive) if decisive.rule.action == Action::Skip => {
                *decision = Decision::Skip(Reason::Rule);
                decided_by(decisive);
            }
            Ruling::Rule(_) | Ruling::Fetch => {
                if matches!(decision, Decision::Skip(Reason::TooLarge(_))) {
                    *decision = Decision::Fetch(Why::New);
                }
                if let Ruling::Rule(decisive) = ruling {
                    decided_by(decisive);
                }
            }
        }
    }

    /// The number of the rule that has decided about the message at a place, from 1.
    pub fn rule_at(&self, place: usize) -> Option<u8> {
        self.rules.get(&place).copied()
    }

    /// The places of the messages that this is to be done with, in order.
    pub fn places(&self, wanted: Decision) -> impl Iterator<Item = usize> + '_ {
        let wanted = self
            .unseen()
            .filter(move |(_, decision)| *decision == wanted);
        wanted.map(|(place, _)| place)
    }

    /// The places of the messages that wait, in order: those to fetch, and those that are skipped
    /// and not seen, but for what a rule leaves: nobody waits for that.
    pub fn waiting(&self) -> impl Iterator<Item = usize> + '_ {
        let waits = |decision| match decision {
            Decision::Skip(reason) => !matches!(reason, Reason::Undeletable | Reason::Rule),
            decision => matches!(decision, Decision::Fetch(_)),
        };
        let waiting = self.unseen().filter(move |(_, decision)| waits(*decision));
        waiting.map(|(place, _)| place)
    }

    /// The places of those of them that a fetch brings, now or later, in order: without the ones that are too large.
    pub fn coming(&self) -> impl Iterator<Item = usize> + '_ {
        let stays = |place| matches!(self.at(place), Some(Decision::Skip(Reason::TooLarge(_))));
        self.waiting().filter(move |place| !stays(*place))
    }

    /// Whether some are left out that are not stored here: whatever the reason, they may come in a later
    /// run.
    pub fn leaves_some(&self) -> bool {
        self.unseen().any(|(_, decision)| match decision {
            Decision::Skip(reason) => reason != Reason::Undeletable,
            Decision::Mark | Decision::Discard => true,
            Decision::Delete | Decision::Doubt { .. } | Decision::Fetch(_) | Decision::Seen => {
                false
            }
        })
    }

    /// The places of the messages to fetch, in the order to fetch them: those that failed before
    /// come last, so that they cannot keep the others from arriving.
    pub fn fetch_order(&self, order: Order) -> Vec<usize> {
        let places = |wanted: fn(Why) -> bool| {
            let fits = move |(_, decision): &(usize, Decision)| match decision {
                Decision::Fetch(why) => wanted(*why),
                _ => false,
            };
            let places = self.unseen().filter(fits);
            let mut places: Vec<usize> = places.map(|(place, _)| place).collect();
            if order == Order::NewestFirst {
                places.reverse();
            }
            places
        };
        let mut all = places(|why| why != Why::Again);
        all.extend(places(|why| why == Why::Again));
        all
    }
}

/// Decides for each message, place by place: its `listed` octets and what is known of it. `first`
/// says that nothing is known of the account yet; `now` is in seconds since 1970.
pub fn decide(
    listed: impl ExactSizeIterator<Item = (Option<u64>, Known)>,
    policy: Policy,
    first: bool,
    now: i64,
) -> Plan {
    let newer = (0..listed.len() as u64).rev();
    let newer = newer.map(|it| first.then_some(it));
    decide_by_folders(listed, newer, policy, now)
}

/// The same where each folder has its own newest messages: `newer` is how many are behind each in its
/// folder, of those that may be passed over; `None` of one that may not.
pub fn decide_by_folders(
    listed: impl ExactSizeIterator<Item = (Option<u64>, Known)>,
    newer: impl Iterator<Item = Option<u64>>,
    policy: Policy,
    now: i64,
) -> Plan {
    let mut plan = Plan {
        listed: listed.len(),
        ..Plan::default()
    };
    let latest = policy.latest.unwrap_or(u64::MAX);
    for (((octets, known), newer), place) in listed.zip(newer).zip(0..) {
        let is_new = matches!(known, Known::New(_) | Known::Lost);
        plan.known += usize::from(!is_new);
        plan.stored += usize::from(!is_new && known != Known::Marked);
        if let (Some(octets), Known::Stored { .. }) = (octets, known) {
            let smallest = plan.smallest_stored.get_or_insert((octets, place));
            *smallest = (octets, place).min(*smallest);
        }
        let decision = match matches!(known, Known::New(_)) && newer.is_some_and(|it| it >= latest)
        {
            true => Decision::Mark,
            false => decide_one(octets, known, policy, now),
        };
        plan.undated += usize::from(is_undated(known, policy, now));
        if decision != Decision::Seen {
            plan.unseen.push((place, decision));
        }
    }
    plan
}

fn decide_one(octets: Option<u64>, known: Known, policy: Policy, now: i64) -> Decision {
    match known {
        Known::New(failures) => match (octets, policy.max_size, failures) {
            (Some(octets), Some(most), _) if octets > most => {
                Decision::Skip(Reason::TooLarge(most))
            }
            (_, _, Some(failures))
                if !is_tried_again(failures.count, failures.last, policy.insist, now) =>
            {
                Decision::Skip(Reason::Failed(failures))
            }
            (_, _, Some(_)) => Decision::Fetch(Why::Again),
            (_, _, None) => Decision::Fetch(Why::New),
        },
        Known::Lost => Decision::Fetch(Why::Lost),
        Known::Doubtful { since } => Decision::Doubt {
            due: is_due(since, policy, now),
        },
        Known::Marked | Known::Stored { held: true, .. } => Decision::Seen,
        Known::Stored { since, futile, .. } => match is_due(since, policy, now) {
            true if is_to_be_deleted(since, futile, policy, now) => Decision::Delete,
            true => Decision::Skip(Reason::Undeletable),
            false => Decision::Seen,
        },
    }
}

/// Whether what has failed so many times in a row, and for the last time then, is tried now. `insist`: a
/// person wants it to be.
pub fn is_tried_again(count: u32, last: i64, insist: bool, now: i64) -> bool {
    count < PATIENCE || insist || !(0..RETRY_AFTER).contains(&now.saturating_sub(last))
}

/// Whether a message that an earlier session stored is to be deleted now.
pub fn is_to_be_deleted(since: i64, futile: u8, policy: Policy, now: i64) -> bool {
    futile < DELETIONS && is_due(since, policy, now)
}

/// Whether such a message is due, and stays because the server does not delete it.
pub fn is_given_up(since: i64, futile: u8, policy: Policy, now: i64) -> bool {
    futile >= DELETIONS && is_due(since, policy, now)
}

/// Whether the profile wants a message gone that has been here since then.
fn is_due(since: i64, policy: Policy, now: i64) -> bool {
    match policy.keep {
        Keep::Always => false,
        Keep::For(_) if policy.doubts_clock => false,
        Keep::For(period) => is_over(since, period, now),
        Keep::Never => true,
    }
}

/// Whether only a clock in doubt keeps a message from being deleted.
fn is_undated(known: Known, policy: Policy, now: i64) -> bool {
    let believed = Policy {
        doubts_clock: false,
        ..policy
    };
    policy.doubts_clock
        && match known {
            Known::Stored { held: true, .. } => false,
            Known::Stored { since, futile, .. } => {
                is_to_be_deleted(since, futile, believed, now)
                    && !is_to_be_deleted(since, futile, policy, now)
            }
            _ => false,
        }
}

/// Whether a message may be deleted in the session that has fetched it.
pub fn deletes_at_once(policy: Policy) -> bool {
    policy.keep == Keep::Never
}

fn is_over(since: i64, period: Duration, now: i64) -> bool {
    let period = i64::try_from(period.as_secs()).unwrap_or(i64::MAX);
    // A message from the future is not old: the clock has been set back meanwhile.
    since.checked_add(period).is_some_and(|end| end <= now)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
