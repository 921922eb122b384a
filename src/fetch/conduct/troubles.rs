//! What of an account's failures is told, and what was told before (facts F15 to F17).

use super::Conduct;
use crate::durable::Disk;
use crate::exit::Status;
use crate::fetch::waiting::waits;
use crate::fetch::{Account, Error, failure};
use crate::maildrop::Message;
use crate::profile::Profile;
use crate::report::{Event, Failure, Outcome};
use crate::state::{self, Failing, Manners, Moment, Telling};
use std::path::Path;

/// A server that turns us away so many times in a row, without a word why, may not want us at all.
const TURNED_AWAY: u32 = 3;

/// What did not come, although the account works.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::fetch) struct Missed {
    /// The same from run to run.
    pub(in crate::fetch) name: String,
    /// What became of it, in words.
    pub(in crate::fetch) text: String,
}

impl Missed {
    pub(in crate::fetch) fn of(message: &Message, reason: &str) -> Self {
        let name = match &message.unique_id {
            Some(id) => String::from_utf8_lossy(id).into_owned(),
            None => format!("message {}", message.number),
        };
        Self {
            text: format!("{name}: {reason}"),
            name,
        }
    }
}

impl Conduct {
    /// The account's fetch went well.
    pub(in crate::fetch) fn worked(&mut self, account: &Account<'_>, outcome: &Outcome) {
        let since = self.manners.worked();
        // Where all is passed over from now on, that is told instead.
        let has_worked = outcome.fetched > 0 || !self.withheld_for_long;
        if let Some(since) = since.filter(|_| account.environment.quiet && has_worked) {
            let since = Moment::on_the_wall(since);
            let text = format!("works again; it had failed since {since}");
            account.tell(Event::Recovered(&text));
        }
    }

    /// The account's fetch went well but for these. Whoever is not told in each run is told of each
    /// once and then once a day, and when it is over.
    pub(in crate::fetch) fn misses(
        &mut self,
        account: &Account<'_>,
        misses: &[Missed],
        waiting: u64,
    ) {
        const NAMED: usize = 3;
        let (now, quiet) = (self.now(), account.environment.quiet);
        if misses.is_empty() {
            let since = self.manners.missed_nothing();
            if let Some(since) = since.filter(|_| quiet) {
                let since = Moment::on_the_wall(since);
                let text = format!(
                    "what was passed over since {since} has come, or is gone from the server"
                );
                account.tell(Event::Recovered(&text));
            }
            return;
        }
        let names = misses.iter().map(|it| it.name.as_str());
        let told = self.manners.missed(now, names, quiet) == Telling::Again;
        if told || !quiet {
            return;
        }
        for missed in misses.iter().take(NAMED) {
            account.tell(Event::Warning(&missed.text));
        }
        let more = misses.len().saturating_sub(NAMED);
        if more > 0 {
            let are = if more == 1 { "is" } else { "are" };
            let text = format!("{more} more {are} passed over for now");
            account.tell(Event::Warning(&text));
        }
        // Not each of them was tried.
        if waiting > misses.len() as u64 {
            let text = format!("{} to be handed on", waits(waiting));
            account.tell(Event::Warning(&text));
        }
    }

    /// The account's fetch has failed; what to tell of it.
    pub(in crate::fetch) fn failed(&mut self, account: &Account<'_>, error: &Error) -> Failure {
        let mut failure = failure(error);
        self.note_refusal(account, error);
        if error.is_unexplained() && self.manners.refusals() >= TURNED_AWAY {
            failure.hint = Some(format!(
                "it has done so {} times in a row: ask the provider whether it shuts out your \
                 address",
                self.manners.refusals()
            ));
        }
        let passing = matches!(failure.status, Status::Interrupted | Status::Terminated);
        if !passing && !failure.routine {
            let (now, quiet) = (self.now(), account.environment.quiet);
            let failing = Failing {
                now,
                status: failure.status.code(),
                kind: error.kind(),
                passes: failure.status == Status::Temporary,
                since: error.lasts_since(),
            };
            tell_once(&mut self.manners, &mut failure, failing, quiet);
        }
        failure
    }
}

/// For an account that cannot even be tried, as its password cannot be had: a run with `--quiet`
/// tells that once as well.
pub fn not_tried(state: &Path, profile: &Profile, failure: &mut Failure) {
    let directory = state::open_directory(&Disk::new(), state);
    if let Ok(directory) = directory {
        let id = profile.server.id();
        let read = Manners::read(&directory, &id);
        let mut manners = read.clone();
        let now = Moment::now().now;
        let failing = Failing {
            now,
            status: failure.status.code(),
            kind: "password",
            passes: failure.status == Status::Temporary,
            since: None,
        };
        tell_once(&mut manners, failure, failing, true);
        if manners != read {
            // What is lost costs one line too many.
            let _ = manners.write(&directory, &id);
        }
    }
}

fn tell_once(manners: &mut Manners, failure: &mut Failure, failing: Failing<'_>, quiet: bool) {
    match manners.failed(failing, quiet) {
        Telling::Again | Telling::NotYet => failure.routine = true,
        Telling::Reminder(since) if quiet => {
            let since = Moment::on_the_wall(since);
            failure.message = format!("{} (failing since {since})", failure.message);
        }
        Telling::First | Telling::Reminder(_) => {}
    }
}
