//! A header that shows that a message is another one than what is stored under its name, on a server that
//! changes no header (E11).

use super::doubt::is_nearly_size_of;
use super::{Error, Failures, Store};
use crate::maildrop::Message;
use crate::message::{Fields, Size};

impl Store {
    /// Whether a header could show that a message is another one than the stored one, whatever its size.
    pub fn header_can_deny(&mut self, message: &Message) -> Result<bool, Error> {
        let fields = self.fields_of(message)?;
        Ok(fields.is_some_and(|fields| fields.can_tell()))
    }

    /// Whether this header shows it.
    pub fn header_denies(&mut self, message: &Message, header: &[u8]) -> Result<bool, Error> {
        let fields = self.fields_of(message)?;
        Ok(fields.is_some_and(|fields| fields.can_tell() && !fields.are_of(header)))
    }

    /// Whether the size that it is listed with shows it: no server adds or takes as much.
    pub fn size_denies(&mut self, message: &Message) -> Result<bool, Error> {
        let Some(id) = self.memory.claimed(message) else {
            return Ok(false);
        };
        let stored = self.stored(id)?;
        let evidence = stored.as_ref().and_then(|stored| stored.evidence.as_ref());
        let (Some(stored), Some(evidence), Some(octets)) = (&stored, evidence, message.octets)
        else {
            return Ok(false);
        };
        Ok(evidence.size == Size::Exact && !is_nearly_size_of(stored, evidence, octets))
    }

    /// The message is another one than what it counts as: it counts as nothing any more. Gives how often it
    /// could not be fetched.
    pub fn is_another(&mut self, message: &Message) -> Option<Failures> {
        if let Some(id) = self.memory.claimed(message) {
            self.release(id, message);
        }
        let failures = &self.memory.failures;
        message
            .identity
            .and_then(|identity| failures.get(&identity).copied())
    }

    /// What is known of the header of the message that this one counts as.
    fn fields_of(&mut self, message: &Message) -> Result<Option<Fields>, Error> {
        let Some(id) = self.memory.claimed(message) else {
            return Ok(None);
        };
        let evidence = self.stored(id)?.and_then(|stored| stored.evidence);
        Ok(evidence.map(|evidence| evidence.fields))
    }
}
