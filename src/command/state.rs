//! `popfetch state`: what is remembered, to look at and to mend.

mod accept;
mod forget;
pub(super) mod show;

use super::context::Context;
use super::fail::Failure;
use super::ready::Prepared;
use crate::cli::{SignIn, StateCommand};
use crate::durable::{Dir, Disk};
use crate::exit::Status;
use crate::fetch;
use crate::paths;
use crate::profile::{Overrides, Profile};
use crate::state::{self, Claim, Inspected, Missing, Moment, inspect};
use crate::term::{columns, count, escape_str, unique_id, wrap};
use std::path::PathBuf;

/// Runs the command.
pub(super) fn run(context: &Context<'_>, command: StateCommand) -> Result<Status, Failure> {
    match command {
        StateCommand::Show { account } => show::show(context, &account),
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
        } => forget::forget(context, &account, maildir, &unique_ids, all),
        StateCommand::Accept {
            account,
            maildir,
            unique_ids,
            fetch_again,
            leave,
            came_back,
        } => {
            let missing = match (fetch_again, leave) {
                (true, _) => Some(Missing::FetchAgain),
                (_, true) => Some(Missing::Leave),
                (false, false) => None,
            };
            let profile = profile(context, &account, maildir)?;
            match unique_ids.is_empty() {
                true if came_back => accept::accept_returned(context, &profile),
                true => accept::accept_maildir(context, &profile, missing),
                false => accept::accept(context, &profile, &unique_ids),
            }
        }
        StateCommand::Move { old, new, maildir } => {
            move_state(context, &old, &profile(context, &new, maildir)?)
        }
    }
}

fn profile(
    context: &Context<'_>,
    name: &str,
    maildir: Option<PathBuf>,
) -> Result<Profile, Failure> {
    let overrides = Overrides {
        maildir,
        ..Overrides::default()
    };
    context.profile(name, &overrides)
}

fn remembered(profile: &Profile) -> Result<Inspected, Failure> {
    match Dir::open(&Disk::new(), &paths::state_dir()?) {
        Ok(dir) => Ok(inspect(&dir, &profile.server.id())?),
        // No state at all yet.
        Err(_) => Ok(Inspected::default()),
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
    let environment = context.environment(&report)?;
    let marked = prepared.each(1, &environment, fetch::mark_seen).pop();
    report.clear();
    let marked = match marked.flatten() {
        Some(Ok(marked)) => marked,
        // There is nothing to sign in with, which the report has been told.
        Some(Err(failure)) => return Ok(failure.status),
        None => Err(fetch::Error::Thread),
    };
    let marked = marked.map_err(|error| Failure::from(error).context(profile.name.clone()))?;
    say(
        context,
        &profile,
        &format!("{} marked as seen", count(marked, "message")),
    );
    Ok(Status::Ok)
}

/// As `state show` prints it.
fn is_shown_as(id: &[u8], given: &[String]) -> bool {
    given.contains(&unique_id(id))
}

/// As the server has it, and JSON.
fn is_one_of(id: &[u8], given: &[String]) -> bool {
    given.iter().any(|given| given.as_bytes() == id)
}

fn unknown(profile: &Profile) -> Failure {
    not_remembered(profile, "no such message is remembered")
}

fn not_remembered(profile: &Profile, what: &str) -> Failure {
    Failure::new(
        Status::Partial,
        format!("{}: {what}", profile.name),
        format!(
            "`popfetch state show {}` lists the unique-ids",
            profile.word()
        ),
    )
}

/// Those of the unique-ids given that none of `known` is, read as they are shown where one is shown so,
/// or else as the server has them.
fn strangers(known: &[Box<[u8]>], given: &[String]) -> Vec<String> {
    let is_shown = |given: &String| known.iter().any(|id| unique_id(id) == *given);
    let is_there = |given: &String| known.iter().any(|id| **id == *given.as_bytes());
    let by_shown = given.iter().any(is_shown);
    let is_known = |it: &&String| if by_shown { is_shown(it) } else { is_there(it) };
    let strangers = given.iter().filter(|it| !is_known(it));
    strangers.map(|it| escape_str(it)).collect()
}

/// Fails where some of what was named is not known, after the rest has been seen to.
fn tell_strangers(profile: &Profile, strangers: &[String]) -> Result<Status, Failure> {
    match strangers.is_empty() {
        true => Ok(Status::Ok),
        false => Err(not_remembered(
            profile,
            &format!("not remembered: {}", strangers.join(", ")),
        )),
    }
}

fn move_state(context: &Context<'_>, old: &str, new: &Profile) -> Result<Status, Failure> {
    // A state's own name, where no account is called so (any more).
    let id = match context.profile(
        old,
        &Overrides {
            stores_nothing: true,
            ..Overrides::default()
        },
    ) {
        Ok(profile) => profile.server.id(),
        // A URL is none, and may have a password in it.
        Err(_) if old.contains('@') && !old.contains("://") => old.to_owned(),
        Err(error) => return Err(error),
    };
    if id == new.server.id() {
        return Err(Failure::new(
            Status::Usage,
            format!("{old} and {} are the same account", new.name),
            "name the account that the mailbox was fetched as before, and the one that it is now",
        ));
    }
    if !is_known(&id)? {
        let path = state::journal_path(&paths::state_dir()?, &id);
        return Err(state::Error::NothingToMove { path }.into());
    }
    let directory = state_directory()?;
    let moment = Moment::now();
    let from = Claim::take(directory, &id, old, &moment)?;
    let moved = claim(new)?.absorb(from)?;
    let text = format!(
        "{} that {id} remembered {} remembered here now",
        count(moved, "message"),
        if moved == 1 { "is" } else { "are" }
    );
    say(context, new, &text);
    Ok(Status::Ok)
}

/// Whether anything of a state is there: whoever only finds that there is not leaves nothing behind.
fn is_known(id: &str) -> Result<bool, Failure> {
    let directory = state::existing_directory(&paths::state_dir()?);
    Ok(directory.is_some_and(|directory| state::is_known(&directory, id)))
}

fn state_directory() -> Result<Dir, Failure> {
    Ok(state::open_directory(&Disk::new(), &paths::state_dir()?)?)
}

/// The account's lock and what is remembered.
pub(super) fn claim(profile: &Profile) -> Result<Claim, Failure> {
    let (id, moment) = (profile.server.id(), Moment::now());
    Ok(Claim::take(
        state_directory()?,
        &id,
        &profile.word_with_maildir(),
        &moment,
    )?)
}

fn say(context: &Context<'_>, profile: &Profile, text: &str) {
    if !context.global.quiet {
        let label = format!("{}: ", escape_str(&profile.name));
        eprintln!("{}", wrap(&label, text, columns(std::io::stderr())));
    }
}
