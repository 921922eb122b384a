//! How to treat a server that has refused us, and what people were told of an account's failures:
//! kept from run to run, so that cron neither locks an account out nor says the same every time.
//!
//! It is one line (`line`) in a file beside the journal. All times are seconds since 1970, all waits
//! seconds.
//!
//! A file that is lost, damaged or written by another version costs nothing: nothing is known then.

mod credentials;
mod line;

pub use credentials::Credentials;
pub(super) use credentials::random;

use super::files::Files;
use super::refusal::{LONGEST, RefusalKind, spread};
use super::trouble::{Failing, Misses, Telling, Trouble};
use crate::durable::Dir;
use crate::term::hex;
use credentials::{Refusal, hash, salt_of, secret_tag};
use line::parse;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, Read};

/// What is remembered.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Manners {
    signed_in: Option<i64>,
    login_delay: i64,
    refusal: Option<Refusal>,
    trouble: Option<Trouble>,
    misses: Option<Misses>,
    shortcut: Option<(String, i64)>,
    detour: Option<(String, i64)>,
    idle_lines: Option<i64>,
}

/// Why a server is not to be asked now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Early {
    /// What is waited for.
    pub why: Why,
    /// Seconds until it is over.
    pub left: i64,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// The server wants so many seconds between two sign-ins.
    LoginDelay(i64),
    /// It refused us, then (seconds since 1970).
    Refused(RefusalKind, i64),
}

impl Manners {
    /// What is remembered of an account.
    pub fn read(dir: &Dir, account: &str) -> Self {
        const LONGEST_LINE: u64 = 512;
        let name = Files::of(account).manners;
        let mut line = Vec::new();
        let read = dir
            .read(&name)
            .and_then(|file| file.take(LONGEST_LINE).read_to_end(&mut line));
        read.ok().and_then(|_| parse(&line)).unwrap_or_default()
    }

    /// Writes it down, for the next run. It is not forced to the disk: what is lost costs nothing.
    /// `false` where another process holds the account; that one will write its own.
    pub fn write(&self, dir: &Dir, account: &str) -> io::Result<bool> {
        let files = Files::of(account);
        let lock = dir.open_or_create(&files.lock)?;
        if !lock.try_lock()? {
            return Ok(false);
        }
        self.put(dir, &files.manners, ".new")?;
        Ok(true)
    }

    /// Writes down what was told of the account's failures, and leaves the rest as it is: also while
    /// another process holds it. That one may put what it knows in its place, which costs one line.
    pub fn write_told(&self, dir: &Dir, account: &str) -> io::Result<()> {
        let manners = Self {
            trouble: self.trouble.clone(),
            ..Self::read(dir, account)
        };
        manners.put(dir, &Files::of(account).manners, ".told")
    }

    fn put(&self, dir: &Dir, name: &OsStr, suffix: &str) -> io::Result<()> {
        let mut new = name.to_owned();
        new.push(suffix);
        dir.remove(&new)?;
        dir.create(&new)?.append(&self.line())?;
        dir.replace(&new, name)
    }

    /// What is to be waited for.
    ///
    /// A clock that was set back makes what is remembered lie in the future, and then it means
    /// nothing.
    pub fn early(&self, now: i64, credentials: &Credentials<'_>) -> Option<Early> {
        let left = |time: i64, wait: i64| {
            let end = time.saturating_add(wait.min(LONGEST));
            (time..end).contains(&now).then(|| end - now)
        };
        let delay = self.login_delay;
        let delayed = self.signed_in.and_then(|time| left(time, delay));
        let delayed = delayed.map(|left| Early {
            why: Why::LoginDelay(delay),
            left,
        });
        let refusal = self
            .refusal
            .as_ref()
            .filter(|refusal| !refusal.kind.is_of_credentials() || refusal.is_of(credentials));
        let refused = refusal.and_then(|refusal| {
            Some(Early {
                why: Why::Refused(refusal.kind, refusal.time),
                left: left(refusal.time, refusal.wait)?,
            })
        });
        delayed.into_iter().chain(refused).max_by_key(|it| it.left)
    }

    /// How this server can be signed in to quickly, in a word, and when that was noted.
    pub fn shortcut(&self) -> Option<(&str, i64)> {
        let (word, time) = self.shortcut.as_ref()?;
        Some((word, *time))
    }

    /// Notes it, or forgets it. The word holds no white space.
    pub fn note_shortcut(&mut self, shortcut: Option<(&str, i64)>) {
        self.shortcut = shortcut.map(|(word, time)| (word.to_owned(), time));
    }

