//! `popfetch fetch`: new mail of several accounts at once.

use super::context::Context;
use super::dry_run;
use super::fail::Failure;
use crate::cli::Fetch;
use crate::exit::Status;
use crate::profile::draft;
use crate::profile::units::{Octets, Period};
use crate::profile::{Keep, Order, Overrides, PasswordSource};
use crate::report::{Report, Reporter};
use crate::stop::{Reason, Stop};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// No fetch takes longer, or nobody waits for it.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs the command.
pub(super) fn run(context: &Context<'_>, arguments: &Fetch) -> Result<Status, Failure> {
    let overrides = overrides(arguments);
    if arguments.dry_run {
        return dry_run::run(context, arguments, &overrides);
    }
    let report = context.reporter();
    let prepared = context.ready(&arguments.accounts, &overrides, &report)?;
    let mut environment = context.environment(Arc::clone(&report) as Arc<dyn Report>)?;
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
        report.delivers_to(&profile.name, &draft::shown(&profile.maildir), is_made);
    }
    say_when_stopping(&report, &environment.stop);
    let jobs = usize::from(arguments.jobs.0);
    let results = prepared.each(jobs, &environment, |account| account.fetch().status());
    let failed = prepared.failed.iter().map(|(_, failure)| failure.status);
    let fetched = results.into_iter().map(|result| match result {
        Some(Ok(status)) => status,
        Some(Err(failure)) => failure.status,
        None => Status::Internal,
    });
    let status = failed.chain(fetched).fold(Status::Ok, Status::worst);
    Ok(report.finish(status, &environment.stop))
}

/// Tells a person who has pressed Ctrl-C that it was heard: what is under way has some time to end.
fn say_when_stopping(report: &Arc<Reporter>, stop: &Stop) {
    if !report.has_bars() {
        return;
    }
    let (report, stop) = (Arc::clone(report), stop.clone());
    // Where there is no thread to be had it goes without saying.
    let _ = thread::Builder::new().spawn(move || {
        if stop.wait(A_DAY) == Some(Reason::Interrupt) {
            report.print("stopping, within 2 seconds; Ctrl-C again: at once\n");
        }
    });
}

fn overrides(arguments: &Fetch) -> Overrides {
    let keep = match (arguments.keep, arguments.delete, arguments.delete_after) {
        (true, _, _) => Some(Keep::Always),
        (_, true, _) => Some(Keep::Never),
        (_, _, after) => after.map(|period: Period| Keep::For(period.duration())),
    };
    Overrides {
        maildir: arguments.maildir.clone(),
        keep,
        max_size: arguments.max_size.map(Octets::get),
        latest: arguments.latest,
        order: arguments.newest_first.then_some(Order::NewestFirst),
        auth: arguments.sign_in.auth,
        password: arguments
            .sign_in
            .password_stdin
            .then_some(PasswordSource::Stdin),
        tls_roots: arguments.sign_in.tls_roots.clone(),
        tls_pins: arguments.sign_in.tls_pin.clone(),
        timeout: arguments.sign_in.timeout.map(Period::duration),
        stores_nothing: false,
    }
}
