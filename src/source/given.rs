//! How far a session has got, by what the server has given in it.
//!
//! A server may end a session for what it has given: so many messages, octets or answers. How far
//! another session gets tells that from what happens whenever a command is sent ahead.

use super::Phase;

/// What a server has given in a session.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Given {
    /// Octets of everything.
    octets: u64,
    /// Status lines of everything, the greeting's among them.
    answers: u64,
    /// Those to STAT, UIDL and LIST, and to CAPA.
    listings: u64,
    /// Those to TOP.
    headers: u64,
    /// Those to DELE.
    deletions: u64,
    /// Whole messages.
    messages: u64,
}

impl Given {
    /// Whether this is more than `earlier`, which ended in `phase`, in all that a server could have
    /// ended that one for. Time is left out: one that does more one by one takes longer.
    pub fn is_past(&self, earlier: &Self, phase: Phase) -> bool {
        self.answers > earlier.answers
            && match phase {
                Phase::Message(_) => {
                    self.messages > earlier.messages && self.octets > earlier.octets
                }
                Phase::Header(_) => self.headers > earlier.headers,
                Phase::Deleting(_) => self.deletions > earlier.deletions,
                Phase::Listing | Phase::Capabilities => self.listings > earlier.listings,
                Phase::Greeting
                | Phase::StartTls
                | Phase::SignIn
                | Phase::Step
                | Phase::Appending
                | Phase::Quit
                | Phase::News => true,
            }
    }

    /// Answers to TOP.
    pub fn headers(&self) -> u64 {
        self.headers
    }

    pub(super) fn received(&mut self, octets: usize) {
        self.octets += octets as u64;
    }

    /// The server has answered a command.
    pub(super) fn answer(&mut self, phase: Phase) {
        self.answers += 1;
        match phase {
            Phase::Listing | Phase::Capabilities => self.listings += 1,
            Phase::Header(_) => self.headers += 1,
            Phase::Deleting(_) => self.deletions += 1,
            _ => {}
        }
    }

    /// Something that has an end of its own has ended.
    pub(super) fn end(&mut self, phase: Phase) {
        if matches!(phase, Phase::Message(_)) {
            self.messages += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maildrop::MessageNumber;

    #[test]
    fn b3_a_session_is_past_another_only_in_all_that_may_have_ended_that_one() {
        let number = MessageNumber::new(1).unwrap();
        let earlier = Given {
            octets: 1000,
            answers: 10,
            listings: 4,
            headers: 2,
            deletions: 2,
            messages: 2,
        };
        let further = Given {
            octets: 1001,
            answers: 11,
            listings: 5,
            headers: 3,
            deletions: 3,
            messages: 3,
        };
        for (phase, less) in [
            (
                Phase::Message(number),
                Given {
                    octets: 1000,
                    ..further
                },
            ),
            (
                Phase::Message(number),
                Given {
                    messages: 2,
                    ..further
                },
            ),
            (
                Phase::Message(number),
                Given {
                    answers: 10,
                    ..further
                },
            ),
            (
                Phase::Header(number),
                Given {
                    headers: 2,
                    ..further
                },
            ),
            (
                Phase::Deleting(number),
                Given {
                    deletions: 2,
                    ..further
                },
            ),
            (
                Phase::Listing,
                Given {
                    listings: 4,
                    ..further
                },
            ),
            (
                Phase::Listing,
                Given {
                    answers: 10,
                    ..further
                },
            ),
        ] {
            assert!(further.is_past(&earlier, phase), "{phase:?}");
            assert!(!less.is_past(&earlier, phase), "{phase:?} {less:?}");
        }
    }
}
