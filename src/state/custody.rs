//! Who delivers to a Maildir, and whether it is the one that messages were delivered to (E13): the
//! journal is believed only as far as the Maildir's own file agrees.

use super::homes::Home;
use super::journal;
use super::memory::Memory;
use super::record::{Entry, Standing as Word};
use super::remembered::{Kind, Record};
use super::{Error, Files, Opened, Store};
use crate::delivery::{Deliverer, Ground, JournalId, Maildir, MaildirId, Roster, Site};
use crate::durable::Dir;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What an account has to do with the Maildir at hand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// It never delivered there.
    New,
    /// Its file says so; at this generation.
    Ours(u64),
    /// It delivered there before Maildirs had such a file.
    Adopted,
    /// Its file names another journal, which is no more: what is there is taken in.
    Inherited(JournalId, u64),
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
) -> Result<Standing, Error> {
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
            true => Standing::Ours(line.generation),
            false => Standing::Inherited(line.journal, line.generation),
        });
    }
    let is_it =
        |home: &Home| home.path == site.path() || (home.id.is_some() && home.id == site.roster.id);
    let stored = |record: &Record| {
        let kinds = [Kind::Stored, Kind::Lost, Kind::Intended];
        kinds.contains(&record.kind) && memory.homes.of_run(record.run).is_some_and(is_it)
    };
    if !memory.records.iter().any(stored) {
        return Ok(Standing::New);
    }
    // The first version's journals never had a line anywhere.
    if !memory.homes.has_ids() && site.ground() == Ground::Whole {
        return Ok(Standing::Adopted);
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
    let file = match fs::File::open(path) {
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
        standing: &Standing,
        unsure: bool,
        opened: &mut Opened,
    ) -> Result<(), Error> {
        let known = self.memory.homes.generation;
        match standing {
            Standing::New => {}
            // Another journal may have had its turn in between, which went on from the same count.
            Standing::Ours(generation) | Standing::Inherited(_, generation)
                if *generation < known =>
            {
                opened.restored = Some(self.mark_lost(maildir, *generation)?);
                self.enrol(maildir, known)?;
            }
            Standing::Ours(_) => {}
            Standing::Adopted => {
                let id = self.enrol(maildir, known)?;
                self.write([Entry::Home {
                    maildir: maildir.path().to_owned(),
                    maildir_id: id,
                    standing: Word::Adopted,
                }]);
                self.sync()?;
                opened.adopted = true;
            }
            Standing::Inherited(..) => opened.inherited = !opened.is_rebuilt,
        }
        let (ahead, generation) = match standing {
            Standing::Ours(generation) => (*generation > known, *generation),
            Standing::Inherited(_, generation) => (true, *generation),
            Standing::New | Standing::Adopted => (false, known),
        };
        if self.learn_former_ids(maildir)? || ahead || unsure {
            opened.found += self.take_in_delivered(maildir)?;
        }
        if ahead {
            self.write([Entry::Generation(generation.max(known))]);
            self.sync()?;
        }
        if matches!(standing, Standing::Inherited(..)) {
            self.enrol(maildir, generation.max(known))?;
        }
        self.find_lost(maildir)?;
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

    /// The Maildir is restored from a backup of this generation: what was recorded since and is
    /// missing in it is to be fetched again. Durable on return. Gives the number.
    fn mark_lost(&mut self, maildir: &Maildir, generation: u64) -> Result<u64, Error> {
        let homes = &self.memory.homes;
        let since = self.memory.records.iter().zip(0..).filter(|(record, _)| {
            let later = homes
                .run(record.run)
                .is_some_and(|run| run.generation > generation);
            let here = homes
                .of_run(record.run)
                .is_some_and(|home| home.id == self.home);
            record.kind == Kind::Stored && !record.gone && later && here
        });
        let since: Vec<_> = since.map(|(_, id)| id).collect();
        let missing = self.missing(&since, maildir)?;
        for id in &missing {
            self.write([Entry::Again { id: *id }]);
        }
        self.sync()?;
        Ok(missing.len() as u64)
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
    pub(super) fn enrol(&mut self, maildir: &Maildir, generation: u64) -> Result<MaildirId, Error> {
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
        };
        let id = maildir.enrol(&deliverer, &self.memory.former, self.home)?;
        self.home = Some(id);
        Ok(id)
    }

    /// Raises the generation before the first delivery of a run, in the Maildir first: a Maildir or
    /// a state that is restored from a backup is found out by it. Durable with the next intents.
    pub(super) fn raise(&mut self) -> Result<(), Error> {
        let Some(maildir) = self.maildir.clone().filter(|_| !self.raised) else {
            return Ok(());
        };
        let generation = (self.memory.homes.generation + 1) | 1;
        self.enrol(&maildir, generation)?;
        self.raised = true;
        // A new Maildir has an id only now.
        self.begun = false;
        self.memory.homes.generation = generation;
        self.begin_run();
        Ok(())
    }

    /// Raises it once more, after the last delivery.
    pub(super) fn raise_again(&mut self) -> Result<(), Error> {
        let Some(maildir) = self.maildir.clone().filter(|_| self.raised) else {
            return Ok(());
        };
        self.raised = false;
        let generation = self.memory.homes.generation + 1;
        self.enrol(&maildir, generation)?;
        self.write([Entry::Generation(generation)]);
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
                self.seen.push((id, line.generation));
            }
        }
        Ok(())
    }
}
