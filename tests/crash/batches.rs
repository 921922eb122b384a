//! Group commit: how much is committed together, and what goes on meanwhile.

use super::explore::{Explorer, Mode};
use super::image::Taken;
use super::server::{Maildrop, Server};
use popfetch::durable::{Disk, Step, Witness};
use popfetch::exit::Status;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A fetch of that many messages: how many there are in each batch, as their intents were
/// written, and how many syncs it took, those of the messages themselves left out.
pub fn batches(messages: usize) -> (Vec<usize>, usize) {
    let mut explorer = Explorer::new(Mode::Keep, messages);
    explorer.clear();
    let (_, fetch) = explorer.record_run(Maildrop::new(messages));
    let intents = |step: &Taken| match step {
        Taken::Append(_, octets) => intents_in(octets),
        _ => 0,
    };
    let counts = fetch.steps.iter().map(intents);
    let counts = counts.filter(|count| *count > 0).collect();
    let begins = fetch.steps.iter().position(|step| intents(step) > 0);
    let syncs = fetch.steps[begins.unwrap()..].iter().filter(|step| {
        matches!(step, Taken::SyncFile(path) if !path.starts_with("mail"))
            || matches!(step, Taken::SyncDirectory(_))
    });
    (counts, syncs.count())
}

/// Does not let the first batch have its names before many more messages are written to tmp/. They
/// may have begun before it stood still: how far ahead the network is then depends on the disk.
#[derive(Default)]
struct Gate {
    written: AtomicUsize,
    first_batch: AtomicUsize,
    reached: AtomicBool,
    meanwhile: AtomicUsize,
}

impl Witness for Gate {
    fn step(&self, step: &Step<'_>) -> io::Result<()> {
        match step {
            Step::Create(path) if path.parent().is_some_and(|parent| parent.ends_with("tmp")) => {
                self.written.fetch_add(1, Ordering::SeqCst);
            }
            Step::Append(_, octets) if !self.reached.load(Ordering::SeqCst) => {
                self.first_batch
                    .fetch_add(intents_in(octets), Ordering::SeqCst);
            }
            Step::Rename(..) if !self.reached.swap(true, Ordering::SeqCst) => {
                let batch = self.first_batch.load(Ordering::SeqCst);
                let beyond = || self.written.load(Ordering::SeqCst).saturating_sub(batch);
                let deadline = Instant::now() + Duration::from_secs(20);
                while beyond() < 30 && Instant::now() < deadline {
                    thread::sleep(Duration::from_millis(1));
                }
                self.meanwhile.store(beyond(), Ordering::SeqCst);
            }
            _ => {}
        }
        Ok(())
    }
}

fn intents_in(octets: &[u8]) -> usize {
    let lines = octets.split(|octet| *octet == b'\n');
    lines.filter(|line| line.starts_with(b"I\t")).count()
}

/// How many messages beside the first batch were being written before it had a name in new/.
pub fn arrived_meanwhile() -> usize {
    let mut explorer = Explorer::new(Mode::Keep, 600);
    explorer.clear();
    let server = Server(Arc::new(Mutex::new(Maildrop::new(600))));
    let gate = Arc::new(Gate::default());
    let outcome = explorer.run(&server, Disk::watched(gate.clone()));
    assert_eq!(
        (outcome.status(), outcome.fetched),
        (Status::Ok, 600),
        "{outcome:?}"
    );
    assert_eq!(explorer.stored(), server.0.lock().unwrap().expected());
    gate.meanwhile.load(Ordering::SeqCst)
}
