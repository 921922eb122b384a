//! Messages on their way from a source.

use super::window::Window;
use super::{Answer, Attributes, Ending, Error, Source};
use crate::maildrop::Message;
use std::collections::VecDeque;

/// What arrives of the messages, in the order they were asked for.
#[derive(Debug)]
pub enum Arrival<'a> {
    /// A message begins.
    Begins(Message),
    /// Octets of it, as they are to be stored.
    Octets(&'a [u8]),
    /// Its end: it is complete, as far as that says. And what the server has noted of it.
    Ends(Ending, Attributes),
    /// The server refused to send a message; the others are not affected.
    Refused(Message, Answer),
    /// The server has a message no more, as far as it says: somebody has removed it since it was listed.
    /// How it says so counts where that cannot be.
    Gone(Message, Answer),
}

/// Messages being fetched. Dropped early, it leaves replies under way: the source is good for nothing
/// then, not even for its end.
pub struct Retrieval<'s> {
    source: &'s mut Source,
    window: Window,
}

impl<'s> Retrieval<'s> {
    pub(super) fn new(source: &'s mut Source, window: Window) -> Self {
        Self { source, window }
    }

    /// What arrives next; `None` once everything has.
    ///
    /// # Errors
    /// The connection is of no more use then; what has not ended has not arrived.
    pub fn next_arrival(&mut self) -> Result<Option<Arrival<'_>>, Error> {
        match self.source {
            Source::Pop(session) => session.next_arrival(&mut self.window),
            Source::Imap(session) => session.next_arrival(&mut self.window),
        }
    }

    /// For something else in between; only while nothing is under way.
    pub fn source(&mut self) -> &mut Source {
        self.source
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.window.is_idle()
    }

    /// Asks for nothing more until all that was asked for has arrived, if `pausing`.
    pub fn ask_for_no_more(&mut self, pausing: bool) {
        self.window.ask_for_no_more(pausing);
    }

    /// Asks for nothing more; what was asked for still arrives. What was not asked for.
    pub fn stop(&mut self) -> VecDeque<Message> {
        self.window.stop()
    }

    /// The message that was to arrive next when the connection failed.
    pub fn awaited(&self) -> Option<&Message> {
        self.window.awaited()
    }
}
