//! A header that shows that a message is another one than what is stored under its name, on a server that
//! changes no header (E11).

use super::{Error, Store};
use crate::maildrop::Message;
use crate::message::Fields;

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

    /// What is known of the header of the message that this one counts as.
    fn fields_of(&mut self, message: &Message) -> Result<Option<Fields>, Error> {
        let Some(id) = self.memory.claimed(message) else {
            return Ok(None);
        };
        let evidence = self.stored(id)?.and_then(|stored| stored.evidence);
        Ok(evidence.map(|evidence| evidence.fields))
    }
}
