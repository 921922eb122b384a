//! Copies of what was handed on to another account, where that is the mailbox that they come from, by another name:
//! they would be handed on in each run, and be fetched in the next one, for ever.

use super::hand::{Hand, InFlight, Step};
use super::tell::{NAMED, argument, some_of};
use super::waiting::name_of;
use super::{Account, Error};
use crate::handover::Errand;
use crate::profile::Deliver;
use crate::report::Event;
use crate::state::Store;
use crate::term::count;

/// After so many comparisons those that follow wait for the next run: each costs round trips, and a server waits meanwhile.
const ENOUGH: usize = 250;

impl Account<'_> {
    /// Begins to hand on a message that was never tried. One with the same octets as one that an earlier run has
    /// handed on may be that very one, come back, or another one that is alike. It is compared with what is there:
    /// where that is the mailbox that it comes from, it is there itself, or there are more like it than were put
    /// there. That is for what the session at hand lists: of a copy that is not handed on no file stays here.
    pub(super) fn begin(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        it: InFlight,
    ) -> Result<(), Error> {
        if !store.is_like_one_handed_on(it.id)? {
            return self.approach(hand, it);
        }
        match store.is_listed(it.id) {
            Some(true) => {}
            // It is the only one that is left of it, perhaps.
            Some(false) => return self.approach(hand, it),
            None => {
                hand.tried.remove(&it.id);
                return Ok(());
            }
        }
        if hand.compared >= ENOUGH {
            hand.unseen_copies += 1;
            return Ok(());
        }
        hand.compared += 1;
        let errand = Errand::Compare(it.letter.clone());
        hand.courier()?.ask(errand)?;
        let step = Step::Compare;
        hand.in_flight = Some(InFlight { step, ..it });
        Ok(())
    }

    /// Tells of those that are still there, in each run: nobody else has them.
    pub(super) fn tell_copies(&self, store: &mut Store, hand: &mut Hand) -> Result<(), Error> {
        let unseen = std::mem::take(&mut hand.unseen_copies);
        if unseen > 0 {
            self.tell(Event::Notice(&format!(
                "{} more may have come back: the next runs look, at {ENOUGH} at a time",
                count(unseen, "message"),
            )));
        }
        let copies = store.copies()?;
        let names = some_of(&copies, name_of);
        // Nobody has noted where they were compared.
        let account = match self.profile.deliver.as_ref().and_then(Deliver::folder) {
            Some(folder) => format!(
                "account {}, or the one that `deliver` named then,",
                folder.account
            ),
            None => "the account that `deliver` named then".to_owned(),
        };
        let word = self.profile.word_with_maildir();
        let arguments = copies.iter().take(NAMED);
        let arguments = arguments.filter_map(|it| it.unique_id.as_deref().map(argument));
        let arguments = arguments.collect::<String>();
        let them = if copies.len() == 1 { "it" } else { "them" };
        let todo = format!(
            "If they are, this may be all that is left of {them}: take `deliver` out of the config file, and have \
             {them} fetched (popfetch state forget {word}{arguments}). If not, move there yourself what you miss; to \
             let {them} go: popfetch state accept {word}{arguments}"
        );
        let text = match copies.len() {
            0 => return Ok(()),
            1 => format!(
                "1 message is not handed on: it has the same octets as one that was handed on, and \
                 {account} shows that it is that one, or has more of them than were put there, as where both \
                 accounts are one mailbox ({names}). {todo}"
            ),
            several => format!(
                "{several} messages are not handed on: each has the same octets as one that was \
                 handed on, and {account} shows that it is that one, or has more of them than were put there, \
                 as where both accounts are one mailbox ({names}). {todo}"
            ),
        };
        self.tell(Event::Warning(&text));
        Ok(())
    }
}
