//! What rules have to do with the state: what a header has told is remembered, so that it is not
//! asked for again; and a message that a rule has deleted is recorded before DELE is sent.

use super::memory::Memory;
use super::record::{Entry, Id, Listing, MarkedBy};
use super::remembered::{Heard, Kind, Record, key_of_rule};
use super::{Error, Store, View};
use crate::maildrop::{Identity, Message};
use crate::pop3::MessageNumber;
use crate::rules::{Fingerprint, Gist, Hit};

/// As much of a rule in words as a line of the journal is given.
const LONGEST: usize = 1000;

/// Proof that a rule has a message deleted that was never fetched: each of its conditions was seen to
/// hold in the session at hand ([`Hit`]), and that is recorded, on the disk.
#[derive(Debug)]
pub struct Ruled {
    pub(super) id: Id,
    pub(super) number: MessageNumber,
    pub(super) rule: Box<str>,
}

impl Store {
    /// What a message's header has told, where rules asked the same of it.
    pub fn gist(&mut self, message: &Message, asked: Fingerprint) -> Option<Gist> {
        self.memory.gist(message, asked)
    }

    /// A message's header has told this. Not synced: what is lost is asked for again.
    pub fn note_gist(&mut self, message: &Message, gist: Gist) {
        // Of several with one unique-id nobody could tell which one it was.
        if message.identity.is_some() && message.turn == 0 {
            self.write([Entry::Header {
                time: self.moment.now,
                listing: Listing::of(message),
                gist,
            }]);
        }
    }

    /// The message is stored: what its header has told, by which it counts as not fetched, is forgotten.
    pub(super) fn forget_told(&mut self, message: &Message) {
        let identity = message.identity.filter(|_| message.turn == 0);
        let heard = identity.and_then(|identity| self.memory.headers.get(&identity));
        if heard.is_some_and(|heard| !heard.gist.is_of_arrival()) {
            self.write([Entry::Header {
                time: self.moment.now,
                listing: Listing::of(message),
                gist: Gist::nothing(),
            }]);
        }
    }

    /// What headers told of messages that the complete listing at hand does not have is forgotten: who bears
    /// the unique-id later may be another message, of the same size. Not synced, as whoever finds it
    /// missing again does the same.
    pub fn forget_unlisted_headers(&mut self) -> Result<(), Error> {
        let gone = self.memory.headers.values().filter(|it| !it.present);
        let gone: Vec<u64> = gone.map(|it| it.place).collect();
        let time = self.moment.now;
        for place in gone {
            if let Some(Entry::Header { listing, .. }) = self.line_at(place)? {
                let gist = Gist::nothing();
                self.write([Entry::Header {
                    time,
                    listing,
                    gist,
                }]);
            }
        }
        Ok(())
    }

    /// Records that rules have these messages deleted; durable on return. Gives the proofs, and how
    /// many messages are left as they are because the server does not delete them: it has confirmed or
    /// refused that `most` times (fact F27).
    pub fn rule_out(
        &mut self,
        hits: Vec<(Message, Hit<'_>)>,
        most: u8,
    ) -> Result<(Vec<Ruled>, usize), Error> {
        let (mut ruled, mut given_up) = (Vec::with_capacity(hits.len()), 0);
        let time = self.moment.now;
        for (message, hit) in hits {
            let mut rule = hit.rule().to_string();
            rule.truncate(rule.floor_char_boundary(LONGEST));
            let rule = rule.into_boxed_str();
            let earlier = self.memory.ruled(&message);
            let id = match earlier {
                Some((_, record)) if record.futile.times() >= most => {
                    given_up += 1;
                    continue;
                }
                Some((id, record)) if record.key == key_of_rule(&rule) => {
                    // It was not deleted: it is here again.
                    if record.deleted {
                        let listing = Listing::of(&message);
                        self.write([Entry::Alias { id, time, listing }]);
                    }
                    id
                }
                _ => {
                    let id = self.memory.next_id();
                    self.write([Entry::Marked {
                        id,
                        time,
                        listing: Listing::of(&message),
                        by: MarkedBy::Rule(rule.clone()),
                    }]);
                    id
                }
            };
            self.memory.set_present(id, true);
            ruled.push(Ruled {
                id,
                number: message.number,
                rule,
            });
        }
        self.sync()?;
        Ok((ruled, given_up))
    }
}

impl View {
    /// See [`Store::gist`].
    pub fn gist(&mut self, message: &Message, asked: Fingerprint) -> Option<Gist> {
        self.memory.gist(message, asked)
    }
}

impl Memory {
    /// A header has told this.
    pub(super) fn hear(&mut self, listing: &Listing, gist: Gist, place: u64) {
        let Some(identity) = listing.identity(&self.account) else {
            return;
        };
        let before = match gist == Gist::nothing() {
            true => {
                self.superseded += 1;
                self.headers.remove(&identity)
            }
            false => {
                let heard = Heard::new(gist, listing.octets, place);
                self.headers.insert(identity, heard)
            }
        };
        self.superseded += u64::from(before.is_some());
    }

    /// What headers told of messages that are gone nobody asks for any more: their lines are superseded.
    /// Nothing is done where no complete listing says that they are gone.
    pub(super) fn forget_unlisted_headers(&mut self) {
        if !self.listed {
            return;
        }
        let before = self.headers.len();
        self.headers.retain(|_, heard| heard.present);
        self.superseded += (before - self.headers.len()) as u64;
    }

    fn gist(&mut self, message: &Message, asked: Fingerprint) -> Option<Gist> {
        let identity = message.identity.filter(|_| message.turn == 0)?;
        let heard = self.headers.get_mut(&identity)?;
        let fits = heard.octets == message.octets;
        heard.present |= fits;
        (fits && heard.gist.fingerprint() == asked).then_some(heard.gist)
    }

    /// The record of a rule about a message, the newest.
    fn ruled(&self, message: &Message) -> Option<(Id, Record)> {
        let identity = message.identity.filter(|_| message.turn == 0)?;
        let ids = self.all_of(identity).into_iter().rev();
        let mut records = ids.filter_map(|id| Some((id, *self.record(id)?)));
        records.find(|(_, it)| it.kind == Kind::Ruled && it.octets.value() == message.octets)
    }

    /// How many records bear an identity that were of messages to be stored or seen.
    pub(super) fn bearers_of(&self, identity: Identity) -> usize {
        let ids = self.all_of(identity).into_iter();
        let is_ruled = |id: &Id| self.record(*id).is_some_and(|it| it.kind == Kind::Ruled);
        ids.filter(|id| !is_ruled(id)).count()
    }
}
