//! The maildrop behind the embedded server: what it holds, and what a client deleted from it.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard};

use super::message::Message;

/// A maildrop, shared by all sessions of a server and by the test. A clone is the same maildrop.
#[derive(Clone, Debug, Default)]
pub struct Maildrop(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    contents: Arc<Contents>,
    next_serial: u64,
    locked: bool,
}

/// What a session sees from its sign-in to its end, whatever happens to the maildrop meanwhile.
#[derive(Debug, Default)]
pub struct Contents {
    entries: Vec<Entry>,
    /// Both listings, ready to be sent: 100,000 lines take too long to format for each session.
    scan_listing: Vec<u8>,
    unique_id_listing: Vec<u8>,
}

/// A message and what tells it from another one with the same unique-id and octets.
#[derive(Clone, Debug)]
struct Entry {
    message: Arc<Message>,
    serial: u64,
}

impl Maildrop {
    /// A maildrop that holds `messages`, of which the first is message-number 1.
    pub fn new(messages: impl IntoIterator<Item = Message>) -> Self {
        let maildrop = Self::default();
        maildrop.add(messages);
        maildrop
    }

    /// New mail arrives. A session that is under way does not see it.
    pub fn add(&self, messages: impl IntoIterator<Item = Message>) {
        let mut inner = self.lock();
        let mut entries = inner.contents.entries.clone();
        for message in messages {
            inner.next_serial += 1;
            entries.push(Entry {
                message: Arc::new(message),
                serial: inner.next_serial,
            });
        }
        inner.contents = Arc::new(Contents::new(entries));
    }

    /// Everything is replaced, as by a move to another server.
    pub fn replace(&self, messages: impl IntoIterator<Item = Message>) {
        self.lock().contents = Arc::default();
        self.add(messages);
    }

    /// What is on the server now.
    pub fn messages(&self) -> Vec<Message> {
        let contents = self.contents();
        let messages = contents.entries.iter();
        messages.map(|entry| (*entry.message).clone()).collect()
    }

    /// The unique-ids on the server now, for short assertions.
    pub fn unique_ids(&self) -> Vec<String> {
        let messages = self.messages();
        let ids = messages.iter().map(|message| &message.unique_id);
        ids.map(|id| String::from_utf8_lossy(id).into_owned())
            .collect()
    }

    /// How many messages are on the server now.
    pub fn count(&self) -> usize {
        self.contents().entries.len()
    }

    /// What a session that signs in now sees.
    pub fn contents(&self) -> Arc<Contents> {
        Arc::clone(&self.lock().contents)
    }

    /// Takes the exclusive-access lock, if nobody has it; a test may do so to play another client.
    pub fn try_lock(&self) -> Option<ExclusiveAccess> {
        let mut inner = self.lock();
        (!std::mem::replace(&mut inner.locked, true)).then(|| ExclusiveAccess(self.clone()))
    }

    /// Removes the messages of `seen` at these indexes: the UPDATE state.
    pub fn remove(&self, seen: &Contents, indexes: impl IntoIterator<Item = usize>) {
        let gone: Vec<u64> = indexes
            .into_iter()
            .map(|i| seen.entries[i].serial)
            .collect();
        if gone.is_empty() {
            return;
        }
        let mut inner = self.lock();
        let mut entries = inner.contents.entries.clone();
        let gone: std::collections::HashSet<u64> = gone.into_iter().collect();
        entries.retain(|entry| !gone.contains(&entry.serial));
        inner.contents = Arc::new(Contents::new(entries));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A hook that panics must not hide its own message behind a poisoned lock.
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// The exclusive-access lock of RFC 1939 section 8; dropping it lets the next client in.
#[derive(Debug)]
pub struct ExclusiveAccess(Maildrop);

impl Drop for ExclusiveAccess {
    fn drop(&mut self) {
        self.0.lock().locked = false;
    }
}

impl Contents {
    fn new(entries: Vec<Entry>) -> Self {
        let (mut scan_listing, mut unique_id_listing) = (Vec::new(), Vec::new());
        for (index, entry) in entries.iter().enumerate() {
            let number = index + 1;
            write!(scan_listing, "{number} {}\r\n", entry.message.listed_size()).unwrap();
            write!(unique_id_listing, "{number} ").unwrap();
            unique_id_listing.extend_from_slice(&entry.message.unique_id);
            unique_id_listing.extend_from_slice(b"\r\n");
        }
        Self {
            entries,
            scan_listing,
            unique_id_listing,
        }
    }

    /// How many messages, those marked as deleted included.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// The message at `index`, which is its message-number less one.
    pub fn message(&self, index: usize) -> &Arc<Message> {
        &self.entries[index].message
    }

    /// All lines of LIST while nothing is marked as deleted.
    pub fn scan_listing(&self) -> &[u8] {
        &self.scan_listing
    }

    /// All lines of UIDL while nothing is marked as deleted.
    pub fn unique_id_listing(&self) -> &[u8] {
        &self.unique_id_listing
    }
}
