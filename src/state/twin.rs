//! Another account's journal that knows the maildrop at hand: the same maildrop by another name
//! (a host's alias, another port, another protocol), as likely as not, and all of it would be delivered again.

use super::files::{Files, accounts};
use super::journal::{self, Header};
use super::memory::Memory;
use super::record::Id;
use crate::durable::Dir;
use crate::maildrop::{Identity, Maildrop};
use std::collections::HashMap;

/// A smaller maildrop proves nothing.
const ENOUGH: usize = 10;

/// Journals with the same user or the same host, read before the account's thread is confined.
#[derive(Default)]
pub struct Twins {
    /// The account that has no history.
    account: String,
    memories: Vec<Memory>,
}

/// The account that knows a maildrop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Twin {
    /// Its id ([`crate::profile::Server::id`]).
    pub account: String,
    /// How many of the listed messages it knows, with their sizes.
    pub known: usize,
    /// How many are listed.
    pub listed: usize,
}

impl Twins {
    /// Reads the journals beside that of `account`; one that cannot be read says nothing.
    pub(super) fn read(dir: &Dir, account: &str) -> Self {
        let mut twins = Vec::new();
        let others = accounts(dir).filter(|other| other != account && is_akin(other, account));
        for other in others {
            let name = Files::of(&other).journal;
            let mut memory = Memory::new(&other);
            let Ok(Some(Header::Ours { .. })) = journal::read_header(dir, &name, &other) else {
                continue;
            };
            let read = dir.read(&name).and_then(|input| memory.load(input));
            if read.is_ok() {
                twins.push(memory);
            }
        }
        Self {
            account: account.to_owned(),
            memories: twins,
        }
    }

    /// The one that knows most of what is listed, if it is enough.
    pub fn of(&self, maildrop: &Maildrop) -> Option<Twin> {
        let twins = self.memories.iter().filter_map(|memory| {
            let known = match kind(&memory.account) == kind(&self.account) {
                true => known_by_name(memory, maildrop),
                false => known_by_sizes(memory, maildrop),
            };
            let is_it = match has_same_user(&memory.account, &self.account) {
                true => knows_a_folder(&known, maildrop),
                false => knows_the_inbox(&known, maildrop),
            };
            is_it.then(|| Twin {
                account: memory.account.clone(),
                known: count(&known),
                listed: known.len(),
            })
        });
        twins.max_by_key(|twin| twin.known)
    }
}

/// Whether more than half is known of all that is listed, or of one folder: an account that has fetched
/// the inbox alone knows little of a mailbox with an archive, and would double the inbox all the same.
fn knows_a_folder(known: &[bool], maildrop: &Maildrop) -> bool {
    let mut folders = maildrop.folders().filter_map(|folder| known.get(folder));
    is_proof(known) || folders.any(is_proof)
}

/// The same of another user's: two users may both read a folder that they share, and nobody else's inbox.
fn knows_the_inbox(known: &[bool], maildrop: &Maildrop) -> bool {
    let inbox = maildrop.folders().find(|folder| {
        let message = maildrop.message(folder.start);
        let folder = message.and_then(|message| message.folder);
        folder.is_none_or(|folder| folder.parts.is_empty())
    });
    match inbox.and_then(|inbox| known.get(inbox)) {
        Some(inbox) => is_proof(inbox) || (is_most(inbox) && is_proof(known)),
        None => is_proof(known),
    }
}

fn is_proof(known: &[bool]) -> bool {
    known.len() >= ENOUGH && is_most(known)
}

fn is_most(known: &[bool]) -> bool {
    count(known) > known.len() / 2
}

fn count(known: &[bool]) -> usize {
    known.iter().filter(|is_known| **is_known).count()
}

/// What an id has behind its port. Servers of another kind give other names to the same messages.
fn kind(id: &str) -> &str {
    let port = id.rsplit_once(':').map_or("", |(_, port)| port);
    port.trim_start_matches(|c: char| c.is_ascii_digit())
}

/// Which listed messages have a size that is remembered, beside a neighbour's that is remembered beside
/// it. Sizes alone agree by chance: a large mailbox has nearly every one. One behind the other they do not,
/// and messages may have come or gone since without parting all that were neighbours.
fn known_by_sizes(memory: &Memory, maildrop: &Maildrop) -> Vec<bool> {
    let mut pairs: HashMap<(u64, u64), usize> = HashMap::new();
    // Which of two comes first is as the account has it (`order`).
    let pair = |one: u64, other: u64| (one.min(other), one.max(other));
    let (mut before, mut before_there) = (None, None);
    for (_, record) in memory.living() {
        let Some(size) = record.octets.value() else {
            continue;
        };
        let is_there = !record.deleted && !record.is_absent();
        let between = before_there.filter(|it| is_there && before != Some(*it));
        for neighbour in before.into_iter().chain(between) {
            *pairs.entry(pair(neighbour, size)).or_default() += 1;
        }
        before = Some(size);
        if is_there {
            before_there = before;
        }
    }
    let sizes: Vec<Option<u64>> = maildrop.octets().collect();
    let mut known = vec![false; sizes.len()];
    for folder in maildrop.folders() {
        let neighbours = folder.clone().zip(folder.skip(1));
        for (place, next) in neighbours {
            let (Some(Some(one)), Some(Some(other))) = (sizes.get(place), sizes.get(next)) else {
                continue;
            };
            // Each is remembered for one pair that is listed.
            let Some(left) = pairs.get_mut(&pair(*one, *other)).filter(|left| **left > 0) else {
                continue;
            };
            *left -= 1;
            known
                .iter_mut()
                .skip(place)
                .take(2)
                .for_each(|it| *it = true);
        }
    }
    known
}

/// Which listed messages have a unique-id that is remembered, with their size.
fn known_by_name(memory: &Memory, maildrop: &Maildrop) -> Vec<bool> {
    let places = 0..maildrop.len();
    places.map(|place| knows(memory, maildrop, place)).collect()
}

fn knows(memory: &Memory, maildrop: &Maildrop, place: usize) -> bool {
    let Some(message) = maildrop.message(place) else {
        return false;
    };
    let Some(unique_id) = &message.unique_id else {
        return false;
    };
    let ids = memory.all_of(Identity::new(&memory.account, unique_id));
    let is_it = |id: &Id| {
        let record = memory.record(*id);
        record.is_some_and(|it| it.octets.value().is_some() && it.octets.value() == message.octets)
    };
    ids.iter().any(is_it)
}

/// The same user, or another one of the same host, who may be the same person: that is believed only where
/// unique-ids agree, which those of another protocol never do. Two people of one office get mail that is
/// alike in its sizes, one message behind the other.
fn is_akin(one: &str, other: &str) -> bool {
    let has_same_host = || {
        let hosts = parts(one).zip(parts(other));
        hosts.is_some_and(|((_, one), (_, other))| one == other)
    };
    has_same_user(one, other) || (kind(one) == kind(other) && has_same_host())
}

/// Whether two ids are of one user, in whatever case; `ada` may be `ada@example.com`.
pub fn has_same_user(one: &str, other: &str) -> bool {
    let users = parts(one).zip(parts(other));
    users.is_some_and(|((one, _), (other, _))| one == other)
}

/// The user and the host of an id.
fn parts(id: &str) -> Option<(String, String)> {
    let id = id.to_ascii_lowercase();
    let (user, server) = id.rsplit_once('@')?;
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    let user = user.split_once('@').map_or(user, |(user, _)| user);
    Some((user.to_owned(), host.trim_end_matches('.').to_owned()))
}

#[cfg(test)]
mod tests;
