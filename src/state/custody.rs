//! Who delivers to a Maildir, and whether it is the one that messages were delivered to (E13): the
//! journal is believed only as far as the Maildir's own file agrees.

use super::homes::Home;
use super::journal;
use super::memory::Memory;
use super::onward::waits_in;
use super::parting::Parting;
use super::record::{Entry, Id, Taken};
use super::remembered::{Kind, Record};
use super::{Error, Files, Opened, Store, rebuild};
use crate::durable::{Dir, Disk};
use crate::maildir::{
    Deliverer, Ground, JournalId, Maildir, MaildirId, Nonce, Nonces, Roster, Search, Site,
};
use crate::named;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What an account has to do with the Maildir at hand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Custody {
    /// It never delivered there.
    New,
    /// Its file says so, in this line.
    Ours(Deliverer),
    /// It delivered there before Maildirs had such a file.
    Adopted,
    /// Its file names another journal, which is no more: what is there is taken in.
    Inherited(Deliverer),
}

/// Whether it is the very Maildir of the account as it was before its first delivery there: restored from a
/// backup. Others deliver there, and nothing of it is there yet: a line that was lost beside its mail tells nothing
/// of what its owner has removed.
fn is_older(memory: &Memory, site: &Site, disk: &Disk) -> bool {
    let is_same = |home: &Home| home.vouches && home.id.is_some() && home.id == site.roster.id;
    if !site.roster.is_understood() || !memory.homes.all.iter().any(is_same) {
        return false;
    }
    let mut search = Search::new(rebuild::tags(memory, &memory.account));
    let looked = search.add(disk, site.path());
    let names = looked.and_then(|()| search.look_for_names(|_| true));
    search.unread().is_none() && names.is_ok_and(|names| names.is_empty())
}

/// Judges without changing anything. `id` is that of the account's journal, if it has one.
///
/// # Errors
/// Where the Maildir is not the one that it should be, or is somebody else's.
pub(super) fn judge(
    memory: &Memory,
    id: Option<JournalId>,
    site: &Site,
    dir: &Dir,
    files: &Files,
    name: &str,
) -> Result<Custody, Error> {
    if let Some(line) = site.roster.of(&memory.account, &memory.former) {
        let ours = dir.path().join(&files.journal);
        let former = line.account != memory.account;
        if line.path != ours && !former && stands(&line.path, line.journal, &ours) {
            return Err(Error::Rival {
                maildir: site.path().to_owned(),
                theirs: line.path.clone(),
                ours,
            });
        }
        return Ok(match id == Some(line.journal) || former {
            true => Custody::Ours(line.clone()),
            false => Custody::Inherited(line.clone()),
        });
    }
    let is_it =
        |home: &Home| home.path == site.path() || (home.id.is_some() && home.id == site.roster.id);
    let stored = |record: &Record| {
        let kinds = [Kind::Stored, Kind::Lost, Kind::Intended];
        kinds.contains(&record.kind) && memory.homes.of_run(record.run).is_some_and(is_it)
    };
    if !memory.records.iter().any(stored) {
        return Ok(Custody::New);
    }
    // The first version's journals never had a line anywhere.
    if !memory.homes.has_ids() && site.ground() == Ground::Whole {
        return Ok(Custody::Adopted);
    }
    if let Some(id) = id.filter(|_| is_older(memory, site, dir.disk())) {
        return Ok(Custody::Ours(Deliverer {
            account: memory.account.clone(),
            former: Vec::new(),
            journal: id,
            path: dir.path().join(&files.journal),
            generation: 0,
            nonces: Nonces::default(),
            brought: Vec::new(),
        }));
    }
    if waits_in(dir, site.path()) {
        return Err(Error::SpoolNotSeen {
            spool: site.path().to_owned(),
            name: name.to_owned(),
        });
    }
    Err(Error::NotSeen {
        maildir: site.path().to_owned(),
        is_there: site.ground() != Ground::Nothing,
        name: name.to_owned(),
    })
}

/// The ids that the account has or had.
pub(super) fn ids(memory: &Memory) -> Vec<&str> {
    let former = memory.former.iter().map(|(id, _)| id.as_str());
    former.chain([memory.account.as_str()]).collect()
}

/// Whether a journal of this id is at the path. One that cannot be read is there. `ours` is another
/// file, or the same by another path.
fn stands(path: &Path, id: JournalId, ours: &Path) -> bool {
    let file = match named::open(path) {
        Err(error) => return error.kind() != io::ErrorKind::NotFound,
        Ok(file) => file,
    };
    let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    if let (Ok(there), Ok(here)) = (file.metadata().map(place), fs::metadata(ours).map(place))
        && there == here
    {
        return false;
    }
    journal::id_of(file).map_or(true, |found| found == Some(id))
}

