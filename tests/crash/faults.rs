//! A disk that fails at a step, once or from there on: what is not stored stays on the server, no
//! run says that all is well, and the next one with a good disk comes to the right end.

use super::explore::{Explorer, Mode};
use super::server::{Maildrop, Server};
use popfetch::durable::{Disk, Step, Witness};
use popfetch::exit::Status;
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// How a disk fails.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It is full from the step on: nothing can be created or grow.
    Full,
    /// One step fails.
    Once,
    /// Every sync from the step on fails.
    NoSync,
}

struct Failing {
    fault: Fault,
    at: usize,
    taken: AtomicUsize,
}

impl Witness for Failing {
    fn step(&self, step: &Step<'_>) -> io::Result<()> {
        let now = self.taken.fetch_add(1, Ordering::SeqCst);
        let fails = match (self.fault, step) {
            (Fault::Once, _) => now == self.at,
            (Fault::Full, Step::Append(..) | Step::Create(..) | Step::CreateDirectory(..)) => {
                now >= self.at
            }
            (Fault::NoSync, Step::SyncFile(..) | Step::SyncDirectory(..)) => now >= self.at,
            _ => false,
        };
        match (fails, self.fault) {
            (false, _) => Ok(()),
            (true, Fault::Full) => Err(Errno::NOSPC.into()),
            (true, _) => Err(Errno::IO.into()),
        }
    }
}

/// Lets the disk fail at every step of a fetch in turn. Gives the number of runs.
pub fn fail_at_every_step(mode: Mode, fault: Fault) -> usize {
    let mut explorer = Explorer::new(mode, 6);
    for at in 0.. {
        explorer.clear();
        let server = Server(Arc::new(Mutex::new(Maildrop::new(6))));
        let failing = Arc::new(Failing {
            fault,
            at,
            taken: AtomicUsize::new(0),
        });
        let outcome = explorer.run(&server, Disk::watched(failing.clone()));
        let what = format!("{fault:?} at step {at}: {outcome:?}");
        let stored = explorer.stored();
        let deleted: BTreeSet<usize> = server.0.lock().unwrap().deleted.clone();
        if failing.taken.load(Ordering::SeqCst) <= at {
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
            let body = String::from_utf8(server.0.lock().unwrap().messages[gone].1.clone());
            let body = body.unwrap().replace("\r\n", "\n").into_bytes();
            assert!(stored.contains(&body), "message {gone} was deleted: {what}");
        }
        explorer.finish(&server, &what);
    }
    0
}

impl Explorer {
    /// Begins with an empty disk.
    pub fn clear(&mut self) {
        let _ = fs::remove_dir_all(self.root());
        fs::create_dir_all(self.root()).unwrap();
    }
}
