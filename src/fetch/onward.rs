//! Handing on what is stored: while a session waits for that, as what has been handed on may be deleted
//! in it, and after the last one.

use super::hand::{Hand, InFlight, LATER_IN_A_ROW, Patience, Step, Then};
use super::tell::failure;
use super::waiting::{listed, missed, name_of};
use super::{Account, Error};
use crate::handover::{Answer, Before, Earlier, Errand, Keeping, Letter, Located, Resemblance};
use crate::plan::is_tried_again;
use crate::profile::Deliver;
use crate::report::{Event, Outcome};
use crate::state::{Delay, DueId, NotTaken, Repeat, Store, Waiting, Whereabouts};
use std::time::{Duration, Instant};

/// How long a session waits until what it has brought is handed on. A server ends one that is idle for
/// ten minutes (RFC 1939 section 3), and many do much earlier. What takes longer is deleted in the next
/// run.
const SESSION_WAITS: Duration = Duration::from_secs(60);

/// How often to look whether somebody wants a stop.
const LOOK: Duration = Duration::from_millis(500);

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
        hand.is_newer = true;
        for Waiting {
            id,
            delay,
            attempt,
            file,
        } in waiting
        {
            if hand.tried.contains(&id) {
                continue;
            }
            let is_guessed = delay.is_some_and(|it| it.is_guessed());
            let Some(letter) = self.letter_in(file, store, hand, (id, is_guessed))? else {
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
            let left = attempt.and_then(|it| Some((it.length?, it.fetched)));
            let shows = match left {
                Some(_) => deliver.to.is_appended_to() || deliver.to.can_be_asked(),
                None => deliver.to.can_be_asked(),
            };
            // What another recipient had been given shows nowhere.
            if attempt.is_some() && !shows {
                self.tell_interrupted(&letter);
            } else if is_guessed && !deliver.to.is_appended_to() && !deliver.to.can_be_asked() {
                self.tell_guessed(&letter);
            }
            let earlier = self.earlier(store, id, delay, attempt);
            let mut it = InFlight {
                id,
                letter,
                step: Step::Carry,
                earlier,
                repeat: store.repeat(id).unwrap_or_default(),
                may_be_copy: false,
            };
            if deliver.to.is_appended_to() {
                let known = store.extent();
                match self.prepare(hand, &it.letter, Before { left, known })? {
                    Answer::Ready(standing) => self.carry(store, hand, it, Some(standing))?,
                    answer => {
                        let is_settled = matches!(answer, Answer::Appended(_));
                        // It is not handed on.
                        it.step = Step::Approach;
                        self.note_answer(store, hand, &it, answer, outcome)?;
                        if left.is_some() && !is_settled {
                            // Behind what is there of it perhaps, nothing is appended before it is known.
                            hand.later_in_a_row = LATER_IN_A_ROW;
                        }
                        continue;
                    }
                }
            } else if let Some(earlier) = earlier {
                let then = match earlier.is_recent && !self.environment.at_once {
                    true => Then::Wait,
                    false => Then::Append,
                };
                self.look(hand, it, earlier, then)?;
            } else if deliver.to.can_be_asked() {
                self.begin(store, hand, it)?;
            } else {
                self.carry(store, hand, it, None)?;
            }
            if !self.wait_for_answer(store, hand, until, outcome)? {
                return Ok(());
            }
        }
        store.settle_handing()?;
        if patience == Patience::After {
            self.tell_copies(store, hand)?;
            self.note_lost(store, hand, outcome)?;
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
        (id, is_guessed): (DueId, bool),
    ) -> Result<Option<Letter>, Error> {
        match file {
            Whereabouts::There(letter) => return Ok(Some(letter)),
            Whereabouts::Removed => {
                self.tell(Event::Notice(
                    "a message was removed from the Maildir before it could be handed on",
                ));
                store.given_up(id)?;
            }
            // Its owner has said so.
            Whereabouts::GivenUp => store.given_up(id)?,
            Whereabouts::Away(letter, maildir) => {
                let why = format!(
                    "waits to be handed on: it is not in {}, and nobody can tell whether you have \
                     removed it. If you have: {}; to have it fetched again: {}",
                    maildir.display(),
                    self.to_say("accept", &letter),
                    self.to_say("forget", &letter)
                );
                self.miss(hand, &letter, &why);
            }
            Whereabouts::Unseen(letter) => {
                let why = "waits to be handed on: its file may be in a folder that cannot be read";
                self.miss(hand, &letter, why);
            }
            Whereabouts::Lost(letter) => {
                store.lost(id)?;
                self.tell_lost(
                    hand,
                    &letter,
                    match is_guessed {
                        true => "its file is gone, and nobody knows whether it was handed on",
                        false => "its file is gone, so that it was not handed on",
                    },
                );
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
    fn prepare(&self, hand: &mut Hand, letter: &Letter, before: Before) -> Result<Answer, Error> {
        hand.courier()?
            .ask(Errand::Prepare(letter.clone(), before))?;
        loop {
            if let Some(answer) = hand.courier()?.answer_within(LOOK)? {
                return Ok(answer);
            }
        }
    }

    /// Waits for what is under way, and for what comes of it, and notes that. Tells whether nothing is under way
    /// any more.
    fn wait_for_answer(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        until: Option<Instant>,
        outcome: &mut Outcome,
    ) -> Result<bool, Error> {
        while let Some(it) = hand.in_flight.take() {
            let answer = loop {
                // Who carries it hears of a stop as well, and ends soon then.
                if let Some(answer) = hand.courier()?.answer_within(LOOK)? {
                    break answer;
                }
                if until.is_some_and(|until| Instant::now() >= until) {
                    hand.in_flight = Some(it);
                    return Ok(false);
                }
            };
            self.go_on(store, hand, it, answer, outcome)?;
        }
        Ok(true)
    }

    /// What an answer leads to.
    fn go_on(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        it: InFlight,
        answer: Answer,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let deliver = self.profile.deliver.as_ref();
        match (it.step, answer) {
            (Step::Look(Then::Append), Answer::NotFound { may_be_there }) => {
                // A server may be storing it even now.
                let is_recent = it.earlier.is_some_and(|it| it.is_recent);
                let repeat = it.repeat.max(match may_be_there || is_recent {
                    true => Repeat::Unclear,
                    false => Repeat::Again,
                });
                self.approach(hand, InFlight { repeat, ..it })
            }
            (Step::Compare, Answer::Compared(Resemblance::Copy)) => {
                hand.later_in_a_row = 0;
                Ok(store.leave_as_copy(it.id)?)
            }
            (Step::Compare, Answer::Compared(resemblance)) => {
                let may_be_copy = resemblance == Resemblance::Unclear;
                self.approach(hand, InFlight { may_be_copy, ..it })
            }
            (Step::Approach, Answer::Ready(standing)) => {
                hand.is_newer = false;
                self.carry(store, hand, it, Some(standing))
            }
            // What a lost answer said may show at once.
            (
                Step::Carry,
                Answer::Unclear {
                    is_slow: false,
                    why: _,
                },
            ) if deliver.is_some_and(|it| it.to.can_be_asked())
                && self.environment.stop.requested().is_none() =>
            {
                it.is_not_taken(store, NotTaken::Unclear)?;
                let earlier = Earlier {
                    from: store.tried_from(it.id),
                    is_recent: true,
                };
                self.look(hand, it, earlier, Then::Wait)
            }
            (step, answer) => {
                let leaves_nothing = deliver.is_some_and(|it| !it.to.is_appended_to());
                if step == Step::Carry && leaves_nothing && matches!(answer, Answer::Unable(_)) {
                    // Nobody has got it: the next run would say that nobody knows.
                    it.is_not_taken(store, NotTaken::Later)?;
                }
                self.note_answer(store, hand, &it, answer, outcome)
            }
        }
    }

    fn note_answer(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        it: &InFlight,
        answer: Answer,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let InFlight { id, letter, .. } = it;
        let id = *id;
        match answer {
            Answer::Taken(remark) => {
                outcome.handed += 1;
                self.note_taken(store, hand, (id, letter, None), remark)?;
            }
            Answer::Put {
                located,
                is_earlier,
                made,
            } => {
                outcome.handed += 1;
                let remark = self.remark(it, is_earlier, made);
                self.note_taken(store, hand, (id, letter, located), remark)?;
            }
            Answer::NotFound { .. } => {
                hand.later_in_a_row += 1;
                let folder = self.profile.deliver.as_ref().and_then(Deliver::folder);
                let account = folder.map_or("", |folder| &folder.account);
                let why = format!(
                    "waits to be handed on: account {account}: the answer was lost, and nobody knows whether it \
                     was taken: a later run looks for it there first"
                );
                self.miss(hand, letter, &why);
            }
            Answer::Appended(appended) => {
                let remark = appended.remark;
                if remark.is_some() {
                    outcome.there += 1;
                } else {
                    outcome.handed += 1;
                }
                self.note_taken(store, hand, (id, letter, None), remark)?;
                match appended.is_all {
                    true => store.account_for(appended.extent)?,
                    false => hand.extent = Some(appended.extent),
                }
            }
            Answer::Hangs(why) => {
                // Each would take as long.
                hand.later_in_a_row = LATER_IN_A_ROW;
                it.is_not_taken(store, NotTaken::Later)?;
                self.miss(hand, letter, &format!("waits to be handed on: {why}"));
            }
            Answer::Later(why) => {
                hand.later_in_a_row += 1;
                it.is_not_taken(store, NotTaken::Later)?;
                self.miss(hand, letter, &format!("waits to be handed on: {why}"));
            }
            Answer::Unclear { why, is_slow } => {
                hand.later_in_a_row += if is_slow { LATER_IN_A_ROW } else { 1 };
                it.is_not_taken(store, NotTaken::Unclear)?;
                self.miss(hand, letter, &format!("waits to be handed on: {why}"));
            }
            Answer::Refused(why) => {
                hand.later_in_a_row = 0;
                it.is_not_taken(store, NotTaken::Refused)?;
                outcome.failed += 1;
                self.tell(Event::Failed {
                    message: listed(letter),
                    reason: &why,
                });
                hand.misses.push(missed(letter, &why));
            }
            Answer::Damaged(how) => {
                hand.later_in_a_row = 0;
                // Nobody has got it this time.
                it.is_not_taken(store, NotTaken::Later)?;
                match letter.keeping {
                    Keeping::Ours => {
                        store.lost(id)?;
                        let what = format!(
                            "its file is not what was fetched ({how}), so that it was not handed on"
                        );
                        self.tell_lost(hand, letter, &what);
                    }
                    // It would stand there twice.
                    Keeping::Owner(_) | Keeping::Accepted => {
                        let why = format!(
                            "waits to be handed on: {} is not what was fetched ({how}). To hand it on \
                             as it is: {}; to have it fetched again: {}",
                            letter.path.display(),
                            self.to_say("accept", letter),
                            self.to_say("forget", letter)
                        );
                        self.miss(hand, letter, &why);
                    }
                }
            }
            Answer::Unable(unable) => hand.unable = Some(unable),
            // Nothing was asked that this answers.
            Answer::Ready(_) | Answer::Compared(_) => return Err(Error::Thread),
        }
        Ok(())
    }

    /// What is to be said of a message that is in a folder.
    fn remark(&self, it: &InFlight, is_earlier: bool, made: bool) -> Option<String> {
        let deliver = self.profile.deliver.as_ref();
        let folder = deliver.and_then(Deliver::folder)?;
        let account = &folder.account;
        let made = made.then(|| format!("the folder {folder} was made for it"));
        let there = match (is_earlier, it.repeat) {
            (_, Repeat::Unclear) => Some(format!(
                "account {account} does not tell whether it has it since an earlier try: it may be there twice now"
            )),
            (true, _) => Some(format!("account {account} has it since an earlier try")),
            (false, _) if it.may_be_copy => Some(format!(
                "account {account} has a message with the same octets, which may be this one as well as one that was \
                 handed on before: it may be there twice now"
            )),
            (false, _) => None,
        };
        let remarks: Vec<String> = made.into_iter().chain(there).collect();
        (!remarks.is_empty()).then(|| remarks.join("; "))
    }

    fn note_taken(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        (id, letter, located): (DueId, &Letter, Option<Located>),
        remark: Option<String>,
    ) -> Result<(), Error> {
        hand.later_in_a_row = 0;
        store.handed(id, located)?;
        self.tell(Event::Handed(listed(letter)));
        if let Some(remark) = remark {
            self.tell(Event::Notice(&format!("{}: {remark}", name_of(letter))));
        }
        Ok(())
    }

    pub(super) fn is_due_again(&self, delay: Option<Delay>) -> bool {
        let refused = delay.filter(|delay| delay.how == NotTaken::Refused);
        refused.is_none_or(|delay| {
            let insist = self.environment.at_once;
            is_tried_again(delay.count, delay.last, insist, self.environment.moment.now)
        })
    }
}
