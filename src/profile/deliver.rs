//! What takes messages once they are stored.

use crate::handover::{Archive, Recipient};

/// What takes messages once they are stored, and what becomes of them then.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deliver {
    /// What takes them.
    pub to: Recipient,
    /// Whether they stay in the Maildir as well.
    pub archive: Archive,
}

impl Deliver {
    /// Whether messages are in their owner's Maildir as well.
    pub fn keeps(&self) -> bool {
        self.archive == Archive::Kept
    }
}
