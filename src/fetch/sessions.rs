//! The sessions of a run: one as a rule, another in a plainer manner where the server could not
//! follow, and more where a maildrop is listed in parts.

use super::conduct::Conduct;
use super::doubts::Budget;
use super::key::Key;
use super::next::{Brought, Course, Next};
use super::session::{Attempt, Part};
use super::{Account, Error, Run, failure};
use crate::delivery::{Complete, Target};
use crate::durable::Dir;
use crate::report::{Event, Outcome};
use crate::state::{Store, Twins};
use std::collections::HashSet;
use std::time::Duration;

/// How long a server is left alone that may not have noticed yet that a session is over.
const MOMENT: Duration = Duration::from_secs(1);

impl Account<'_> {
    /// A session; another one, in a plainer manner, if the server could not follow the first; and
    /// one for each further part, where a server lists a maildrop in parts.
    pub(super) fn hold_sessions(
        &self,
        store: &mut Store,
        target: &Target,
        twins: &Twins,
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
        let mut misses = run.refused;
        misses.retain(|refused| run.holds.iter().all(|it| it.name != refused.name));
        misses.extend(run.holds);
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
}
