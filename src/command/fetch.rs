//! `popfetch fetch`: new mail of several accounts at once.

use super::context::Context;
use super::dry_run;
use super::fail::Failure;
use super::habits::taken_for_an_account;
use super::on_new::Hooks;
use super::ready::Prepared;
use super::stranded;
use crate::cli::Fetch;
use crate::exit::Status;
use crate::profile::draft;
use crate::profile::units::{Octets, Period};
use crate::profile::{Keep, Order, Overrides, PasswordSource};
use crate::report::{Format, Place, Report};
use crate::stop::Reason;
use crate::term::quoted;
use rustix::fs::{fstat, stat};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::sync::Arc;

/// Runs the command.
pub(super) fn run(context: &Context<'_>, arguments: &Fetch) -> Result<Status, Failure> {
    if let Some((value, failure)) = taken_for_an_account(arguments) {
        match context.config(&arguments.accounts) {
            Ok(config) if config.accounts().any(|it| it == value) => {}
            Err(other) if !other.is_of_no_accounts() => return Err(other),
            _ => return Err(failure),
        }
    }
    let overrides = overrides(arguments);
    if arguments.dry_run {
        return dry_run::run(context, arguments, &overrides);
    }
    let report = context.reporter();
    let prepared = context.ready(&arguments.accounts, &overrides, &report)?;
    stranded::tell(context, &*report);
    check_stdout(context, &prepared)?;
    let told = Arc::clone(&report) as Arc<dyn Report>;
    let mut environment = context.environment(&report)?;
    let jobs = usize::from(arguments.jobs.0);
    let profiles = prepared.ready.iter().map(|ready| &ready.profile);
    let hooks = Hooks::new(&told, &environment.stop, profiles, jobs);
    if let Some(hooks) = &hooks {
        environment.report = Arc::clone(hooks) as Arc<dyn Report>;
    }
    environment.at_once = context.at_once(arguments.now, &arguments.accounts);
    environment.as_new = arguments.as_new;
    if let Some(time) = arguments.max_time {
        let limited = environment.stop.after(time.duration());
        limited.map_err(|error| {
            Failure::new(
                Status::Temporary,
                format!("--max-time takes a thread, and there is none to be had: {error}"),
                "raise the limit of processes (ulimit -u), or leave --max-time out",
            )
        })?;
    }
    for ready in &prepared.ready {
        let profile = &ready.profile;
        let is_made = !profile.maildir.join("new").is_dir();
        // What only passes through is nowhere that a person would look.
        if profile.has_maildir() {
            let place = Place {
                path: profile.maildir.clone(),
                shown: draft::shown(&profile.maildir),
                is_made,
                list: format!("popfetch list {} --all-folders", profile.word_to_read()),
            };
            report.delivers_to(&profile.name, place);
        }
    }
    let results = prepared.each(jobs, &environment, |account| {
        let outcome = account.fetch();
        if let Some(hooks) = &hooks {
            hooks.fetched(account, &outcome);
        }
        outcome.status()
    });
    let stopped = hooks.as_ref().and_then(|hooks| hooks.finish());
    let failed = prepared.failed.iter().map(|(_, failure)| failure.status);
    let fetched = results.into_iter().map(|result| match result {
        Some(Ok(status)) => status,
        Some(Err(failure)) => failure.status,
        None => Status::Internal,
    });
    let stopped = stopped.map(Reason::status);
    let all = failed.chain(fetched).chain(stopped);
    let status = all.fold(Status::Ok, Status::worst);
    Ok(report.finish(status, &environment.stop))
}

/// Whether what is written there is thrown away. A program that is started without a standard output has this
/// in its place.
fn is_nowhere(out: &impl AsFd) -> bool {
    let null = stat("/dev/null").map(|it| it.st_rdev);
    fstat(out).is_ok_and(|it| it.st_rdev != 0 && Ok(it.st_rdev) == null)
}

/// Fails where mail is written to standard output that is no place for it.
fn check_stdout(context: &Context<'_>, prepared: &Prepared) -> Result<(), Failure> {
    let all = prepared.ready.iter().map(|ready| &ready.profile);
    let Some(profile) = all.clone().find(|it| it.writes_to_stdout()) else {
        return Ok(());
    };
    let (wrong, hint) = if all.count() + prepared.failed.len() > 1 {
        (
            "standard output takes the mail of one account",
            "name the account: popfetch fetch NAME",
        )
    } else if context.format != Format::Text {
        (
            "standard output cannot have the report as well",
            "leave out --format and -0",
        )
    } else if !profile.has_maildir() && profile.policy.keep != Keep::Always {
        (
            "nobody knows what becomes of mail on standard output, so that nothing is deleted for it",
            "leave out `keep`, or name a Maildir for the account as well (`maildir`)",
        )
    } else if is_nowhere(&io::stdout()) {
        (
            "standard output is closed or /dev/null, so that the mail would be nowhere",
            "send it on, as in popfetch fetch NAME > new.mbox",
        )
    } else if io::stdout().is_terminal() {
        (
            "mail is not written to a terminal as it is",
            "send it on, as in popfetch fetch NAME > new.mbox",
        )
    } else {
        return Ok(());
    };
    Err(Failure::new(
        Status::Config,
        format!("{}: {wrong} (mbox = \"-\")", profile.name),
        hint,
    ))
}

