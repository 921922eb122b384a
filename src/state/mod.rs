//! What has been fetched: an append-only journal an account, and the proofs made from it.
//!
//! One process at a time (`lock`); lines with checksums (`record`) in a file that only grows
//! (`journal`), read into a small record a message (`memory`) when it is taken (`claim`). Before
//! anything is changed it must agree with the Maildir's own file (`custody`, `parting`). Then what a crash left
//! half done is settled (`recover`), and a damaged journal is made again from the Maildir
//! (`rebuild`), its lines in the order that they were written in (`chain`, `order`). A listing is recognised (`recognition`), what is doubtful in it judged (`doubt`), and
//! what may be deleted proved (`proof`). When a session has ended well that is recorded, and a file
//! with much that is superseded is written afresh (`ending`, `compact`).
//!
//! ```text
//! Synced --Store::intend--> Intent, Target::place --> Delivered<Intent> --Store::record--> Recorded
//!           one sync, E1                                      synced with the next intents, E4
//! ```
//! [`Intent`] and [`Recorded`] have no other constructors, so nothing can be deleted from a server
//! that has not gone this way.

mod chain;
mod claim;
mod clock;
mod compact;
mod custody;
mod doubt;
mod ending;
mod error;
mod failures;
mod files;
mod homes;
mod imported;
mod index;
mod inspect;
mod journal;
mod lock;
mod manners;
mod marked;
mod memory;
mod mend;
mod merge;
mod neighbours;
mod onward;
mod order;
mod outline;
mod parting;
mod proof;
mod rebuild;
mod recognition;
mod record;
mod recover;
mod refusal;
mod remembered;
mod removal;
mod ruled;
mod sizes;
mod succession;
mod time;
mod trouble;
mod twin;
mod untold;
mod view;
mod window;

pub use crate::moment::Moment;
pub use claim::Claim;
pub use doubt::Judgement;
pub use ending::Changes;
pub use error::Error;
pub use files::{held, is_known, journal_path, open_directory};
pub use imported::{Elsewhere, Import, Imported, Name};
pub use inspect::{Examined, Inspected, examine, inspect};
pub use lock::Holder;
pub use manners::{Credentials, Early, Manners, Why};
pub use mend::{Accepted, Forgotten, Missing, Names};
pub use neighbours::Neighbours;
pub use onward::{DueId, Waiting, Whereabouts};
pub use outline::{InspectedMessage, MessageId, Onward, Standing};
pub use proof::{Placed, Recorded, Same, Vouched, Withheld};
pub use recognition::Recognition;
pub use record::{FailureKind, MarkedBy, NotTaken, Origin};
pub use refusal::RefusalKind;
pub use remembered::{Delay, Failures, Known};
pub use removal::remove;
pub use ruled::Ruled;
pub use sizes::SizesSoFar;
pub use trouble::{Failing, Telling};
pub use twin::{Twin, Twins};
pub use untold::Untold;
pub use view::View;

use crate::delivery::{Delivered, Synced, Unplaced};
use crate::durable::Dir;
use crate::handover::Archive;
use crate::maildir::{Brought, JournalId, Maildir, MaildirId, Nonce, UniqueName};
use crate::maildrop::{Maildrop, Message};
use files::Files;
use journal::Journal;
use lock::Lock;
use memory::Memory;
use record::{Entry, Id, Listing, Stored};
use std::collections::HashSet;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::Arc;

/// Proof that a message's intent is in the journal and on the disk (E1).
#[derive(Debug)]
pub struct Intent(Id);

/// One account's state, for the one process that holds its lock.
pub struct Store {
    dir: Dir,
    files: Files,
    account: String,
    journal: Journal,
    /// The journal once more, to look lines up: opening it for each takes as long as reading it.
    lines: Option<std::fs::File>,
    memory: Memory,
    lock: Lock,
    /// The journal knows of an earlier run, by whose time the clock of this one is known to be right. One
    /// that did not come to the server left none.
    has_run_before: bool,
    moment: Moment,
    /// The journal was made by this run, where there was none.
    is_made: bool,
    /// Something was noted in this run beside that there was one.
    has_noted: bool,
    /// `None` for whoever only changes what is remembered.
    maildir: Option<Arc<Maildir>>,
    path_of_maildir: PathBuf,
    /// The Maildir's id, once it has one.
    home: Option<MaildirId>,
    /// The Maildirs that are there, with the account's line in them, and the generation up to which
    /// what is missing in them was removed by its owner.
    seen: Vec<(MaildirId, u64)>,
    /// Names were imported, and are lost with an earlier journal.
    lost_imports: Vec<Brought>,
    /// Those that the Maildir knew of before this one.
    noted_imports: Vec<Brought>,
    /// The run's line is written.
    begun: bool,
    /// The Maildir's generation was raised in this run, which drew this nonce.
    raised: Option<Nonce>,
    /// The first id that the session at hand gave.
    session: Id,
    /// Records that the session at hand has shown to be what is listed under their names.
    verified: HashSet<Id>,
    /// What is stored is to be handed on from here.
    onward: Option<Archive>,
    /// Files of messages that were handed on, in lines that are not synced yet.
    passed: Vec<(PathBuf, UniqueName)>,
    /// Recorded in lines that are not synced yet.
    unsynced: Vec<Settled>,
    /// What a crash had interrupted and this run has settled.
    recovered: Vec<Id>,
    /// What comes before was given out to be reported, or is not for this run to report.
    told_before: Id,
    /// What earlier runs had delivered and not told could be looked for.
    is_told: bool,
}

