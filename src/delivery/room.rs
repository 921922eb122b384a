//! How much a Maildir has room for.

use super::incoming::{LOOK_EVERY, RESERVE};
use super::{Error, Maildir};

/// What is left for messages that are still to come.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    available: u64,
    left: u64,
    /// No file may be larger (RLIMIT_FSIZE).
    limit: Option<u64>,
}

impl Room {
    /// A large message leaves so much free.
    pub const RESERVE: u64 = RESERVE;

    /// Whether a message of so many octets must leave the reserve.
    pub fn is_large(octets: u64) -> bool {
        octets >= LOOK_EVERY
    }

    /// Whether a message of so many octets fits beside those before it; it takes its room then.
    pub fn take(&mut self, octets: u64) -> bool {
        let reserve = match Self::is_large(octets) {
            true => RESERVE,
            false => 0,
        };
        let fits = self.limit.is_none_or(|limit| octets <= limit)
            && octets.saturating_add(reserve) <= self.left;
        if fits {
            self.left -= octets;
        }
        fits
    }

    /// What was free at first.
    pub fn available(&self) -> u64 {
        self.available
    }

    /// How large a file may be, where that is limited.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }
}

impl Maildir {
    /// What the disk has room for now.
    pub fn room(&self) -> Result<Room, Error> {
        let available = self.tmp.available();
        let available = available.map_err(|source| self.write_error(&self.tmp, source))?;
        Ok(Room {
            available,
            left: available,
            limit: crate::durable::largest_file(),
        })
    }
}
