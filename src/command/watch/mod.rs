//! `popfetch watch`: stays in the foreground, and has each account fetched when it is due.
//!
//! This process signs in nowhere and touches no mail. It reads the config, keeps the time, and starts the
//! program anew for each account ([`round`]), so that no fault of one fetch outlives it. Whoever stays with a
//! server to hear when mail comes is a process of its own, too ([`listeners`]).

mod health;
mod listeners;
mod round;
mod schedule;
mod service;
mod ways;

use super::context::{Context, stop_on_signals};
use super::fail::{Failure, print};
use crate::cli::Watch;
use crate::durable::Disk;
use crate::exit::{Status, scarcity};
use crate::paths;
use crate::profile::{Config, ConfigError, Overrides, select};
use crate::state;
use crate::stop::Stop;
use crate::stop::calls::Calls;
use crate::system::uptime as now;
use crate::term::{columns, escape_str, without_numbers, wrap};
use health::{BEAT, Found, Health, State};
use listeners::Listeners;
use round::{Rounds, Text};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use schedule::Schedule;
use service::Service;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, IsTerminal, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ways::{NAMED, Way};

/// Which watch it is: what its command line says.
struct Which<'a> {
    /// The config file that was named, in full.
    config: Option<PathBuf>,
    arguments: &'a Watch,
}

/// Runs the command.
pub(super) fn run(context: &Context<'_>, arguments: &Watch) -> Result<Status, Failure> {
    let which = Which {
        config: context.global.config.as_deref().map(paths::in_full),
        arguments,
    };
    if let Some(url) = arguments.accounts.iter().find(|it| it.contains("://")) {
        let url = crate::profile::without_password(url);
        return Err(Failure::new(
            Status::Usage,
            format!("{url} is no account of the config file, and a watch is of such alone"),
            "set one up, by popfetch setup",
        ));
    }
    match arguments.status {
        true => status(context, &which),
        false => watch(context, &which),
    }
}

/// `--status`.
fn status(context: &Context<'_>, which: &Which<'_>) -> Result<Status, Failure> {
    let directory = paths::state_dir()?;
    let found = Found::look(&directory, which, now()).map_err(|error| {
        let text = format!("cannot see how the watch is: {error}");
        Failure::new(Status::Partial, text, "")
    })?;
    if found == Found::Nothing && !which.arguments.accounts.is_empty() {
        // A name that no account has is a slip, and no watch that has ended.
        Setting::read(context, which, false)?;
    }
    if !context.global.quiet {
        for (at, line) in found.lines().iter().enumerate() {
            let indent = if at == 0 { "" } else { "  " };
            print(wrap(indent, line, columns(io::stdout())) + "\n")?;
        }
        if found == Found::Nothing
            && let Err(failure) = Setting::read(context, which, false)
            && failure.is_of_no_accounts()
        {
            print(format!("{}: popfetch setup sets one up\n", failure.text()))?;
        }
        if found == Found::Nothing && of_all(&directory, which) {
            print("a watch of all accounts is: popfetch watch --status\n")?;
        }
    }
    Ok(match found {
        Found::Well(_) => Status::Ok,
        Found::Nothing | Found::Silent { .. } => Status::Partial,
    })
}

/// Whether what runs in place of a watch of some accounts is one of all.
fn of_all(directory: &Path, which: &Which<'_>) -> bool {
    if which.arguments.accounts.is_empty() || which.config.is_some() {
        return false;
    }
    let all = Watch {
        accounts: Vec::new(),
        shard: None,
        ..which.arguments.clone()
    };
    let all = Which {
        config: None,
        arguments: &all,
    };
    let found = Found::look(directory, &all, now());
    found.is_ok_and(|found| found != Found::Nothing)
}

