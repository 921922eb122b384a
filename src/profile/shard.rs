//! A part of the accounts: so that several machines, or several processes, share them out.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use thiserror::Error;

/// The accounts whose names fall to number `index` of `count` parts.
///
/// An account's part is the first eight octets of the SHA-256 of its name, read as a number with the most
/// significant octet first, modulo `count`. That never changes, as machines of different versions
/// share accounts out by it: one that two of them took, or none, would be fetched twice or not at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// Whether the account of this name is in it.
    pub fn has(self, name: &str) -> bool {
        let hash = Sha256::digest(name.as_bytes());
        let first = hash.iter().take(8);
        let number = first.fold(0, |number: u64, octet| number << 8 | u64::from(*octet));
        number % u64::from(self.count) == u64::from(self.index)
    }
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let (index, count) = text.split_once('/').ok_or(NoShard::NotAShard)?;
        let number = |text: &str| match text.chars().all(|c| c.is_ascii_digit()) {
            true => text.parse::<u32>().map_err(|_| NoShard::NotAShard),
            false => Err(NoShard::NotAShard),
        };
        let (index, count) = (number(index)?, number(count)?);
        match index < count {
            true => Ok(Self { index, count }),
            false => Err(NoShard::OutOfRange),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Why a text names no part.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum NoShard {
    /// Two numbers are wanted.
    #[error("write it as I/N, as in \"0/4\" for the first of four parts")]
    NotAShard,
    /// The parts are counted from 0.
    #[error("of N parts the first is 0 and the last N-1, as in \"3/4\" for the last of four")]
    OutOfRange,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_is_in_one_part_and_always_in_the_same() {
        for count in [1, 2, 3, 7, 64] {
            for name in (0..500).map(|n| format!("account{n}")) {
                let parts = (0..count).map(|index| Shard { index, count });
                assert_eq!(
                    parts.filter(|part| part.has(&name)).count(),
                    1,
                    "{name} of {count}"
                );
            }
        }
        // By `printf NAME | sha256sum | head -c16` and `bc`: these hold for ever.
        for (name, part) in [("work", 398), ("home", 604), ("b\u{fc}cher", 612)] {
            let whose: Shard = format!("{part}/1000").parse().unwrap();
            assert!(whose.has(name), "{name}");
        }
    }

    #[test]
    fn many_accounts_are_shared_out_evenly() {
        let part: Shard = "3/4".parse().unwrap();
        let names = (0..10_000).map(|n| format!("account{n}"));
        let count = names.filter(|name| part.has(name)).count();
        assert!((2_300..2_700).contains(&count), "{count}");
    }

    #[test]
    fn a_part_is_counted_from_0() {
        assert_eq!("0/1".parse::<Shard>().unwrap().to_string(), "0/1");
        assert_eq!("4/4".parse::<Shard>(), Err(NoShard::OutOfRange));
        assert_eq!("0/0".parse::<Shard>(), Err(NoShard::OutOfRange));
        for text in ["", "1", "/", "a/b", "1/", "-1/4", "+1/4", "1/99999999999"] {
            assert_eq!(text.parse::<Shard>(), Err(NoShard::NotAShard), "{text}");
        }
    }
}
