//! Another account's journal that knows the maildrop at hand: the same maildrop by another name
//! (a host's alias, another port, another protocol), as likely as not, and all of it would be delivered again.

use super::files::Files;
use super::journal::{self, Header};
use super::memory::Memory;
use super::record::Id;
use crate::durable::Dir;
use crate::maildrop::{Identity, Maildrop};
use std::collections::HashMap;
use std::fs;

/// A smaller maildrop proves nothing.
const ENOUGH: usize = 10;

/// Journals that are read at most.
const JOURNALS: usize = 1000;

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
        let names = fs::read_dir(dir.path()).into_iter().flatten().flatten();
        let names = names.map(|entry| entry.file_name()).take(JOURNALS);
        let mut twins = Vec::new();
        for name in names.filter(|name| name.to_string_lossy().ends_with(".journal")) {
            let Some(other) = dir
                .read(&name)
                .ok()
                .and_then(|file| journal::account_of(file).ok()?)
            else {
                continue;
            };
            if other == account || !is_akin(&other, account) || Files::of(&other).journal != name {
                continue;
            }
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
        let listed = maildrop.len();
        let twins = self.memories.iter().filter_map(|memory| {
            let (known, too_few) = match kind(&memory.account) == kind(&self.account) {
                true => {
                    let known = |place: &usize| knows(memory, maildrop, *place);
                    ((0..listed).filter(known).count(), listed / 2)
                }
                // Sizes agree by chance, too, but hardly those of nearly all messages.
                false => (known_sizes(memory, maildrop), listed / 10 * 9),
            };
            (known > too_few).then(|| Twin {
                account: memory.account.clone(),
                known,
                listed,
            })
        });
        let likely = twins.max_by_key(|twin| twin.known);
        likely.filter(|_| listed >= ENOUGH)
    }
}

/// What an id has behind its port. Servers of another kind give other names to the same messages.
fn kind(id: &str) -> &str {
    let port = id.rsplit_once(':').map_or("", |(_, port)| port);
    port.trim_start_matches(|c: char| c.is_ascii_digit())
}

/// How many listed messages have sizes that are remembered, each for one of them.
fn known_sizes(memory: &Memory, maildrop: &Maildrop) -> usize {
    let mut sizes: HashMap<u64, usize> = HashMap::new();
    for (_, record) in memory.living() {
        if let Some(size) = record.octets.value() {
            *sizes.entry(size).or_default() += 1;
        }
    }
    let mut is_known = |size: &u64| match sizes.get_mut(size) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    };
    maildrop
        .octets()
        .flatten()
        .filter(|size| is_known(size))
        .count()
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

/// The same user or the same host, in whatever case; `ada` may be `ada@example.com`.
fn is_akin(one: &str, other: &str) -> bool {
    let parts = |id: &str| {
        let id = id.to_ascii_lowercase();
        let (user, server) = id.rsplit_once('@')?;
        let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
        let user = user.split_once('@').map_or(user, |(user, _)| user);
        Some((user.to_owned(), host.trim_end_matches('.').to_owned()))
    };
    let (Some(one), Some(other)) = (parts(one), parts(other)) else {
        return false;
    };
    one.0 == other.0 || one.1 == other.1
}
