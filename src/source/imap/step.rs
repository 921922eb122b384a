//! Whether answers and commands are still in step (NOOP, RFC 3501 section 6.1.2).

use super::{Error, Phase, Session, SignedIn};
use crate::imap::Command;

impl Session<SignedIn> {
    /// Whether the server has answered what it was asked, and no more: each answer bears the tag of its
    /// command, so the answer to another NOOP shows it.
    ///
    /// # Errors
    /// Where the connection fails, or the server says nothing.
    pub(in crate::source) fn is_in_step(&mut self) -> Result<bool, Error> {
        if self.wire.pending() > 0 {
            return Ok(false);
        }
        self.wire.send(Command::Noop)?;
        match self.wire.answer(Phase::Step) {
            Ok(_) => Ok(true),
            Err(Error::Violation { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
