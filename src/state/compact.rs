//! Writing a journal afresh, without what is superseded (E7): a new file, synced, takes the old
//! one's name at once or not at all.

use super::Files;
use super::clock::EARLIEST;
use super::journal::{self, Journal};
use super::memory::{ABSENCES, Memory};
use super::rebuild::draft_name;
use super::record::{Entry, HandingEnd, Id, Repeat, Taken};
use super::remembered::{Kind, Record, place_of};
use crate::durable::Dir;
use std::io;

/// A message that has been absent or deleted for so long (seconds) is forgotten. Mail that a
/// server loses and finds again is back within days; a year is on the safe side.
const FORGET_AFTER: i64 = 365 * 24 * 60 * 60;

/// Writes the journal afresh. Nothing else may be waiting to be written. Without a clock that can be
/// believed nothing is forgotten.
pub(super) fn compact(
    dir: &Dir,
    files: &Files,
    account: &str,
    memory: &Memory,
    old: &Journal,
    now: Option<i64>,
) -> io::Result<Journal> {
    let draft = draft_name(files);
    dir.remove(&draft)?;
    let mut new = Journal::begin(dir.create(&draft)?, account, old.generation + 1, old.id);
    let mut copy = Copy::new(memory, now);
    let mut failed = Ok(());
    journal::read(dir.read(&files.journal)?, |entry, _| {
        for entry in copy.line(entry) {
            new.add(&entry);
        }
        // One megabyte or so at a time, so that the memory does not grow with the journal.
        if failed.is_ok() {
            failed = new.flush_if_large();
        }
    })?;
    failed?;
    for entry in copy.standings().chain(copy.rest()) {
        new.add(&entry);
        new.flush_if_large()?;
    }
    new.sync()?;
    dir.replace(&draft, &files.journal)?;
    dir.sync()?;
    Ok(new)
}

/// Decides line by line.
struct Copy<'a> {
    memory: &'a Memory,
    now: Option<i64>,
    /// The new id of each old one; `None` for those left out.
    ids: Vec<Option<Id>>,
    next: Id,
    /// The run whose line was written last.
    run: Option<u32>,
    /// The first of its messages.
    first: Id,
}

impl<'a> Copy<'a> {
    fn new(memory: &'a Memory, now: Option<i64>) -> Self {
        Self {
            memory,
            now,
            ids: vec![None; memory.records.len()],
            next: 0,
            run: None,
            first: 0,
        }
    }

    fn line(&mut self, entry: Entry) -> Vec<Entry> {
        match entry {
            // There is no file of it that could make it known again.
            Entry::Marked { id, .. } if self.is(id, |it| it.kind == Kind::Forgotten) => Vec::new(),
            Entry::Intent { id, .. } | Entry::Found { id, .. } | Entry::Marked { id, .. } => {
                self.message(id, entry)
            }
            // Whatever was asked for has come true.
            Entry::Asked { id, beside, .. }
                if self.is(id, |it| it.deleted) && !self.memory.tells_beside(id, beside) =>
            {
                Vec::new()
            }
            // What it stands for is left out.
            Entry::Handed {
                id,
                time,
                removed,
                end: HandingEnd::Before,
            } => self.about(Entry::Handed {
                id,
                time,
                removed,
                end: HandingEnd::Taken(None),
            }),
            // That a folder may have it more than once counts as long as that it has it.
            Entry::Handing {
                id,
                repeat: Repeat::Unclear,
                ..
            } if !self.memory.onward.due.contains(&id) => self.about(entry),
            Entry::Alias { .. }
            | Entry::Asked { .. }
            | Entry::Deleted { .. }
            | Entry::Evidence { .. }
            | Entry::Gone { .. }
            | Entry::Granted { .. }
            | Entry::Handed { .. }
            | Entry::Returned { .. }
            | Entry::Undeletable { .. }
            | Entry::Unlisted { .. } => self.about(entry),
            Entry::Header { .. } => self.header(entry).into_iter().collect(),
            Entry::Failed { .. } => self.failure(entry).into_iter().collect(),
            // What the account was called must stand before what is said of its messages.
            Entry::Baseline { .. } | Entry::Former { .. } | Entry::Import(_) => vec![entry],
            // These are written from memory, or said by the others.
            Entry::Absent { .. }
            | Entry::Again { .. }
            | Entry::Back { .. }
            | Entry::Began { .. }
            | Entry::Disorder { .. }
            | Entry::Doubtful { .. }
            | Entry::Dropped { .. }
            | Entry::Due { .. }
            | Entry::Extent(_)
            | Entry::Forgotten { .. }
            | Entry::Generation { .. }
            | Entry::Handing { .. }
            | Entry::Home { .. }
            | Entry::NotTaken { .. }
            | Entry::Reported { .. }
            | Entry::Seen { .. }
            | Entry::Sizes(_)
            | Entry::Told { .. }
            | Entry::Unpipelined { .. }
            | Entry::Unread { .. } => Vec::new(),
        }
    }

