//! What is forgotten and what never is, and clocks that are wrong.

use super::account::{listing, open, remembered};
use super::explore::{Explorer, Mode, NOW};
use super::server::{Maildrop, Server};
use popfetch::durable::Disk;
use popfetch::exit::Status;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

const DAY: i64 = 24 * 60 * 60;

const MESSAGES: usize = 8;

/// Stored messages, of which these are absent from so many listings after that, the last of which is
/// still to come.
fn absent(from: usize, listings: usize) -> (Explorer, Server) {
    let mut explorer = Explorer::new(Mode::Keep, MESSAGES);
    explorer.clear();
    let server = Server(Arc::new(Mutex::new(Maildrop::new(MESSAGES))));
    let outcome = explorer.run(&server, Disk::new());
    assert_eq!(outcome.fetched, MESSAGES as u64);
    server.0.lock().unwrap().deleted = BTreeSet::from_iter(from..MESSAGES);
    // The last one is that of the rewriting.
    for _ in 1..listings {
        let outcome = explorer.run(&server, Disk::new());
        assert_eq!((outcome.status(), outcome.fetched), (Status::Ok, 0));
    }
    (explorer, server)
}

/// How many are remembered when the journal is written afresh so many days later.
fn remembered_after(absent: (Explorer, Server), days: i64) -> usize {
    let (mut explorer, server) = absent;
    // After a gap like this the clock is in doubt for a day (fault E-9).
    drop(open(&mut explorer, &Disk::new(), NOW + (days - 1) * DAY));
    let mut store = open(&mut explorer, &Disk::new(), NOW + days * DAY);
    store.recognise(&listing(&explorer, &server));
    store.note_absences().unwrap();
    store.compact().unwrap();
    remembered(&explorer).len()
}

#[test]
fn d17_a_message_is_forgotten_after_three_listings_without_it_and_a_year_and_not_before() {
    assert_eq!(remembered_after(absent(7, 3), 366), 7);
    assert_eq!(remembered_after(absent(7, 3), 364), 8);
    assert_eq!(remembered_after(absent(7, 2), 3 * 366), 8);
}

#[test]
fn d17_a_listing_that_lacks_more_than_half_does_not_count_and_those_that_agree_with_it_do() {
    for left in [3, 0] {
        assert_eq!(remembered_after(absent(left, 3), 3 * 366), 8);
        assert_eq!(remembered_after(absent(left, 4), 364), 8);
        assert_eq!(remembered_after(absent(left, 4), 366), left);
    }
}

#[test]
fn d31_whatever_the_clock_says_nothing_is_lost_or_doubled_and_nothing_goes_before_its_time() {
    let clocks = [
        -1,
        0,
        NOW,
        NOW - 366 * DAY,
        NOW + 10 * 366 * DAY,
        i64::from(i32::MAX) + 1,
        i64::from(u32::MAX) + 1,
        NOW,
    ];
    let mut explorer = Explorer::new(Mode::DeleteAfter14Days, MESSAGES);
    explorer.clear();
    let server = Server(Arc::new(Mutex::new(Maildrop::new(MESSAGES))));
    for (round, now) in clocks.into_iter().enumerate() {
        // One message more is there each time.
        explorer.now = now;
        let deleted = server.0.lock().unwrap().deleted.clone();
        let unborn = BTreeSet::from_iter(round + 1..MESSAGES);
        server.0.lock().unwrap().deleted.extend(&unborn);
        let outcome = explorer.run(&server, Disk::new());
        assert_eq!(
            (outcome.status(), outcome.fetched),
            (Status::Ok, 1),
            "{now}: {outcome:?}"
        );
        let mut maildrop = server.0.lock().unwrap();
        maildrop.deleted.retain(|message| !unborn.contains(message));
        let due = |message: &usize| clocks[*message] + 14 * DAY <= now;
        let gone = maildrop
            .deleted
            .difference(&deleted)
            .copied()
            .collect::<Vec<_>>();
        assert!(gone.iter().all(due), "{now}: {gone:?}");
        assert_eq!(explorer.stored().len(), round + 1, "{now}");
    }
    assert_eq!(explorer.stored(), server.0.lock().unwrap().expected());
}

/// Messages that are stored while the clock shows this; then the clock is right, and a run comes each
/// day. After how many days they are deleted.
fn days_kept_of_what_came_at(clock: i64) -> Option<i64> {
    let mut explorer = Explorer::new(Mode::DeleteAfter14Days, MESSAGES);
    explorer.clear();
    explorer.now = clock;
    let server = Server(Arc::new(Mutex::new(Maildrop::new(MESSAGES))));
    explorer.run(&server, Disk::new());
    assert_eq!(explorer.stored().len(), MESSAGES);
    (0..30).find(|day| {
        explorer.now = NOW + day * DAY;
        let outcome = explorer.run(&server, Disk::new());
        assert_eq!((outcome.status(), outcome.fetched), (Status::Ok, 0));
        !server.0.lock().unwrap().deleted.is_empty()
    })
}

#[test]
fn e_9_what_came_while_the_clock_was_wrong_is_kept_for_its_days_from_when_it_was_right() {
    for wrong in [-1, 0, 1, 20 * DAY, NOW + 3650 * DAY, NOW + 15 * DAY] {
        assert_eq!(days_kept_of_what_came_at(wrong), Some(14), "{wrong}");
    }
    assert_eq!(days_kept_of_what_came_at(NOW), Some(14));
}

#[test]
fn e_9_a_clock_that_leaps_for_an_hour_has_nothing_forgotten() {
    let (mut explorer, server) = absent(7, 3);
    let mut store = open(&mut explorer, &Disk::new(), NOW + 3650 * DAY);
    store.recognise(&listing(&explorer, &server));
    store.note_absences().unwrap();
    store.compact().unwrap();
    assert_eq!(remembered(&explorer).len(), 8);
}

#[test]
fn d16_what_was_forgotten_on_request_stays_so_in_a_compaction_and_is_fetched_again_once() {
    let (mut explorer, server) = absent(MESSAGES, 0);
    let mut store = open(&mut explorer, &Disk::new(), NOW);
    assert_eq!(
        store
            .forget(|unique_id| unique_id == b"id-4")
            .unwrap()
            .messages,
        1
    );
    store.compact().unwrap();
    // Its file is still here; that is the owner's affair.
    server.0.lock().unwrap().retrieved.clear();
    for _ in 0..2 {
        let outcome = explorer.run(&server, Disk::new());
        assert_eq!(outcome.status(), Status::Ok, "{outcome:?}");
        assert_eq!(server.0.lock().unwrap().retrieved, [4]);
        open(&mut explorer, &Disk::new(), NOW).compact().unwrap();
    }
    assert_eq!(explorer.stored().len(), MESSAGES + 1);
    assert_eq!(remembered(&explorer).len(), MESSAGES);
}
