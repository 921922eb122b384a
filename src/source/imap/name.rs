//! What a message is called from session to session: the one place where that is made.

use std::fmt;

/// A mailbox in which UIDs mean what they mean: for as long as its UIDVALIDITY stays the same (RFC 3501
/// section 2.3.1.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Scope {
    /// The mailbox's name.
    pub(super) mailbox: &'static str,
    /// Never 0.
    pub(super) uid_validity: u32,
}

impl Scope {
    /// A message's unique-id: mailbox, UIDVALIDITY and UID, as in `INBOX/1700000000/42`.
    pub(super) fn unique_id(self, uid: impl fmt::Display) -> String {
        format!("{}/{}/{uid}", self.mailbox, self.uid_validity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e11_a_name_has_all_in_it_that_makes_a_uid_mean_something() {
        let scope = Scope {
            mailbox: "INBOX",
            uid_validity: 1_700_000_000,
        };
        assert_eq!(scope.unique_id(42), "INBOX/1700000000/42");
        let longest = Scope {
            uid_validity: u32::MAX,
            ..scope
        };
        // What the journal and the listing take (RFC 1939 section 7).
        assert!(longest.unique_id(u32::MAX).len() <= 70);
    }
}