    /// What this server must be signed in to by instead of what it announces, in a word, and when
    /// that was noted.
    pub fn detour(&self) -> Option<(&str, i64)> {
        let (word, time) = self.detour.as_ref()?;
        Some((word, *time))
    }

    /// Notes it, or forgets it. The word holds no white space.
    pub fn note_detour(&mut self, detour: Option<(&str, i64)>) {
        self.detour = detour.map(|(word, time)| (word.to_owned(), time));
    }

    /// When it was noted that the server sends lines that say nothing between its answers.
    pub fn idle_lines(&self) -> Option<i64> {
        self.idle_lines
    }

    /// Notes it.
    pub fn note_idle_lines(&mut self, now: i64) {
        self.idle_lines = Some(now);
    }

    /// What the server announces: seconds between two sign-ins, 0 for none.
    pub fn announced(&mut self, login_delay: u32) {
        self.login_delay = i64::from(login_delay).min(LONGEST);
    }

    /// Whether it announces any.
    pub fn has_login_delay(&self) -> bool {
        self.login_delay > 0
    }

    /// A sign-in has worked.
    pub fn let_in(&mut self) {
        self.refusal
            .take_if(|refusal| refusal.kind != RefusalKind::Withheld);
    }

    /// The server has given us what it was asked for.
    pub fn served(&mut self) {
        self.refusal = None;
    }

    /// A session has begun, from which the login delay counts.
    pub fn signed_in(&mut self, now: i64) {
        // Without a delay it is of no use, and would have the file written in each run.
        self.signed_in = (self.login_delay > 0).then_some(now);
    }

    /// The server has refused us. `credentials` are those of [`Manners::early`]; what is kept of
    /// the secret is four bits of a salted hash: enough to notice most changes, and nothing to find it
    /// by. The salt stays while they do, or each refusal would tell four bits more.
    ///
    /// It is left alone for `wanted` seconds at least: what it has asked for, 0 where it has not.
    pub fn refused(
        &mut self,
        now: i64,
        kind: RefusalKind,
        wanted: i64,
        credentials: &Credentials<'_>,
    ) {
        let earlier = self.refusal.as_ref().filter(|earlier| earlier.kind == kind);
        let count = earlier.map_or(0, |earlier| earlier.count).saturating_add(1);
        let same = earlier.filter(|earlier| earlier.is_of(credentials));
        let salt = same.map_or_else(|| salt_of(credentials), |earlier| earlier.salt);
        self.refusal = Some(Refusal {
            kind,
            time: now,
            wait: spread(kind.wait(count), random()).max(wanted).min(LONGEST),
            count,
            salt,
            tag: secret_tag(salt, credentials),
        });
    }

    /// How many times in a row the server has refused us for the last reason.
    pub fn refusals(&self) -> u32 {
        self.refusal.as_ref().map_or(0, |refusal| refusal.count)
    }

    /// Since when runs have failed, where the server lets us in and sends no messages.
    pub fn withheld_since(&self) -> Option<i64> {
        let refusal = self.refusal.as_ref()?;
        let trouble = self.trouble.as_ref()?;
        (refusal.kind == RefusalKind::Withheld).then_some(trouble.since)
    }

    /// A run has failed. What is to be said of it where `once` says that nobody wants to hear the same
    /// each time.
    pub fn failed(&mut self, failing: Failing<'_>, once: bool) -> Telling {
        let (trouble, telling) = Trouble::after(self.trouble.take(), failing, once);
        self.trouble = Some(trouble);
        telling
    }

    /// A run has gone well. Since when the account had failed, where that was told to someone who
    /// hears of it once.
    pub fn worked(&mut self) -> Option<i64> {
        let trouble = self.trouble.take()?;
        trouble.told.map(|_| trouble.since)
    }

    /// A run has gone well but for these, which did not come; the same as for [`Manners::failed`].
    pub fn missed<'a>(
        &mut self,
        now: i64,
        names: impl Iterator<Item = &'a str>,
        once: bool,
    ) -> Telling {
        let word = |name| hex(hash(0, &[name]).get(..3).unwrap_or_default());
        let names: BTreeSet<String> = names.map(word).collect();
        let (misses, telling) = Misses::after(self.misses.take(), now, &names, once);
        self.misses = Some(misses);
        telling
    }

    /// Nothing was passed over. Since when something had been, where that was told.
    pub fn missed_nothing(&mut self) -> Option<i64> {
        let misses = self.misses.take()?;
        misses.told.map(|_| misses.since)
    }
}

#[cfg(test)]
mod tests;
