//! A message's name in the Maildir.
//!
//! `SECONDS.MmicrosecondsPpidQcountXjournal_pfACCOUNTIDENTITY.HOST`: after the Maildir convention,
//! with a token that says whose message this is and which, so that a lost state file can be made
//! again from the names. Behind it, where its owner wants that, is `,S=` and the size in octets, and behind
//! that `:2,` and the flags that the message came with. Nothing that a server or a message says ever stands in a name: the token
//! is a hash. `Xjournal` says whose journal answers for the file while it is in tmp/; names of the
//! first version have no such part.

use super::flags::{self, is_addition};
use crate::maildrop::Identity;
use crate::message::Flags;
use crate::term::{hex, unhex};
use sha2::{Digest, Sha256};
use std::borrow::Borrow;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;
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

/// A journal of this program, told from every other one: eight octets at random.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct JournalId(pub [u8; 8]);

impl fmt::Display for JournalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// What a name of ours never holds.
fn is_strange(octet: u8) -> bool {
    matches!(octet, b'/' | b'\t' | b'\n' | b'\0')
}

/// Who delivers a message: the account, and the journal that answers for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp {
    /// The account's tag.
    pub account: AccountTag,
    /// The journal.
    pub journal: JournalId,
}

/// A name without what other programs append to it. Never holds "/", ":", "," or white space.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct UniqueName(String);

impl UniqueName {
    /// A name that no other message has, for a message that `stamp` delivers. A message without an
    /// identity gets a token that no other message can have.
    pub fn new(stamp: Stamp, identity: Option<Identity>) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // A clock before 1970 gives 0; the count and the process keep the name unique.
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let pid = std::process::id();
        let unknown = || {
            let seed = format!("{}.{pid}.{count}", now.as_nanos());
            Identity::new("", seed.as_bytes())
        };
        let token = identity.unwrap_or_else(unknown);
        let mut name = format!(
            "{}.M{}P{pid}Q{count}X{}{MARK}",
            now.as_secs(),
            now.subsec_micros(),
            stamp.journal
        );
        for octet in stamp.account.0.iter().chain(&token.0) {
            // Writing to a String cannot fail.
            let _ = write!(name, "{octet:02x}");
        }
        name.push('.');
        name.push_str(host());
        Self(name)
    }

    /// Reads a name back from the journal or from a directory, where other programs' additions and
    /// flags may follow. `None` if popfetch did not make it.
    pub fn parse(name: &OsStr) -> Option<Self> {
        Self::base(name).map(|(base, _)| Self::of_base(base))
    }

    /// The part of a file's name that is ours, and whose message it is.
    pub(super) fn base(name: &OsStr) -> Option<(&str, AccountTag)> {
        let name = std::str::from_utf8(name.as_bytes()).ok()?;
        // Octet by octet, as none of these is part of a longer character: a journal may have a
        // million names.
        let end = name.bytes().position(is_addition);
        let base = name.get(..end.unwrap_or(name.len()))?;
        let (tag, _) = token(base.as_bytes())?;
        let made_here = !base.bytes().any(is_strange);
        made_here.then_some((base, AccountTag(tag)))
    }

    /// The identity in a name that [`Self::parse`] would take as it stands, plain ASCII, or with a size
    /// and flags behind it as we write them. `None` says nothing.
    pub fn identity_in(name: &[u8]) -> Option<Identity> {
        let info = memchr::memchr(b':', name).unwrap_or(name.len());
        let name = without_size(name.get(..info).unwrap_or_default());
        let plain = |octet: u8| octet.is_ascii() && !is_addition(octet) && !is_strange(octet);
        // Each octet is looked at, which is faster than stopping at the first.
        let is_plain = name.iter().fold(true, |all, octet| all & plain(*octet));
        let (_, identity) = token(name)?;
        is_plain.then_some(Identity(identity))
    }

    /// What [`Self::base`] gave.
    pub(super) fn of_base(base: &str) -> Self {
        Self(base.to_owned())
    }

    /// The account whose message this is.
    pub fn tag(&self) -> Option<AccountTag> {
        let (tag, _) = token(self.0.as_bytes())?;
        Some(AccountTag(tag))
    }

    /// The identity in the name. One that no listed message has, where there was none.
    pub fn identity(&self) -> Option<Identity> {
        let (_, identity) = token(self.0.as_bytes())?;
        Some(Identity(identity))
    }

    /// The journal that answers for the file until it is delivered; none in a name of the first
    /// version.
    pub fn journal(&self) -> Option<JournalId> {
        let (stamp, _) = self.0.split_once(MARK)?;
        let (_, journal) = stamp.split_once('X')?;
        Some(JournalId(unhex(journal.as_bytes())?))
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

/// A name under which a file is placed: whose it is, its size where that is to be told, and its flags.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlacedName {
    /// Without the size: by this it is found again.
    pub name: UniqueName,
    /// Octets of the file.
    pub size: Option<u64>,
    /// A file that has any stands in cur/, where readers look for them.
    pub flags: Flags,
}

impl PlacedName {
    /// As a file's name.
    pub fn to_os_string(&self) -> OsString {
        self.to_string().into()
    }
}

