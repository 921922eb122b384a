//! What is remembered of one message, in few octets.

use super::record::{FailureKind, Id, NotTaken, Repeat, Stored};
use super::time::{Octets, Time};
use crate::handover::{Extent, Located};
use crate::maildrop::Identity;
use crate::message::{Digests, Evidence};
use crate::rules::Gist;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The first octets of the hash of a message's body, or in records of the first version of its
/// content: enough to look for candidates.
pub(super) type Key = [u8; 4];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Its intent is in the journal and nothing else: a crash must have come between.
    Intended,
    /// It is stored, or was until its owner removed it.
    Stored,
    /// It was stored, and is lost: it is to be fetched again.
    Lost,
    /// Seen on request; never fetched, never to be deleted.
    Marked,
    /// Another tool stored it elsewhere: seen, and never to be deleted.
    Imported,
    /// The same, and its owner says that it may be deleted.
    Released,
    /// It was never fetched, and a rule has it deleted: new until that is done.
    Ruled,
    /// It was to be stored, and was not.
    Dropped,
    /// Nothing is known any more, because someone wanted it forgotten.
    Forgotten,
}

impl Kind {
    pub(super) fn is_imported(self) -> bool {
        matches!(self, Self::Imported | Self::Released)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) identity: Identity,
    pub(super) key: Key,
    /// Where its line stands in the journal.
    pub(super) place: Octets,
    /// Its size as last listed.
    pub(super) octets: Octets,
    /// When it was fetched or marked.
    pub(super) time: Time,
    /// Since when it has been absent, or deleted.
    pub(super) absent_since: Time,
    /// Which run recorded it.
    pub(super) run: u32,
    pub(super) kind: Kind,
    /// How often the server confirmed its deletion, or refused it, and went on listing it.
    pub(super) futile: Futile,
    /// How many complete listings in a row lacked it.
    pub(super) absences: u8,
    /// The session at hand lists it.
    pub(super) present: bool,
    /// A listing lacked it, and it has not been seen to be the same since.
    pub(super) absence: Absence,
    /// The server has confirmed its deletion, and it has not been seen to be the same since.
    pub(super) deleted: bool,
    /// Its session broke the protocol: what was stored may be another message, or half of one.
    pub(super) unsure: bool,
    /// Its end was doubtful: it is never deleted (E12).
    pub(super) held: bool,
    pub(super) listed: ListedSizes,
    /// Its owner says that it was removed on purpose, or is fine as it is.
    pub(super) gone: bool,
    pub(super) leave: Leave,
    pub(super) lines: Lines,
}

/// Whether a listing lacked a message that has not been seen to be the same since. No clock tells one listing from
/// another.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Absence {
    #[default]
    None,
    /// The one at hand is the first that did. No line says so.
    Now,
    /// An earlier one did.
    Before,
}

impl Absence {
    pub(super) fn of(is_absent: bool) -> Self {
        if is_absent { Self::Before } else { Self::None }
    }
}

/// Whether a message may have left the server, as far as that matters to what is listed and has its content:
/// that may be a copy which somebody has put there, and the last one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Leave {
    /// Nobody has asked for its deletion.
    #[default]
    None,
    /// Its deletion was asked for.
    Asked,
    /// It has come back since, or may have.
    Returned,
    /// It was not handed on, as it looks like a copy of what was.
    Copy,
    /// It has come back or is a copy, and its owner says that it may go.
    Granted,
}

/// The identity of what has none: nobody looks for it.
pub(super) const NOBODY: Identity = Identity([0; 16]);

/// What is known of a listed message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Known {
    /// Nothing but perhaps failures.
    New(Option<Failures>),
    /// It was stored, and its file is lost.
    Lost,
    /// It was stored.
    Stored {
        /// When, in seconds since 1970.
        since: i64,
        /// How often the server did not delete it although it was asked to.
        futile: u8,
        /// It must not be deleted: its end was doubtful, or it waits to be handed on.
        held: bool,
    },
    /// A message of this name was stored, and this one may be another: something about it is not as
    /// it was (E11.2).
    Doubtful {
        /// The same as in [`Known::Stored`].
        since: i64,
    },
    /// It was marked as seen, and never fetched.
    Marked,
}

