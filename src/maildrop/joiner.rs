//! A maildrop as it is put together, line by line.

use super::{
    Entry, FolderStarts, IMPOSSIBLE, MESSAGE_LIMIT, Maildrop, MessageNumber, RemoteFolder,
    Shortfall, UNIQUE_IDS_LIMIT, UNKNOWN, UNUSABLE, index,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Message-numbers that come out of their order are remembered one by one. Servers list in order,
/// but for a few.
const STRAYS_LIMIT: usize = 100_000;

/// No more than so many messages are asked for that are counted and not listed.
const GAPS_LIMIT: u64 = 1000;

/// The listing is larger than popfetch takes in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "the server lists more than {MESSAGE_LIMIT} messages, more than {UNIQUE_IDS_LIMIT} octets of \
     unique-ids, or more than {STRAYS_LIMIT} message-numbers out of their order"
)]
pub struct TooLarge;

/// Puts a scan listing and a unique-id listing together. Message-numbers are names: neither
/// listing need be complete, in order, or free of doubles; the first line for a number counts. A size that
/// a later line contradicts is not known: whichever is right, rules would delete by the other one.
///
/// A listing without end must not fill the memory before its limit is reached, so what is kept of a
/// line is small.
#[derive(Debug, Default)]
pub struct Joiner {
    entries: Vec<Entry>,
    /// All unique-ids, end to end.
    unique_ids: Vec<u8>,
    /// The places of lines whose numbers go up.
    ascending: Vec<u32>,
    /// The places of the others.
    strays: HashMap<MessageNumber, u32>,
    stated: Option<u64>,
    folders: FolderStarts,
    shortfalls: Vec<Shortfall>,
}

impl Joiner {
    /// Takes in how many messages there are by the drop listing.
    pub fn stated(&mut self, messages: u64) {
        self.stated = Some(messages);
    }

    /// What is new from here on is in this folder.
    pub fn begin_folder(&mut self, folder: Arc<RemoteFolder>) {
        self.folders.begin(self.entries.len(), folder);
    }

    /// Forgets the folder that began last, and all that was listed since: it makes no sense.
    pub fn take_back_folder(&mut self) {
        let first = self.folders.take_back().unwrap_or_default();
        let withdrawn = self.entries.drain(first.min(self.entries.len())..);
        let named = withdrawn.filter(|entry| entry.length > 0);
        if let Some(start) = named.map(|entry| entry.start).min() {
            self.unique_ids.truncate(index(start));
        }
        let is_left = |place: &u32| index(*place) < first;
        self.ascending
            .truncate(self.ascending.partition_point(is_left));
        self.strays.retain(|_, place| is_left(place));
    }

    /// Takes in that something is not in the listing.
    pub fn lacks(&mut self, shortfall: Shortfall) {
        self.shortfalls.push(shortfall);
    }

    /// Whether there are messages, and none of them has a usable unique-id.
    pub fn lacks_unique_ids(&self) -> bool {
        !self.entries.is_empty() && self.unique_ids.is_empty()
    }

    /// Takes in a line of the scan listing.
    pub fn scan(&mut self, number: MessageNumber, octets: u64) -> Result<(), TooLarge> {
        if let Some(entry) = self.entry(number)? {
            entry.octets = match entry.octets {
                UNKNOWN if octets < IMPOSSIBLE => octets,
                known if known == octets && octets < IMPOSSIBLE => known,
                _ => UNUSABLE,
            };
        }
        Ok(())
    }

    /// Takes in a line of the scan listing that says no more than the number.
    pub fn mention(&mut self, number: MessageNumber) -> Result<(), TooLarge> {
        self.entry(number).map(drop)
    }

    /// Takes in those that are counted and not listed, where numbers are all there is to ask for
    /// them by.
    pub fn fill_gaps(&mut self) -> Result<(), TooLarge> {
        let Some(stated) = self.stated.and_then(|stated| u32::try_from(stated).ok()) else {
            return Ok(());
        };
        let listed = self.entries.len() as u64;
        if u64::from(stated) > listed && u64::from(stated) - listed <= GAPS_LIMIT {
            for number in (1..=stated).filter_map(MessageNumber::new) {
                self.mention(number)?;
            }
        }
        Ok(())
    }

    /// Takes in a line of the unique-id listing.
    pub fn unique_id(&mut self, number: MessageNumber, id: &[u8]) -> Result<(), TooLarge> {
        let start = self.unique_ids.len();
        if start + id.len() > UNIQUE_IDS_LIMIT {
            return Err(TooLarge);
        }
        if let Some(entry) = self.entry(number)?
            && entry.length == 0
        {
            entry.start = u32::try_from(start).map_err(|_| TooLarge)?;
            entry.length = u16::try_from(id.len()).map_err(|_| TooLarge)?;
            self.unique_ids.extend(id);
        }
        Ok(())
    }

    /// The entry for a number, which may be new.
    fn entry(&mut self, number: MessageNumber) -> Result<Option<&mut Entry>, TooLarge> {
        let place = match self.find(number) {
            Some(place) => place,
            None => self.add(number)?,
        };
        Ok(self.entries.get_mut(index(place)))
    }

    fn find(&self, number: MessageNumber) -> Option<u32> {
        let number_at = |place: &u32| self.entries.get(index(*place)).map(|entry| entry.number);
        let found = self
            .ascending
            .binary_search_by_key(&Some(number), number_at);
        match found {
            Ok(at) => self.ascending.get(at).copied(),
            Err(_) => self.strays.get(&number).copied(),
        }
    }

    fn add(&mut self, number: MessageNumber) -> Result<u32, TooLarge> {
        if self.entries.len() >= MESSAGE_LIMIT || self.strays.len() >= STRAYS_LIMIT {
            return Err(TooLarge);
        }
        let place = u32::try_from(self.entries.len()).map_err(|_| TooLarge)?;
        let last = self.ascending.last();
        let last = last.and_then(|place| self.entries.get(index(*place)));
        if last.is_none_or(|last| last.number < number) {
            self.ascending.push(place);
        } else {
            self.strays.insert(number, place);
        }
        self.entries.push(Entry {
            octets: UNKNOWN,
            number,
            turn: 0,
            start: 0,
            length: 0,
            shared: false,
        });
        Ok(place)
    }

    /// Both listings are complete: tells apart what is alike in them.
    pub fn finish(self, account: &str, has_unique_ids: bool) -> Maildrop {
        let Self {
            entries,
            unique_ids,
            ascending,
            strays,
            stated,
            folders,
            shortfalls,
        } = self;
        drop((ascending, strays));
        let mut maildrop = Maildrop {
            account: account.into(),
            entries,
            unique_ids,
            has_unique_ids,
            stated,
            folders,
            shortfalls,
        };
        maildrop.take_turns();
        maildrop
    }
}
