//! What a message is called from session to session: the one place where that is made.

use crate::term::hex;
use sha2::{Digest, Sha256};
use std::fmt;

/// A mailbox's name that is longer, in octets, stands in the names of its messages with its beginning and
/// a hash.
const NAME_LIMIT: usize = 100;

/// A mailbox in which UIDs mean what they mean: for as long as its UIDVALIDITY stays the same (RFC 3501
/// section 2.3.1.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scope {
    /// The mailbox's name, or what stands for it.
    mailbox: Box<str>,
    /// Never 0.
    uid_validity: u32,
}

impl Scope {
    /// Of the mailbox of this name, as the server has it: in modified UTF-7 and with its own delimiter.
    pub fn new(mailbox: &str, uid_validity: u32) -> Self {
        let mailbox = match mailbox.get(..NAME_LIMIT) {
            Some(start) if mailbox.len() > NAME_LIMIT => {
                format!("{start}#{}", hex(&Sha256::digest(mailbox))).into()
            }
            _ => mailbox.into(),
        };
        Self {
            mailbox,
            uid_validity,
        }
    }

    /// A message's unique-id: mailbox, UIDVALIDITY and UID, as in `INBOX/1700000000/42`.
    pub fn unique_id(&self, uid: impl fmt::Display) -> String {
        format!("{}/{}/{uid}", self.mailbox, self.uid_validity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e11_a_name_has_all_in_it_that_makes_a_uid_mean_something() {
        let scope = Scope::new("INBOX", 1_700_000_000);
        assert_eq!(scope.unique_id(42), "INBOX/1700000000/42");
        let longest = Scope::new("INBOX", u32::MAX);
        // RFC 1939 section 7.
        assert!(longest.unique_id(u32::MAX).len() <= 70);
        let sent = Scope::new("Work/Sent Items", 7);
        assert_eq!(sent.unique_id(1), "Work/Sent Items/7/1");
    }

    #[test]
    fn s26_names_that_are_too_long_stay_apart() {
        let long = "a".repeat(4000);
        let of = |name: &str| Scope::new(name, 1).unique_id(1);
        let (one, other) = (of(&(long.clone() + "b")), of(&(long + "c")));
        assert_ne!(one, other);
        assert!(one.len() < 200, "{one}");
    }
}