impl Store {
    /// Brings journal and Maildir to agree before anything is delivered.
    pub(super) fn take_charge(
        &mut self,
        maildir: &Maildir,
        custody: &Custody,
        unsure: bool,
        opened: &mut Opened,
    ) -> Result<(), Error> {
        let known = self.memory.homes.generation;
        let line = match custody {
            Custody::New | Custody::Adopted => None,
            Custody::Ours(line) | Custody::Inherited(line) => Some(line),
        };
        // Whoever rewrites the line keeps what it says of them.
        self.lost_imports = line.map_or_else(Vec::new, |line| self.memory.lost_of(line));
        let is_inherited = matches!(custody, Custody::Inherited(..));
        let parting = line.map_or(Parting::NONE, |line| self.parting_from(line));
        if *custody == Custody::Adopted {
            let nonces = self.memory.homes.nonces.clone();
            let id = self.enrol(maildir, known, &nonces)?;
            self.write([Entry::Home {
                maildir: maildir.path().to_owned(),
                maildir_id: id,
                taken: Taken::Adopted,
            }]);
            self.sync()?;
            opened.adopted = true;
        }
        opened.inherited = is_inherited && !opened.is_rebuilt;
        if parting.is_behind() {
            let (lost, unsure) = self.mark_lost(maildir, parting)?;
            opened.restored = (parting.lost < u64::MAX).then_some(lost);
            opened.unsure = unsure;
            opened.hidden = self.hidden(maildir);
        }
        // One that was made again from the Maildir knows the generation, and not what is behind it.
        let ahead = parting.ahead || is_inherited || (opened.is_rebuilt && line.is_some());
        // An older backup may hold what was given up when a still older one lacked it.
        if self.learn_former_ids(maildir)? || ahead || parting.is_behind() || unsure {
            // Lines of what is found here without one in the Maildir's file look like those of a
            // Maildir that is another now.
            let is_new = *custody == Custody::New;
            if is_new && (opened.found > 0 || self.has_files_in(maildir)?) {
                let nonces = self.memory.homes.nonces.clone();
                self.enrol(maildir, known, &nonces)?;
            }
            opened.found += self.take_in_delivered(maildir)?;
        }
        if let Some(line) = line {
            let generation = line.generation.max(known);
            if ahead {
                let nonces = line.nonces.clone();
                self.write([Entry::Generation { generation, nonces }]);
                self.sync()?;
            }
            // What is marked, and what was taken in, is durable: the two agree from here on.
            if is_inherited || parting.is_behind() {
                let nonces = self.memory.homes.nonces.clone();
                self.enrol(maildir, generation, &nonces)?;
            }
        }
        self.find_lost(maildir)?;
        self.look_for_imports(maildir, line, opened.is_rebuilt)?;
        self.see_homes(maildir)
    }

    /// The ids that the account had before its state was moved stand in the Maildir's file as well:
    /// a state that is lost since, or older, does not know that there are files of theirs. Tells
    /// whether there is any.
    fn learn_former_ids(&mut self, maildir: &Maildir) -> Result<bool, Error> {
        let roster = maildir.roster()?;
        let line = roster.of(&self.account, &[]);
        let mut former: Vec<String> = line.map_or_else(Vec::new, |line| line.former.clone());
        former.retain(|account| !ids(&self.memory).contains(&account.as_str()));
        let any = !former.is_empty();
        for account in former {
            self.write([Entry::Former {
                account,
                // Nobody knows any more.
                journal: JournalId::default(),
            }]);
        }
        if any {
            self.sync()?;
        }
        Ok(any)
    }

    /// Whether any file in the Maildir bears the account's name, though no line of its says so: its state
    /// was moved to another account, say.
    fn has_files_in(&self, maildir: &Maildir) -> Result<bool, Error> {
        let mut search = Search::new(rebuild::tags(&self.memory, &self.account));
        search.add(maildir.disk(), maildir.path())?;
        Ok(!search.look_for_names(|_| true)?.is_empty())
    }

    fn parting_from(&self, line: &Deliverer) -> Parting {
        let homes = &self.memory.homes;
        let maildir = (line.generation, &line.nonces);
        Parting::between(maildir, (homes.generation, &homes.nonces))
    }

    /// The Maildir is restored from a backup: what was recorded since, or since the two have parted,
    /// and is missing in it is to be fetched again; where nobody can tell, it is not to be deleted.
    /// Durable on return. Gives the numbers of both.
    fn mark_lost(&mut self, maildir: &Maildir, parting: Parting) -> Result<(u64, u64), Error> {
        let homes = &self.memory.homes;
        let is_after = |record: &Record, generation| {
            let run = homes.run(record.run);
            run.is_some_and(|run| run.generation > generation)
        };
        let since = self.memory.records.iter().zip(0..).filter(|(record, _)| {
            let later = is_after(record, parting.since());
            let here = homes
                .of_run(record.run)
                .is_some_and(|home| home.id == self.home);
            record.kind == Kind::Stored && !record.gone && later && here
        });
        let since = since.map(|(record, id)| (id, is_after(record, parting.lost)));
        let are_lost: HashMap<Id, bool> = since.collect();
        let mut since: Vec<Id> = are_lost.keys().copied().collect();
        since.sort_unstable();
        let (mut lost, mut unsure) = (0, 0);
        for id in self.missing(&since, maildir)? {
            let is_lost = are_lost.get(&id).copied().unwrap_or(true);
            let is_held = self.memory.record(id).is_some_and(|record| record.held);
            match is_lost {
                true => self.write([Entry::Again { id }]),
                false if is_held => {}
                false => self.write([Entry::Doubtful { id }]),
            }
            match is_lost {
                true => lost += 1,
                false => unsure += 1,
            }
        }
        self.sync()?;
        Ok((lost, unsure))
    }

