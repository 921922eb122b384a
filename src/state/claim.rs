//! Taking an account's state: the lock, and the journal read into memory, with nothing changed yet.
//! What stands at the Maildir's path is looked at before anything is.

use super::chain::Chain;
use super::custody::{self, Custody};
use super::journal::{self, Header, Journal};
use super::lock::{Lock, Mark};
use super::memory::Memory;
use super::onward::waits_in;
use super::record::{Entry, Id, Stored};
use super::twin::Twins;
use super::{Error, Files, Former, Moment, Opened, Store, clock, rebuild};
use crate::durable::Dir;
use crate::maildir::{JournalId, Maildir, Site, random};
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// An account whose lock is held.
pub struct Claim {
    pub(super) dir: Dir,
    pub(super) files: Files,
    pub(super) account: String,
    /// What its owner calls it.
    pub(super) name: String,
    lock: Lock,
    has_run_before: bool,
    moment: Moment,
    pub(super) memory: Memory,
    found: Found,
    /// Maildirs that may have been the account's before, in their order.
    earlier: Vec<PathBuf>,
}

/// The journal as it was found.
#[derive(Clone, Copy)]
enum Found {
    /// There never was one.
    Nothing,
    /// It is lost, or nothing of it can be trusted.
    Lost,
    /// Lines in it are damaged, or its end is lost. What its header says.
    Damaged(Option<JournalId>, u64),
    /// It is in order up to this length.
    Good {
        length: u64,
        generation: u64,
        id: Option<JournalId>,
        /// What its next line follows; `None` in an older version.
        chain: Option<Chain>,
        /// The last run did not end well, so a line may be lost that had been synced.
        unsure: bool,
    },
}

impl Claim {
    /// Takes the account's lock and reads its journal. `account` is
    /// [`crate::profile::Server::id`], `name` what its owner calls it.
    pub fn take(dir: Dir, account: &str, name: &str, moment: &Moment) -> Result<Self, Error> {
        let files = Files::of(account);
        let lock = Lock::take(&dir, &files.lock, moment.now)?;
        let mut claim = Self {
            dir,
            files,
            account: account.to_owned(),
            name: name.to_owned(),
            memory: Memory::new(account),
            found: Found::Nothing,
            earlier: Vec::new(),
            lock,
            has_run_before: false,
            moment: moment.clone(),
        };
        claim.found = claim.read()?;
        // The journal knows of the runs that wrote to it.
        let last_run = claim.memory.homes.runs.last().map(|run| run.time);
        if claim.lock.mark.is_none() {
            claim.lock.doubted = clock::doubted_since(last_run, None, moment.now);
        }
        claim.has_run_before = last_run.is_some();
        Ok(claim)
    }

    /// The Maildir's path follows the year or the month: these may have been the account's before, in their
    /// order, and what they hold is known to it even where its journal was lost.
    pub fn after(self, earlier: Vec<PathBuf>) -> Self {
        Self { earlier, ..self }
    }

    fn read(&mut self) -> Result<Found, Error> {
        let mark = self.mark();
        let header = journal::read_header(&self.dir, &self.files.journal, &self.account);
        let (generation, id) = match header.map_err(|source| self.io_error(source))? {
            Some(Header::Ours { generation, id }) => (generation, id),
            Some(Header::OtherVersion(version)) => {
                return Err(Error::OtherVersion {
                    path: self.path(),
                    version,
                });
            }
            Some(Header::Foreign) => return Ok(Found::Lost),
            None if mark.length > 0 => return Ok(Found::Lost),
            None => return Ok(Found::Nothing),
        };
        let memory = &mut self.memory;
        let input = self.dir.read(&self.files.journal);
        let reading = input.and_then(|input| memory.load(input));
        let reading = reading.map_err(|source| self.io_error(source))?;
        let lost_its_end = (mark.generation, mark.length) > (generation, reading.good)
            && mark.generation >= generation;
        // Lines of the older versions say nothing of their order, but for their numbers.
        let is_disordered = reading.chain.is_none() && self.memory.is_disordered;
        if reading.damaged || lost_its_end || is_disordered {
            return Ok(Found::Damaged(id, generation));
        }
        let ended_well = mark.generation == generation && mark.length == reading.good;
        Ok(Found::Good {
            length: reading.good,
            generation,
            id,
            chain: reading.chain,
            unsure: reading.torn || !ended_well,
        })
    }

