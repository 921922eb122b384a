//! Whether answers and commands are still in step.

use super::{Error, Session, SignedIn};

impl Session<SignedIn> {
    /// Whether the server has answered what it was asked, and no more.
    ///
    /// Nothing need be asked for that. A message's length is told before it, and the answer behind it
    /// bears the tag of its own command: where octets are left over or missing, that answer is none, and
    /// the session is over. What comes later answers nothing, and shows with the next command.
    ///
    /// # Errors
    /// None; another protocol has to ask.
    pub(in crate::source) fn is_in_step(&self) -> Result<bool, Error> {
        Ok(self.wire.pending() == 0)
    }
}
