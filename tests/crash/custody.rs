//! A crash at every step of runs in which the journal and the Maildir's own file must come to agree
//! (E13): a later fetch, a Maildir that is restored from a backup, and one of the first version.

use super::account::{generation, messages, try_open};
use super::explore::{Explorer, Mode, assert_same};
use super::faults::{Failing, Fault};
use super::image::{Image, Octets};
use super::server::{Maildrop, Server, is_bare};
use super::version_1::{self, Left};
use popfetch::durable::Disk;
use popfetch::exit::Status;
use popfetch::state::Opened;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

const MESSAGES: usize = 5;

/// Before the run at hand these are stored; the others are new in it.
const STORED: [usize; 3] = [0, 1, 2];

fn fetch(explorer: &mut Explorer, unlisted: &BTreeSet<usize>, fetched: usize) {
    let outcome = explorer.run(&server(unlisted), Disk::new());
    assert_eq!(outcome.status(), Status::Ok, "{outcome:?}");
    assert_eq!(outcome.fetched, fetched as u64, "{outcome:?}");
}

fn server(deleted: &BTreeSet<usize>) -> Server {
    let mut maildrop = Maildrop::new(MESSAGES);
    maildrop.deleted.clone_from(deleted);
    Server(Arc::new(Mutex::new(maildrop)))
}

/// Everything comes home, of what is stored nothing is delivered again, and in the end the
/// journal and the Maildir agree: there is nothing to tell of them.
fn go_on(explorer: &mut Explorer, deleted: &BTreeSet<usize>, due: &[usize], what: &str) {
    let server = server(deleted);
    let expected = server.0.lock().unwrap().expected();
    let outcome = explorer.run(&server, Disk::new());
    assert_eq!(outcome.status(), Status::Ok, "{what}: {outcome:?}");
    let retrieved = server.0.lock().unwrap().retrieved.clone();
    // What has nothing in its header to go by is looked at whole before it is deleted.
    let may = |message: &usize| {
        due.contains(message) || (explorer.mode == Mode::Delete && is_bare(*message))
    };
    assert!(retrieved.iter().all(may), "{what}: {retrieved:?}");
    assert_same(&explorer.stored(), &expected, what);
    explorer.finish(&server, what);
    let now = explorer.now;
    let (_, _, opened) = try_open(explorer, &Disk::new(), now).unwrap();
    assert_eq!(opened, Opened::default(), "{what}");
    let unsettled = messages(explorer).iter().any(|it| !it.settled);
    assert!(!unsettled, "{what}");
}

/// What stands before a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Past {
    SecondFetch,
    Restored,
    RestoredState,
    FirstVersion(Left),
}

/// What is stored before the run stands there, and the messages that it may fetch.
fn make(past: Past, mode: Mode) -> (Explorer, &'static [usize]) {
    if let Past::FirstVersion(left) = past {
        let mut explorer = Explorer::new(mode, MESSAGES);
        explorer.clear();
        version_1::make(&explorer, &server(&BTreeSet::new()), &STORED, left);
        explorer.now += 1;
        return match left {
            Left::Nothing | Left::InNew => (explorer, &[3, 4]),
            // On its way from tmp/ to new/ a power cut may take it from both.
            Left::InTmp | Left::Nowhere => (explorer, &[2, 3, 4]),
        };
    }
    let mut explorer = Explorer::new(Mode::Keep, MESSAGES);
    explorer.clear();
    fetch(&mut explorer, &BTreeSet::from([3, 4]), STORED.len());
    assert_eq!(generation(&explorer), Some(2));
    let backup = Image::read(&explorer.root());
    let below = |directory: &'static str| move |path: &Path| path.starts_with(directory);
    let due: &[usize] = match past {
        // A backup from before a fetch takes the place of what that has left.
        Past::Restored => {
            fetch(&mut explorer, &BTreeSet::new(), 2);
            restore(&explorer, &backup, below("mail"));
            assert_eq!(explorer.stored().len(), STORED.len());
            &[3, 4]
        }
        Past::RestoredState => {
            fetch(&mut explorer, &BTreeSet::from([4]), 1);
            restore(&explorer, &backup, below("state"));
            &[4]
        }
        Past::SecondFetch | Past::FirstVersion(_) => &[3, 4],
    };
    explorer.mode = mode;
    (explorer, due)
}

fn restore(explorer: &Explorer, backup: &Image, of: impl Fn(&Path) -> bool) {
    let now = Image::read(&explorer.root());
    let mixed = now.with(backup, of);
    mixed.write(&explorer.root(), |_| true, Octets::Kept);
}

/// A crash at every step of a run that begins so. Gives the number of states.
pub fn explore(past: Past, mode: Mode) -> u64 {
    let (mut explorer, due) = make(past, mode);
    // Before the first delivery and after the last; and where the two did not agree, or there was
    // none, before that.
    let rosters = match past {
        Past::SecondFetch | Past::RestoredState => 2,
        Past::Restored | Past::FirstVersion(_) => 3,
    };
    explorer.explore_run(
        Maildrop::new(MESSAGES),
        rosters,
        |explorer, deleted, what| {
            go_on(
                explorer,
                deleted,
                due,
                &format!("{past:?}, {mode:?}, {what}"),
            );
        },
    );
    explorer.states
}

/// A disk that fails at any step of such a run. Gives the number of runs.
pub fn fail_at_every_step(past: Past, fault: Fault) -> usize {
    let (mut explorer, due) = make(past, Mode::Delete);
    explorer.same_boot = true;
    let before = Image::read(&explorer.root());
    for at in 0.. {
        before.write(&explorer.root(), |_| true, Octets::Kept);
        let failing = Failing::at(fault, at);
        let what = format!("{past:?} with {fault:?} at step {at}");
        let server = server(&BTreeSet::new());
        let outcome = explorer.run(&server, Disk::watched(failing.clone()));
        let deleted = server.0.lock().unwrap().deleted.clone();
        let stored = explorer.stored();
        for gone in &deleted {
            let body = server.0.lock().unwrap().stored(*gone);
            assert!(stored.contains(&body), "message {gone} was deleted: {what}");
        }
        if !failing.is_reached() {
            assert_eq!(outcome.status(), Status::Ok, "{what}: {outcome:?}");
            return at;
        }
        go_on(&mut explorer, &deleted, due, &what);
    }
    0
}
