//! What has been fetched: an append-only journal an account, and the proofs made from it.
//!
//! One process at a time (`lock`); lines with checksums (`record`) in a file that only grows
//! (`journal`), read into a small record a message (`memory`) when it is taken (`claim`). Before
//! anything is changed it must agree with the Maildir's own file (`custody`, `parting`). Then what a crash left
//! half done is settled (`recover`), and a damaged journal is made again from the Maildir
//! (`rebuild`), its lines in the order that they were written in (`chain`, `order`). A listing is
//! recognised (`recognition`), what is doubtful in it judged (`doubt`, `beside`), what arrives recorded
//! (`delivering`), and what may be deleted proved (`proof`). When a session has ended well that is recorded, and a file
//! with much that is superseded is written afresh (`ending`, `compact`).
//!
//! ```text
//! Synced --Store::intend--> Intent, Target::place --> Delivered<Intent> --Store::record--> Recorded
//!           one sync, E1                                      synced with the next intents, E4
//! ```
//! [`Intent`] and [`Recorded`] have no other constructors, so nothing can be deleted from a server
//! that has not gone this way.

mod attempts;
mod beside;
mod chain;
mod claim;
mod clock;
mod compact;
mod copies;
mod custody;
mod delivering;
mod denial;
mod doubt;
mod ending;
mod error;
mod exchange;
mod failures;
mod files;
mod homes;
mod imported;
mod index;
mod inspect;
mod journal;
mod lasting;
mod lock;
mod manners;
mod marked;
mod memory;
mod mend;
mod merge;
mod nameless;
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
mod refetched;
mod refusal;
mod remembered;
mod removal;
mod ruled;
mod session;
mod sizes;
mod succession;
mod time;
mod trouble;
mod twin;
mod untold;
mod view;
mod window;
mod writing;

pub use crate::moment::Moment;
pub use claim::Claim;
pub use delivering::{Intended, Intent, Settled};
pub use doubt::Judgement;
pub use ending::Changes;
pub use error::Error;
pub use files::{accounts, existing_directory, held, is_known, journal_path, open_directory};
pub use imported::{Elsewhere, Import, Imported, Name};
pub use inspect::{Examined, Inspected, examine, inspect};
pub use lasting::Lasting;
pub use lock::Holder;
pub use manners::{Credentials, Early, Manners, Why};
pub use mend::{Accepted, Forgotten, Missing, Names};
pub use neighbours::{AlikePut, Neighbours, Ours, PlaceOf};
pub use onward::{DueId, Waiting, Whereabouts};
pub use outline::{InspectedMessage, MessageId, Onward, Standing};
pub use proof::{Placed, Recorded, Same, Vouched, Withheld};
pub use recognition::Recognition;
pub use record::{FailureKind, MarkedBy, NotTaken, Origin, Repeat};
pub use refusal::RefusalKind;
pub use remembered::{Attempt, Delay, Failures, Known};
pub use removal::remove;
pub use ruled::Ruled;
pub use sizes::SizesSoFar;
pub use trouble::{Failing, Telling};
pub use twin::{Twin, Twins, has_same_user};
pub use untold::Untold;
pub use view::View;

use crate::durable::Dir;
use crate::handover::Archive;
use crate::maildir::{Brought, JournalId, Maildir, MaildirId, Nonce, UniqueName};
use crate::maildrop::Maildrop;
use files::Files;
use journal::Journal;
use lock::Lock;
use memory::Memory;
use record::{Entry, Id};
use std::collections::{HashMap, HashSet};
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

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
    /// When that was, by a clock that nobody sets.
    opened: Instant,
    /// The journal was made by this run, where there was none.
    is_made: bool,
    /// Something was noted in this run beside that there was one.
    has_noted: bool,
    /// `None` for whoever only changes what is remembered.
    maildir: Option<Arc<Maildir>>,
    path_of_maildir: PathBuf,
    /// The Maildir's id, once it has one.
    home: Option<MaildirId>,
    /// The Maildir says that this account delivers to it.
    is_enrolled: bool,
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
    /// How many messages of a size the session at hand is to fetch, of those that [`Memory::beside`] is about;
    /// once that is known.
    expected: Option<HashMap<Option<u64>, u32>>,
    /// What is stored is to be handed on from here.
    onward: Option<Archive>,
    /// What is being stored in place of a lost message that was handed on, and which one that is.
    refetched: HashMap<Id, Id>,
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
    pub moved_from: Option<Former>,
}

/// Where an account has delivered to until now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Former {
    /// A Maildir of its owner's.
    Maildir(PathBuf),
    /// The place of ours that messages only pass through.
    Spool,
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

    /// Whether messages of the account were listed with unique-ids, and none was ever without.
    pub fn has_unique_ids(&self) -> bool {
        self.memory.has_unique_ids && !self.memory.has_nameless
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

    /// Pipelining has failed with this server.
    pub fn failed_pipelining(&mut self) {
        self.write([Entry::Unpipelined {
            time: self.moment.now,
        }]);
    }

    /// Whether it is to be told now: once, and then daily.
    pub fn may_tell(&mut self, what: Lasting) -> bool {
        const DAILY: i64 = 24 * 60 * 60;
        let now = self.moment.now;
        let told = |what| self.memory.told.get(&what);
        let mut times = told(Some(what)).into_iter().chain(told(None));
        let recently = times.any(|told| Moment::counts(*told, DAILY, now));
        if !recently {
            let what = Some(what);
            self.write([Entry::Told { time: now, what }]);
        }
        !recently
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
