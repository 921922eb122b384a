//! How a server is treated from run to run: when it is left alone, what of its refusals is
//! remembered, and what of an account's failures is told again (facts F13 to F17).
//!
//! What is remembered is read before anything else and written when everything else is done;
//! nothing that can be lost hangs on it, so no failure to do so is told.

use super::{Account, Error, failure};
use crate::durable::{Dir, Disk};
use crate::exit::Status;
use crate::maildrop::Message;
use crate::profile::Profile;
use crate::report::{Event, Failure, Outcome};
use crate::secrets::Sign;
use crate::source::{Detour, Shortcut};
use crate::state::{self, Credentials, Failing, Manners, Moment, Telling, Why};
use std::path::Path;
use std::time::{Duration, Instant};

/// A run that is early by no more than this (seconds) waits, so that a timer whose interval is the
/// server's own does not miss every other turn by a second.
const PATIENCE: i64 = 5;

/// A server that turns us away so many times in a row, without a word why, may not want us at all.
const TURNED_AWAY: u32 = 3;

/// A shortcut is taken for so long (seconds) before the server is asked again what it can: within
/// a week a stronger method to sign in that it has learnt is taken.
const SHORTCUT_FOR: i64 = 7 * 24 * 60 * 60;

/// A server that did not follow one is spared for so long (seconds): it may have been closing anyway.
const DOUBTED_FOR: i64 = 24 * 60 * 60;

/// And for so long once it has done so again, as for pipelining.
const NO_SHORTCUT_FOR: i64 = 30 * 24 * 60 * 60;

/// A way around what a server announces is taken for so long (seconds), as above.
const DETOUR_FOR: i64 = NO_SHORTCUT_FOR;

/// Lines that say nothing are passed over for so long (seconds), and with one command at a time, as above.
const IDLE_LINES_FOR: i64 = NO_SHORTCUT_FOR;

/// Refusals to send anything are the server's for so long (seconds), and then the messages'.
const WITHHELD_FOR_LONG: i64 = 24 * 60 * 60;

/// What stands in the place of a shortcut that a server did not follow once, and again.
const DOUBTED: &str = "doubted";
const NO_SHORTCUT: &str = "none";

/// What did not come, although the account works.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Missed {
    /// The same from run to run.
    pub(super) name: String,
    /// What became of it, in words.
    pub(super) text: String,
}

