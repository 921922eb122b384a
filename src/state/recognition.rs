//! What is known of each message of a listing, one after the other.

use super::Known;
use super::memory::{Kind, Memory};
use crate::maildrop::{Identity, Maildrop};
use std::ops::Range;

/// Recognises the messages of a complete listing, place by place. A maildrop may list a million, so
/// whoever asks keeps what is worth keeping. What is recognised counts as present; dropping this
/// goes through the rest, so that nothing counts as absent for not being asked about.
pub struct Recognition<'a> {
    memory: &'a mut Memory,
    maildrop: &'a Maildrop,
    places: Range<usize>,
}

impl<'a> Recognition<'a> {
    pub(super) fn new(memory: &'a mut Memory, maildrop: &'a Maildrop) -> Self {
        memory.begin_listing();
        Self {
            memory,
            maildrop,
            places: 0..maildrop.len(),
        }
    }
}

impl Iterator for Recognition<'_> {
    type Item = Known;

    fn next(&mut self) -> Option<Known> {
        let place = self.places.next()?;
        Some(recognise(self.memory, self.maildrop.identity(place)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl ExactSizeIterator for Recognition<'_> {}

impl Drop for Recognition<'_> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

fn recognise(memory: &mut Memory, identity: Option<Identity>) -> Known {
    let Some(identity) = identity else {
        return Known::New(None);
    };
    let Some((id, record)) = memory.find(identity) else {
        return Known::New(memory.failures.get(&identity).copied());
    };
    let known = match record.kind {
        Kind::Intended | Kind::Dropped | Kind::Forgotten => return Known::New(None),
        Kind::Stored if record.deletions > 0 && !record.reappeared => return Known::Doubtful,
        Kind::Marked => Known::Marked,
        Kind::Stored => Known::Stored {
            since: record.time.seconds(),
            deletions: record.deletions,
        },
    };
    memory.set_present(id);
    known
}
