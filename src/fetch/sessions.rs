//! The sessions of a run: one as a rule, another in a plainer manner where the server could not
//! follow, and more where a maildrop is listed in parts.

use super::conduct::Conduct;
use super::doubts::Budget;
use super::endings::{Care, Sizes};
use super::error::Key;
use super::reach::{Manner, Route};
use super::{Account, Error, Run, Terms, failure};
use crate::delivery::{Complete, Maildir};
use crate::durable::Dir;
use crate::report::{Event, Outcome};
use crate::session::{Marked, Phase};
use crate::state::{RefusalKind, Store, Twins};
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

/// Messages that end a session, each of which takes another one without it. What is left is for the
/// next run.
const MOST_LEFT_OUT: usize = 8;

/// How a session is tried.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    route: &'a dyn Route,
    manner: Manner,
    /// Messages that are left out, because they ended a session before.
    without: &'a [Key],
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
        twins: &Twins,
        outcome: &mut Outcome,
        conduct: &mut Conduct,
    ) -> Result<(), Error> {
        let others = store.other_maildirs();
        let readable = others.iter().map(Dir::as_fd).chain([store.journal()]);
        let route = self.route(&[maildir.root()], &readable.collect::<Vec<_>>())?;
        let mut manner = self.manner(store.unpipelined());
        if manner.pipelining {
            manner.ahead = conduct.may_go_ahead();
            manner.shortcut = conduct.shortcut();
        }
        // Messages that ended a session: the others are fetched without them (TRUST.md F20). The
        // first one's reason is the run's, unless it was delivered at last.
        let mut left_out: Vec<Key> = Vec::new();
        let mut reason: Option<Error> = None;
        let mut doubtful: Vec<Complete> = Vec::new();
        let mut run = Run {
            maildir,
            twins,
            care: Care::Usual,
            budget: Budget::default(),
        };
        let mut sessions = 1;
        let mut moments = 0;
        let ended = loop {
            let attempt = Attempt {
                route: route.as_ref(),
                manner,
                without: &left_out,
            };
            match self.hold_session(store, &mut run, attempt, outcome, conduct) {
                // Once, or a server in trouble would be asked again and again.
                Err(Error::Over { message, source })
                    if left_out.is_empty() && can_leave_out(message, &left_out) =>
                {
                    self.check_stop()?;
                    self.tell(Event::Notice(&format!(
                        "{}: going on without it",
                        failure(source.as_ref()).message
                    )));
                    left_out.push(message);
                    reason.get_or_insert(*source);
                    moments = MOMENTS;
                }
                Err(Error::Doubtful {
                    message,
                    reading,
                    source,
                }) => {
                    self.check_stop()?;
                    if !can_leave_out(message, &left_out) {
                        doubtful.extend(reading.map(|reading| *reading));
                        break Err(*source);
                    }
                    self.tell(Event::Notice(&format!(
                        "{}: going on without the message before that",
                        failure(source.as_ref()).message
                    )));
                    left_out.push(message);
                    match reading {
                        Some(reading) => doubtful.push(*reading),
                        None => {
                            reason.get_or_insert(*source);
                        }
                    }
                    moments = MOMENTS;
                    run.care = Care::EachMessage;
                    manner.pipelining = false;
                    (manner.ahead, manner.shortcut) = (false, None);
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
                    run.care = Care::EachMessage;
                    manner.pipelining = false;
                    (manner.ahead, manner.shortcut) = (false, None);
                }
                // A message before may be to blame, which shows once each of them is looked behind.
                Err(error) if run.care == Care::Usual && error.is_disorder_among_messages() => {
                    self.check_stop()?;
                    self.tell(Event::Notice(&format!(
                        "{error}: connecting once more, with a look behind each message"
                    )));
                    moments = MOMENTS;
                    run.care = Care::EachMessage;
                }
                Err(error) if !manner.utf8 && error.needs_utf8() => {
                    self.tell(Event::Notice(
                        "the server asks for UTF8: connecting once more",
                    ));
                    manner.utf8 = true;
                }
                Ok(Part::One) if sessions < MOST_SESSIONS && left_out.is_empty() => {
                    sessions += 1;
                }
                // It has had enough of us for now. What it has listed so far is safe.
                Err(error) if sessions > 1 && error.refusal() == Some(RefusalKind::Busy) => {
                    self.tell(Event::Notice(&format!("{error}: the next run goes on")));
                    conduct.note_refusal(self, &error);
                    break Ok(());
                }
                ended => break ended.map(drop),
            }
        };
        // What has been read so far is not lost because there are too many of them for one run.
        if ended.as_ref().is_err_and(|error| !error.is_disorder()) {
            doubtful.clear();
        }
        for first in doubtful {
            let attempt = Attempt {
                route: route.as_ref(),
                manner,
                without: &[],
            };
            // The first reason stands: what ended the sessions is not told by a later failure.
            if let Err(error) = self.fetch_alone(store, maildir, attempt, first, outcome, conduct) {
                reason.get_or_insert(error);
                break;
            }
        }
        if let Err(error) = ended {
            let Some(first) = reason else {
                return Err(error);
            };
            let text = failure(&error).message;
            let text = format!("{text}: what is left is for the next run");
            self.tell(Event::Warning(&text));
            return Err(first);
        }
        reason.map_or(Ok(()), Err)
    }

    /// A session for one message, behind which the server was not in step: it is fetched once more,
    /// and the better of the two readings is delivered.
    fn fetch_alone(
        &self,
        store: &mut Store,
        maildir: &Arc<Maildir>,
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
            return Ok(());
        };
        let to = self.destination(store, maildir);
        let sizes = Sizes::of(store);
        let (complete, in_step) = match self.read_alone(&mut session, to, &message) {
            Ok((second, in_step)) => (
                self.better((first, false), (second, in_step), &sizes),
                in_step,
            ),
            Err(error) if error.is_disorder() => (first.doubt(), false),
            Err(error) => return Err(error),
        };
        self.commit_all(store, maildir, vec![complete], outcome)?;
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
            match error.is_unjudged() {
                true => Error::Ahead(Box::new(error)),
                false => error,
            }
        })?;
        let fetched = outcome.fetched;
        // Each listing has those again that are left where they are.
        outcome.skipped = 0;
        store.begin_session();
        let in_parts = session.is_google() || self.lists_in_parts();
        let terms = Terms {
            in_parts,
            without: attempt.without,
        };
        let done = self.transact(&mut session, store, run, terms, outcome);
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
        let confirmed = self.end(session, marked, store, &maildrop, outcome)?;
        let more = in_parts && full && confirmed && outcome.fetched > fetched;
        Ok(if more { Part::One } else { Part::Last })
    }
}

/// Whether a session can do without a message.
fn can_leave_out(message: Key, left_out: &[Key]) -> bool {
    message.is_lasting() && left_out.len() < MOST_LEFT_OUT && !left_out.contains(&message)
}
