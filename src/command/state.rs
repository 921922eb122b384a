//! `popfetch state`: what is remembered, to look at and to mend.

use super::context::{Context, Prepared};
use super::fail::{Failure, print};
use crate::cli::{SignIn, StateCommand};
use crate::delivery::Maildir;
use crate::durable::{Dir, Disk};
use crate::exit::Status;
use crate::fetch;
use crate::profile::{Overrides, Profile, paths};
use crate::report::Report;
use crate::state::{self, Moment, Shown, Store, inspect};
use crate::term::{Column, Table, columns, count, escape, escape_str, hex, json_line, size};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Runs the command.
pub(super) fn run(context: &Context<'_>, command: StateCommand) -> Result<Status, Failure> {
    match command {
        StateCommand::Show { account } => show(context, &account),
        StateCommand::MarkSeen {
            account,
            maildir,
            sign_in,
        } => mark_seen(context, &account, maildir, &sign_in),
        StateCommand::Forget {
            account,
            maildir,
            unique_ids,
            all,
        } => forget(context, &account, maildir, &unique_ids, all),
    }
}

fn show(context: &Context<'_>, name: &str) -> Result<Status, Failure> {
    let overrides = Overrides {
        stores_nothing: true,
        ..Overrides::default()
    };
    let profile = context.profile(name, &overrides)?;
    let shown = remembered(&profile)?;
    if context.is_json() {
        let lines: Vec<u8> = shown
            .iter()
            .flat_map(|message| json_of(&profile.name, message))
            .collect();
        print(lines)?;
        return Ok(Status::Ok);
    }
    let mut table = Table::new(&[
        Column::Left,
        Column::Right,
        Column::Left,
        Column::Left,
        Column::Flexible,
    ]);
    for message in &shown {
        let octets = message
            .stored
            .as_ref()
            .map(|(_, octets, _)| *octets)
            .or(message.listed);
        let status = match (&message.stored, message.deleted) {
            (None, _) => "marked",
            (Some(_), true) => "deleted",
            (Some(_), false) => "stored",
        };
        let ids: Vec<String> = message.unique_ids.iter().map(|id| escape(id)).collect();
        let name = message
            .stored
            .as_ref()
            .map(|(name, _, _)| name.as_str())
            .unwrap_or_default();
        table.row([
            date(message.time),
            octets.map_or_else(|| "?".to_owned(), size),
            status.to_owned(),
            if ids.is_empty() {
                "-".to_owned()
            } else {
                ids.join(" ")
            },
            escape_str(name),
        ]);
    }
    print(table.render(columns(std::io::stdout())))?;
    if !context.global.quiet {
        eprintln!(
            "{}: {} remembered",
            escape_str(&profile.name),
            count(shown.len() as u64, "message")
        );
    }
    Ok(Status::Ok)
}

fn remembered(profile: &Profile) -> Result<Vec<Shown>, Failure> {
    match Dir::open(&Disk::new(), &paths::state_dir()?) {
        Ok(dir) => Ok(inspect(&dir, &profile.server.id())?.messages),
        // No state at all yet.
        Err(_) => Ok(Vec::new()),
    }
}

fn json_of(name: &str, message: &Shown) -> Vec<u8> {
    let ids: Vec<_> = message
        .unique_ids
        .iter()
        .map(|id| String::from_utf8_lossy(id))
        .collect();
    let object = json!({
        "event": "remembered",
        "account": name,
        "time": date(message.time),
        "unique_ids": ids,
        "listed": message.listed,
        "octets": message.stored.as_ref().map(|(_, octets, _)| octets),
        "name": message.stored.as_ref().map(|(name, _, _)| name.as_str()),
        "sha256": message.stored.as_ref().map(|(_, _, sha256)| hex(sha256)),
        "deleted": message.deleted,
    });
    json_line(&object).unwrap_or_default()
}

/// Seconds since 1970 as a date.
pub(super) fn date(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.to_string(),
        Err(_) => "?".to_owned(),
    }
}

fn mark_seen(
    context: &Context<'_>,
    name: &str,
    maildir: Option<PathBuf>,
    sign_in: &SignIn,
) -> Result<Status, Failure> {
    let overrides = Overrides {
        maildir,
        stores_nothing: false,
        ..Context::look_overrides(sign_in)
    };
    let profile = context.profile(name, &overrides)?;
    let prepared = Prepared::of_one(profile.clone())?;
    let report = context.text_reporter();
    let environment = context.environment(Arc::clone(&report) as Arc<dyn Report>)?;
    let marked = prepared.each(1, &environment, fetch::mark_seen).pop();
    report.clear();
    let marked = marked.flatten().unwrap_or(Err(fetch::Error::Thread));
    let marked = marked.map_err(|error| Failure::from(error).context(profile.name.clone()))?;
    say(
        context,
        &profile,
        &format!("{} marked as seen", count(marked, "message")),
    );
    Ok(Status::Ok)
}

fn forget(
    context: &Context<'_>,
    name: &str,
    maildir: Option<PathBuf>,
    unique_ids: &[String],
    all: bool,
) -> Result<Status, Failure> {
    let overrides = Overrides {
        maildir,
        ..Overrides::default()
    };
    let profile = context.profile(name, &overrides)?;
    if remembered(&profile)?.is_empty() {
        return Err(Failure::new(
            Status::Partial,
            format!(
                "{}: nothing is remembered, so there is nothing to forget",
                profile.name
            ),
            "the next fetch takes all that the server has",
        ));
    }
    let state = paths::state_dir()?;
    let mut store = open_store(&Disk::new(), &state, &profile, &Moment::now())?;
    // As `state show` prints them.
    let named = |id: &[u8]| unique_ids.contains(&escape(id));
    let forgotten = store.forget(|id| all || named(id))?;
    store.close()?;
    if forgotten == 0 {
        return Err(Failure::new(
            Status::Partial,
            format!("{}: no such message is remembered", profile.name),
            format!(
                "`popfetch state show {}` lists the unique-ids",
                profile.name
            ),
        ));
    }
    let text = format!(
        "{} forgotten; the next fetch takes what the server still has",
        count(forgotten, "message")
    );
    say(context, &profile, &text);
    Ok(Status::Ok)
}

/// An account's state, to be changed.
pub(super) fn open_store(
    disk: &Disk,
    directory: &Path,
    profile: &Profile,
    moment: &Moment,
) -> Result<Store, state::Error> {
    let directory = state::open_directory(disk, directory)?;
    let maildir = Maildir::open(disk, &profile.maildir, false)?;
    let (store, _) = Store::open(directory, &profile.server.id(), &maildir, moment)?;
    Ok(store)
}

fn say(context: &Context<'_>, profile: &Profile, text: &str) {
    if !context.global.quiet {
        eprintln!("{}: {text}", escape_str(&profile.name));
    }
}
