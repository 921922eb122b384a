//! What was delivered and no run has reported, because the one that delivered it was killed: the next
//! one reports it.

use super::record::{Entry, Id, Listing, Stored};
use super::remembered::Kind;
use super::{Error, Store, rebuild};
use crate::maildir::UniqueName;
use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

/// A message that is here, and that nobody was told of.
#[derive(Debug)]
pub struct Untold {
    /// The server's unique-id for it, where it gave one.
    pub unique_id: Option<Box<[u8]>>,
    /// As the server listed it.
    pub listed: Option<u64>,
    /// Octets of the file.
    pub octets: u64,
    /// Where it is now.
    pub path: PathBuf,
    /// SHA-256 of what was stored.
    pub sha256: [u8; 32],
    /// The first octets of the message, where they are wanted.
    pub header: Vec<u8>,
}

impl Store {
    /// Gives each message that an earlier run delivered and did not report, as far as it is still in
    /// the Maildir. With the next [`Store::reported`] they count as reported.
    pub fn each_untold(
        &mut self,
        wants_header: bool,
        each: impl FnMut(Untold),
    ) -> Result<(), Error> {
        let looked = self.look_for_untold(wants_header, each);
        // What is reported in this run comes once more then, with what could not be looked for.
        self.is_told = looked.is_ok();
        looked
    }

    fn look_for_untold(
        &mut self,
        wants_header: bool,
        mut each: impl FnMut(Untold),
    ) -> Result<(), Error> {
        let Some(maildir) = self.maildir.clone() else {
            return Ok(());
        };
        let mut files: Vec<(Listing, Stored)> = Vec::new();
        for id in self.untold() {
            // What was found in the Maildir may be years old.
            if let Some(Entry::Intent {
                listing, stored, ..
            }) = self.line(id)?
            {
                files.push((listing, stored));
            }
        }
        self.told_before = self.memory.next_id();
        if files.is_empty() {
            return Ok(());
        }
        let names: HashSet<&str> = files.iter().map(|(_, it)| it.name.as_str()).collect();
        let mut search = rebuild::search(&self.memory, &self.account, &maildir)?;
        search.look(|name| names.contains(name))?;
        for (listing, stored) in files {
            let name: &UniqueName = &stored.name;
            // Whoever took it away knows of it.
            let Some(path) = search.path(name) else {
                continue;
            };
            let header = match wants_header {
                true => search.header(name).unwrap_or_default(),
                false => Vec::new(),
            };
            each(Untold {
                unique_id: listing.unique_id,
                listed: listing.octets,
                octets: stored.octets,
                path,
                sha256: stored.digests.stored,
                header,
            });
        }
        Ok(())
    }

    fn untold(&self) -> BTreeSet<Id> {
        // A journal of the first version does not say.
        let first = self.memory.reported.unwrap_or(Id::MAX);
        let records = self.memory.records.iter().zip(0..);
        let later = records.skip(super::remembered::place_of(first));
        let stored = later.filter(|(record, _)| record.kind == Kind::Stored);
        let mut untold: BTreeSet<Id> = stored.map(|(_, id)| id).collect();
        untold.extend(&self.recovered);
        untold
    }

    /// All messages that were given out as settled so far have been reported. Not synced: a lost line
    /// costs a second report.
    pub fn reported(&mut self) {
        let is_news = |reported| reported < self.told_before;
        if self.is_told && self.memory.reported.is_none_or(is_news) {
            let before = self.told_before;
            self.write([Entry::Reported { before }]);
        }
    }

    /// Messages whose intents are written next are not reported yet, unlike all that a journal holds
    /// which never said so.
    pub(super) fn begin_telling(&mut self) {
        if self.memory.reported.is_none() {
            let before = self.memory.next_id();
            self.write([Entry::Reported { before }]);
        }
    }
}
