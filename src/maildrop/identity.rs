//! What a message is called from session to session.

use crate::term::hex;
use sha2::{Digest, Sha256};
use std::fmt;

/// What a message is called from session to session (E11): a hash over account and unique-id. Its
/// listed size is no part of it, because on many servers it changes. Several messages may bear one
/// identity, where a server lists a unique-id twice or uses it again.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Identity(pub [u8; 16]);

impl Identity {
    /// `account` is [`crate::profile::Server::id`].
    pub fn new(account: &str, unique_id: &[u8]) -> Self {
        Self::of(account, unique_id, |_| {})
    }

    /// What the first version of the journal took for a message's identity, and put into its file's
    /// name: the listed octets counted, and the turn (from 0) among those alike in both.
    pub fn of_version_1(account: &str, unique_id: &[u8], octets: Option<u64>, turn: u32) -> Self {
        Self::of(account, unique_id, |hash| {
            hash.update(octets.unwrap_or(u64::MAX).to_be_bytes());
            hash.update(turn.to_be_bytes());
        })
    }

    fn of(account: &str, unique_id: &[u8], add: impl FnOnce(&mut Sha256)) -> Self {
        let mut hash = Sha256::new();
        let length = |part: &[u8]| (part.len() as u64).to_be_bytes();
        hash.update(length(account.as_bytes()));
        hash.update(account);
        hash.update(length(unique_id));
        hash.update(unique_id);
        add(&mut hash);
        let mut half = [0; 16];
        half.iter_mut()
            .zip(hash.finalize())
            .for_each(|(place, octet)| *place = octet);
        Self(half)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}
