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
mod ages;
mod appender;
mod arrivals;
mod aside;
mod broken;
mod changes;
mod commit;
mod conduct;
mod copies;
mod courier;
mod doubts;
mod echoes;
mod endings;
mod error;
mod filter;
mod first;
mod gists;
mod hand;
mod header_trouble;
mod imports;
mod key;
mod look;
mod mark;
mod news;
mod next;
mod onward;
mod opened;
mod others;
mod reach;
mod receive;
mod refusals;
mod repeated;
mod room;
mod rules;
mod run;
mod session;
mod shelving;
mod steps;
mod succession;
mod tell;
mod waiting;

pub use appender::{Addressee, TurnedAway};
use broken::Broken;
pub use conduct::not_tried;
use conduct::{Conduct, Missed};
pub use error::Error;
pub use look::{Look, examine, look, postponed, rehearse, takes_all};
pub use mark::mark_seen;
pub use news::wait_for_news;
pub use reach::{Connect, Network, Route};
pub use tell::failure;
use tell::listed;

use crate::delivery::Target;
use crate::durable::{Dir, Disk};
use crate::maildir::{self, Maildir, Site};
use crate::maildrop::{Maildrop, Message};
use crate::plan::{self, Decision, Plan, Policy};
use crate::profile::Profile;
use crate::report::{Event, Outcome, Report};
use crate::secrets::Credential;
use crate::source::{Marked, Source};
use crate::state::{self, Claim, Lasting, MarkedBy, Moment, Opened, Recognition, Store, Twins};
use crate::stop::Stop;
use crate::term::count;
use doubts::Verdicts;
use first::FirstListings;
use hand::{Hand, Patience};
use key::Key;
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
    /// The account that its messages are handed to, if they are handed to one.
    pub addressee: Option<Addressee>,
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
    let site = site(disk, profile)?;
    if profile.dated.is_some() {
        claim.check_before(&site)?;
    }
    let claim = claim.after(profile.earlier_maildirs());
    let (store, maildir, opened) = claim.settle(&site)?;
    Ok((store, maildir, opened, twins))
}

