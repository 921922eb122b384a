//! Looking without touching: what waits in a maildrop, and what a fetch would do with it.

use super::conduct::Conduct;
use super::filter::FilterRun;
use super::header_trouble::Trust;
use super::reach::lists_in_parts;
use super::{Account, Error, FirstListings, check_memory, decide};
use crate::maildir::Site;
use crate::maildrop::Maildrop;
use crate::plan::{Decision, Keep, Plan, Policy, deletes_at_once};
use crate::server::Server;
use crate::source::{Marked, Phase, Source};
use crate::state::{self, Twins, View};
use std::collections::HashSet;

/// A maildrop as a fetch would see it, with the session that looked still open.
pub struct Look {
    /// What is listed.
    pub maildrop: Maildrop,
    /// What a fetch would do with it.
    pub plan: Plan,
    /// The session; drop it, or [`Look::leave`].
    pub session: Source,
    /// How many messages that were fetched before would be handed on, as far as the state says.
    pub waiting: u64,
    /// What is fetched would be handed on, where it is to be.
    pub is_taken: bool,
    /// What a fetch would stop at before it took anything, for [`examine`].
    pub stop: Option<Error>,
}

impl Look {
    /// Why a first fetch from here could not pass over what is there already (`latest`).
    pub fn takes_all(&self) -> Option<Error> {
        let in_parts = self.session.traits().lists_in_parts;
        check_memory("latest", &self.maildrop, in_parts).err()
    }

    /// The places of the messages that a fetch would delete from the server: of those that it fetches also, where
    /// they do not stay. As a fetch does, it spares those that share their unique-id with one that stays.
    pub fn deleted(&self, policy: Policy) -> HashSet<usize> {
        let goes = |(place, decision)| match decision {
            Decision::Delete | Decision::Discard => Some(place),
            Decision::Fetch(_) if deletes_at_once(policy) && self.is_taken => Some(place),
            _ => None,
        };
        let mut going: HashSet<usize> = self.plan.unseen().filter_map(goes).collect();
        for places in self.maildrop.namesakes() {
            if !places.iter().all(|place| going.contains(place)) {
                for place in places {
                    going.remove(&place);
                }
            }
        }
        going
    }

    /// Ends the session properly. Nothing was retrieved, so nothing can be lost by it.
    pub fn leave(self) {
        self.session.end(Marked::default());
    }
}

/// The same as [`Look::takes_all`], as far as the name of the server says so.
pub fn takes_all(server: &Server) -> Option<Error> {
    lists_in_parts(server).then_some(Error::InParts("latest"))
}

/// Signs in, lists the maildrop, decides as a fetch would, and calls `then` with that in the thread
/// that talks to the server. Writes nothing, but that the server refused us, so that it is not asked
/// too often.
pub fn look<R: Send>(
    account: &Account<'_>,
    then: impl FnOnce(Look) -> R + Send,
) -> Result<R, Error> {
    look_with(account, Stops::Passed, then)
}

/// The same, and stops where a fetch would: at another Maildir than the state's, say.
pub fn rehearse<R: Send>(
    account: &Account<'_>,
    then: impl FnOnce(Look) -> R + Send,
) -> Result<R, Error> {
    look_with(account, Stops::Told, then)
}

/// Signs in and lists the maildrop, and calls `then` with that or with what kept it from being done, in
/// the thread that talks to the server. Writes nothing at all, not even that the server refused us.
pub fn examine<R: Send>(
    account: &Account<'_>,
    then: impl FnOnce(Result<Look, Error>) -> R + Send,
) -> Result<R, Error> {
    let mut conduct = Conduct::of_look(account);
    account.apart(|| then(try_look(account, Stops::Noted, None, &mut conduct)))
}

/// Why a fetch that no person asks for would leave the server alone for now.
pub fn postponed(account: &Account<'_>) -> Option<Error> {
    Conduct::of_look(account).postponed(account)
}

/// What keeps a fetch from taking place, whatever is listed.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Stops {
    Passed,
    Noted,
    Told,
}

fn look_with<R: Send>(
    account: &Account<'_>,
    stops: Stops,
    then: impl FnOnce(Look) -> R + Send,
) -> Result<R, Error> {
    let mut conduct = Conduct::of_look(account);
    conduct.check(account)?;
    let filter = match stops {
        Stops::Told => account.filter()?,
        Stops::Passed | Stops::Noted => None,
    };
    let looked = account.apart(|| try_look(account, stops, filter, &mut conduct).map(then))?;
    if let Err(error) = &looked {
        conduct.note_refusal(account, error);
    }
    conduct.keep_refusal(account);
    looked
}

