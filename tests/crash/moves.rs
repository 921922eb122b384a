//! A crash at every step of what a person changes about the state: `state move` and `state accept`.
//! Until it is done nothing is lost by it, and doing it once more completes it.

use super::account::claim;
use super::explore::{Explorer, Mode, assert_same};
use super::server::{Maildrop, Server, is_bare};
use popfetch::durable::{Dir, Disk};
use popfetch::exit::Status;
use popfetch::maildir::{ROSTER, Site};
use popfetch::state::{self, Accepted, Missing};
use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};

const MESSAGES: usize = 5;

const OLD: &str = "localhost";
const NEW: &str = "new.example";

/// What the old account has stored, and what the new one may have.
const OLDER: [usize; 4] = [0, 1, 2, 3];
const NEWER: usize = 4;

/// Whose file is missing where a Maildir is accepted.
const GONE: usize = 2;

fn server(listed: &[usize]) -> Server {
    let mut maildrop = Maildrop::new(MESSAGES);
    maildrop.deleted = (0..MESSAGES).filter(|i| !listed.contains(i)).collect();
    Server(Arc::new(Mutex::new(maildrop)))
}

fn fetch(explorer: &mut Explorer, host: &'static str, listed: &[usize]) {
    explorer.host = host;
    let outcome = explorer.run(&server(listed), Disk::new());
    assert_eq!(outcome.status(), Status::Ok, "{outcome:?}");
    assert_eq!(outcome.fetched, listed.len() as u64, "{outcome:?}");
}

/// What a run retrieves beyond what it must look at whole before it deletes it.
fn retrieved(explorer: &Explorer, server: &Server) -> Vec<usize> {
    let mut retrieved = server.0.lock().unwrap().retrieved.clone();
    retrieved.retain(|message| explorer.mode != Mode::Delete || !is_bare(*message));
    retrieved
}

/// The old account's memory moves to the new one's, which may have one of its own. Gives the number
/// of states.
pub fn explore_move(mode: Mode, has_own: bool) -> u64 {
    let mut explorer = Explorer::new(Mode::Keep, MESSAGES);
    explorer.clear();
    fetch(&mut explorer, OLD, &OLDER);
    if has_own {
        fetch(&mut explorer, NEW, &[NEWER]);
    }
    explorer.mode = mode;
    let (before, moving) = explorer.record(|explorer, recorder| {
        let disk = Disk::watched(recorder.clone());
        assert_eq!(absorb(explorer, &disk).unwrap(), OLDER.len() as u64);
    });
    let none = BTreeSet::new();
    explorer.replay(&before, &moving, &none, |explorer, _, what| {
        let what = format!("{mode:?}, has its own: {has_own}, {what}");
        let (old, new) = (knows(explorer, OLD), knows(explorer, NEW));
        assert!(
            old == OLDER || new.starts_with(&OLDER),
            "{what}: {old:?}, {new:?}"
        );
        // Somebody may go on without doing it once more.
        let is_complete = new.starts_with(&OLDER) && explorer.states.is_multiple_of(2);
        if !is_complete {
            match absorb(explorer, &Disk::new()) {
                Ok(moved) => assert_eq!(moved, OLDER.len() as u64, "{what}"),
                Err(error) => assert!(
                    matches!(error, state::Error::NothingToMove { .. }) && new.starts_with(&OLDER),
                    "{what}: {error:?}"
                ),
            }
        }
        let listed: Vec<usize> = (0..MESSAGES).collect();
        let server = server(&listed);
        explorer.host = NEW;
        let outcome = explorer.run(&server, Disk::new());
        assert_eq!(outcome.status(), Status::Ok, "{what}: {outcome:?}");
        let expected: &[usize] = if has_own { &[] } else { &[NEWER] };
        assert_eq!(retrieved(explorer, &server), expected, "{what}");
        assert_same(
            &explorer.stored(),
            &server.0.lock().unwrap().expected(),
            &what,
        );
        explorer.finish(&server, &what);
        explorer.host = OLD;
    });
    explorer.states
}

fn absorb(explorer: &mut Explorer, disk: &Disk) -> Result<u64, state::Error> {
    let now = explorer.now;
    explorer.host = OLD;
    let old = claim(explorer, disk, now)?;
    explorer.host = NEW;
    claim(explorer, disk, now)?.absorb(old)
}

