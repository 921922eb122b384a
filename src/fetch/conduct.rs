//! How a server is treated from run to run: when it is left alone, and what of its refusals is remembered
//! (facts F13 to F17). Which ways to sign in it follows is in `ways`, what of failures is told again in
//! `troubles`.
//!
//! What is remembered is read before anything else and written when everything else is done;
//! nothing that can be lost hangs on it, so no failure to do so is told.

mod troubles;
mod ways;

pub(super) use troubles::Missed;
pub use troubles::not_tried;

use super::{Account, Error};
use crate::durable::Dir;
use crate::secrets::Sign;
use crate::state::{self, Credentials, Early, Manners, Why};
use std::time::{Duration, Instant};

/// A run that is early by no more than this (seconds) waits, so that a timer whose interval is the
/// server's own does not miss every other turn by a second.
const PATIENCE: i64 = 5;

/// Refusals to send anything are the server's for so long (seconds), and then the messages'.
const WITHHELD_FOR_LONG: i64 = 24 * 60 * 60;

/// What is remembered of an account, and what this run adds to it.
pub(super) struct Conduct {
    directory: Option<Dir>,
    read: Manners,
    manners: Manners,
    auth: &'static str,
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
        Self::new(
            account,
            state::existing_directory(&account.environment.state),
        )
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
            auth: account.profile.auth.word(),
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
        let Some(early) = self.early(account) else {
            return Ok(());
        };
        if matches!(early.why, Why::LoginDelay(_)) && early.left <= PATIENCE {
            let left = Duration::from_secs(early.left.unsigned_abs());
            let stopped = account.environment.stop.wait(left);
            return stopped.map_or(Ok(()), |it| Err(Error::Stopped(it)));
        }
        Err(too_early(account, early))
    }

    /// That the server is to be left alone for now.
    pub(super) fn postponed(&self, account: &Account<'_>) -> Option<Error> {
        Some(too_early(account, self.early(account)?))
    }

    fn early(&self, account: &Account<'_>) -> Option<Early> {
        let credentials = credentials(account, self.auth);
        self.manners.early(self.now(), &credentials)
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

    /// The server has sent or listed what it was asked for, whatever else became of it.
    pub(super) fn served(&mut self) {
        self.manners.served();
    }

    /// Whether the server has let us in for a day, and sent no messages.
    pub(super) fn is_withheld_for_long(&self) -> bool {
        self.withheld_for_long
    }

    /// Remembers a refusal, if it was one.
    pub(super) fn note_refusal(&mut self, account: &Account<'_>, error: &Error) {
        if let Some(kind) = error.refusal() {
            let (now, wanted) = (self.now(), error.wanted_wait());
            self.manners
                .refused(now, kind, wanted, &credentials(account, self.auth));
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

fn too_early(account: &Account<'_>, early: Early) -> Error {
    Error::Early {
        early,
        login: account.signs_in_by_login().then(|| account.profile.word()),
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
