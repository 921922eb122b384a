//! What the accounts' states say of an mbox file.

use super::Appended;
use super::index::{Extent, Index};
use crate::durable;
use crate::handover::Letter;
use std::io;
use std::path::PathBuf;

/// So much of a message's SHA-256 tells it from others here.
type Key = [u8; 16];

/// When messages were fetched that were appended, in seconds since 1970, by what they are.
#[derive(Default)]
pub struct Times {
    /// In order.
    all: Vec<(Key, i64)>,
    /// Those of the account's own that were about to be appended, and of which nothing is known since.
    open: Vec<(Key, i64)>,
}

impl Times {
    /// Of messages, by their SHA-256: all of them, and those among them of the account's own that were about
    /// to be appended.
    pub fn new(
        all: impl IntoIterator<Item = ([u8; 32], i64)>,
        open: impl IntoIterator<Item = ([u8; 32], i64)>,
    ) -> Self {
        let short = |(sha256, time): ([u8; 32], i64)| (key_of(&sha256), time);
        let mut all: Vec<_> = all.into_iter().map(short).collect();
        all.sort_unstable();
        let open = open.into_iter().map(short).collect();
        Self { all, open }
    }

    /// Those of messages with these octets, without this one, which is at hand: it was about to be appended
    /// perhaps, and nobody has noted that it was.
    fn beside(&self, letter: &Letter) -> Vec<i64> {
        let key = key_of(&letter.sha256);
        let first = self.all.partition_point(|(other, _)| *other < key);
        let alike = self.all.get(first..).unwrap_or_default();
        let alike = alike.iter().take_while(|(other, _)| *other == key);
        let mut times: Vec<i64> = alike.map(|(_, time)| *time).collect();
        if self.open.contains(&(key, letter.time)) {
            take_one(&mut times, letter.time);
        }
        times
    }

    /// How many messages with these octets were fetched at this time and appended, without those of the
    /// account's own of which that is not known: the one at hand is among them.
    fn noted(&self, letter: &Letter, fetched: i64) -> usize {
        let it = (key_of(&letter.sha256), fetched);
        let first = self.all.partition_point(|other| *other < it);
        let alike = self.all.get(first..).unwrap_or_default();
        let alike = alike.iter().take_while(|other| **other == it).count();
        let open = self.open.iter().filter(|other| **other == it).count();
        alike.saturating_sub(open)
    }
}

fn key_of(sha256: &[u8; 32]) -> Key {
    sha256.first_chunk().copied().unwrap_or_default()
}

fn take_one(times: &mut Vec<i64>, time: i64) -> bool {
    let place = times.iter().position(|other| *other == time);
    place.map(|place| times.swap_remove(place)).is_some()
}

/// A message that was about to be appended when a run was ended.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// Its file, where that is found.
    pub path: Option<PathBuf>,
    /// Its octets.
    pub octets: u64,
    /// When it was fetched, in seconds since 1970.
    pub time: i64,
    /// How long the mbox file was.
    pub at: u64,
}

type Known = dyn Fn() -> Times + Send;

type Others = dyn Fn() -> Vec<Unfinished> + Send;

/// What the accounts' states say of a file.
pub struct Ledger {
    /// What the accounts know that append to this file.
    known: Box<Known>,
    /// That, as it was when the file was last looked through: nothing has been appended since but by us.
    times: Option<Times>,
    /// What the account's own earlier runs have left unfinished, until that has been looked at.
    own: Vec<Unfinished>,
    /// What the others' have.
    others: Box<Others>,
    pub(super) index: Index,
    has_more: bool,
    /// Messages that were found in this run, where `times` has them as well.
    found: Vec<(Key, i64)>,
    /// Those that it does not have before it is asked for once more.
    found_since: Vec<(Key, i64)>,
}

impl Ledger {
    /// That of accounts that are asked so; of one of them, `own`, what it has left unfinished is known.
    pub fn new(
        known: impl Fn() -> Times + Send + 'static,
        own: Vec<Unfinished>,
        others: impl Fn() -> Vec<Unfinished> + Send + 'static,
    ) -> Self {
        Self {
            known: Box::new(known),
            times: None,
            own,
            others: Box::new(others),
            index: Index::default(),
            has_more: false,
            found: Vec::new(),
            found_since: Vec::new(),
        }
    }

    /// What was left unfinished. The account's own is told once: what stands there later is something else.
    pub(super) fn unfinished(&mut self) -> Vec<Unfinished> {
        let own = std::mem::take(&mut self.own);
        own.into_iter().chain((self.others)()).collect()
    }

    /// Takes in what is in the file and not accounted for.
    pub(super) fn catch_up(
        &mut self,
        file: &mut durable::File,
        length: u64,
        known: Option<Extent>,
    ) -> io::Result<()> {
        if self.index.catch_up(file, length, known)? {
            self.has_more = true;
            // Somebody else was at it, another account perhaps.
            self.times = None;
            self.found.append(&mut self.found_since);
        }
        Ok(())
    }

    /// When messages like this one were fetched that are in the file. What a state knows of is not what the
    /// states have forgotten.
    pub(super) fn times_of(&mut self, letter: &Letter) -> Vec<i64> {
        let known = &self.known;
        let mut times = self.times.get_or_insert_with(known).beside(letter);
        let key = key_of(&letter.sha256);
        for (_, found) in self.found.iter().filter(|(other, _)| *other == key) {
            take_one(&mut times, *found);
        }
        times
    }

    /// How many others with the octets of this message stand in the file behind the very same line, as they were
    /// fetched at this time, as far as the states know by now: what this run has appended is among them.
    pub(super) fn others_of(&self, letter: &Letter, fetched: i64) -> usize {
        (self.known)().noted(letter, fetched)
    }

    /// It was in the file.
    pub(super) fn note_found(&mut self, letter: &Letter) {
        let found = (key_of(&letter.sha256), letter.time);
        match self
            .times
            .as_ref()
            .is_some_and(|it| it.open.contains(&found))
        {
            true => self.found.push(found),
            false => self.found_since.push(found),
        }
    }

    pub(super) fn appended(&self, remark: Option<String>) -> Option<Appended> {
        Some(Appended {
            remark,
            extent: self.index.end()?,
            is_all: !self.has_more,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handover::Keeping;

    #[test]
    fn the_message_at_hand_is_left_out_once_and_those_like_it_count() {
        let (one, other) = ([1; 32], [2; 32]);
        let all = [(one, 7), (other, 7), (one, 7), (one, 8), ([3; 32], 7)];
        let letter = |sha256, time| Letter {
            path: PathBuf::new(),
            octets: 0,
            sha256,
            unique_id: None,
            time,
            keeping: Keeping::Ours,
        };
        let times = Times::new(all, [(one, 7)]);
        let sorted = |letter| {
            let mut times = times.beside(&letter);
            times.sort_unstable();
            times
        };
        assert_eq!(sorted(letter(one, 7)), [7, 8]);
        assert_eq!(sorted(letter(one, 8)), [7, 7, 8]);
        assert_eq!(sorted(letter(other, 7)), [7]);
        assert!(sorted(letter([4; 32], 7)).is_empty());
        let noted = |octets, time| times.noted(&letter(octets, time), time);
        assert_eq!([noted(one, 7), noted(one, 8), noted(other, 7)], [1, 1, 1]);
        assert_eq!([noted(one, 9), noted([4; 32], 7)], [0, 0]);
    }
}
