//! Whether what was recorded as stored is still there, octet for octet.
//!
//! Reads only: the journal says which file each message became and what its SHA-256 was; the
//! Maildirs are searched for the name, which stays the same wherever a mail reader moves the
//! message and whatever flags it gets.

use crate::maildir::{Search, UniqueName};
use crate::state::{Error, Inspected, InspectedMessage, MessageId, Onward};
use std::io;

/// How a recorded message was found.
#[derive(Debug)]
pub enum Finding {
    /// The file is there, not as it was stored or not to be read, and its owner has taken it as it is.
    Accepted,
    /// The file is there, and its octets are not those that were stored.
    Changed(Box<Changed>),
    /// There is no such file any more, as the message was handed on.
    HandedOn,
    /// As it was stored.
    Intact,
    /// There is no such file, and the machine has been started anew since it was stored, or a folder
    /// cannot be looked into: it was removed, or lost, or is out of sight.
    Missing,
    /// There is no such file. It was there when it was recorded, and the machine has run ever since,
    /// so that a program has removed it; or its owner has said that it was on purpose.
    Removed,
    /// The file is there and cannot be read.
    Unreadable(io::Error),
}

/// What a file says that is not as it was stored.
#[derive(Debug)]
pub struct Changed {
    /// Its octets now.
    pub octets: u64,
    /// Its SHA-256 now.
    pub sha256: [u8; 32],
}

impl Finding {
    /// Whether something is wrong, as far as anybody can tell.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Changed(_) | Self::Missing | Self::Unreadable(_))
    }

    /// Whether there is no file.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Missing | Self::Removed)
    }
}

/// A message whose file must be there, as it is recorded.
#[derive(Clone, Copy)]
pub struct Recorded<'a> {
    /// What is remembered of it.
    pub inspected: &'a InspectedMessage,
    /// Its file's name.
    pub name: &'a UniqueName,
    /// Its octets.
    pub octets: u64,
    /// Its SHA-256.
    pub sha256: &'a [u8; 32],
}

impl<'a> Recorded<'a> {
    /// `None` of one that is not both stored and settled.
    pub fn of(inspected: &'a InspectedMessage) -> Option<Self> {
        let stored = inspected.stored.as_ref().filter(|_| inspected.settled);
        stored.map(|(name, octets, sha256)| Self {
            inspected,
            name,
            octets: *octets,
            sha256,
        })
    }
}

/// Reads each message's file. Gives what is not intact, in the messages' order; `boot` is the
/// machine's boot at hand; `done` is told the octets of each message that has been read.
pub fn verify(
    inspected: &Inspected,
    search: &mut Search,
    boot: &str,
    mut done: impl FnMut(u64),
) -> Result<Vec<(MessageId, Finding)>, Error> {
    let mut findings = Vec::new();
    for it in inspected.messages() {
        let it = it?;
        let Some(message) = Recorded::of(&it) else {
            continue;
        };
        match examine(&message, search, boot) {
            Finding::Intact => {}
            finding => findings.push((it.id(), finding)),
        }
        done(message.octets);
    }
    // A mail reader may have renamed some just now.
    if findings.iter().any(|(_, finding)| finding.is_absent()) {
        search.look(|_| true)?;
        let absent = |finding: &&mut (MessageId, Finding)| finding.1.is_absent();
        let ids: Vec<MessageId> = findings.iter().map(|(id, _)| *id).collect();
        let pairs = findings.iter_mut().zip(inspected.messages_of(ids));
        for ((_, finding), it) in pairs.filter(|(finding, _)| absent(finding)) {
            if let Some(message) = Recorded::of(&it?) {
                *finding = examine(&message, search, boot);
            }
        }
        findings.retain(|(_, finding)| !matches!(finding, Finding::Intact));
    }
    Ok(findings)
}

fn examine(message: &Recorded<'_>, search: &Search, boot: &str) -> Finding {
    match search.examine(message.name) {
        Ok(examined)
            if examined.digests.stored == *message.sha256 && examined.octets == message.octets =>
        {
            Finding::Intact
        }
        Ok(_) if message.inspected.gone => Finding::Accepted,
        Ok(examined) => Finding::Changed(Box::new(Changed {
            octets: examined.octets,
            sha256: examined.digests.stored,
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if message.inspected.onward == (Onward::Done { removed: true }) {
                return Finding::HandedOn;
            }
            // What waits to be handed on nobody has removed on purpose, as far as can be seen from here.
            let waits = message.inspected.onward == Onward::Waits;
            let same_boot = !waits && !boot.is_empty() && *message.inspected.boot == *boot;
            // Nobody has removed what is only out of sight.
            let is_hidden = search.may_be_hidden(message.inspected.folder.as_ref());
            match message.inspected.gone || (same_boot && !is_hidden) {
                true => Finding::Removed,
                false => Finding::Missing,
            }
        }
        Err(_) if message.inspected.gone => Finding::Accepted,
        Err(error) => Finding::Unreadable(error),
    }
}
