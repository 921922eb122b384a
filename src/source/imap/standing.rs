//! Where the next message of a mailbox will be (RFC 3501 section 2.3.1.1).

use super::append::{has_code, is_made};
use super::find::is_same_name;
use super::mailboxes::Opened;
use super::wire::Step;
use super::{Answer, Error, Phase, Session, SignedIn};
use crate::handover::Spot;
use crate::imap::{Command, Scope, to_utf7};
use crate::source::Standing;
use crate::source::folders::INBOX;
use std::num::NonZeroU32;

impl Session<SignedIn> {
    /// Where the next message of a mailbox will be, in one flight as a rule. A mailbox that the server says is
    /// not there is made, as nothing is known of where its first message will be before that.
    pub(in crate::source) fn standing(&mut self, folder: &str) -> Result<Standing, Error> {
        let mailbox = to_utf7(folder);
        if !self.state.knows_capabilities {
            self.wire.send(Command::Capability)?;
            if !self.options.pipelining {
                self.settle_capabilities()?;
            }
        }
        let (answer, next) = self.next_of(&mailbox)?;
        if answer.ok || !has_code(&answer, &["NONEXISTENT", "TRYCREATE"]) {
            // Whatever keeps it from being opened is told of the first message, if it matters there.
            return Ok(Standing { next, made: false });
        }
        let made = self.create(&mailbox)?;
        let next = match is_made(&made) {
            true => self.next_of(&mailbox)?.1,
            false => None,
        };
        Ok(Standing {
            next,
            made: made.ok,
        })
    }

    fn next_of(&mut self, mailbox: &str) -> Result<(Answer, Option<Spot>), Error> {
        self.wire.send(Command::Examine(mailbox))?;
        let is_ahead = self.options.pipelining;
        if is_ahead {
            self.wire.send(Command::FetchLast)?;
        }
        self.settle_capabilities()?;
        let (answer, opened) = self.read_opened(Phase::Appending)?;
        let is_empty = opened.exists == Some(0);
        if !is_ahead && answer.ok && !is_empty {
            self.wire.send(Command::FetchLast)?;
        }
        let last = match is_ahead || answer.ok && !is_empty {
            true => self.last_one()?,
            false => None,
        };
        if !answer.ok && self.says_what_we_are(Phase::Appending)? {
            return self.next_of(mailbox);
        }
        let next = next_behind(opened, last).filter(|_| answer.ok);
        Ok((answer, next))
    }

    /// The UID of the last message of the open mailbox.
    fn last_one(&mut self) -> Result<Option<u32>, Error> {
        let mut last = None;
        loop {
            match self.wire.next(Phase::Appending)? {
                Step::Fetched(fetched) => last = last.max(fetched.uid),
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(_) => return Ok(last),
                _ => {}
            }
        }
    }
}

/// Where a message is that has this unique-id in the listing of a mailbox.
pub(in crate::source) fn spot_of(folder: &str, unique_id: &[u8]) -> Option<Spot> {
    let mailbox = match is_same_name(folder.as_bytes(), INBOX.as_bytes()) {
        true => INBOX.to_owned(),
        false => to_utf7(folder),
    };
    let name = std::str::from_utf8(unique_id).ok()?;
    let (place, number) = name.rsplit_once('/')?;
    let (_, validity) = place.rsplit_once('/')?;
    let spot = Spot {
        validity: validity.parse().ok()?,
        number: number.parse().ok()?,
    };
    let uid = NonZeroU32::new(spot.number)?;
    let is_it = Scope::new(&mailbox, spot.validity).unique_id(uid) == name;
    is_it.then_some(spot)
}

/// Where the next message will be. A server is believed where what it says of that is behind the last message
/// that it has: of one that lies, any message there might count as the next.
fn next_behind(opened: Opened, last: Option<u32>) -> Option<Spot> {
    let validity = opened.uid_validity.filter(|value| *value > 0)?;
    let number = opened.uid_next.filter(|value| *value > 0)?;
    let is_behind = match last {
        Some(last) => last < number,
        None => opened.exists == Some(0),
    };
    is_behind.then_some(Spot { validity, number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_id_says_where_its_message_is_in_the_folder_that_it_is_of() {
        let spot = |validity, number| Some(Spot { validity, number });
        assert_eq!(spot_of("inbox", b"INBOX/7/9"), spot(7, 9));
        assert_eq!(spot_of("Caf\u{e9}", b"Caf&AOk-/7/9"), spot(7, 9));
        for name in ["Work/7/9", "INBOX/7/0", "INBOX/7", "INBOX/7/09", "7/9", ""] {
            assert_eq!(spot_of("INBOX", name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn where_the_next_message_will_be_is_believed_where_it_is_behind_the_last() {
        let opened = |exists, uid_next| Opened {
            uid_validity: Some(7),
            uid_next,
            exists: Some(exists),
            recent: None,
        };
        for (exists, uid_next, last, next) in [
            (2, Some(9), Some(8), Some(9)),
            (2, Some(9), Some(3), Some(9)),
            (0, Some(1), None, Some(1)),
            (2, Some(9), Some(9), None),
            (2, Some(1), Some(3), None),
            (2, Some(9), None, None),
            (2, None, Some(3), None),
            (0, Some(0), None, None),
        ] {
            let found = next_behind(opened(exists, uid_next), last);
            assert_eq!(found.map(|it| it.number), next, "{exists} {uid_next:?}");
        }
        let unnamed = Opened {
            uid_validity: None,
            ..opened(0, Some(1))
        };
        assert_eq!(next_behind(unnamed, None), None);
    }
}
