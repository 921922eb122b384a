//! Whether a listed message is one that is stored already, where that is not plain (E11).

use super::journal;
use super::manners::random;
use super::proof::Same;
use super::record::{Entry, Id, Listing, Stored};
use super::remembered::{Absence, Kind, Record, key_of};
use super::{Error, Settled, Store};
use crate::delivery::Complete;
use crate::maildrop::{Identity, Maildrop, Message};
use crate::message::{Evidence, Examined, Size};

/// Lines of files that are in memory at once at most.
const AT_ONCE: usize = 50_000;

/// What a message that was just fetched is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Judgement {
    /// Another one than all that are stored.
    New,
    /// The same, and the listing took it for one that is stored.
    Another,
    /// One that is stored.
    Stored,
    /// One that is stored, if a listed message that counts as one of these records is another one: it bears
    /// its name, and nobody has looked at more. Otherwise it is a second copy.
    Rival(Vec<u32>),
}

/// So many octets a server adds to a header at most: Status, X-UID, X-IMAPbase and X-Keywords with the
/// blanks that keep room for more.
pub(super) const ADDED: u64 = 1024;

impl Store {
    /// The line of a message's file, with its evidence where it has any.
    pub(super) fn stored(&mut self, id: Id) -> Result<Option<Stored>, Error> {
        Ok(self.line(id)?.and_then(Entry::into_stored))
    }

    /// The line that a message's record is of, or the last one with its evidence.
    pub(super) fn line(&mut self, id: Id) -> Result<Option<Entry>, Error> {
        let place = self
            .memory
            .record(id)
            .and_then(|record| record.place.value());
        match place {
            Some(place) => self.line_at(place),
            None => Ok(None),
        }
    }

    /// The line that begins at this place.
    pub(super) fn line_at(&mut self, place: u64) -> Result<Option<Entry>, Error> {
        self.flush()?;
        let file = match self.lines.take() {
            Some(file) => Ok(file),
            None => self.dir.read(&self.files.journal),
        };
        let line = file.and_then(|file| journal::read_at(self.lines.insert(file), place));
        line.map_err(|source| self.io_error(source))
    }