    fn is(&self, id: Id, what: impl FnOnce(&Record) -> bool) -> bool {
        self.memory.record(id).is_some_and(what)
    }

    /// A message that is kept, behind the line of the run that recorded it.
    fn message(&mut self, id: Id, entry: Entry) -> Vec<Entry> {
        let run = self.memory.record(id).map(|record| record.run);
        let Some(id) = self.keep(id) else {
            return Vec::new();
        };
        let mut lines = Vec::new();
        if self.run != run {
            lines.extend(self.seen(id));
            (self.run, self.first) = (run, id);
            lines.extend(run.and_then(|run| self.began(run)));
        }
        lines.extend(entry.renumbered(|_| Some(id)));
        lines
    }

    /// The messages of the run at hand are carried out, up to this one.
    fn seen(&self, next: Id) -> Option<Entry> {
        let last = next.checked_sub(1)?;
        let first = self.first;
        (first <= last).then_some(Entry::Seen { first, last })
    }

    fn about(&self, entry: Entry) -> Vec<Entry> {
        let entry = entry.renumbered(|id| self.new_id(id));
        entry.into_iter().collect()
    }

    fn began(&self, run: u32) -> Option<Entry> {
        let homes = &self.memory.homes;
        let (run, home) = (homes.run(run)?, homes.of_run(run)?);
        Some(Entry::Began {
            time: run.time,
            boot: run.boot.clone(),
            maildir: home.path.clone(),
            // What was only taken for it is named at the end.
            maildir_id: home.id.filter(|_| home.vouches),
            generation: run.generation,
            nonce: run.nonce,
        })
    }

    /// How each message stands, once all have their new ids: of as many as a million, one after the other.
    fn standings(&self) -> impl Iterator<Item = Entry> {
        let kept = (0..).zip(&self.memory.records);
        let kept = kept.filter_map(|(id, record)| Some((self.new_id(id)?, record)));
        let standings = kept.flat_map(|(id, record)| standing(id, record));
        self.seen(self.next).into_iter().chain(standings)
    }

    /// What is left to say behind that.
    fn rest(&self) -> Vec<Entry> {
        let mut rest = Vec::new();
        for id in &self.memory.onward.due {
            if let Some(id) = self.new_id(*id) {
                rest.push(Entry::Due {
                    first: id,
                    last: id,
                });
            }
        }
        let memory = self.memory;
        rest.extend(memory.onward.extent.map(Entry::Extent));
        for id in memory.onward.tried() {
            rest.extend(
                self.new_id(id)
                    .map(|new| self.tries(id, new))
                    .into_iter()
                    .flatten(),
            );
        }
        let adopted = memory.homes.all.iter().filter(|home| !home.vouches);
        rest.extend(adopted.filter_map(|home| {
            Some(Entry::Home {
                maildir: home.path.clone(),
                maildir_id: home.id?,
                taken: Taken::Adopted,
            })
        }));
        rest.extend(memory.unpipelined.map(|time| Entry::Unpipelined { time }));
        rest.extend(memory.told.iter().map(|(what, time)| Entry::Told {
            time: *time,
            what: *what,
        }));
        rest.extend(memory.unread.iter().map(|(folder, time)| Entry::Unread {
            time: *time,
            folder: folder.clone(),
            is_listed: false,
        }));
        if let Some(reported) = memory.reported {
            let mut later = self.ids.iter().skip(place_of(reported));
            let before = later.find_map(|id| *id).unwrap_or(self.next);
            rest.push(Entry::Reported { before });
        }
        rest.extend(self.began(memory.homes.last_run()));
        // Of the runs of which nothing else is left as well.
        rest.push(Entry::Generation {
            generation: memory.homes.generation,
            nonces: memory.homes.nonces.thinned(),
        });
        // The lines that it follows from are not all here, nor in their order.
        rest.push(Entry::Sizes(memory.sizes));
        rest
    }

