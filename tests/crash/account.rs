//! The account's state, opened as a fetch opens it, and what it says.

use super::explore::Explorer;
use super::server::Server;
use popfetch::durable::{Dir, Disk};
use popfetch::maildir::{Maildir, Site};
use popfetch::maildrop::{self, Joiner};
use popfetch::pop3::MessageNumber;
use popfetch::state::{self, Claim, Opened, Store};
use std::sync::Arc;

pub fn open(explorer: &mut Explorer, disk: &Disk, now: i64) -> Store {
    try_open(explorer, disk, now).unwrap().0
}

pub fn try_open(
    explorer: &mut Explorer,
    disk: &Disk,
    now: i64,
) -> Result<(Store, Arc<Maildir>, Opened), state::Error> {
    let site = Site::look(disk, &explorer.profile().maildir)?.filed(&explorer.filing);
    claim(explorer, disk, now)?.settle(&site)
}

/// The account's lock, taken.
pub fn claim(explorer: &mut Explorer, disk: &Disk, now: i64) -> Result<Claim, state::Error> {
    let directory = state::open_directory(disk, &explorer.root().join("state"))?;
    let moment = explorer.moment(now);
    Claim::take(directory, &explorer.profile().server.id(), "ada", &moment)
}

/// What the server lists, as a session joins it.
pub fn listing(explorer: &Explorer, server: &Server) -> maildrop::Maildrop {
    let mut joiner = Joiner::default();
    let maildrop = server.0.lock().unwrap();
    for (place, (id, body)) in maildrop.messages.iter().enumerate() {
        if !maildrop.deleted.contains(&place) {
            let number = MessageNumber::new(place as u32 + 1).unwrap();
            joiner.scan(number, body.len() as u64).unwrap();
            joiner.unique_id(number, id.as_bytes()).unwrap();
        }
    }
    joiner.finish(&explorer.profile().server.id(), true)
}

pub fn inspect(explorer: &Explorer) -> state::Inspected {
    let dir = Dir::open(&Disk::new(), &explorer.root().join("state")).unwrap();
    state::inspect(&dir, &explorer.profile().server.id()).unwrap()
}

/// What is remembered of each message.
pub fn messages(explorer: &Explorer) -> Vec<state::InspectedMessage> {
    let messages: Result<_, _> = inspect(explorer).messages().collect();
    messages.unwrap()
}

/// What is remembered of each message, without the ids of the lines.
pub fn remembered(explorer: &Explorer) -> Vec<String> {
    let line = |shown: state::InspectedMessage| {
        let ids = shown.unique_ids.iter();
        let ids: Vec<_> = ids.map(|id| String::from_utf8_lossy(id)).collect();
        let (time, listed, stored) = (shown.time, shown.listed, shown.stored);
        let (standing, gone, held) = (shown.standing, shown.gone, shown.held);
        let settled = shown.settled || stored.is_none();
        format!("{ids:?} {time} {listed:?} {stored:?} {standing:?} {settled} {held} {gone}")
    };
    messages(explorer).into_iter().map(line).collect()
}

/// The Maildir's own file, and what the account's line in it says of its generation.
pub fn generation(explorer: &Explorer) -> Option<u64> {
    let profile = explorer.profile();
    let site = Site::look(&Disk::new(), &profile.maildir).unwrap();
    let line = site.roster.of(&profile.server.id(), &[])?;
    Some(line.generation)
}
