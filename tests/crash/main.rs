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

mod account;
mod batches;
mod compaction;
mod custody;
mod cut;
mod damage;
mod explore;
mod faults;
mod image;
mod imap;
mod intents;
mod moves;
mod nineteen;
mod order;
#[allow(dead_code)]
#[path = "../support/readme.rs"]
mod readme;
mod rebuild;
#[allow(dead_code)]
#[path = "../support/scratch.rs"]
mod scratch;
#[allow(dead_code)]
#[path = "../support/series.rs"]
mod series;
mod server;
mod variants;
mod version_1;
mod years;

use compaction::Rewriting;
use custody::Past;
use explore::{Explorer, Mode};
use faults::{Fault, fail_at_every_step};
use popfetch::maildir::{FileTime, Filing};
use popfetch::state::Missing;

#[test]
fn d24_c1_to_c15_c18_a_power_cut_at_any_step_of_a_fetch_loses_and_doubles_nothing() {
    for mode in [Mode::Keep, Mode::Delete] {
        let mut explorer = Explorer::new(mode, 10);
        explorer.explore_fetch();
        assert!(explorer.states > 2_000, "only {} states", explorer.states);
        eprintln!("fetch, {mode:?}: {} states", explorer.states);
    }
}

#[test]
fn d24_c1_to_c15_c18_a_kill_at_any_step_of_a_fetch_loses_and_doubles_nothing() {
    for mode in [Mode::Keep, Mode::Delete] {
        let mut explorer = Explorer::new(mode, 10);
        explorer.same_boot = true;
        explorer.explore_fetch();
        assert!(explorer.states > 50, "only {} states", explorer.states);
        eprintln!("{mode:?}: {} kills", explorer.states);
    }
}

#[test]
fn d24_c1_to_c15_c19_a_crash_at_any_step_of_a_fetch_into_folders_or_of_its_recovery_loses_and_doubles_nothing()
 {
    for (mode, same_boot) in [
        (Mode::Keep, false),
        (Mode::Delete, false),
        (Mode::Keep, true),
    ] {
        let mut explorer = Explorer::new(mode, 6);
        (explorer.sorts, explorer.same_boot) = (true, same_boot);
        explorer.explore_fetch();
        let least = if same_boot { 50 } else { 1_000 };
        assert!(explorer.states > least, "only {} states", explorer.states);
        eprintln!("folders, {mode:?}, {same_boot}: {} states", explorer.states);
    }
    let mut explorer = Explorer::new(Mode::Delete, 3);
    explorer.sorts = true;
    explorer.explore_recovery();
    assert!(explorer.states > 2_000, "only {} states", explorer.states);
}

#[test]
fn d24_c1_to_c15_c19_a_crash_where_files_have_a_mode_a_time_and_a_size_in_their_names_loses_and_doubles_nothing()
 {
    let filing = || Filing {
        mode: "0640".parse().ok(),
        group: None,
        time: FileTime::Date,
        sized: true,
        flagged: true,
    };
    for (same_boot, sorts) in [(false, true), (true, false)] {
        let mut explorer = Explorer::new(Mode::Delete, 4);
        (explorer.sorts, explorer.same_boot) = (sorts, same_boot);
        explorer.filing = filing();
        explorer.explore_fetch();
        let least = if same_boot { 40 } else { 1_000 };
        assert!(explorer.states > least, "only {} states", explorer.states);
        eprintln!("filed, {same_boot}: {} states", explorer.states);
    }
    let mut explorer = Explorer::new(Mode::Delete, 2);
    explorer.filing = filing();
    explorer.explore_recovery();
    assert!(explorer.states > 1_000, "only {} states", explorer.states);
    eprintln!("filed, recovery: {} states", explorer.states);
}

#[test]
fn d24_c19_a_power_cut_at_any_step_of_the_recovery_loses_and_doubles_nothing() {
    for mode in [Mode::Keep, Mode::Delete] {
        let mut explorer = Explorer::new(mode, 3);
        explorer.explore_recovery();
        assert!(explorer.states > 2_000, "only {} states", explorer.states);
        eprintln!("recovery, {mode:?}: {} states", explorer.states);
    }
}

