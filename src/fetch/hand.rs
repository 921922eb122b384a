//! Where the handing on of a run stands.

use super::courier::Courier;
use super::{Account, Error, Missed};
use crate::handover::{Earlier, Extent, Letter, Unable};
use crate::maildrop::{Maildrop, MessageNumber};
use crate::plan::{Decision, Plan};
use crate::state::{DueId, NotTaken, Placed, Repeat, Same, Store};
use std::collections::HashSet;

/// After so many messages in a row that could not be taken now it is not the messages: the others wait
/// for the next run.
pub(super) const LATER_IN_A_ROW: u32 = 3;

/// For how long messages are handed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Patience {
    /// What waits since earlier runs, before the server is asked for anything.
    Before,
    /// A server waits meanwhile.
    OfTheServer,
    /// Nobody waits any more.
    After,
}

/// What is done about a message that is handed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// It is looked for, as it was tried before.
    Look(Then),
    /// It is looked for another one like it there, as it may be a copy of one that was handed on.
    Compare,
    /// Where it will be is asked.
    Approach,
    /// It is handed on.
    Carry,
}

/// What is done about a message that was looked for and is not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Then {
    /// It is appended.
    Append,
    /// It waits for a later run: it may still be being stored.
    Wait,
}

/// A message that somebody was asked to hand on.
pub(super) struct InFlight {
    pub(super) id: DueId,
    pub(super) letter: Letter,
    pub(super) step: Step,
    /// What is known of earlier tries, where the recipient can be asked whether it has it since, and may have it.
    pub(super) earlier: Option<Earlier>,
    /// What it comes after that it is handed on.
    pub(super) repeat: Repeat,
    /// It may be a copy of one that was handed on.
    pub(super) may_be_copy: bool,
}

impl InFlight {
    /// It has not been taken, or nobody knows. What came of an earlier try is not known by that.
    pub(super) fn is_not_taken(&self, store: &mut Store, how: NotTaken) -> Result<(), Error> {
        let how = match how {
            NotTaken::Later if self.earlier.is_some() => NotTaken::Unclear,
            how => how,
        };
        if self.step != Step::Look(Then::Wait) {
            store.not_taken(self.id, how)?;
        }
        Ok(())
    }
}

/// Where the handing on of a run stands.
pub(super) struct Hand {
    /// Nobody where nothing is handed on.
    pub(super) courier: Option<Courier>,
    /// What came of it is not known yet.
    pub(super) in_flight: Option<InFlight>,
    /// Messages that are not tried again in this run.
    pub(super) tried: HashSet<DueId>,
    pub(super) later_in_a_row: u32,
    /// What nothing can be handed on for.
    pub(super) unable: Option<Unable>,
    /// What waits and should not, and what was refused.
    pub(super) misses: Vec<Missed>,
    /// Messages may have been fetched since it was asked where the next one will be.
    pub(super) is_newer: bool,
    /// How many messages were compared with what is there, as they may be copies of what was handed on.
    pub(super) compared: usize,
    /// How many more may be, which the next runs look at.
    pub(super) unseen_copies: u64,
    /// Some were found to be lost or damaged in this run.
    pub(super) has_lost: bool,
    /// Up to where the file that messages are appended to is accounted for once all of them are.
    pub(super) extent: Option<Extent>,
    /// The last session has brought all that the server has and that was not here.
    pub(super) has_all: bool,
}

impl Hand {
    pub(super) fn new(courier: Option<Courier>) -> Self {
        Self {
            courier,
            in_flight: None,
            tried: HashSet::new(),
            later_in_a_row: 0,
            unable: None,
            misses: Vec::new(),
            is_newer: true,
            compared: 0,
            unseen_copies: 0,
            has_lost: false,
            extent: None,
            has_all: false,
        }
    }

    /// What is to be told of what was not handed on.
    pub(super) fn misses(&mut self) -> Vec<Missed> {
        std::mem::take(&mut self.misses)
    }

    /// What has kept messages from being handed on, as the end of a run that went well otherwise.
    pub(super) fn end(self, store: &mut Store) -> Result<(), Error> {
        if let Some(unable) = self.unable {
            return Err(Error::Unhanded(unable));
        }
        // All that an earlier run may have appended has had its turn. What is still on the server may be in
        // the file as well, and is looked for there when it comes.
        let is_over = self.has_all && store.count_waiting() == 0;
        match self.extent.filter(|_| is_over) {
            Some(extent) => Ok(store.account_for(extent)?),
            None => Ok(()),
        }
    }

    pub(super) fn courier(&self) -> Result<&Courier, Error> {
        self.courier.as_ref().ok_or(Error::Thread)
    }

    pub(super) fn is_over(&self) -> bool {
        self.unable.is_some() || self.later_in_a_row >= LATER_IN_A_ROW
    }
}

impl Account<'_> {
    /// Whether all that a session has listed is stored here by now, `same` and `placed` included, where
    /// anybody wants to know.
    pub(super) fn has_all(
        &self,
        plan: &Plan,
        maildrop: &Maildrop,
        same: &[Same],
        placed: &[Placed],
    ) -> bool {
        let deliver = self.profile.deliver.as_ref();
        if plan.leaves_some() || !deliver.is_some_and(|it| it.to.is_appended_to()) {
            return false;
        }
        let same = same.iter().map(Same::number);
        let here: HashSet<MessageNumber> = same.chain(placed.iter().map(Placed::number)).collect();
        // A doubt that nothing has settled may turn out to be another message.
        let mut open = plan.unseen().filter(|(_, decision)| {
            matches!(decision, Decision::Fetch(_) | Decision::Doubt { .. })
        });
        open.all(|(place, _)| {
            let message = maildrop.message(place);
            message.is_some_and(|message| here.contains(&message.number))
        })
    }
}
