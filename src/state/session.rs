//! What one session has shown, told apart from what was recorded before it.

use super::record::Entry;
use super::{Error, Store};

impl Store {
    /// A session begins: what it records is told apart from what was recorded before.
    pub fn begin_session(&mut self) {
        self.session = self.memory.next_id();
        self.verified.clear();
    }

    /// The session at hand has broken the protocol: whatever it recorded may be another message, or
    /// half of one, and is looked at again before it is believed (E12). Durable on return.
    pub fn distrust_session(&mut self) -> Result<(), Error> {
        let next = self.memory.next_id();
        let mut entries = Vec::new();
        if self.session < next {
            let (first, last) = (self.session, next - 1);
            entries.push(Entry::Disorder { first, last });
        }
        // What it showed to be the same may have been shown by another message's header.
        for id in std::mem::take(&mut self.verified) {
            entries.push(Entry::Disorder {
                first: id,
                last: id,
            });
        }
        if entries.is_empty() {
            return Ok(());
        }
        for entry in entries {
            self.write([entry]);
        }
        self.sync()
    }
}