impl Missed {
    pub(super) fn of(message: &Message, reason: &str) -> Self {
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

/// What is remembered of an account, and what this run adds to it.
pub(super) struct Conduct {
    directory: Option<Dir>,
    read: Manners,
    manners: Manners,
    auth: String,
    began: Instant,
    moment: i64,
    signed_in: Option<i64>,
    /// The shortcut led nowhere in this run.
    doubted: bool,
    /// The server has let us in for a day, and sent no messages.
    withheld_for_long: bool,
}

impl Conduct {
    /// For a fetch; makes the directory of states where it is missing.
    pub(super) fn of_fetch(account: &Account<'_>) -> Self {
        let environment = account.environment;
        let directory = state::open_directory(&environment.disk, &environment.state);
        Self::new(account, directory.ok())
    }

    /// For a look, which makes nothing.
    pub(super) fn of_look(account: &Account<'_>) -> Self {
        Self::new(account, Manners::directory(&account.environment.state))
    }

    fn new(account: &Account<'_>, directory: Option<Dir>) -> Self {
        let id = account.profile.server.id();
        let read = directory.as_ref().map(|dir| Manners::read(dir, &id));
        let read = read.unwrap_or_default();
        let now = account.environment.moment.now;
        let withheld_since = read.withheld_since();
        Self {
            directory,
            manners: read.clone(),
            read,
            auth: format!("{:?}", account.profile.auth),
            began: Instant::now(),
            moment: now,
            signed_in: None,
            doubted: false,
            withheld_for_long: withheld_since
                .is_some_and(|since| now.saturating_sub(since) >= WITHHELD_FOR_LONG),
        }
    }

    /// Fails where the server is to be left alone for now, unless a person asks for it.
    pub(super) fn check(&self, account: &Account<'_>) -> Result<(), Error> {
        if account.environment.at_once {
            return Ok(());
        }
        match self.postponed(account) {
            Some(Error::Early { early, .. })
                if matches!(early.why, Why::LoginDelay(_)) && early.left <= PATIENCE =>
            {
                let left = Duration::from_secs(early.left.unsigned_abs());
                let stopped = account.environment.stop.wait(left);
                stopped.map_or(Ok(()), |it| Err(Error::Stopped(it)))
            }
            postponed => postponed.map_or(Ok(()), Err),
        }
    }

    /// That the server is to be left alone for now.
    pub(super) fn postponed(&self, account: &Account<'_>) -> Option<Error> {
        let credentials = credentials(account, &self.auth);
        let early = self.manners.early(self.now(), &credentials)?;
        Some(Error::Early {
            early,
            login: account.signs_in_by_login().then(|| account.profile.word()),
        })
    }

    /// What the server announces.
    pub(super) fn announced(&mut self, login_delay: u32) {
        self.manners.announced(login_delay);
    }

    /// Whether the server wants some time to pass between two sign-ins.
    pub(super) fn wants_pauses(&self) -> bool {
        self.manners.has_login_delay()
    }

    /// A sign-in has worked.
    pub(super) fn let_in(&mut self) {
        // The first of a run counts; those that follow are of the server's own making.
        self.signed_in = self.signed_in.or(Some(self.now()));
        self.manners.let_in();
    }

    /// Whether to sign in and list in one flight: not where that has led nowhere.
    pub(super) fn may_go_ahead(&self) -> bool {
        !matches!(self.remembered_shortcut(), Some(DOUBTED | NO_SHORTCUT))
    }

    /// How to do so without asking for capabilities first, if an earlier run has shown a way.
    pub(super) fn shortcut(&self) -> Option<Shortcut> {
        Shortcut::of_word(self.remembered_shortcut()?)
    }

    /// The shortcut has led nowhere: another session is held without it.
    pub(super) fn doubt_shortcut(&mut self) {
        self.doubted = true;
        self.forget_shortcut();
    }

    /// The next session asks the server again what it can.
    pub(super) fn forget_shortcut(&mut self) {
        self.manners.note_shortcut(None);
    }

    /// The server has closed over what came with the sign-in, or refused it in words that are not
    /// known: it may have come too early, which the next run finds out.
    pub(super) fn spare_shortcut(&mut self) {
        let earlier = self.read.shortcut();
        let again = earlier.is_some_and(|(word, time)| {
            let lately = time..time.saturating_add(NO_SHORTCUT_FOR);
            [DOUBTED, NO_SHORTCUT].contains(&word) && lately.contains(&self.moment)
        });
        let word = if again { NO_SHORTCUT } else { DOUBTED };
        self.manners.note_shortcut(Some((word, self.moment)));
    }

    /// A session has gone well; what it has shown for the next.
    pub(super) fn saw_shortcut(&mut self, seen: Option<Shortcut>) {
        let word = match (self.remembered_shortcut(), seen) {
            // It was the shortcut: without it all went well.
            _ if self.doubted => return self.spare_shortcut(),
            // It counts from the day on which the server was asked.
            (Some(DOUBTED | NO_SHORTCUT), _) | (Some(_), Some(_)) => return,
            (None, Some(shortcut)) => shortcut.word(),
            (_, None) => return self.forget_shortcut(),
        };
        self.manners.note_shortcut(Some((word, self.moment)));
    }

    fn remembered_shortcut(&self) -> Option<&str> {
        let (word, time) = self.manners.shortcut()?;
        let lasts = match word {
            DOUBTED => DOUBTED_FOR,
            NO_SHORTCUT => NO_SHORTCUT_FOR,
            _ => SHORTCUT_FOR,
        };
        let known = (time..time.saturating_add(lasts)).contains(&self.moment);
        known.then_some(word)
    }

    /// What this server must be signed in to by instead of what it announces.
    pub(super) fn detour(&self) -> Option<Detour> {
        let (word, time) = self.manners.detour()?;
        let known = (time..time.saturating_add(DETOUR_FOR)).contains(&self.moment);
        Detour::of_word(word).filter(|_| known)
    }

    /// A sign-in has worked by this. Whether that is new.
    pub(super) fn saw_detour(&mut self, seen: Option<Detour>) -> bool {
        if seen == self.detour() {
            return false;
        }
        let seen = seen.map(|detour| (detour.word(), self.moment));
        self.manners.note_detour(seen);
        true
    }

    /// Whether the server sends lines that say nothing between its answers.
    pub(super) fn knows_idle_lines(&self) -> bool {
        let lasts = |time: i64| time..time.saturating_add(IDLE_LINES_FOR);
        let noted = self.manners.idle_lines();
        noted.is_some_and(|time| lasts(time).contains(&self.moment))
    }

    /// A session has gone well that passed them over.
    pub(super) fn saw_idle_lines(&mut self) {
        if !self.knows_idle_lines() {
            self.manners.note_idle_lines(self.moment);
        }
    }

    /// The server has sent or listed what it was asked for, whatever else became of it.
    pub(super) fn served(&mut self) {
        self.manners.served();
    }

    /// Whether the server has let us in for a day, and sent no messages.
    pub(super) fn is_withheld_for_long(&self) -> bool {
        self.withheld_for_long
    }

    /// The account's fetch went well.
    pub(super) fn worked(&mut self, account: &Account<'_>, outcome: &Outcome) {
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
    pub(super) fn misses(&mut self, account: &Account<'_>, misses: &[Missed]) {
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
            let text = format!("{more} more are passed over for now");
            account.tell(Event::Warning(&text));
        }
    }

    /// The account's fetch has failed; what to tell of it.
    pub(super) fn failed(&mut self, account: &Account<'_>, error: &Error) -> Failure {
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

    /// Remembers a refusal, if it was one.
    pub(super) fn note_refusal(&mut self, account: &Account<'_>, error: &Error) {
        if let Some(kind) = error.refusal() {
            let (now, wanted) = (self.now(), error.wanted_wait());
            self.manners
                .refused(now, kind, wanted, &credentials(account, &self.auth));
        }
    }

    /// Writes down what is to be remembered of a fetch, once the account's lock is free again.
    pub(super) fn keep(mut self, account: &Account<'_>) {
        if let Some(now) = self.signed_in {
            self.manners.signed_in(now);
        }
        self.write(account);
    }

    /// The same of a look, from which no login delay is counted: the fetch that may follow it is
    /// the one that matters.
    pub(super) fn keep_refusal(self, account: &Account<'_>) {
        self.write(account);
    }

    fn write(self, account: &Account<'_>) {
        if let Some(directory) = self.directory.filter(|_| self.manners != self.read) {
            // What is lost by an error here is one sign-in too many, or one line too many.
            let id = account.profile.server.id();
            if let Ok(false) = self.manners.write(&directory, &id) {
                let _ = self.manners.write_told(&directory, &id);
            }
        }
    }

    fn now(&self) -> i64 {
        let since = i64::try_from(self.began.elapsed().as_secs());
        self.moment.saturating_add(since.unwrap_or_default())
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

/// What a person changes to be let in; `auth` is the method in a word.
fn credentials<'a>(account: &'a Account<'_>, auth: &'a str) -> Credentials<'a> {
    // A token is another one every hour, and has not been refused for that.
    let (login, secret) = match account.credential.identity() {
        Sign::Login(login) => (login, ""),
        Sign::Password(secret) | Sign::Token(secret) => ("", secret),
    };
    Credentials {
        public: [auth, &account.profile.server.user, login],
        secret,
    }
}
