//! What has been fetched: an append-only journal an account, and the proofs made from it.
//!
//! One process at a time (`lock`); lines with checksums (`record`) in a file that only grows
//! (`journal`), read into a small record a message (`memory`) when it is opened. What a crash
//! left half done is settled then (`recover`), a damaged file is made again from the Maildir
//! (`rebuild`), and a file with much that is superseded is written afresh (`compact`).
//!
//! ```text
//! Synced --Store::intend--> Intent, Maildir::publish --> Delivered<Intent> --Store::record--> Recorded
//!           one sync, E1                                      synced with the next intents, E4
//! ```
//! [`Intent`] and [`Recorded`] have no other constructors, so nothing can be deleted from a server
//! that has not gone this way.

mod compact;
mod inspect;
mod journal;
mod lock;
mod memory;
mod rebuild;
mod record;
mod recover;
mod view;

pub use inspect::{Shown, inspect};
pub use lock::Holder;
pub use memory::Failures;
pub use record::FailureKind;
pub use view::View;

use crate::delivery::{self, Complete, Delivered, Maildir, Synced, Unpublished};
use crate::durable::{Dir, Disk};
use crate::exit::{Diagnose, Status};
use crate::maildrop::{Identity, Maildrop, Message};
use crate::pop3::MessageNumber;
use journal::Journal;
use lock::{Lock, Mark};
use memory::{ABSENCES, Kind, Memory, Run};
use record::{Entry, Id, Listing, Stored};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A journal is written afresh when it is larger than this (octets) and more than half of its
/// lines are superseded.
const COMPACT_FROM: u64 = 1024 * 1024;

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Maildir, which is needed to settle what a crash left, cannot be used.
    #[error(transparent)]
    Delivery(#[from] delivery::Error),
    /// Another process works on the account.
    #[error("another popfetch holds this account{}", told(.0))]
    Held(Option<Holder>),
    /// Reading or writing failed.
    #[error("cannot use the state file {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file system has no locks.
    #[error("cannot lock {path}")]
    NoLocks {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The journal was written by another version of popfetch.
    #[error("the state file {path} was written by another version of popfetch (format {version})")]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The journal is damaged, and the Maildir it could be made again from cannot be read.
    #[error("the state file {path} is damaged and cannot be made again from the Maildir")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: delivery::Error,
    },
}

fn told(holder: &Option<Holder>) -> String {
    match holder {
        Some(Holder { pid, since }) => {
            let since = jiff::Timestamp::from_second(*since).unwrap_or_default();
            let since = since.to_zoned(jiff::tz::TimeZone::system());
            format!(
                " (process {pid}, since {})",
                since.strftime("%Y-%m-%d %H:%M:%S")
            )
        }
        None => String::new(),
    }
}

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Delivery(error) => error.status(),
            Self::Held(_) => Status::Temporary,
            Self::Io { .. } => Status::Io,
            Self::NoLocks { .. } => Status::Config,
            Self::OtherVersion { .. } | Self::Damaged { .. } => Status::Data,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Delivery(error) => return error.hint(),
            Self::Held(_) => "wait until it is done; the lock goes with the process".to_owned(),
            Self::Io { source, .. } if delivery::is_full(source) => {
                "make room on the disk; what was not stored is still on the server".to_owned()
            }
            Self::Io { .. } => "check the disk, and who owns the file".to_owned(),
            Self::NoLocks { .. } => "keep the state on a local disk: set XDG_STATE_HOME".to_owned(),
            Self::OtherVersion { .. } => "use the newest popfetch on this machine".to_owned(),
            Self::Damaged { .. } => {
                "mend the Maildir first; or move the file away to fetch everything again".to_owned()
            }
        })
    }
}

/// Proof that a message's intent is in the journal and on the disk (E1).
#[derive(Debug)]
pub struct Intent(Id);

/// Proof that a message is stored and recorded as seen, both on the disk (E4), and that the
/// session at hand lists it under this number: it may be deleted from the server.
#[derive(Debug)]
pub struct Recorded {
    id: Id,
    number: MessageNumber,
}

impl Recorded {
    /// The message-number in the session at hand.
    pub fn number(&self) -> MessageNumber {
        self.number
    }
}

/// What is known of a listed message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Known {
    /// Nothing but perhaps failures.
    New(Option<Failures>),
    /// It was stored.
    Stored {
        /// When, in seconds since 1970.
        since: i64,
        /// How often the server has confirmed its deletion and still lists it.
        deletions: u8,
    },
    /// It was stored, the server confirmed its deletion, and now it is listed again: or another
    /// message under the same unique-id and of the same size. Its content will tell.
    Doubtful,
    /// It was marked as seen, and never fetched.
    Marked,
}

