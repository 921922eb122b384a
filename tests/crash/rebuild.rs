//! A crash at every step of a run that makes a damaged or lost journal again from its good lines
//! and the Maildir: what is there is known again, and nothing of it is delivered anew.

use super::explore::{Explorer, Mode, assert_same};
use super::faults::{Failing, Fault};
use super::image::{Image, Octets};
use super::server::{Maildrop, Server, is_bare};
use popfetch::durable::Disk;
use popfetch::exit::Status;
use popfetch::maildir::ROSTER;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Three that are stored, and one that is new in the run that finds the damage.
const MESSAGES: usize = 4;
const NEW: usize = 3;

/// What has befallen the journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Damage {
    /// A flipped bit in its middle.
    Line,
    /// A flipped bit in its first line.
    Header,
    /// Its last lines are missing.
    End,
    /// There is nothing in it.
    Empty,
    /// It is gone, and the lock with it.
    Lost,
}

pub const ALL: [Damage; 5] = [
    Damage::Line,
    Damage::Header,
    Damage::End,
    Damage::Empty,
    Damage::Lost,
];

/// Gives the number of states.
pub fn explore_rebuilding(mode: Mode, damage: Damage) -> u64 {
    let mut explorer = fetched(mode);
    let damaged = damage.strike(&explorer);
    let (before, rebuilding) = explorer.record_run(Maildrop::new(MESSAGES));
    assert!(is_kept(&explorer, &damaged));
    explorer.replay(
        &before,
        &rebuilding,
        &BTreeSet::new(),
        |explorer, deleted, what| {
            let what = format!("{damage:?}, {mode:?}, {what}");
            go_on(explorer, deleted, &what);
            assert!(
                is_kept(explorer, &damaged),
                "{what}: the damaged file is gone"
            );
        },
    );
    explorer.states
}

/// A crash at any step of a first fetch that moreover damages the journal. Gives the number of
/// states.
pub fn explore_crash_and_damage(mode: Mode) -> u64 {
    let mut explorer = Explorer::new(mode, MESSAGES);
    explorer.clear();
    let (before, fetch) = explorer.record_run(Maildrop::new(MESSAGES));
    explorer.replay(
        &before,
        &fetch,
        &BTreeSet::new(),
        |explorer, deleted, what| {
            let damage = ALL[explorer.states as usize % ALL.len()];
            // Early on there is hardly a journal yet.
            let length = fs::metadata(path(explorer, "journal")).map(|journal| journal.len());
            explorer.lost_id = false;
            if length.is_ok_and(|length| length > 40) && path(explorer, "lock").exists() {
                damage.strike(explorer);
                // Whose files these are the Maildir says, once there is something in its own file.
                let roster = fs::metadata(explorer.root().join("mail").join(ROSTER));
                explorer.lost_id = roster.map_or(0, |roster| roster.len()) == 0;
            }
            explorer.finish(&server(deleted), &format!("{damage:?}, {mode:?}, {what}"));
        },
    );
    explorer.states
}

/// A disk that fails at any step of a run that makes the journal again. Gives the number of runs.
pub fn fail_at_every_step(damage: Damage, fault: Fault) -> usize {
    let mut explorer = fetched(Mode::Delete);
    explorer.same_boot = true;
    let damaged = damage.strike(&explorer);
    let before = Image::read(&explorer.root());
    for at in 0.. {
        before.write(&explorer.root(), |_| true, Octets::Kept);
        let failing = Failing::at(fault, at);
        let what = format!("{damage:?} with {fault:?} at step {at}");
        let server = server(&BTreeSet::new());
        let outcome = explorer.run(&server, Disk::watched(failing.clone()));
        let deleted = server.0.lock().unwrap().deleted.clone();
        for gone in &deleted {
            let body = server.0.lock().unwrap().stored(*gone);
            assert!(
                explorer.stored().contains(&body),
                "message {gone} was deleted: {what}"
            );
        }
        if !failing.is_reached() {
            assert_eq!(outcome.status(), Status::Ok, "{what}: {outcome:?}");
            return at;
        }
        go_on(&mut explorer, &deleted, &what);
        assert!(
            is_kept(&explorer, &damaged),
            "{what}: the damaged file is gone"
        );
    }
    0
}

