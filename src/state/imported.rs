//! Names of messages that another tool has fetched: they are known without evidence (E11).
//!
//! Such a message is stored elsewhere, wherever its owner had that tool put it. It is never fetched,
//! and takes the size of its first listing. Should it be gone from a complete listing and come back
//! with another size, the name stands for another message. It is deleted only where its owner said
//! that it may be, and where its size is what it was. Of some nobody has kept the names: see `nameless`.

use super::marked::is_not_size_of;
use super::memory::Memory;
use super::proof::Same;
use super::record::{Entry, Id, Listing, MarkedBy, Origin};
use super::remembered::{Kind, Record};
use super::{Error, Store};
use crate::maildir::{Brought, Deliverer, Maildir, Nonces, Site};
use crate::maildrop::{Identity, Maildrop};
use crate::message;

/// What another tool knows of one maildrop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Import {
    /// Which tool, and what it did with mail.
    pub origin: Origin,
    /// Its owner says that `keep` may delete what it has fetched.
    pub may_delete: bool,
    /// The unique-ids.
    pub names: Vec<Name>,
    /// Messages that it has stored, and of which nobody has kept the unique-ids.
    pub nameless: Vec<message::Examined>,
}

/// A message that another tool has fetched.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Name {
    /// Its unique-id as that tool wrote it.
    pub unique_id: Box<[u8]>,
    /// When it first saw it, in seconds since 1970, where it says so.
    pub first_seen: Option<i64>,
}

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Imported {
    /// Messages that were not known.
    pub new: u64,
    /// Messages that were.
    pub known: u64,
}

/// Proof that a listed message is stored elsewhere, on its owner's word, who lets it be deleted:
/// there is no file of ours to look for.
#[derive(Debug)]
pub struct Elsewhere(Same);

impl Elsewhere {
    pub(super) fn into_same(self) -> Same {
        self.0
    }
}

impl Store {
    /// Takes in what another tool knows; durable on return. What is known already is left as it is,
    /// except that a name may be released for deletion.
    pub fn import(&mut self, import: &Import) -> Result<Imported, Error> {
        let mut imported = Imported::default();
        let by = MarkedBy::Import {
            may_delete: import.may_delete,
        };
        let is_needed = |name: &Name| {
            let identity = Identity::new(&self.account, &name.unique_id);
            match self.memory.known_as(identity) {
                Some((_, kind)) => kind == Kind::Imported && import.may_delete,
                None => true,
            }
        };
        let was_told = self.memory.has_imported || self.memory.awaited().is_some();
        // What a damaged journal lost is not lost any more once its tool has spoken again.
        let mut lost = self.lost_imports.iter();
        let is_lost = lost.any(|lost| lost.tool == import.origin.tool);
        let is_name_needed = import.names.iter().any(is_needed);
        let nameless = self.compare_nameless(import)?;
        if was_told && !is_lost && !is_name_needed && nameless.are_known() {
            imported.known = (import.names.len() + import.nameless.len()) as u64;
            return Ok(imported);
        }
        // No run of a fetch stands behind these lines, and no Maildir: they have no B line.
        self.add(Entry::Import(Origin {
            time: self.time_of_import(import.origin.time),
            ..import.origin.clone()
        }));
        for name in &import.names {
            let identity = Identity::new(&self.account, &name.unique_id);
            let time = name.first_seen.unwrap_or(import.origin.time);
            let listing = Listing {
                unique_id: Some(name.unique_id.clone()),
                octets: None,
                turn: 0,
            };
            match self.memory.known_as(identity) {
                Some((_, Kind::Imported)) if import.may_delete => imported.known += 1,
                Some(_) => {
                    imported.known += 1;
                    continue;
                }
                None => imported.new += 1,
            }
            if let Some((id, _)) = self.memory.known_as(identity) {
                self.add(Entry::Forgotten { id });
            }
            let id = self.memory.next_id();
            self.add(Entry::Marked {
                id,
                time,
                listing,
                by: by.clone(),
            });
            let flushed = self.journal.flush_if_large();
            flushed.map_err(|source| self.io_error(source))?;
        }
        self.take_nameless(&nameless, import.origin.time, &by, &mut imported)?;
        self.sync()?;
        Ok(imported)
    }

    /// Where names came from that have not been held against a listing yet.
    pub fn awaited(&self) -> Option<&Origin> {
        self.memory.awaited()
    }