    /// Gives those of these messages whose records have no evidence, being of the first version, what
    /// their files tell. One whose file is gone, or not as it was, goes by its name.
    pub fn gather_evidence<'a>(
        &mut self,
        messages: impl Iterator<Item = &'a Message>,
    ) -> Result<(), Error> {
        let mut bare = Vec::new();
        for message in messages {
            let id = self.memory.claimed(message);
            let record = id.and_then(|id| self.memory.record(id));
            let lacks =
                record.is_some_and(|it| it.kind == Kind::Stored && !it.lines.have_evidence());
            if let (true, Some(id)) = (lacks, id)
                && let Some(stored) = self.stored(id)?
            {
                bare.push((id, stored));
            }
        }
        self.read_evidence(bare)
    }

    /// The same for all records that no listed message counts as: many new messages may be theirs,
    /// under new unique-ids and with more in their headers.
    pub fn gather_evidence_of_unlisted(&mut self) -> Result<(), Error> {
        let records = self.memory.records.iter().zip(0..);
        let bare = records.filter(|(record, _)| {
            record.kind == Kind::Stored && !record.lines.have_evidence() && !record.present
        });
        let bare: Vec<Id> = bare.map(|(_, id)| id).collect();
        for ids in bare.chunks(AT_ONCE) {
            let mut lines = Vec::with_capacity(ids.len());
            for id in ids {
                lines.extend(self.stored(*id)?.map(|stored| (*id, stored)));
            }
            self.read_evidence(lines)?;
        }
        Ok(())
    }

    fn read_evidence(&mut self, bare: Vec<(Id, Stored)>) -> Result<(), Error> {
        let lines: Vec<&Stored> = bare.iter().map(|(_, stored)| stored).collect();
        let Some(search) = self.search_for(&lines)? else {
            return Ok(());
        };
        for (id, stored) in bare {
            if let Ok(examined) = search.examine(&stored.name)
                && examined.digests.stored == stored.digests.stored
            {
                // It is the file that was recorded, so it is whole whatever the server lists.
                let evidence = Some(Evidence {
                    size: Size::Off,
                    ..examined.evidence
                });
                let stored = Stored { evidence, ..stored };
                self.write([Entry::Evidence { id, stored }]);
            }
        }
        Ok(())
    }

    /// Whether a header could tell that a message is the stored one. `adds_to_headers`: as in
    /// [`Store::judge_header`].
    pub fn header_can_tell(
        &mut self,
        message: &Message,
        adds_to_headers: bool,
    ) -> Result<bool, Error> {
        let Some(id) = self.memory.claimed(message) else {
            return Ok(false);
        };
        let stored = self.stored(id)?;
        Ok(stored.is_some_and(|stored| {
            let fields = stored.evidence.map(|evidence| evidence.fields);
            fields.is_some_and(|fields| fields.can_tell())
                && self.is_whole_by_header(id, &stored, message, adds_to_headers)
        }))
    }

    /// Whether the whole message could tell. A record without evidence goes by its name, unless the
    /// message was away meanwhile.
    pub fn body_can_tell(&mut self, message: &Message) -> Result<bool, Error> {
        let Some(id) = self.memory.claimed(message) else {
            return Ok(false);
        };
        let has_evidence = self
            .stored(id)?
            .is_some_and(|stored| stored.evidence.is_some());
        let record = self.memory.record(id);
        let was_away = record.is_some_and(|it| it.deleted || it.is_absent() || it.unsure);
        Ok(has_evidence || was_away)
    }

    /// Whether nothing is doubtful about a message but that others which are no copies of it have its unique-id.
    pub fn is_namesake(&self, message: &Message) -> bool {
        self.memory.is_namesake(message)
    }

    /// A place among so many that is another one in each run.
    pub fn draw_below(&self, count: usize) -> usize {
        let drawn = random().checked_rem(count as u64).unwrap_or_default();
        usize::try_from(drawn).unwrap_or_default()
    }

    /// Since when a message has been stored (seconds since 1970), and how often the server did not
    /// delete it.
    pub fn standing_of(&self, same: &Same) -> Option<(i64, u8)> {
        let record = self.memory.record(same.id)?;
        Some((self.memory.age_begins(record), record.futile.times()))
    }

    /// Judges by a message's header, as the session at hand shows it. That it cannot be told so
    /// proves nothing. `adds_to_headers`: the server may have written into it since the message came.
    pub fn judge_header(
        &mut self,
        message: &Message,
        header: &[u8],
        adds_to_headers: bool,
    ) -> Result<Option<Same>, Error> {
        for id in self.bearers(message) {
            let Some(stored) = self.stored(id)? else {
                continue;
            };
            let fields = stored.evidence.map(|evidence| evidence.fields);
            if fields.is_some_and(|fields| fields.are_of(header))
                && self.is_whole_by_header(id, &stored, message, adds_to_headers)
            {
                return Ok(Some(self.same(id, message)));
            }
        }
        Ok(None)
    }

    /// Whether a header that is the same means that all of the message is. It does not where the
    /// session broke the protocol, nor of a file that was found without a record, which may have been
    /// cut short: then its size must be the message's.
    fn is_whole_by_header(
        &self,
        id: Id,
        stored: &Stored,
        message: &Message,
        adds_to_headers: bool,
    ) -> bool {
        let unsure = self.memory.record(id).is_none_or(|record| record.unsure);
        let Some(evidence) = &stored.evidence else {
            return false;
        };
        match (evidence.size, message.octets) {
            (Size::Exact, None) => true,
            (Size::Exact, Some(octets)) if adds_to_headers => {
                is_nearly_size_of(stored, evidence, octets)
            }
            (Size::Exact, Some(octets)) => is_size_of(stored, evidence, octets),
            (Size::Off, _) | (Size::Unknown, None) => !unsure,
            (Size::Unknown, Some(octets)) => is_size_of(stored, evidence, octets),
        }
    }

    /// A record without anything to compare: an old one whose file is gone goes by its name, and
    /// before it is deleted by its size (E11.4).
    pub fn judge_listing(&mut self, message: &Message, due: bool) -> Result<Option<Same>, Error> {
        let Some(id) = self.memory.claimed(message) else {
            return Ok(None);
        };
        let stored = self.stored(id)?;
        let evidence = stored.as_ref().and_then(|stored| stored.evidence.as_ref());
        let record = self.memory.record(id);
        // Found in the Maildir, and a header could not tell: until it is to be deleted, it goes by its
        // name and its size.
        let is_unlisted = record.is_some_and(|record| record.octets.value().is_none());
        let is_plain = is_unlisted
            && !due
            && stored
                .as_ref()
                .zip(evidence)
                .is_some_and(|(stored, evidence)| {
                    let has_its_size = |octets| is_nearly_size_of(stored, evidence, octets);
                    !evidence.fields.can_tell() && message.octets.is_none_or(has_its_size)
                });
        if evidence.is_some() && !is_plain {
            return Ok(None);
        }
        let as_listed = record.is_some_and(|record| {
            let octets = record.octets.value();
            let known = octets.is_none() || octets == message.octets;
            known && !record.deleted && !record.is_absent() && !record.unsure
        });
        Ok(as_listed.then(|| self.same(id, message)))
    }

    /// Whether a message that was just fetched is one that is stored already: under its own name, or
    /// under another (a migration, a restored server), or without any. If so it need not be
    /// delivered, and is settled with the next sync.
    pub fn judge_whole(&mut self, complete: &Complete) -> Result<Judgement, Error> {
        let (message, examined) = (complete.message(), complete.examined());
        for id in self.bearers(message) {
            if let Some(stored) = self.stored(id)?
                && !is_another_reading(&stored, examined)
            {
                self.settle_same(id, complete);
                return Ok(Judgement::Stored);
            }
        }
        let was_known = match self.memory.claimed(message) {
            Some(id) => {
                self.release(id, message);
                match self.memory.record(id).map(|record| record.kind) {
                    // Whatever the name stood for, it is not this.
                    Some(Kind::Stored) => true,
                    Some(Kind::Lost) => {
                        let lost = self.stored(id)?;
                        lost.is_some_and(|lost| is_another_reading(&lost, examined))
                    }
                    _ => false,
                }
            }
            None => false,
        };
        let keys = [
            key_of(Some(&examined.evidence), &examined.digests),
            key_of(None, &examined.digests),
        ];
        let mut rivals = Vec::new();
        for id in self.memory.candidates(keys) {
            let Some(record) = self.memory.record(id) else {
                continue;
            };
            let (present, deleted) = (record.present, record.deleted);
            let unlisted = self.memory.listed && !present;
            let is_elsewhere = record.is_known_by_content();
            // One of this session is plainly another listed message: both have come. What another tool has
            // stored stands for as many messages as there were files.
            if present && (is_elsewhere || id >= self.session) {
                continue;
            }
            if !present && self.were_beside(id) {
                continue;
            }
            if let Some(stored) = self.stored(id)?
                && (is_under_another_name(&stored, examined, message.identity, deleted)
                    || is_elsewhere && is_copy(&stored, complete)
                    || self.is_namesakes(id, message) && !is_another_reading(&stored, examined)
                    || unlisted && is_the_same_text(&stored, examined))
            {
                if !present {
                    self.settle_same(id, complete);
                    return Ok(Judgement::Stored);
                }
                rivals.push(id);
            }
        }
        Ok(match was_known {
            _ if !rivals.is_empty() => Judgement::Rival(rivals),
            true => Judgement::Another,
            false => Judgement::New,
        })
    }

    /// The listed message that counts as this record.
    pub fn claimant(&self, id: u32, maildrop: &Maildrop) -> Option<Message> {
        if self.verified.contains(&id) {
            return None;
        }
        let identity = self.memory.record(id)?.identity;
        let places =
            (0..maildrop.len()).filter(|place| maildrop.identity(*place) == Some(identity));
        let mut messages = places.filter_map(|place| maildrop.message(place));
        messages.find(|message| self.memory.claimed(message) == Some(id))
    }

    /// Nothing that is listed is this record's message.
    pub(super) fn release(&mut self, id: Id, message: &Message) {
        let time = self.moment.now;
        self.memory.unclaim(message, id);
        let missed = self
            .memory
            .record(id)
            .is_some_and(|record| !record.deleted && !record.is_absent());
        if missed {
            self.write([Entry::Unlisted { id, time }]);
            self.memory
                .change(id, |record| record.absence = Absence::Now);
        }
    }

    fn settle_same(&mut self, id: Id, complete: &Complete) {
        let message = complete.message();
        if complete.is_orderly() {
            let same = self.same(id, message);
            self.unsynced.push(Settled::Known(same));
            return;
        }
        // Stored it is, but neither reading may be whole: it is not to be deleted either.
        self.take_claim(id, message);
        self.forget_told(message);
        if self.memory.record(id).is_some_and(|record| !record.gone) {
            self.write([Entry::Doubtful { id }]);
        }
    }

    /// Notes what is new about a message that is the same.
    fn same(&mut self, id: Id, message: &Message) -> Same {
        self.take_claim(id, message);
        let estimates = self.memory.sizes.are_estimates();
        let is_renamed = |record: &Record| {
            let identity = message.identity;
            identity.is_some_and(|identity| identity != record.identity)
        };
        let news = self.memory.record(id).is_some_and(|record| {
            let resized = record.octets.value() != message.octets && message.octets.is_some();
            let back = record.deleted || record.is_absent() || record.unsure;
            is_renamed(record) || back || (resized && !estimates)
        });
        let record = self.memory.record(id);
        let is_returned = record.is_some_and(|record| record.is_returned(message.identity));
        self.verified.insert(id);
        let listing = Listing::of(message);
        // Without a unique-id there is nothing to note but that it is still there.
        let was_deleted = self.memory.record(id).is_some_and(|it| it.deleted);
        // First: under its new name it is the same from then on.
        if is_returned {
            self.write([Entry::Returned { id }]);
        }
        let time = self.moment.now;
        if news && (listing.is_recognisable() || was_deleted) {
            self.write([Entry::Alias { id, time, listing }]);
        }
        self.forget_told(message);
        Same {
            id,
            message: message.clone(),
        }
    }
}

