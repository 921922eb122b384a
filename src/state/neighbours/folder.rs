//! What was put into folders of other accounts, as the journals of all accounts say.

use super::Neighbours;
use crate::durable::Dir;
use crate::handover::{Located, Spot};
use crate::message::Examined;
use crate::state::files::Files;
use crate::state::journal;
use crate::state::record::{Entry, HandingEnd, Id, NotTaken, Repeat, Stored};
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
    /// Where messages were, it seems, in an earlier life of their folder: it has given their numbers once more since.
    pub before: Vec<Located>,
    /// So many more that look like it are somewhere, or may be, as an answer was lost or another account has tried to
    /// put them there.
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
        all.before.extend(put.before);
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
    /// So many tries with it may have left something.
    tries: usize,
    /// It was appended to a file, which is no folder.
    is_in_file: bool,
}

impl Alike {
    fn is_tried(&mut self, repeat: Repeat, is_in_file: bool) {
        self.is_in_file = is_in_file;
        self.tries = match repeat {
            _ if is_in_file => 0,
            // The one that this comes after may have been left out of the journal.
            Repeat::Unclear => self.tries.max(1) + 1,
            Repeat::First | Repeat::Again => 1,
        };
    }

    /// Those that may be somewhere besides the one that was taken.
    fn ends(&mut self) -> usize {
        std::mem::take(&mut self.tries).saturating_sub(1)
    }
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
                id,
                length,
                from,
                repeat,
                ..
            } => {
                if let Some(from) = from {
                    put.is_apart |= highest.excludes(from);
                    put.part_lives(from);
                }
                let is_in_file = length.is_some();
                alike
                    .entry(id)
                    .and_modify(|it| it.is_tried(repeat, is_in_file));
            }
            Entry::Handed { id, end, .. } => {
                let end = end.or_told_by(returned.contains(&id));
                let is_alike = alike.get_mut(&id);
                let is_in_file = is_alike.as_ref().is_some_and(|it| it.is_in_file);
                let is_taken = matches!(end, HandingEnd::Taken(_));
                let more = is_alike.map(Alike::ends);
                put.unknown += more.filter(|_| is_taken).unwrap_or_default();
                match (end, more.is_some()) {
                    // What it was handed on to before may be what it is handed on to now.
                    (HandingEnd::Taken(Some(located)), is_alike) => {
                        put.is_apart |= highest.excludes(located);
                        put.known.push(located);
                        put.alike.extend(is_alike.then_some(located));
                    }
                    (HandingEnd::Taken(None), true) => put.unknown += usize::from(!is_in_file),
                    _ => {}
                }
            }
            Entry::NotTaken { id, how, .. } => {
                alike.entry(id).and_modify(|it| match how {
                    NotTaken::Unclear => it.tries = it.tries.max(1),
                    NotTaken::Later | NotTaken::Refused => {
                        it.tries = it.tries.saturating_sub(1);
                    }
                });
            }
            _ => {}
        }
    });
    read?;
    put.open = alike.values().map(|it| it.tries).sum();
    Ok(put)
}

impl AlikePut {
    /// The next message of a folder is there at least: what has been behind that was in an earlier life of it.
    fn part_lives(&mut self, from: Located) {
        let is_behind = |it: &mut Located| it.folder == from.folder && it.spot.is_behind(from.spot);
        self.before.extend(self.known.extract_if(.., is_behind));
    }
}
