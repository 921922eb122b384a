//! How much the disk has room for.

/// A large message leaves so many octets free on the disk: a message without end must not take
/// the last of them from everybody else (fact S36).
pub(super) const RESERVE: u64 = 64 * 1024 * 1024;

/// After so many octets of a message each, the disk is asked what is left.
pub(super) const LOOK_EVERY: u64 = 16 * 1024 * 1024;

/// So much is kept for what stands beside the messages: directories, the state.
const BOOKS: u64 = 64 * 1024;

/// And so much for each message's lines there.
const ENTRY: u64 = 1024;

/// What is left for messages that are still to come.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    available: u64,
    left: u64,
    /// Octets that a file takes its room by.
    block: u64,
    /// No file may be larger (RLIMIT_FSIZE).
    limit: Option<u64>,
}

impl Room {
    pub(super) fn new(available: u64, block: u64) -> Self {
        // Directories and the state grow as well, and what is stored and cannot be recorded is stored
        // in vain.
        let books = BOOKS.min(available / 8);
        Self {
            available,
            left: available - books,
            block: block.max(1),
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
        let taken = octets.max(1).checked_next_multiple_of(self.block);
        let taken = taken.unwrap_or(u64::MAX).saturating_add(ENTRY);
        let fits = self.limit.is_none_or(|limit| octets <= limit)
            && taken.saturating_add(reserve) <= self.left;
        if fits {
            self.left -= taken;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_take_whole_blocks_and_leave_room_for_the_books() {
        let mut room = Room::new(3_002_000, 4096);
        let fitting = (0..1000).take_while(|_| room.take(4097)).count();
        assert_eq!(fitting, (3_002_000 - 65_536) / (8192 + 1024));
        assert!(room.take(1), "a smaller one may fit all the same");
        assert!(!Room::new(0, 4096).take(0));
    }
}
