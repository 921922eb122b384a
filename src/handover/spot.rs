//! Where a message is in a folder of another account's: by that an earlier try with it is told from whatever
//! else is there and looks like it.

use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// A message's number in a folder, or the one that the next message has at least: numbers go up, and none is
/// given twice for as long as the folder's validity is the same (RFC 3501 section 2.3.1.1).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Spot {
    /// What the server calls this life of the folder.
    pub validity: u32,
    /// The number.
    pub number: u32,
}

impl Spot {
    /// Whether a message that is here cannot have been there when the next one was to be at `from`.
    pub fn is_behind(self, from: Self) -> bool {
        self.validity == from.validity && self.number >= from.number
    }
}

/// The same with the folder that it is in. Written as `folder.validity.number`, the folder in hexadecimal.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Located {
    /// Which folder of which account ([`Located::folder_key`]).
    pub folder: u32,
    /// Where in it.
    pub spot: Spot,
}

impl Located {
    /// What tells a folder of a server's from others: the beginning of a hash.
    pub fn folder_key(server: &str, folder: &str) -> u32 {
        // INBOX is the same in whatever case (RFC 3501 section 5.1).
        let name = match folder.eq_ignore_ascii_case("INBOX") {
            true => "INBOX",
            false => folder,
        };
        let hash: [u8; 32] = Sha256::digest(format!("{server}\n{name}")).into();
        let [a, b, c, d, ..] = hash;
        u32::from_be_bytes([a, b, c, d])
    }

    /// Whether both are in one folder and one life of it, so that their numbers can be compared.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.folder == other.folder && self.spot.validity == other.spot.validity
    }
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spot { validity, number } = self.spot;
        write!(f, "{:x}.{validity}.{number}", self.folder)
    }
}

impl FromStr for Located {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(());
        let folder = u32::from_str_radix(next()?, 16).map_err(drop)?;
        let validity = next()?.parse().map_err(drop)?;
        let number = next()?.parse().map_err(drop)?;
        let spot = Spot { validity, number };
        match parts.next() {
            None => Ok(Self { folder, spot }),
            Some(_) => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_folder_is_told_from_others_and_the_inbox_is_one_in_whatever_case() {
        let key = Located::folder_key;
        assert_eq!(key("a", "INBOX"), key("a", "Inbox"));
        assert_ne!(key("a", "Work"), key("a", "work"));
        assert_ne!(key("a", "INBOX"), key("b", "INBOX"));
    }

    #[test]
    fn what_is_no_spot_is_not_read_as_one() {
        for text in ["", "1.2", "1.2.3.4", "g.1.2", "1.-2.3", "1.2.4294967296"] {
            assert_eq!(text.parse::<Located>(), Err(()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_spot_is_read_as_it_is_written(folder: u32, validity: u32, number: u32) {
            let spot = Spot { validity, number };
            let located = Located { folder, spot };
            prop_assert_eq!(located.to_string().parse(), Ok(located));
        }
    }
}