    /// What the state has to do with the Maildir at a path, as far as can be told without changing
    /// anything.
    fn custody(&self, site: &Site) -> Result<Custody, Error> {
        let id = match self.found {
            Found::Good { id, .. } | Found::Damaged(id, _) => id,
            Found::Nothing | Found::Lost => None,
        };
        custody::judge(&self.memory, id, site, &self.dir, &self.files, &self.name)
    }

    /// Opens the Maildir, or makes it where the account has no history there, and the journal;
    /// settles what a crash left, and takes in what a backup brought back.
    pub fn settle(self, site: &Site) -> Result<(Store, Arc<Maildir>, Opened), Error> {
        let custody = self.custody(site)?;
        let is_known = custody != Custody::New;
        let maildir = Arc::new(site.settle(self.dir.disk(), is_known)?);
        let mut opened = Opened::default();
        if !is_known {
            // Where nothing was ever stored nothing stays behind.
            let has_stored = self.memory.has_stored();
            let homes = &self.memory.homes;
            let last = homes
                .of_run(homes.last_run())
                .map(|home| home.path.as_path());
            let last = last.filter(|last| has_stored && *last != site.path());
            opened.moved_from = last.map(|last| match waits_in(&self.dir, last) {
                true => Former::Spool,
                false => Former::Maildir(last.to_owned()),
            });
        }
        let mut claim = self;
        let earlier = std::mem::take(&mut claim.earlier);
        let (mut store, unsure) = claim.open(Some(&maildir), &mut opened)?;
        let unsure = store.learn_homes(&earlier) || unsure;
        store.home = site.roster.id;
        if opened.moved_from.is_some() {
            // The next run has nothing to tell of it, whatever becomes of this one.
            store.begin_run();
        }
        store.is_enrolled = is_known;
        store.take_charge(&maildir, &custody, unsure, &mut opened)?;
        store.settle_crash(&maildir)?;
        store.note_time();
        store.sweep(&maildir, &custody)?;
        Ok((store, maildir, opened))
    }

    /// The journal alone, for whoever changes what is remembered, wherever the mail is.
    pub fn without_maildir(self) -> Result<Store, Error> {
        let (mut store, _) = self.open(None, &mut Opened::default())?;
        let homes = &store.memory.homes;
        if let Some(home) = homes.of_run(homes.last_run()).cloned() {
            (store.home, store.path_of_maildir) = (home.id, home.path);
        }
        Ok(store)
    }

    /// The journal, ready to be written to, and whether a line may be lost that had been synced.
    fn open(
        mut self,
        maildir: Option<&Arc<Maildir>>,
        opened: &mut Opened,
    ) -> Result<(Store, bool), Error> {
        let (journal, memory, unsure) = match self.found {
            Found::Nothing => {
                let journal = self.begin(self.new_id()?);
                let journal = journal.map_err(|source| self.io_error(source))?;
                opened.is_new = true;
                (journal, Memory::new(&self.account), true)
            }
            Found::Lost => rebuild::make(&self, self.new_id()?, maildir, opened)?,
            Found::Damaged(id, _) => {
                let id = id.map_or_else(|| self.new_id(), Ok)?;
                rebuild::make(&self, id, maildir, opened)?
            }
            Found::Good {
                length,
                generation,
                id: Some(id),
                chain: Some(chain),
                unsure,
            } => {
                let file = self.dir.open_or_create(&self.files.journal);
                let journal =
                    file.and_then(|file| Journal::resume(file, length, chain, generation, id));
                let journal = journal.map_err(|source| self.io_error(source))?;
                (journal, std::mem::take(&mut self.memory), unsure)
            }
            Found::Good { id, unsure, .. } => {
                let id = id.map_or_else(|| self.new_id(), Ok)?;
                let (journal, memory) = rebuild::renew(&self, id)?;
                (journal, memory, unsure)
            }
        };
        let is_made = matches!(self.found, Found::Nothing);
        let mut store = self.into_store(maildir, journal, memory);
        store.is_made = is_made;
        Ok((store, unsure))
    }

