//! One account, from the lock on its state to the reply to QUIT.
//!
//! ```text
//! lock, recover -> connect, sign in, list -> plan -> [ receive | commit ] -> DELE -> QUIT
//!    state            session                plan     network  disk        session
//! ```
//! Receiving and committing run side by side: `receive` is the network's thread, `commit` the
//! disk's. Whatever fails, what is committed stays so, and the session ends without QUIT unless
//! everything that was received is safely stored (E10).

mod advice;
mod commit;
mod conduct;
mod courier;
mod doubts;
mod echoes;
mod endings;
mod error;
mod imports;
mod key;
mod look;
mod next;
mod onward;
mod reach;
mod receive;
mod refusals;
mod repeated;
mod room;
mod run;
mod sessions;
mod tell;

pub use conduct::not_tried;
use conduct::{Conduct, Missed};
pub use error::Error;
pub use look::{Look, examine, look, mark_seen, rehearse};
pub use reach::{Connect, Network, Route};
pub use tell::failure;
use tell::listed;

use crate::delivery::Target;
use crate::durable::{Dir, Disk};
use crate::maildir::{Maildir, Site};
use crate::maildrop::{Maildrop, Message};
use crate::plan::{self, Decision, Plan, Policy};
use crate::profile::Profile;
use crate::report::{Event, Outcome, Planned, Report};
use crate::secrets::Credential;
use crate::session::{Marked, Meaning, Phase, Session, Transaction, Update};
use crate::state::{self, Claim, MarkedBy, Moment, Opened, Recognition, Recorded, Store, Twins};
use crate::stop::Stop;
use crate::term::count;
use doubts::Looked;
use key::Key;
use onward::{Hand, Patience};
use run::Run;
use std::path::Path;
use std::sync::Arc;

/// So many new messages may be old ones under new unique-ids.
const MANY: usize = 10;

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
    /// Talk to the server in a thread that is confined to the account's own files, once they are
    /// open ([`crate::sandbox`]).
    pub confined: bool,
    /// A person wants the servers asked now, whatever they said about waiting.
    pub at_once: bool,
    /// A maildrop that another account knows is another one all the same.
    pub as_new: bool,
    /// Whoever reads the report wants to hear of a failure once, and not in each run.
    pub quiet: bool,
    /// Messages of an account that may be open files at the same time.
    pub room: usize,
    /// Tell the report every line that goes over the wire.
    pub transcript: bool,
    /// When all this happens.
    pub moment: Moment,
}

/// One account to be fetched.
pub struct Account<'a> {
    /// What its owner wants.
    pub profile: &'a Profile,
    /// What to sign in with.
    pub credential: Credential<'a>,
    /// What to work with.
    pub environment: &'a Environment,
}

/// Takes an account's state, and its Maildir; nothing is made or changed where they do not belong
/// together. Other accounts' states are read only where it `looks_for_twins`.
pub fn open_state(
    disk: &Disk,
    directory: Dir,
    profile: &Profile,
    moment: &Moment,
    looks_for_twins: bool,
) -> Result<(Store, Arc<Maildir>, Opened, Twins), Error> {
    let id = profile.server.id();
    let claim = Claim::take(directory, &id, &profile.word_with_maildir(), moment)?;
    let twins = match looks_for_twins {
        true => claim.twins(),
        false => Twins::default(),
    };
    let site = Site::look(disk, &profile.maildir)?;
    let (store, maildir, opened) = claim.settle(&site)?;
    Ok((store, maildir, opened, twins))
}

