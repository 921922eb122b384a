//! Messages of which only the whole has shown that they are others than those that are stored under their
//! names (E11): rules, which decide about what is new, are asked about them once they are here.

use super::filter::FilterRun;
use super::receive::Fetched;
use super::rules::Rulings;
use super::{Account, Error, Run, listed};
use crate::delivery::Complete;
use crate::maildrop::Message;
use crate::plan::Reason;
use crate::report::{Event, Outcome};
use crate::rules::{Gist, Hit, Knowledge, Listed, Rules, Ruling};
use crate::state::Store;

/// What rules make of such messages.
#[derive(Default)]
pub(super) struct Parted<'p> {
    /// They come.
    pub(super) coming: Vec<Complete>,
    /// They are to be deleted.
    hits: Vec<(Message, Hit<'p>)>,
}

/// What a message that is here has to be judged by.
struct Inquiry<'a> {
    now: Option<i64>,
    filter: Option<&'a mut FilterRun>,
}

impl<'p> Account<'p> {
    /// Whether something may keep such a message from coming.
    pub(super) fn may_leave(&self, complete: &Complete) -> bool {
        let rules = &self.profile.rules;
        let asks_more = rules.ask_ages() || rules.filter().is_some();
        let mut inquiry = Inquiry {
            now: None,
            filter: None,
        };
        asks_more || self.leaves(complete, &mut inquiry).is_some()
    }

    /// Asks rules about such messages, and stores those that come.
    pub(super) fn settle_others(
        &self,
        store: &mut Store,
        run: &mut Run<'_>,
        others: Vec<Complete>,
        ruled: &mut Rulings<'p>,
        outcome: &mut Outcome,
    ) -> Result<Fetched, Error> {
        let inquiry = Inquiry {
            now: ruled.ages.time().and_then(Result::ok),
            filter: run.filter.as_mut(),
        };
        let parted = self.part(store, others, inquiry, outcome);
        ruled.hits.extend(parted.hits);
        self.commit_all(store, run.target, parted.coming, outcome)
    }

    /// Those of such messages that come, where nothing more can be asked: what is to be deleted is left to the
    /// next run.
    pub(super) fn coming_of(
        &self,
        store: &mut Store,
        others: Vec<Complete>,
        outcome: &mut Outcome,
    ) -> Vec<Complete> {
        let inquiry = Inquiry {
            now: None,
            filter: None,
        };
        self.part(store, others, inquiry, outcome).coming
    }

    fn part(
        &self,
        store: &mut Store,
        others: Vec<Complete>,
        mut inquiry: Inquiry<'_>,
        outcome: &mut Outcome,
    ) -> Parted<'p> {
        let mut parted = Parted::default();
        for complete in others {
            let Some((ruling, gist)) = self.leaves(&complete, &mut inquiry) else {
                parted.coming.push(complete);
                continue;
            };
            let message = complete.message();
            // So that it is not fetched again to find out that it is another one.
            store.note_gist(message, gist);
            let reason = match ruling {
                Ruling::Delete(hit) => {
                    parted.hits.push((message.clone(), hit));
                    continue;
                }
                Ruling::Rule(decisive) => decisive.to_string(),
                _ => Reason::TooLarge(self.profile.policy.max_size.unwrap_or_default()).to_string(),
            };
            outcome.skipped += 1;
            self.tell(Event::Skipped {
                message: listed(message),
                reason: &reason,
            });
        }
        parted
    }

    /// What keeps such a message from coming, and what its header has told.
    fn leaves(&self, complete: &Complete, inquiry: &mut Inquiry<'_>) -> Option<(Ruling<'p>, Gist)> {
        let rules: &'p Rules = &self.profile.rules;
        let message = complete.message();
        let most = self.profile.policy.max_size;
        let is_too_large = most.is_some() && message.octets > most;
        // What may be cut short comes, whatever is left of its header.
        if !complete.is_orderly() || (rules.are_none() && !is_too_large) {
            return None;
        }
        let at = Listed {
            octets: message.octets,
            now: inquiry.now,
            is_fetched_otherwise: !is_too_large,
        };
        let header = complete.header();
        let read = rules.read(own_part(header));
        let (mut ruling, mut gist) = match read {
            Some(gist) => (rules.judge(at, Knowledge::Read(&gist)), gist),
            None => (
                rules.judge(at, Knowledge::Unknown),
                rules.read_fetched(header),
            ),
        };
        if let (Ruling::AskFilter, Some(filter)) = (ruling, inquiry.filter.as_deref_mut()) {
            gist = gist.with_verdict(filter.ask(own_part(header), !is_too_large));
            ruling = rules.judge(at, Knowledge::Read(&gist));
        }
        let comes = match ruling {
            Ruling::Fetch => true,
            Ruling::Rule(_) | Ruling::Delete(_) => !ruling.leaves(),
            Ruling::Otherwise | Ruling::NeedsHeader | Ruling::AskFilter => !is_too_large,
        };
        (!comes).then_some((ruling, gist))
    }
}

/// The header of a message, by its first octets, with the empty line that ends it.
fn own_part(octets: &[u8]) -> &[u8] {
    let end = memchr::memmem::find(octets, b"\n\n").map_or(octets.len(), |at| at + 2);
    octets.get(..end).unwrap_or(octets)
}
