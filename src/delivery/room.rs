//! How much the disk has room for.

/// A large message leaves so many octets free on the disk: a message without end must not take
/// the last of them from everybody else (fact S36).
pub(super) const RESERVE: u64 = 64 * 1024 * 1024;

/// After so many octets of a message each, the disk is asked what is left.
pub(super) const LOOK_EVERY: u64 = 16 * 1024 * 1024;

/// What is left for messages that are still to come.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    available: u64,
    left: u64,
    /// No file may be larger (RLIMIT_FSIZE).
    limit: Option<u64>,
}

impl Room {
    pub(super) fn new(available: u64) -> Self {
        Self {
            available,
            left: available,
            limit: crate::durable::largest_file(),
        }
    }

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