/// Whether so many listed octets are those of a stored file, with a CR for each line or without.
fn is_size_of(stored: &Stored, evidence: &Evidence, octets: u64) -> bool {
    octets == stored.octets || octets == stored.octets.saturating_add(evidence.lines)
}

/// The same but for what a server adds to a header of its own, as mbox servers do at the end of a
/// session. A message that is listed with more octets more, or with less, has another body, whatever its
/// header says: some servers make unique-ids of headers alone.
pub(super) fn is_nearly_size_of(stored: &Stored, evidence: &Evidence, octets: u64) -> bool {
    let sizes = [stored.octets, stored.octets.saturating_add(evidence.lines)];
    let added = sizes.iter().map(|size| octets.checked_sub(*size));
    added.flatten().any(|added| added <= ADDED)
}

/// Of two messages under one name.
pub(super) fn is_another_reading(stored: &Stored, examined: &Examined) -> bool {
    let evidence = stored.evidence.as_ref();
    stored.digests.content != examined.digests.content
        && !evidence.is_some_and(|evidence| evidence.agrees(&examined.evidence))
}

/// Of a file that another tool has stored. Nobody knows what its message is called, so that one for which no
/// way is written, as of mail that one has sent, goes by all that is in it.
fn is_copy(stored: &Stored, complete: &Complete) -> bool {
    let fields = &complete.evidence().fields;
    stored.digests.content == complete.digests().content && fields.is_one_of_its_kind()
}

