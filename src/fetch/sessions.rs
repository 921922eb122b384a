//! The sessions of a run: one as a rule, another in a plainer manner where the server could not
//! follow, and more where a maildrop is listed in parts.

use super::conduct::{Conduct, Missed};
use super::doubts::Budget;
use super::endings::Sizes;
use super::key::Key;
use super::next::{Brought, Course, Next};
use super::onward::{Hand, Patience};
use super::reach::{Manner, Route};
use super::{Account, Error, Run, failure};
use crate::delivery::{Complete, Target};
use crate::durable::Dir;
use crate::report::{Event, Outcome};
use crate::session::Marked;
use crate::state::{Store, Twins};
use crate::term::count;
use std::collections::HashSet;
use std::time::Duration;

/// A shorter listing is no part of a longer one: Gmail's parts have 250 to 300 messages.
const FULL_LISTING: usize = 100;

/// How long a server is left alone that may not have noticed yet that a session is over.
const MOMENT: Duration = Duration::from_secs(1);

/// How a session is tried.
struct Attempt<'a> {
    route: &'a dyn Route,
    manner: Manner,
}

/// Of the maildrop, what a session has shown.
enum Part {
    /// There may be more.
    One,
    /// All, or the last part.
    Last,
}

impl Account<'_> {
    /// A session; another one, in a plainer manner, if the server could not follow the first; and
    /// one for each further part, where a server lists a maildrop in parts.
    pub(super) fn hold_sessions(
        &self,
        store: &mut Store,
        target: &Target,
        twins: &Twins,
        hand: &mut Hand,
        outcome: &mut Outcome,
        conduct: &mut Conduct,
    ) -> Result<(), Error> {
        let others = store.other_maildirs();
        let readable = others.iter().map(Dir::as_fd).chain([store.journal()]);
        let route = self.route(&target.directories(), &readable.collect::<Vec<_>>())?;
        let mut manner = self.manner(store.unpipelined());
        if manner.pipelining {
            manner.ahead = conduct.may_go_ahead();
            manner.shortcut = conduct.shortcut();
        }
        let mut course = Course::new(manner);
        // The reason why a message was left out is the run's, unless it was delivered at last.
        let mut reason: Option<Error> = None;
        // Why a session ended that had brought something.
        let mut enough: Option<Error> = None;
        let mut doubtful: Vec<Complete> = Vec::new();
        let mut goes_on = false;
        let mut run = Run {
            target,
            hand,
            twins,
            care: course.care,
            budget: Budget::default(),
            witness: None,
            brought: Brought::default(),
            passed: HashSet::new(),
            refusal: None,
            trouble: None,
            is_withheld_for_long: conduct.is_withheld_for_long(),
            is_stuck: false,
            holds: Vec::new(),
            refused: Vec::new(),
        };
        let ended = loop {
            let attempt = Attempt {
                route: route.as_ref(),
                manner: course.manner,
            };
            (run.brought, outcome.held_up) = (Brought::default(), 0);
            run.holds.clear();
            run.refusal = None;
            let session = self.hold_session(store, &mut run, attempt, outcome, conduct);
            if course.learn(
                &run.brought,
                !session.as_ref().is_err_and(|it| !it.is_refusing()),
                store,
            ) {
                self.tell(Event::Notice(
                    "one command at a time went well, and is kept to for 30 days; pipelining = \
                     \"off\" keeps to it for ever",
                ));
            }
            let error = match session {
                Ok(Part::One) if course.may_go_on() => continue,
                Ok(_) => break Ok(()),
                Err(error) => error,
            };
            // It lets us in no more for now. What it has listed so far is safe.
            if !course.is_first() && error.is_turned_away() {
                self.tell(Event::Notice(&format!("{error}: the next run goes on")));
                conduct.note_refusal(self, &error);
                break enough.map_or(Ok(()), Err);
            }
            let next = match error.is_refusing() && conduct.wants_pauses() {
                true => Next::GiveUp,
                false => course.after(&error, &run.brought, &mut run.passed, store),
            };
            run.care = course.care;
            if next == Next::GiveUp {
                match error {
                    Error::Doubtful {
                        reading, source, ..
                    } => {
                        doubtful.extend(reading.map(|reading| *reading));
                        break Err(*source);
                    }
                    error => break Err(error),
                }
            }
            if next == Next::AfterAMoment {
                self.environment.stop.wait(MOMENT);
            }
            self.check_stop()?;
            // That the server ends each session after some messages is said once a run.
            if next != Next::GoOn || !std::mem::replace(&mut goes_on, true) {
                self.tell_next(&next, &error);
            }
            match (next, error) {
                (Next::SignInFirst, _) => conduct.doubt_shortcut(),
                (Next::FewerHeaders, _) => run.budget.shrink(run.brought.given.headers()),
                (Next::GoOn, error) => enough = Some(error),
                (
                    Next::Without(_),
                    Error::Doubtful {
                        reading, source, ..
                    },
                ) => match reading {
                    Some(reading) => doubtful.push(*reading),
                    None => _ = reason.get_or_insert(*source),
                },
                (Next::Without(_), error) => _ = reason.get_or_insert(error),
                _ => {}
            }
        };
        // What has been read so far is not lost because there are too many of them for one run.
        if ended.as_ref().is_err_and(|error| !error.is_disorder()) {
            doubtful.clear();
        }
        for first in doubtful {
            let attempt = Attempt {
                route: route.as_ref(),
                manner: course.manner,
            };
            // The first reason stands: what ended the sessions is not told by a later failure.
            if let Err(error) = self.fetch_alone(store, target, attempt, first, outcome, conduct) {
                reason.get_or_insert(error);
                break;
            }
        }
        let first = match ended {
            Ok(()) => reason,
            Err(error) => match reason {
                None => Some(error),
                Some(first) => {
                    let text = failure(&error).message;
                    let text = format!("{text}: what is left is for the next run");
                    // More of the same is no news.
                    self.tell(match first.kind() == error.kind() {
                        true => Event::Notice(&text),
                        false => Event::Warning(&text),
                    });
                    Some(first)
                }
            },
        };
        if let Some(error) = run.trouble.or(first) {
            return Err(match error {
                Error::NoRoom(shortage) => Error::NoRoom(shortage.at_end(outcome.fetched)),
                other => other,
            });
        }
        self.hand_on(store, run.hand, Patience::After, outcome)?;
        let mut misses = run.refused;
        misses.retain(|refused| run.holds.iter().all(|it| it.name != refused.name));
        misses.extend(run.holds);
        misses.extend(run.hand.misses());
        conduct.misses(self, &misses);
        Ok(())
    }

    fn tell_next(&self, next: &Next, error: &Error) {
        let text = failure(error).message;
        let what = match next {
            Next::GoOn => "connecting once more for the rest",
            Next::OneAtATime => "connecting once more, with one command at a time",
            Next::FewerHeaders => "connecting once more, with fewer headers to look at",
            Next::InStep => {
                let text = format!("{text}: going on with one command at a time");
                return self.tell(Event::Warning(&text));
            }
            Next::SignInFirst => "connecting once more, and signing in before anything is asked",
            Next::WithALook => "connecting once more, with a look behind each message",
            Next::Without(_) if matches!(error, Error::Doubtful { .. }) => {
                "going on without the message before that"
            }
            Next::Without(_) => "going on without it",
            Next::WithoutCapabilities => {
                return self.tell(Event::Notice("the server closed on CAPA: trying without"));
            }
            Next::WithUtf8 => {
                let text = "the server asks for UTF8: connecting once more";
                return self.tell(Event::Notice(text));
            }
            Next::AfterAMoment | Next::GiveUp => return,
        };
        self.tell(Event::Notice(&format!("{text}: {what}")));
    }

    /// A session for one message, behind which the server was not in step: it is fetched once more,
    /// and the better of the two readings is delivered.
    fn fetch_alone(
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
            session.quit(Marked::default());
            return Ok(());
        };
        let to = self.destination(store, target);
        let sizes = Sizes::of(store);
        let (complete, in_step) = match self.read_alone(&mut session, to, &message) {
            Ok((second, in_step)) => (
                self.better((first, false), (second, in_step), &sizes),
                in_step,
            ),
            Err(error) if error.is_disorder() => (first.doubt(), false),
            Err(error) => return Err(error),
        };
        self.commit_all(store, target, vec![complete], outcome)?;
        if in_step {
            session.quit(Marked::default());
        }
        Ok(())
    }

    fn hold_session(
        &self,
        store: &mut Store,
        run: &mut Run<'_>,
        attempt: Attempt<'_>,
        outcome: &mut Outcome,
        conduct: &mut Conduct,
    ) -> Result<Part, Error> {
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
            match error.is_unjudged() {
                true => Error::Ahead(Box::new(error)),
                false => error,
            }
        })?;
        let (fetched, deleted) = (outcome.fetched, outcome.deleted);
        // Each listing has those again that are left where they are.
        outcome.skipped = 0;
        store.begin_session();
        let in_parts = session.is_google() || self.lists_in_parts();
        let done = self.transact(&mut session, store, run, in_parts, outcome);
        run.brought.given = session.given();
        if done.is_ok() {
            conduct.saw_shortcut(session.shortcut());
        }
        // CAPA was sent again behind the sign-in.
        conduct.announced(session.login_delay());
        if session.went_ahead() && done.as_ref().is_err_and(Error::is_refused_without_reason) {
            conduct.spare_shortcut();
        }
        let (maildrop, marked) = match done {
            Err(error) if error.is_disorder() => {
                store.distrust_session()?;
                // Where it was not asked for more than one thing at a time, another way would be no
                // better.
                let is_doubtful = matches!(error, Error::Doubtful { .. });
                return Err(match session.may_pipeline() || session.went_ahead() {
                    true if !is_doubtful => Error::OutOfStep(Box::new(error)),
                    _ => error,
                });
            }
            done => done?,
        };
        let full = maildrop.len() >= FULL_LISTING;
        if !marked.is_empty() {
            // The others may have other numbers from now on.
            run.passed.retain(Key::is_lasting);
        }
        let confirmed = self.end(session, marked, store, &maildrop, outcome)?;
        if let Some(answer) = run.refusal.take() {
            return Err(Error::Refusing(answer));
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
        Ok(if more { Part::One } else { Part::Last })
    }
}
