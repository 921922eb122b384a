//! The maildrop as one session lists it, and what makes a message the same message next time.

mod folder;
mod identity;
mod joiner;

pub use crate::pop3::MessageNumber;
pub use folder::{RemoteFolder, Shortfall};
pub use identity::Identity;
pub use joiner::{Joiner, TooLarge};

use folder::FolderStarts;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

/// More messages than this are not taken in: a listing without end must not fill the memory.
/// mpop's limit is the same.
pub const MESSAGE_LIMIT: usize = 1_000_000;

/// All unique-ids of a maildrop together have at most so many octets: as many messages as there may
/// be, with unique-ids as long as they may be (RFC 1939, section 7).
pub const UNIQUE_IDS_LIMIT: usize = 70 * MESSAGE_LIMIT;

/// More messages than this do not bear one unique-id: those behind have none.
const BEARERS_LIMIT: u32 = 1000;

/// Messages that are alike in a listing are looked for in one part of it after the other, so that
/// it takes less memory.
const PARTS: u64 = 4;

/// A message of the maildrop, by itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Valid in this session only.
    pub number: MessageNumber,
    /// The unique-id, where the server gave a usable one.
    pub unique_id: Option<Box<[u8]>>,
    /// The listed octets; `None` where the scan listing had no usable line.
    pub octets: Option<u64>,
    /// Its turn among messages with the same unique-id.
    pub turn: u32,
    /// `None` without a unique-id: such a message is known by its content only.
    pub identity: Option<Identity>,
    /// The folder that it is in, where folders have a part in the listing.
    pub folder: Option<Arc<RemoteFolder>>,
}

/// What a message is recognised by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listed {
    /// See [`Message::octets`].
    pub octets: Option<u64>,
    /// See [`Message::turn`].
    pub turn: u32,
    /// Others have the same unique-id.
    pub shared: bool,
    /// See [`Message::identity`].
    pub identity: Option<Identity>,
}

/// A listing that ended properly. Entries are in the order of the scan listing, which is oldest first.
#[derive(Debug, Default)]
pub struct Maildrop {
    /// Part of each identity.
    account: Box<str>,
    entries: Vec<Entry>,
    /// All unique-ids, end to end.
    unique_ids: Vec<u8>,
    /// The server knows UIDL.
    pub has_unique_ids: bool,
    /// How many messages there are by STAT.
    stated: Option<u64>,
    folders: FolderStarts,
    /// What is not in it although it was asked for.
    pub shortfalls: Vec<Shortfall>,
}

/// What is known of a message, in few octets: a maildrop may hold a million. Its identity is made
/// when it is asked for.
#[derive(Debug)]
struct Entry {
    /// [`UNKNOWN`] without a usable line of the scan listing.
    octets: u64,
    number: MessageNumber,
    turn: u32,
    /// Where the unique-id begins.
    start: u32,
    /// 0 without one.
    length: u16,
    /// Others of the listing have the same unique-id.
    shared: bool,
}

/// No message has so many octets.
const UNKNOWN: u64 = u64::MAX;

/// Nor so many: what is listed of it says no size, or two.
const UNUSABLE: u64 = u64::MAX - 1;

/// Nor so many: a tebibyte and more is no size, but a server's mistake.
const IMPOSSIBLE: u64 = 1 << 40;

impl Entry {
    fn octets(&self) -> Option<u64> {
        (self.octets < IMPOSSIBLE).then_some(self.octets)
    }

    fn unique_id<'a>(&self, unique_ids: &'a [u8]) -> Option<&'a [u8]> {
        let start = index(self.start);
        let unique_id = unique_ids.get(start..start + usize::from(self.length))?;
        (self.length > 0).then_some(unique_id)
    }
}

fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

