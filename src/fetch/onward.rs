//! Handing on what is stored: while a session waits for that, as what has been handed on may be deleted
//! in it, and after the last one.

use super::courier::Courier;
use super::tell::failure;
use super::{Account, Error, Missed};
use crate::handover::{Answer, Before, Errand, Extent, Letter, Unable};
use crate::plan::is_tried_again;
use crate::report::{Event, Listed, Outcome};
use crate::state::{Delay, DueId, NotTaken, Store, Waiting, Whereabouts};
use crate::term::escape;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// How long a session waits until what it has brought is handed on. A server ends one that is idle for
/// ten minutes (RFC 1939 section 3), and many do much earlier. What takes longer is deleted in the next
/// run.
const SESSION_WAITS: Duration = Duration::from_secs(60);

/// How often to look whether somebody wants a stop.
const LOOK: Duration = Duration::from_millis(500);

/// After so many messages in a row that could not be taken now it is not the messages: the others wait
/// for the next run.
const LATER_IN_A_ROW: u32 = 3;

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

/// Where the handing on of a run stands.
pub(super) struct Hand {
    /// Nobody where nothing is handed on.
    courier: Option<Courier>,
    /// What came of it is not known yet.
    in_flight: Option<(DueId, Letter)>,
    /// Messages that are not tried again in this run.
    tried: HashSet<DueId>,
    later_in_a_row: u32,
    /// What nothing can be handed on for.
    unable: Option<Unable>,
    /// What waits and should not, and what was refused.
    misses: Vec<Missed>,
    /// What was being handed on when an earlier run ended.
    interrupted: Option<(DueId, Option<u64>)>,
    /// Up to where the file that messages are appended to is accounted for once all of them are.
    extent: Option<Extent>,
}

