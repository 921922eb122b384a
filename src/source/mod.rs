//! Where mail comes from: a closed set of protocols, each with a module of its own, and what is asked
//! of all of them.
//!
//! ```text
//! Door::reach --sign_in--> Source --list, headers, retrieve, delete--> Source --end--> Update
//! ```
//! Whoever works with a [`Source`] asks what it is like ([`Traits`]), and not which protocol it speaks.
//! [`Source::delete`] takes nothing but [`Recorded`], only it makes a
//! [`Marked`], and [`Source::end`] takes that and the source: what is not stored and recorded cannot
//! be deleted, and nothing can be asked for behind the end. A source that is dropped without its end
//! keeps everything (E10).

mod answer;
mod append;
mod credentials;
mod detour;
mod door;
mod error;
pub mod folders;
mod given;
mod header;
pub mod imap;
mod link;
mod method;
mod news;
mod options;
mod pace;
mod phase;
pub mod pop;
mod refusal;
mod retrieval;
mod secrets;
mod update;
mod upgrade;
mod window;

pub use crate::message::{Attributes, Ending};
pub use crate::sasl::Secret;
pub use answer::{Answer, Meaning};
pub use append::{Appended, Found, Standing, Unappended};
pub use credentials::Credentials;
pub use detour::Detour;
pub use door::{Door, Entry};
pub use error::{Error, UnderWay, Unsendable, Violation};
pub use given::Given;
pub use link::{Direction, Transcript};
pub use method::{Auth, Method};
pub use news::News;
pub use options::Options;
pub use phase::Phase;
pub use pop::Shortcut;
pub use retrieval::{Arrival, Retrieval};
pub use update::{Marked, Unasked, Update};
pub use upgrade::Upgrade;

use crate::handover::{Post, Spot};
use crate::maildrop::{Maildrop, Message, MessageNumber};
use crate::state::Recorded;
use std::ops::ControlFlow;
use std::time::Duration;
use window::Window;

/// What is said of a server that lists and sends, and takes nothing (POP3).
const TAKES_NONE: &str = "its protocol takes no messages";

/// A maildrop that is open, on a server that has let us in.
pub enum Source {
    /// By POP3, in the TRANSACTION state.
    Pop(Box<pop::Session<pop::Transaction>>),
    /// By IMAP, with the mailboxes that are read.
    Imap(Box<imap::Session<imap::SignedIn>>),
}

/// What a source is like, as far as it has shown by now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Traits {
    /// It lists a maildrop a part at a time: what is not listed need not be gone (fact Q1).
    pub lists_in_parts: bool,
    /// It is sent commands ahead of the replies to earlier ones, so that both may get out of step.
    pub pipelines: bool,
    /// The listing was asked for before it had let us in.
    pub went_ahead: bool,
    /// Messages are asked for as one that takes them in UTF-8 (RFC 6856), announced or not.
    pub asked_for_utf8: bool,
    /// It may be one that gives messages no unique-ids, that wants time between two sign-ins, or that deletes by
    /// itself, and says so.
    pub has_options: bool,
    /// It may write into the headers of messages between two sessions, as mbox servers do.
    pub adds_to_headers: bool,
    /// It may send a status line once more before a message, as if it were the message's first.
    pub repeats_status: bool,
    /// How many seconds it wants between two sign-ins; 0 where it does not say.
    pub login_delay: u32,
    /// After how many days it deletes what is left there, where it says so.
    pub expire: Option<u32>,
}

impl Source {
    /// What it is like.
    pub fn traits(&self) -> Traits {
        match self {
            Self::Pop(session) => session.traits(),
            Self::Imap(session) => session.traits(),
        }
    }

    /// What it says it can do, in its own words, without secrets; otherwise hostile.
    pub fn announced(&self) -> Vec<String> {
        match self {
            Self::Pop(session) => session.announced(),
            Self::Imap(session) => session.announced(),
        }
    }

    /// What a later session with this server may do, once this one has listed the maildrop.
    pub fn shortcut(&self) -> Option<Shortcut> {
        match self {
            Self::Pop(session) => session.shortcut(),
            Self::Imap(_) => None,
        }
    }

    /// What the server has given so far.
    pub fn given(&self) -> Given {
        match self {
            Self::Pop(session) => session.given(),
            Self::Imap(session) => session.given(),
        }
    }

    /// Lists the maildrop. A listing that breaks off is an error, never a short maildrop.
    ///
    /// `account` goes into the messages' identities; `expect_unique_ids` says that the account's
    /// messages had unique-ids earlier, so that a listing without them is a passing fault and nothing
    /// to be fetched anew for.
    pub fn list(&mut self, account: &str, expect_unique_ids: bool) -> Result<Maildrop, Error> {
        match self {
            Self::Pop(session) => session.list(account, expect_unique_ids),
            // All of its messages have one.
            Self::Imap(session) => session.list(account),
        }
    }

    /// Says when the server got each message of the folder that this one is in, in seconds since 1970: nothing of
    /// those of which it does not say it, and perhaps two times of one.
    ///
    /// # Errors
    /// The connection is of no more use then.
    pub fn arrivals(
        &mut self,
        one: MessageNumber,
        each: impl FnMut(MessageNumber, i64),
    ) -> Result<(), Error> {
        match self {
            // It knows neither folders nor times.
            Self::Pop(_) => Ok(()),
            Self::Imap(session) => session.arrivals(one, each),
        }
    }