impl fmt::Display for PlacedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_str())?;
        if let Some(octets) = self.size {
            write!(f, "{SIZE}{octets}")?;
        }
        f.write_str(&flags::info(self.flags))
    }
}

impl Borrow<str> for UniqueName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// What stands before the size in a name.
const SIZE: &str = ",S=";

/// The size that a file's name tells, where we or another program have put it there.
pub fn size_in(name: &OsStr) -> Option<u64> {
    let name = std::str::from_utf8(name.as_bytes()).ok()?;
    let (_, size) = name.split_once(SIZE)?;
    let end = size.bytes().position(is_addition).unwrap_or(size.len());
    size.get(..end)?.parse().ok()
}

fn token(name: &[u8]) -> Option<([u8; TAG], [u8; 16])> {
    let mut underscores = memchr::memchr_iter(b'_', name);
    let rest = underscores.find_map(|at| name.get(at..)?.strip_prefix(MARK.as_bytes()))?;
    let end = memchr::memchr(b'.', rest).unwrap_or(rest.len());
    let (tag, identity) = rest.get(..end)?.split_at_checked(2 * TAG)?;
    Some((unhex(tag)?, unhex(identity)?))
}

/// A name without the size that we have written behind it.
fn without_size(name: &[u8]) -> &[u8] {
    let is_digit = |octet: &u8| octet.is_ascii_digit();
    let digits = name
        .iter()
        .rev()
        .take_while(|octet| is_digit(octet))
        .count();
    let rest = name
        .get(..name.len().saturating_sub(digits))
        .unwrap_or_default();
    match rest.strip_suffix(SIZE.as_bytes()) {
        Some(base) if digits > 0 => base,
        _ => name,
    }
}

/// The host's name with "/", ":" and what else a name must not hold written as `\ooo` (the
/// Maildir convention).
fn host() -> &'static str {
    static HOST: OnceLock<String> = OnceLock::new();
    HOST.get_or_init(|| {
        let name = rustix::system::uname();
        let mut safe = String::new();
        for octet in name.nodename().to_bytes().iter().take(64) {
            match octet {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => {
                    safe.push(char::from(*octet));
                }
                _ => {
                    let _ = write!(safe, "\\{octet:03o}");
                }
            }
        }
        safe
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Flag;
    use std::collections::HashSet;

    fn stamp() -> Stamp {
        Stamp {
            account: AccountTag::new("ada@host:995"),
            journal: JournalId([7; 8]),
        }
    }

    #[test]
    fn d31_names_are_unique_even_without_an_identity() {
        let names: HashSet<_> = (0..1000).map(|_| UniqueName::new(stamp(), None)).collect();
        assert_eq!(names.len(), 1000);
        let tokens: HashSet<_> = names.iter().map(|name| name.identity().unwrap()).collect();
        assert_eq!(tokens.len(), 1000);
    }

    #[test]
    fn d14_c7_what_a_name_says_is_read_back_whatever_other_programs_add() {
        let identity = Identity::new("ada@host:995", b"a/../:2,");
        let name = UniqueName::new(stamp(), Some(identity));
        assert!(!name.as_str().contains(['/', ':']));
        for added in ["", ":2,FS", ",S=12,W=13:2,S", ",U=7:2,", ";2,S", "!2,S"] {
            let found = format!("{}{added}", name.as_str());
            let read = UniqueName::parse(OsStr::new(&found)).unwrap();
            assert_eq!(read, name, "{added}");
        }
        assert_eq!(name.tag(), Some(stamp().account));
        assert_eq!(name.identity(), Some(identity));
        assert_eq!(name.journal(), Some(stamp().journal));
    }

    #[test]
    fn a_size_and_flags_in_a_name_are_read_and_change_nothing_of_whose_it_is() {
        let identity = Identity::new("ada@host:995", b"x");
        let name = UniqueName::new(stamp(), Some(identity));
        for size in [None, Some(0), Some(12), Some(u64::MAX)] {
            for flags in [
                Flags::default(),
                [Flag::Seen, Flag::Draft].into_iter().collect(),
            ] {
                let name = name.clone();
                let placed = PlacedName { name, size, flags };
                let file = placed.to_os_string();
                assert_eq!((size_in(&file), flags::flags_of(&file)), (size, flags));
                assert_eq!(UniqueName::parse(&file), Some(placed.name));
                assert_eq!(UniqueName::identity_in(file.as_bytes()), Some(identity));
            }
        }
        for (added, size) in [
            (",S=12,W=13:2,S", Some(12)),
            (",U=7,S=12;2,", Some(12)),
            (",S=", None),
            (",S=1a", None),
            (",W=3", None),
        ] {
            let file = format!("{}{added}", name.as_str());
            assert_eq!(size_in(OsStr::new(&file)), size, "{added}");
            assert_eq!(UniqueName::identity_in(file.as_bytes()), None, "{added}");
        }
    }

    #[test]
    fn a_name_of_the_first_version_names_no_journal() {
        let old = "1795395922.M1P2Q3_pf0123456789abcdef0123456789abcdef0123456789.host";
        let name = UniqueName::parse(OsStr::new(old)).unwrap();
        assert_eq!(name.journal(), None);
        assert!(name.identity().is_some());
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