/// The messages that an account remembers, in order.
fn knows(explorer: &mut Explorer, host: &'static str) -> Vec<usize> {
    explorer.host = host;
    let dir = Dir::open(&Disk::new(), &explorer.root().join("state")).unwrap();
    let inspected = state::inspect(&dir, &explorer.profile().server.id()).unwrap();
    let id = |id: &[u8]| -> usize {
        let id = std::str::from_utf8(id).unwrap();
        id.strip_prefix("id-").unwrap().parse().unwrap()
    };
    let messages = inspected
        .messages()
        .map(Result::unwrap)
        .filter(|it| it.settled);
    let mut known: Vec<usize> = messages.map(|it| id(&it.unique_ids[0])).collect();
    known.sort_unstable();
    known
}

/// A Maildir that has lost its own file and a message is accepted. Gives the number of states.
pub fn explore_accept(mode: Mode, missing: Missing) -> u64 {
    let mut explorer = Explorer::new(Mode::Keep, MESSAGES);
    explorer.clear();
    fetch(&mut explorer, OLD, &OLDER);
    explorer.mode = mode;
    fs::remove_file(explorer.root().join("mail").join(ROSTER)).unwrap();
    remove(&explorer, GONE);
    let listed = server(&OLDER);
    let outcome = explorer.run(&listed, Disk::new());
    assert_eq!(outcome.status(), Status::CannotCreate, "{outcome:?}");
    let undecided = accept(&mut explorer, &Disk::new(), None);
    assert!(matches!(
        undecided,
        Err(state::Error::Undecided { missing: 1, .. })
    ));
    let (before, accepting) = explorer.record(|explorer, recorder| {
        let disk = Disk::watched(recorder.clone());
        let accepted = accept(explorer, &disk, Some(missing)).unwrap();
        assert_eq!((accepted.stored, accepted.missing), (4, 1));
    });
    let none = BTreeSet::new();
    explorer.replay(&before, &accepting, &none, |explorer, _, what| {
        let what = format!("{mode:?}, {missing:?}, {what}");
        let server = server(&OLDER);
        // Somebody may fetch without doing it once more: it is as accepted, or nothing is done.
        if explorer.states.is_multiple_of(2) {
            let outcome = explorer.run(&server, Disk::new());
            let is_accepted = outcome.status() == Status::Ok;
            assert!(
                is_accepted || outcome.status() == Status::CannotCreate,
                "{what}: {outcome:?}"
            );
            assert_nothing_is_lost(explorer, &server, missing, &what);
            if !is_accepted {
                assert!(
                    server.0.lock().unwrap().deleted == BTreeSet::from([NEWER]),
                    "{what}"
                );
            }
        }
        accept(explorer, &Disk::new(), Some(missing)).unwrap();
        let outcome = explorer.run(&server, Disk::new());
        assert_eq!(outcome.status(), Status::Ok, "{what}: {outcome:?}");
        let expected: &[usize] = match missing {
            Missing::FetchAgain => &[GONE],
            Missing::Leave => &[],
        };
        assert_eq!(retrieved(explorer, &server), expected, "{what}");
        assert_nothing_is_lost(explorer, &server, missing, &what);
        let kept = OLDER.len() - usize::from(missing == Missing::Leave);
        assert_eq!(explorer.stored().len(), kept, "{what}");
        if mode == Mode::Delete {
            assert_eq!(server.0.lock().unwrap().deleted.len(), MESSAGES, "{what}");
        }
    });
    explorer.states
}

fn accept(
    explorer: &mut Explorer,
    disk: &Disk,
    missing: Option<Missing>,
) -> Result<Accepted, state::Error> {
    let now = explorer.now;
    let site = Site::look(disk, &explorer.profile().maildir)?;
    claim(explorer, disk, now)?.accept(&site, missing)
}

/// What is deleted from the server is stored, unless its owner has said that it may go.
fn assert_nothing_is_lost(explorer: &Explorer, server: &Server, missing: Missing, what: &str) {
    let maildrop = server.0.lock().unwrap();
    let stored = explorer.stored();
    for deleted in maildrop.deleted.iter().filter(|it| **it != NEWER) {
        let may_go = *deleted == GONE && missing == Missing::Leave;
        let is_stored = stored.contains(&maildrop.stored(*deleted));
        assert!(is_stored || may_go, "{what}: message {deleted} is lost");
    }
}

fn remove(explorer: &Explorer, message: usize) {
    let octets = Maildrop::new(MESSAGES).stored(message);
    let files = fs::read_dir(explorer.root().join("mail/new")).unwrap();
    let mut files = files.map(|file| file.unwrap().path());
    let file = files.find(|file| fs::read(file).unwrap() == octets);
    fs::remove_file(file.unwrap()).unwrap();
}