#[test]
fn d16_d24_c16_c17_a_power_cut_at_any_step_of_a_compaction_loses_nothing_that_was_known() {
    let states = compaction::explore(Rewriting::Compaction);
    assert!(states > 1_000, "only {states} states");
    eprintln!("compaction: {states} states");
}

#[test]
fn d24_c20_a_power_cut_at_any_step_of_a_rebuilding_loses_nothing_that_the_good_lines_say() {
    let states = compaction::explore(Rewriting::Rebuilding);
    assert!(states > 1_000, "only {states} states");
    eprintln!("rebuilding: {states} states");
}

#[test]
fn d24_c20_a_power_cut_at_any_step_of_a_rebuilding_loses_nothing_and_downloads_nothing_again() {
    for mode in [Mode::Keep, Mode::Delete] {
        for damage in rebuild::ALL {
            let states = rebuild::explore_rebuilding(mode, damage);
            assert!(states > 100, "only {states} states");
            eprintln!("{mode:?}, {damage:?}: {states} states");
        }
    }
}

#[test]
fn d24_c20_a_crash_at_any_step_of_a_fetch_with_damage_to_the_journal_on_top_loses_and_doubles_nothing()
 {
    for mode in [Mode::Keep, Mode::Delete] {
        let states = rebuild::explore_crash_and_damage(mode);
        assert!(states > 500, "only {states} states");
        eprintln!("a crash and damage, {mode:?}: {states} states");
    }
}

#[test]
fn a1_a_crash_at_any_step_of_a_later_fetch_loses_and_doubles_nothing() {
    explore_custody(Past::SecondFetch);
}

#[test]
fn a1_a_crash_at_any_step_of_the_run_after_a_maildir_was_restored_loses_and_doubles_nothing() {
    explore_custody(Past::Restored);
}

#[test]
fn c6_a_crash_at_any_step_of_the_run_after_a_state_was_restored_loses_and_doubles_nothing() {
    explore_custody(Past::RestoredState);
}

#[test]
fn c1_a_crash_at_any_step_of_the_first_run_over_the_first_version_loses_and_doubles_nothing() {
    for left in version_1::ALL {
        explore_custody(Past::FirstVersion(left));
    }
}

fn explore_custody(past: Past) {
    for mode in [Mode::Keep, Mode::Delete] {
        let states = custody::explore(past, mode);
        assert!(states > 300, "only {states} states");
        eprintln!("{past:?}, {mode:?}: {states} states");
    }
}

#[test]
fn a1_c1_a_disk_that_fails_where_journal_and_maildir_come_to_agree_loses_nothing() {
    let mut runs = 0;
    for fault in faults::ALL {
        let adopted = version_1::ALL.map(Past::FirstVersion);
        for past in [Past::Restored, Past::RestoredState]
            .into_iter()
            .chain(adopted)
        {
            runs += custody::fail_at_every_step(past, fault);
        }
    }
    assert!(runs > 1_000, "only {runs} runs");
    eprintln!("{runs} runs with a disk that fails where journal and Maildir disagree");
}

#[test]
fn c3_a_crash_at_any_step_of_a_move_loses_nothing_of_either_state_and_moving_again_completes_it() {
    for mode in [Mode::Keep, Mode::Delete] {
        for has_own in [false, true] {
            let states = moves::explore_move(mode, has_own);
            assert!(states > 20, "only {states} states");
            eprintln!("state move, {mode:?}, {has_own}: {states} states");
        }
    }
}

#[test]
fn a2_a_crash_at_any_step_of_accepting_a_maildir_loses_nothing_and_accepting_again_completes_it() {
    for mode in [Mode::Keep, Mode::Delete] {
        for missing in [Missing::FetchAgain, Missing::Leave] {
            let states = moves::explore_accept(mode, missing);
            assert!(states > 20, "only {states} states");
            eprintln!("state accept, {mode:?}, {missing:?}: {states} states");
        }
    }
}