/// Messages on the disk in tmp/, each with the proof that its intent is recorded.
pub type Intended = Vec<(Synced, Intent)>;

/// A message that is recorded as seen, on the disk.
pub enum Settled {
    /// It was delivered; with the proof of that, unless its end was doubtful (E12).
    Delivered(Box<Delivered<Intent>>, Option<Placed>),
    /// It turned out to be one that was stored before.
    Known(Same),
}

/// What opening the state found out, for the person to know.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Opened {
    /// There was no journal, as far as can be told.
    pub is_new: bool,
    /// The journal was lost or damaged, and was made again.
    pub is_rebuilt: bool,
    /// Where the damaged journal is kept.
    pub damaged: Option<PathBuf>,
    /// Messages in the Maildir that no line spoke of, and that count as fetched now.
    pub found: u64,
    /// The Maildir was restored from a backup: so many messages are lost, and are fetched again.
    pub restored: Option<u64>,
    /// Messages that were delivered to another Maildir at this path, which is not there now: it lies
    /// beneath a disk that was mounted since, as likely as not.
    pub hidden: u64,
    /// Messages that are missing in it, and nobody can tell whether their owner has removed them: they
    /// are not deleted.
    pub unsure: u64,
    /// The Maildir is that of the first version, and has its own file now.
    pub adopted: bool,
    /// The Maildir was another journal's, which is no more.
    pub inherited: bool,
    /// The account has delivered to this Maildir until now, and delivers to a new one.
    pub moved_from: Option<PathBuf>,
}

impl Store {
    /// Whether no listing of the account has ever been settled.
    pub fn is_first(&self) -> bool {
        self.memory.is_first()
    }

    /// Whether no message of the account was ever stored.
    pub fn has_stored_nothing(&self) -> bool {
        !self.memory.has_stored()
    }

    /// When pipelining last failed with this server, in seconds since 1970.
    pub fn unpipelined(&self) -> Option<i64> {
        self.memory.unpipelined
    }

    /// Whether the clock may be wrong, so that nothing is to be deleted for its age.
    pub fn doubts_clock(&self) -> bool {
        self.lock.doubted.is_some()
    }

    /// Whether the age of a message is unknown, as far as this machine's clock says it: in doubt, or with no
    /// earlier run to compare it with.
    pub fn doubts_ages(&self) -> bool {
        self.doubts_clock() || !self.has_run_before
    }

    /// Whether any message of the account was ever listed with a unique-id.
    pub fn has_unique_ids(&self) -> bool {
        self.memory.has_unique_ids
    }

    /// The journal that answers for what is being delivered.
    pub fn journal_id(&self) -> JournalId {
        self.journal.id
    }

    /// Recognises the messages of a complete listing, place by place.
    pub fn recognise<'a>(&'a mut self, maildrop: &'a Maildrop) -> Recognition<'a> {
        Recognition::new(&mut self.memory, maildrop)
    }

    /// What the server's sizes have been worth.
    pub fn sizes_so_far(&self) -> SizesSoFar {
        self.memory.sizes.so_far()
    }

    /// Settles the first listing: `marked` count as seen from here on. Durable before anything is
    /// fetched, so that a crash does not change what "first" means.
    pub fn settle_first(&mut self, marked: &[Message], by: MarkedBy) -> Result<(), Error> {
        self.mark_seen(marked, by)?;
        self.write([Entry::Baseline {
            time: self.moment.now,
        }]);
        self.sync()
    }

    /// Marks messages as seen without fetching them.
    fn mark_seen(&mut self, messages: &[Message], by: MarkedBy) -> Result<(), Error> {
        let time = self.moment.now;
        for listing in messages.iter().map(Listing::of) {
            if listing.is_recognisable() {
                let id = self.memory.next_id();
                self.write([Entry::Marked {
                    id,
                    time,
                    listing,
                    by: by.clone(),
                }]);
            }
        }
        self.sync()
    }

    /// A session begins: what it records is told apart from what was recorded before.
    pub fn begin_session(&mut self) {
        self.session = self.memory.next_id();
        self.verified.clear();
    }

    /// The session at hand has broken the protocol: whatever it recorded may be another message, or
    /// half of one, and is looked at again before it is believed (E12). Durable on return.
    pub fn distrust_session(&mut self) -> Result<(), Error> {
        let next = self.memory.next_id();
        let mut entries = Vec::new();
        if self.session < next {
            let (first, last) = (self.session, next - 1);
            entries.push(Entry::Disorder { first, last });
        }
        // What it showed to be the same may have been shown by another message's header.
        for id in std::mem::take(&mut self.verified) {
            entries.push(Entry::Disorder {
                first: id,
                last: id,
            });
        }
        if entries.is_empty() {
            return Ok(());
        }
        for entry in entries {
            self.write([entry]);
        }
        self.sync()
    }

