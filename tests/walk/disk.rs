//! A disk that fails at a step, a run that is killed there, and a power cut.

use super::image::{Image, Octets, Taken};
use popfetch::durable::{Step, Witness};
use rustix::io::Errno;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What befalls a run at a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The step fails, and no other.
    Once,
    /// The disk is full from there on; half of what is to be appended still finds room.
    Full,
    /// Syncs fail from there on.
    NoSync,
    /// Nothing more is done to the disk, as when the process is killed.
    Kill,
    /// Likewise, and what was not synced has this fate.
    PowerCut(Octets, u64),
}

/// Watches a run.
pub struct Failing {
    fault: Fault,
    at: usize,
    root: PathBuf,
    steps: AtomicUsize,
    taken: Mutex<Vec<Taken>>,
}

impl Failing {
    pub fn new(fault: Fault, at: usize, root: &Path) -> Self {
        Self {
            fault,
            at,
            root: root.to_owned(),
            steps: AtomicUsize::new(0),
            taken: Mutex::default(),
        }
    }

    /// Whether the run came to that step.
    pub fn is_reached(&self) -> bool {
        self.steps.load(Ordering::SeqCst) > self.at
    }

    /// Puts the disk, which was like `before`, into the state that a power cut leaves.
    pub fn cut_power(&self, mut image: Image) {
        let Fault::PowerCut(octets, seed) = self.fault else {
            return;
        };
        self.taken
            .lock()
            .unwrap()
            .iter()
            .for_each(|step| image.take(step));
        let keeps = |place: usize| super::random::mix(seed ^ place as u64).is_multiple_of(2);
        image.write(&self.root, keeps, octets);
    }
}

impl Witness for Failing {
    fn step(&self, step: &Step<'_>) -> io::Result<()> {
        // One at a time, so that the steps stand in the order in which they are taken.
        let mut taken = self.taken.lock().unwrap();
        let now = self.steps.fetch_add(1, Ordering::SeqCst);
        let grows = matches!(
            step,
            Step::Append(..) | Step::Create(..) | Step::CreateDirectory(..)
        );
        let syncs = matches!(step, Step::SyncFile(..) | Step::SyncDirectory(..));
        let fails = match self.fault {
            Fault::Once => now == self.at,
            Fault::Full => grows && now >= self.at,
            Fault::NoSync => syncs && now >= self.at,
            Fault::Kill | Fault::PowerCut(..) => now >= self.at,
        };
        if !fails {
            if matches!(self.fault, Fault::PowerCut(..)) {
                taken.push(Taken::new(step, &self.root));
            }
            return Ok(());
        }
        if let (Fault::Full, Step::Append(path, octets)) = (self.fault, step)
            && now == self.at
        {
            let mut file = OpenOptions::new().append(true).open(path)?;
            file.write_all(&octets[..octets.len() / 2])?;
        }
        Err(match self.fault {
            Fault::Full => Errno::NOSPC.into(),
            _ => Errno::IO.into(),
        })
    }
}