#[test]
fn e9_after_a_failed_sync_of_new_nothing_is_lost_or_doubled_whenever_the_power_goes() {
    for mode in [Mode::Keep, Mode::Delete] {
        let states = faults::explore_failed_sync(mode);
        assert!(states > 500, "only {states} states");
        eprintln!("a failed sync, {mode:?}: {states} states");
    }
}

#[test]
fn d3_an_intent_without_a_record_is_settled_by_where_its_file_is() {
    use intents::Outcome::{Fetched, Stored};
    use intents::Place;
    for same_boot in [true, false] {
        for (place, outcome) in [
            (Place::Tmp, Stored("new")),
            (Place::TmpCutShort, Fetched),
            (Place::TmpOverwritten, Fetched),
            (Place::New, Stored("new")),
            (Place::Cur, Stored("cur")),
            (Place::TmpAndNew, Stored("new")),
            (Place::TmpAndCur, Stored("cur")),
            (Place::Nowhere, Fetched),
        ] {
            intents::recover(place, same_boot, false, outcome);
            // One with flags belongs into cur/.
            let outcome = match place {
                Place::Tmp => Stored("cur"),
                _ => outcome,
            };
            intents::recover(place, same_boot, true, outcome);
        }
    }
}

#[test]
fn d6_a_batch_has_at_most_128_messages_and_costs_two_or_three_syncs_beside_theirs() {
    let (batches, syncs) = batches::batches(300);
    assert_eq!(batches.iter().sum::<usize>(), 300, "{batches:?}");
    assert!(
        batches.iter().all(|messages| *messages <= 128),
        "{batches:?}"
    );
    assert!(
        batches.len() < 300,
        "nothing is committed together: {batches:?}"
    );
    // One of the journal and one of new/. What was recorded last is synced when nothing more has
    // come by then, and at the end.
    assert!(
        syncs <= 3 * batches.len() + 2,
        "{syncs} syncs for {batches:?}"
    );
    eprintln!("300 messages in batches of {batches:?}, {syncs} syncs beside those of the messages");
}

#[test]
fn d19_the_next_messages_arrive_while_a_batch_is_committed() {
    assert!(batches::arrived_meanwhile() >= 30);
}

#[test]
fn e6_lines_that_are_not_where_they_were_written_are_found_out_and_lose_and_double_nothing() {
    let journals = order::disorder_every_line();
    assert!(journals > 200, "only {journals} journals");
    eprintln!("{journals} journals in disorder");
}

#[test]
fn d32_a_journal_that_is_cut_or_changed_at_any_octet_is_found_out_and_made_again() {
    let damaged = damage::damage_every_octet();
    assert!(damaged > 1_000, "only {damaged} damaged journals");
    eprintln!("{damaged} damaged journals");
}

#[test]
fn d25_a_disk_that_is_full_from_any_step_on_loses_nothing_on_either_side() {
    for mode in [Mode::Keep, Mode::Delete] {
        assert!(fail_at_every_step(mode, Fault::Full) > 30);
    }
}

#[test]
fn d25_an_append_that_fails_halfway_is_cut_off_again_or_the_file_given_up() {
    for mode in [Mode::Keep, Mode::Delete] {
        assert!(fail_at_every_step(mode, Fault::Short) > 30);
        assert!(fail_at_every_step(mode, Fault::ShortForGood) > 30);
    }
}

#[test]
fn d26_a_step_that_fails_once_or_syncs_that_fail_from_there_on_lose_nothing_on_either_side() {
    for mode in [Mode::Keep, Mode::Delete] {
        assert!(fail_at_every_step(mode, Fault::Once) > 30);
        assert!(fail_at_every_step(mode, Fault::NoSync) > 30);
    }
}

#[test]
fn d25_d26_a_disk_that_fails_at_any_step_of_a_compaction_or_rebuilding_loses_nothing() {
    let mut runs = 0;
    for fault in faults::ALL {
        runs += compaction::fail_at_every_step(fault);
        for damage in rebuild::ALL {
            runs += rebuild::fail_at_every_step(damage, fault);
        }
    }
    assert!(runs > 300, "only {runs} runs");
    eprintln!("{runs} compactions and rebuildings with a disk that fails");
}