    /// How many messages were delivered to another Maildir at the path of this one, and are not
    /// accounted for.
    fn hidden(&self, maildir: &Maildir) -> u64 {
        let homes = &self.memory.homes;
        let is_other =
            |home: &Home| home.path == maildir.path() && home.id.is_some() && home.id != self.home;
        let records = self.memory.records.iter();
        let hidden = records.filter(|record| {
            record.kind == Kind::Stored
                && !record.gone
                && homes.of_run(record.run).is_some_and(is_other)
        });
        hidden.count() as u64
    }

    /// A newer backup may have brought back what an older one lacked.
    fn find_lost(&mut self, maildir: &Maildir) -> Result<(), Error> {
        let records = self.memory.records.iter().zip(0..);
        let lost = records.filter(|(record, _)| record.kind == Kind::Lost);
        let lost: Vec<_> = lost.map(|(_, id)| id).collect();
        if lost.is_empty() {
            return Ok(());
        }
        let missing: HashSet<_> = self.missing(&lost, maildir)?.into_iter().collect();
        for id in lost.into_iter().filter(|id| !missing.contains(id)) {
            let is_held = self.memory.record(id).is_some_and(|record| record.held);
            self.write([Entry::Back { id }]);
            if is_held {
                self.write([Entry::Doubtful { id }]);
            }
        }
        self.sync()
    }

    /// Notes in the Maildir that this journal delivers to it.
    pub(super) fn enrol(
        &mut self,
        maildir: &Maildir,
        generation: u64,
        nonces: &Nonces,
    ) -> Result<MaildirId, Error> {
        let deliverer = Deliverer {
            account: self.account.clone(),
            former: self
                .memory
                .former
                .iter()
                .map(|(id, _)| id.clone())
                .collect(),
            journal: self.journal.id,
            path: self.path(),
            generation,
            nonces: nonces.thinned(),
            brought: self.imports_to_note(),
        };
        let id = maildir.enrol(&deliverer, &self.memory.former, self.home)?;
        self.home = Some(id);
        self.is_enrolled = true;
        Ok(id)
    }

    /// Raises the generation before the first delivery of a run, in the Maildir first: a Maildir or
    /// a state that is restored from a backup is found out by it. Durable with the next intents.
    pub(super) fn raise(&mut self) -> Result<(), Error> {
        let Some(maildir) = self.maildir.clone().filter(|_| self.raised.is_none()) else {
            return Ok(());
        };
        let generation = (self.memory.homes.generation + 1) | 1;
        let nonce = Nonce::draw().map_err(|source| self.io_error(source))?;
        let mut nonces = self.memory.homes.nonces.clone();
        nonces.add(generation, nonce);
        self.enrol(&maildir, generation, &nonces)?;
        self.raised = Some(nonce);
        // A new Maildir has an id only now.
        self.begun = false;
        self.memory.homes.generation = generation;
        self.begin_run();
        Ok(())
    }

    /// Raises it once more, after the last delivery.
    pub(super) fn raise_again(&mut self) -> Result<(), Error> {
        let Some(maildir) = self.maildir.clone().filter(|_| self.raised.is_some()) else {
            return Ok(());
        };
        self.raised = None;
        let generation = self.memory.homes.generation + 1;
        let nonces = self.memory.homes.nonces.clone();
        self.enrol(&maildir, generation, &nonces)?;
        let nonces = Nonces::default();
        self.write([Entry::Generation { generation, nonces }]);
        Ok(())
    }

    /// The roots of the Maildirs that were used earlier and are there: their files may have to be
    /// looked for.
    pub fn other_maildirs(&self) -> Vec<Dir> {
        let paths = self.memory.homes.paths().into_iter();
        let others = paths.filter(|path| *path != self.path_of_maildir);
        others
            .filter_map(|path| Dir::open_linked(self.dir.disk(), &path).ok())
            .collect()
    }

    /// All Maildirs that messages of the account were stored in, whether they are there or not.
    pub fn paths_of_maildirs(&self) -> Vec<PathBuf> {
        self.memory.homes.paths()
    }

    /// Looks which of the Maildirs are there, with the account's line in them.
    fn see_homes(&mut self, maildir: &Maildir) -> Result<(), Error> {
        for home in &self.memory.homes.all {
            let roster = match home.path == maildir.path() {
                true => maildir.roster()?,
                // What cannot be looked at is not seen.
                false => Site::look(maildir.disk(), &home.path)
                    .map_or_else(|_| Roster::default(), |site| site.roster),
            };
            let line = roster.of(&self.account, &self.memory.former);
            if let (Some(id), Some(line)) = (home.id.filter(|id| roster.id == Some(*id)), line) {
                let removed = self.parting_from(line).since().min(line.generation);
                self.seen.push((id, removed));
            }
        }
        Ok(())
    }
}
