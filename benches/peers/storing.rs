//! The storing limit: what keeping mail durable costs, whoever does it. Files are created, written and
//! synced sixteen at once, then renamed, and the directory is synced, for as many at a time as popfetch
//! commits together; side by side with the network, without journal, hash or parse.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use rustix::fs::{Advice, fadvise, syncfs};

/// Those of popfetch (`fetch/commit.rs`, `durable.rs`).
const BATCH: usize = 128;
const BATCH_OCTETS: usize = 8 * 1024 * 1024;
const GATHERING: Duration = Duration::from_millis(200);
const AT_ONCE: usize = 16;

/// With this in the environment, a batch's files are synced by one call for the whole file system.
pub const SYNCFS: &str = "BENCH_SYNCFS";

/// A file in tmp/ that has been written.
struct Written {
    file: File,
    path: PathBuf,
    octets: usize,
}

/// Where a session's messages go.
pub struct Keeper {
    maildir: PathBuf,
    written: SyncSender<Written>,
    next: usize,
    message: Vec<u8>,
}

impl Keeper {
    /// Octets of a message, which may come in pieces.
    pub fn take(&mut self, octets: &[u8]) {
        self.message.extend(octets);
    }

    /// The message is whole.
    pub fn end(&mut self) -> Result<()> {
        let name = format!("{}.P{}.bench", self.next, std::process::id());
        let path = self.maildir.join("tmp").join(name);
        self.next += 1;
        let mut file = File::create_new(&path)?;
        file.write_all(&self.message)?;
        let octets = self.message.len();
        self.message.clear();
        let sent = self.written.send(Written { file, path, octets });
        sent.map_err(|_| anyhow!("nothing is stored any more"))
    }
}

/// Does `work`, and keeps in the Maildir what it hands over.
pub fn beside<T>(maildir: &Path, work: impl FnOnce(&mut Keeper) -> Result<T>) -> Result<T> {
    thread::scope(|scope| {
        let (written, incoming) = sync_channel(BATCH);
        let storing = scope.spawn(move || store(maildir, &incoming));
        let mut keeper = Keeper {
            maildir: maildir.to_owned(),
            written,
            next: 0,
            message: Vec::new(),
        };
        let worked = work(&mut keeper);
        drop(keeper);
        storing.join().map_err(|_| anyhow!("storing panicked"))??;
        worked
    })
}

fn store(maildir: &Path, incoming: &Receiver<Written>) -> Result<()> {
    let new = maildir.join("new");
    let directory = File::open(&new)?;
    let by_file_system = std::env::var_os(SYNCFS).is_some();
    while let Ok(first) = incoming.recv() {
        let batch = gather(first, incoming);
        match by_file_system {
            true => syncfs(&directory)?,
            false => sync(&batch)?,
        }
        for written in batch {
            let name = written.path.file_name().unwrap_or_default();
            fs::rename(&written.path, new.join(name))?;
        }
        directory.sync_all()?;
    }
    Ok(())
}

fn gather(first: Written, incoming: &Receiver<Written>) -> Vec<Written> {
    let until = Instant::now() + GATHERING;
    let mut octets = 0;
    let mut batch = Vec::new();
    let mut next = Some(first);
    while let Some(written) = next {
        // The disk begins with it.
        let _ = fadvise(&written.file, 0, None, Advice::DontNeed);
        octets += written.octets;
        batch.push(written);
        if batch.len() == BATCH || octets >= BATCH_OCTETS {
            break;
        }
        let left = until.saturating_duration_since(Instant::now());
        next = incoming.recv_timeout(left).ok();
    }
    batch
}

fn sync(batch: &[Written]) -> Result<()> {
    let left: Mutex<VecDeque<&File>> = Mutex::new(batch.iter().map(|it| &it.file).collect());
    let work = || -> Result<()> {
        loop {
            let next = left.lock().map_err(|_| anyhow!("poisoned"))?.pop_front();
            match next {
                Some(file) => file.sync_data()?,
                None => return Ok(()),
            }
        }
    };
    thread::scope(|scope| {
        let helpers: Vec<_> = (1..AT_ONCE.min(batch.len()))
            .map(|_| scope.spawn(work))
            .collect();
        work()?;
        for helper in helpers {
            helper.join().map_err(|_| anyhow!("a sync panicked"))??;
        }
        Ok(())
    })
}
