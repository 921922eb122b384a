//! Reading a journal for a person to look at. It takes no lock and changes nothing.

use super::journal::{self, Header};
use super::memory::Memory;
use super::record::{Entry, Id, Listing};
use super::{Error, Files, View};
use crate::delivery::UniqueName;
use crate::durable::Dir;
use std::collections::BTreeMap;

/// What is remembered of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shown {
    pub(super) id: Id,
    /// When it was fetched or marked, in seconds since 1970.
    pub time: i64,
    /// The unique-ids it was listed under; none if they are lost or there never was one.
    pub unique_ids: Vec<Box<[u8]>>,
    /// Its size as listed.
    pub listed: Option<u64>,
    /// Its file: name, octets, SHA-256. `None` if it was only marked as seen.
    pub stored: Option<(UniqueName, u64, [u8; 32])>,
    /// The server has confirmed that it is deleted there.
    pub deleted: bool,
}

/// What a journal's octets say, and how much of them is in order.
pub struct Examined {
    /// Everything that is remembered, oldest first. Good lines count wherever they stand.
    pub messages: Vec<Shown>,
    /// What a fetch would know.
    pub view: View,
    /// Octets up to and with the last good line before anything bad.
    pub good: u64,
    /// The last line is bad or has no end, as a crash may leave it.
    pub torn: bool,
    /// There is a bad line with others after it, as no crash leaves it.
    pub damaged: bool,
}

/// Reads a journal that is not a file: a copy to be looked at, or what a test made up. Nothing is
/// opened, locked or changed, so this is no way to learn the state of an account; [`inspect`] and
/// [`View::read`] are.
///
/// `None` if the first line is not that of a journal of this account in this version.
pub fn examine(octets: &[u8], account: &str) -> Option<Examined> {
    let Some(Header::Ours { .. }) = journal::header(octets, account).ok()? else {
        return None;
    };
    let mut memory = Memory::new(account);
    let mut shown = BTreeMap::new();
    let reading = journal::read(octets, |entry| {
        memory.apply(&entry);
        take_in(&mut shown, entry);
    });
    let journal::Reading {
        good,
        damaged,
        torn,
    } = reading.ok()?;
    Some(Examined {
        messages: shown.into_values().collect(),
        view: View { memory },
        good,
        torn,
        damaged,
    })
}

/// Everything that is remembered of an account, oldest first; nothing if there is no state.
pub fn inspect(dir: &Dir, account: &str) -> Result<Vec<Shown>, Error> {
    read(dir, &Files::of(account), account)
}

pub(super) fn read(dir: &Dir, files: &Files, account: &str) -> Result<Vec<Shown>, Error> {
    let path = dir.path().join(&files.journal);
    let io = |source| Error::Io {
        path: path.clone(),
        source,
    };
    match journal::read_header(dir, &files.journal, account).map_err(io)? {
        Some(Header::Ours { .. }) => {}
        Some(Header::OtherVersion(version)) => return Err(Error::OtherVersion { path, version }),
        Some(Header::Foreign) | None => return Ok(Vec::new()),
    }
    let mut shown: BTreeMap<Id, Shown> = BTreeMap::new();
    let take_in = |entry| take_in(&mut shown, entry);
    journal::read(dir.read(&files.journal).map_err(io)?, take_in).map_err(io)?;
    Ok(shown.into_values().collect())
}

fn take_in(shown: &mut BTreeMap<Id, Shown>, entry: Entry) {
    let unique_ids = |listing: &Listing| listing.unique_id.iter().cloned().collect();
    match entry {
        Entry::Intent {
            id,
            time,
            listing,
            stored,
        } => {
            let message = Shown {
                id,
                time,
                unique_ids: unique_ids(&listing),
                listed: listing.octets,
                stored: Some((stored.name, stored.octets, stored.digests.stored)),
                deleted: false,
            };
            shown.insert(id, message);
        }
        Entry::Found { id, time, stored } => {
            let message = Shown {
                id,
                time,
                unique_ids: Vec::new(),
                listed: None,
                stored: Some((stored.name, stored.octets, stored.digests.stored)),
                deleted: false,
            };
            shown.insert(id, message);
        }
        Entry::Marked { id, time, listing } => {
            let message = Shown {
                id,
                time,
                unique_ids: unique_ids(&listing),
                listed: listing.octets,
                stored: None,
                deleted: false,
            };
            shown.insert(id, message);
        }
        Entry::Alias { id, listing, .. } => {
            if let Some(message) = shown.get_mut(&id) {
                message.unique_ids.extend(listing.unique_id);
                message.listed = listing.octets;
            }
        }
        Entry::Deleted { id, .. } => {
            if let Some(message) = shown.get_mut(&id) {
                message.deleted = true;
            }
        }
        Entry::Dropped { id } | Entry::Forgotten { id } => {
            shown.remove(&id);
        }
        _ => {}
    }
}
