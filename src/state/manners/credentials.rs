//! Whether the credentials that a server refused are still the same, without keeping them.

use super::super::refusal::RefusalKind;
use sha2::{Digest, Sha256};
use std::hash::{BuildHasher, RandomState};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Refusal {
    pub(super) kind: RefusalKind,
    pub(super) time: i64,
    pub(super) wait: i64,
    /// In a row.
    pub(super) count: u32,
    /// See [`salt_of`].
    pub(super) salt: u64,
    pub(super) tag: u8,
}

impl Refusal {
    /// Whether it was these that were refused, as far as that can be told.
    pub(super) fn is_of(&self, credentials: &Credentials<'_>) -> bool {
        self.salt & 0xffff == u64::from(public_tag(credentials))
            && self.tag == secret_tag(self.salt, credentials)
    }
}

/// Whatever a changed config or password changes.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    /// What is no secret: the method, the user, which sign-in.
    pub public: [&'a str; 3],
    /// The password, or what stands for it.
    pub secret: &'a str,
}

/// Beside 16 bits of what is no secret, 48 at random.
pub(super) fn salt_of(credentials: &Credentials<'_>) -> u64 {
    random() << 16 | u64::from(public_tag(credentials))
}

fn public_tag(credentials: &Credentials<'_>) -> u16 {
    match hash(0, &credentials.public)[..] {
        [first, second, ..] => u16::from_be_bytes([first, second]),
        _ => 0,
    }
}

/// So few bits of the hash that whoever gets hold of the file can leave out no guess worth it. Of 16
/// changes of a password one is not noticed before the wait is over.
pub(super) fn secret_tag(salt: u64, credentials: &Credentials<'_>) -> u8 {
    let first = hash(salt, &[credentials.secret]).first().copied();
    first.unwrap_or_default() >> 4
}

pub(super) fn hash(salt: u64, parts: &[&str]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(salt.to_be_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().to_vec()
}

/// The standard library's own source of randomness for its hash tables; nothing secret hangs on it.
pub(in crate::state) fn random() -> u64 {
    RandomState::new().hash_one(0)
}
