//! Whether what was recorded as stored is still there, octet for octet.
//!
//! Reads only: the journal says which file each message became and what its SHA-256 was; the
//! Maildirs are searched for the name, which stays the same wherever a mail reader moves the
//! message and whatever flags it gets.

use crate::delivery;
use crate::maildir::{Search, UniqueName};
use crate::state::Shown;
use std::io;
use std::path::PathBuf;

/// How a recorded message was found.
#[derive(Debug)]
pub enum Finding {
    /// The file is there, and its octets are not those that were stored.
    Changed {
        /// The file.
        path: PathBuf,
        /// Its octets now.
        octets: u64,
        /// Its SHA-256 now.
        sha256: [u8; 32],
    },
    /// As it was stored.
    Intact,
    /// There is no such file, and the machine has been started anew since it was stored: it was
    /// removed, or lost.
    Missing,
    /// There is no such file. It was there when it was recorded, and the machine has run ever since,
    /// so that a program has removed it; or its owner has said that it was on purpose.
    Removed,
    /// The file is there and cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl Finding {
    /// Whether something is wrong, as far as anybody can tell.
    pub fn is_damage(&self) -> bool {
        !matches!(self, Self::Intact | Self::Removed)
    }

    /// Whether there is no file.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Missing | Self::Removed)
    }
}

/// A message that was stored, as it is recorded.
#[derive(Clone, Copy)]
pub struct Recorded<'a> {
    /// What is remembered of it.
    pub shown: &'a Shown,
    /// Its file's name.
    pub name: &'a UniqueName,
    /// Its octets.
    pub octets: u64,
    /// Its SHA-256.
    pub sha256: &'a [u8; 32],
}

/// The messages whose files must be there: all that are stored and settled.
pub fn recorded(messages: &[Shown]) -> Vec<Recorded<'_>> {
    let settled = messages.iter().filter(|message| message.settled);
    settled
        .filter_map(|shown| {
            let (name, octets, sha256) = shown.stored.as_ref()?;
            Some(Recorded {
                shown,
                name,
                octets: *octets,
                sha256,
            })
        })
        .collect()
}

/// Reads each message's file; the findings are in the order of the messages. `boot` is the
/// machine's boot at hand; `done` is told the octets of each message that has been read.
pub fn verify(
    messages: &[Recorded<'_>],
    search: &mut Search,
    boot: &str,
    mut done: impl FnMut(u64),
) -> Result<Vec<Finding>, delivery::Error> {
    let mut findings = Vec::with_capacity(messages.len());
    for message in messages {
        findings.push(examine(message, search, boot));
        done(message.octets);
    }
    // A mail reader may have renamed some just now.
    if findings.iter().any(Finding::is_absent) {
        search.look(|_| true)?;
        let pairs = findings.iter_mut().zip(messages);
        for (finding, message) in pairs.filter(|(finding, _)| finding.is_absent()) {
            *finding = examine(message, search, boot);
        }
    }
    Ok(findings)
}

fn examine(message: &Recorded<'_>, search: &Search, boot: &str) -> Finding {
    let path = search.path(message.name).unwrap_or_default();
    match search.examine(message.name) {
        Ok(examined)
            if examined.digests.stored == *message.sha256 && examined.octets == message.octets =>
        {
            Finding::Intact
        }
        Ok(examined) => Finding::Changed {
            path,
            octets: examined.octets,
            sha256: examined.digests.stored,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let same_boot = !boot.is_empty() && *message.shown.boot == *boot;
            match message.shown.gone || same_boot {
                true => Finding::Removed,
                false => Finding::Missing,
            }
        }
        Err(error) => Finding::Unreadable { path, error },
    }
}