    /// Reads the headers of messages and hands each over once, in this order: up to and with its
    /// first empty line, and at most `limit` octets. `None` where the server refuses.
    ///
    /// # Errors
    /// The connection is of no more use then.
    pub fn headers(
        &mut self,
        numbers: impl IntoIterator<Item = MessageNumber>,
        limit: usize,
        each: impl FnMut(MessageNumber, Option<Vec<u8>>),
    ) -> Result<(), Error> {
        match self {
            Self::Pop(session) => session.headers(numbers, limit, each),
            Self::Imap(session) => session.headers(numbers, limit, each),
        }
    }

    /// Fetches messages, in this order.
    pub fn retrieve(&mut self, messages: impl IntoIterator<Item = Message>) -> Retrieval<'_> {
        Retrieval::new(self, Window::on(messages))
    }

    /// Appends a message to a folder of the server's, which is made where the server asks for that. It
    /// has been taken where this says so, and may have been where the error says so.
    pub fn append(&mut self, folder: &str, post: &mut Post) -> Result<Appended, Unappended> {
        match self {
            Self::Pop(_) => Ok(Appended::Never(TAKES_NONE.to_owned())),
            Self::Imap(session) => session.append(folder, post),
        }
    }

    /// Where the next message of a folder will be, which is made where the server has none of that name.
    ///
    /// # Errors
    /// The connection is of no more use then.
    pub fn standing(&mut self, folder: &str) -> Result<Standing, Error> {
        match self {
            Self::Pop(_) => Ok(Standing {
                next: None,
                made: false,
            }),
            Self::Imap(session) => session.standing(folder),
        }
    }

    /// Where a message of a folder is that the server would call this when it lists it.
    pub fn spot_of(&self, folder: &str, unique_id: &[u8]) -> Option<Spot> {
        match self {
            Self::Pop(_) => None,
            Self::Imap(_) => imap::spot_of(folder, unique_id),
        }
    }

    /// Looks whether a message is in a folder of the server's, by what it was given to keep it by: in the
    /// one that it was for, in the one that has all, or else in each. An earlier try can have left it only in that
    /// folder, and not before `from`, where the next message was to be before it was first tried; `others` of that
    /// folder are known to be other messages.
    ///
    /// # Errors
    /// The connection is of no more use then.
    pub fn find(
        &mut self,
        folder: &str,
        post: &mut Post,
        from: Option<Spot>,
        others: &[Spot],
    ) -> Result<Found, Error> {
        match self {
            Self::Pop(_) => Ok(Found::CannotTell),
            Self::Imap(session) => session.find(folder, post, from, others),
        }
    }

    /// Whether a message is at a place of a folder.
    ///
    /// # Errors
    /// The connection is of no more use then.
    pub fn has_at(&mut self, folder: &str, post: &mut Post, spot: Spot) -> Result<bool, Error> {
        match self {
            Self::Pop(_) => Ok(false),
            Self::Imap(session) => session.has_at(folder, post, spot),
        }
    }

    /// Ends a session that has brought nothing and has appended what it was given.
    pub fn leave(self) {
        match self {
            Self::Pop(session) => drop(session.quit(Marked::default())),
            Self::Imap(session) => drop(session.end(Marked::default())),
        }
    }

    /// Whether the server has answered what it was asked, and no more. Where it has not, what was read
    /// so far cannot be trusted, and the source is of no more use.
    ///
    /// # Errors
    /// Where the connection fails, or the server says nothing.
    pub fn is_in_step(&mut self) -> Result<bool, Error> {
        match self {
            Self::Pop(session) => session.is_in_step(),
            Self::Imap(session) => session.is_in_step(),
        }
    }

    /// Marks messages as deleted. Takes nothing but what is stored and recorded (E4).
    ///
    /// # Errors
    /// With the message that it was about, as far as that shows.
    pub fn delete(&mut self, recorded: Vec<Recorded>) -> Result<Marked, (Error, Option<Recorded>)> {
        match self {
            Self::Pop(session) => session.delete(recorded),
            Self::Imap(session) => session.delete(recorded),
        }
    }

    /// Stays, and calls `each` with what the server says of mail that comes into the inbox, until `each`
    /// wants no more. Nothing is changed there. At least once in each `renewal` the server has to show that
    /// it is still there. Returns at once where it says nothing by itself.
    ///
    /// # Errors
    /// The connection is of no more use then.
    pub fn wait_for_news(
        &mut self,
        renewal: Duration,
        each: impl FnMut(News) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        match self {
            Self::Pop(_) => Ok(()),
            Self::Imap(session) => session.wait_for_news(renewal, each),
        }
    }

    /// Ends the session, upon which the server deletes what is marked. Everything fetched must be
    /// durable: some servers hide or delete what was retrieved from here on, marked or not (E10).
    pub fn end(self, marked: Marked) -> Update {
        match self {
            Self::Pop(session) => session.quit(marked),
            Self::Imap(session) => session.end(marked),
        }
    }
}
