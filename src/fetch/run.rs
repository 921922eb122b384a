//! What goes through a run from session to session.

use super::Error;
use super::conduct::Missed;
use super::doubts::Budget;
use super::endings::Care;
use super::filter::FilterRun;
use super::hand::Hand;
use super::header_trouble::HeaderTrouble;
use super::key::Key;
use super::next::Brought;
use crate::delivery::Target;
use crate::maildrop::Message;
use crate::source::Answer;
use crate::state::Twins;
use std::collections::HashSet;

/// What the sessions of a run have in common.
pub(super) struct Run<'a> {
    pub(super) target: &'a Target,
    pub(super) hand: &'a mut Hand,
    pub(super) twins: &'a Twins,
    pub(super) filter: Option<FilterRun>,
    pub(super) care: Care,
    pub(super) budget: Budget,
    /// A small message that is stored: the server has sent it before.
    pub(super) witness: Option<Message>,
    /// In the session at hand.
    pub(super) brought: Brought,
    /// Messages that are not asked for again.
    pub(super) passed: HashSet<Key>,
    /// The server has refused to send messages in the session at hand, for its own sake.
    pub(super) refusal: Option<Answer>,
    /// What the run has failed in although it went on.
    pub(super) trouble: Option<Error>,
    /// The server has sent no messages for a day.
    pub(super) is_withheld_for_long: bool,
    /// A full part of the maildrop that brings nothing hides the rest.
    pub(super) is_stuck: bool,
    /// What is passed over in the session at hand, and should come.
    pub(super) holds: Vec<Missed>,
    /// What was asked for, and could not be fetched for its own sake.
    pub(super) refused: Vec<Missed>,
    pub(super) header_trouble: HeaderTrouble,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        target: &'a Target,
        (twins, filter): (&'a Twins, Option<FilterRun>),
        hand: &'a mut Hand,
        is_withheld_for_long: bool,
    ) -> Self {
        Self {
            target,
            hand,
            twins,
            filter,
            care: Care::Usual,
            budget: Budget::default(),
            witness: None,
            brought: Brought::default(),
            passed: HashSet::new(),
            refusal: None,
            trouble: None,
            is_withheld_for_long,
            is_stuck: false,
            holds: Vec::new(),
            refused: Vec::new(),
            header_trouble: HeaderTrouble::default(),
        }
    }

    pub(super) fn begin_session(&mut self, care: Care) {
        self.care = care;
        self.brought = Brought::default();
        self.holds.clear();
        self.refusal = None;
        self.hand.has_all = false;
    }

    /// What did not come or was not handed on, and should: each once.
    pub(super) fn misses(mut self) -> Vec<Missed> {
        self.refused
            .retain(|refused| self.holds.iter().all(|it| it.name != refused.name));
        self.refused.extend(self.holds);
        self.refused.extend(self.hand.misses());
        self.refused
    }
}
