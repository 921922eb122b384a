//! Proves, with a client of a few lines, that the support does what the other tests rely on.

/// Messages, and what a Maildir must hold of them.
mod mail;
/// The script server, Dovecot, the keyring, and the home that the binary runs in.
mod peers;
/// The embedded server, well behaved and not.
mod server;

use crate::support::series::{drawn, is_whole, mixed};
use crate::support::skip::{Lack, is_root, may_skip};

#[test]
fn a_skip_under_ci_is_excused_by_the_list_alone_and_to_root_not_at_all() {
    let listed = "trouble::disk::t7_d25_a_full_disk_loses_nothing_and_leaves_no_junk";
    assert_eq!(may_skip(Lack::Root, listed), !is_root());
    let samples = "samples::all_samples_arrive_octet_for_octet_from_dovecot_and_only_once";
    assert!(may_skip(Lack::Samples, samples));
    for (lack, test) in [
        (Lack::Samples, listed),
        (Lack::Tool, listed),
        (Lack::Root, samples),
        (Lack::Root, "trouble::disk::t7"),
        (Lack::Samples, "samples"),
        (Lack::Tool, ""),
    ] {
        assert!(!may_skip(lack, test), "{lack:?} {test}");
    }
}

#[test]
fn a_sample_of_a_series_has_both_of_its_ends_and_is_drawn_alike_once_more() {
    let sample = drawn(1000, 40);
    assert_eq!(sample.len(), if is_whole() { 1000 } else { 40 });
    assert!(sample.is_sorted_by(|a, b| a < b));
    assert!(sample.starts_with(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    assert!(sample.ends_with(&[990, 991, 992, 993, 994, 995, 996, 997, 998, 999]));
    assert_eq!(sample, drawn(1000, 40));
    assert_eq!(drawn(7, 40), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn in_a_sample_of_combinations_each_choice_has_its_turn_and_a_few_are_all_tried() {
    let sample = mixed([5, 2, 3], 12);
    assert_eq!(sample.len(), if is_whole() { 30 } else { 12 });
    for (column, choices) in [5, 2, 3].into_iter().enumerate() {
        for choice in 0..choices {
            let turns = sample.iter().filter(|row| row[column] == choice).count();
            assert!(turns >= 12 / choices, "{choice} in {column}: {sample:?}");
        }
    }
    assert_eq!(sample, mixed([5, 2, 3], 12));
    let all: std::collections::BTreeSet<_> = mixed([2, 3], 6).into_iter().collect();
    assert_eq!(all.len(), 6);
}
