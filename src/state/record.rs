//! One line of the journal. `grammar` writes and reads it.
//!
//! A line is fields with tabs between, then a tab and what it follows ([`super::chain`]), then a tab and
//! the CRC-32 of all before it in hexadecimal ([`crate::durable::line`]):
//!
//! ```text
//! B  time  boot-id  maildir  maildir-id  generation  [nonce]  a run began, and drew this nonce
//! W  generation  [nonces]                                     the Maildir's generation from here on, and what
//!                                                            else is behind it
//! H  maildir  maildir-id  word                               which Maildir is at a path (adopted, accepted)
//! J  account-id  journal-id                                  a former id of the account, moved here
//! L  time                                                    the first listing has been settled
//! I  id  time  unique-id  listed  turn  octets  sha256  content  name  evidence  [folder]  intent (E1)
//! R  id  time  octets  sha256  content  name  evidence       found in the Maildir, unique-id lost
//! E  id  octets  sha256  content  name  evidence             evidence, read from the file later
//! M  id  time  unique-id  listed  turn  why                  seen on request, never fetched
//! S  first  last                                             these intents were carried out (E4)
//! X  id                                                      this intent came to nothing
//! K  id  time  unique-id  listed  turn                       the same message, listed otherwise or again
//! D  id  time                                                QUIT confirmed its deletion
//! Q  id  time                                                its deletion was asked for, and perhaps not answered
//! P  id  time                                                the server refused to delete it
//! V  id  time  count                                         absent from so many listings (E5)
//! Z  id  time                                                absent from one that lacked more than half
//! U  id                                                      its end was doubtful: never to be deleted (E12)
//! t  id                                                      it came back, or may have: likewise
//! y  id                                                      its owner says that what came back may go
//! Y  first  last                                             recorded in a session that broke the protocol
//! A  id                                                      its file is lost: it is to be fetched again
//! G  id                                                      forgotten
//! F  time  unique-id  listed  turn  kind  count              could not be fetched
//! N  time                                                    pipelining failed
//! O  id  time                                                its owner says it was removed on purpose, or is
//!                                                            content with it as it is
//! T  time                                                    what is not deleted was told
//! r  id                                                      what stands before this one has been reported
//! C  exact  in-a-row  off  doubts  estimates  [far-off]      what the sizes have been worth so far
//! a  id                                                      the file of a lost message is back
//! h  time  unique-id  listed  turn  asked  date  holds  [?unknown]  [verdict]   what a header told the rules
//! i  time  tool  left  spelling                              names came from another tool
//! w  first  last                                             these are to be handed on once they are stored
//! g  id  time  length  [fetched]  [from]  [repeat]           it is about to be handed on, to a file so long;
//!                                                            what was had been fetched then; to a folder whose
//!                                                            next message is there at least; once others may
//!                                                            have been taken (again, unclear)
//! d  id  time  word  [end]                                   that is over, and its file stays or not (kept, removed):
//!                                                            it was taken, and is there or somewhere (-); it stands
//!                                                            for a lost one that was (before); it is a copy of what
//!                                                            was; its owner has given it up (given-up)
//! k  id  time  word  count                                   it has not been taken (later, unclear, refused)
//! m  octets  tail                                            the mbox file is accounted for up to there
//! u  time  folder  word                                      a folder of the server's that the first listing
//!                                                            lacks (missing), and that has come (listed)
//! ```
//! I, R and M lines are numbered from 0 in the order they stand in, and the others say which of
//! them they are about. An M line whose reason is `rule` has a field more, the rule in words; one of
//! an import may have no unique-id, and an E line behind it: what the other tool has stored. Times are
//! seconds since 1970. A unique-id has each octet outside `!` to `~`, and `%`, written as `%XX`; `-` stands
//! for none. `content` is `-` where it equals `sha256`. `name` has `,S=` and the octets behind it where the
//! file was to be placed so, and `:2,` and its flags where it has any.
//!
//! The first version had B without maildir-id and generation, I and R without evidence, M without
//! its reason, and none of W, H, J, E, Q, P, Z, U, Y, A, T and the small letters. Its lines are read for
//! ever, wherever they stand. Lines of the first two versions do not say what they follow.

mod fields;
mod gist;
mod glance;
mod grammar;
mod numbers;

