//! A message's name in the Maildir.
//!
//! `SECONDS.MmicrosecondsPpidQcount_pfACCOUNTIDENTITY.HOST`: after the Maildir convention, with a
//! token that says whose message this is and which, so that a lost state file can be made again
//! from the names. Nothing that a server or a message says ever stands in a name: the token is a
//! hash.

use crate::maildrop::Identity;
use crate::term::unhex;
use sha2::{Digest, Sha256};
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const MARK: &str = "_pf";

/// Octets of the hash over the account; enough to tell the accounts of one Maildir apart.
const TAG: usize = 5;

/// Tells the messages of one account from another's in a Maildir that both deliver to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AccountTag([u8; TAG]);

impl AccountTag {
    /// For the account known as `id` ([`crate::profile::Server::id`]).
    pub fn new(id: &str) -> Self {
        let mut tag = [0; TAG];
        tag.iter_mut()
            .zip(Sha256::digest(id))
            .for_each(|(place, octet)| *place = octet);
        Self(tag)
    }
}

/// A name without the `:2,` info that a mail reader appends. Never holds "/", ":" or white space.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct UniqueName(String);

impl UniqueName {
    /// A name that no other message has, for a message of this account. A message without an
    /// identity gets a token that no other message can have.
    pub fn new(tag: AccountTag, identity: Option<Identity>) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // A clock before 1970 gives 0; the count and the process keep the name unique.
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let pid = std::process::id();
        let unknown = || {
            let seed = format!("{}.{pid}.{count}", now.as_nanos());
            Identity::new("", seed.as_bytes(), None, 0)
        };
        let token = identity.unwrap_or_else(unknown);
        let mut name = format!(
            "{}.M{}P{pid}Q{count}{MARK}",
            now.as_secs(),
            now.subsec_micros()
        );
        for octet in tag.0.iter().chain(&token.0) {
            // Writing to a String cannot fail.
            let _ = write!(name, "{octet:02x}");
        }
        name.push('.');
        name.push_str(&host());
        Self(name)
    }

    /// Reads a name back from the journal or from a directory, where `:2,` and flags may follow.
    /// `None` if popfetch did not make it.
    pub fn parse(name: &OsStr) -> Option<Self> {
        let name = std::str::from_utf8(name.as_bytes()).ok()?;
        let base = name.split(':').next()?;
        let made_here = token(base).is_some() && !base.contains(['/', '\t', '\n', '\0']);
        made_here.then(|| Self(base.to_owned()))
    }

    /// The account whose message this is.
    pub fn tag(&self) -> Option<AccountTag> {
        let (tag, _) = token(&self.0)?;
        Some(AccountTag(tag))
    }

    /// The identity in the name. One that no listed message has, where there was none.
    pub fn identity(&self) -> Option<Identity> {
        let (_, identity) = token(&self.0)?;
        Some(Identity(identity))
    }

    /// When the name was made, in seconds since 1970.
    pub fn seconds(&self) -> i64 {
        let digits = self.0.split('.').next().unwrap_or_default();
        digits.parse().unwrap_or_default()
    }

    /// As a file's name.
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::new(&self.0)
    }

    /// As text; plain ASCII but for the host's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn token(name: &str) -> Option<([u8; TAG], [u8; 16])> {
    let (_, rest) = name.split_once(MARK)?;
    let (tag, identity) = rest.split('.').next()?.split_at_checked(2 * TAG)?;
    Some((unhex(tag.as_bytes())?, unhex(identity.as_bytes())?))
}

/// The host's name with "/", ":" and what else a name must not hold written as `\ooo` (the
/// Maildir convention).
fn host() -> String {
    let host: OsString = OsString::from(
        rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .as_ref(),
    );
    let mut safe = String::new();
    for octet in host.as_bytes().iter().take(64) {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => safe.push(char::from(*octet)),
            _ => {
                let _ = write!(safe, "\\{octet:03o}");
            }
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn d31_names_are_unique_even_without_an_identity() {
        let tag = AccountTag::new("ada@host:995");
        let names: HashSet<_> = (0..1000).map(|_| UniqueName::new(tag, None)).collect();
        assert_eq!(names.len(), 1000);
        let tokens: HashSet<_> = names.iter().map(|name| name.identity().unwrap()).collect();
        assert_eq!(tokens.len(), 1000);
    }

    #[test]
    fn d14_account_and_identity_are_read_back_from_the_name_whatever_its_flags() {
        let tag = AccountTag::new("ada@host:995");
        let identity = Identity::new("ada@host:995", b"a/../:2,", Some(1), 0);
        let name = UniqueName::new(tag, Some(identity));
        assert!(!name.as_str().contains(['/', ':']));
        let flagged = format!("{}:2,FS", name.as_str());
        let read = UniqueName::parse(OsStr::new(&flagged)).unwrap();
        assert_eq!(read, name);
        assert_eq!((read.tag(), read.identity()), (Some(tag), Some(identity)));
        assert!(read.seconds() > 1_700_000_000);
    }

    #[test]
    fn other_programs_names_are_not_ours() {
        for name in [
            "1795395922.M1P2Q3.host",
            "1795395922.M1P2Q3_pf.host",
            "1795395922.M1P2Q3_pf0123.host:2,S",
            "1795395922.M1P2Q3_pf0123456789012345678901234567890123456789zz.host",
            "_pf\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            assert_eq!(UniqueName::parse(OsStr::new(name)), None, "{name}");
        }
    }
}
