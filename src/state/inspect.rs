//! Reading a journal for a person to look at. It takes no lock and changes nothing.

use super::journal::{self, Header};
use super::record::{Entry, Id, Listing};
use super::{Error, Files};
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