impl Hand {
    pub(super) fn new(store: &Store, courier: Option<Courier>) -> Self {
        Self {
            courier,
            in_flight: None,
            tried: HashSet::new(),
            later_in_a_row: 0,
            unable: None,
            misses: Vec::new(),
            interrupted: store.was_being_handed(),
            extent: None,
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
        // All that an earlier run may have appended has had its turn.
        match self.extent.filter(|_| store.count_waiting() == 0) {
            Some(extent) => Ok(store.account_for(extent)?),
            None => Ok(()),
        }
    }

    fn courier(&self) -> Result<&Courier, Error> {
        self.courier.as_ref().ok_or(Error::Thread)
    }

    fn is_over(&self) -> bool {
        self.unable.is_some() || self.later_in_a_row >= LATER_IN_A_ROW
    }
}

impl Account<'_> {
    /// Hands on what waits. What is not done within the patience is left, the last one perhaps under way.
    pub(super) fn hand_on(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        patience: Patience,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let until = match patience {
            Patience::OfTheServer => Some(Instant::now() + SESSION_WAITS),
            Patience::Before | Patience::After => None,
        };
        let Some(deliver) = &self.profile.deliver else {
            if patience == Patience::After {
                self.tell_unwanted(store, hand, outcome);
            }
            return Ok(());
        };
        if !self.wait_for_answer(store, hand, until, outcome)? {
            return Ok(());
        }
        let waiting = store.waiting()?;
        for Waiting { id, delay, file } in waiting {
            if hand.tried.contains(&id) {
                continue;
            }
            let Some(letter) = self.letter_in(file, store, hand, id)? else {
                hand.tried.insert(id);
                continue;
            };
            if hand.is_over() || !self.is_due_again(delay) {
                continue;
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
            self.check_stop()?;
            hand.tried.insert(id);
            let interrupted = hand.interrupted.filter(|(other, _)| *other == id);
            let left = interrupted.and_then(|(_, length)| length);
            if interrupted.is_some() {
                hand.interrupted = None;
                if left.is_none() {
                    self.tell_interrupted(&letter);
                }
            }
            let mut length = None;
            if deliver.to.is_appended_to() {
                let known = store.extent();
                match self.prepare(hand, &letter, Before { left, known })? {
                    Answer::Ready(octets) => length = Some(octets),
                    answer => {
                        self.note_answer(store, hand, (id, &letter), answer, outcome)?;
                        continue;
                    }
                }
            }
            store.begin_handing(id, length)?;
            hand.courier()?.ask(Errand::Carry(letter.clone()))?;
            hand.in_flight = Some((id, letter));
            if !self.wait_for_answer(store, hand, until, outcome)? {
                return Ok(());
            }
        }
        store.settle_handing()?;
        if patience == Patience::After {
            self.note_waiting(store, hand, outcome)?;
        }
        Ok(())
    }

    /// What can be handed on; what is done about a file that is not there is done.
    fn letter_in(
        &self,
        file: Whereabouts,
        store: &mut Store,
        hand: &mut Hand,
        id: DueId,
    ) -> Result<Option<Letter>, Error> {
        match file {
            Whereabouts::There(letter) => return Ok(Some(letter)),
            Whereabouts::Removed => {
                self.tell(Event::Notice(
                    "a message was removed from the Maildir before it could be handed on",
                ));
                store.handed(id)?;
            }
            Whereabouts::Unseen(letter) => {
                let why = "waits to be handed on: its file may be in a folder that cannot be read";
                self.miss(hand, &letter, why);
            }
            Whereabouts::Lost(letter) => {
                store.lost(id)?;
                self.tell_lost(&letter, "its file is gone");
            }
        }
        Ok(None)
    }

    /// The same after a run has failed, which stays the reason.
    pub(super) fn hand_on_after(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        error: Error,
        outcome: &mut Outcome,
    ) -> Error {
        // What has kept the journal from being written would do so again, and who is asked to stop stops.
        if matches!(error, Error::State(_) | Error::Stopped(_)) {
            let _ = self.wait_for_answer(store, hand, None, outcome);
            return error;
        }
        if let Err(also) = self.hand_on(store, hand, Patience::After, outcome) {
            self.tell(Event::Warning(&failure(&also).message));
        }
        if let Some(unable) = &hand.unable {
            self.tell(Event::Warning(&unable.what));
        }
        error
    }

    /// Makes ready what the message is appended to, which takes no longer than others keep it locked.
    fn prepare(
        &self,
        hand: &mut Hand,
        letter: &Letter,
        before: Before,
    ) -> Result<Answer, Error> {
        hand.courier()?
            .ask(Errand::Prepare(letter.clone(), before))?;
        loop {
            if let Some(answer) = hand.courier()?.answer_within(LOOK)? {
                return Ok(answer);
            }
        }
    }

    /// Waits for what is under way, and notes what came of it. Tells whether nothing is under way any
    /// more.
    fn wait_for_answer(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        until: Option<Instant>,
        outcome: &mut Outcome,
    ) -> Result<bool, Error> {
        let Some((id, letter)) = hand.in_flight.take() else {
            return Ok(true);
        };
        let answer = loop {
            // Who carries it hears of a stop as well, and ends soon then.
            if let Some(answer) = hand.courier()?.answer_within(LOOK)? {
                break answer;
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                hand.in_flight = Some((id, letter));
                return Ok(false);
            }
        };
        self.note_answer(store, hand, (id, &letter), answer, outcome)?;
        Ok(true)
    }

    fn note_answer(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        (id, letter): (DueId, &Letter),
        answer: Answer,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        match answer {
            Answer::Taken(remark) => self.note_taken(store, hand, (id, letter), remark, outcome)?,
            Answer::Appended(appended) => {
                let remark = appended.remark;
                self.note_taken(store, hand, (id, letter), remark, outcome)?;
                match appended.is_all {
                    true => store.account_for(appended.extent)?,
                    false => hand.extent = Some(appended.extent),
                }
            }
            Answer::Hangs(why) => {
                // Each would take as long.
                hand.later_in_a_row = LATER_IN_A_ROW;
                store.not_taken(id, NotTaken::Later)?;
                self.miss(hand, letter, &format!("waits to be handed on: {why}"));
            }
            Answer::Later(why) => {
                hand.later_in_a_row += 1;
                store.not_taken(id, NotTaken::Later)?;
                self.miss(hand, letter, &format!("waits to be handed on: {why}"));
            }
            Answer::Refused(why) => {
                hand.later_in_a_row = 0;
                store.not_taken(id, NotTaken::Refused)?;
                outcome.failed += 1;
                self.tell(Event::Failed {
                    message: listed(letter),
                    reason: &why,
                });
                hand.misses.push(missed(letter, &why));
            }
            Answer::Damaged(how) => {
                hand.later_in_a_row = 0;
                store.lost(id)?;
                self.tell_lost(letter, &format!("its file is not what was fetched ({how})"));
            }
            Answer::Unable(unable) => hand.unable = Some(unable),
            // Nothing was asked that this answers.
            Answer::Ready(_) => return Err(Error::Thread),
        }
        Ok(())
    }

    fn note_taken(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        (id, letter): (DueId, &Letter),
        remark: Option<String>,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        hand.later_in_a_row = 0;
        store.handed(id)?;
        outcome.handed += 1;
        self.tell(Event::Handed(listed(letter)));
        if let Some(remark) = remark {
            self.tell(Event::Notice(&format!("{}: {remark}", name_of(letter))));
        }
        Ok(())
    }

    fn is_due_again(&self, delay: Option<Delay>) -> bool {
        let refused = delay.filter(|delay| delay.how == NotTaken::Refused);
        refused.is_none_or(|delay| {
            let insist = self.environment.at_once;
            is_tried_again(delay.count, delay.last, insist, self.environment.moment.now)
        })
    }

    /// What waits at the end of a run is told, and counts.
    fn note_waiting(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        outcome.waiting = store.count_waiting() as u64;
        if outcome.waiting == 0 {
            return Ok(());
        }
        for Waiting { id, delay, file } in store.waiting()? {
            let (Whereabouts::There(letter), Some(delay)) = (file, delay) else {
                continue;
            };
            if !hand.tried.contains(&id) && !self.is_due_again(Some(delay)) {
                let times = delay.count;
                let why = format!(
                    "it was refused {times} times, and waits; tried once a day, and at once with --now"
                );
                self.miss(hand, &letter, &why);
            }
        }
        if hand.is_over() && hand.unable.is_none() {
            let text = format!(
                "{} to be handed on; the next run tries again",
                waits(outcome.waiting)
            );
            self.tell(Event::Notice(&text));
        }
        Ok(())
    }

    /// It waits although it should not.
    fn miss(&self, hand: &mut Hand, letter: &Letter, why: &str) {
        let missed = missed(letter, why);
        if !self.environment.quiet {
            self.tell(Event::Warning(&missed.text));
        }
        hand.misses.push(missed);
    }

    /// Messages wait for what the config file does not name any more.
    fn tell_unwanted(&self, store: &mut Store, hand: &mut Hand, outcome: &mut Outcome) {
        let waiting = store.count_waiting() as u64;
        if waiting == 0 {
            return;
        }
        outcome.waiting = waiting;
        let text = format!(
            "{} to be handed on, and the config file has no `deliver` any more: not deleted from the \
             server. Put it back for one more run, or say that they are fine where they are: popfetch \
             state accept {} with their unique-ids",
            waits(waiting),
            self.profile.word_with_maildir()
        );
        if !self.environment.quiet {
            self.tell(Event::Warning(&text));
        }
        let name = "no deliver".to_owned();
        hand.misses.push(Missed { name, text });
    }

    fn tell_interrupted(&self, letter: &Letter) {
        self.tell(Event::Warning(&format!(
            "{} was being handed on when the last run was ended, and nobody knows whether it was taken: \
             it is handed on now, perhaps for the second time",
            name_of(letter)
        )));
    }

    fn tell_lost(&self, letter: &Letter, what: &str) {
        self.tell(Event::Warning(&format!(
            "{}: {what}, so that it was not handed on; it is fetched again if the server still has it",
            name_of(letter)
        )));
    }
}

fn missed(letter: &Letter, why: &str) -> Missed {
    let name = name_of(letter);
    let text = format!("{name}: {why}");
    Missed { name, text }
}

fn waits(number: u64) -> String {
    match number {
        1 => "1 message waits".to_owned(),
        _ => format!("{number} messages wait"),
    }
}

fn listed(letter: &Letter) -> Listed<'_> {
    Listed {
        number: None,
        unique_id: letter.unique_id.as_deref(),
        octets: Some(letter.octets),
    }
}

/// What a line for people calls it.
fn name_of(letter: &Letter) -> String {
    match &letter.unique_id {
        Some(unique_id) => escape(unique_id),
        None => letter.path.display().to_string(),
    }
}