impl Maildrop {
    /// Tells messages apart that have one unique-id, in the order of the listing.
    fn take_turns(&mut self) {
        let unique_id = |entry: &Entry| entry.unique_id(&self.unique_ids);
        // Those of many servers go up, and then no two are alike.
        if self
            .entries
            .is_sorted_by(|one, next| unique_id(one) < unique_id(next))
        {
            return;
        }
        let hasher = RandomState::new();
        let mut places: Vec<(u32, u32)> = Vec::new();
        for part in 0..PARTS {
            let with_hash = |place| {
                let hash = hasher.hash_one(self.named(place)?);
                let of_part = hash % PARTS == part;
                of_part.then_some((u32::try_from(hash >> 32).ok()?, place))
            };
            places.clear();
            places.extend((0..).take(self.entries.len()).filter_map(with_hash));
            places.sort_unstable();
            for group in places.chunk_by_mut(|(one, _), (next, _)| one == next) {
                self.take_turns_in(group);
            }
        }
    }

    /// The same among those that have a hash in common, as what is alike has. Others may have, too.
    fn take_turns_in(&mut self, group: &mut [(u32, u32)]) {
        // Those that are alike stay in their order.
        group.sort_unstable_by_key(|(_, place)| (self.named(*place), *place));
        let mut turn = 0;
        let mut nameless = Vec::new();
        for pair in group.windows(2) {
            let [(_, before), (_, place)] = *pair else {
                continue;
            };
            let alike = self.named(before) == self.named(place);
            turn = if alike { turn + 1 } else { 0 };
            if let Some(entry) = self.entries.get_mut(index(place)) {
                entry.turn = turn;
                entry.shared = alike;
                if turn >= BEARERS_LIMIT {
                    nameless.push(place);
                }
            }
            if let (true, Some(entry)) = (alike, self.entries.get_mut(index(before))) {
                entry.shared = true;
            }
        }
        for place in nameless {
            if let Some(entry) = self.entries.get_mut(index(place)) {
                (entry.length, entry.turn, entry.shared) = (0, 0, false);
            }
        }
    }

    /// What the server calls a message, where it does.
    fn named(&self, place: u32) -> Option<&[u8]> {
        let entry = self.entries.get(index(place))?;
        entry.unique_id(&self.unique_ids)
    }

    /// Whether STAT counts as many messages as are listed, or does not count them, and every folder could
    /// be read. In any other listing a message's absence says nothing (E5).
    pub fn is_complete(&self) -> bool {
        let is_unread = |it: &Shortfall| matches!(it, Shortfall::Unread { .. });
        self.stated.is_none_or(|count| count == self.len() as u64)
            && !self.shortfalls.iter().any(is_unread)
    }

    /// How many messages more STAT counts than are listed, if any.
    pub fn unlisted(&self) -> Option<u64> {
        // A count beyond all measure is none.
        let stated = self.stated.filter(|count| *count <= MESSAGE_LIMIT as u64)?;
        let unlisted = stated.checked_sub(self.len() as u64)?;
        (unlisted > 0).then_some(unlisted)
    }

    /// Messages listed.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The message at a place from 0.
    pub fn message(&self, place: usize) -> Option<Message> {
        let entry = self.entries.get(place)?;
        Some(Message {
            number: entry.number,
            unique_id: entry.unique_id(&self.unique_ids).map(Box::from),
            octets: entry.octets(),
            turn: entry.turn,
            identity: self.identity(place),
            folder: self.folders.of(place).cloned(),
        })
    }

    /// The message at a place, without its unique-id.
    pub fn listed(&self, place: usize) -> Option<Listed> {
        let entry = self.entries.get(place)?;
        Some(Listed {
            octets: entry.octets(),
            turn: entry.turn,
            shared: entry.shared,
            identity: self.identity(place),
        })
    }

    /// The identity of the message at a place; `None` also where it has no unique-id.
    pub fn identity(&self, place: usize) -> Option<Identity> {
        let entry = self.entries.get(place)?;
        let unique_id = entry.unique_id(&self.unique_ids)?;
        Some(Identity::new(&self.account, unique_id))
    }

    /// Whether the message at a place has a unique-id that can be used.
    pub fn has_name(&self, place: usize) -> bool {
        self.entries.get(place).is_some_and(|it| it.length > 0)
    }