fn overrides(arguments: &Fetch) -> Overrides {
    // Each by its name, so that no new one is forgotten in what a person is told to type.
    let Fetch {
        accounts: _,
        dry_run,
        keep,
        delete,
        delete_after,
        maildir,
        max_size,
        latest,
        newest_first,
        jobs: _,
        shard,
        now,
        as_new: _,
        max_time,
        sign_in,
    } = arguments;
    let keep = match (keep, delete, delete_after) {
        (true, _, _) => Some(Keep::Always),
        (_, true, _) => Some(Keep::Never),
        (_, _, after) => after.map(|period: Period| Keep::For(period.duration())),
    };
    let beside = [
        dry_run.then(|| " --dry-run".to_owned()),
        now.then(|| " --now".to_owned()),
        max_time.map(|time| format!(" --max-time {}", quoted(&time.to_string()))),
    ];
    Overrides {
        maildir: maildir.clone(),
        keep,
        max_size: max_size.map(Octets::get),
        latest: *latest,
        order: newest_first.then_some(Order::NewestFirst),
        auth: sign_in.auth,
        password: sign_in.password_stdin.then_some(PasswordSource::Stdin),
        tls_roots: sign_in.tls_roots.clone(),
        tls_pins: sign_in.tls_pin.clone(),
        timeout: sign_in.timeout.map(Period::duration),
        beside: beside.into_iter().flatten().collect(),
        shard: *shard,
        stores_nothing: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use crate::profile::{Config, select};
    use clap::Parser;

    const URL: &str = "pops://ada@pop.example.com";

    /// What names the account in a command that a fetch of these options tells to type.
    fn told(options: &[&str]) -> String {
        let words = ["popfetch", "fetch", URL, "--maildir", "/m"];
        let cli = Cli::try_parse_from(words.iter().chain(options)).unwrap();
        let Some(Command::Fetch(arguments)) = cli.command else {
            panic!("{options:?}");
        };
        let names = [URL.to_owned()];
        let config = Config::find(None, &names).unwrap();
        let mut selected = select(&config, &names, &overrides(&arguments))
            .unwrap()
            .into_iter();
        selected.next().unwrap().1.unwrap().word_to_fetch()
    }

    #[test]
    fn hint_each_option_of_a_fetch_stands_in_the_command_that_it_tells_to_type() {
        let pin = "sha256:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let carried: &[(&[&str], &str)] = &[
            (&["--dry-run"], " --dry-run"),
            (&["--keep"], " --keep"),
            (&["--delete"], " --delete"),
            (&["--delete-after", "36 h"], " --delete-after '1 day 12 h'"),
            (&["--max-size", "25 MB"], " --max-size '25 MB'"),
            (&["--latest", "5"], " --latest 5"),
            (&["--newest-first"], " --newest-first"),
            (&["--now"], " --now"),
            (&["--max-time", "10 min"], " --max-time '10 min'"),
            (&["--password-stdin"], " --password-stdin"),
            (&["--auth", "plain"], " --auth plain"),
            (&["--tls-roots", "bundled"], " --tls-roots bundled"),
            (&["--tls-pin", pin], " --tls-pin sha256"),
            (&["--timeout", "90 s"], " --timeout '1 min 30 s'"),
        ];
        // The account and its Maildir are there already; the others are of several accounts, or stand
        // in the command itself.
        let other = ["accounts", "maildir", "jobs", "shard", "as-new"];
        let command = Cli::command();
        let fetch = command.find_subcommand("fetch").unwrap();
        for argument in fetch.get_arguments() {
            let name = argument.get_long().unwrap_or(argument.get_id().as_str());
            let row = carried.iter().find(|(typed, _)| {
                typed
                    .first()
                    .is_some_and(|it| it.strip_prefix("--") == Some(name))
            });
            match row {
                Some((typed, wanted)) => {
                    let told = told(typed);
                    assert!(told.contains(wanted), "{typed:?}: {told}");
                }
                None => assert!(other.contains(&name), "{name} is carried along or not?"),
            }
        }
    }
}