    pub(super) fn into_store(
        self,
        maildir: Option<&Arc<Maildir>>,
        journal: Journal,
        memory: Memory,
    ) -> Store {
        let path = maildir.map(|maildir| maildir.path().to_owned());
        let told_before = memory.reported.unwrap_or_default();
        Store {
            recovered: Vec::new(),
            told_before,
            is_told: true,
            dir: self.dir,
            files: self.files,
            account: self.account,
            journal,
            lines: None,
            memory,
            lock: self.lock,
            has_run_before: self.has_run_before,
            moment: self.moment,
            opened: Instant::now(),
            is_made: false,
            has_noted: false,
            path_of_maildir: path.unwrap_or_default(),
            maildir: maildir.cloned(),
            home: None,
            is_enrolled: false,
            seen: Vec::new(),
            lost_imports: Vec::new(),
            noted_imports: Vec::new(),
            begun: false,
            raised: None,
            // None has begun.
            session: Id::MAX,
            verified: HashSet::new(),
            expected: None,
            onward: None,
            refetched: HashMap::new(),
            passed: Vec::new(),
            unsynced: Vec::new(),
        }
    }

    fn new_id(&self) -> Result<JournalId, Error> {
        random()
            .map(JournalId)
            .map_err(|source| self.io_error(source))
    }

    /// The id of a journal that is in order: `Some(None)` in the first version.
    pub(super) fn sound_id(&self) -> Option<Option<JournalId>> {
        match self.found {
            Found::Good { id, .. } => Some(id),
            Found::Nothing | Found::Lost | Found::Damaged(..) => None,
        }
    }

    /// Journals of others who have the same user or host, read where this account has no history.
    pub fn twins(&self) -> Twins {
        match self.memory.is_first() {
            true => Twins::read(&self.dir, &self.account),
            false => Twins::default(),
        }
    }

    /// The line at a place of the journal, before it is open to be written to.
    pub(super) fn stored_at(&self, place: u64) -> Result<Option<Stored>, Error> {
        let file = self.dir.read(&self.files.journal);
        let line = file.and_then(|file| journal::read_at(&file, place));
        let line = line.map_err(|source| self.io_error(source))?;
        Ok(line.and_then(Entry::into_stored))
    }

    /// There is no journal any more.
    pub(super) fn note_nothing(mut self) -> Result<(), Error> {
        let noted = self.lock.write(Mark::default());
        noted.map_err(|source| self.io_error(source))
    }

    fn begin(&self, id: JournalId) -> io::Result<Journal> {
        let file = self.dir.open_or_create(&self.files.journal)?;
        file.check_sole_name()?;
        let generation = self.mark().generation.max(1);
        let mut journal = Journal::begin(file, &self.account, generation, id);
        // The file's name must be durable before anything in it can count as such.
        journal.sync()?;
        self.dir.sync()?;
        Ok(journal)
    }

    /// What a journal that is made again counts from.
    pub(super) fn generation(&self) -> u64 {
        let own = match self.found {
            Found::Good { generation, .. } | Found::Damaged(_, generation) => generation,
            Found::Nothing | Found::Lost => 0,
        };
        self.mark().generation.max(own)
    }

    /// Whether any line of the journal can be trusted.
    pub(super) fn has_lines(&self) -> bool {
        !matches!(self.found, Found::Nothing | Found::Lost)
    }

    pub(super) fn now(&self) -> i64 {
        self.moment.now
    }

    fn mark(&self) -> Mark {
        self.lock.mark.unwrap_or_default()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.dir.path().join(&self.files.journal)
    }

    pub(super) fn io_error(&self, source: io::Error) -> Error {
        Error::Io {
            path: self.path(),
            source,
        }
    }
}
