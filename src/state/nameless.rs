//! Messages that another tool has stored without a list of their names: each has a record that bears
//! none, with the evidence that its file gives (an M line without a unique-id, and an E line). Once a
//! message has come that is the same, the record is that message's, and bears its name.

use super::memory::Memory;
use super::record::{Entry, Id, Listing, MarkedBy, Stored};
use super::remembered::{Kind, NOBODY, Record};
use super::{Error, Import, Imported, Store};
use crate::maildir::{AccountTag, Stamp, UniqueName};
use crate::message::{self, Flags};
use std::collections::HashMap;

/// What an import has of them, held against what is known.
pub(super) struct Compared<'a> {
    /// Those that no record stands for.
    new: Vec<&'a message::Examined>,
    /// Those that a record stands for, and that their owner lets be deleted from now on.
    released: Vec<(Id, &'a message::Examined)>,
    known: u64,
}

impl Compared<'_> {
    pub(super) fn are_known(&self) -> bool {
        self.new.is_empty() && self.released.is_empty()
    }
}

impl Store {
    /// A record stands for one of them: of the same content there are as many as there are files.
    pub(super) fn compare_nameless<'a>(
        &mut self,
        import: &'a Import,
    ) -> Result<Compared<'a>, Error> {
        let mut compared = Compared {
            new: Vec::new(),
            released: Vec::new(),
            known: 0,
        };
        if import.nameless.is_empty() {
            return Ok(compared);
        }
        let mut records: HashMap<[u8; 32], Vec<Id>> = HashMap::new();
        let ids: Vec<Id> = self.memory.nameless().collect();
        for id in ids {
            if let Some(stored) = self.stored(id)? {
                records.entry(stored.digests.content).or_default().push(id);
            }
        }
        for examined in &import.nameless {
            let like_it = records.get_mut(&examined.digests.content);
            let Some(id) = like_it.and_then(Vec::pop) else {
                compared.new.push(examined);
                continue;
            };
            let kind = self.memory.record(id).map(|record| record.kind);
            match import.may_delete && kind == Some(Kind::Imported) {
                true => compared.released.push((id, examined)),
                false => compared.known += 1,
            }
        }
        Ok(compared)
    }

    /// Writes down those that are new. One that is released loses its name with its record: the next
    /// fetch sees once more what it is to delete.
    pub(super) fn take_nameless(
        &mut self,
        compared: &Compared<'_>,
        time: i64,
        by: &MarkedBy,
        imported: &mut Imported,
    ) -> Result<(), Error> {
        imported.new += compared.new.len() as u64;
        imported.known += compared.known + compared.released.len() as u64;
        for (id, _) in &compared.released {
            self.add(Entry::Forgotten { id: *id });
        }
        let released = compared.released.iter().map(|(_, examined)| *examined);
        for examined in compared.new.iter().copied().chain(released) {
            let id = self.memory.next_id();
            self.add(Entry::Marked {
                id,
                time,
                listing: Listing {
                    unique_id: None,
                    octets: None,
                    turn: 0,
                },
                by: by.clone(),
            });
            self.add(Entry::Evidence {
                id,
                stored: self.stored_elsewhere(examined),
            });
            let flushed = self.journal.flush_if_large();
            flushed.map_err(|source| self.io_error(source))?;
        }
        Ok(())
    }

    /// What a line of evidence says. The file is the tool's, and has a name of the tool's: the one in the
    /// line is no file's.
    fn stored_elsewhere(&self, examined: &message::Examined) -> Stored {
        let stamp = Stamp {
            account: AccountTag::new(&self.account),
            journal: self.journal.id,
        };
        Stored {
            octets: examined.octets,
            digests: examined.digests,
            name: UniqueName::new(stamp, None),
            sized: false,
            flags: Flags::default(),
            evidence: Some(examined.evidence),
            folder: None,
        }
    }
}

impl Memory {
    /// Records of what came without a name, whether they bear one by now or not.
    fn nameless(&self) -> impl Iterator<Item = Id> + '_ {
        let records = (0..).zip(&self.records);
        let nameless = records.filter(|(_, record)| record.is_known_by_content());
        nameless.map(|(id, _)| id)
    }
}

impl Record {
    /// Another tool has stored it, and it is known by what is in it.
    pub(super) fn is_known_by_content(&self) -> bool {
        self.kind.is_imported() && self.lines.have_evidence()
    }

    /// The same, and no listing has been seen to have it: so it cannot be absent from one either.
    pub(super) fn awaits_name(&self) -> bool {
        self.is_known_by_content() && self.identity == NOBODY
    }
}