pub(super) use glance::Glance;

use super::lasting::Lasting;
use super::sizes::Sizes;
use crate::handover::{Extent, Located};
use crate::maildir::{Folder, JournalId, MaildirId, Nonce, Nonces, UniqueName};
use crate::maildrop::{Identity, Message};
use crate::message::{Digests, Evidence, Flags};
use crate::rules::Gist;
use std::path::PathBuf;

/// A line longer than this was not written by us: a unique-id has at most 1024 octets, a path
/// 4096, each written as three at worst.
pub(super) const LINE_LIMIT: usize = 16 * 1024;

/// The number of an I, R or M line.
pub(super) type Id = u32;

/// What tells a listed message apart (E11), without its number in the session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Listing {
    pub(super) unique_id: Option<Box<[u8]>>,
    pub(super) octets: Option<u64>,
    pub(super) turn: u32,
}

impl Listing {
    pub(super) fn of(message: &Message) -> Self {
        Self {
            unique_id: message.unique_id.clone(),
            octets: message.octets,
            turn: message.turn,
        }
    }

    pub(super) fn identity(&self, account: &str) -> Option<Identity> {
        let unique_id = self.unique_id.as_ref()?;
        Some(Identity::new(account, unique_id))
    }
}

/// A file in the Maildir.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Stored {
    pub(super) octets: u64,
    pub(super) digests: Digests,
    pub(super) name: UniqueName,
    /// It was to be placed under a name that tells its size.
    pub(super) sized: bool,
    /// The flags that it was to be placed with.
    pub(super) flags: Flags,
    /// `None` in lines of the first version.
    pub(super) evidence: Option<Evidence>,
    /// The folder of the Maildir that it was to be placed in; none is the Maildir itself.
    pub(super) folder: Option<Folder>,
}

/// Why a message counts as seen, or is to go, that was never fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MarkedBy {
    /// It was older than the newest so many of the first listing.
    Latest,
    /// Somebody asked for it, or a line of the first version does not say why.
    Request,
    /// Another tool fetched it, so that it is stored elsewhere. `may_delete`: its owner says that
    /// it may be deleted from the server.
    Import {
        /// See above.
        may_delete: bool,
    },
    /// A rule has it deleted; this one, in words. Until that is done it counts as new.
    Rule(Box<str>),
}

/// Where imported names came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    /// When they came, in seconds since 1970.
    pub time: i64,
    /// The tool, as the command line calls it.
    pub tool: String,
    /// It left mail on the server, so that its names are listed there.
    pub left: bool,
    /// It wrote a unique-id's `/` as `-`.
    pub dashes: bool,
}

/// What is said of the Maildir at a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Taken {
    /// It is taken for the one that messages were delivered to before Maildirs had ids. What is
    /// missing in it may be somewhere else.
    Adopted,
    /// Its owner says that it is the one, as it is.
    Accepted,
}

/// How a message could not be fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailureKind {
    /// The server answered -ERR to RETR.
    Refused,
    /// The connection was lost while it was being sent.
    Dropped,
}

/// How a message was not taken by what it was to be handed on to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotTaken {
    /// It may be in a while.
    Later,
    /// Nobody knows whether it was: the answer was lost.
    Unclear,
    /// It was refused for its own sake.
    Refused,
}

/// Why a message does not wait any more to be handed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum HandingEnd {
    /// It has been taken, and is there in a folder of another account, as far as that is known.
    Taken(Option<Located>),
    /// It stands for a message that was lost, and had been taken: nothing more was put anywhere.
    Before,
    /// It looks like a copy of what was handed on, and is not.
    Copy,
    /// Nobody wants it handed on any more: its owner has removed it, or said so.
    GivenUp,
    /// Any of these: lines of earlier versions do not say.
    Untold,
}

impl HandingEnd {
    /// The same where an earlier version has written it. `returned`: so it has noted of what was a copy.
    pub(super) fn or_told_by(self, returned: bool) -> Self {
        match self {
            Self::Untold if returned => Self::Copy,
            Self::Untold => Self::Taken(None),
            told => told,
        }
    }
}

/// What a try to hand a message on comes after.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Repeat {
    /// No other one that may have been taken.
    #[default]
    First,
    /// Others that have left nothing, as far as it was looked for.
    Again,
    /// Others of which what was asked does not tell.
    Unclear,
}

