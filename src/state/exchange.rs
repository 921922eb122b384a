//! Which record each of several listed messages of one name is. Their sizes and their order tell that at first, and
//! once one of them is gone the others count as those before them: what is looked at finds its own record also
//! where another message counts as it, and the two exchange what they count as.

use super::Store;
use super::memory::Memory;
use super::record::Id;
use super::remembered::Kind;
use crate::maildrop::{Identity, Message};

impl Store {
    /// The records that a listed message may be: the one that it counts as, those of its name that no other one
    /// does, and, where its name does not tell which one is listed, those that others count as at whom nobody has
    /// looked.
    pub(super) fn bearers(&self, message: &Message) -> Vec<Id> {
        let claimed = self.memory.claimed(message);
        let identity = message.identity;
        let of_its_name = identity.map_or_else(Vec::new, |it| self.memory.all_of(it));
        let is_vague = identity.is_some_and(|it| self.memory.vague.contains(&it));
        let may_exchange = is_vague && claimed.is_some();
        let (held, free): (Vec<Id>, Vec<Id>) = of_its_name.into_iter().partition(|id| {
            let record = self.memory.record(*id);
            record.is_some_and(|record| record.present)
        });
        let held = held
            .into_iter()
            .filter(|id| may_exchange && Some(*id) != claimed && !self.verified.contains(id));
        let all = claimed.into_iter().chain(free).chain(held);
        all.filter(|id| {
            let record = self.memory.record(*id);
            record.is_some_and(|record| record.kind == Kind::Stored)
        })
        .collect()
    }

    /// Whether a record is of the name of this message, which counts as none, and another message counts as it at
    /// whom nobody has looked.
    pub(super) fn is_namesakes(&self, id: Id, message: &Message) -> bool {
        let holder = message
            .identity
            .and_then(|it| self.memory.holder(it, id))
            .filter(|turn| *turn != message.turn);
        holder.is_some() && !self.verified.contains(&id)
    }

    /// From here on a listed message counts as this record. What it counted as is what the message counts as that
    /// had this one, or nothing's.
    pub(super) fn take_claim(&mut self, id: Id, message: &Message) {
        let before = self.memory.claimed(message);
        if before == Some(id) {
            return;
        }
        let holder = message
            .identity
            .and_then(|identity| Some((identity, self.memory.holder(identity, id)?)));
        match (before, holder) {
            (Some(before), Some((identity, turn))) => {
                self.memory.note_claim(identity, turn, before);
            }
            (Some(before), None) => self.release(before, message),
            (None, _) => {}
        }
        self.memory.claim(message, id);
    }
}

impl Memory {
    /// The turn of the listed message of a shared name that counts as this record.
    fn holder(&self, identity: Identity, id: Id) -> Option<u32> {
        let mut claims = self.claims.get(&identity)?.iter();
        claims.find(|(_, it)| *it == id).map(|(turn, _)| *turn)
    }
}
