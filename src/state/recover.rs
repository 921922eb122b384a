//! Opening a journal: reading it, and settling what a crash left (TRUST.md 4.3).

use super::journal::{self, Header, Journal};
use super::lock::Mark;
use super::memory::{Memory, OpenIntent};
use super::rebuild::{self, Loaded};
use super::record::{Entry, Id};
use super::{Error, Files, Opened, Store};
use crate::delivery::{AccountTag, Location, Maildir, UniqueName};
use crate::durable::Dir;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

/// Reads the account's journal, or makes it again from the Maildir where it is lost or damaged.
pub(super) fn load(
    dir: &Dir,
    files: &Files,
    account: &str,
    maildir: &Maildir,
    mark: Option<Mark>,
) -> Result<Loaded, Error> {
    let io = |source| Error::Io {
        path: dir.path().join(&files.journal),
        source,
    };
    let mark = mark.unwrap_or_default();
    let header = journal::read_header(dir, &files.journal, account).map_err(io)?;
    let mut memory = Memory::new(account);
    let generation = match header {
        Some(Header::Ours { generation }) => generation,
        Some(Header::OtherVersion(version)) => {
            let path = dir.path().join(&files.journal);
            return Err(Error::OtherVersion { path, version });
        }
        Some(Header::Foreign) => return rebuild::from_maildir(dir, files, account, maildir, mark),
        None if mark.length > 0 => {
            return rebuild::from_maildir(dir, files, account, maildir, mark);
        }
        None => {
            // Never used, or all of the state directory is lost: the Maildir knows.
            let file = dir.open_or_create(&files.journal).map_err(io)?;
            file.check_sole_name().map_err(io)?;
            let mut journal = Journal::begin(file, account, mark.generation.max(1));
            let found = rebuild::add_missing(&mut journal, &mut memory, account, maildir, dir)?;
            // The file's name must be durable before anything in it can count as such.
            journal.sync().and_then(|()| dir.sync()).map_err(io)?;
            let rebuilt = (found > 0).then_some((None, found));
            let opened = Opened {
                rebuilt,
                recovered: 0,
            };
            return Ok(Loaded {
                journal,
                memory,
                opened,
            });
        }
    };
    let mut file = dir.open_or_create(&files.journal).map_err(io)?;
    let reading = file
        .reader()
        .and_then(|input| journal::read(input, |entry| memory.apply(entry)))
        .map_err(io)?;
    let lost_its_end = (mark.generation, mark.length) > (generation, reading.good)
        && mark.generation >= generation;
    if reading.damaged || lost_its_end {
        return rebuild::from_lines(
            dir,
            files,
            account,
            maildir,
            generation.max(mark.generation),
        );
    }
    let mut journal = Journal::resume(file, reading.good, generation).map_err(io)?;
    let mut opened = Opened::default();
    // The last run did not end well, so a line may be lost that had been synced.
    let unsure = reading.torn || mark.generation != generation || mark.length != reading.good;
    if unsure {
        let found = rebuild::add_missing(&mut journal, &mut memory, account, maildir, dir)?;
        if found > 0 {
            journal.sync().map_err(io)?;
            opened.rebuilt = Some((None, found));
        }
    }
    Ok(Loaded {
        journal,
        memory,
        opened,
    })
}

/// What becomes of an open intent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Delivered,
    Nothing,
}

