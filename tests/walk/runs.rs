//! Runs, each of them judged: does the promise hold that a message is never lost and never delivered
//! twice?

use super::disk::{Failing, Fault};
use super::image::Image;
use super::limits::{Departure, Limit};
use super::server::{Log, Maildrop, Update};
use super::tree::{Saved, Tree};
use super::world::{DAY, World};
use popfetch::durable::Disk;
use popfetch::exit::Status;
use popfetch::fetch::{Account, Environment};
use popfetch::profile::{PasswordSource, Policy, Profile, Tls};
use popfetch::report::{Event, Outcome, Report};
use popfetch::secrets::{Credential, Password};
use popfetch::state::Moment;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

/// The promise is broken.
#[derive(Clone, Debug)]
pub struct Broken {
    pub how: How,
    pub text: String,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum How {
    /// Deleted from the server, and not in the Maildir.
    Lost,
    /// On the server for good, and a run says that all is well.
    NotFetched,
    /// More than once in the Maildir, or again although its owner had moved it out.
    Twice,
    /// A file in the Maildir is not what anyone sent.
    Damaged,
    /// A file of the Maildir is gone.
    Vanished,
    /// A run that has no reason to fail fails.
    Failed,
    /// The Maildir was not mounted, and something was done.
    Unmounted,
}

pub type Check<T = ()> = Result<T, Broken>;

fn broken<T>(how: How, text: impl Into<String>) -> Check<T> {
    let text = text.into();
    Err(Broken { how, text })
}

/// What goes wrong in a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trouble {
    /// The connection is cut after so many octets from the server.
    pub cut: Option<usize>,
    /// The disk at this step.
    pub disk: Option<(Fault, usize)>,
}

struct Silent;

impl Report for Silent {
    fn report(&self, _: &str, _: Event<'_>) {}
}

impl World {
    pub fn runs(&mut self, trouble: Trouble) -> Check<Outcome> {
        let before = self.tree();
        *self.server.left.lock().unwrap() = trouble.cut.unwrap_or(usize::MAX);
        self.maildrop().log = Log::default();
        let image = match trouble.disk {
            Some((Fault::PowerCut(..), _)) => Some(Image::read(&self.root)),
            _ => None,
        };
        let failing = trouble
            .disk
            .map(|(fault, at)| Arc::new(Failing::new(fault, at, &self.root)));
        let disk = match &failing {
            Some(failing) => Disk::watched(failing.clone()),
            None => Disk::new(),
        };
        let maildrop = self.maildrop().clone();
        self.history.begins_run(&maildrop);
        let outcome = self.fetches(disk);
        let cut = *self.server.left.lock().unwrap() == 0;
        let failed = failing.as_ref().is_some_and(|failing| failing.is_reached());
        if let (Some(image), Some(failing), true) = (image, failing, failed) {
            failing.cut_power(image);
            self.boots += 1;
        }
        let killed = failed && matches!(trouble.disk, Some((Fault::Kill | Fault::PowerCut(..), _)));
        self.judges(&before, &outcome, cut || failed, killed)?;
        Ok(outcome)
    }

    fn judges(&mut self, before: &Tree, outcome: &Outcome, troubled: bool, killed: bool) -> Check {
        let after = self.tree();
        let maildrop = self.maildrop().clone();
        if let Some(file) = before
            .files
            .keys()
            .find(|file| !after.files.contains_key(*file))
        {
            return broken(How::Vanished, format!("{} is gone", file.display()));
        }
        if !after.whole() {
            return broken(How::Damaged, format!("{:?}", after.files));
        }
        for (serial, was_stored) in &maildrop.log.deleted {
            let is_stored = *was_stored && after.count(*serial) > 0;
            if !is_stored && !self.history.moved_out.contains(serial) {
                return broken(
                    How::Lost,
                    format!("letter {serial} is deleted and not stored"),
                );
            }
        }
        for (serial, count) in after.counts() {
            let most = self.copies.get(&serial).copied().unwrap_or(1);
            if count > most {
                return broken(
                    How::Twice,
                    format!("letter {serial} is there {count} times"),
                );
            }
            if self.history.moved_out.contains(&serial) {
                let departure = Departure::Again(serial);
                match self.history.allowed(departure, &maildrop, self.keep) {
                    Some(limit) => self.meets(limit),
                    None => {
                        let text =
                            format!("letter {serial} comes again, its owner had moved it out");
                        return broken(How::Twice, text);
                    }
                }
                self.history.came_again(serial);
            }
        }
        let said_ok = matches!(outcome.status(), Status::Ok | Status::Partial);
        if !said_ok && !troubled {
            return broken(How::Failed, format!("{outcome:?}"));
        }
        let all = outcome.skipped == 0 && outcome.failed == 0;
        if said_ok && !killed && all && maildrop.log.listed.is_some() {
            self.is_all_fetched(&after, &maildrop)?;
        }
        self.history
            .ends_run(before, &after, &maildrop, said_ok && !troubled, all);
        Ok(())
    }

