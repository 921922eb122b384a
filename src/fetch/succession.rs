//! The succession of sessions in a run: one as a rule, another in a plainer manner where the server could not
//! follow, and more where a maildrop is listed in parts.

use super::broken::{Broken, Over};
use super::conduct::Conduct;
use super::hand::Patience;
use super::next::{Course, Next};
use super::reach::Manner;
use super::session::{Attempt, Extent};
use super::{Account, Error, Run, failure};
use crate::delivery::Complete;
use crate::durable::Dir;
use crate::report::{Event, Outcome};
use crate::state::Store;
use crate::term::escape;
use std::time::Duration;

/// How long a server is left alone that may not have noticed yet that a session is over.
const MOMENT: Duration = Duration::from_secs(1);

/// What the sessions so far have left to be told, or to be done.
#[derive(Default)]
struct Left {
    /// Why a message was left out: the run's reason, unless the message was delivered at last.
    reason: Option<Error>,
    /// Why a session ended that had brought something, and another one went on.
    enough: Option<Error>,
    /// Readings of messages whose ends were doubtful, each to be fetched once more, alone.
    doubtful: Vec<Complete>,
}

impl Left {
    /// A session broke off, and another one is tried without what it broke over.
    fn add(&mut self, next: &Next, broken: Broken) {
        match (next, *broken.over) {
            (
                Next::Alone(_),
                Over::End {
                    reading: Some(reading),
                    ..
                },
            ) => self.doubtful.push(*reading),
            (Next::Alone(_) | Next::Without(_), _) => {
                self.reason.get_or_insert(broken.error);
            }
            (Next::GoOn, _) => self.enough = Some(broken.error),
            _ => {}
        }
    }

    /// A session broke off, and no other is tried.
    fn give_up(&mut self, broken: Broken) -> Error {
        if let Over::End {
            reading: Some(reading),
            ..
        } = *broken.over
        {
            self.doubtful.push(*reading);
        }
        broken.error
    }
}

impl Account<'_> {
    /// A session; another one, in a plainer manner, if the server could not follow the first; and
    /// one for each further part, where a server lists a maildrop in parts.
    pub(super) fn hold_sessions(
        &self,
        store: &mut Store,
        mut run: Run<'_>,
        outcome: &mut Outcome,
        conduct: &mut Conduct,
    ) -> Result<(), Error> {
        let target = run.target;
        let others = store.other_maildirs();
        let readable = others.iter().map(Dir::as_fd).chain([store.journal()]);
        let readable: Vec<_> = readable.collect();
        let growing = self.profile.follows_folders().then(|| target.root());
        let route = self.route(&target.directories(), growing, &readable)?;
        let mut course = Course::new(self.first_manner(store, conduct));
        if conduct.knows_idle_lines() {
            course.go_past_idle_lines();
        }
        let mut left = Left::default();
        let attempt = |course: &Course| Attempt {
            route: route.as_ref(),
            manner: course.manner,
        };
        let ended = loop {
            outcome.held_up = 0;
            run.begin_session(course.care);
            let session = self.hold_session(store, &mut run, attempt(&course), outcome, conduct);
            let is_well = !session.as_ref().is_err_and(|it| !it.error.is_refusing());
            if course.learn(&run.brought, is_well, store) {
                self.tell(Event::Notice(
                    "one command at a time went well, and is kept to for 30 days; pipelining = \
                     \"off\" keeps to it for ever",
                ));
            }
            if session.is_ok() && course.manner.lenient {
                conduct.saw_idle_lines();
            }
            let broken = match session {
                Ok(Extent::InPart) if course.may_go_on() => continue,
                Ok(_) => break Ok(()),
                Err(broken) => broken,
            };
            // It lets us in no more for now. What it has listed so far is safe.
            if !course.is_first() && broken.error.is_turned_away() {
                let text = format!("{}: the next run goes on", broken.error);
                self.tell(Event::Notice(&text));
                conduct.note_refusal(self, &broken.error);
                break left.enough.take().map_or(Ok(()), Err);
            }
            let next = match broken.error.is_refusing() && conduct.wants_pauses() {
                true => Next::GiveUp,
                false => course.after(&broken, &run.brought, &mut run.passed, store),
            };
            match next {
                Next::GiveUp => break Err(left.give_up(broken)),
                Next::AfterAMoment => _ = self.environment.stop.wait(MOMENT),
                _ => {}
            }
            self.check_stop()?;
            // That the server ends each session after some messages is said once a run.
            if next != Next::GoOn || left.enough.is_none() {
                self.tell_next(&next, &broken.error);
            }
            match next {
                Next::SignInFirst => conduct.doubt_shortcut(),
                Next::FewerHeaders => run.budget.shrink(run.brought.given.headers()),
                Next::WithoutHeaders(ref message) => run.header_trouble.note(message.as_ref()),
                _ => left.add(&next, broken),
            }
        };
        // What has been read so far is not lost because there are too many of them for one run.
        if ended.as_ref().is_err_and(|error| !error.is_disorder()) {
            left.doubtful.clear();
        }
        for first in std::mem::take(&mut left.doubtful) {
            let attempt = attempt(&course);
            // The first reason stands: what ended the sessions is not told by a later failure.
            if let Err(error) = self.fetch_alone(store, target, attempt, first, outcome, conduct) {
                left.reason.get_or_insert(error);
                break;
            }
        }
        match run
            .trouble
            .take()
            .or(self.first_of(left.reason, ended.err()))
        {
            Some(Error::NoRoom(shortage)) => Err(Error::NoRoom(shortage.at_end(outcome.fetched))),
            Some(error) => Err(error),
            None => {
                self.hand_on(store, run.hand, Patience::After, outcome)?;
                conduct.misses(self, &run.misses(), outcome.waiting);
                Ok(())
            }
        }
    }

    fn first_manner(&self, store: &Store, conduct: &Conduct) -> Manner {
        let mut manner = self.manner(store.unpipelined());
        if manner.pipelining {
            manner.ahead = conduct.may_go_ahead();
            manner.shortcut = conduct.shortcut();
        }
        manner
    }

    /// Of why a message was left out and what ended the sessions, what came first; the other is told.
    fn first_of(&self, reason: Option<Error>, ended: Option<Error>) -> Option<Error> {
        if let (Some(first), Some(error)) = (&reason, &ended) {
            let text = failure(error).message;
            let text = format!("{text}: what is left is for the next run");
            // More of the same is no news.
            self.tell(match first.kind() == error.kind() {
                true => Event::Notice(&text),
                false => Event::Warning(&text),
            });
        }
        reason.or(ended)
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
            Next::PastIdleLines => {
                let text =
                    format!("{text}: they are passed over from now on, with one command at a time");
                return self.tell(Event::Warning(&text));
            }
            Next::WithoutHeaders(message) => {
                let which = match message.as_ref().map(|it| it.unique_id.as_deref()) {
                    Some(Some(unique_id)) => format!("the header of {}", escape(unique_id)),
                    _ => "headers".to_owned(),
                };
                let text = format!(
                    "{text}: going on without {which}; what rules would have left or deleted by that is \
                     fetched"
                );
                return self.tell(Event::Warning(&text));
            }
            Next::SignInFirst => "connecting once more, and signing in before anything is asked",
            Next::WithALook => "connecting once more, with a look behind each message",
            Next::Alone(_) => "going on without the message before that",
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