fn watch(context: &Context<'_>, which: &Which<'_>) -> Result<Status, Failure> {
    // Who keeps a terminal open wants it to end with it; a daemon's is long gone.
    let ends_with_terminal = io::stderr().is_terminal();
    let setting = Setting::read(context, which, false)?;
    let stop = stop_on_signals()?;
    if ends_with_terminal {
        let heard = stop.hear_hangup();
        heard.map_err(|error| scarce("handle signals", &error))?;
    }
    let calls = Calls::on_signals().map_err(|error| scarce("handle signals", &error))?;
    let alarm = Alarm::new().map_err(|error| scarce("keep the time", &error))?;
    let directory = paths::state_dir()?;
    let directory = state::open_directory(&Disk::new(), &directory)?;
    let health = Health::take(&directory, which, now());
    let health = health.map_err(|error| scarce("write beside the states", &error))?;
    let health = health.map_err(|pid| {
        let process = pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
        Failure::new(
            Status::Temporary,
            format!("another popfetch watch of these accounts runs already{process}"),
            "popfetch watch --status says how it is",
        )
    })?;
    let service = Service::of_environment();
    let mut watch = Watching {
        context,
        which,
        rounds: Rounds::new(context.global)
            .map_err(|error| scarce("find the program's own file", &error))?,
        schedule: Schedule::default(),
        listeners: Listeners::default(),
        text: setting.text,
        beat: service.watchdog.map_or(BEAT, |time| BEAT.min(time / 2)),
        last_beat: None,
        shown: State::default(),
        health,
        service,
    };
    watch.schedule.watch(setting.accounts, now());
    watch.listeners.watch(setting.tellers);
    if !context.global.quiet {
        watch.say(&(watch.state().line() + "; Ctrl-C or SIGTERM ends it"));
    }
    watch.service.ready();
    while stop.requested().is_none() {
        let heard = calls.heard();
        if heard.hangup && stop.requested().is_none() {
            watch.reload(&stop);
        }
        if heard.now {
            watch.schedule.all_now(now());
        }
        watch.turn();
        alarm.wait(watch.wakes(), &stop, &calls, &watch.listeners);
    }
    watch.service.stopping();
    watch.listeners.ask_to_end();
    watch.rounds.end();
    watch.listeners.end();
    // To be ended is how it ends.
    Ok(Status::Ok)
}

/// What a watch goes by.
struct Setting {
    text: Text,
    accounts: Vec<(String, Duration)>,
    /// Those of them whose servers may say by themselves that mail has come.
    tellers: BTreeSet<String>,
}

impl Setting {
    /// Reads the config. What is wrong with an account alone is told and leaves the others alone, unless
    /// all are to be `sound`.
    fn read(context: &Context<'_>, which: &Which<'_>, sound: bool) -> Result<Self, Failure> {
        let Watch {
            accounts, shard, ..
        } = which.arguments;
        let config = Config::find(which.config.as_deref(), accounts)?;
        let overrides = Overrides {
            shard: *shard,
            ..Overrides::default()
        };
        let (mut good, mut tellers, mut bad) = (Vec::new(), BTreeSet::new(), None::<ConfigError>);
        let selected = select(&config, accounts, &overrides)?;
        let none = selected.is_empty() && shard.is_none();
        for (name, profile) in selected {
            let profile = profile.and_then(|profile| match profile.writes_to_stdout() {
                true => Err(ConfigError::CommandLine {
                    message: format!(
                        "{name}: a watch has no standard output for mail (mbox = \"-\")"
                    ),
                    hint: "name a file in `deliver`, or the accounts that are to be watched".into(),
                }),
                false => Ok(profile),
            });
            match profile {
                Ok(profile) => {
                    if profile.server.protocol.tells_of_mail() && profile.folders.have_inbox() {
                        tellers.insert(name.clone());
                    }
                    good.push((name, profile.every));
                }
                Err(error) if sound => return Err(error.into()),
                Err(error) => {
                    if let Some(earlier) = bad.replace(error) {
                        tell(context, &earlier.into());
                    }
                }
            }
        }
        match bad {
            Some(error) if good.is_empty() => return Err(error.into()),
            Some(error) => tell(context, &error.into()),
            None if none => {
                return Err(Failure::new(
                    Status::Config,
                    "all accounts are disabled",
                    "name the account to be watched, or remove `disabled` from its profile",
                ));
            }
            None => {}
        }
        let text = Text::of(config.text()).map_err(|error| scarce("keep the config", &error))?;
        Ok(Self {
            text,
            accounts: good,
            tellers,
        })
    }
}

/// A watch that runs.
struct Watching<'a> {
    context: &'a Context<'a>,
    which: &'a Which<'a>,
    rounds: Rounds,
    schedule: Schedule,
    listeners: Listeners,
    text: Text,
    beat: Duration,
    last_beat: Option<Duration>,
    /// What was told last.
    shown: State,
    health: Health,
    service: Service,
}

