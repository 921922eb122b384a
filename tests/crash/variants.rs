//! The states in which a power cut can leave names and octets that were not synced.

use super::image::{Image, Octets, mix};
use std::collections::BTreeSet;

/// With so many names at most, every selection of them is tried.
const ALL_SELECTIONS: usize = 4;

/// With so many states at most, each selection of names is tried with each fate of the octets;
/// with more, each with some of them.
const ALL_PAIRS: usize = 100;

const FATES: [Octets; 6] = [
    Octets::Kept,
    Octets::Dropped,
    Octets::Halved,
    Octets::Zeroed,
    Octets::Mixed(1),
    Octets::Mixed(2),
];

/// Which of the names that are not synced survive, and what becomes of octets that are not. A
/// rename is two changes, so one of its names may survive, or both, or none. `seed` makes that
/// neighbouring steps do not try the same part of what is too much.
pub fn variants(image: &Image, seed: usize) -> Vec<(BTreeSet<usize>, Octets)> {
    let names = selections(image.unsynced_names());
    let fates = match image.has_unsynced_octets() {
        true => &FATES[..],
        false => &FATES[..1],
    };
    let each = match names.len() * fates.len() <= ALL_PAIRS {
        true => fates.len(),
        false => 2,
    };
    let mut variants = Vec::new();
    for (place, names) in names.into_iter().enumerate() {
        let some = (0..each).map(|n| fates[(seed + place * each + n) % fates.len()]);
        variants.extend(some.map(|octets| (names.clone(), octets)));
    }
    variants
}

/// Of `count` changes in the order they were made: all selections of a few; else the first ones,
/// each one alone, all but each one, and some of the many mixtures.
fn selections(count: usize) -> Vec<BTreeSet<usize>> {
    if count <= ALL_SELECTIONS {
        let chosen = |bits: usize| (0..count).filter(move |place| bits >> place & 1 == 1);
        return (0..1 << count).map(|bits| chosen(bits).collect()).collect();
    }
    let all = || 0..count;
    let mut selections: Vec<BTreeSet<usize>> = vec![all().collect()];
    for place in all() {
        selections.push((0..place).collect());
        selections.push(BTreeSet::from([place]));
        selections.push(all().filter(|other| *other != place).collect());
    }
    for seed in 1..9 {
        selections.push(all().filter(|place| mix(seed, *place) & 1 == 1).collect());
    }
    selections.sort();
    selections.dedup();
    selections
}

#[test]
fn every_kind_of_loss_is_among_the_selections() {
    for count in 0..30 {
        let selections = selections(count);
        let has = |wanted: BTreeSet<usize>| assert!(selections.contains(&wanted), "{wanted:?}");
        has(BTreeSet::new());
        has((0..count).collect());
        for place in 0..count {
            has((0..place).collect());
            has(BTreeSet::from([place]));
            has((0..count).filter(|other| *other != place).collect());
        }
    }
    assert_eq!(selections(4).len(), 16);
}
