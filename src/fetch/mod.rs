//! One account, from the lock on its state to the reply to QUIT.
//!
//! ```text
//! lock, recover -> connect, sign in, list -> plan -> [ receive | commit ] -> DELE -> QUIT
//!    state            session                plan     network  disk        session
//! ```
//! Receiving and committing run side by side: `receive` is the network's thread, `commit` the
//! disk's. Whatever fails, what is committed stays so, and the session ends without QUIT unless
//! everything that was received is safely stored (E10).

mod commit;
mod conduct;
mod error;
mod look;
mod reach;
mod receive;
mod sessions;
mod tell;

use conduct::Conduct;
pub use conduct::not_tried;
pub use error::Error;
pub use look::{Look, look, mark_seen};
pub use reach::{Connect, Network, RenewalError, Route, Tokens};
pub use tell::failure;
use tell::listed;

use crate::delivery::{self, Maildir};
use crate::durable::Disk;
use crate::maildrop::{Identity, Maildrop, Message};
use crate::plan::{self, Decision, Keep, Plan, Policy};
use crate::profile::Profile;
use crate::profile::secret::Password;
use crate::report::{Event, Outcome, Planned, Report};
use crate::session::{Marked, Session, Transaction, Update};
use crate::state::{self, Moment, Recognition, Recorded, Store};
use crate::stop::Stop;
use crate::term::count;
use std::path::Path;
use std::sync::Arc;

/// What a fetch works with beside the account itself.
#[derive(Clone)]
pub struct Environment {
    /// The directory of all accounts' states.
    pub state: Arc<Path>,
    /// Where files are written.
    pub disk: Disk,
    /// Whether someone wants us to stop.
    pub stop: Stop,
    /// Who is told what happens.
    pub report: Arc<dyn Report>,
    /// How servers are reached.
    pub connect: Arc<dyn Connect>,
    /// Confine the thread that works on an account to the account's own files, once they are open
    /// ([`crate::sandbox`]): it must be one that has nothing else to do afterwards.
    pub confined: bool,
    /// A person wants the servers asked now, whatever they said about waiting.
    pub at_once: bool,
    /// Whoever reads the report wants to hear of a failure once, and not in each run.
    pub quiet: bool,
    /// Tell the report every line that goes over the wire.
    pub transcript: bool,
    /// When all this happens.
    pub moment: Moment,
}

/// One account to be fetched.
pub struct Account<'a> {
    /// What its owner wants.
    pub profile: &'a Profile,
    /// What to sign in with, where there are no `tokens`.
    pub password: &'a Password,
    /// What to sign in with instead.
    pub tokens: Option<&'a dyn Tokens>,
    /// What to work with.
    pub environment: &'a Environment,
}

/// What is to be done in a session.
struct Task {
    fetch: Vec<Message>,
    delete: Vec<Recorded>,
}