impl Account<'_> {
    /// Fetches the account's new mail and reports how that went, the end included.
    pub fn fetch(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let mut conduct = Conduct::of_fetch(self);
        let fetched = self.try_fetch(&mut outcome, &mut conduct);
        if fetched.is_ok() || outcome.fetched > 0 {
            conduct.served();
        }
        match fetched {
            Ok(()) => conduct.worked(self, &outcome),
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
        let directory = state::open_directory(disk, state)?;
        let (mut store, target, twins) = self.open(directory, moment)?;
        outcome.is_first_mail = store.has_stored_nothing();
        self.tell_untold(&mut store, outcome);
        let fetched = self.apart_with_courier(|courier| {
            let mut hand = Hand::new(&store, courier);
            self.hand_on(&mut store, &mut hand, Patience::Before, outcome)?;
            let held = self.hold_sessions(&mut store, &target, &twins, &mut hand, outcome, conduct);
            // What waits need not wait for the server as well.
            match held {
                Ok(()) => hand.end(),
                Err(error) => Err(self.hand_on_after(&mut store, &mut hand, error, outcome)),
            }
        });
        // What a reader that has stopped was not told is for the next run to tell.
        if self.environment.report.catch_up(&self.environment.stop) {
            store.reported();
        }
        // Even after a failure: what was recorded is worth noting properly.
        let closed = store.close();
        fetched??;
        Ok(closed?)
    }

    fn open(&self, directory: Dir, moment: &Moment) -> Result<(Store, Target, Twins), Error> {
        let disk = &self.environment.disk;
        let as_new = self.environment.as_new;
        let (store, maildir, opened, twins) =
            open_state(disk, directory, self.profile, moment, !as_new)?;
        self.tell_opened(&opened);
        let mut store = store;
        if let Some(deliver) = &self.profile.deliver {
            store.hands_on(deliver.archive)?;
        }
        Ok((store, Target::maildir(maildir), twins))
    }

    /// All that is done in the TRANSACTION state, up to the last DELE. `in_parts`: what the server
    /// does not list need not be gone.
    fn transact(
        &self,
        session: &mut Session<Transaction>,
        store: &mut Store,
        run: &mut Run<'_>,
        in_parts: bool,
        outcome: &mut Outcome,
    ) -> Result<(Maildrop, Marked), Error> {
        let listed = session.list(&self.profile.server.id(), store.has_unique_ids());
        let maildrop = listed.map_err(|error| match Error::from(error) {
            error if error.is_explained() || error.is_disorder() => error,
            error if session.went_ahead() => Error::Ahead(Box::new(error)),
            error => error,
        })?;
        self.check_stop()?;
        let marked = self.work_through(session, store, run, &maildrop, in_parts, outcome);
        let marked = marked.map_err(|error| error.about(&maildrop))?;
        Ok((maildrop, marked))
    }

    /// What is done once the maildrop is listed.
    fn work_through(
        &self,
        session: &mut Session<Transaction>,
        store: &mut Store,
        run: &mut Run<'_>,
        maildrop: &Maildrop,
        in_parts: bool,
        outcome: &mut Outcome,
    ) -> Result<Marked, Error> {
        if store.is_first() && !maildrop.has_unique_ids && !maildrop.is_empty() {
            self.tell(Event::Notice(
                "the server gives messages no unique-ids: each run reads all of them, and recognises \
                 those that are here by their content",
            ));
        }
        let plan = self.settle_plan(store, maildrop, run.twins, in_parts)?;
        run.witness = plan
            .smallest_stored()
            .and_then(|place| maildrop.message(place));
        run.is_stuck = in_parts && plan.stored() < plan.listed() / 2;
        let Looked { mut same, fetch } =
            self.look_into(session, store, maildrop, &plan, &mut run.budget)?;
        let order = plan.fetch_order(self.profile.policy.order);
        let new = order
            .into_iter()
            .filter_map(|place| maildrop.message(place));
        let mut fetch: Vec<Message> = fetch.into_iter().chain(new).collect();
        fetch.retain(|message| !run.passed.contains(&Key::of(message)));
        self.tell_plan(&plan, maildrop, &fetch, run, outcome);
        self.tell_unlisted(maildrop, in_parts, run, outcome);
        let policy = self.profile.policy.with_clock(store.doubts_clock());
        let given_up = plan
            .places(Decision::Skip(plan::Reason::Undeletable))
            .count();
        self.leave_room(&mut fetch, run)?;
        let mut placed = Vec::new();
        if fetch.len() >= MANY {
            store.gather_evidence_of_unlisted()?;
        }
        if !fetch.is_empty() {
            let fetched = self.receive_all(session, store, run, maildrop, fetch, outcome)?;
            placed = fetched.recorded;
            same.extend(fetched.same);
        }
        self.hand_on(store, run.hand, Patience::OfTheServer, outcome)?;
        let mut delete = match plan::deletes_at_once(policy) {
            true => store.done_with(placed),
            false => Vec::new(),
        };
        let (vouched, still) = self.vouch_for(store, same)?;
        delete.extend(vouched);
        self.tell_undeletable(given_up + still);
        doubts::spare_namesakes(maildrop, &mut delete);
        self.delete(session, store, delete)
    }

    /// What comes of DELE. A message that is refused, or over which the server breaks the protocol,
    /// is not asked about for ever.
    fn delete(
        &self,
        session: &mut Session<Transaction>,
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
                (0..times).for_each(|_| store.refused_to_delete(std::slice::from_ref(&message)));
            }
            error
        })?;
        let Some(answer) = &marked.refusal else {
            return Ok(marked);
        };
        let number = marked.refused.first().map(Recorded::number);
        let meaning = number.map(|number| Meaning::of(Phase::Deleting(number), answer));
        if !meaning.is_some_and(Meaning::is_the_sessions) {
            store.refused_to_delete(&marked.refused);
        }
        let refused = count(marked.refused.len() as u64, "message");
        let text =
            format!("the server refused to delete {refused}: {answer}; what it refused stays");
        self.tell(match store.may_tell() {
            true => Event::Warning(&text),
            false => Event::Notice(&text),
        });
        Ok(marked)
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
                // It has confirmed that before, and listed them again.
                let (again, deleted): (Vec<_>, Vec<_>) = deleted
                    .into_iter()
                    .partition(|recorded| store.has_come_back(recorded));
                outcome.deleted += deleted.len() as u64;
                self.tell_deleted(maildrop, &deleted);
                self.tell_asked_again(again.len());
            }
            Update::Refused(asked, answer) if !asked.is_empty() => {
                store.asked_to_delete(&asked);
                let meaning = Meaning::of(Phase::Quit, &answer);
                if !meaning.is_the_sessions() {
                    store.refused_to_delete(&asked);
                }
                let text = format!(
                    "the server did not delete all of {}: {answer}; what it has left stays, and it is \
                     asked again in later runs, five times in all",
                    count(asked.len() as u64, "message")
                );
                self.tell(match store.may_tell() {
                    true => Event::Warning(&text),
                    false => Event::Notice(&text),
                });
            }
            Update::Refused(..) => {}
            Update::Unknown(asked) if asked.is_empty() => {}
            Update::Unknown(asked) => {
                store.asked_to_delete(&asked);
                self.tell(Event::Notice(&format!(
                    "the server did not confirm the deletion of {}; the next run sees to it",
                    count(asked.len() as u64, "message")
                )));
            }
            Update::Disorder(asked, error) => {
                store.asked_to_delete(&asked);
                store.distrust_session()?;
                self.tell(Event::Warning(&format!(
                    "{error}: what was fetched in this session is looked at again in the next"
                )));
            }
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

    /// Decides what to do with each message, and settles what needs no network.
    fn settle_plan(
        &self,
        store: &mut Store,
        maildrop: &Maildrop,
        twins: &Twins,
        in_parts: bool,
    ) -> Result<Plan, Error> {
        let now = self.environment.moment.now;
        let first = store.is_first();
        if first {
            self.check_twins(twins, maildrop)?;
            if self.profile.policy.latest.is_some() {
                check_memory("latest", maildrop, in_parts)?;
            }
        }
        let policy = Policy {
            insist: self.environment.at_once,
            ..self.profile.policy.with_clock(store.doubts_clock())
        };
        let plan = decide(policy, maildrop, store.recognise(maildrop), first, now);
        if plan.undated() > 0 && store.may_tell() {
            self.tell_undated(&plan);
        }
        self.check_import(store.awaited(), &plan)?;
        self.check_lost_imports(store.lost_imports(), &plan)?;
        if self.environment.as_new {
            store.give_up_imports()?;
        }
        store.note_imported(maildrop)?;
        if first {
            let marked = plan.places(Decision::Mark);
            let marked: Vec<Message> = marked.filter_map(|place| maildrop.message(place)).collect();
            store.settle_first(&marked, MarkedBy::Latest)?;
            if !marked.is_empty() {
                let marked = count(marked.len() as u64, "older message");
                let text = format!("{marked} marked as seen");
                self.tell(Event::Notice(&text));
            }
        } else if !in_parts && maildrop.is_complete() {
            let changes = store.note_absences()?;
            self.tell_changes(&changes, &plan);
        }
        Ok(plan)
    }

    /// Fails where another account's state knows the maildrop: it is the same one by another name, as
    /// likely as not, and all of it would come again.
    fn check_twins(&self, twins: &Twins, maildrop: &Maildrop) -> Result<(), Error> {
        let Some(twin) = twins.of(maildrop) else {
            return Ok(());
        };
        Err(Error::KnownElsewhere {
            known: twin.known,
            listed: twin.listed,
            other: twin.account,
            name: self.profile.word_with_maildir(),
            again: self.profile.word_to_fetch(),
        })
    }

    fn tell_plan(
        &self,
        plan: &Plan,
        maildrop: &Maildrop,
        fetch: &[Message],
        run: &mut Run<'_>,
        outcome: &mut Outcome,
    ) {
        let octets = fetch.iter().filter_map(|message| message.octets);
        self.tell(Event::Planned(Planned {
            listed: plan.listed() as u64,
            fetch: fetch.len() as u64,
            octets: octets.fold(0, u64::saturating_add),
            seen: plan.known() as u64,
        }));
        for (place, decision) in plan.unseen() {
            if let (Decision::Skip(reason), Some(message)) = (decision, maildrop.message(place)) {
                outcome.skipped += 1;
                let reason = match (reason, &message.unique_id) {
                    // The summary tells the reasons alone, and this one is about one message.
                    (plan::Reason::Failed(_), Some(_)) => {
                        let missed = Missed::of(&message, &reason.to_string());
                        outcome.held_up += 1;
                        run.holds.push(missed.clone());
                        missed.text
                    }
                    _ => reason.to_string(),
                };
                self.tell(Event::Skipped {
                    message: listed(&message),
                    reason: &reason,
                });
            }
        }
    }
}

/// Fails where nothing could be remembered of what is passed over, or where more would come after it.
fn check_memory(what: &'static str, maildrop: &Maildrop, in_parts: bool) -> Result<(), Error> {
    match (in_parts, maildrop.has_unique_ids || maildrop.is_empty()) {
        (true, _) => Err(Error::InParts(what)),
        (_, false) => Err(Error::NoMemory(what)),
        (_, true) => Ok(()),
    }
}

fn decide(
    policy: Policy,
    maildrop: &Maildrop,
    known: Recognition<'_>,
    first: bool,
    now: i64,
) -> Plan {
    let listed = maildrop.octets().zip(known);
    plan::decide(listed, policy, first, now)
}