/// How often a message could not be fetched, and when that was last tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Failures {
    /// How it failed last.
    pub kind: FailureKind,
    /// How often it failed in this way.
    pub count: u32,
    /// When, in seconds since 1970.
    pub last: i64,
}

/// How often a message was not taken that was to be handed on, and when that was last tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Delay {
    /// What the last answer was.
    pub how: NotTaken,
    /// How often it was the same in a row.
    pub count: u32,
    /// When, in seconds since 1970.
    pub last: i64,
}

impl Delay {
    /// Nobody knows whether it was tried at all: what knew that is lost.
    pub fn is_guessed(&self) -> bool {
        self.how == NotTaken::Unclear && self.last == 0
    }
}

/// A message was about to be handed on, and nobody knows what came of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// How long the file was that it was to be appended to, where there is one.
    pub length: Option<u64>,
    /// When it had been fetched, in seconds since 1970, which is what such a file says; it may have been
    /// fetched once more since.
    pub fetched: i64,
    /// When it was, likewise.
    pub time: i64,
}

/// What is known of all tries with a message that may have been taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Tries {
    /// Where in the folder it is at least, if it was taken.
    pub(super) from: Option<Located>,
    /// What the last of them came after, or one before.
    pub(super) repeat: Repeat,
}

/// Which messages are lost, by what is in them.
pub(super) type Lost = HashMap<Key, Vec<Id>>;

/// What is known of messages that are handed on.
#[derive(Default)]
pub(super) struct Onward {
    /// What became of those that wait for it.
    pub(super) delays: HashMap<Id, Delay>,
    /// Those of which nobody knows what came of it when they were handed on.
    pub(super) attempts: BTreeMap<Id, Attempt>,
    /// The same, also where the answer was lost.
    pub(super) tries: BTreeMap<Id, Tries>,
    /// Messages that were tried, and are lost or forgotten since: who is fetched in their place may have been
    /// taken already.
    pub(super) astray: BTreeSet<Id>,
    /// Up to where the file is accounted for that messages are appended to.
    pub(super) extent: Option<Extent>,
    /// Messages that are to be handed on: few at a time, of as many as a million records.
    pub(super) due: BTreeSet<Id>,
}

/// How often a deletion came to nothing, and whether any of them had been confirmed: one octet, as there
/// are a million records.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Futile(u8);

impl Futile {
    const CONFIRMED: u8 = 0x80;

    pub(super) fn times(self) -> u8 {
        self.0 & !Self::CONFIRMED
    }

    /// The server had confirmed it before it listed the message again.
    pub(super) fn was_confirmed(self) -> bool {
        self.0 & Self::CONFIRMED != 0
    }

    pub(super) fn add(&mut self, confirmed: bool) {
        let times = (self.times() + 1).min(!Self::CONFIRMED);
        let confirmed = confirmed || self.was_confirmed();
        self.0 = times | if confirmed { Self::CONFIRMED } else { 0 };
    }
}

/// What the sizes were worth that a message was listed with: one octet, likewise.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ListedSizes(u8);

impl ListedSizes {
    const OFF: u8 = 1;
    const CHANGED: u8 = 2;

    /// Its octets were others than those listed.
    pub(super) fn are_off(self) -> bool {
        self.0 & Self::OFF != 0
    }

    /// It has been listed with another size before.
    pub(super) fn have_changed(self) -> bool {
        self.0 & Self::CHANGED != 0
    }

    pub(super) fn note_off(&mut self) {
        self.0 |= Self::OFF;
    }

    pub(super) fn note_change(&mut self) {
        self.0 |= Self::CHANGED;
    }
}

/// What a message's lines have: one octet, likewise.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lines(u8);

impl Lines {
    const EVIDENCE: u8 = 1;
    const HANDED: u8 = 2;
    const BEFORE: u8 = 4;

    /// What it is known again by.
    pub(super) fn have_evidence(self) -> bool {
        self.0 & Self::EVIDENCE != 0
    }

    /// That it was handed on, and taken.
    pub(super) fn say_handed(self) -> bool {
        self.0 & Self::HANDED != 0
    }

    pub(super) fn note_evidence(&mut self, has_evidence: bool) {
        self.0 = self.0 & !Self::EVIDENCE | u8::from(has_evidence);
    }