/// Of a stored message that nothing listed stands for, and one that no record does.
pub(super) fn is_under_another_name(
    stored: &Stored,
    examined: &Examined,
    identity: Option<Identity>,
    deleted: bool,
) -> bool {
    let is_of = |evidence: &Evidence| evidence.is_of(&examined.evidence, &examined.trail);
    let alike = stored.digests.content == examined.digests.content;
    let fields = &examined.evidence.fields;
    match (&stored.evidence, identity) {
        // Without unique-ids the content is all there is. Of what was deleted another one like it may
        // have come, unless it says which one it is, or when it was written: then the server has not
        // deleted it.
        (evidence, None) => {
            let is_it = alike && (!deleted || fields.is_one_of_its_kind());
            is_it || evidence.as_ref().is_some_and(is_of)
        }
        (Some(evidence), Some(_)) => is_of(evidence),
        // The first version kept nothing else. What nobody wrote a way for may be another copy.
        (None, Some(_)) => alike && !deleted && fields.has_trail(),
    }
}

/// Of a stored message that is certainly not listed under its own name any more, and one that came by no
/// server, as sent mail does: to the octet the same, it is the one that was moved. Of a copy the old name is
/// still listed.
pub(super) fn is_the_same_text(stored: &Stored, examined: &Examined) -> bool {
    stored.digests.content == examined.digests.content && examined.evidence.fields.names_one_text()
}
