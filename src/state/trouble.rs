//! What people were told of an account's failures who want to hear of each once: cron mails whatever
//! is said, and a mail every ten minutes is read as little as none.

use super::Moment;
use std::collections::BTreeSet;

/// A failure that goes on is told again after so long.
pub(super) const REMINDER: i64 = 24 * 60 * 60;

/// A failure that may pass is told once it has lasted for so many seconds, an hour: a provider's
/// nightly work or a router that starts anew is over by then.
const LASTING: i64 = 60 * 60;

/// Or for so many runs, for those that are an hour apart.
const LASTING_RUNS: u32 = 3;

/// What is told of by name at most; more are one word too many at worst.
const MOST_NAMED: usize = 12;

/// How a run failed.
#[derive(Clone, Copy, Debug)]
pub struct Failing<'a> {
    /// What the time is.
    pub now: i64,
    /// The exit status it asks for.
    pub status: u8,
    /// What counts as the same failure, in a word.
    pub kind: &'a str,
    /// It may be over by the next run.
    pub passes: bool,
    /// Since when it is known to last, where that is earlier than this run.
    pub since: Option<i64>,
}

/// What to say of a failure to someone who wants to hear of it once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Telling {
    /// It may be over soon.
    NotYet,
    /// It is new.
    First,
    /// It was told not long ago.
    Again,
    /// It goes on since then, and may be told once more, or is told at last.
    Reminder(i64),
}

/// A failure that goes on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Trouble {
    pub(super) status: u8,
    pub(super) kind: String,
    pub(super) since: i64,
    pub(super) told: Option<i64>,
    pub(super) runs: u32,
}

/// What keeps messages from coming while the account works.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Misses {
    /// Words for what was told.
    pub(super) names: BTreeSet<String>,
    pub(super) since: i64,
    pub(super) told: Option<i64>,
}

impl Trouble {
    /// What is known after a run that failed like this, and what to say of it where `once` says that
    /// nobody wants to hear the same each time.
    pub(super) fn after(
        earlier: Option<Self>,
        failing: Failing<'_>,
        once: bool,
    ) -> (Self, Telling) {
        let Failing { now, status, .. } = failing;
        let began = failing.since.unwrap_or(now);
        // A clock that was set back says nothing of how long it has lasted.
        let since = earlier.as_ref().map(|it| it.since).filter(|it| *it <= now);
        let since = since.map_or(began, |since| since.min(began));
        let runs = earlier.as_ref().map_or(0, |it| it.runs).saturating_add(1);
        let told = earlier.as_ref().and_then(|it| {
            let same = (it.status, it.kind.as_str()) == (status, failing.kind);
            // That an account fails in another way for a while is no news where it fails anyway.
            it.told.filter(|_| same || failing.passes)
        });
        let lasts = runs >= LASTING_RUNS || now.saturating_sub(since) >= LASTING;
        let telling = match told {
            None if failing.passes && !lasts => Telling::NotYet,
            None if failing.passes && runs > 1 => Telling::Reminder(since),
            None => Telling::First,
            Some(told) if is_recent(told, now) => Telling::Again,
            Some(_) => Telling::Reminder(since),
        };
        let tells = matches!(telling, Telling::First | Telling::Reminder(_)) && once;
        let (status, kind) = match (&earlier, telling) {
            // It goes on with what was told.
            (Some(it), Telling::Again) => (it.status, it.kind.clone()),
            _ => (status, failing.kind.to_owned()),
        };
        let told = if tells { Some(now) } else { told };
        let trouble = Self {
            status,
            kind,
            since,
            told,
            runs,
        };
        (trouble, telling)
    }
}

impl Misses {
    /// The same for what was passed over; `names` holds a word for each.
    pub(super) fn after(
        earlier: Option<Self>,
        now: i64,
        names: &BTreeSet<String>,
        once: bool,
    ) -> (Self, Telling) {
        let names: BTreeSet<String> = names.iter().take(MOST_NAMED).cloned().collect();
        let since = earlier.as_ref().map(|it| it.since).filter(|it| *it <= now);
        let since = since.unwrap_or(now);
        let known = earlier.as_ref().filter(|it| names.is_subset(&it.names));
        let told = known.and_then(|it| it.told);
        let telling = match told {
            None => Telling::First,
            Some(told) if is_recent(told, now) => Telling::Again,
            Some(_) => Telling::Reminder(since),
        };
        let tells = telling != Telling::Again && once;
        let all = match earlier {
            // One that comes and goes is told once.
            Some(it) if !matches!(telling, Telling::Reminder(_)) => &it.names | &names,
            _ => BTreeSet::new(),
        };
        let misses = Self {
            names: if (1..=MOST_NAMED).contains(&all.len()) {
                all
            } else {
                names
            },
            since,
            told: if tells { Some(now) } else { told },
        };
        (misses, telling)
    }
}

/// Whether it was told not long ago. One that was told in the future is told again: the clock leaves
/// no way to know.
fn is_recent(told: i64, now: i64) -> bool {
    Moment::counts(told, REMINDER, now)
}
