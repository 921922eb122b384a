//! What headers have told, for whoever fetches and for whoever only looks.

use crate::maildrop::Message;
use crate::rules::{Fingerprint, Gist};
use crate::state::{Store, View};

/// Where it is remembered what headers have told.
pub(super) trait Memory {
    fn gist(&mut self, message: &Message, asked: Fingerprint) -> Option<Gist>;
    fn note_gist(&mut self, message: &Message, gist: Gist);
}

impl Memory for Store {
    fn gist(&mut self, message: &Message, asked: Fingerprint) -> Option<Gist> {
        Store::gist(self, message, asked)
    }

    fn note_gist(&mut self, message: &Message, gist: Gist) {
        Store::note_gist(self, message, gist);
    }
}

/// For whoever only looks.
impl Memory for View {
    fn gist(&mut self, message: &Message, asked: Fingerprint) -> Option<Gist> {
        View::gist(self, message, asked)
    }

    fn note_gist(&mut self, _: &Message, _: Gist) {}
}