/// When and in which boot of the machine something happens.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Moment {
    /// Seconds since 1970.
    pub now: i64,
    /// Names the machine's boot, so that after a crash it is known whether the power went with it;
    /// empty where nobody can tell.
    pub boot: Arc<str>,
}

impl Moment {
    /// This one, by the system's clock.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = since.unwrap_or_default().as_secs();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self {
            now: i64::try_from(seconds).unwrap_or(i64::MAX),
            boot: boot.trim().into(),
        }
    }
}

/// One account's state, for the one process that holds its lock.
pub struct Store {
    dir: Dir,
    files: Files,
    account: String,
    journal: Journal,
    memory: Memory,
    lock: Lock,
    run: Run,
    begun: bool,
    /// Recorded in lines that are not synced yet.
    unsynced: Vec<Settled>,
}

/// Messages on the disk in tmp/, each with the proof that its intent is recorded.
pub type Intended = Vec<(Synced, Intent)>;

/// A message that is recorded as seen, on the disk.
pub struct Settled {
    /// The proof.
    pub recorded: Recorded,
    /// How it was delivered; `None` if it turned out to be stored already.
    pub delivered: Option<Delivered<Intent>>,
}

/// The names of an account's files.
struct Files {
    journal: OsString,
    lock: OsString,
}

impl Files {
    fn of(account: &str) -> Self {
        let name = file_name(account);
        Self {
            journal: format!("{name}.journal").into(),
            lock: format!("{name}.lock").into(),
        }
    }
}

/// An account's id as a file's name: readable, and never more than 200 octets of it.
fn file_name(account: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@._-+".contains(c);
    let readable: String = account
        .chars()
        .map(|c| if safe(c) { c } else { '_' })
        .collect();
    let start = readable.trim_start_matches('.');
    if start == account && start.len() <= 200 {
        return start.to_owned();
    }
    // Two accounts that differ only in what was replaced must not share a file.
    let hash = Identity::new(account, b"", None, 0);
    let start: String = start.chars().take(200).collect();
    format!("{start}-{hash:?}")
}

/// What opening the state found out, for the person to know.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Opened {
    /// The state file was lost or damaged, and was made again from the Maildir: the damaged file's
    /// new path if there was one, and how many messages were found.
    pub rebuilt: Option<(Option<PathBuf>, u64)>,
    /// Messages that a crash left on their way, and that are delivered now.
    pub recovered: u64,
}

impl Store {
    /// Takes the account's lock, reads its journal and settles what a crash left. `account` is
    /// [`crate::profile::Server::id`].
    pub fn open(
        dir: Dir,
        account: &str,
        maildir: &Maildir,
        moment: &Moment,
    ) -> Result<(Self, Opened), Error> {
        let files = Files::of(account);
        let lock = Lock::take(&dir, &files.lock, moment.now)?;
        let loaded = recover::load(&dir, &files, account, maildir, lock.mark)?;
        let run = Run {
            time: moment.now,
            boot: moment.boot.to_string(),
            maildir: maildir.path().to_owned(),
        };
        let mut store = Self {
            dir,
            files,
            account: account.to_owned(),
            journal: loaded.journal,
            memory: loaded.memory,
            lock,
            run,
            begun: false,
            unsynced: Vec::new(),
        };
        let mut opened = loaded.opened;
        opened.recovered = store.settle_crash(maildir)?;
        Ok((store, opened))
    }

    /// Whether no listing of the account has ever been settled.
    pub fn is_first(&self) -> bool {
        self.memory.is_first()
    }

    /// When pipelining last failed with this server, in seconds since 1970.
    pub fn unpipelined(&self) -> Option<i64> {
        self.memory.unpipelined
    }

    /// Whether any message of the account was ever listed with a unique-id.
    pub fn has_unique_ids(&self) -> bool {
        self.memory.has_unique_ids
    }

    /// Recognises the messages of a complete listing, place by place.
    pub fn recognise(&mut self, maildrop: &Maildrop) -> Vec<Known> {
        self.memory.recognise(maildrop)
    }

    /// The proof that a message recognised as [`Known::Stored`] is so.
    pub fn vouch(&self, message: &Message) -> Option<Recorded> {
        let (id, record) = self.memory.find(message.identity?)?;
        let stored = record.kind == Kind::Stored && record.present;
        stored.then_some(Recorded {
            id,
            number: message.number,
        })
    }

