//! A disk that fails at a step, once or from there on: what is not stored stays on the server, no
//! run says that all is well, and the next one with a good disk comes to the right end.

use super::explore::{Explorer, Mode, Recorder};
use super::image::Taken;
use super::server::{Maildrop, Server};
use popfetch::durable::{Disk, Step, Witness};
use popfetch::exit::Status;
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// How a disk fails.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It is full from the step on: nothing can be created or grow.
    Full,
    /// The same, but half of what is to be appended at that step still finds room.
    Short,
    /// Likewise, and what was written of it cannot be cut off again.
    ShortForGood,
    /// One step fails.
    Once,
    /// Every sync from the step on fails.
    NoSync,
}

pub const ALL: [Fault; 5] = [
    Fault::Full,
    Fault::Short,
    Fault::ShortForGood,
    Fault::Once,
    Fault::NoSync,
];

/// A disk that fails at a step.
pub struct Failing {
    fault: Fault,
    at: usize,
    taken: AtomicUsize,
}

impl Failing {
    pub fn at(fault: Fault, at: usize) -> Arc<Self> {
        let taken = AtomicUsize::new(0);
        Arc::new(Self { fault, at, taken })
    }

    /// Whether so many steps were taken that it failed.
    pub fn is_reached(&self) -> bool {
        self.taken.load(Ordering::SeqCst) > self.at
    }
}

impl Witness for Failing {
    fn step(&self, step: &Step<'_>) -> io::Result<()> {
        let now = self.taken.fetch_add(1, Ordering::SeqCst);
        let grows = matches!(
            step,
            Step::Append(..) | Step::Create(..) | Step::CreateDirectory(..)
        );
        let fails = match (self.fault, step) {
            (Fault::Once, _) => now == self.at,
            (Fault::ShortForGood, Step::Truncate(..)) => now >= self.at,
            (Fault::Full | Fault::Short | Fault::ShortForGood, _) => grows && now >= self.at,
            (Fault::NoSync, Step::SyncFile(..) | Step::SyncDirectory(..)) => now >= self.at,
            (Fault::NoSync, _) => false,
        };
        if let (Fault::Short | Fault::ShortForGood, Step::Append(path, octets)) = (self.fault, step)
            && now == self.at
        {
            let mut file = OpenOptions::new().append(true).open(path)?;
            file.write_all(&octets[..octets.len() / 2])?;
        }
        match (fails, self.fault) {
            (false, _) => Ok(()),
            (true, Fault::Once | Fault::NoSync) => Err(Errno::IO.into()),
            (true, _) => Err(Errno::NOSPC.into()),
        }
    }
}

/// Lets the disk fail at every step of a fetch in turn. Gives the number of runs.
pub fn fail_at_every_step(mode: Mode, fault: Fault) -> usize {
    let mut explorer = Explorer::new(mode, 6);
    explorer.same_boot = true;
    for at in 0.. {
        explorer.clear();
        let server = Server(Arc::new(Mutex::new(Maildrop::new(6))));
        let failing = Failing::at(fault, at);
        let outcome = explorer.run(&server, Disk::watched(failing.clone()));
        let what = format!("{fault:?} at step {at}: {outcome:?}");
        let stored = explorer.stored();
        let deleted: BTreeSet<usize> = server.0.lock().unwrap().deleted.clone();
        if !failing.is_reached() {
            assert_eq!(outcome.status(), Status::Ok, "{what}");
            return at;
        }
        let local = [Status::Io, Status::CannotCreate];
        // A step after QUIT, or one whose failure costs nothing, may leave the fetch all right.
        if outcome.status() == Status::Ok {
            assert_eq!(outcome.fetched, 6, "{what}");
        } else {
            assert!(local.contains(&outcome.status()), "{what}");
        }
        for gone in deleted {
            let body = server.0.lock().unwrap().stored(gone);
            assert!(stored.contains(&body), "message {gone} was deleted: {what}");
        }
        explorer.finish(&server, &what);
    }
    0
}

/// Writes down what is done, and fails the first sync of new/.
struct FailingNew {
    recorder: Arc<Recorder>,
    failed: AtomicUsize,
}

impl Witness for FailingNew {
    fn step(&self, step: &Step<'_>) -> io::Result<()> {
        if matches!(step, Step::SyncDirectory(path) if path.ends_with("new"))
            && self.failed.fetch_add(1, Ordering::SeqCst) == 0
        {
            return Err(Errno::IO.into());
        }
        self.recorder.step(step)
    }
}

/// The names in new/ could not be made durable: they are taken away. Their intents stay for the
/// next run, for a power cut may bring the names back. It comes at each step of that. Gives the
/// number of states.
pub fn explore_failed_sync(mode: Mode) -> u64 {
    let mut explorer = Explorer::new(mode, 2);
    explorer.clear();
    let server = Server(Arc::new(Mutex::new(Maildrop::new(2))));
    let (before, run) = explorer.record(|explorer, recorder| {
        let disk = Disk::watched(Arc::new(FailingNew {
            recorder: Arc::clone(recorder),
            failed: AtomicUsize::new(0),
        }));
        let outcome = explorer.run(&server, disk);
        assert_eq!(
            (outcome.status(), outcome.fetched),
            (Status::Io, 0),
            "{outcome:?}"
        );
    });
    let withdrawn = |step: &Taken| match step {
        Taken::Append(_, octets) => octets.starts_with(b"X\t"),
        _ => false,
    };
    let removed =
        |step: &Taken| matches!(step, Taken::Remove(path) if path.starts_with("mail/new"));
    assert!(run.steps.iter().any(removed));
    assert!(!run.steps.iter().any(withdrawn));
    let none = BTreeSet::new();
    assert_eq!(server.0.lock().unwrap().deleted, none);
    explorer.replay(&before, &run, &none, |explorer, _, what| {
        let server = Server(Arc::new(Mutex::new(Maildrop::new(2))));
        explorer.finish(&server, &format!("{mode:?}, {what}"));
    });
    explorer.states
}
