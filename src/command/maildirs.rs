//! The Maildirs that are read with no connection: those of the accounts, or one that is named.

use super::context::Context;
use super::fail::Failure;
use crate::durable::Disk;
use crate::exit::Status;
use crate::fetch;
use crate::mailbox::{Entry, Error, Places, Which};
use crate::maildir::{AccountTag, UniqueName, leave};
use crate::paths::{self, in_full};
use crate::profile::{Overrides, config_option};
use crate::report::{self, Event, Outcome, Report, Reporter};
use crate::sandbox;
use crate::state::View;
use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::thread;

/// What to do where no account says where mail is.
pub(super) const OF_NO_ACCOUNT: &str = "popfetch setup sets an account up; without one name the Maildir, \
                                        as in popfetch list --maildir ~/Mail/ada";

/// What to do where an account's Maildir is not there.
fn where_it_is(id: &str, word: &str) -> String {
    let view = paths::state_dir().map(|directory| View::read(&directory, id));
    match view {
        Ok(Ok(view)) if view.is_first() => {
            format!("nothing was fetched into it yet: popfetch fetch {word}")
        }
        Ok(Ok(view)) if view.has_stored_nothing() => {
            "nothing was fetched into it yet: it is made with the first mail".to_owned()
        }
        _ => format!(
            "mail was fetched before: if its disk is not mounted, mount it. Otherwise popfetch fetch {word} makes it, \
             where `maildir` is another one since, and says what can be done where it is lost"
        ),
    }
}

/// What can be read, and whose it is.
pub(super) struct Maildirs {
    pub(super) places: Places,
    /// The accounts by their names, in the order of the config file, and what keeps one from being read.
    pub(super) accounts: Vec<(String, Result<(), report::Failure>)>,
    /// Those of them of which nobody was told yet.
    untold: Vec<String>,
    /// Accounts without a Maildir of which messages wait to be handed on, and how many.
    pub(super) waiting: Vec<(String, u64)>,
    /// Who delivers to each Maildir, in the order in which they were added.
    owners: Vec<Vec<(String, AccountTag)>>,
}

impl Maildirs {
    /// Opens the Maildirs of these accounts, or `maildir` where no account is named. What is wrong with
    /// one keeps no other from being read; see [`Self::tell`].
    pub(super) fn open(
        context: &Context<'_>,
        accounts: &[String],
        maildir: Option<&Path>,
        which: &Which,
        report: &Reporter,
    ) -> Result<Self, Failure> {
        let disk = Disk::new();
        let mut maildirs = Self {
            places: Places::default(),
            accounts: Vec::new(),
            untold: Vec::new(),
            waiting: Vec::new(),
            owners: Vec::new(),
        };
        if let (Some(maildir), true) = (maildir, accounts.is_empty()) {
            let added = maildirs.places.add(&disk, maildir, which);
            added.map_err(|error| match error {
                Error::NoMaildir(_) => Failure::from(error)
                    .with_hint("name the Maildir itself: the directory that has new and cur in it"),
                error => error.into(),
            })?;
            maildirs.owners.push(Vec::new());
            return Ok(maildirs);
        }
        let overrides = Overrides {
            maildir: maildir.map(Path::to_owned),
            ..Overrides::default()
        };
        let config = config_option(context.global.config.as_deref().map(in_full).as_deref());
        let told = |error: &Error| {
            let failure = fetch::failure(error);
            // What is told to be typed reads the same file.
            let hint = failure
                .hint
                .map(|hint| hint.replace("popfetch list", &format!("popfetch list{config}")));
            report::Failure { hint, ..failure }
        };
        let mut known: HashMap<PathBuf, usize> = HashMap::new();
        let mut with_nothing = Vec::new();
        let selected = context.selected(accounts, &overrides, report);
        // Of mail that is here no server need be known.
        let selected = selected.map_err(|failure| failure.or_without_accounts(OF_NO_ACCOUNT))?;
        for (name, profile) in selected {
            let profile = match profile {
                Ok(profile) => profile,
                Err(failure) => {
                    maildirs.accounts.push((name, Err(failure)));
                    continue;
                }
            };
            if !profile.has_maildir() {
                // What cannot be counted is told by the run that hands it on.
                let waiting = leave::count(&disk, &profile.maildir).unwrap_or_default();
                if waiting > 0 {
                    maildirs.waiting.push((name.clone(), waiting));
                }
                let error = Error::PassesThrough;
                // With others it has nothing to show; who names it is told so.
                let result = match accounts.is_empty() {
                    true => {
                        with_nothing.push((name.clone(), error));
                        Ok(())
                    }
                    false => {
                        maildirs.untold.push(name.clone());
                        Err(fetch::failure(&error))
                    }
                };
                maildirs.accounts.push((name, result));
                continue;
            }
            let id = profile.server.id();
            let owner = (name.clone(), AccountTag::new(&id));
            let word = profile.word();
            let mut paths = profile.earlier_maildirs();
            paths.push(profile.maildir);
            let mut results = Vec::with_capacity(paths.len());
            for path in paths {
                if let Some(owners) = known.get(&path).and_then(|at| maildirs.owners.get_mut(*at)) {
                    owners.push(owner.clone());
                    results.push(Ok(()));
                    continue;
                }
                let added = maildirs.places.add(&disk, &path, which);
                if added.is_ok() {
                    known.insert(path, maildirs.owners.len());
                    maildirs.owners.push(vec![owner.clone()]);
                }
                results.push(added);
            }
            // A year that has brought no mail yet has no Maildir either.
            let any = results.iter().any(Result::is_ok);
            let is_absent = |added: &Result<(), Error>| {
                matches!(added, Err(Error::NoMaildir(_) | Error::NoFolder { .. }))
            };
            results.retain(|added| !(any && is_absent(added)));
            let result = match results.into_iter().find(Result::is_err) {
                None => Ok(()),
                // Where another account has the folder, this one has nothing in it.
                Some(Err(error @ Error::NoFolder { .. })) => {
                    with_nothing.push((name.clone(), error));
                    Ok(())
                }
                Some(Err(error @ Error::NoMaildir(_))) => Err(report::Failure {
                    hint: Some(where_it_is(&id, &word)),
                    ..told(&error)
                }),
                Some(added) => added.map_err(|error| told(&error)),
            };
            if result.is_err() {
                maildirs.untold.push(name.clone());
            }
            maildirs.accounts.push((name, result));
        }
        if maildirs.owners.is_empty() {
            for (name, error) in with_nothing {
                let failure = told(&error);
                maildirs.untold.push(name.clone());
                let found = maildirs.accounts.iter_mut().find(|(it, _)| *it == name);
                if let Some((_, result)) = found {
                    *result = Err(failure);
                }
            }
        }
        Ok(maildirs)
    }