    /// Settles the first listing: `marked` count as seen from here on. Durable before anything is
    /// fetched, so that a crash does not change what "first" means.
    pub fn settle_first(&mut self, marked: &[Message]) -> Result<(), Error> {
        self.mark_seen(marked)?;
        self.write([Entry::Baseline {
            time: self.run.time,
        }]);
        self.sync()
    }

    /// Marks messages as seen without fetching them.
    pub fn mark_seen(&mut self, messages: &[Message]) -> Result<(), Error> {
        let time = self.run.time;
        for listing in messages.iter().map(Listing::of) {
            if listing.is_recognisable() {
                let id = self.memory.next_id();
                self.write([Entry::Marked { id, time, listing }]);
            }
        }
        self.sync()
    }

    /// Forgets messages, so that they are fetched again if the server still has them: those whose
    /// unique-id `which` holds for. Gives their number.
    pub fn forget(&mut self, which: impl Fn(&[u8]) -> bool) -> Result<u64, Error> {
        let shown = inspect::read(&self.dir, &self.files, &self.account)?;
        let mut forgotten = 0;
        for message in shown {
            let living = self
                .memory
                .record(message.id)
                .is_some_and(|r| r.kind != Kind::Gone);
            if living && message.unique_ids.iter().any(|unique_id| which(unique_id)) {
                self.write([Entry::Forgotten { id: message.id }]);
                forgotten += 1;
            }
        }
        self.sync()?;
        Ok(forgotten)
    }

    /// Whether a message that was just fetched is one that is stored already, under another
    /// unique-id or none (TRUST.md S65, T5, T19). If so it is known from now on under this listing
    /// too, need not be delivered, and is settled with the next sync.
    pub fn recognise_content(&mut self, complete: &Complete) -> bool {
        let message = complete.message();
        let content = &complete.digests().content;
        let Some(id) = self.memory.find_content(content, message.identity) else {
            return false;
        };
        self.memory.set_present(id);
        let listing = Listing::of(message);
        if listing.is_recognisable() {
            self.write([Entry::Alias {
                id,
                time: self.run.time,
                listing,
            }]);
        }
        let recorded = Recorded {
            id,
            number: message.number,
        };
        self.unsynced.push(Settled {
            recorded,
            delivered: None,
        });
        true
    }

    /// Writes the intents of a batch and forces them to the disk (E1), with all that was recorded
    /// before: those messages are settled. On an error nothing is intended, and the batch's files
    /// are gone unless the journal is in doubt.
    pub fn intend(&mut self, mut batch: Vec<Synced>) -> Result<(Intended, Vec<Settled>), Error> {
        let mut intents = Vec::with_capacity(batch.len());
        for synced in &mut batch {
            synced.entrust();
            let id = self.memory.next_id();
            self.write([Entry::Intent {
                id,
                time: self.run.time,
                listing: Listing::of(synced.message()),
                stored: Stored {
                    octets: synced.octets(),
                    digests: *synced.digests(),
                    name: synced.name().clone(),
                },
            }]);
            self.memory.set_present(id);
            intents.push(Intent(id));
        }
        match self.sync() {
            Ok(()) => {
                let intended = batch.into_iter().zip(intents).collect();
                Ok((intended, std::mem::take(&mut self.unsynced)))
            }
            Err(error) => {
                if !self.journal.is_broken() {
                    batch.iter_mut().for_each(Synced::reclaim);
                }
                Err(error)
            }
        }
    }

    /// Records delivered messages as seen. They are settled with the next sync.
    pub fn record(&mut self, delivered: Vec<Delivered<Intent>>) {
        let mut ids = delivered.iter().map(|delivered| delivered.intent().0);
        if let Some(mut first) = ids.next() {
            let mut last = first;
            for id in ids {
                if id != last + 1 {
                    self.write([Entry::Seen { first, last }]);
                    first = id;
                }
                last = id;
            }
            self.write([Entry::Seen { first, last }]);
        }
        self.unsynced
            .extend(delivered.into_iter().map(|delivered| Settled {
                recorded: Recorded {
                    id: delivered.intent().0,
                    number: delivered.synced().message().number,
                },
                delivered: Some(delivered),
            }));
    }

    /// The intents of messages that could not be published came to nothing; durable on return.
    pub fn withdraw(&mut self, unpublished: &[Unpublished<Intent>]) -> Result<(), Error> {
        for failed in unpublished {
            self.write([Entry::Dropped {
                id: failed.intent.0,
            }]);
        }
        self.sync()
    }