impl Store {
    /// Looks up every open intent by its name and settles it; removes from tmp/ what has none.
    /// Gives the number of messages that turned out to be delivered.
    pub(super) fn settle_crash(&mut self, maildir: &Maildir) -> Result<u64, Error> {
        let tag = AccountTag::new(&self.account);
        let open = self.memory.open.clone();
        let mut recovered = 0;
        for path in self.maildirs_of(&open) {
            let elsewhere;
            let place = if path == maildir.path() {
                Some(maildir)
            } else {
                elsewhere = Maildir::open(self.dir.disk(), &path, false).ok();
                elsewhere.as_ref()
            };
            let of_place = |intent: &OpenIntent| self.maildir_of(intent) == Some(path.as_path());
            let intents: Vec<(Id, OpenIntent)> = open
                .iter()
                .filter(|(_, intent)| of_place(intent))
                .map(|(id, intent)| (*id, intent.clone()))
                .collect();
            let fates = match place {
                Some(place) => self.settle_in(place, tag, &intents)?,
                // A Maildir that is not there any more holds no message: better one twice.
                None => intents.iter().map(|(id, _)| (*id, Fate::Nothing)).collect(),
            };
            for (id, fate) in fates {
                match fate {
                    Fate::Delivered => self.write([Entry::Seen {
                        first: id,
                        last: id,
                    }]),
                    Fate::Nothing => self.write([Entry::Dropped { id }]),
                }
                recovered += u64::from(fate == Fate::Delivered);
            }
        }
        if !open.is_empty() {
            self.sync()?;
        }
        sweep(maildir, tag)?;
        Ok(recovered)
    }

    fn settle_in(
        &self,
        maildir: &Maildir,
        tag: AccountTag,
        intents: &[(Id, OpenIntent)],
    ) -> Result<Vec<(Id, Fate)>, Error> {
        let mut in_tmp = HashSet::new();
        maildir.for_each_in_tmp(tag, |name, _| {
            in_tmp.insert(name);
        })?;
        let mut delivered = HashMap::new();
        maildir.for_each_delivered(tag, |name, location| {
            delivered.insert(name, location);
        })?;
        let boot = &self.run.boot;
        let mut fates = Vec::with_capacity(intents.len());
        for (id, intent) in intents {
            let name = &intent.stored.name;
            let this_boot = !boot.is_empty() && self.boot_of(intent) == Some(boot);
            let fate = match (in_tmp.contains(name), delivered.contains_key(name)) {
                (true, true) => {
                    maildir.remove_tmp(name)?;
                    Fate::Delivered
                }
                (true, false) if is_whole(maildir, intent) => {
                    maildir.roll_forward(name)?;
                    Fate::Delivered
                }
                (true, false) => Fate::Nothing,
                (false, true) => Fate::Delivered,
                // It was renamed, and then someone moved it on or removed it.
                (false, false) if this_boot => Fate::Delivered,
                // A power cut took the name. If it is still listed it is fetched again; if not, it
                // had been deleted there, and so had been durable here.
                (false, false) => Fate::Nothing,
            };
            fates.push((*id, fate));
        }
        maildir.sync_new()?;
        Ok(fates)
    }

    fn maildirs_of(
        &self,
        open: &std::collections::BTreeMap<Id, OpenIntent>,
    ) -> Vec<std::path::PathBuf> {
        let mut paths: Vec<_> = open
            .values()
            .filter_map(|intent| self.maildir_of(intent))
            .map(Path::to_owned)
            .collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    fn maildir_of(&self, intent: &OpenIntent) -> Option<&Path> {
        let run = self.memory.runs.get(intent.run);
        Some(run.map_or(self.run.maildir.as_path(), |run| run.maildir.as_path()))
    }

    fn boot_of(&self, intent: &OpenIntent) -> Option<&str> {
        self.memory
            .runs
            .get(intent.run)
            .map(|run| run.boot.as_str())
    }
}

fn is_whole(maildir: &Maildir, intent: &OpenIntent) -> bool {
    let examined: io::Result<_> = maildir.examine(&intent.stored.name, &Location::Tmp);
    examined.is_ok_and(|(octets, digests)| {
        octets == intent.stored.octets && digests.stored == intent.stored.digests.stored
    })
}

/// Removes the account's own files from tmp/: all intents are settled, and we hold the lock, so
/// nobody is writing them any more.
fn sweep(maildir: &Maildir, tag: AccountTag) -> Result<(), Error> {
    let mut stale: Vec<UniqueName> = Vec::new();
    maildir.for_each_in_tmp(tag, |name, _| stale.push(name))?;
    for name in &stale {
        maildir.remove_tmp(name)?;
    }
    Ok(())
}
