//! Where a message stands once it is placed, by its name.

use super::unique_name::PlacedName;
use crate::durable::Dir;

/// The new/ and cur/ of a Maildir, or of a folder in it, open.
pub struct Inbox {
    pub(super) new: Dir,
    pub(super) cur: Dir,
}

impl Inbox {
    /// Where a file of this name stands: in cur/, if it has flags.
    pub fn of(&self, name: &PlacedName) -> &Dir {
        match name.flags.is_empty() {
            true => &self.new,
            false => &self.cur,
        }
    }
}