fn try_look(
    account: &Account<'_>,
    stops: Stops,
    mut filter: Option<FilterRun>,
    conduct: &mut Conduct,
) -> Result<Look, Error> {
    let id = account.profile.server.id();
    let mut view = View::read(&account.environment.state, &id)?;
    let mut twins = Twins::default();
    let mut lost_imports = Vec::new();
    if stops == Stops::Told {
        let site = super::site(&account.environment.disk, account.profile)?;
        site.check_filing()?;
        let name = account.profile.word_with_maildir();
        let is_known = view.check(&site, &name)?;
        site.check(&account.environment.disk, is_known)
            .map_err(state::Error::from)?;
        if account.profile.dated.is_some() {
            view.check_before(&site, &name)?;
        }
        lost_imports = view.lost_imports(&site);
    }
    if stops == Stops::Noted {
        // What is wrong with it was looked at before.
        let site = Site::look(&account.environment.disk, &account.profile.maildir);
        lost_imports = site.map_or_else(|_| Vec::new(), |site| view.lost_imports(&site));
    }
    let deliver = account.profile.deliver.as_ref();
    let is_taken = deliver.is_none_or(|deliver| deliver.to.find().is_ok());
    let waiting = match stops == Stops::Told && deliver.is_some() && is_taken {
        true => view.hand_on(|delay| account.is_due_again(delay)),
        false => 0,
    };
    if stops != Stops::Passed && !account.environment.as_new {
        twins = view.twins();
    }
    let (first, now) = (view.is_first(), account.environment.moment.now);
    // It reads a file, which is out of reach once the server is connected to.
    let policy = Policy {
        insist: account.environment.at_once,
        ..account.profile.policy.with_clock(view.doubts_clock(now))
    };
    let mut session = sign_in(account, view.unpipelined(), conduct)?;
    let maildrop = session.list(&id, view.has_unique_ids())?;
    if stops != Stops::Noted {
        account.tell_shortfalls(&maildrop);
    }
    let mut stop = account.check_twins(&twins, &maildrop).err();
    if first && stops != Stops::Passed && account.profile.policy.latest.is_some() {
        let in_parts = session.traits().lists_in_parts;
        stop = stop.or_else(|| check_memory("latest", &maildrop, in_parts).err());
    }
    let asked = policy.latest.map(|_| (&mut session, now));
    let due = FirstListings::of(first, view.unread_folders(), &maildrop, asked)?;
    let known = view.recognise(&maildrop);
    let mut plan = decide(policy, &maildrop, known, &due, now);
    if stops != Stops::Passed {
        let imports = account.check_import(view.awaited(), &plan);
        let imports = imports.and_then(|()| account.check_lost_imports(&lost_imports, &plan));
        stop = stop.or_else(|| imports.err());
    }
    if stops == Stops::Told {
        if let Some(error) = stop.take() {
            return Err(error);
        }
        let trust = Trust {
            doubts_ages: view.doubts_ages(now),
            asks_headers: true,
            without: None,
        };
        let memory = (&mut view, filter.as_mut());
        let ruled = account.apply_rules(&mut session, memory, &maildrop, &mut plan, trust)?;
        if let Some(Err(reason)) = ruled.ages.time() {
            account.tell_ageless(reason);
        }
    }
    if stops != Stops::Told {
        let doubts_ages = view.doubts_ages(now);
        account.apply_remembered(&mut view, &maildrop, &mut plan, doubts_ages);
    }
    let is_strange = plan.stored() == 0 && policy.keep == Keep::Always && plan.listed() > 0;
    if stops == Stops::Told && is_strange {
        account.tell_known_by_content(view.unlisted());
    }
    if stops == Stops::Told && plan.undated() > 0 {
        account.tell_undated(&plan);
    }
    Ok(Look {
        maildrop,
        plan,
        session,
        waiting,
        is_taken,
        stop,
    })
}

/// Signs in, and once more without CAPA where that made the server close.
pub(super) fn sign_in(
    account: &Account<'_>,
    unpipelined: Option<i64>,
    conduct: &mut Conduct,
) -> Result<Source, Error> {
    let route = account.route(&[], None, &[])?;
    let mut manner = account.manner(unpipelined);
    // Nothing is stored or deleted that such a line could be taken for.
    manner.lenient = true;
    match account.sign_in(route.as_ref(), manner, conduct) {
        Err(error) if error.closed_on(Phase::Capabilities) => {
            manner.capabilities = false;
            account.sign_in(route.as_ref(), manner, conduct)
        }
        signed_in => signed_in,
    }
}
