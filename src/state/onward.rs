//! What is handed on once it is stored: which messages wait for that, and what came of it.
//!
//! ```text
//! Store::begin_handing ──> (it is handed on) ──> Store::handed, or Store::not_taken
//!    "g", synced                                    "d" or "k", synced with the next "g"
//! ```
//! A message that a crash found between the two may have been taken (`attempts`). What a program or a mail
//! server may have been given is handed on once more, and that is told. What was being appended to an mbox
//! file shows there, as "g" says how long the file was: half of it is cut off, and a whole one counts. Up to
//! where such a file is accounted for says "m" ([`Store::account_for`]), behind "d".

use super::record::{Entry, HandingEnd, Id, NotTaken, Repeat, Stored};
use super::remembered::{Attempt, Delay, Kind, Record};
use super::{Error, MessageId, Store, rebuild};
use crate::durable::Dir;
use crate::handover::{Archive, Extent, Keeping, Letter, Located, Standing, Unfinished};
use crate::maildir::{Search, UniqueName};
use crate::maildrop::Identity;
use crate::paths::SPOOL;
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// A message that waits to be handed on.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DueId(pub(super) Id);

/// How one waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Which one.
    pub id: DueId,
    /// How often it was not taken.
    pub delay: Option<Delay>,
    /// It was handed on, and nobody knows what came of it.
    pub attempt: Option<Attempt>,
    /// Where its file is.
    pub file: Whereabouts,
}

/// Where the file of a message is that waits.
#[derive(Clone, Debug)]
pub enum Whereabouts {
    /// Here: what takes it gets this.
    There(Letter),
    /// Its owner has removed it from a Maildir that is theirs.
    Removed,
    /// It was lost where it waited, and its owner has given it up.
    GivenUp,
    /// It may be in a folder that cannot be read.
    Unseen(Letter),
    /// It is not in its owner's Maildir at this path, and nobody can tell whether they have removed it: that
    /// may be away, or older than the message.
    Away(Letter, PathBuf),
    /// It is nowhere, and nobody has removed it on purpose: nobody but popfetch has any business where
    /// messages wait without a Maildir. To be fetched again.
    Lost(Letter),
}

/// Whether messages wait there that are in no Maildir of their owner's.
pub(super) fn waits_in(dir: &Dir, path: &Path) -> bool {
    path.starts_with(dir.path().join(SPOOL))
}

impl Store {
    /// From here on what is stored is handed on. What is in a place that each message leaves is on its
    /// way, however it came there; what has left and is still there, as a crash was in between, goes.
    pub fn hands_on(&mut self, archive: Archive) -> Result<(), Error> {
        self.onward = Some(archive);
        if archive == Archive::Kept {
            return self.sweep_passed();
        }
        let here = &self.path_of_maildir;
        let homes = &self.memory.homes;
        let due = &self.memory.onward.due;
        let on_its_way = self.memory.records.iter().zip(0..).filter(|(record, id)| {
            let home = homes.of_run(record.run);
            let is_here = home.is_some_and(|home| home.path == *here);
            record.kind == Kind::Stored && !due.contains(id) && !record.gone && is_here
        });
        let on_its_way: Vec<Id> = on_its_way.map(|(_, id)| id).collect();
        for id in on_its_way {
            let (first, last) = (id, id);
            self.write([Entry::Due { first, last }, Entry::perhaps_handed(id)]);
        }
        self.sweep_passed()
    }

    /// Messages that wait to be handed on. Those that were being handed on when a run ended are the first, then
    /// come those that were never tried, then the others, as long as they have waited: a few that are never taken
    /// keep nobody from having a turn.
    pub fn waiting(&mut self) -> Result<Vec<Waiting>, Error> {
        let mut ids: Vec<Id> = self.waiting_ids().collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // What a crash has left of one must be cut off before another is appended behind it.
        let onward = &self.memory.onward;
        ids.sort_by_key(|id| {
            let is_settled = !onward.attempts.contains_key(id);
            (is_settled, onward.delays.get(id).map(|delay| delay.last))
        });
        let mut waiting = Vec::with_capacity(ids.len());
        let mut files = Vec::with_capacity(ids.len());
        for id in ids {
            // A line that was read a moment ago is there.
            let Some((letter, stored)) = self.letter(id)? else {
                continue;
            };
            waiting.push(Waiting {
                id: DueId(id),
                delay: self.memory.onward.delays.get(&id).copied(),
                attempt: self.memory.onward.attempts.get(&id).copied(),
                file: Whereabouts::Lost(letter),
            });
            files.push(stored);
        }
        let stored: Vec<&Stored> = files.iter().collect();
        let mut searches: Vec<Search> = self.search_for(&stored)?.into_iter().collect();
        let is_found = |stored: &&Stored| searches.iter().any(|it| it.contains(&stored.name));
        if !stored.iter().all(is_found) {
            // A reader may be moving some just now: what is missing is looked for once more.
            searches.extend(self.search_for(&stored)?);
        }
        for (waiting, stored) in waiting.iter_mut().zip(files) {
            let Whereabouts::Lost(letter) = &waiting.file else {
                continue;
            };
            waiting.file = self.whereabouts(waiting.id, letter.clone(), &stored, &searches);
        }
        Ok(waiting)
    }

