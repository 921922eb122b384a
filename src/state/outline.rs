//! What a journal says of each message, in a few octets: where its lines stand, and what has become of
//! it since.

use super::journal::{self, Reading};
use super::record::{Entry, Glance, HandingEnd, Id, MarkedBy};
use super::window::{ReadAt, Window};
use crate::maildir::{Folder, MaildirId, UniqueName};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// What is remembered of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InspectedMessage {
    pub(super) id: Id,
    /// When it was fetched or marked, in seconds since 1970.
    pub time: i64,
    /// The unique-ids it was listed under; none if they are lost or there never was one.
    pub unique_ids: Vec<Box<[u8]>>,
    /// Its size as listed.
    pub listed: Option<u64>,
    /// Its file: name, octets, SHA-256. `None` if it was only marked as seen.
    pub stored: Option<(UniqueName, u64, [u8; 32])>,
    /// The folder that it was placed in, where it was not the Maildir itself.
    pub folder: Option<Folder>,
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
    /// It came back, or may have, and is not deleted from the server where nothing of it is here before its owner
    /// says that it may go.
    pub returned: bool,
    /// It was not handed on, as it looks like a copy of what was; likewise.
    pub copy: bool,
    /// Whether it is handed on.
    pub onward: Onward,
    /// Its owner says that the file was removed on purpose.
    pub gone: bool,
}

/// Which of an account's messages it is, for as long as its journal is not written afresh.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct MessageId(pub(super) Id);

impl InspectedMessage {
    /// Which one it is.
    pub fn id(&self) -> MessageId {
        MessageId(self.id)
    }

    /// Whether the server has confirmed that it is deleted there.
    pub fn is_deleted(&self) -> bool {
        self.standing == Standing::Deleted
    }
}

/// Whether a message is handed on to a program or a file, once it is stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Onward {
    /// It is not.
    Nowhere,
    /// It is to be, and waits.
    Waits,
    /// It has been.
    Done {
        /// Its file has left the place where it was stored.
        removed: bool,
    },
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

#[derive(Default)]
pub(super) struct Outline {
    /// In the order of their ids.
    marks: Vec<Mark>,
    /// Places of lines that say how a message is listed otherwise, in the order that they stand in.
    aliases: Vec<(Id, u64)>,
    removed: usize,
    pub(super) maildirs: Vec<PathBuf>,
    /// The same with their ids, where they have some.
    pub(super) homes: Vec<(PathBuf, MaildirId)>,
    pub(super) former: Vec<String>,
    pub(super) failing: BTreeSet<Box<[u8]>>,
    /// Of each run, by its number.
    boots: Vec<Arc<str>>,
}

struct Mark {
    /// Of its first line.
    place: u64,
    id: Id,
    run: u32,
    standing: Standing,
    settled: bool,
    held: bool,
    returned: bool,
    copy: bool,
    onward: Onward,
    gone: bool,
    removed: bool,
    /// Its file is lost, however it stands on the server.
    lost: bool,
}

impl Outline {
    /// Reads a journal whose header is in order.
    pub(super) fn load(&mut self, input: impl Read) -> io::Result<Reading> {
        let reading = journal::read_lines(input, |line, place| {
            if let Some(glance) = Glance::read(line) {
                self.add(glance.id, place, false);
                return true;
            }
            let entry = Entry::read(line);
            entry.map(|entry| self.take_in(entry, place)).is_some()
        });
        self.finish();
        reading
    }

    /// All lines have been taken in.
    pub(super) fn finish(&mut self) {
        // Stable: the lines of each message stay in their order.
        self.aliases.sort_by_key(|(id, _)| *id);
    }