    /// Forces what is recorded to the disk, and gives the messages that are settled now.
    pub fn settle(&mut self) -> Result<Vec<Settled>, Error> {
        if !self.unsynced.is_empty() {
            self.sync()?;
        }
        Ok(std::mem::take(&mut self.unsynced))
    }

    /// A message could not be fetched. Not synced: forgetting it costs one more try.
    pub fn failed(&mut self, message: &Message, kind: FailureKind) {
        let Some(identity) = message.identity else {
            return;
        };
        let before = self
            .memory
            .failures
            .get(&identity)
            .filter(|f| f.kind == kind);
        let count = before
            .map_or(0, |failures| failures.count)
            .saturating_add(1);
        let (time, listing) = (self.run.time, Listing::of(message));
        self.write([Entry::Failed {
            time,
            listing,
            kind,
            count,
        }]);
    }

    /// Pipelining has failed with this server.
    pub fn failed_pipelining(&mut self) {
        self.write([Entry::Unpipelined {
            time: self.run.time,
        }]);
    }

    /// The server has confirmed, by its reply to QUIT, that these are deleted. Not synced: a lost
    /// line costs a second DELE at most.
    pub fn deleted(&mut self, recorded: &[Recorded]) {
        let time = self.run.time;
        for Recorded { id, .. } in recorded {
            self.write([Entry::Deleted { id: *id, time }]);
        }
    }

    /// The session at hand had a complete listing and came to its end: what it did not list is
    /// counted as absent (E5). A listing that lacks more than half of what was there last time
    /// proves nothing; Gmail and servers in trouble make such.
    pub fn note_absences(&mut self) {
        let (time, mut counts) = (self.run.time, Vec::new());
        let (mut present, mut newly_absent) = (0u64, 0u64);
        for (id, record) in self.memory.living() {
            present += u64::from(record.present);
            if record.present && record.absences > 0 {
                counts.push((id, 0));
            } else if !record.present && record.absences < ABSENCES && record.deletions == 0 {
                newly_absent += u64::from(record.absences == 0);
                counts.push((id, record.absences + 1));
            }
        }
        if newly_absent > present {
            return;
        }
        for (id, count) in counts {
            self.write([Entry::Absent { id, time, count }]);
        }
    }

    /// Ends the run: everything is synced, the journal written afresh if that pays, and its length
    /// noted.
    pub fn close(mut self) -> Result<(), Error> {
        if self.begun {
            self.sync()?;
            let lines = self.memory.records.len() as u64;
            if self.journal.length() > COMPACT_FROM && self.memory.superseded > lines {
                self.journal = compact::compact(
                    &self.dir,
                    &self.files,
                    &self.account,
                    &self.memory,
                    &self.journal,
                    self.run.time,
                )
                .map_err(|source| self.io_error(source))?;
            }
        }
        let mark = Mark {
            generation: self.journal.generation,
            length: self.journal.length(),
        };
        self.lock
            .write(mark)
            .map_err(|source| self.io_error(source))
    }

    fn write<const N: usize>(&mut self, entries: [Entry; N]) {
        if !self.begun {
            self.begun = true;
            let Run {
                time,
                boot,
                maildir,
            } = self.run.clone();
            self.write([Entry::Began {
                time,
                boot,
                maildir,
            }]);
        }
        for entry in entries {
            self.memory.apply(&entry);
            self.journal.add(&entry);
        }
    }

    fn sync(&mut self) -> Result<(), Error> {
        let synced = self.journal.sync();
        synced.map_err(|source| self.io_error(source))
    }

    fn io_error(&self, source: io::Error) -> Error {
        Error::Io {
            path: self.path(),
            source,
        }
    }

    /// Where the journal is.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join(&self.files.journal)
    }
}

/// Whether messages of the account were ever delivered to this Maildir.
pub fn has_delivered_to(dir: &Dir, account: &str, maildir: &Path) -> Result<bool, Error> {
    let view = View::read_in(dir, account)?;
    let stored = view
        .memory
        .living()
        .any(|(_, record)| record.kind == Kind::Stored);
    Ok(stored && view.memory.runs.iter().any(|run| run.maildir == maildir))
}

/// Opens the directory of all accounts' states, creating it where it is missing.
pub fn open_directory(disk: &Disk, path: &Path) -> Result<Dir, Error> {
    let opened = disk
        .create_directory(path)
        .and_then(|()| Dir::open(disk, path));
    let opened = opened.and_then(|dir| dir.check_writable().map(|()| dir));
    opened.map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}