    /// A listing is held against the imported names: those that it has are of these sizes from here
    /// on. Durable on return, before anything is fetched, where it is the first.
    pub fn note_imported(&mut self, maildrop: &Maildrop) -> Result<(), Error> {
        let time = self.moment.now;
        if self.memory.has_imported {
            for place in 0..maildrop.len() {
                let Some(message) = maildrop.message(place) else {
                    continue;
                };
                let Some(id) = self.memory.claimed(&message) else {
                    continue;
                };
                let is_news = self.memory.record(id).is_some_and(|record| {
                    record.kind.is_imported()
                        && (record.octets.value().is_none() && message.octets.is_some()
                            || record.is_absent()
                            || record.deleted)
                });
                if is_news {
                    let listing = Listing::of(&message);
                    self.write([Entry::Alias { id, time, listing }]);
                    let flushed = self.journal.flush_if_large();
                    flushed.map_err(|source| self.io_error(source))?;
                }
            }
        }
        if self.memory.awaited().is_some() && !self.is_first() {
            self.write([Entry::Baseline { time }]);
            self.sync()?;
        }
        Ok(())
    }

    /// An import is later than those before it, whatever the clock says: a journal from in between is
    /// told by that.
    fn time_of_import(&self, now: i64) -> i64 {
        let before = self.memory.brought.iter().chain(&self.noted_imports);
        let latest = before.map(|it| it.time).max();
        latest.map_or(now, |latest| now.max(latest.saturating_add(1)))
    }

    /// Takes in, before an import, what the Maildir says of those before it.
    pub fn heed_imports(&mut self, site: &Site) {
        let line = site.roster.of(&self.account, &self.memory.former);
        self.noted_imports = line.map_or_else(Vec::new, |line| line.brought.clone());
        self.lost_imports = line.map_or_else(Vec::new, |line| self.memory.lost_of(line));
    }

    /// The imports whose names the journal had, as the Maildir says, and has no more: what it lists as
    /// new may be stored elsewhere.
    pub fn lost_imports(&self) -> &[Brought] {
        &self.lost_imports
    }

    /// What the Maildir is to know: the imports that are lost stay so until names come again.
    pub(super) fn imports_to_note(&self) -> Vec<Brought> {
        let mut noted = self.lost_imports.clone();
        let known = self.memory.known_imports().iter();
        let is_lost = |it: &Brought| self.lost_imports.iter().any(|lost| lost.tool == it.tool);
        noted.extend(known.filter(|it| !is_lost(it)).cloned());
        noted.sort_by(|one, other| one.tool.cmp(&other.tool));
        noted
    }

    /// Their owner takes all that is listed and not known for new. Durable on return.
    pub fn give_up_imports(&mut self) -> Result<(), Error> {
        if !self.lost_imports.is_empty() {
            self.lost_imports.clear();
            self.note_in_maildir()?;
        }
        Ok(())
    }

    /// Notes in the Maildir, once it is there, that the journal has names which are not in it; where
    /// that cannot be, a fetch does so. An account with history comes to a Maildir by a fetch alone, and
    /// so does one whose line is another journal's.
    pub fn note_imports(&mut self, site: &Site) -> Result<(), Error> {
        let line = site.roster.of(&self.account, &self.memory.former);
        let is_ours = match line {
            Some(line) => line.journal == self.journal.id,
            None => self.memory.homes.all.is_empty(),
        };
        if !is_ours || self.memory.known_imports().is_empty() {
            return Ok(());
        }
        self.lost_imports = line.map_or_else(Vec::new, |line| self.memory.lost_of(line));
        let maildir = site.settle(self.dir.disk(), line.is_some())?;
        self.home = site.roster.id;
        // The two are as they were: a fetch compares them.
        match line {
            Some(line) => self.enrol(&maildir, line.generation, &line.nonces)?,
            None => self.enrol(&maildir, 0, &Nonces::default())?,
        };
        Ok(())
    }

    /// Tells the Maildir of an import that it does not know of. What is left of a damaged journal may be
    /// anything.
    pub(super) fn look_for_imports(
        &mut self,
        maildir: &Maildir,
        line: Option<&Deliverer>,
        is_rebuilt: bool,
    ) -> Result<(), Error> {
        let noted = line.map_or_else(Vec::new, |line| line.brought.clone());
        let latest = self.memory.brought.iter().map(|it| it.time).max();
        if let (true, Some(latest)) = (is_rebuilt, latest) {
            let lost = noted.iter().map(|noted| Brought {
                // So that it stays so until names come again.
                time: noted.time.max(latest.saturating_add(1)),
                tool: noted.tool.clone(),
            });
            self.lost_imports = lost.collect();
        }
        match self.imports_to_note() {
            right if right.is_empty() || right == noted => Ok(()),
            _ => self.note_in(maildir, line),
        }
    }

