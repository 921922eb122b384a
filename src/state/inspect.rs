//! Reading a journal for a person to look at. It takes no lock and changes nothing.

use super::journal::{self, Header};
use super::memory::Memory;
use super::record::{Entry, Id, Listing, MarkedBy, Stored};
use super::{Error, Files, View};
use crate::durable::Dir;
use crate::maildir::UniqueName;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// All that is remembered of an account.
#[derive(Default)]
pub struct Inspected {
    /// The messages, oldest first.
    pub messages: Vec<Shown>,
    /// The Maildirs that messages were delivered to.
    pub maildirs: Vec<PathBuf>,
    /// Ids that the account had earlier.
    pub former: Vec<String>,
    /// Unique-ids of messages that could not be fetched at some time.
    pub(super) failing: BTreeSet<Box<[u8]>>,
    /// The journal is damaged, so that some messages may not be among these.
    pub damaged: bool,
}

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
    /// Its delivery is recorded as done, rather than intended only.
    pub settled: bool,
    /// In which boot of the machine it was stored, or in an earlier one; empty where that is not
    /// known.
    pub boot: Arc<str>,
    /// How it stands on the server, as far as is known.
    pub standing: Standing,
    /// Why it counts as seen, where it was never fetched.
    pub marked: Option<MarkedBy>,
    /// Its end was doubtful, so that it is never deleted (E12).
    pub held: bool,
    /// Its owner says that the file was removed on purpose.
    pub gone: bool,
}

impl Shown {
    /// Whether the server has confirmed that it is deleted there.
    pub fn is_deleted(&self) -> bool {
        self.standing == Standing::Deleted
    }
}

/// How a message stands on the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It was there when it was last listed.
    Here,
    /// Its deletion was asked for, and the server has not said what became of it.
    Asked,
    /// The server has confirmed its deletion.
    Deleted,
    /// A listing lacked it.
    Absent,
    /// It is there, and to be fetched again: its file is lost.
    Lost,
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
    let mut reader = Reader::default();
    let reading = journal::read(octets, |entry, place| {
        memory.apply(entry.clone(), place);
        reader.take_in(entry);
    });
    let journal::Reading {
        good,
        damaged,
        torn,
    } = reading.ok()?;
    Some(Examined {
        messages: reader.messages.into_values().collect(),
        view: View {
            memory,
            dir: None,
            id: None,
        },
        good,
        torn,
        damaged,
    })
}

/// Reads an account's journal; nothing if there is no state.
pub fn inspect(dir: &Dir, account: &str) -> Result<Inspected, Error> {
    read(dir, &Files::of(account), account)
}

pub(super) fn read(dir: &Dir, files: &Files, account: &str) -> Result<Inspected, Error> {
    let path = dir.path().join(&files.journal);
    let io = |source| Error::Io {
        path: path.clone(),
        source,
    };
    match journal::read_header(dir, &files.journal, account).map_err(io)? {
        Some(Header::Ours { .. }) => {}
        Some(Header::OtherVersion(version)) => return Err(Error::OtherVersion { path, version }),
        Some(Header::Foreign) => {
            return Ok(Inspected {
                damaged: true,
                ..Inspected::default()
            });
        }
        None => return Ok(Inspected::default()),
    }
    let mut reader = Reader::default();
    let input = dir.read(&files.journal).map_err(io)?;
    let reading = journal::read(input, |entry, _| reader.take_in(entry)).map_err(io)?;
    Ok(Inspected {
        damaged: reading.damaged,
        messages: reader.messages.into_values().collect(),
        maildirs: reader.maildirs,
        former: reader.former,
        failing: reader.failing,
    })
}

#[derive(Default)]
struct Reader {
    messages: BTreeMap<Id, Shown>,
    maildirs: Vec<PathBuf>,
    former: Vec<String>,
    failing: BTreeSet<Box<[u8]>>,
    /// Of the run whose lines are being read.
    boot: Arc<str>,
}

