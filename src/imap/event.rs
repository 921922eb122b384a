//! What a server has said, one thing after the other.

use super::data::Data;
use super::items::{Fetched, Section};
use super::status::Status;

/// What happened on the connection. The commands' events come in the commands' order.
#[derive(Debug, Eq, PartialEq)]
pub enum Event<'a> {
    /// The greeting, or a status that answers no command: a remark, or the end (BYE).
    Status(Status<'a>),
    /// Data.
    Data(Data<'a>),
    /// Octets of a message follow.
    Begins {
        /// Which part of it.
        section: Section,
        /// How many.
        octets: u64,
        /// Its UID, where that was told before.
        uid: Option<u32>,
    },
    /// Some of them.
    Octets(&'a [u8]),
    /// The end of what FETCH has said of a message.
    Fetched(Fetched),
    /// A challenge, still in base64; answer with [`super::Connection::respond`].
    Challenge(&'a [u8]),
    /// The answer to the oldest pending command, which is over.
    Done(Status<'a>),
    /// Nothing more can be said before more octets have come.
    NeedInput,
}