    /// That it stands for one that was.
    pub(super) fn say_before(self) -> bool {
        self.0 & Self::BEFORE != 0
    }

    pub(super) fn note_handed(&mut self) {
        self.0 |= Self::HANDED;
    }

    pub(super) fn note_before(&mut self) {
        self.0 |= Self::HANDED | Self::BEFORE;
    }
}

impl Record {
    pub(super) fn new(kind: Kind, time: i64, identity: Identity, key: Key) -> Self {
        Self {
            identity,
            key,
            place: Octets::default(),
            octets: Octets::default(),
            time: Time::new(time),
            absent_since: Time::default(),
            run: 0,
            kind,
            futile: Futile::default(),
            absences: 0,
            present: false,
            absence: Absence::None,
            deleted: false,
            unsure: false,
            held: false,
            listed: ListedSizes::default(),
            gone: false,
            leave: Leave::None,
            lines: Lines::default(),
        }
    }

    /// Whether what is listed by this name, and is the same, may be a copy that somebody has put there: once its
    /// deletion was confirmed, or an earlier listing lacked it, whoever has removed it. Some make names of headers, so
    /// that a copy has the same one; where no answer came and the very next listing has it by its name, it has not left
    /// (E11.1). Under another name it need not be known to have left where it is not here. Without names each listing
    /// seems to lack it until it was read.
    pub(super) fn is_returned(&self, by: Option<Identity>) -> bool {
        let was_asked = self.deleted || self.leave == Leave::Asked;
        let was_absent = self.absence == Absence::Before;
        let is_it = match by {
            Some(name) if name != self.identity => was_asked || was_absent || self.gone,
            Some(_) => (self.deleted || was_absent) && self.leave != Leave::Granted,
            None => was_asked && self.leave != Leave::Granted,
        };
        is_it && self.kind == Kind::Stored && !matches!(self.leave, Leave::Returned | Leave::Copy)
    }

    /// Whether a listing lacked it, and it has not been seen to be the same since.
    pub(super) fn is_absent(&self) -> bool {
        self.absence != Absence::None
    }

    /// Whether it has come back, and its owner does not keep it here: then it is not deleted (E11).
    pub(super) fn is_last_copy(&self) -> bool {
        self.leave == Leave::Returned && self.gone
    }

    /// What stands for a line that is missing.
    pub(super) fn gap() -> Self {
        Self::new(Kind::Forgotten, 0, NOBODY, [0; 4])
    }

    /// Whether it stands for a line that is missing: a line would have its place.
    pub(super) fn is_gap(&self) -> bool {
        self.kind == Kind::Forgotten && self.place.value().is_none()
    }

    pub(super) fn set_evidence(&mut self, stored: &Stored, place: u64) {
        self.place = Octets::new(Some(place));
        self.lines.note_evidence(stored.evidence.is_some());
        self.key = key_of(stored.evidence.as_ref(), &stored.digests);
    }
}

/// By what candidates are looked for: body and Message-ID, as many a message has a body like others;
/// or the content, where a line of the first version has nothing else.
pub(super) fn key_of(evidence: Option<&Evidence>, digests: &Digests) -> Key {
    let mut key = [0; 4];
    let octets = match evidence {
        Some(evidence) => evidence.key(),
        None => digests.content.first_chunk().copied().unwrap_or_default(),
    };
    key.iter_mut()
        .zip(octets)
        .for_each(|(place, octet)| *place = octet);
    key
}

/// Where the record of this id stands among all of them.
pub(super) fn place_of(id: Id) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}

/// Tells a rule's words from another's, in the record's place for a hash.
pub(super) fn key_of_rule(rule: &str) -> Key {
    let hash: [u8; 32] = Sha256::digest(rule).into();
    hash.first_chunk().copied().unwrap_or_default()
}

/// What a header has told, of a message of this size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) gist: Gist,
    pub(super) octets: Option<u64>,
    /// Where its line begins in the journal.
    pub(super) place: u64,
    /// The session at hand lists the message.
    pub(super) present: bool,
}

impl Heard {
    pub(super) fn new(gist: Gist, octets: Option<u64>, place: u64) -> Self {
        Self {
            gist,
            octets,
            place,
            present: true,
        }
    }
}