    fn note_in_maildir(&mut self) -> Result<(), Error> {
        let Some(maildir) = self.maildir.clone() else {
            return Ok(());
        };
        let roster = maildir.roster()?;
        self.note_in(&maildir, roster.of(&self.account, &self.memory.former))
    }

    /// The line is written anew; Maildir and journal agree before and after.
    fn note_in(&mut self, maildir: &Maildir, line: Option<&Deliverer>) -> Result<(), Error> {
        let theirs = line.map_or(0, |line| line.generation);
        let generation = theirs.max(self.memory.homes.generation);
        let nonces = self.memory.homes.nonces.clone();
        self.enrol(maildir, generation, &nonces)?;
        Ok(())
    }

    /// Whether another tool has stored it, and its owner does not let it be deleted.
    pub(super) fn is_elsewhere(&self, same: &Same) -> bool {
        let record = self.memory.record(same.id);
        record.is_some_and(|record| record.kind == Kind::Imported)
    }

    /// The proof for a message that another tool has stored, if its owner lets it be deleted.
    pub(super) fn elsewhere(&self, same: &Same) -> Option<Elsewhere> {
        let record = self.memory.record(same.id)?;
        let octets = same.message.octets;
        let as_listed = octets.is_some() && record.octets.value() == octets;
        let released = record.kind == Kind::Released && as_listed && !record.unsure;
        released.then(|| {
            Elsewhere(Same {
                id: same.id,
                message: same.message.clone(),
            })
        })
    }
}

impl Memory {
    pub(super) fn awaited(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The last import of each tool, while any name of one is known.
    pub(super) fn known_imports(&self) -> &[Brought] {
        match self.has_imported {
            true => &self.brought,
            false => &[],
        }
    }

    pub(super) fn note_import(&mut self, origin: &Origin) {
        let place = self
            .brought
            .binary_search_by(|it| it.tool.as_str().cmp(&origin.tool));
        match place {
            Ok(place) => {
                if let Some(known) = self.brought.get_mut(place) {
                    known.time = known.time.max(origin.time);
                }
            }
            Err(place) => self.brought.insert(
                place,
                Brought {
                    time: origin.time,
                    tool: origin.tool.clone(),
                },
            ),
        }
    }

    /// The imports that the Maildir's line speaks of, if this is a journal from before them.
    pub(super) fn lost_of(&self, line: &Deliverer) -> Vec<Brought> {
        let has = |noted: &Brought| {
            let mut own = self.brought.iter();
            own.any(|own| own.tool == noted.tool && own.time >= noted.time)
        };
        let lost = line.brought.iter().filter(|noted| !has(noted));
        lost.cloned().collect()
    }

    /// The record that a name stands for, if it stands for any that counts.
    fn known_as(&self, identity: Identity) -> Option<(Id, Kind)> {
        let mut ids = self.all_of(identity).into_iter();
        ids.find_map(|id| {
            let record = self.record(id)?;
            record.is_known().then_some((id, record.kind))
        })
    }

    /// An imported name that is a message's with each `/` written as `-`.
    pub(super) fn with_dashes(&self, maildrop: &Maildrop, place: usize) -> Option<Id> {
        if !self.has_dashes {
            return None;
        }
        let message = maildrop.message(place)?;
        let mut unique_id = message.unique_id.filter(|id| id.contains(&b'/'))?;
        for octet in unique_id.iter_mut().filter(|octet| **octet == b'/') {
            *octet = b'-';
        }
        let ids = self.all_of(Identity::new(&self.account, &unique_id));
        let is_free = |record: &Record| record.kind.is_imported() && !record.present;
        ids.into_iter()
            .find(|id| self.record(*id).is_some_and(is_free))
    }

    /// Whether an imported name, or one that was passed over, stands for another message now that it is listed
    /// again.
    pub(super) fn is_another(&self, record: &Record, octets: Option<u64>) -> bool {
        let was_away = record.is_absent() || record.deleted;
        let is_other = match record.kind {
            Kind::Imported | Kind::Released => true,
            Kind::Marked => !self.doubts_marks && is_not_size_of(record, octets),
            _ => false,
        };
        is_other && was_away && self.is_resized(record, octets)
    }

    pub(super) fn is_resized(&self, record: &Record, octets: Option<u64>) -> bool {
        let before = record.octets.value();
        let differ = before.is_some() && octets.is_some() && before != octets;
        differ && !self.sizes.are_estimates()
    }
}
