//! An account whose Maildir is another one each year or month: the next is begun only while the one before
//! is seen (E13), and those before are known to a state that was lost.

use super::claim::Claim;
use super::memory::Memory;
use super::onward::waits_in;
use super::record::Entry;
use super::{Error, Store, View};
use crate::durable::Dir;
use crate::maildir::Site;
use std::path::PathBuf;

impl Claim {
    /// Fails where mail was delivered to another Maildir until now that is not seen with the account's
    /// line: its disk is not mounted, as likely as not, and the next one would lie beneath it.
    pub fn check_before(&self, site: &Site) -> Result<(), Error> {
        check(&self.memory, &self.dir, site, &self.name)
    }
}

impl View {
    /// The same without the lock; `name` is what its owner calls the account.
    pub fn check_before(&self, site: &Site, name: &str) -> Result<(), Error> {
        let Some(dir) = &self.dir else {
            return Ok(());
        };
        check(&self.memory, dir, site, name)
    }
}

fn check(memory: &Memory, dir: &Dir, site: &Site, name: &str) -> Result<(), Error> {
    let homes = &memory.homes;
    let mut runs = memory.records.iter().rev().map(|record| record.run);
    let last = runs.find_map(|run| {
        let home = homes.of_run(run)?;
        (!waits_in(dir, &home.path)).then_some(home)
    });
    // The owner's word is newer than what was delivered.
    let accepted = homes.of_run(homes.last_run());
    let is_it = accepted.is_some_and(|home| home.path == site.path());
    let Some(before) = last.filter(|home| !is_it && home.path != site.path()) else {
        return Ok(());
    };
    let is_seen = Site::look(dir.disk(), &before.path).is_ok_and(|there| {
        let line = there.roster.of(&memory.account, &memory.former);
        before.id.is_none() || (there.roster.id == before.id && line.is_some())
    });
    match is_seen {
        true => Ok(()),
        false => Err(Error::BeforeNotSeen {
            maildir: site.path().to_owned(),
            before: before.path.clone(),
            name: name.to_owned(),
        }),
    }
}

impl Store {
    /// Learns of Maildirs that the account has delivered to, as their own files say, and that the journal
    /// does not name. Tells whether there are any.
    pub(super) fn learn_homes(&mut self, earlier: &[PathBuf]) -> bool {
        let known = self.memory.homes.paths();
        let mut found = false;
        for path in earlier.iter().filter(|path| !known.contains(path)) {
            let Ok(site) = Site::look(self.dir.disk(), path) else {
                continue;
            };
            if site.roster.of(&self.account, &self.memory.former).is_none() {
                continue;
            }
            found = true;
            self.write([Entry::Began {
                time: self.moment.now,
                boot: String::new(),
                maildir: path.clone(),
                maildir_id: site.roster.id,
                generation: 0,
                nonce: None,
            }]);
        }
        // What follows is this run's again.
        self.begun &= !found;
        found
    }
}