    /// How many messages have no unique-id that could be used.
    pub fn nameless(&self) -> usize {
        self.entries.iter().filter(|it| it.length == 0).count()
    }

    /// The places whose unique-id others have as well, in order.
    pub fn shared(&self) -> impl Iterator<Item = usize> + '_ {
        let shared = self.entries.iter().enumerate();
        shared.filter_map(|(place, entry)| entry.shared.then_some(place))
    }

    /// The same, those of one unique-id together.
    pub fn namesakes(&self) -> Vec<Vec<usize>> {
        let mut bearers: HashMap<_, Vec<usize>> = HashMap::new();
        for place in self.shared() {
            if let Some(message) = self.message(place) {
                bearers.entry(message.unique_id).or_default().push(place);
            }
        }
        bearers.into_values().collect()
    }

    /// Each message's listed octets, place by place.
    pub fn octets(&self) -> impl ExactSizeIterator<Item = Option<u64>> + '_ {
        self.entries.iter().map(Entry::octets)
    }

    /// All of them together, as far as they are listed.
    pub fn total_octets(&self) -> u64 {
        self.octets().flatten().fold(0, u64::saturating_add)
    }

    /// How many messages are behind each in its folder, place by place: they are newer. What has no unique-id
    /// does not count, as it may stand anywhere.
    pub fn newer(&self) -> impl Iterator<Item = u64> {
        let ranges = self.folders.ranges(self.len());
        ranges.flat_map(|(first, end)| {
            let entries = self.entries.get(first..end).unwrap_or_default();
            let is_named = |entry: &Entry| u64::from(entry.length > 0);
            let mut behind: u64 = entries.iter().map(is_named).sum();
            entries.iter().map(move |entry| {
                behind -= is_named(entry);
                behind
            })
        })
    }

    /// The folder that the message at a place is in; none where folders have no part in the listing.
    pub fn folder(&self, place: usize) -> Option<&RemoteFolder> {
        self.folders.of(place).map(AsRef::as_ref)
    }

    /// The number of the message at a place.
    pub fn number(&self, place: usize) -> Option<MessageNumber> {
        self.entries.get(place).map(|entry| entry.number)
    }

    /// What people call the folders that are listed, those without messages as well; none where folders have no
    /// part in the listing. Hostile.
    pub fn folder_names(&self) -> impl Iterator<Item = &str> {
        self.folders.names()
    }

    /// What people call the folders that could not be read; hostile.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.shortfalls.iter().filter_map(|it| match it {
            Shortfall::Unread { folder, .. } => Some(&**folder),
            Shortfall::Unmatched { .. } | Shortfall::NotLeftOut { .. } => None,
        })
    }

    /// The places of each folder's messages; all of them where folders have no part in the listing.
    pub fn folders(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let ranges = self.folders.ranges(self.len());
        ranges.map(|(first, end)| first..end)
    }

    /// The places of the first and the last message of each folder.
    pub fn ends(&self) -> impl Iterator<Item = usize> + '_ {
        let ranges = self.folders.ranges(self.len());
        ranges.flat_map(|(first, end)| [first, end - 1])
    }

    /// Each message's number, place by place.
    pub fn numbers(&self) -> impl Iterator<Item = MessageNumber> + '_ {
        self.entries.iter().map(|entry| entry.number)
    }
}

/// An account's id as a file's name: readable, and never more than 200 octets of it.
pub fn file_name(account: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@:._-+".contains(c);
    let readable: String = account
        .chars()
        .map(|c| if safe(c) { c } else { '_' })
        .collect();
    let start = readable.trim_start_matches('.');
    if start == account && start.len() <= 200 {
        return start.to_owned();
    }
    // Two accounts that differ only in what was replaced must not share a file.
    let hash = Identity::of_version_1(account, b"", None, 0);
    let start: String = start.chars().take(200).collect();
    format!("{start}-{hash:?}")
}

#[cfg(test)]
#[path = "maildrop_tests.rs"]
mod tests;
