//! Settling what a crash left: intents that neither came true nor to nothing (E1, E9).

use super::custody::Custody;
use super::record::{Entry, Id, Stored};
use super::{Error, Store, rebuild};
use crate::delivery::{self, Fate, Interrupted};
use crate::maildir::{JournalId, Maildir};
use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

impl Store {
    /// Looks up every open intent by its name, wherever a reader may have put it, and settles it.
    pub(super) fn settle_crash(&mut self, maildir: &Maildir) -> Result<(), Error> {
        let ids: Vec<Id> = self.memory.open().collect();
        let mut open = Vec::with_capacity(ids.len());
        for id in ids {
            match self.stored(id)? {
                Some(stored) => open.push((id, stored)),
                // Its line was read a moment ago. What became of it, the next run finds out.
                None => {
                    return Err(Error::Io {
                        path: self.path(),
                        source: io::ErrorKind::InvalidData.into(),
                    });
                }
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        // To settle one is to deliver it.
        self.raise()?;
        let mut search = rebuild::search(&self.memory, &self.account, maildir)?;
        let wanted: HashSet<&str> = open.iter().map(|(_, it)| it.name.as_str()).collect();
        search.look(|name| wanted.contains(name))?;
        let tags = rebuild::tags(&self.memory, &self.account);
        for path in self.maildirs_of(&open) {
            let elsewhere;
            let place = if path == maildir.path() {
                Some(maildir)
            } else {
                elsewhere = Maildir::open(maildir.disk(), &path).ok();
                elsewhere.as_ref()
            };
            let of_place = |id: Id| self.maildir_of(id).as_deref() == Some(path.as_path());
            let intents: Vec<_> = open.iter().filter(|(id, _)| of_place(*id)).collect();
            let interrupted: Vec<_> = intents
                .iter()
                .map(|(_, stored)| Interrupted {
                    name: &stored.name,
                    sized: stored.sized,
                    flags: stored.flags,
                    folder: stored.folder.as_ref(),
                    octets: stored.octets,
                    sha256: &stored.digests.stored,
                })
                .collect();
            let fates = delivery::settle(place, &tags, &interrupted, &search)?;
            let ids = intents.iter().map(|(id, _)| *id);
            for (id, fate) in ids.zip(fates) {
                match fate {
                    Fate::Delivered => self.write([Entry::Seen {
                        first: id,
                        last: id,
                    }]),
                    // Whatever took it, better one copy too many: it is fetched again.
                    Fate::Nothing => self.write([Entry::Dropped { id }]),
                }
                if fate == Fate::Delivered {
                    self.recovered.push(id);
                }
            }
        }
        self.sync()
    }

    /// Removes the account's own files from tmp/: all intents are settled, and we hold the lock, so
    /// nobody is writing them any more. Those that another journal answers for may be being written.
    pub(super) fn sweep(&self, maildir: &Maildir, custody: &Custody) -> Result<(), Error> {
        let former = self.memory.former.iter().map(|(_, journal)| *journal);
        let mut ours: Vec<JournalId> = former.chain([self.journal.id]).collect();
        if let Custody::Inherited(line) = custody {
            ours.push(line.journal);
        }
        let tags = rebuild::tags(&self.memory, &self.account);
        Ok(delivery::sweep(maildir, &tags, &ours)?)
    }

    fn maildirs_of(&self, open: &[(Id, Stored)]) -> Vec<PathBuf> {
        let paths = open.iter().filter_map(|(id, _)| self.maildir_of(*id));
        let mut paths: Vec<PathBuf> = paths.collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// Where a message was to be delivered: the Maildir at hand, where nothing else is known.
    fn maildir_of(&self, id: Id) -> Option<PathBuf> {
        let record = self.memory.record(id)?;
        let home = self.memory.homes.of_run(record.run);
        // A Maildir that was moved is the same by its id.
        let elsewhere = home.filter(|home| home.id.is_none() || home.id != self.home);
        let path = elsewhere.map_or(&self.path_of_maildir, |home| &home.path);
        Some(path.clone())
    }
}
