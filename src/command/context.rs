//! What several commands need: the config, the report, the passwords, the environment.

use super::fail::Failure;
use super::ready::{Prepared, Ready, report_unready};
use crate::cli::{Global, SignIn};
use crate::durable::Disk;
use crate::exit::{Diagnose, Status, scarcity};
use crate::fetch::{self, Environment, Network};
use crate::paths;
use crate::profile::providers;
use crate::profile::units::Period;
use crate::profile::{Config, ConfigError, Overrides, PasswordSource, Profile, Told, select};
use crate::report::{self, Event, Format, Options, Outcome, Report, Reporter};
use crate::secrets;
use crate::state::Moment;
use crate::stop::{Reason, Stop};
use crate::term::Paint;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// What holds for every command.
pub(super) struct Context<'a> {
    pub(super) global: &'a Global,
    pub(super) format: Format,
}

/// An account's name, and its profile or what is wrong with it.
pub(super) type Selected = (String, Result<Profile, report::Failure>);

impl<'a> Context<'a> {
    pub(super) fn new(global: &'a Global) -> Self {
        let format = match global.null {
            true => Format::Paths,
            false => global.format,
        };
        Self { global, format }
    }

    /// Colours for stderr.
    pub(super) fn paint(&self) -> Paint {
        self.paint_for(io::stderr().is_terminal())
    }

    /// Colours for another stream.
    pub(super) fn paint_for(&self, is_terminal: bool) -> Paint {
        self.global.color.paint(is_terminal)
    }

    pub(super) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// The config, as far as these accounts need one.
    pub(super) fn config(&self, accounts: &[String]) -> Result<Config, Failure> {
        let named = self.global.config.as_deref();
        if self.global.config_on_stdin {
            return Ok(Config::read_before(named, io::stdin().as_fd())?);
        }
        Ok(Config::find(named, accounts)?)
    }

    /// One account by its name or URL.
    pub(super) fn profile(&self, name: &str, overrides: &Overrides) -> Result<Profile, Failure> {
        let names = [name.to_owned()];
        let config = self.config(&names)?;
        let mut selected = select(&config, &names, overrides)?.into_iter();
        match selected.next() {
            Some((_, profile)) => Ok(profile?),
            None => Err(ConfigError::UnknownAccount {
                name: name.to_owned(),
                known: Vec::new(),
            }
            .into()),
        }
    }

    /// Overrides for commands that sign in and store nothing.
    pub(super) fn look_overrides(sign_in: &SignIn) -> Overrides {
        Overrides {
            auth: sign_in.auth,
            password: sign_in.password_stdin.then_some(PasswordSource::Stdin),
            tls_roots: sign_in.tls_roots.clone(),
            tls_pins: sign_in.tls_pin.clone(),
            timeout: sign_in.timeout.map(Period::duration),
            stores_nothing: true,
            ..Overrides::default()
        }
    }

    /// Whether servers are asked whatever they said about waiting: a person wants it who says so,
    /// or who sits at a terminal and names the accounts.
    pub(super) fn at_once(&self, now: bool, accounts: &[String]) -> bool {
        now || (secrets::can_ask() && !self.global.quiet && !accounts.is_empty())
    }

    /// The accounts, with the passwords that persons are asked for, one after another before any
    /// work begins; the others are got in the accounts' own threads.
    /// What is wrong with one is reported, and keeps no other from being worked on. Ctrl-C at the
    /// question for a password ends the whole run.
    pub(super) fn ready(
        &self,
        accounts: &[String],
        overrides: &Overrides,
        report: &Reporter,
    ) -> Result<Prepared, Failure> {
        let mut prepared = Prepared {
            stores_nothing: overrides.stores_nothing,
            ..Prepared::default()
        };
        for (name, profile) in self.selected(accounts, overrides, report)? {
            let profile = match profile {
                Ok(profile) => profile,
                Err(failure) => {
                    prepared.failed.push((name, failure));
                    continue;
                }
            };
            let failure = match providers::check_server(&profile.server) {
                Err(error) => self.report_unready(report, &profile, &error, overrides),
                Ok(()) => match Ready::later(profile) {
                    Ok(ready) => {
                        prepared.ready.push(ready);
                        continue;
                    }
                    Err(failed) if failed.1.status() == Status::Interrupted => {
                        return Err(Failure::of(failed.1));
                    }
                    Err(failed) => {
                        self.report_unready(report, &failed.0, failed.1.as_ref(), overrides)
                    }
                },
            };
            prepared.failed.push((name, failure));
        }
        Ok(prepared)
    }