/// Looks at the account's Maildir, into which messages are to be filed as its owner wants it.
pub fn site(disk: &Disk, profile: &Profile) -> Result<Site, maildir::Error> {
    Ok(Site::look(disk, &profile.maildir)?.filed(&profile.filing))
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
        let fetched = self.filter().and_then(|filter| {
            let courier = self.courier(&mut store)?;
            self.apart(|| {
                let mut hand = Hand::new(courier);
                self.hand_on(&mut store, &mut hand, Patience::Before, outcome)?;
                let is_withheld = conduct.is_withheld_for_long();
                let run = Run::new(&target, (&twins, filter), &mut hand, is_withheld);
                let held = self.hold_sessions(&mut store, run, outcome, conduct);
                // What waits need not wait for the server as well.
                match held {
                    Ok(()) => hand.end(&mut store),
                    Err(error) => Err(self.hand_on_after(&mut store, &mut hand, error, outcome)),
                }
            })
        });
        // What a reader that has stopped was not told is for the next run to tell.
        if self.environment.report.catch_up(&self.environment.stop) {
            store.reported();
        }
        // Even after a failure: what was recorded is worth noting properly, and what was made for nothing is
        // taken back.
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
        match self.open_what_takes_mail(&mut store, &maildir) {
            Ok(()) => Ok((store, Target::maildir(maildir), twins)),
            Err(error) => {
                // So that what was made for nothing is taken back.
                let _ = store.close();
                Err(error)
            }
        }
    }

    fn open_what_takes_mail(&self, store: &mut Store, maildir: &Maildir) -> Result<(), Error> {
        maildir.open_folders(self.profile.known_folders())?;
        self.open_linked_folders(maildir);
        if let Some(deliver) = &self.profile.deliver {
            store.hands_on(deliver.archive)?;
        }
        Ok(())
    }

    /// What is done once the maildrop is listed.
    fn work_through(
        &self,
        session: &mut Source,
        store: &mut Store,
        run: &mut Run<'_>,
        maildrop: &Maildrop,
        in_parts: bool,
        outcome: &mut Outcome,
    ) -> Result<Marked, Broken> {
        self.tell_nameless(store, maildrop);
        let mut plan = self.settle_plan(session, store, maildrop, run.twins, in_parts)?;
        // Rules are asked about what turns out to be another message as about any that is new.
        let Verdicts {
            mut same,
            fetch,
            later,
            later_deleted,
        } = self.look_into(session, store, maildrop, &mut plan, &mut run.budget)?;
        let trust = run.header_trouble.trust(store.doubts_ages());
        let filter = run.filter.as_mut();
        let ruled = self.apply_rules(session, (store, filter), maildrop, &mut plan, trust);
        let mut ruled = ruled.map_err(|error| header_trouble::broken(error, maildrop))?;
        if !in_parts && maildrop.is_complete() && !self.profile.rules.are_none() {
            store.forget_unlisted_headers()?;
        }
        self.tell_unruled(store, &ruled, run.filter.as_mut());
        run.witness = plan
            .smallest_stored()
            .and_then(|place| maildrop.message(place));
        run.is_stuck = in_parts && plan.stored() < plan.listed() / 2;
        plan.may_be_new(later);
        self.tell_later(later, later_deleted);
        let coming = plan.coming().filter_map(|place| maildrop.listed(place));
        store.expect(coming.map(|listed| listed.octets));
        let order = plan.fetch_order(self.profile.policy.order);
        let new = order
            .into_iter()
            .filter_map(|place| maildrop.message(place));
        let mut fetch: Vec<Message> = fetch.into_iter().chain(new).collect();
        fetch.retain(|it| !run.passed.contains(&Key::of(it)) && !store.has_come(it));
        self.tell_plan(&plan, maildrop, &fetch, run, outcome);
        self.tell_unlisted(maildrop, in_parts, run, outcome);
        self.note_shortfalls(maildrop, run, outcome);
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
            self.open_homes(run.target, &fetch)?;
            let fetched = self.receive_all(session, store, run, maildrop, fetch, outcome)?;
            placed = fetched.recorded;
            same.extend(fetched.same);
            let others = self.settle_others(store, run, fetched.others, &mut ruled, outcome)?;
            placed.extend(others.recorded);
            same.extend(others.same);
        }
        ruled.ages.note(store);
        run.hand.has_all =
            !in_parts && maildrop.is_complete() && self.has_all(&plan, maildrop, &same, &placed);
        self.hand_on(store, run.hand, Patience::OfTheServer, outcome)?;
        let mut delete = match plan::deletes_at_once(policy) {
            true => store.done_with(placed),
            false => Vec::new(),
        };
        let (vouched, still) = self.vouch_for(store, same)?;
        delete.extend(vouched);
        let (ruled, unruled) = self.rule_out(store, ruled)?;
        delete.extend(ruled);
        self.tell_undeletable(given_up + still);
        self.tell_undeletable_by_rules(unruled);
        doubts::spare_namesakes(maildrop, &mut delete);
        let coming = plan.coming().filter_map(|place| maildrop.message(place));
        let are_all = !in_parts && maildrop.is_complete();
        store.begin_deleting(&delete, coming, are_all)?;
        Ok(self.delete(session, store, delete)?)
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
        session: &mut Source,
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
        let asked = policy.latest.map(|_| (session, now));
        let due = FirstListings::of(first, store.unread_folders(), maildrop, asked)?;
        let plan = decide(policy, maildrop, store.recognise(maildrop), &due, now);
        if in_parts {
            store.add_to_earlier_parts(maildrop);
        }
        if plan.undated() > 0 && store.may_tell(Lasting::Undated) {
            self.tell_undated(&plan);
        }
        self.check_import(store.awaited(), &plan)?;
        self.check_lost_imports(store.lost_imports(), &plan)?;
        if self.environment.as_new {
            store.give_up_imports()?;
        }
        store.note_imported(maildrop)?;
        let marked = plan.places(Decision::Mark);
        let marked: Vec<Message> = marked.filter_map(|place| maildrop.message(place)).collect();
        match &due {
            FirstListings::All { unread } => {
                // Nothing is passed over without it, whenever a folder is listed for the first time.
                let remembered = self.profile.policy.latest.map(|_| unread.clone());
                let unread = remembered.unwrap_or_default();
                store.settle_first(&marked, &MarkedBy::Latest, &unread)?;
            }
            // Of a folder that is listed in part the rest is yet to come.
            FirstListings::Late(late) if late.whole.is_empty() && marked.is_empty() => {}
            FirstListings::Late(late) => {
                store.settle_late(&marked, &MarkedBy::Latest, &late.whole)?;
            }
        }
        if !marked.is_empty() {
            let marked = count(marked.len() as u64, "older message");
            let text = format!("{marked} marked as seen");
            self.tell(Event::Notice(&text));
        }
        if !first && !in_parts && maildrop.is_complete() {
            let changes = store.note_absences()?;
            self.tell_changes(&changes, &plan, maildrop);
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
    first: &FirstListings,
    now: i64,
) -> Plan {
    let listed = maildrop.octets().zip(known);
    plan::decide_by_folders(listed, first.newer(maildrop), policy, now)
}
