//! The state as it stands, for looking only: no lock is taken and nothing is settled.

use super::custody::{self, Custody};
use super::journal::{self, Header};
use super::memory::Memory;
use super::record::Id;
use super::remembered::{Delay, Kind};
use super::twin::Twins;
use super::{Error, Files, Origin, Recognition, clock, lock};
use crate::durable::{Dir, Disk};
use crate::maildir::{Brought, JournalId, Site};
use crate::maildrop::Maildrop;
use std::collections::BTreeMap;
use std::path::Path;

/// What is known of an account.
pub struct View {
    pub(super) memory: Memory,
    /// Where it was read; `None` where there is no such directory.
    pub(super) dir: Option<Dir>,
    /// That of the journal, where it has one.
    pub(super) id: Option<JournalId>,
}

impl View {
    /// Reads the account's journal in the directory of all states. Nothing there means that
    /// nothing is known.
    pub fn read(directory: &Path, account: &str) -> Result<Self, Error> {
        match Dir::open(&Disk::new(), directory) {
            Ok(dir) => Self::read_in(dir, account),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self {
                memory: Memory::new(account),
                dir: None,
                id: None,
            }),
            Err(source) => Err(Error::Io {
                path: directory.to_owned(),
                source,
            }),
        }
    }

    fn read_in(dir: Dir, account: &str) -> Result<Self, Error> {
        let files = Files::of(account);
        let path = dir.path().join(&files.journal);
        let io = |source| Error::Io {
            path: path.clone(),
            source,
        };
        let mut memory = Memory::new(account);
        let mut journal = None;
        match journal::read_header(&dir, &files.journal, account).map_err(io)? {
            Some(Header::Ours { id, .. }) => {
                journal = id;
                let input = dir.read(&files.journal).map_err(io)?;
                memory.load(input).map_err(io)?;
            }
            Some(Header::OtherVersion(version)) => {
                return Err(Error::OtherVersion { path, version });
            }
            Some(Header::Foreign) | None => {}
        }
        Ok(Self {
            memory,
            dir: Some(dir),
            id: journal,
        })
    }

    /// What a fetch into this Maildir would stop at before it asks the server for anything; `name` is
    /// what its owner calls the account. Tells whether the account has delivered there.
    pub fn check(&self, site: &Site, name: &str) -> Result<bool, Error> {
        let Some(dir) = &self.dir else {
            return Ok(false);
        };
        let files = Files::of(&self.memory.account);
        let custody = custody::judge(&self.memory, self.id, site, dir, &files, name);
        custody.map(|custody| custody != Custody::New)
    }

    /// See [`Claim::twins`](super::Claim::twins).
    pub fn twins(&self) -> Twins {
        match (&self.dir, self.is_first()) {
            (Some(dir), true) => Twins::read(dir, &self.memory.account),
            _ => Twins::default(),
        }
    }

    /// See [`Store::has_stored_nothing`](super::Store::has_stored_nothing).
    pub fn has_stored_nothing(&self) -> bool {
        !self.memory.has_stored()
    }

    /// Whether no listing of the account has ever been settled.
    pub fn is_first(&self) -> bool {
        self.memory.is_first()
    }

    /// See [`Store::unread_folders`](super::Store::unread_folders).
    pub fn unread_folders(&self) -> &BTreeMap<Box<str>, i64> {
        &self.memory.unread
    }

    /// See [`Store::awaited`](super::Store::awaited).
    pub fn awaited(&self) -> Option<&Origin> {
        self.memory.awaited()
    }

    /// How many messages are stored, here or elsewhere, that the listing at hand does not have.
    pub fn unlisted(&self) -> u64 {
        let living = self.memory.living().map(|(_, record)| record);
        let stored = living.filter(|it| it.kind == Kind::Stored || it.is_known_by_content());
        stored.filter(|it| !it.present).count() as u64
    }

    /// What waits is taken to be handed on, but for what `is_tried` holds back: from here on it is what a
    /// fetch would make of it. Gives how many there are.
    pub fn hand_on(&mut self, is_tried: impl Fn(Option<Delay>) -> bool) -> u64 {
        let memory = &self.memory;
        let is_stored = |id: &Id| {
            let record = memory.record(*id);
            record.is_some_and(|record| record.kind == Kind::Stored)
        };
        let is_tried = |id: &Id| is_tried(memory.onward.delays.get(id).copied());
        let due = memory.onward.due.iter().copied();
        let handed: Vec<Id> = due.filter(is_stored).filter(is_tried).collect();
        for id in &handed {
            self.memory.onward.due.remove(id);
        }
        handed.len() as u64
    }

    /// See [`Store::lost_imports`](super::Store::lost_imports).
    pub fn lost_imports(&self, site: &Site) -> Vec<Brought> {
        let line = site.roster.of(&self.memory.account, &self.memory.former);
        line.map_or_else(Vec::new, |line| self.memory.lost_of(line))
    }

    /// See [`Store::doubts_clock`](super::Store::doubts_clock).
    pub fn doubts_clock(&self, now: i64) -> bool {
        self.clock(now).0
    }

    /// As [`super::Store::doubts_ages`].
    pub fn doubts_ages(&self, now: i64) -> bool {
        let (is_doubted, has_run_before) = self.clock(now);
        is_doubted || !has_run_before
    }

    /// Whether the clock is in doubt, and whether the journal knows of an earlier run.
    fn clock(&self, now: i64) -> (bool, bool) {
        let Some(dir) = &self.dir else {
            return (false, false);
        };
        let files = Files::of(&self.memory.account);
        // A fetch would stop at a file that cannot be read; who only looks needs it for nothing else.
        let told = lock::doubted_by(dir, &files.lock, now).unwrap_or_default();
        let last_run = self.memory.homes.runs.last().map(|run| run.time);
        let doubted = told.unwrap_or_else(|| clock::doubted_since(last_run, None, now));
        (doubted.is_some(), last_run.is_some())
    }

    /// When pipelining last failed with this server, in seconds since 1970.
    pub fn unpipelined(&self) -> Option<i64> {
        self.memory.unpipelined
    }

    /// Whether messages of the account were listed with unique-ids, and none was ever without.
    pub fn has_unique_ids(&self) -> bool {
        self.memory.has_unique_ids && !self.memory.has_nameless
    }

    /// Recognises the messages of a complete listing, place by place.
    pub fn recognise<'a>(&'a mut self, maildrop: &'a Maildrop) -> Recognition<'a> {
        Recognition::new(&mut self.memory, maildrop)
    }
}