/// Three messages are stored, one of them seen, and nothing is deleted yet.
pub fn fetched(mode: Mode) -> Explorer {
    let mut explorer = Explorer::new(Mode::Keep, MESSAGES);
    explorer.clear();
    let outcome = explorer.run(&server(&BTreeSet::from([NEW])), Disk::new());
    assert_eq!((outcome.status(), outcome.fetched), (Status::Ok, 3));
    let seen = fs::read_dir(explorer.root().join("mail/new"))
        .unwrap()
        .next();
    let (seen, cur) = (seen.unwrap().unwrap(), explorer.root().join("mail/cur"));
    let name = format!("{}:2,S", seen.file_name().to_str().unwrap());
    fs::rename(seen.path(), cur.join(name)).unwrap();
    explorer.mode = mode;
    explorer
}

/// Only what is new may be fetched, and once it is there not even that. What a journal does not
/// know any more goes by its header; without one that tells anything it is looked at whole, once.
pub fn go_on(explorer: &mut Explorer, deleted: &BTreeSet<usize>, what: &str) {
    let server = server(deleted);
    let expected = server.0.lock().unwrap().expected();
    let outcome = explorer.run(&server, Disk::new());
    assert_eq!(outcome.status(), Status::Ok, "{what}: {outcome:?}");
    let retrieved = std::mem::take(&mut server.0.lock().unwrap().retrieved);
    let due = |message: &usize| *message == NEW || is_bare(*message);
    assert!(retrieved.iter().all(due), "{what}: {retrieved:?}");
    assert!(outcome.fetched <= 1, "{what}: {outcome:?}");
    assert_same(&explorer.stored(), &expected, what);
    explorer.finish(&server, what);
    let again = &server.0.lock().unwrap().retrieved;
    assert!(again.is_empty(), "{what}: {again:?}");
}

fn server(deleted: &BTreeSet<usize>) -> Server {
    let mut maildrop = Maildrop::new(MESSAGES);
    maildrop.deleted.clone_from(deleted);
    Server(Arc::new(Mutex::new(maildrop)))
}

impl Damage {
    /// Damages the journal. Gives what is in it then, which ought to be kept.
    fn strike(self, explorer: &Explorer) -> Vec<u8> {
        let journal = path(explorer, "journal");
        let mut octets = fs::read(&journal).unwrap();
        let middle = octets.len() / 2;
        match self {
            Self::Line => octets[middle] ^= 0x04,
            Self::Header => octets[3] ^= 0x04,
            Self::End => {
                let end = octets[..middle].iter().rposition(|octet| *octet == b'\n');
                octets.truncate(end.map_or(0, |end| end + 1));
            }
            Self::Empty => octets.clear(),
            Self::Lost => {
                octets.clear();
                fs::remove_file(&journal).unwrap();
                fs::remove_file(path(explorer, "lock")).unwrap();
                return octets;
            }
        }
        fs::write(&journal, &octets).unwrap();
        octets
    }
}

pub fn path(explorer: &Explorer, extension: &str) -> PathBuf {
    explorer
        .root()
        .join("state")
        .join(format!("ada@localhost:995.{extension}"))
}

/// Whether a file still holds this, under whatever name; a journal that lacks nothing but its end
/// may have been gone on with.
fn is_kept(explorer: &Explorer, damaged: &[u8]) -> bool {
    let mut files = fs::read_dir(explorer.root().join("state")).unwrap();
    let holds = |file: PathBuf| fs::read(file).unwrap().starts_with(damaged);
    damaged.is_empty() || files.any(|file| holds(file.unwrap().path()))
}