    /// Reports what keeps accounts from being read.
    pub(super) fn tell(&self, report: &Reporter) {
        for (name, result) in &self.accounts {
            if let Err(failure) = result
                && self.untold.contains(name)
            {
                let outcome = Outcome {
                    failure: Some(failure.clone()),
                    ..Outcome::default()
                };
                report.report(name, Event::Finished(&outcome));
            }
        }
        report.clear();
    }

    /// Whether there are messages of more than one account, so that it has to be said whose one is.
    pub(super) fn are_several(&self) -> bool {
        let mut names = self.owners.iter().flatten().map(|(name, _)| name);
        let first = names.next();
        names.any(|name| Some(name) != first)
    }

    /// Whose message this is: of several that deliver to a Maildir the one that its name says, or the
    /// first.
    pub(super) fn owner_of(&self, entry: &Entry) -> Option<&str> {
        let place = self.places.all.get(entry.place)?;
        let owners = self.owners.get(place.maildir)?;
        let tag = match owners.len() {
            0 | 1 => None,
            _ => UniqueName::parse(&entry.name).and_then(|name| name.tag()),
        };
        let by_tag = owners.iter().find(|(_, it)| Some(*it) == tag);
        by_tag.or(owners.first()).map(|(name, _)| name.as_str())
    }

    /// The folder that a message lies in.
    pub(super) fn folder_of(&self, entry: &Entry) -> Option<&str> {
        self.places.all.get(entry.place)?.folder.as_deref()
    }

    /// Does `work` where nothing can be read but these Maildirs, and nothing be written.
    pub(super) fn confined<T: Send>(
        &self,
        work: impl FnOnce(&Places) -> T + Send,
    ) -> Result<T, Failure> {
        let readable: Vec<_> = self.places.all.iter().map(|it| it.dir.as_fd()).collect();
        confined(&readable, || work(&self.places))
    }
}

/// Does `work` in a thread that can read nothing but what is `readable`, or open already, and writes
/// nothing: it is for octets that anybody may have sent.
pub(super) fn confined<T: Send>(
    readable: &[BorrowedFd<'_>],
    work: impl FnOnce() -> T + Send,
) -> Result<T, Failure> {
    let done = thread::scope(|scope| {
        let work = || {
            // Best effort, as everywhere.
            sandbox::confine(&[], &[], readable);
            work()
        };
        match thread::Builder::new().spawn_scoped(scope, work) {
            Ok(thread) => thread.join().ok(),
            Err(_) => None,
        }
    });
    done.ok_or_else(|| {
        Failure::new(
            Status::Internal,
            "popfetch failed while it was reading",
            "another program may be able to read it; nothing was changed",
        )
    })
}
