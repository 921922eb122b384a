//! Messages that could not be fetched: how often that was their own fault, as far as was shown. None
//! of it is synced: forgetting it costs one more try.

use super::Store;
use super::record::{Entry, FailureKind, Listing};
use crate::maildrop::{Identity, Message};

impl Store {
    /// A message could not be fetched, for its own sake.
    pub fn failed(&mut self, message: &Message, kind: FailureKind) {
        let Some(identity) = message.identity else {
            return;
        };
        let before = self.memory.failures.get(&identity);
        let before = before.filter(|failures| failures.kind == kind || failures.count == 0);
        let count = before.map_or(0, |failures| failures.count);
        self.note_failures(Listing::of(message), kind, count.saturating_add(1));
    }

    /// The server stumbled where this message was to come, which need not be the message's fault: it
    /// is asked for behind the others from now on.
    pub fn suspect(&mut self, message: &Message, kind: FailureKind) {
        let known = |identity| self.memory.failures.contains_key(&identity);
        if !message.identity.is_none_or(known) {
            self.note_failures(Listing::of(message), kind, 0);
        }
    }

    /// Whether the server has stumbled at it before, whose fault that was or not.
    pub fn is_suspected(&self, message: &Message) -> bool {
        let known = |identity| self.memory.failures.contains_key(&identity);
        message.identity.is_some_and(known)
    }

    /// Whether it was a message's own fault before.
    pub fn has_failed(&self, message: &Message) -> bool {
        let failures = |identity| self.memory.failures.get(&identity);
        let failures = message.identity.and_then(failures);
        failures.is_some_and(|failures| failures.count > 0)
    }

    /// Messages of these unique-ids are as good as new. How many had failed.
    pub(super) fn forget_failures(&mut self, unique_ids: impl Iterator<Item = Box<[u8]>>) -> u64 {
        let mut forgotten = 0;
        for unique_id in unique_ids {
            let identity = Identity::new(&self.account, &unique_id);
            let failures = self.memory.failures.get(&identity).copied();
            let Some(failures) = failures.filter(|failures| failures.count > 0) else {
                continue;
            };
            let listing = Listing {
                unique_id: Some(unique_id),
                octets: None,
                turn: 0,
            };
            self.note_failures(listing, failures.kind, 0);
            forgotten += 1;
        }
        forgotten
    }

    fn note_failures(&mut self, listing: Listing, kind: FailureKind, count: u32) {
        let time = self.moment.now;
        self.write([Entry::Failed {
            time,
            listing,
            kind,
            count,
        }]);
    }
}
