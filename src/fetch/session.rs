//! One session: sign in, list, what is done with what is listed, and the end.

use super::broken::{Broken, Over};
use super::conduct::{Conduct, Missed};
use super::endings::Sizes;
use super::key::Key;
use super::reach::{Manner, Route};
use super::{Account, Error, Run};
use crate::delivery::{Complete, Target};
use crate::maildrop::Maildrop;
use crate::plan;
use crate::report::{Event, Outcome};
use crate::source::{Answer, Marked, Meaning, Phase, Source, Traits};
use crate::state::{Lasting, Recorded, Store};
use crate::term::count;

/// A shorter listing is no part of a longer one: Gmail's parts have 250 to 300 messages.
const FULL_LISTING: usize = 100;

/// How a session is tried.
pub(super) struct Attempt<'a> {
    pub(super) route: &'a dyn Route,
    pub(super) manner: Manner,
}

/// How much of the maildrop a session has listed.
pub(super) enum Extent {
    /// There may be more.
    InPart,
    /// All, or all that was left.
    ToTheEnd,
}

impl Account<'_> {
    pub(super) fn hold_session(
        &self,
        store: &mut Store,
        run: &mut Run<'_>,
        attempt: Attempt<'_>,
        outcome: &mut Outcome,
        conduct: &mut Conduct,
    ) -> Result<Extent, Broken> {
        let lenient = attempt.manner.lenient;
        let signed_in = self.sign_in(attempt.route, attempt.manner, conduct);
        let mut session = signed_in.map_err(|error| {
            if error.is_the_servers_word() {
                conduct.forget_shortcut();
            }
            // It may have closed for what came with the sign-in, which the next run finds out: nobody
            // signs in twice for that.
            if error.broke_over_flight() {
                conduct.spare_shortcut();
            }
            let over = match error.is_unjudged() {
                true => Over::Flight,
                false => Over::Itself,
            };
            Broken::over(error, over)
        })?;
        let (fetched, deleted) = (outcome.fetched, outcome.deleted);
        // Each listing has those again that are left where they are.
        outcome.skipped = 0;
        store.begin_session();
        let in_parts = session.traits().lists_in_parts;
        let done = self.transact(&mut session, store, run, in_parts, outcome);
        run.brought.given = session.given();
        if done.is_ok() {
            conduct.saw_shortcut(session.shortcut());
        }
        // CAPA was sent again behind the sign-in.
        conduct.announced(session.traits().login_delay);
        if session.traits().went_ahead
            && done
                .as_ref()
                .is_err_and(|it| it.error.is_refused_without_reason())
        {
            conduct.spare_shortcut();
        }
        let (maildrop, marked) = match done {
            // The end of a message was doubtful, and it could not be read again: where several were under way, it
            // and the one before it may have been exchanged.
            Err(broken)
                if session.traits().pipelines
                    && matches!(
                        *broken.over,
                        Over::End {
                            reading: Some(_),
                            ..
                        }
                    ) =>
            {
                store.distrust_session()?;
                return Err(broken);
            }
            Err(mut broken) if broken.error.is_disorder() => {
                store.distrust_session()?;
                let Traits {
                    pipelines,
                    went_ahead,
                    ..
                } = session.traits();
                // Where it was not asked for more than one thing at a time, another way would be no
                // better.
                if (pipelines || went_ahead) && !matches!(*broken.over, Over::End { .. }) {
                    *broken.over = Over::Step;
                }
                return Err(broken);
            }
            done => done?,
        };
        let full = maildrop.len() >= FULL_LISTING;
        if !marked.is_empty() {
            // The others may have other numbers from now on.
            run.passed.retain(Key::is_lasting);
        }
        let confirmed = self.end(session, marked, store, &maildrop, lenient, outcome)?;
        if let Some(answer) = run.refusal.take() {
            return Err(Error::Refusing(answer).into());
        }
        let more = in_parts && full && confirmed && outcome.fetched > fetched;
        if full && run.is_stuck && outcome.fetched == fetched && outcome.deleted == deleted {
            outcome.held_up += 1;
            let text = format!(
                "the server lists a part of {} at a time, and this one brings nothing to fetch: what is \
                 behind it does not show. Remove or archive on the server what is passed over, or raise \
                 `max-size`",
                count(maildrop.len() as u64, "message")
            );
            let name = "behind a part".to_owned();
            run.holds.push(Missed { name, text });
        }
        Ok(if more {
            Extent::InPart
        } else {
            Extent::ToTheEnd
        })
    }

    /// All that is done in the TRANSACTION state, up to the last DELE. `in_parts`: what the server
    /// does not list need not be gone.
    fn transact(
        &self,
        session: &mut Source,
        store: &mut Store,
        run: &mut Run<'_>,
        in_parts: bool,
        outcome: &mut Outcome,
    ) -> Result<(Maildrop, Marked), Broken> {
        let listed = session.list(&self.profile.server.id(), store.has_unique_ids());
        let maildrop = listed.map_err(|error| {
            let error = Error::from(error);
            let is_explained = error.is_explained() || error.is_disorder();
            let over = match session.traits().went_ahead && !is_explained {
                true => Over::Flight,
                false => Over::Itself,
            };
            Broken::over(error, over)
        })?;
        self.check_stop()?;
        let marked = self.work_through(session, store, run, &maildrop, in_parts, outcome);
        let marked = marked.map_err(|broken| broken.about(&maildrop))?;
        Ok((maildrop, marked))
    }

    /// What comes of DELE. A message that is refused, or over which the server breaks the protocol,
    /// is not asked about for ever.
    pub(super) fn delete(
        &self,
        session: &mut Source,
        store: &mut Store,
        recorded: Vec<Recorded>,
    ) -> Result<Marked, Error> {
        let marked = session.delete(recorded).map_err(|(error, message)| {
            let error = Error::from(error);
            if let Some(message) = message {
                let times = match error.is_disorder() {
                    true => plan::DELETIONS,
                    false => 1,
                };
                let message = std::slice::from_ref(&message);
                (0..times).for_each(|_| store.refused_to_delete(message));
                store.asked_to_delete(message);
            }
            error
        })?;
        if let Some(unasked) = marked.unasked
            && store.may_tell(Lasting::Unasked)
        {
            self.tell(Event::Warning(&format!(
                "the server cannot delete just {}: {}. Nothing is deleted there; once the server can do \
                 better, they go",
                count(unasked.count, "message"),
                unasked.reason
            )));
        }
        let Some(answer) = &marked.refusal else {
            return Ok(marked);
        };
        let number = marked.refused.first().map(Recorded::number);
        let meaning = number.map(|number| Meaning::of(Phase::Deleting(number), answer));
        if !meaning.is_some_and(Meaning::is_the_sessions) {
            store.refused_to_delete(&marked.refused);
        }
        let refused = marked.refused.len() as u64 + marked.refused_together;
        let refused = count(refused, "message");
        let text =
            format!("the server refused to delete {refused}: {answer}; what it refused stays");
        self.tell_of_deletions(&text, store);
        Ok(marked)
    }

    /// QUIT; whether the server has confirmed it. `lenient`: lines that say nothing are passed over.
    fn end(
        &self,
        session: Source,
        marked: Marked,
        store: &mut Store,
        maildrop: &Maildrop,
        lenient: bool,
        outcome: &mut Outcome,
    ) -> Result<bool, Error> {
        let update = session.end(marked);
        self.note_deleted(update.removed, store, maildrop, outcome);
        self.note_left(&update.left, store);
        if let Some((asked, answer)) = &update.refused {
            self.note_not_deleted(asked, answer, store);
        }
        store.asked_to_delete(&update.unknown);
        if let Some(error) = update.disorder {
            store.distrust_session()?;
            let error = Error::from(error);
            if !lenient && error.is_over_idle_lines() {
                return Err(error);
            }
            self.tell(Event::Warning(&format!(
                "{error}: what was fetched in this session is looked at again in the next"
            )));
        } else if !update.unknown.is_empty() {
            self.tell(Event::Notice(&format!(
                "the server did not confirm the deletion of {}; the next run sees to it",
                count(update.unknown.len() as u64, "message")
            )));
        }
        // A signal that came while QUIT was under way changed nothing, but is not forgotten.
        self.check_stop()?;
        Ok(update.is_confirmed)
    }

    /// The server says that these are deleted, and still has them.
    fn note_left(&self, left: &[Recorded], store: &mut Store) {
        if left.is_empty() {
            return;
        }
        store.refused_to_delete(left);
        let text = format!(
            "the server still has {} of which it says that they are deleted: it is asked again in later \
             runs, five times in all",
            count(left.len() as u64, "message")
        );
        self.tell_of_deletions(&text, store);
    }

    /// The server refused to delete some of these.
    fn note_not_deleted(&self, asked: &[Recorded], answer: &Answer, store: &mut Store) {
        if asked.is_empty() {
            return;
        }
        if !Meaning::of(Phase::Quit, answer).is_the_sessions() {
            store.refused_to_delete(asked);
        }
        // Others of them it has deleted.
        store.asked_to_delete(asked);
        let text = format!(
            "the server did not delete all of {}: {answer}; what it has left stays, and it is asked again \
             in later runs, five times in all",
            count(asked.len() as u64, "message")
        );
        self.tell_of_deletions(&text, store);
    }

    /// That is a warning once a day.
    fn tell_of_deletions(&self, text: &str, store: &mut Store) {
        self.tell(match store.may_tell(Lasting::Refused) {
            true => Event::Warning(text),
            false => Event::Notice(text),
        });
    }

    /// The server has confirmed that these are deleted.
    fn note_deleted(
        &self,
        deleted: Vec<Recorded>,
        store: &mut Store,
        maildrop: &Maildrop,
        outcome: &mut Outcome,
    ) {
        store.deleted(&deleted);
        // It has confirmed that before, and listed them again.
        let (again, deleted): (Vec<_>, Vec<_>) = deleted
            .into_iter()
            .partition(|recorded| store.has_come_back(recorded));
        let by_rules = deleted.iter().filter(|it| it.rule().is_some()).count();
        outcome.deleted_by_rules += by_rules as u64;
        outcome.deleted += (deleted.len() - by_rules) as u64;
        self.tell_deleted(maildrop, &deleted);
        let in_vain = again.iter().map(|it| store.asked_in_vain(it)).max();
        self.tell_asked_again(again.len(), in_vain.unwrap_or_default());
    }

    /// A session for one message, behind which the server was not in step: it is fetched once more,
    /// and the better of the two readings is delivered.
    pub(super) fn fetch_alone(
        &self,
        store: &mut Store,
        target: &Target,
        attempt: Attempt<'_>,
        first: Complete,
        outcome: &mut Outcome,
        conduct: &mut Conduct,
    ) -> Result<(), Error> {
        let mut session = self.sign_in(attempt.route, attempt.manner, conduct)?;
        let maildrop = session.list(&self.profile.server.id(), store.has_unique_ids())?;
        store.begin_session();
        drop(store.recognise(&maildrop));
        let key = Key::of(first.message());
        let mut listed = (0..maildrop.len()).filter_map(|place| maildrop.message(place));
        let Some(message) = listed.find(|message| Key::of(message) == key) else {
            // Somebody has deleted it meanwhile: there is no other reading to be had.
            self.commit_all(store, target, vec![first.doubt()], outcome)?;
            session.end(Marked::default());
            return Ok(());
        };
        let to = self.stamped(store, target);
        let sizes = Sizes::of(store);
        let (complete, in_step) = match self.read_alone(&mut session, to, &message) {
            // What comes alone is what was asked for: so the first reading was of another message.
            Ok((second, true)) if first.evidence().fields != second.evidence().fields => {
                (second, true)
            }
            Ok((second, in_step)) => (
                self.better((first, false), (second, in_step), &sizes),
                in_step,
            ),
            Err(error) if error.is_disorder() => (first.doubt(), false),
            Err(error) => return Err(error),
        };
        let others = self
            .commit_all(store, target, vec![complete], outcome)?
            .others;
        let coming = self.coming_of(store, others, outcome);
        self.commit_all(store, target, coming, outcome)?;
        if in_step {
            session.end(Marked::default());
        }
        Ok(())
    }
}