impl Account<'_> {
    /// Fetches the account's new mail and reports how that went, the end included.
    pub fn fetch(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let mut conduct = Conduct::of_fetch(self);
        match self.try_fetch(&mut outcome, &mut conduct) {
            Ok(()) => conduct.worked(self),
            Err(error) => outcome.failure = Some(conduct.failed(self, &error)),
        }
        conduct.keep(self);
        self.tell(Event::Finished(&outcome));
        outcome
    }

    fn try_fetch(&self, outcome: &mut Outcome, conduct: &mut Conduct) -> Result<(), Error> {
        conduct.check(self)?;
        let Environment {
            state,
            disk,
            moment,
            ..
        } = self.environment;
        let id = self.profile.server.id();
        let directory = state::open_directory(disk, state)?;
        let maildir = Arc::new(self.maildir(&directory, &id)?);
        let (mut store, opened) = Store::open(directory, &id, &maildir, moment)?;
        self.tell_opened(&opened);
        let fetched = self.hold_sessions(&mut store, &maildir, outcome, conduct);
        // Even after a failure: what was recorded is worth noting properly.
        let closed = store.close();
        fetched?;
        Ok(closed?)
    }

    /// The Maildir; a new one only for an account that never delivered to it. One that has gone is
    /// on a disk that is not mounted, as likely as not.
    fn maildir(&self, directory: &crate::durable::Dir, id: &str) -> Result<Maildir, Error> {
        let path = &self.profile.maildir;
        let disk = &self.environment.disk;
        match Maildir::open(disk, path, false) {
            Err(delivery::Error::Gone { .. }) => {
                let is_new = !state::has_delivered_to(directory, id, path)?;
                // Otherwise it is looked for once more: another run may have made it meanwhile.
                Ok(Maildir::open(disk, path, is_new)?)
            }
            opened => Ok(opened?),
        }
    }

    /// All that is done in the TRANSACTION state, up to the last DELE.
    fn transact(
        &self,
        session: &mut Session<Transaction>,
        store: &mut Store,
        maildir: &Arc<Maildir>,
        without: Option<Identity>,
        outcome: &mut Outcome,
    ) -> Result<(Maildrop, Marked), Error> {
        let listed = session.list(&self.profile.server.id(), store.has_unique_ids());
        let maildrop = listed.map_err(|error| match Error::from(error) {
            error if error.is_explained() || error.is_disorder() => error,
            error if session.went_ahead() => Error::Ahead(Box::new(error)),
            error => error,
        })?;
        self.check_stop()?;
        let task = self.settle_plan(store, maildir, &maildrop, outcome)?;
        let Task {
            mut fetch,
            mut delete,
        } = task;
        if without.is_some() {
            fetch.retain(|message| message.identity != without);
        }
        if !fetch.is_empty() {
            let received = self.receive(session, store, maildir, fetch, outcome)?;
            if plan::deletes_at_once(policy(self.profile)) {
                delete.extend(received);
            }
        }
        let marked = session.delete(delete)?;
        if marked.refused > 0 {
            let refused = count(marked.refused, "message");
            let text = format!("the server refused to delete {refused}; what it refused stays");
            self.tell(Event::Warning(&text));
        }
        Ok((maildrop, marked))
    }

    /// QUIT; whether the server has confirmed it.
    fn end(
        &self,
        session: Session<Transaction>,
        marked: Marked,
        store: &mut Store,
        maildrop: &Maildrop,
        outcome: &mut Outcome,
    ) -> Result<bool, Error> {
        let mut confirmed = false;
        match session.quit(marked) {
            Update::Confirmed(deleted) => {
                confirmed = true;
                store.deleted(&deleted);
                outcome.deleted += deleted.len() as u64;
                self.tell_deleted(maildrop, &deleted);
                store.note_absences();
            }
            Update::Refused(asked, answer) if !asked.is_empty() => {
                self.tell(Event::Warning(&format!(
                    "the server did not delete all of {}: {answer}; the next run sees to it",
                    count(asked.len() as u64, "message")
                )));
            }
            Update::Refused(..) => {}
            Update::Unknown(asked) if asked.is_empty() => {}
            Update::Unknown(asked) => self.tell(Event::Notice(&format!(
                "the server did not confirm the deletion of {}; the next run sees to it",
                count(asked.len() as u64, "message")
            ))),
        }
        // A signal that came while QUIT was under way changed nothing, but is not forgotten.
        self.check_stop()?;
        Ok(confirmed)
    }

    fn check_stop(&self) -> Result<(), Error> {
        match self.environment.stop.requested() {
            Some(reason) => Err(Error::Stopped(reason)),
            None => Ok(()),
        }
    }

    /// Decides what to do with each message, and does what needs no network.
    fn settle_plan(
        &self,
        store: &mut Store,
        maildir: &Maildir,
        maildrop: &Maildrop,
        outcome: &mut Outcome,
    ) -> Result<Task, Error> {
        let now = self.environment.moment.now;
        let decided = |store: &mut Store| {
            let (first, known) = (store.is_first(), store.recognise(maildrop));
            decide(self.profile, maildrop, known, first, now)
        };
        let mut plan = decided(store);
        if plan.known() < plan.listed() {
            let found = store.take_in_delivered(maildir)?;
            if found > 0 {
                self.tell_taken_in(found);
                plan = decided(store);
            }
        }
        let first = store.is_first();
        let message = |place: usize| maildrop.message(place);
        if first {
            let marked = plan.places(Decision::Mark).filter_map(message);
            let marked: Vec<Message> = marked.collect();
            store.settle_first(&marked)?;
            if !marked.is_empty() {
                let marked = count(marked.len() as u64, "older message");
                let text = format!("{marked} marked as seen");
                self.tell(Event::Notice(&text));
            }
        }
        let order = plan.fetch_order(self.profile.order);
        let fetch: Vec<Message> = order.into_iter().filter_map(message).collect();
        let mut delete: Vec<Recorded> = plan
            .places(Decision::Delete)
            .filter_map(message)
            .filter_map(|message| store.vouch(&message))
            .collect();
        // Ages come from the clock, and a clock may be wrong by years (TRUST.md S69).
        let by_age = matches!(self.profile.keep, Keep::For(_));
        if by_age && !delete.is_empty() && store.clock_has_leapt() {
            let text = "the clock is more than a year ahead of the last run: nothing is deleted \
                        for its age in this run";
            self.tell(Event::Warning(text));
            delete.clear();
        }
        self.tell(Event::Planned(Planned {
            listed: plan.listed() as u64,
            fetch: fetch.len() as u64,
            octets: fetch
                .iter()
                .filter_map(|message| message.octets)
                .fold(0, u64::saturating_add),
            seen: plan.known() as u64,
        }));
        for (place, decision) in plan.unseen() {
            if let (Decision::Skip(reason), Some(message)) = (decision, message(place)) {
                outcome.skipped += 1;
                let reason = match (reason, &message.unique_id) {
                    // The summary tells the reasons alone, and this one is about one message.
                    (plan::Reason::Failed(_), Some(id)) => {
                        format!("{}: {reason}", String::from_utf8_lossy(id))
                    }
                    _ => reason.to_string(),
                };
                self.tell(Event::Skipped {
                    message: listed(&message),
                    reason: &reason,
                });
            }
        }
        Ok(Task { fetch, delete })
    }
}

/// The profile's part in what becomes of messages.
fn policy(profile: &Profile) -> Policy {
    Policy {
        keep: profile.keep,
        max_size: profile.max_size,
        latest: profile.latest,
        order: profile.order,
    }
}

fn decide(
    profile: &Profile,
    maildrop: &Maildrop,
    known: Recognition<'_>,
    first: bool,
    now: i64,
) -> Plan {
    let listed = maildrop.octets().zip(known);
    plan::decide(listed, policy(profile), first, now)
}
