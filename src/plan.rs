//! What to do with each message of a maildrop: pure, from what is listed, what is known, and what
//! the profile says.
//!
//! [`decide`] never looks at a clock, a disk or a network, so that every rule can be tested in a
//! line, and `--dry-run` and `check` say exactly what a fetch would do.

use crate::state::{Failures, Known};
use std::time::Duration;

/// After so many failures in a row a message is tried only once a day (TRUST.md F20): one that
/// makes the server close the connection would keep every run from coming to its end.
const PATIENCE: u32 = 3;

/// The day of [`PATIENCE`], in seconds.
const RETRY_AFTER: i64 = 24 * 60 * 60;

/// A server that has confirmed this many deletions of a message and still lists it does not delete
/// (TRUST.md F27): Gmail, for one, has a setting of its own for that.
const DELETIONS: u8 = 5;

/// What the profile says about messages.
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
    /// The clock may be wrong: nothing is old enough to be deleted.
    pub doubts_clock: bool,
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
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
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
    undated: usize,
    /// In the order of their places.
    unseen: Vec<(usize, Decision)>,
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

    /// The places of the messages that this is to be done with, in order.
    pub fn places(&self, wanted: Decision) -> impl Iterator<Item = usize> + '_ {
        let wanted = self
            .unseen()
            .filter(move |(_, decision)| *decision == wanted);
        wanted.map(|(place, _)| place)
    }

    /// The places of the messages that wait, in order: those to fetch, and those that are skipped
    /// and not seen.
    pub fn waiting(&self) -> impl Iterator<Item = usize> + '_ {
        let waits = |decision| match decision {
            Decision::Skip(reason) => reason != Reason::Undeletable,
            decision => matches!(decision, Decision::Fetch(_)),
        };
        let waiting = self.unseen().filter(move |(_, decision)| waits(*decision));
        waiting.map(|(place, _)| place)
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
    let mut plan = Plan {
        listed: listed.len(),
        ..Plan::default()
    };
    let latest = policy.latest.filter(|_| first).unwrap_or(u64::MAX);
    let older = (plan.listed as u64).saturating_sub(latest);
    for ((octets, known), place) in listed.zip(0..) {
        let is_new = matches!(known, Known::New(_) | Known::Lost);
        plan.known += usize::from(!is_new);
        let decision = match matches!(known, Known::New(_)) && (place as u64) < older {
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
                if failures.count >= PATIENCE
                    && (0..RETRY_AFTER).contains(&now.saturating_sub(failures.last)) =>
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

/// Whether a message that an earlier session stored is to be deleted now.
pub fn is_to_be_deleted(since: i64, futile: u8, policy: Policy, now: i64) -> bool {
    futile < DELETIONS && is_due(since, policy, now)
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
mod tests {
    use super::*;
    use crate::state::FailureKind;
    use proptest::prelude::*;

    const NOW: i64 = 1_795_395_922;
    const DAY: i64 = 24 * 60 * 60;

    fn one(known: Known, policy: Policy) -> Decision {
        plan_of(&[known], policy).at(0).unwrap()
    }

    fn plan_of(known: &[Known], policy: Policy) -> Plan {
        let listed = known.iter().map(|known| (Some(1000), *known));
        decide(listed, policy, false, NOW)
    }

    /// Place by place.
    fn all(plan: &Plan) -> Vec<Decision> {
        (0..).map_while(|place| plan.at(place)).collect()
    }

    fn keep(keep: Keep) -> Policy {
        Policy {
            keep,
            ..Policy::default()
        }
    }

    fn stored(days_ago: i64) -> Known {
        Known::Stored {
            since: NOW - days_ago * DAY,
            futile: 0,
            held: false,
        }
    }

    fn refused(count: u32, hours_ago: i64) -> Known {
        let last = NOW - hours_ago * 3600;
        Known::New(Some(Failures {
            kind: FailureKind::Refused,
            count,
            last,
        }))
    }

    #[test]
    fn what_is_new_is_fetched_and_what_is_stored_is_not() {
        assert_eq!(
            one(Known::New(None), Policy::default()),
            Decision::Fetch(Why::New)
        );
        assert_eq!(one(stored(0), Policy::default()), Decision::Seen);
        assert_eq!(one(Known::Marked, Policy::default()), Decision::Seen);
    }

    #[test]
    fn a_message_is_deleted_once_it_is_here_long_enough() {
        let fortnight = keep(Keep::For(Duration::from_secs(14 * 24 * 3600)));
        assert_eq!(one(stored(13), fortnight), Decision::Seen);
        assert_eq!(one(stored(14), fortnight), Decision::Delete);
        assert_eq!(one(stored(0), keep(Keep::Never)), Decision::Delete);
        assert_eq!(one(stored(9999), keep(Keep::Always)), Decision::Seen);
    }

    #[test]
    fn e_9_while_the_clock_is_in_doubt_nothing_is_deleted_for_its_age_and_it_is_counted() {
        let policy = |keep| Policy {
            keep,
            doubts_clock: true,
            ..Policy::default()
        };
        let fortnight = Keep::For(Duration::from_secs(14 * 24 * 3600));
        let held = Known::Stored {
            since: 0,
            futile: 0,
            held: true,
        };
        let doubtful = Known::Doubtful { since: 0 };
        let plan = plan_of(&[stored(20), stored(13), held, doubtful], policy(fortnight));
        assert_eq!(all(&plan)[..3], [Decision::Seen; 3]);
        assert_eq!(all(&plan)[3], Decision::Doubt { due: false });
        assert_eq!(plan.undated(), 1);
        let plan = plan_of(&[stored(20)], policy(Keep::Never));
        assert_eq!((all(&plan)[0], plan.undated()), (Decision::Delete, 0));
    }

    #[test]
    fn d31_a_message_from_the_future_is_not_deleted() {
        let for_a_second = keep(Keep::For(Duration::from_secs(1)));
        assert_eq!(one(stored(-3000), for_a_second), Decision::Seen);
    }

    #[test]
    fn f27_a_server_that_does_not_delete_is_asked_five_times_and_no_more() {
        let known = |futile| Known::Stored {
            since: NOW,
            futile,
            held: false,
        };
        assert_eq!(one(known(4), keep(Keep::Never)), Decision::Delete);
        let undeletable = Decision::Skip(Reason::Undeletable);
        assert_eq!(one(known(5), keep(Keep::Never)), undeletable);
        let plan = plan_of(&[known(5)], keep(Keep::Never));
        assert_eq!(
            (plan.known(), plan.waiting().count()),
            (1, 0),
            "it is not new"
        );
    }

    #[test]
    fn e12_a_message_whose_end_was_doubtful_is_never_deleted() {
        let held = Known::Stored {
            since: 0,
            futile: 0,
            held: true,
        };
        assert_eq!(one(held, keep(Keep::Never)), Decision::Seen);
    }

    #[test]
    fn e11_what_is_doubtful_is_looked_at_before_anything_else() {
        let doubtful = Known::Doubtful { since: NOW };
        for (policy, due) in [(Keep::Always, false), (Keep::Never, true)] {
            assert_eq!(one(doubtful, keep(policy)), Decision::Doubt { due });
        }
        assert_eq!(
            one(Known::Lost, keep(Keep::Never)),
            Decision::Fetch(Why::Lost)
        );
    }

    #[test]
    fn f20_a_message_that_was_refused_three_times_is_tried_once_a_day() {
        let policy = Policy::default();
        assert_eq!(one(refused(2, 1), policy), Decision::Fetch(Why::Again));
        assert_eq!(
            one(refused(3, 23), policy),
            Decision::Skip(Reason::Failed(Failures {
                kind: FailureKind::Refused,
                count: 3,
                last: NOW - 23 * 3600,
            }))
        );
        assert_eq!(one(refused(3, 24), policy), Decision::Fetch(Why::Again));
        assert_eq!(
            one(refused(3, -5), policy),
            Decision::Fetch(Why::Again),
            "a clock set back"
        );
    }

    #[test]
    fn a_message_above_max_size_is_skipped_whatever_else() {
        let policy = Policy {
            max_size: Some(999),
            ..Policy::default()
        };
        let too_large = Decision::Skip(Reason::TooLarge(999));
        assert_eq!(one(Known::New(None), policy), too_large);
        assert_eq!(one(refused(1, 1), policy), too_large);
        assert_eq!(one(stored(1), policy), Decision::Seen);
    }

    #[test]
    fn latest_takes_the_newest_of_the_first_listing_only() {
        let policy = Policy {
            latest: Some(2),
            ..Policy::default()
        };
        let decided = |first| {
            let listed = [(Some(1), Known::New(None)); 5];
            all(&decide(listed.into_iter(), policy, first, NOW))
        };
        let (mark, fetch) = (Decision::Mark, Decision::Fetch(Why::New));
        assert_eq!(decided(true), [mark, mark, mark, fetch, fetch]);
        assert_eq!(decided(false), [fetch; 5]);
    }

    #[test]
    fn what_failed_before_is_fetched_last_in_either_order() {
        let (new, again) = (Known::New(None), refused(1, 1));
        let known = [again, new, Known::Marked, new, again];
        let plan = plan_of(&known, Policy::default());
        assert_eq!(plan.fetch_order(Order::OldestFirst), [1, 3, 0, 4]);
        assert_eq!(plan.fetch_order(Order::NewestFirst), [3, 1, 4, 0]);
    }

    #[test]
    fn what_is_seen_is_counted_and_takes_no_memory() {
        let doubtful = Known::Doubtful { since: NOW };
        let known = [Known::Marked, stored(1), Known::New(None), doubtful];
        let plan = plan_of(&known, Policy::default());
        assert_eq!((plan.listed(), plan.known()), (4, 3));
        let (new, doubtful) = (Decision::Fetch(Why::New), Decision::Doubt { due: false });
        assert_eq!(all(&plan), [Decision::Seen, Decision::Seen, new, doubtful]);
        assert!(plan.unseen().eq([(2, new), (3, doubtful)]));
        assert!(plan.places(new).eq([2]));
        assert_eq!(plan.at(4), None, "it is not listed");
        assert_eq!(plan_of(&known[..2], Policy::default()).unseen.capacity(), 0);
    }

    fn any_known() -> impl Strategy<Value = Known> {
        prop_oneof![
            Just(Known::New(None)),
            Just(Known::Lost),
            any::<i64>().prop_map(|since| Known::Doubtful { since }),
            Just(Known::Marked),
            (0u32..9, any::<i64>()).prop_map(|(count, last)| {
                Known::New(Some(Failures {
                    kind: FailureKind::Refused,
                    count,
                    last,
                }))
            }),
            (any::<i64>(), any::<u8>(), any::<bool>()).prop_map(|(since, futile, held)| {
                Known::Stored {
                    since,
                    futile,
                    held,
                }
            }),
        ]
    }

    proptest! {
        #[test]
        fn nothing_is_ever_deleted_that_is_not_stored(
            messages in prop::collection::vec((any_known(), any::<Option<u64>>()), 0..20),
            days in 0u64..30, first: bool, now: i64, latest: Option<u64>, max_size: Option<u64>,
        ) {
            for keep in [Keep::Always, Keep::Never, Keep::For(Duration::from_secs(days * 86400))] {
                let policy = Policy { keep, latest, max_size, ..Policy::default() };
                let listed = messages.iter().map(|(known, octets)| (*octets, *known));
                let plan = decide(listed, policy, first, now);
                prop_assert_eq!(all(&plan).len(), messages.len());
                for ((known, _), decision) in messages.iter().zip(all(&plan)) {
                    if decision == Decision::Delete {
                        let is_stored = matches!(known, Known::Stored { .. });
                        prop_assert!(is_stored && keep != Keep::Always);
                    }
                }
            }
        }
    }
}