    fn is_all_fetched(&mut self, after: &Tree, maildrop: &Maildrop) -> Check {
        for message in &maildrop.messages {
            let serial = message.serial;
            if after.count(serial) > 0 || self.history.moved_out.contains(&serial) {
                continue;
            }
            let departure = Departure::NotFetched(message);
            match self.history.allowed(departure, maildrop, self.keep) {
                Some(limit) => self.meets(limit),
                None => {
                    let text = format!("letter {serial}, {}, is not fetched", message.unique_id);
                    return broken(How::NotFetched, text);
                }
            }
        }
        Ok(())
    }

    fn meets(&mut self, limit: Limit) {
        *self.met.entry(limit).or_default() += 1;
    }

    /// A run while the Maildir's disk is not mounted.
    pub fn runs_unmounted(&mut self, lost_and_found: bool) -> Check {
        // An account that never delivered anything begins with an empty directory, rightly.
        if !self.history.knowledge.has_stored {
            return Ok(());
        }
        let (mounted, away) = (self.maildir(), self.root.join("away"));
        fs::rename(&mounted, &away).unwrap();
        fs::create_dir(&mounted).unwrap();
        if lost_and_found {
            fs::create_dir(mounted.join("lost+found")).unwrap();
        }
        let before = Saved::read(&mounted);
        self.maildrop().log = Log::default();
        *self.server.left.lock().unwrap() = usize::MAX;
        let outcome = self.fetches(Disk::new());
        let is_touched = Saved::read(&mounted) != before;
        fs::remove_dir_all(&mounted).unwrap();
        fs::rename(&away, &mounted).unwrap();
        let log = self.maildrop().log.clone();
        if is_touched || !log.deleted.is_empty() || outcome.status() != Status::CannotCreate {
            let text = format!(
                "touched: {is_touched}, deleted: {:?}, {outcome:?}",
                log.deleted
            );
            return broken(How::Unmounted, text);
        }
        Ok(())
    }

    /// Everything is in order again: two runs, of which the second finds nothing to do.
    pub fn ends(&mut self) -> Check {
        self.maildrop().manner.update = Update::Deletes;
        // A unique-id that was used again among estimates is found out, later, once another one was.
        let estimates = self.met.contains_key(&Limit::ReusedAmongEstimates);
        let most = if estimates { 4 } else { 2 };
        // What is old is looked at and deleted a run later where the clock has leapt.
        let most = most + u64::from(matches!(self.keep, popfetch::profile::Keep::For(_)));
        for last in 1..=most {
            // What failed too often is tried once a day.
            self.time += 2 * DAY;
            self.history.now += 1;
            let outcome = self.runs(Trouble::default())?;
            let (after, maildrop) = (self.tree(), self.maildrop().clone());
            self.is_all_fetched(&after, &maildrop)?;
            if last > 1 && outcome.fetched == 0 {
                return Ok(());
            }
            if last == most {
                return broken(
                    How::Twice,
                    format!("the last run still fetches: {outcome:?}"),
                );
            }
        }
        Ok(())
    }

    fn fetches(&self, disk: Disk) -> Outcome {
        let environment = Environment {
            state: self.root.join("state").into(),
            disk,
            stop: self.stop.clone(),
            report: Arc::new(Silent),
            connect: Arc::new(self.server.clone()),
            confined: true,
            at_once: true,
            as_new: false,
            quiet: false,
            room: 256,
            transcript: false,
            moment: Moment {
                now: self.time,
                boot: self.boots.to_string().into(),
            },
        };
        Account {
            profile: &self.profile(),
            credential: Credential::Password(std::borrow::Cow::Owned(Password::new(
                "secret".to_owned(),
            ))),
            addressee: None,
            environment: &environment,
        }
        .fetch()
    }

    fn profile(&self) -> Profile {
        let server = popfetch::profile::Server {
            protocol: popfetch::profile::Protocol::Pop,
            host: "localhost".to_owned(),
            port: 995,
            user: "ada".to_owned(),
        };
        Profile {
            tls: Tls::None,
            password: PasswordSource::Stdin,
            maildir: self.maildir(),
            policy: Policy {
                keep: self.keep,
                ..Policy::default()
            },
            timeout: Duration::from_secs(5),
            ..Profile::new("ada".to_owned(), server)
        }
    }
}
