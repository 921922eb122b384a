//! A crash at every step: a fetch is recorded step by step on its way to the disk, and for every
//! step the disk is put into each state that a power cut there could leave it in. From each of
//! them the next run must come to the same end: everything in the Maildir, once.
//!
//! The method is SQLite's and redb's: a live image and a durable one ([`image`]), with what is not
//! synced kept, dropped, cut or zeroed. The server ([`server`]) answers in memory.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub
)]

mod cut;
mod explore;
mod faults;
mod image;
mod nineteen;
#[allow(dead_code)]
#[path = "../support/readme.rs"]
mod readme;
mod server;

use explore::{Explorer, Mode};
use faults::{Fault, fail_at_every_step};

#[test]
fn c1_to_c15_a_power_cut_at_any_step_of_a_fetch_loses_and_doubles_nothing() {
    for mode in [Mode::Keep, Mode::Delete] {
        let mut explorer = Explorer::new(mode, 10);
        explorer.explore_fetch();
        assert!(explorer.states > 2_000, "only {} states", explorer.states);
        eprintln!("{mode:?}: {} states", explorer.states);
    }
}

#[test]
fn c19_a_power_cut_at_any_step_of_the_recovery_loses_and_doubles_nothing() {
    for mode in [Mode::Keep, Mode::Delete] {
        let mut explorer = Explorer::new(mode, 3);
        explorer.explore_recovery();
        assert!(explorer.states > 2_000, "only {} states", explorer.states);
        eprintln!("{mode:?}: {} states", explorer.states);
    }
}

#[test]
fn d25_a_disk_that_is_full_from_any_step_on_loses_nothing_on_either_side() {
    for mode in [Mode::Keep, Mode::Delete] {
        assert!(fail_at_every_step(mode, Fault::Full) > 30);
    }
}

#[test]
fn d26_a_step_that_fails_once_or_syncs_that_fail_from_there_on_lose_nothing_on_either_side() {
    for mode in [Mode::Keep, Mode::Delete] {
        assert!(fail_at_every_step(mode, Fault::Once) > 30);
        assert!(fail_at_every_step(mode, Fault::NoSync) > 30);
    }
}
