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
    /// The server deleted it and lists it again: is it the same?
    Doubtful,
}

/// Why a message is left on the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// It is larger than so many octets.
    TooLarge(u64),
    /// It could not be fetched so often that it is tried again only tomorrow.
    Failed(Failures),
    /// The server confirms its deletion, and lists it all the same.
    Undeletable,
}

/// Decides for each message, place by place: `listed` octets and what is known of it. `first` says that nothing is known of the account
/// yet; `now` is in seconds since 1970.
pub fn decide(
    listed: impl Iterator<Item = Option<u64>>,
    known: &[Known],
    policy: Policy,
    first: bool,
    now: i64,
) -> Vec<Decision> {
    let latest = policy.latest.filter(|_| first).unwrap_or(u64::MAX);
    let newest_from = (known.len() as u64).saturating_sub(latest);
    let decide_one = |((octets, known), place): ((Option<u64>, &Known), u64)| match *known {
        Known::New(_) if place < newest_from => Decision::Mark,
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
        Known::Doubtful => Decision::Fetch(Why::Doubtful),
        Known::Marked => Decision::Seen,
        Known::Stored { since, deletions } => match policy.keep {
            Keep::Never if deletions >= DELETIONS => Decision::Skip(Reason::Undeletable),
            Keep::Never => Decision::Delete,
            Keep::For(period) if is_over(since, period, now) && deletions < DELETIONS => {
                Decision::Delete
            }
            Keep::Always | Keep::For(_) => Decision::Seen,
        },
    };
    listed.zip(known).zip(0..).map(decide_one).collect()
}

/// Whether a message may be deleted in the session that has fetched it.
pub fn deletes_at_once(policy: Policy) -> bool {
    policy.keep == Keep::Never
}

/// The places of the messages to fetch, in the order to fetch them: those that failed before come
/// last, so that they cannot keep the others from arriving.
pub fn fetch_order(decisions: &[Decision], order: Order) -> Vec<usize> {
    let places = |wanted: fn(Why) -> bool| {
        let fits = move |(_, decision): &(usize, &Decision)| match decision {
            Decision::Fetch(why) => wanted(*why),
            _ => false,
        };
        let places = decisions.iter().enumerate().filter(fits);
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
        decide([Some(1000)].into_iter(), &[known], policy, false, NOW)[0]
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
            deletions: 0,
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
    fn d31_a_message_from_the_future_is_not_deleted() {
        let for_a_second = keep(Keep::For(Duration::from_secs(1)));
        assert_eq!(one(stored(-3000), for_a_second), Decision::Seen);
    }

    #[test]
    fn f27_a_server_that_does_not_delete_is_asked_five_times_and_no_more() {
        let known = |deletions| Known::Stored {
            since: NOW,
            deletions,
        };
        assert_eq!(one(known(4), keep(Keep::Never)), Decision::Delete);
        let undeletable = Decision::Skip(Reason::Undeletable);
        assert_eq!(one(known(5), keep(Keep::Never)), undeletable);
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
        let known = [Known::New(None); 5];
        let listed = [Some(1); 5];
        let first = decide(listed.into_iter(), &known, policy, true, NOW);
        let (mark, fetch) = (Decision::Mark, Decision::Fetch(Why::New));
        assert_eq!(first, [mark, mark, mark, fetch, fetch]);
        let later = decide(listed.into_iter(), &known, policy, false, NOW);
        assert_eq!(later, [fetch; 5]);
    }

    #[test]
    fn what_failed_before_is_fetched_last_in_either_order() {
        let (new, again) = (Decision::Fetch(Why::New), Decision::Fetch(Why::Again));
        let decisions = [again, new, Decision::Seen, new, again];
        assert_eq!(fetch_order(&decisions, Order::OldestFirst), [1, 3, 0, 4]);
        assert_eq!(fetch_order(&decisions, Order::NewestFirst), [3, 1, 4, 0]);
    }

    fn any_known() -> impl Strategy<Value = Known> {
        prop_oneof![
            Just(Known::New(None)),
            Just(Known::Doubtful),
            Just(Known::Marked),
            (0u32..9, any::<i64>()).prop_map(|(count, last)| {
                Known::New(Some(Failures {
                    kind: FailureKind::Refused,
                    count,
                    last,
                }))
            }),
            (any::<i64>(), any::<u8>())
                .prop_map(|(since, deletions)| Known::Stored { since, deletions }),
        ]
    }

    proptest! {
        #[test]
        fn nothing_is_ever_deleted_that_is_not_stored(
            messages in prop::collection::vec((any_known(), any::<Option<u64>>()), 0..20),
            days in 0u64..30, first: bool, now: i64, latest: Option<u64>, max_size: Option<u64>,
        ) {
            let (known, listed): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
            for keep in [Keep::Always, Keep::Never, Keep::For(Duration::from_secs(days * 86400))] {
                let policy = Policy { keep, latest, max_size, order: Order::OldestFirst };
                let decisions = decide(listed.clone().into_iter(), &known, policy, first, now);
                for (decision, known) in decisions.iter().zip(&known) {
                    if *decision == Decision::Delete {
                        let is_stored = matches!(known, Known::Stored { .. });
                        prop_assert!(is_stored && keep != Keep::Always);
                    }
                }
            }
        }
    }
}