    /// Writes the intents of a batch and forces them to the disk (E1), with all that was recorded
    /// before: those messages are settled. On an error nothing is intended, and the batch's files
    /// are gone unless the journal is in doubt.
    pub fn intend(&mut self, mut batch: Vec<Synced>) -> Result<(Intended, Vec<Settled>), Error> {
        if !batch.is_empty() {
            self.raise()?;
            self.begin_telling();
        }
        let mut intents = Vec::with_capacity(batch.len());
        for synced in &mut batch {
            synced.entrust();
            let id = self.memory.next_id();
            let message = synced.message();
            let bearers = message
                .identity
                .map(|identity| self.memory.bearers_of(identity));
            self.write([Entry::Intent {
                id,
                time: self.moment.now,
                listing: Listing {
                    // Another message under a name that is known has a turn of its own.
                    turn: u32::try_from(bearers.unwrap_or_default()).unwrap_or(u32::MAX),
                    ..Listing::of(message)
                },
                stored: Stored {
                    octets: synced.octets(),
                    digests: *synced.digests(),
                    name: synced.name().clone(),
                    evidence: Some(*synced.evidence()),
                    folder: synced.folder().cloned(),
                },
            }]);
            if !synced.is_orderly() {
                self.write([Entry::Doubtful { id }]);
            }
            if self.onward.is_some() {
                self.write([Entry::Due {
                    first: id,
                    last: id,
                }]);
            }
            self.memory.claim(message, id);
            intents.push(Intent(id));
        }
        match self.sync() {
            Ok(()) => {
                let intended = batch.into_iter().zip(intents).collect();
                Ok((intended, self.give_out()))
            }
            Err(error) => {
                if !self.journal.is_in_doubt() {
                    batch.iter_mut().for_each(Synced::reclaim);
                }
                Err(error)
            }
        }
    }

    /// Records delivered messages as seen: written at once, so that a kill takes nothing of it away,
    /// and settled with the next sync.
    pub fn record(&mut self, delivered: Vec<Delivered<Intent>>) -> Result<(), Error> {
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
        for delivered in delivered {
            let recorded = Placed::of_delivered(&delivered);
            self.unsynced
                .push(Settled::Delivered(Box::new(delivered), recorded));
        }
        self.flush()
    }

    /// The intents of messages that could not be placed, and whose names are gone for certain,
    /// came to nothing; durable on return.
    pub fn withdraw(&mut self, unplaced: &[&Unplaced<Intent>]) -> Result<(), Error> {
        for failed in unplaced {
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
        Ok(self.give_out())
    }

    /// What is settled, to be reported.
    fn give_out(&mut self) -> Vec<Settled> {
        let settled = std::mem::take(&mut self.unsynced);
        for settled in &settled {
            if let Settled::Delivered(delivered, _) = settled {
                self.told_before = self.told_before.max(delivered.intent().0 + 1);
            }
        }
        settled
    }

    /// Pipelining has failed with this server.
    pub fn failed_pipelining(&mut self) {
        self.write([Entry::Unpipelined {
            time: self.moment.now,
        }]);
    }

    /// Whether it is to be told now that something is not deleted: once, and then daily.
    pub fn may_tell(&mut self) -> bool {
        const DAILY: i64 = 24 * 60 * 60;
        let now = self.moment.now;
        let recently = self
            .memory
            .told
            .is_some_and(|told| (told..told.saturating_add(DAILY)).contains(&now));
        if !recently {
            self.write([Entry::Told { time: now }]);
        }
        !recently
    }

    fn write<const N: usize>(&mut self, entries: [Entry; N]) {
        self.begin_run();
        for entry in entries {
            self.add(entry);
        }
    }

    /// From now on ages can be measured, where the clock was wrong when the last run wrote.
    fn note_time(&mut self) {
        if self.memory.homes.lacks_a_time(self.moment.now) {
            self.begin_run();
        }
    }

    /// The run's own line comes before all others of it.
    fn begin_run(&mut self) {
        if !std::mem::replace(&mut self.begun, true) {
            self.add(Entry::Began {
                time: self.moment.now,
                boot: self.moment.boot.to_string(),
                maildir: self.path_of_maildir.clone(),
                maildir_id: self.home,
                generation: self.memory.homes.generation,
                nonce: self.raised,
            });
        }
    }

    fn add(&mut self, entry: Entry) {
        self.has_noted |= !matches!(entry, Entry::Began { .. } | Entry::Reported { .. });
        let place = self.journal.add(&entry);
        self.memory.apply(entry, place);
    }

    /// Writes what is recorded, unsynced: a kill takes nothing of it away.
    pub fn flush(&mut self) -> Result<(), Error> {
        let flushed = self.journal.flush();
        flushed.map_err(|source| self.io_error(source))
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

    /// The account's journal, open.
    pub fn journal(&self) -> BorrowedFd<'_> {
        self.journal.as_fd()
    }

    /// Where the journal is.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join(&self.files.journal)
    }
}
