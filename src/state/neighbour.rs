//! Other accounts that deliver to the same Maildir. What one of them has stored there comes again where
//! a maildrop has two names (a host's alias, another port), and few messages are no proof of that
//! beforehand ([`super::Twins`]). Once a message is here its octets are.

use super::files::Files;
use super::journal::{self, Header};
use super::memory::Memory;
use super::record::{Entry, Id, Listing, MarkedBy};
use super::remembered::{Kind, key_of};
use super::twin::is_akin;
use super::{Error, Store};
use crate::delivery::Complete;
use crate::durable::Dir;
use crate::maildir::{MaildirId, Site};
use crate::maildrop::Identity;
use std::fs::File;
use std::io;

/// Those with the same user or the same host.
#[derive(Default)]
pub(super) struct Neighbours {
    all: Vec<Neighbour>,
    /// What was recognised by their journals.
    recognised: Recognised,
}

/// Messages that another account has delivered to the Maildir.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recognised {
    /// How many.
    pub count: u64,
    /// The last such account's id ([`crate::profile::Server::id`]).
    pub account: String,
}

/// Its journal is opened before the account's thread is confined, and read once something is new.
struct Neighbour {
    account: String,
    journal: File,
    memory: Option<Memory>,
}

impl Neighbours {
    /// The accounts that the Maildir's own file names. A journal that cannot be read says nothing.
    pub(super) fn at(site: &Site, dir: &Dir, memory: &Memory) -> Self {
        let is_own = |account: &str| {
            let mut former = memory.former.iter();
            account == memory.account || former.any(|(former, _)| former == account)
        };
        let others = site.roster.deliverers().map(|line| line.account.as_str());
        let others = others.filter(|it| !is_own(it) && is_akin(it, &memory.account));
        let all = others.filter_map(|account| {
            let name = Files::of(account).journal;
            let header = journal::read_header(dir, &name, account);
            let Ok(Some(Header::Ours { .. })) = header else {
                return None;
            };
            Some(Neighbour {
                account: account.to_owned(),
                journal: dir.read(&name).ok()?,
                memory: None,
            })
        });
        Self {
            all: all.collect(),
            recognised: Recognised::default(),
        }
    }
}

impl Neighbour {
    /// Whether it has delivered this very message to this Maildir: the same octets, under the same
    /// unique-id. A mailing list sends the same octets to two mailboxes, whose servers have stamped
    /// them or have given them names of their own. Without unique-ids a trail of servers must be there.
    fn has(&mut self, complete: &Complete, home: MaildirId) -> io::Result<bool> {
        let memory = match &mut self.memory {
            Some(memory) => memory,
            none => {
                let mut memory = Memory::new(&self.account);
                memory.load(&self.journal)?;
                none.insert(memory)
            }
        };
        let examined = complete.examined();
        let ids: Vec<Id> = match &complete.message().unique_id {
            Some(unique_id) => memory.all_of(Identity::new(&self.account, unique_id)),
            None if examined.evidence.fields.has_trail() => memory.candidates([
                key_of(Some(&examined.evidence), &examined.digests),
                key_of(None, &examined.digests),
            ]),
            None => Vec::new(),
        };
        for id in ids {
            let record = memory.record(id).filter(|it| it.kind == Kind::Stored);
            let here = record.filter(|record| {
                let delivered_to = memory.homes.of_run(record.run);
                delivered_to.is_some_and(|it| it.id == Some(home))
            });
            let Some(place) = here.and_then(|record| record.place.value()) else {
                continue;
            };
            let line = journal::read_at(&self.journal, place)?;
            if line
                .and_then(Entry::into_stored)
                .is_some_and(|stored| stored.digests.content == examined.digests.content)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Store {
    /// Its owner says that it is another maildrop, whatever others know of it.
    pub fn ignore_neighbours(&mut self) {
        self.neighbours = Neighbours::default();
    }

    /// What was recognised by other accounts' journals since this was last asked.
    pub fn take_recognised(&mut self) -> Option<Recognised> {
        let recognised = std::mem::take(&mut self.neighbours.recognised);
        (recognised.count > 0).then_some(recognised)
    }

    /// Whether another account has delivered this message to the Maildir. It counts as seen from then
    /// on, and is not deleted: its file is the other account's.
    pub(super) fn is_a_neighbours(&mut self, complete: &Complete) -> Result<bool, Error> {
        let Some(home) = self.home.filter(|_| complete.is_orderly()) else {
            return Ok(false);
        };
        let mut all = self.neighbours.all.iter_mut();
        // What cannot be read says nothing.
        let Some(neighbour) = all.find_map(|it| match it.has(complete, home) {
            Ok(true) => Some(it.account.clone()),
            _ => None,
        }) else {
            return Ok(false);
        };
        self.neighbours.recognised.count += 1;
        self.neighbours.recognised.account = neighbour;
        let message = complete.message();
        let listing = Listing::of(message);
        if listing.is_recognisable() {
            let (id, time) = (self.memory.next_id(), self.moment.now);
            let by = MarkedBy::Request;
            self.write([Entry::Marked {
                id,
                time,
                listing,
                by,
            }]);
            self.memory.claim(message, id);
        }
        Ok(true)
    }
}
