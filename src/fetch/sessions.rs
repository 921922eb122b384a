//! The sessions of a run: one as a rule, another in a plainer manner where the server could not
//! follow, and more where a maildrop is listed in parts.

use super::conduct::Conduct;
use super::reach::{Manner, Route};
use super::{Account, Error, failure};
use crate::delivery::Maildir;
use crate::maildrop::Identity;
use crate::report::{Event, Outcome};
use crate::session::Phase;
use crate::state::{RefusalKind, Store};
use std::sync::Arc;
use std::time::Duration;

/// Sessions in a row with a server that lists a maildrop in parts, which is a maildrop of some
/// 15000 messages at Gmail. What is left is for the next run.
const MOST_SESSIONS: u32 = 50;

/// A shorter listing is no part of a longer one: Gmail's parts have 250 to 300 messages.
const FULL_LISTING: usize = 100;

/// A server that was left in the middle of a session may hold the maildrop for that session until it
/// notices, although it was given time for that. It is asked again so often, so long apart.
const MOMENTS: u32 = 2;
const MOMENT: Duration = Duration::from_secs(1);

/// How a session is tried.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    route: &'a dyn Route,
    manner: Manner,
    /// A message that is left out, because it ended the session before.
    without: Option<Identity>,
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
        maildir: &Arc<Maildir>,
        outcome: &mut Outcome,
        conduct: &mut Conduct,
    ) -> Result<(), Error> {
        let [tmp, new, cur] = maildir.directories();
        let route = self.route(&[store.directory(), tmp, new, cur])?;
        let mut manner = self.manner(store.unpipelined());
        if manner.pipelining {
            manner.ahead = conduct.may_go_ahead();
            manner.shortcut = conduct.shortcut();
        }
        // A message that ended the session before, and why: the others are fetched without it
        // (TRUST.md F20), once. The run does not count as a good one all the same.
        let mut left_out: Option<(Identity, Error)> = None;
        let mut sessions = 1;
        let mut moments = 0;
        loop {
            let attempt = Attempt {
                route: route.as_ref(),
                manner,
                without: left_out.as_ref().map(|(identity, _)| *identity),
            };
            match self.hold_session(store, maildir, attempt, outcome, conduct) {
                Err(Error::Over { identity, source }) if left_out.is_none() => {
                    self.check_stop()?;
                    self.tell(Event::Notice(&format!(
                        "{}: going on without it",
                        failure(source.as_ref()).message
                    )));
                    left_out = Some((identity, *source));
                    moments = MOMENTS;
                }
                Err(error) if moments > 0 && error.is_in_use() => {
                    moments -= 1;
                    self.environment.stop.wait(MOMENT);
                    self.check_stop()?;
                }
                Err(error) if manner.capabilities && error.closed_on(Phase::Capabilities) => {
                    self.tell(Event::Notice("the server closed on CAPA: trying without"));
                    manner.capabilities = false;
                }
                Err(Error::Ahead(source)) => {
                    self.check_stop()?;
                    self.tell(Event::Notice(&format!(
                        "{source}: connecting once more, and asking one thing after the other"
                    )));
                    moments = MOMENTS;
                    conduct.doubt_shortcut();
                    (manner.ahead, manner.shortcut) = (false, None);
                }
                Err(Error::OutOfStep(source)) => {
                    self.tell(Event::Warning(&format!(
                        "{source}: going on with one command at a time"
                    )));
                    moments = MOMENTS;
                    store.failed_pipelining();
                    manner.pipelining = false;
                    (manner.ahead, manner.shortcut) = (false, None);
                }
                Err(error) if !manner.utf8 && error.needs_utf8() => {
                    self.tell(Event::Notice(
                        "the server asks for UTF8: connecting once more",
                    ));
                    manner.utf8 = true;
                }
                Ok(Part::One) if sessions < MOST_SESSIONS && left_out.is_none() => {
                    sessions += 1;
                }
                // It has had enough of us for now. What it has listed so far is safe.
                Err(error) if sessions > 1 && error.refusal() == Some(RefusalKind::Busy) => {
                    self.tell(Event::Notice(&format!("{error}: the next run goes on")));
                    conduct.refused(self, RefusalKind::Busy);
                    return Ok(());
                }
                ended => {
                    let Some((_, first)) = left_out else {
                        return ended.map(drop);
                    };
                    if let Err(error) = ended {
                        let reason = failure(&error).message;
                        let text = format!("{reason}: what is left is for the next run");
                        self.tell(Event::Warning(&text));
                    }
                    return Err(first);
                }
            }
        }
    }

    fn hold_session(
        &self,
        store: &mut Store,
        maildir: &Arc<Maildir>,
        attempt: Attempt<'_>,
        outcome: &mut Outcome,
        conduct: &mut Conduct,
    ) -> Result<Part, Error> {
        let signed_in = self.sign_in(attempt.route, attempt.manner, conduct);
        let mut session = signed_in.map_err(|error| {
            if error.is_the_servers_word() {
                conduct.forget_shortcut();
            }
            match error.is_unjudged() {
                true => Error::Ahead(Box::new(error)),
                false => error,
            }
        })?;
        let fetched = outcome.fetched;
        // Each listing has those again that are left where they are.
        outcome.skipped = 0;
        let done = self.transact(&mut session, store, maildir, attempt.without, outcome);
        if done.is_ok() {
            conduct.saw_shortcut(session.shortcut());
        }
        // CAPA was sent again behind the sign-in.
        conduct.announced(session.login_delay());
        let in_parts = session.is_google() || self.lists_in_parts();
        let (maildrop, marked) = done.map_err(|error| match error.is_disorder() {
            // It was not asked for more than one thing at a time: another way would be no better.
            true if session.may_pipeline() || session.went_ahead() => {
                Error::OutOfStep(Box::new(error))
            }
            _ => error,
        })?;
        let full = maildrop.len() >= FULL_LISTING;
        let confirmed = self.end(session, marked, store, &maildrop, outcome)?;
        let more = in_parts && full && confirmed && outcome.fetched > fetched;
        Ok(if more { Part::One } else { Part::Last })
    }
}
