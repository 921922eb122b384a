//! What was put into folders of other accounts, as the journals of all accounts say.

use super::Neighbours;
use crate::durable::Dir;
use crate::handover::{Located, Spot};
use crate::message::Examined;
use crate::state::files::Files;
use crate::state::journal;
use crate::state::record::{Entry, HandingEnd, Id, NotTaken, Stored};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::io;

/// A message that is looked for where others have put theirs.
#[derive(Clone, Debug)]
pub struct Ours {
    /// The SHA-256 of what was fetched.
    pub sha256: [u8; 32],
    /// What its file is by now.
    pub file: Examined,
}

impl Ours {
    /// Whether another one may look the same on a server: servers add ends of lines at the end, and take them away.
    fn is_like(&self, stored: &Stored) -> bool {
        let has_same_text = stored.evidence.is_some_and(|it| {
            it.body == self.file.evidence.body && it.fields == self.file.evidence.fields
        });
        stored.digests.stored == self.sha256 || has_same_text
    }
}

/// What was put into folders, by any account that has a state here.
#[derive(Clone, Debug, Default)]
pub struct AlikePut {
    /// Where messages are, whatever they look like.
    pub known: Vec<Located>,
    /// Where those are that look like the one that is looked for.
    pub alike: Vec<Located>,
    /// So many more that look like it are somewhere, or may be as another account has tried to put them there.
    pub unknown: usize,
    /// So many more may be, as this account has tried to.
    pub open: usize,
    /// A folder has given a number that a message of the account's had before: it is none that the account fetches
    /// from, whatever else shows that.
    pub is_apart: bool,
}

/// What a name of the account's would be in the folder at hand, if both are one.
pub type PlaceOf<'a> = &'a dyn Fn(&[u8]) -> Option<Located>;

impl Neighbours {
    /// What has been put into folders of other accounts, by any account that has a state here, whatever the config
    /// file says of it today: a folder may be reached by several names. Of a message like the one that is looked for
    /// nobody may have noted where it was put, or know whether it was taken: it may be anywhere.
    pub fn put(&self, ours: &Ours, place_of: PlaceOf<'_>) -> AlikePut {
        let mut all = AlikePut::default();
        let names = Dir::open(&self.disk, &self.directory).and_then(|dir| {
            let mut names = Vec::new();
            dir.for_each_name(|name| {
                if name.as_encoded_bytes().ends_with(b".journal") {
                    names.push(name.to_owned());
                }
            })?;
            Ok(names)
        });
        match names {
            Ok(names) => names
                .iter()
                .for_each(|name| self.take_in(name, ours, place_of, &mut all)),
            Err(_) => all.unknown += 1,
        }
        all
    }

    fn take_in(&self, name: &OsStr, ours: &Ours, place_of: PlaceOf<'_>, all: &mut AlikePut) {
        let is_own = name == Files::of(&self.account).journal;
        // What others fetch from says nothing of what this one does.
        let place_of: PlaceOf<'_> = if is_own { place_of } else { &|_| None };
        let read = match self.open(name) {
            Ok(journal) => put_by(journal, ours, place_of),
            // It has handed on nothing that is known.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => Err(error),
        };
        // What cannot be read may say anything.
        let Ok(put) = read else {
            all.unknown += 1;
            return;
        };
        all.known.extend(put.known);
        all.alike.extend(put.alike);
        all.is_apart |= put.is_apart;
        // Of this account's own open tries each is looked for in its turn, and claims the copy that it finds.
        let (unknown, open) = match is_own {
            true => (put.unknown, put.open),
            false => (put.unknown + put.open, 0),
        };
        all.unknown += unknown;
        all.open += open;
    }
}

/// What is known of a message like the one that is looked for.
#[derive(Clone, Copy, Debug, Default)]
struct Alike {
    /// It was tried, and nobody has noted what came of that.
    is_open: bool,
    /// It was appended to a file, which is no folder.
    is_in_file: bool,
}

/// The highest numbers that the account's messages had so far, in each life of the folder at hand.
#[derive(Default)]
struct Highest(HashMap<(u32, u32), u32>);

impl Highest {
    fn note(&mut self, place: Located) {
        let key = (place.folder, place.spot.validity);
        let highest = self.0.entry(key).or_default();
        *highest = place.spot.number.max(*highest);
    }

    /// Whether the folder gives a number that is behind it once more.
    fn excludes(&self, put: Located) -> bool {
        let Spot { validity, number } = put.spot;
        let highest = self.0.get(&(put.folder, validity));
        highest.is_some_and(|highest| number <= *highest)
    }
}

fn put_by(journal: std::fs::File, ours: &Ours, place_of: PlaceOf<'_>) -> io::Result<AlikePut> {
    let mut alike: BTreeMap<Id, Alike> = BTreeMap::new();
    let mut put = AlikePut::default();
    let mut returned = HashSet::new();
    let mut highest = Highest::default();
    let read = journal::read(journal, |entry, _| {
        if let Entry::Intent { listing, .. } = &entry
            && let Some(place) = listing.unique_id.as_deref().and_then(place_of)
        {
            highest.note(place);
        }
        match entry {
            Entry::Intent { id, stored, .. }
            | Entry::Found { id, stored, .. }
            | Entry::Evidence { id, stored }
                if ours.is_like(&stored) =>
            {
                alike.entry(id).or_default();
            }
            Entry::Returned { id } => {
                returned.insert(id);
            }
            Entry::Handing {
                id, length, from, ..
            } => {
                put.is_apart |= from.is_some_and(|from| highest.excludes(from));
                alike.entry(id).and_modify(|it| {
                    it.is_open = length.is_none();
                    it.is_in_file = length.is_some();
                });
            }
            Entry::Handed { id, end, .. } => {
                let end = end.or_told_by(returned.contains(&id));
                let is_alike = alike.get_mut(&id);
                let is_in_file = is_alike.as_ref().is_some_and(|it| it.is_in_file);
                match (end, is_alike.is_some()) {
                    // What it was handed on to before may be what it is handed on to now.
                    (HandingEnd::Taken(Some(located)), is_alike) => {
                        put.is_apart |= highest.excludes(located);
                        put.known.push(located);
                        put.alike.extend(is_alike.then_some(located));
                    }
                    (HandingEnd::Taken(None), true) => put.unknown += usize::from(!is_in_file),
                    _ => {}
                }
                if let Some(it) = is_alike {
                    it.is_open = false;
                }
            }
            Entry::NotTaken { id, how, .. } if how != NotTaken::Unclear => {
                alike.entry(id).and_modify(|it| it.is_open = false);
            }
            _ => {}
        }
    });
    read?;
    put.open = alike.values().filter(|it| it.is_open).count();
    Ok(put)
}