    /// What is known of tries to hand this message on: that the answer to one was lost or said no, and behind that,
    /// which ends a try, one that nothing is known of.
    fn tries(&self, id: Id, new: Id) -> Vec<Entry> {
        let onward = &self.memory.onward;
        let tries = onward.tries.get(&id).copied();
        let (attempt, delay) = (onward.attempts.get(&id), onward.delays.get(&id));
        let handing = |time, length, fetched| {
            let tries = tries.unwrap_or_default();
            Entry::Handing {
                id: new,
                time,
                length,
                fetched,
                from: tries.from,
                repeat: tries.repeat,
            }
        };
        let before = delay.filter(|_| tries.is_some() && attempt.is_none());
        let before = before.map(|delay| handing(delay.last, None, None));
        let delayed = delay.map(|delay| Entry::NotTaken {
            id: new,
            time: delay.last,
            how: delay.how,
            count: delay.count,
        });
        let attempt = attempt.map(|attempt| {
            let record = self.memory.record(id);
            let is_its_own = record.is_some_and(|it| it.time.seconds() == attempt.fetched);
            let fetched = (!is_its_own).then_some(attempt.fetched);
            handing(attempt.time, attempt.length, fetched)
        });
        before.into_iter().chain(delayed).chain(attempt).collect()
    }

    fn keep(&mut self, id: Id) -> Option<Id> {
        let record = self.memory.record(id)?;
        let kept = match record.kind {
            // Its file may still be here, and must not make the message known again.
            Kind::Forgotten => true,
            Kind::Stored
            | Kind::Marked
            | Kind::Imported
            | Kind::Released
            | Kind::Ruled
            | Kind::Lost => !self.is_forgettable(record) || self.memory.onward.due.contains(&id),
            Kind::Intended | Kind::Dropped => false,
        };
        if !kept {
            return None;
        }
        let place = self.ids.get_mut(usize::try_from(id).ok()?)?;
        let new = self.next;
        self.next += 1;
        *place = Some(new);
        Some(new)
    }

    fn is_forgettable(&self, record: &Record) -> bool {
        let absent = record.absences >= ABSENCES || record.deleted;
        // A server may go on listing what it confirmed to have deleted.
        let lacking = self.memory.listed && !record.present;
        let since = record.absent_since.seconds();
        let long = |now: i64| since < now.saturating_sub(FORGET_AFTER);
        absent && lacking && since >= EARLIEST && self.now.is_some_and(long)
    }

    fn new_id(&self, id: Id) -> Option<Id> {
        *self.ids.get(usize::try_from(id).ok()?)?
    }

    /// The last line about a message that is still listed, as far as that is known.
    fn header(&self, entry: Entry) -> Option<Entry> {
        let Entry::Header {
            ref listing, gist, ..
        } = entry
        else {
            return None;
        };
        let identity = listing.identity(&self.memory.account)?;
        let last = self.memory.headers.get(&identity)?;
        let is_gone = self.memory.listed && !last.present;
        (last.gist == gist && last.octets == listing.octets && !is_gone).then_some(entry)
    }

    fn failure(&self, entry: Entry) -> Option<Entry> {
        let Entry::Failed {
            time,
            ref listing,
            count,
            ..
        } = entry
        else {
            return None;
        };
        let identity = listing.identity(&self.memory.account)?;
        let last = self.memory.failures.get(&identity)?;
        ((last.last, last.count) == (time, count)).then_some(entry)
    }
}

/// How a message stands.
fn standing(id: Id, record: &Record) -> impl Iterator<Item = Entry> {
    let kind = match record.kind {
        Kind::Forgotten => Some(Entry::Forgotten { id }),
        Kind::Lost => Some(Entry::Again { id }),
        _ => None,
    };
    let held = record.held.then_some(Entry::Doubtful { id });
    let (first, last) = (id, id);
    let unsure = record.unsure.then_some(Entry::Disorder { first, last });
    let time = record.absent_since.seconds();
    let absent = |count| Entry::Absent { id, time, count };
    let since = (record.absences > 0).then(|| absent(1));
    let by_now = (record.absences > 1).then(|| absent(record.absences));
    [kind, held, unsure, since, by_now].into_iter().flatten()
}
