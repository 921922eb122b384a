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
    let insist = Policy {
        insist: true,
        ..policy
    };
    assert_eq!(one(refused(3, 23), insist), Decision::Fetch(Why::Again));
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