    fn report_unready(
        &self,
        report: &Reporter,
        profile: &Profile,
        error: &dyn Diagnose,
        overrides: &Overrides,
    ) -> report::Failure {
        let says_little = self.global.quiet && !overrides.stores_nothing;
        let state = paths::state_dir().ok().filter(|_| says_little);
        report_unready(report, state.as_deref(), profile, error)
    }

    /// The accounts' profiles. What is wrong with one is reported, and keeps no other from being
    /// worked on.
    pub(super) fn selected(
        &self,
        accounts: &[String],
        overrides: &Overrides,
        report: &Reporter,
    ) -> Result<Vec<Selected>, Failure> {
        let config = self.config(accounts)?;
        let selected = select(&config, accounts, overrides)?;
        if selected.is_empty() && overrides.shard.is_none() {
            return Err(Failure::new(
                Status::Config,
                "all accounts are disabled",
                "name the account to be worked on, or remove `disabled` from its profile",
            ));
        }
        let mut told = Told::default();
        let selected = selected.into_iter().map(|(name, profile)| {
            let profile =
                profile.map_err(|error| self.report_config(report, &name, &error, &mut told));
            if let Some(profile) = profile.as_ref().ok().filter(|it| config.is_beside(it)) {
                let text = format!(
                    "the Maildir is {}, beside the config file, because it is there already; other \
                     relative paths are in your home directory: write this one in full",
                    profile.maildir.display()
                );
                report.report(&name, Event::Notice(&text));
            }
            (name, profile)
        });
        Ok(selected.collect())
    }

    /// A fault with a place in the config file is shown with that place; a program gets the
    /// account's event all the same.
    fn report_config(
        &self,
        report: &Reporter,
        name: &str,
        error: &ConfigError,
        told: &mut Told,
    ) -> report::Failure {
        let outcome = Outcome {
            failure: Some(fetch::failure(error)),
            ..Outcome::default()
        };
        let mut text = error.render_beside(self.paint(), told);
        if !text.is_empty() {
            text.push('\n');
        }
        report.report_unstarted(name, &outcome, &text);
        fetch::failure(error)
    }

    /// The report of a fetch.
    pub(super) fn reporter(&self) -> Arc<Reporter> {
        self.reporter_with(self.format, true)
    }

    /// The report of a command that writes its own data: for people only.
    pub(super) fn text_reporter(&self) -> Arc<Reporter> {
        self.reporter_with(Format::Text, false)
    }

    fn reporter_with(&self, format: Format, queued: bool) -> Arc<Reporter> {
        Arc::new(Reporter::new(Options {
            format,
            null: self.global.null,
            quiet: self.global.quiet,
            verbosity: self.global.verbose,
            progress: !self.global.no_progress,
            queued,
            color: self.global.color,
        }))
    }

    /// The environment for working on accounts. From here on signals are handled: call it after
    /// the last prompt, which a signal should simply end.
    pub(super) fn environment(&self, report: &Arc<Reporter>) -> Result<Environment, Failure> {
        self.environment_as(report, Arc::clone(report) as Arc<dyn Report>)
    }

    /// The same where what happens is told to somebody else than whoever shows it.
    pub(super) fn environment_as(
        &self,
        screen: &Arc<Reporter>,
        report: Arc<dyn Report>,
    ) -> Result<Environment, Failure> {
        let stop = stop_on_signals()?;
        say_when_stopping(screen, &stop);
        self.environment_with(stop, report)
    }

    /// The same, with another stop.
    pub(super) fn environment_with(
        &self,
        stop: Stop,
        report: Arc<dyn Report>,
    ) -> Result<Environment, Failure> {
        Ok(Environment {
            state: paths::state_dir()?.into(),
            disk: Disk::new(),
            stop,
            report,
            connect: Arc::new(Network),
            confined: true,
            at_once: true,
            as_new: false,
            quiet: self.global.quiet,
            room: 256,
            transcript: self.global.verbose >= 2,
            moment: Moment::now(),
        })
    }
}

/// A stop that SIGINT and SIGTERM ask for from here on.
pub(super) fn stop_on_signals() -> Result<Stop, Failure> {
    Stop::on_signals().map_err(|error| {
        Failure::new(
            Status::Temporary,
            format!("cannot handle signals: {error}"),
            scarcity(&error).unwrap_or("try again"),
        )
    })
}

/// No run takes longer, or nobody waits for it.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Tells a person who has pressed Ctrl-C that it was heard: what is under way has some time to end.
fn say_when_stopping(screen: &Arc<Reporter>, stop: &Stop) {
    if !screen.is_watched() {
        return;
    }
    let (screen, stop) = (Arc::clone(screen), stop.clone());
    // Where there is no thread to be had it goes without saying.
    let _ = thread::Builder::new().spawn(move || {
        if stop.wait(A_DAY) == Some(Reason::Interrupt) {
            screen.stopping();
        }
    });
}
