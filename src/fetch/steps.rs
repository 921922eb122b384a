//! The steps by which a message is handed on: what somebody is asked, and what is written down before.

use super::hand::{Hand, InFlight, Step, Then};
use super::{Account, Error};
use crate::handover::{Earlier, Errand, Standing};
use crate::moment::Moment;
use crate::state::{Attempt, Delay, DueId, NotTaken, Store};

/// A server that has lost the connection may go on storing what it was given, and be done within so many
/// seconds: some scan each message first. Until then nothing says that it has not taken it.
const STORED_WITHIN: i64 = 120;

impl Account<'_> {
    /// Looks for a message that may have been taken.
    pub(super) fn look(
        &self,
        hand: &mut Hand,
        it: InFlight,
        earlier: Earlier,
        then: Then,
    ) -> Result<(), Error> {
        hand.courier()?
            .ask(Errand::Look(it.letter.clone(), earlier))?;
        let step = Step::Look(then);
        hand.in_flight = Some(InFlight { step, ..it });
        Ok(())
    }

    /// Asks where the message will be.
    pub(super) fn approach(&self, hand: &mut Hand, it: InFlight) -> Result<(), Error> {
        let is_newer = hand.is_newer;
        hand.courier()?.ask(Errand::Approach { is_newer })?;
        let step = Step::Approach;
        hand.in_flight = Some(InFlight { step, ..it });
        Ok(())
    }

    /// Hands it on, to what stands so. That is written down before.
    pub(super) fn carry(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        it: InFlight,
        standing: Option<Standing>,
    ) -> Result<(), Error> {
        store.begin_handing(it.id, standing, it.repeat)?;
        hand.courier()?.ask(Errand::Carry(it.letter.clone()))?;
        let step = Step::Carry;
        hand.in_flight = Some(InFlight { step, ..it });
        Ok(())
    }

    /// What is known of earlier tries with a message that may have been taken, where somebody can be asked.
    pub(super) fn earlier(
        &self,
        store: &Store,
        id: DueId,
        delay: Option<Delay>,
        attempt: Option<Attempt>,
    ) -> Option<Earlier> {
        let deliver = self.profile.deliver.as_ref();
        let can_be_asked = deliver.is_some_and(|it| it.to.can_be_asked());
        let unclear = delay.filter(|delay| delay.how == NotTaken::Unclear);
        // What has not had it has something else that is like it, perhaps the message itself where both accounts
        // are one mailbox.
        if !can_be_asked || (store.repeat(id).is_none() && unclear.is_none()) {
            return None;
        }
        let last = attempt.map(|it| it.time).max(unclear.map(|it| it.last));
        let now = self.environment.moment.now;
        Some(Earlier {
            from: store.tried_from(id),
            is_recent: last.is_some_and(|last| Moment::counts(last, STORED_WITHIN, now)),
        })
    }
}