    pub(super) fn take_in(&mut self, entry: Entry, place: u64) {
        match entry {
            Entry::Again { id } => self.note(id, |mark| {
                (mark.standing, mark.lost) = (Standing::Lost, true);
            }),
            Entry::Alias { id, .. } => {
                let known = self.change(id, |mark| {
                    if mark.standing != Standing::Lost {
                        mark.standing = Standing::Here;
                    }
                });
                if known {
                    self.aliases.push((id, place));
                }
            }
            Entry::Asked { id, .. } => self.note(id, |mark| mark.standing = Standing::Asked),
            Entry::Began {
                boot,
                maildir,
                maildir_id,
                ..
            } => {
                self.boots.push(boot.into());
                let home = maildir_id.map(|id| (maildir.clone(), id));
                let home = home.filter(|home| !self.homes.contains(home));
                self.homes.extend(home);
                if !self.maildirs.contains(&maildir) {
                    self.maildirs.push(maildir);
                }
            }
            Entry::Deleted { id, .. } => self.note(id, |mark| mark.standing = Standing::Deleted),
            Entry::Doubtful { id } => self.note(id, |mark| mark.held = true),
            Entry::Returned { id } => self.note(id, |mark| mark.returned = true),
            Entry::Granted { id } => self.note(id, |mark| {
                (mark.returned, mark.copy) = (false, false);
            }),
            Entry::Due { first, last } => {
                self.each_of(first, last, |mark| mark.onward = Onward::Waits);
            }
            Entry::Handed {
                id, removed, end, ..
            } => self.note(id, |mark| {
                mark.onward = Onward::Done { removed };
                mark.copy |= end.or_told_by(mark.returned) == HandingEnd::Copy;
            }),
            Entry::Dropped { id } | Entry::Forgotten { id } => {
                let removed = self.change(id, |mark| mark.removed = true);
                self.removed += usize::from(removed);
            }
            Entry::Found { id, .. } => self.add(id, place, true),
            Entry::Home {
                maildir,
                maildir_id,
                ..
            } => {
                self.homes.retain(|(path, _)| *path != maildir);
                self.homes.push((maildir, maildir_id));
            }
            Entry::Gone { id, .. } => self.note(id, |mark| {
                (mark.gone, mark.held, mark.lost) = (true, false, false);
                (mark.returned, mark.copy) = (false, false);
            }),
            Entry::Intent { id, .. } | Entry::Marked { id, .. } => self.add(id, place, false),
            Entry::Seen { first, last } => {
                self.each_of(first, last, |mark| mark.settled = true);
            }
            Entry::Absent { id, count, .. } => self.note(id, |mark| {
                mark.standing = match count {
                    0 => Standing::Here,
                    _ => Standing::Absent,
                };
            }),
            Entry::Unlisted { id, .. } => self.note(id, |mark| mark.standing = Standing::Absent),
            Entry::Back { id } => self.note(id, |mark| {
                (mark.held, mark.lost) = (false, false);
                if mark.standing == Standing::Lost {
                    mark.standing = Standing::Here;
                }
            }),
            Entry::Baseline { .. }
            | Entry::Disorder { .. }
            | Entry::Evidence { .. }
            | Entry::Extent(_)
            | Entry::Generation { .. }
            | Entry::Handing { .. }
            | Entry::Header { .. }
            | Entry::NotTaken { .. }
            | Entry::Import(_)
            | Entry::Reported { .. }
            | Entry::Sizes(_)
            | Entry::Told { .. }
            | Entry::Undeletable { .. }
            | Entry::Unpipelined { .. }
            | Entry::Unread { .. } => {}
            Entry::Failed { listing, .. } => self.failing.extend(listing.unique_id),
            Entry::Former { account, .. } => self.former.push(account),
        }
    }