    fn whereabouts(
        &self,
        DueId(id): DueId,
        letter: Letter,
        stored: &Stored,
        searches: &[Search],
    ) -> Whereabouts {
        let Some(record) = self.memory.record(id) else {
            return Whereabouts::Lost(letter);
        };
        let path = searches.iter().find_map(|it| it.path(&stored.name));
        let home = self.memory.homes.of_run(record.run);
        let place = path.as_deref().or(home.map(|home| home.path.as_path()));
        let passes = place.is_some_and(|place| self.passes(place));
        if let Some(path) = path {
            let keeping = match (record.gone, passes) {
                (true, true) => return Whereabouts::GivenUp,
                (true, false) => Keeping::Accepted,
                (false, true) => Keeping::Ours,
                (false, false) => Keeping::Owner(stored.evidence),
            };
            return Whereabouts::There(Letter {
                path,
                keeping,
                ..letter
            });
        }
        let hides = |search: &Search| search.may_be_hidden(stored.folder.as_ref());
        if searches.iter().any(hides) {
            return Whereabouts::Unseen(letter);
        }
        // Its owner has said so, or the Maildir shows it.
        match (home, passes) {
            (_, true) if record.gone => Whereabouts::GivenUp,
            (_, false) if record.gone || self.removal_shows(record) => Whereabouts::Removed,
            (Some(home), false) => Whereabouts::Away(letter, home.path.clone()),
            _ => Whereabouts::Lost(letter),
        }
    }

    /// Whether it is where messages wait that are in no Maildir of their owner's.
    fn passes(&self, path: &Path) -> bool {
        waits_in(&self.dir, path)
    }

    /// The place where it waits, where that is not its owner's.
    pub(super) fn spool_of(&self, id: Id) -> Option<&Path> {
        let record = self.memory.record(id)?;
        let home = self.memory.homes.of_run(record.run)?;
        Some(home.path.as_path()).filter(|path| self.passes(path))
    }

    /// Those of the messages that wait whose only copy here may be the one that waits.
    pub fn only_here(&mut self) -> Result<HashSet<MessageId>, Error> {
        let ids: Vec<Id> = self.waiting_ids().collect();
        let mut by_spool: BTreeMap<PathBuf, Vec<(Id, UniqueName)>> = BTreeMap::new();
        for id in ids {
            let Some(spool) = self.spool_of(id).map(Path::to_owned) else {
                continue;
            };
            if let Some(stored) = self.stored(id)? {
                by_spool.entry(spool).or_default().push((id, stored.name));
            }
        }
        let mut only = HashSet::new();
        for (spool, waiting) in by_spool {
            let mut search = Search::new(rebuild::tags(&self.memory, &self.account));
            if search.add(self.dir.disk(), &spool).is_ok() {
                search.look(|_| true)?;
                let there = waiting.iter().filter(|(_, name)| search.contains(name));
                only.extend(there.map(|(id, _)| MessageId(*id)));
            }
        }
        Ok(only)
    }

    /// Its file is not there, or not what was fetched: it waits no more, and is fetched again where the
    /// server still lists it. Durable with the next one, or with [`Store::settle_handing`].
    pub fn lost(&mut self, DueId(id): DueId) -> Result<(), Error> {
        self.write([Entry::Again { id }]);
        self.flush()
    }

    /// Messages that were to be handed on, are lost, and have not been fetched again; whether nobody knows that they
    /// were not handed on.
    pub fn lost_before_handing(&mut self) -> Result<Vec<(Letter, bool)>, Error> {
        let due = self.memory.onward.due.iter().copied();
        let is_lost = |id: &Id| {
            let record = self.memory.record(*id);
            record.is_some_and(|record| record.kind == Kind::Lost)
        };
        let ids: Vec<Id> = due.filter(is_lost).collect();
        let mut lost = Vec::with_capacity(ids.len());
        for id in ids {
            let delay = self.memory.onward.delays.get(&id);
            let is_guessed = delay.is_some_and(Delay::is_guessed);
            lost.extend(self.letter(id)?.map(|(letter, _)| (letter, is_guessed)));
        }
        Ok(lost)
    }

