//! `popfetch fetch`: new mail of several accounts at once.

use super::context::Context;
use super::fail::{Failure, print};
use super::pool::in_parallel;
use crate::cli::Fetch;
use crate::exit::Status;
use crate::fetch::{Account, Environment, Look, look};
use crate::maildrop::Message;
use crate::plan::{Decision, Why};
use crate::profile::units::{Octets, Period};
use crate::profile::{Keep, Order, Overrides, PasswordSource};
use crate::report::{Event, Outcome, Report};
use crate::term::{Column, Table, columns, escape, escape_str, json_line, size};
use serde_json::json;
use std::sync::Arc;

/// Runs the command.
pub(super) fn run(context: &Context<'_>, arguments: &Fetch) -> Result<Status, Failure> {
    let report = context.reporter();
    let overrides = overrides(arguments);
    let (ready, mut status) = context.ready(&arguments.accounts, &overrides, &report)?;
    let environment = context.environment(Arc::clone(&report) as Arc<dyn Report>)?;
    let jobs = usize::from(arguments.jobs);
    let results = in_parallel(jobs, &ready, |ready| {
        let account = Account {
            profile: &ready.profile,
            password: &ready.password,
            environment: &environment,
        };
        if arguments.dry_run {
            dry_run(context, &account)
        } else {
            account.fetch().status()
        }
    });
    for result in results {
        status = status.worst(result.unwrap_or(Status::Internal));
    }
    Ok(report.finish(status))
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
        password: arguments
            .sign_in
            .password_stdin
            .then_some(PasswordSource::Stdin),
        tls_roots: arguments.sign_in.tls_roots.clone(),
        stores_nothing: false,
    }
}

/// Says for each message what a fetch would do, and why; changes nothing.
fn dry_run(context: &Context<'_>, account: &Account<'_>) -> Status {
    let name = &account.profile.name;
    let looked = look(account).map(|look| {
        let printed = print(plan_of(context, account, &look));
        look.leave();
        printed
    });
    match looked {
        Ok(Ok(())) => Status::Ok,
        Ok(Err(failure)) => failure.status,
        Err(error) => report_failure(account.environment, name, &error),
    }
}

/// Tells the report that an account failed.
pub(super) fn report_failure(
    environment: &Environment,
    name: &str,
    error: &crate::fetch::Error,
) -> Status {
    let failure = crate::fetch::failure(error);
    let status = failure.status;
    let outcome = Outcome {
        failure: Some(failure),
        ..Outcome::default()
    };
    environment.report.report(name, Event::Finished(&outcome));
    status
}

fn plan_of(context: &Context<'_>, account: &Account<'_>, look: &Look) -> Vec<u8> {
    let name = &account.profile.name;
    let mut data = Vec::new();
    let mut table = Table::new(&[
        Column::Left,
        Column::Left,
        Column::Right,
        Column::Left,
        Column::Flexible,
    ]);
    for (place, decision) in look.decisions.iter().enumerate() {
        let Some(message) = look.maildrop.message(place) else {
            continue;
        };
        let (action, why) = words(*decision, account.profile.keep);
        if context.is_json() {
            data.extend(json_of(name, &message, action, &why));
        } else {
            let octets = message.octets.map_or_else(|| "?".to_owned(), size);
            let id = message
                .unique_id
                .as_deref()
                .map_or_else(|| "-".to_owned(), escape);
            table.row([escape_str(name), action.to_owned(), octets, id, why]);
        }
    }
    if !context.is_json() {
        data = table.render(columns(std::io::stdout())).into_bytes();
    }
    data
}

fn json_of(name: &str, message: &Message, action: &str, why: &str) -> Vec<u8> {
    let unique_id = message.unique_id.as_deref().map(String::from_utf8_lossy);
    let object = json!({
        "event": "plan",
        "account": name,
        "number": message.number.value(),
        "unique_id": unique_id,
        "octets": message.octets,
        "action": action,
        "reason": why,
    });
    // A value of strings and numbers can always be written.
    json_line(&object).unwrap_or_default()
}

fn words(decision: Decision, keep: Keep) -> (&'static str, String) {
    match decision {
        Decision::Delete => {
            let why = match keep {
                Keep::For(period) => {
                    let period = crate::profile::units::duration(period);
                    format!("stored at least {period} ago")
                }
                _ => "stored, and keep = \"never\"".to_owned(),
            };
            ("delete", why)
        }
        Decision::Fetch(Why::New) => ("fetch", "not fetched before".to_owned()),
        Decision::Fetch(Why::Again) => ("fetch", "failed before, is tried again".to_owned()),
        Decision::Fetch(Why::Doubtful) => (
            "fetch",
            "was deleted and is listed again: is it the same?".to_owned(),
        ),
        Decision::Mark => (
            "mark",
            "older than the newest `latest`: marked as seen".to_owned(),
        ),
        Decision::Seen => ("seen", "fetched or marked as seen before".to_owned()),
        Decision::Skip(reason) => ("skip", reason.to_string()),
    }
}
