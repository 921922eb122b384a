//! What the engine tells the outside while it works, and how people and programs get to see it.
//!
//! `fetch` calls a [`Report`] and knows nothing of terminals; the implementations here turn the
//! events into lines of text, progress bars, JSON objects or paths. Events arrive from several
//! account threads at once.

mod json;
mod lines;
mod options;
mod paths;
mod place;
mod progress;
mod reporter;
mod screen;
mod streams;
mod tally;
#[cfg(test)]
mod testing;
mod text;

pub use options::{Format, Options};
pub use place::Place;
pub use reporter::Reporter;
pub use text::{known, listed as in_words};

use crate::exit::Status;
use crate::net;
use crate::stop::Stop;
use std::fmt;
use std::path::Path;

/// Receives what happens, account by account.
pub trait Report: Send + Sync {
    /// Something happened to `account` (a profile's name).
    fn report(&self, account: &str, event: Event<'_>);

    /// Whether all that was reported so far has reached whoever reads it.
    fn is_written(&self) -> bool {
        true
    }

    /// Waits until it has, unless the reader has stopped reading; tells whether it has.
    fn catch_up(&self, _stop: &Stop) -> bool {
        true
    }

    /// Whether [`Message::header`] is of any use to this report; keeping it costs memory.
    fn wants_header(&self) -> bool {
        false
    }
}

/// What can happen to an account during a fetch.
pub enum Event<'a> {
    /// A connection to the server is being made.
    Connecting {
        /// The server's host name.
        host: &'a str,
        /// The server's TCP port.
        port: u16,
    },
    /// The server has greeted us: the sign-in comes next.
    Opened {
        /// Says what the connection is: whoever wants to know has certificates read for it.
        connection: &'a dyn Fn() -> net::Facts,
        /// Gives the lines in which the server says what it can do, as far as it was asked; hostile text
        /// without secrets.
        announced: &'a dyn Fn() -> Vec<String>,
        /// After how many days it removes mail by itself, as far as it says so.
        expire: Option<u32>,
    },
    /// The server has let us in: the listing comes next.
    SignedIn {
        /// How.
        method: &'a dyn fmt::Display,
    },
    /// The maildrop has been listed and it is settled what will be done.
    Planned(Planned),
    /// The messages that are recorded are about to be read. For progress only.
    Verifying {
        /// Their octets.
        octets: u64,
    },
    /// Octets of message bodies have arrived, or been read, since the last such event. For progress
    /// only.
    Received {
        /// How many.
        octets: u64,
    },
    /// A message is stored: its file and its name are on the disk, and its unique-id is recorded.
    Message(&'a Message<'a>),
    /// A stored message has been handed on to what its owner wants it to go to.
    Handed(Listed<'a>),
    /// The server has confirmed that a message is gone from the maildrop.
    Deleted {
        /// Which one.
        message: Listed<'a>,
        /// The rule that had it deleted unread, in words; none for one that is stored.
        rule: Option<&'a str>,
    },
    /// A message was left on the server on purpose.
    Skipped {
        /// Which one.
        message: Listed<'a>,
        /// Why, in words.
        reason: &'a str,
    },
    /// A message could not be fetched; the others can.
    Failed {
        /// Which one.
        message: Listed<'a>,
        /// Why, in words; may quote the server, so it must be escaped.
        reason: &'a str,
    },
    /// Something a person may want to know, but need not act on: `--quiet` leaves it out. May
    /// quote the server, so it must be escaped.
    Notice(&'a str),
    /// Something a person should look into, although the fetch goes on; shown even with `--quiet`.
    /// May quote the server, so it must be escaped.
    Warning(&'a str),
    /// An account works again that had failed: for people who heard of that once and no more, so
    /// it is shown even with `--quiet`.
    Recovered(&'a str),
    /// A line of the session, without secrets; as the server sent it, so it must be escaped.
    Wire {
        /// From us to the server, rather than the other way.
        sent: bool,
        /// The line.
        line: &'a [u8],
    },
    /// This account is done.
    Finished(&'a Outcome),
}

/// The amounts settled once the maildrop has been listed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Planned {
    /// Messages in the maildrop.
    pub listed: u64,
    /// Messages to be fetched.
    pub fetch: u64,
    /// Octets of these, as the server lists them.
    pub octets: u64,
    /// Messages fetched earlier.
    pub seen: u64,
}

/// A message as the server lists it.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// The message-number in this session (RFC 1939 section 5).
    /// `None` for one that an earlier session listed.
    pub number: Option<u32>,
    /// The unique-id, where the server gives one; any octets but CR and LF.
    pub unique_id: Option<&'a [u8]>,
    /// The listed size in octets, where known.
    pub octets: Option<u64>,
    /// The server's folder that it is in, where the account has chosen among several; hostile.
    pub folder: Option<&'a str>,
}

/// A message that is now stored.
#[derive(Debug)]
pub struct Message<'a> {
    /// As the server listed it.
    pub listed: Listed<'a>,
    /// Octets of the file.
    pub octets: u64,
    /// Its path in the Maildir.
    pub path: &'a Path,
    /// SHA-256 of the file.
    pub sha256: &'a [u8; 32],
    /// The first octets of the message, at least its header where that is of sane size; empty
    /// unless the report asked for it.
    pub header: &'a [u8],
    /// An earlier run delivered it, and was ended before it could report it.
    pub recovered: bool,
}

/// What one account's fetch came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Messages stored.
    pub fetched: u64,
    /// Octets of the files stored.
    pub octets: u64,
    /// Messages that an earlier run stored and did not report.
    pub recovered: u64,
    /// No message of the account was stored before.
    pub is_first_mail: bool,
    /// Messages deleted from the server that are stored, confirmed by it.
    pub deleted: u64,
    /// Messages deleted unread, as rules say, confirmed by it.
    pub deleted_by_rules: u64,
    /// Messages left on the server on purpose (too large, tried in vain too often).
    pub skipped: u64,
    /// Messages that should come and are passed over for now, and parts of the maildrop that hide
    /// the rest of it.
    pub held_up: u64,
    /// Messages that could not be fetched.
    pub failed: u64,
    /// Messages that were fetched and turned out to be here already.
    pub known: u64,
    /// Messages that are delivered although their ends were doubtful, so that they may not be whole.
    pub doubtful: u64,
    /// Messages handed on, of earlier runs too.
    pub handed: u64,
    /// Messages that were in the mbox file already, where they were to be handed on to.
    pub there: u64,
    /// Messages that are stored and still wait to be handed on.
    pub waiting: u64,
    /// What ended it early, if anything.
    pub failure: Option<Failure>,
}

impl Outcome {
    /// The account's own exit status.
    pub fn status(&self) -> Status {
        match &self.failure {
            Some(failure) => failure.status,
            None if self.failed > 0
                || self.doubtful > 0
                || self.held_up > 0
                || self.waiting > 0 =>
            {
                Status::Partial
            }
            None => Status::Ok,
        }
    }
}

/// What ended an account's fetch early. May quote the server, so its texts must be escaped.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The exit status it asks for.
    pub status: Status,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Not worth a word with `--quiet`: another run is at work, say.
    pub routine: bool,
}