    /// A message, and its file, as its line says; where that is is not known yet.
    pub(super) fn letter(&mut self, id: Id) -> Result<Option<(Letter, Stored)>, Error> {
        let line = self.line(id)?;
        let unique_id = match &line {
            Some(Entry::Intent { listing, .. }) => listing.unique_id.clone(),
            _ => None,
        };
        let record = self.memory.record(id);
        let time = record.map_or(0, |record| record.time.seconds());
        let stored = line.and_then(Entry::into_stored);
        Ok(stored.map(|stored| {
            let letter = Letter {
                path: PathBuf::from(stored.name.as_str()),
                octets: stored.octets,
                sha256: stored.digests.stored,
                unique_id,
                time,
                keeping: Keeping::Ours,
            };
            (letter, stored)
        }))
    }

    /// How many wait to be handed on.
    pub fn count_waiting(&self) -> usize {
        self.waiting_ids().count()
    }

    fn waiting_ids(&self) -> impl Iterator<Item = Id> + '_ {
        let due = self.memory.onward.due.iter().copied();
        due.filter(|id| {
            let record = self.memory.record(*id);
            record.is_some_and(|record| record.kind == Kind::Stored)
        })
    }

    /// What was being appended to a file when earlier runs were ended, wherever its own is now.
    pub fn unfinished(&mut self) -> Result<Vec<Unfinished>, Error> {
        let attempts: Vec<(Id, Attempt)> = self.memory.onward.attempts_at_files().collect();
        let mut unfinished = Vec::new();
        for (id, attempt) in attempts {
            let Some(at) = attempt.length else { continue };
            unfinished.extend(self.letter(id)?.map(|(letter, _)| Unfinished {
                path: None,
                octets: letter.octets,
                time: attempt.fetched,
                at,
            }));
        }
        Ok(unfinished)
    }

    /// A message is about to be handed on, to what stands so where it is appended; `repeat`: what that
    /// comes after. Durable on return, with what came of the one before.
    pub fn begin_handing(
        &mut self,
        DueId(id): DueId,
        standing: Option<Standing>,
        repeat: Repeat,
    ) -> Result<(), Error> {
        let time = self.time_by_now();
        let (length, from) = match standing {
            Some(Standing::File(length)) => (Some(length), None),
            Some(Standing::Folder(from)) => (None, from),
            None => (None, None),
        };
        let fetched = None;
        self.write([Entry::Handing {
            id,
            time,
            length,
            fetched,
            from,
            repeat,
        }]);
        self.settle_handing()
    }

    /// It has been taken, and is there in a folder of another account. Durable with the next one, or with
    /// [`Store::settle_handing`].
    pub fn handed(&mut self, due: DueId, located: Option<Located>) -> Result<(), Error> {
        self.end_handing(due, HandingEnd::Taken(located))
    }

    /// Nobody wants it handed on any more. Durable likewise.
    pub fn given_up(&mut self, due: DueId) -> Result<(), Error> {
        self.end_handing(due, HandingEnd::GivenUp)
    }

    pub(super) fn end_handing(&mut self, DueId(id): DueId, end: HandingEnd) -> Result<(), Error> {
        // What is in a Maildir of its owner's stays there.
        let spool = self.spool_of(id).map(Path::to_owned);
        let removed = spool.is_some();
        if let Some(spool) = spool
            && let Some(stored) = self.stored(id)?
        {
            self.passed.push((spool, stored.name));
        }
        let time = self.moment.now;
        self.write([Entry::Handed {
            id,
            time,
            removed,
            end,
        }]);
        self.flush()
    }

    /// Up to where the file is accounted for that messages are appended to.
    pub fn extent(&self) -> Option<Extent> {
        self.memory.onward.extent
    }

    /// It is so up to there. Durable as what [`Store::handed`] notes.
    pub fn account_for(&mut self, extent: Extent) -> Result<(), Error> {
        self.write([Entry::Extent(extent)]);
        self.flush()
    }

    /// It has not been taken; how often that was so, in the same way and in a row.
    pub fn not_taken(&mut self, DueId(id): DueId, how: NotTaken) -> Result<u32, Error> {
        let before = self
            .memory
            .onward
            .delays
            .get(&id)
            .filter(|delay| delay.how == how);
        let count = before.map_or(0, |delay| delay.count).saturating_add(1);
        let time = match how {
            NotTaken::Unclear => self.time_by_now(),
            NotTaken::Later | NotTaken::Refused => self.moment.now,
        };
        self.write([Entry::NotTaken {
            id,
            time,
            how,
            count,
        }]);
        self.flush()?;
        Ok(count)
    }

    /// The time of the run, and what has passed of it: a run may take hours.
    fn time_by_now(&self) -> i64 {
        let passed = i64::try_from(self.opened.elapsed().as_secs()).unwrap_or(i64::MAX);
        self.moment.now.saturating_add(passed)
    }

    /// Where a message is at least that may have been taken, in a folder of another account; as far as that was
    /// noted before it was tried first.
    pub fn tried_from(&self, DueId(id): DueId) -> Option<Located> {
        self.memory.onward.tries.get(&id)?.from
    }

    /// What the last try with it came after; `None` where there is none that may have been taken.
    pub fn repeat(&self, DueId(id): DueId) -> Option<Repeat> {
        Some(self.memory.onward.tries.get(&id)?.repeat)
    }

    /// Its owner is told to put into the Maildir at hand what waits elsewhere: it stays, and is looked into
    /// from now on.
    pub fn keep_maildir(&mut self) {
        self.begin_run();
        self.has_noted = true;
    }

    /// These are not handed on any more, as nothing takes them and their owner has said that they are fine
    /// where they are. Durable with [`Store::note_gone`].
    pub fn end_waiting(&mut self, messages: impl IntoIterator<Item = MessageId>) {
        let time = self.moment.now;
        for MessageId(id) in messages {
            if self.memory.onward.due.contains(&id) {
                self.write([Entry::Handed {
                    id,
                    time,
                    removed: false,
                    end: HandingEnd::GivenUp,
                }]);
            }
        }
    }

    /// Makes durable what came of handing on; then the files go that nobody needs any more.
    pub fn settle_handing(&mut self) -> Result<(), Error> {
        self.sync()?;
        for (spool, name) in std::mem::take(&mut self.passed) {
            self.remove_passed(&spool, &name);
        }
        Ok(())
    }

    /// Removes files that nobody waits for any more: of messages that have been handed on or given up, and
    /// damaged ones of messages that have been fetched again, or were forgotten.
    pub fn sweep_passed(&mut self) -> Result<(), Error> {
        let mut there: HashSet<String> = HashSet::new();
        let spools = self.memory.homes.paths().into_iter();
        let spools: Vec<PathBuf> = spools.filter(|path| self.passes(path)).collect();
        for spool in &spools {
            let Ok(new) = Dir::open(self.dir.disk(), &spool.join("new")) else {
                continue;
            };
            let read = new.for_each_name(|name| {
                there.extend(UniqueName::parse(name).map(|name| name.as_str().to_owned()));
            });
            read.map_err(|source| self.io_error(source))?;
        }
        // As a rule all that are there wait.
        if there.len() <= self.count_waiting() {
            return Ok(());
        }
        // Of all that have gone only the lines of these are read. One whose message was given another name since,
        // by the server, is looked for among all of them.
        let names = there
            .iter()
            .filter_map(|name| UniqueName::parse(OsStr::new(name)));
        let identities: HashSet<Identity> = names.filter_map(|name| name.identity()).collect();
        let bearers = self.memory.records.iter().map(|record| record.identity);
        let borne: HashSet<Identity> = bearers.filter(|it| identities.contains(it)).collect();
        let is_known = borne.len() == identities.len();
        let may_be_there = |record: &Record| !is_known || identities.contains(&record.identity);
        let due = &self.memory.onward.due;
        let of_nobody = self.memory.records.iter().zip(0..).filter(|(record, id)| {
            let is_done = record.gone && !due.contains(id);
            let is_given_up = matches!(record.kind, Kind::Dropped | Kind::Forgotten);
            (is_done || is_given_up && !record.is_gap()) && may_be_there(record)
        });
        let of_nobody: Vec<Id> = of_nobody.map(|(_, id)| id).collect();
        for id in of_nobody {
            let name = self.stored(id)?.map(|stored| stored.name);
            if let Some(name) = name.filter(|name| there.contains(name.as_str())) {
                spools
                    .iter()
                    .for_each(|spool| self.remove_passed(spool, &name));
            }
        }
        Ok(())
    }

    /// What cannot be removed now is removed by a later run.
    fn remove_passed(&self, spool: &Path, name: &UniqueName) {
        let new = Dir::open(self.dir.disk(), &spool.join("new"));
        let _ = new.and_then(|new| new.remove(name.as_os_str()));
    }
}