    /// What was lost and has been fetched again is no message of its own any more.
    pub(super) fn forget_superseded(&mut self, journal: &impl ReadAt) -> io::Result<()> {
        let lost = self.marks.iter().filter(|mark| mark.lost && !mark.removed);
        let ids: HashSet<Id> = lost.map(|mark| mark.id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut lost: HashMap<Box<[u8]>, Vec<Id>> = HashMap::new();
        let mut superseded = Vec::new();
        for shown in Messages::new(self, journal) {
            let shown = shown?;
            match ids.contains(&shown.id) {
                true => {
                    for unique_id in shown.unique_ids {
                        lost.entry(unique_id).or_default().push(shown.id);
                    }
                }
                false if shown.settled && shown.stored.is_some() => {
                    let ids = shown.unique_ids.iter();
                    superseded.extend(ids.filter_map(|id| lost.remove(id)).flatten());
                }
                false => {}
            }
        }
        for id in superseded {
            let removed = self.change(id, |mark| mark.removed = true);
            self.removed += usize::from(removed);
        }
        Ok(())
    }

    pub(super) fn count(&self) -> usize {
        self.marks.len() - self.removed
    }

    /// A line that goes back was not written by us.
    fn add(&mut self, id: Id, place: u64, settled: bool) {
        if self.marks.last().is_some_and(|last| last.id >= id) {
            return;
        }
        self.marks.push(Mark {
            place,
            id,
            run: u32::try_from(self.boots.len()).unwrap_or(u32::MAX),
            standing: Standing::Here,
            settled,
            held: false,
            returned: false,
            copy: false,
            onward: Onward::Nowhere,
            gone: false,
            removed: false,
            lost: false,
        });
    }

    fn each_of(&mut self, first: Id, last: Id, change: impl FnMut(&mut Mark)) {
        let begin = self.marks.partition_point(|mark| mark.id < first);
        let marks = self.marks.get_mut(begin..).unwrap_or_default();
        let these = marks.iter_mut().take_while(|mark| mark.id <= last);
        these.for_each(change);
    }

    fn note(&mut self, id: Id, change: impl FnOnce(&mut Mark)) {
        // A line about an id that never was changes nothing.
        let _ = self.change(id, change);
    }

    /// Tells whether there is such a message.
    fn change(&mut self, id: Id, change: impl FnOnce(&mut Mark)) -> bool {
        let place = self.place_of(id);
        let mark = place.and_then(|place| self.marks.get_mut(place));
        // What is said of one that was forgotten says nothing.
        mark.filter(|mark| !mark.removed).map(change).is_some()
    }

    fn place_of(&self, id: Id) -> Option<usize> {
        // Where no number was left out, it is the place.
        let place = usize::try_from(id).unwrap_or(usize::MAX);
        match self.marks.get(place).is_some_and(|mark| mark.id == id) {
            true => Some(place),
            false => self.marks.binary_search_by_key(&id, |mark| mark.id).ok(),
        }
    }

    fn boot(&self, run: u32) -> Arc<str> {
        let before = usize::try_from(run).ok().and_then(|run| run.checked_sub(1));
        let boot = before.and_then(|place| self.boots.get(place));
        boot.cloned().unwrap_or_default()
    }
}

/// The messages of a journal, each put together from its lines.
pub(super) struct Messages<'a, S: ?Sized> {
    outline: &'a Outline,
    marks: std::slice::Iter<'a, Mark>,
    lines: Window<'a, S>,
    /// They stand elsewhere.
    alias_lines: Window<'a, S>,
}

impl<'a, S: ReadAt + ?Sized> Messages<'a, S> {
    pub(super) fn new(outline: &'a Outline, journal: &'a S) -> Self {
        let window = || Window::new(journal, Window::<S>::WIDE);
        Self {
            outline,
            marks: outline.marks.iter(),
            lines: window(),
            alias_lines: window(),
        }
    }

    pub(super) fn of(&mut self, id: Id) -> io::Result<InspectedMessage> {
        let place = self.outline.place_of(id);
        let mark = place.and_then(|place| self.outline.marks.get(place));
        self.shown(mark.ok_or(io::ErrorKind::InvalidData)?)
    }

    fn shown(&mut self, mark: &Mark) -> io::Result<InspectedMessage> {
        let (id, time, listing, stored, marked) = match self.lines.entry(mark.place)? {
            Some(Entry::Found { id, time, stored }) => (id, time, None, Some(stored), None),
            Some(Entry::Intent {
                id,
                time,
                listing,
                stored,
            }) => (id, time, Some(listing), Some(stored), None),
            Some(Entry::Marked {
                id,
                time,
                listing,
                by,
            }) => (id, time, Some(listing), None, Some(by)),
            // It was read a moment ago.
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        let mut shown = InspectedMessage {
            id,
            time,
            listed: listing.as_ref().and_then(|listing| listing.octets),
            unique_ids: Vec::from_iter(listing.and_then(|listing| listing.unique_id)),
            folder: stored.as_ref().and_then(|stored| stored.folder.clone()),
            stored: stored.map(|stored| (stored.name, stored.octets, stored.digests.stored)),
            settled: mark.settled,
            boot: self.outline.boot(mark.run),
            standing: mark.standing,
            marked,
            held: mark.held,
            returned: mark.returned,
            copy: mark.copy,
            onward: mark.onward,
            gone: mark.gone,
        };
        let aliases = &self.outline.aliases;
        let begin = aliases.partition_point(|(other, _)| *other < id);
        let aliases = aliases.get(begin..).unwrap_or_default();
        for (_, place) in aliases.iter().take_while(|(other, _)| *other == id) {
            if let Some(Entry::Alias { listing, .. }) = self.alias_lines.entry(*place)? {
                if let Some(unique_id) = listing.unique_id {
                    shown.unique_ids.retain(|known| *known != unique_id);
                    shown.unique_ids.push(unique_id);
                }
                shown.listed = listing.octets;
            }
        }
        Ok(shown)
    }
}

impl<S: ReadAt + ?Sized> Iterator for Messages<'_, S> {
    type Item = io::Result<InspectedMessage>;

    fn next(&mut self) -> Option<Self::Item> {
        let mark = self.marks.find(|mark| !mark.removed)?;
        Some(self.shown(mark))
    }
}