impl Watching<'_> {
    /// Reads the config anew; with one that is broken all stays as it was.
    fn reload(&mut self, stop: &Stop) {
        self.service.reloading();
        match Setting::read(self.context, self.which, true) {
            Ok(setting) => {
                self.text = setting.text;
                self.schedule.watch(setting.accounts, now());
                self.listeners.watch(setting.tellers);
                if !self.context.global.quiet {
                    self.say(&format!("the config is read anew; {}", self.state().line()));
                }
            }
            // That is why it could not be read.
            Err(_) if stop.requested().is_some() => {}
            Err(failure) => {
                tell(self.context, &failure);
                self.say("the config stays as it was when it was last read");
            }
        }
        self.service.ready();
    }

    /// Notes who has ended, starts who is due, and says how all that is.
    fn turn(&mut self) {
        for (name, status) in self.rounds.ended() {
            if status.is_none() {
                self.say(&format!("{}: its fetch was killed", escape_str(&name)));
            }
            // 128 and more is what a shell would make of a signal.
            let status = status.or(Some(128));
            self.schedule.ended(&name, status, now(), spread());
        }
        for name in self.listeners.hear(now(), spread) {
            self.schedule.has_mail(&name, now());
        }
        while self.rounds.len() < usize::from(self.which.arguments.jobs.0)
            && let Some(name) = self.schedule.start(now())
        {
            let config = self.which.config.as_ref();
            if let Err(error) = self.rounds.start(&name, &self.text, config) {
                let error = without_numbers(&error.to_string());
                self.say(&format!(
                    "{}: cannot start its fetch: {error}",
                    escape_str(&name)
                ));
                let status = i32::from(Status::Temporary.code());
                self.schedule.ended(&name, Some(status), now(), spread());
            }
        }
        let schedule = &self.schedule;
        let whole = (&self.rounds, &self.text, self.which.config.as_ref());
        self.listeners
            .start(now(), spread, |name| schedule.gets_through(name), whole);
        self.tell_state();
    }

    fn tell_state(&mut self) {
        let (state, now) = (self.state(), now());
        let is_due = self.last_beat.is_none_or(|last| now >= last + self.beat);
        if !is_due && state == self.shown {
            return;
        }
        self.service.is_alive();
        if self.last_beat.is_none() || state != self.shown {
            self.service.status(&state.line());
        }
        // Where that fails, who asks hears that it hangs; the watch goes on, and tries again.
        let _ = self.health.beat(&state, now);
        self.last_beat = Some(now);
        self.shown = state;
    }

    fn state(&self) -> State {
        let failing = self.schedule.failing();
        let names: Vec<_> = failing.take(NAMED).map(str::to_owned).collect();
        State {
            accounts: self.schedule.len(),
            running: self.schedule.running(),
            failing: self.schedule.failing().count(),
            names,
            ways: Way::of(self.schedule.intervals(), &self.listeners.told()),
        }
    }

    /// When there is something to do at the latest.
    fn wakes(&self) -> Duration {
        let beat = self.last_beat.unwrap_or_default() + self.beat;
        // With all places taken it is an end that wakes.
        let is_full = self.rounds.len() >= usize::from(self.which.arguments.jobs.0);
        let due = self.schedule.next().filter(|_| !is_full);
        let listener = self.listeners.next(|name| self.schedule.gets_through(name));
        [due, listener]
            .into_iter()
            .flatten()
            .fold(beat, Duration::min)
    }

    fn say(&self, text: &str) {
        let line = wrap("", text, columns(io::stderr())) + "\n";
        // Nobody is left to be told that this could not be printed.
        let _ = io::stderr().write_all(line.as_bytes());
    }
}

/// Wakes at a time of the clock that goes on while the machine sleeps.
struct Alarm(OwnedFd);

impl Alarm {
    fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        Ok(Self(timerfd_create(TimerfdClockId::Boottime, flags)?))
    }

    /// Waits until then, or until there is something to hear.
    fn wait(&self, until: Duration, stop: &Stop, calls: &Calls, listeners: &Listeners) {
        // Zero would switch it off.
        let until = until.max(Duration::from_nanos(1));
        let none = Timespec::default();
        let at = Itimerspec {
            it_interval: none,
            it_value: Timespec::try_from(until).unwrap_or(none),
        };
        let set = timerfd_settime(&self.0, TimerfdTimerFlags::ABSTIME, &at);
        // Set anew with every wait, it is readable until then if it has gone off.
        let mut watched = vec![stop.poll_fd(), calls.poll_fd()];
        watched.push(PollFd::new(&self.0, PollFlags::IN));
        watched.extend(listeners.poll_fds());
        let a_second = Timespec::try_from(Duration::from_secs(1)).ok();
        let limit = a_second.filter(|_| set.is_err());
        // Interrupted by a signal: whoever waits looks anyway.
        let _ = poll(&mut watched, limit.as_ref());
    }
}

/// From 0 to 1, by the standard library's own source of randomness; nothing secret hangs on it.
fn spread() -> f64 {
    f64::from(u16::try_from(RandomState::new().hash_one(0) & 0xffff).unwrap_or_default())
        / f64::from(u16::MAX)
}

fn tell(context: &Context<'_>, failure: &Failure) {
    let text = failure.render(context.paint());
    let _ = io::stderr().write_all(text.as_bytes());
}

fn scarce(what: &str, error: &io::Error) -> Failure {
    Failure::new(
        Status::Temporary,
        format!("cannot {what}: {error}"),
        scarcity(error).unwrap_or("try again"),
    )
}
