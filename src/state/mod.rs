//! What has been fetched: an append-only journal an account, and the proofs made from it.
//!
//! One process at a time (`lock`); lines with checksums (`record`) in a file that only grows
//! (`journal`), read into a small record a message (`memory`) when it is opened. What a crash
//! left half done is settled then (`recover`), a damaged file is made again from the Maildir
//! (`rebuild`). When a session has ended well that is recorded, and a file with much that is
//! superseded is written afresh (`ending`, `compact`).
//!
//! ```text
//! Synced --Store::intend--> Intent, Maildir::publish --> Delivered<Intent> --Store::record--> Recorded
//!           one sync, E1                                      synced with the next intents, E4
//! ```
//! [`Intent`] and [`Recorded`] have no other constructors, so nothing can be deleted from a server
//! that has not gone this way.

mod compact;
mod ending;
mod error;
mod files;
mod index;
mod inspect;
mod journal;
mod lock;
mod manners;
mod memory;
mod moment;
mod rebuild;
mod recognition;
mod record;
mod recover;
mod time;
mod view;

pub use error::Error;
pub use files::{has_delivered_to, open_directory};
pub use inspect::{Examined, Inspected, Shown, examine, inspect};
pub use lock::Holder;
pub use manners::{Early, Manners, RefusalKind, Telling, Why};
pub use memory::{Failures, Known};
pub use moment::Moment;
pub use recognition::Recognition;
pub use record::FailureKind;
pub use view::View;

use crate::delivery::{Complete, Delivered, Maildir, Synced, Unpublished};
use crate::durable::Dir;
use crate::maildrop::{Maildrop, Message};
use crate::pop3::MessageNumber;
use files::Files;
use journal::Journal;
use lock::Lock;
use memory::{Kind, Memory, Run};
use record::{Entry, Id, Listing, Stored};
use std::io;
use std::path::PathBuf;

/// Between two runs of an account lies hardly more than this (seconds): a year.
const LONG_GAP: i64 = 366 * 24 * 60 * 60;

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

    /// Whether the clock is so far ahead of the last run that it may be wrong. In the next run it
    /// is not any more, whatever the clock says.
    pub fn clock_has_leapt(&self) -> bool {
        let last = self.lock.last_run;
        last.is_some_and(|last| self.run.time.saturating_sub(last) > LONG_GAP)
    }

    /// Whether any message of the account was ever listed with a unique-id.
    pub fn has_unique_ids(&self) -> bool {
        self.memory.has_unique_ids
    }

    /// Recognises the messages of a complete listing, place by place.
    pub fn recognise<'a>(&'a mut self, maildrop: &'a Maildrop) -> Recognition<'a> {
        Recognition::new(&mut self.memory, maildrop)
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
        for message in shown.messages {
            let living = self
                .memory
                .record(message.id)
                .is_some_and(|record| record.kind.is_known());
            if living && message.unique_ids.iter().any(|unique_id| which(unique_id)) {
                self.write([Entry::Forgotten { id: message.id }]);
                forgotten += 1;
            }
        }
        self.sync()?;
        Ok(forgotten)
    }

    /// Notes that the files of these messages were removed on purpose, as their owner says; durable
    /// on return.
    pub fn note_gone<'a>(
        &mut self,
        messages: impl IntoIterator<Item = &'a Shown>,
    ) -> Result<(), Error> {
        let time = self.run.time;
        for message in messages {
            self.write([Entry::Gone {
                id: message.id,
                time,
            }]);
        }
        self.sync()
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
                if !self.journal.is_in_doubt() {
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
            self.journal.add(&entry);
            self.memory.apply(entry);
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

    /// The directory of all accounts' states, open.
    pub fn directory(&self) -> &Dir {
        &self.dir
    }

    /// Where the journal is.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join(&self.files.journal)
    }
}