/// A line of the journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Entry {
    Absent {
        id: Id,
        time: i64,
        count: u8,
    },
    Alias {
        id: Id,
        time: i64,
        listing: Listing,
    },
    Baseline {
        time: i64,
    },
    Again {
        id: Id,
    },
    Asked {
        id: Id,
        time: i64,
        /// So many of its size were listed beside it and to be fetched, and have not come.
        beside: u32,
    },
    Began {
        time: i64,
        boot: String,
        maildir: PathBuf,
        maildir_id: Option<MaildirId>,
        generation: u64,
        /// Where it has raised the generation.
        nonce: Option<Nonce>,
    },
    Deleted {
        id: Id,
        time: i64,
    },
    Disorder {
        first: Id,
        last: Id,
    },
    Doubtful {
        id: Id,
    },
    Dropped {
        id: Id,
    },
    Due {
        first: Id,
        last: Id,
    },
    Evidence {
        id: Id,
        stored: Stored,
    },
    Failed {
        time: i64,
        listing: Listing,
        kind: FailureKind,
        count: u32,
    },
    Forgotten {
        id: Id,
    },
    Found {
        id: Id,
        time: i64,
        stored: Stored,
    },
    Former {
        account: String,
        journal: JournalId,
    },
    Generation {
        generation: u64,
        nonces: Nonces,
    },
    Gone {
        id: Id,
        time: i64,
    },
    Handed {
        id: Id,
        time: i64,
        /// Its file has left the Maildir, or is about to.
        removed: bool,
        end: HandingEnd,
    },
    /// Up to where the file is accounted for that messages are appended to.
    Extent(Extent),
    Handing {
        id: Id,
        time: i64,
        /// How long the file is that it is appended to, where there is one.
        length: Option<u64>,
        /// When that message had been fetched, where this is another one, which was fetched in its place.
        fetched: Option<i64>,
        /// Where it will be at least, in a folder of another account.
        from: Option<Located>,
        /// What it comes after.
        repeat: Repeat,
    },
    NotTaken {
        id: Id,
        time: i64,
        how: NotTaken,
        count: u32,
    },
    /// What a message's header told the rules.
    Header {
        time: i64,
        listing: Listing,
        gist: Gist,
    },
    /// Names of messages came from another tool, and stand in M lines.
    Import(Origin),
    Home {
        maildir: PathBuf,
        maildir_id: MaildirId,
        taken: Taken,
    },
    Intent {
        id: Id,
        time: i64,
        listing: Listing,
        stored: Stored,
    },
    Marked {
        id: Id,
        time: i64,
        listing: Listing,
        by: MarkedBy,
    },
    Reported {
        before: Id,
    },
    /// What is listed may be a copy that somebody has put there once it was gone, and the last one.
    Returned {
        id: Id,
    },
    /// It has come back so, and its owner says that it may go; nothing else that keeps it is lifted.
    Granted {
        id: Id,
    },
    Seen {
        first: Id,
        last: Id,
    },
    /// What a compaction has to say of all sizes at once.
    Sizes(Sizes),
    Back {
        id: Id,
    },
    /// What goes on for long was told: of one thing, or, by a version that knew one time for all, of all.
    Told {
        time: i64,
        what: Option<Lasting>,
    },
    Undeletable {
        id: Id,
        time: i64,
    },
    Unlisted {
        id: Id,
        time: i64,
    },
    Unpipelined {
        time: i64,
    },
    /// The first listing lacks this folder, which could not be read then; or it has been listed since.
    Unread {
        time: i64,
        folder: Box<str>,
        is_listed: bool,
    },
}

impl Entry {
    /// What knew whether this message was handed on is lost: it counts as tried, nobody knows when, so that it is
    /// looked for where that is possible, and named where it is not.
    pub(super) fn perhaps_handed(id: Id) -> Self {
        let (how, time, count) = (NotTaken::Unclear, 0, 1);
        Self::NotTaken {
            id,
            time,
            how,
            count,
        }
    }

    /// The file that the line is about.
    pub(super) fn into_stored(self) -> Option<Stored> {
        match self {
            Self::Intent { stored, .. }
            | Self::Found { stored, .. }
            | Self::Evidence { stored, .. } => Some(stored),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