impl Reader {
    fn take_in(&mut self, entry: Entry) {
        match entry {
            Entry::Again { id } => self.change(id, |message| message.standing = Standing::Lost),
            Entry::Alias { id, listing, .. } => self.change(id, |message| {
                if let Some(unique_id) = listing.unique_id {
                    message.unique_ids.retain(|known| *known != unique_id);
                    message.unique_ids.push(unique_id);
                }
                message.listed = listing.octets;
                if message.standing != Standing::Lost {
                    message.standing = Standing::Here;
                }
            }),
            Entry::Asked { id, .. } => {
                self.change(id, |message| message.standing = Standing::Asked)
            }
            Entry::Began { boot, maildir, .. } => {
                self.boot = boot.into();
                if !self.maildirs.contains(&maildir) {
                    self.maildirs.push(maildir);
                }
            }
            Entry::Deleted { id, .. } => {
                self.change(id, |message| message.standing = Standing::Deleted);
            }
            Entry::Doubtful { id } => self.change(id, |message| message.held = true),
            Entry::Dropped { id } | Entry::Forgotten { id } => {
                self.messages.remove(&id);
            }
            Entry::Found { id, time, stored } => {
                self.add(id, time, None, Some(stored));
                self.change(id, |message| message.settled = true);
            }
            Entry::Gone { id, .. } => self.change(id, |message| {
                (message.gone, message.held) = (true, false);
            }),
            Entry::Intent {
                id,
                time,
                listing,
                stored,
            } => self.add(id, time, Some(listing), Some(stored)),
            Entry::Marked {
                id,
                time,
                listing,
                by,
            } => {
                self.add(id, time, Some(listing), None);
                self.change(id, |message| message.marked = Some(by));
            }
            // A range that goes backwards was not written by us, and would panic below.
            Entry::Seen { first, last } if first > last => {}
            Entry::Seen { first, last } => {
                let seen = self.messages.range_mut(first..=last);
                seen.for_each(|(_, message)| message.settled = true);
            }
            Entry::Absent { id, count, .. } => self.change(id, |message| {
                message.standing = match count {
                    0 => Standing::Here,
                    _ => Standing::Absent,
                };
            }),
            Entry::Unlisted { id, .. } => {
                self.change(id, |message| message.standing = Standing::Absent);
            }
            Entry::Back { id } => self.change(id, |message| {
                message.held = false;
                if message.standing == Standing::Lost {
                    message.standing = Standing::Here;
                }
            }),
            Entry::Baseline { .. }
            | Entry::Disorder { .. }
            | Entry::Evidence { .. }
            | Entry::Generation { .. }
            | Entry::Home { .. }
            | Entry::Import(_)
            | Entry::Reported { .. }
            | Entry::Sizes(_)
            | Entry::Told { .. }
            | Entry::Undeletable { .. }
            | Entry::Unpipelined { .. } => {}
            Entry::Failed { listing, .. } => self.failing.extend(listing.unique_id),
            Entry::Former { account, .. } => self.former.push(account),
        }
    }

    fn add(&mut self, id: Id, time: i64, listing: Option<Listing>, stored: Option<Stored>) {
        let listed = listing.as_ref().and_then(|listing| listing.octets);
        let message = Shown {
            id,
            time,
            unique_ids: listing
                .and_then(|listing| listing.unique_id)
                .into_iter()
                .collect(),
            listed,
            stored: stored.map(|stored| (stored.name, stored.octets, stored.digests.stored)),
            settled: false,
            boot: Arc::clone(&self.boot),
            standing: Standing::Here,
            marked: None,
            held: false,
            gone: false,
        };
        self.messages.insert(id, message);
    }

    fn change(&mut self, id: Id, change: impl FnOnce(&mut Shown)) {
        if let Some(message) = self.messages.get_mut(&id) {
            change(message);
        }
    }
}
