//! `popfetch state`: what is remembered, to look at and to mend.

mod forget;

use super::context::Context;
use super::fail::{Failure, print};
use super::ready::Prepared;
use crate::cli::{SignIn, StateCommand};
use crate::durable::{Dir, Disk};
use crate::exit::Status;
use crate::fetch;
use crate::paths;
use crate::profile::{Overrides, Profile};
use crate::state::{
    self, Claim, Inspected, InspectedMessage, MarkedBy, Missing, Moment, Onward, Standing, inspect,
};
use crate::term::{
    Column, Table, columns, count, escape_str, hex, json_line, size, unique_id, wrap,
};
use serde_json::json;
use std::path::PathBuf;

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
                true if came_back => accept_returned(context, &profile),
                true => accept_maildir(context, &profile, missing),
                false => accept(context, &profile, &unique_ids),
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

fn show(context: &Context<'_>, name: &str) -> Result<Status, Failure> {
    let overrides = Overrides {
        stores_nothing: true,
        ..Overrides::default()
    };
    let profile = context.profile(name, &overrides)?;
    let remembered = remembered(&profile)?;
    if context.is_json() {
        return in_parts(&remembered, |message| json_of(&profile.name, message))
            .map(|()| Status::Ok);
    }
    let mut table = Table::new(&[
        Column::Left,
        Column::Right,
        Column::Left,
        Column::Left,
        Column::Flexible,
    ]);
    for message in remembered.messages() {
        table.measure(&row_of(&message?));
    }
    let fitted = table.fit(columns(std::io::stdout()));
    in_parts(&remembered, |message| fitted.line(&row_of(message)).into())?;
    if !context.global.quiet {
        eprintln!(
            "{}: {} remembered",
            escape_str(&profile.name),
            count(remembered.count() as u64, "message")
        );
    }
    Ok(Status::Ok)
}

/// Prints a line of each message. A million lines at once would take more memory than all that they
/// are made of.
fn in_parts(
    remembered: &Inspected,
    line: impl Fn(&InspectedMessage) -> Vec<u8>,
) -> Result<(), Failure> {
    const PART: usize = 256 * 1024;
    let mut lines = Vec::new();
    for message in remembered.messages() {
        lines.extend(line(&message?));
        if lines.len() > PART {
            print(&lines)?;
            lines.clear();
        }
    }
    print(&lines)
}

fn row_of(message: &InspectedMessage) -> [String; 5] {
    let stored = message.stored.as_ref();
    let octets = stored.map(|(_, octets, _)| *octets).or(message.listed);
    let ids: Vec<String> = message.unique_ids.iter().map(|id| unique_id(id)).collect();
    let name = stored.map_or("", |(name, ..)| name.as_str());
    [
        date(message.time),
        octets.map_or_else(|| "?".to_owned(), size),
        status(message).to_owned(),
        match ids.is_empty() {
            true => "-".to_owned(),
            false => ids.join(" "),
        },
        escape_str(name),
    ]
}

/// How a message stands, in a word.
fn status(message: &InspectedMessage) -> &'static str {
    match (&message.stored, &message.marked, message.standing) {
        (None, Some(MarkedBy::Import { .. }), Standing::Deleted) => "deleted",
        (None, Some(MarkedBy::Import { .. }), Standing::Asked) => "deletion asked",
        (None, Some(MarkedBy::Import { .. }), _) => "imported",
        (None, Some(MarkedBy::Latest), _) => "passed over",
        (None, Some(MarkedBy::Rule(_)), Standing::Deleted) => "deleted by rule",
        (None, Some(MarkedBy::Rule(_)), Standing::Asked) => "deletion asked",
        (None, Some(MarkedBy::Rule(_)), Standing::Absent) => "absent",
        // DELE was refused, or a session ended before it.
        (None, Some(MarkedBy::Rule(_)), _) => "not deleted",
        (None, ..) => "marked",
        (Some(_), ..) if message.onward == Onward::Waits => "to be handed on",
        (Some(_), _, Standing::Deleted) => "deleted",
        (Some(_), _, Standing::Asked) => "deletion asked",
        (Some(_), _, Standing::Absent) => "absent",
        (Some(_), _, Standing::Lost) => "lost",
        (Some(_), _, Standing::Here) if message.held => "doubtful",
        (Some(_), _, Standing::Here) if message.copy => "copy",
        (Some(_), _, Standing::Here) if message.returned => "came back",
        (Some(_), _, Standing::Here) if matches!(message.onward, Onward::Done { .. }) => {
            "handed on"
        }
        (Some(_), _, Standing::Here) => "stored",
    }
}

fn remembered(profile: &Profile) -> Result<Inspected, Failure> {
    match Dir::open(&Disk::new(), &paths::state_dir()?) {
        Ok(dir) => Ok(inspect(&dir, &profile.server.id())?),
        // No state at all yet.
        Err(_) => Ok(Inspected::default()),
    }
}

fn json_of(name: &str, message: &InspectedMessage) -> Vec<u8> {
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
        "deleted": message.is_deleted(),
        "status": status(message),
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

fn accept(
    context: &Context<'_>,
    profile: &Profile,
    unique_ids: &[String],
) -> Result<Status, Failure> {
    if !is_known(&profile.server.id())? {
        return Err(unknown(profile));
    }
    let mut store = claim(profile)?.without_maildir()?;
    let remembered = remembered(profile)?;
    let named = |is: fn(&[u8], &[String]) -> bool| -> Result<Vec<InspectedMessage>, Failure> {
        let is_named = |message: &InspectedMessage| {
            let mut ids = message.unique_ids.iter();
            message.stored.is_some() && ids.any(|id| is(id, unique_ids))
        };
        let messages = remembered.messages();
        let named = messages.filter(|message| message.as_ref().map_or(true, is_named));
        Ok(named.collect::<Result<_, _>>()?)
    };
    let mut accepted = named(is_shown_as)?;
    if accepted.is_empty() {
        accepted = named(is_one_of)?;
    }
    if accepted.is_empty() {
        // What was made to look into it goes again.
        store.close()?;
        return Err(unknown(profile));
    }
    let known: Vec<_> = accepted
        .iter()
        .flat_map(|it| it.unique_ids.clone())
        .collect();
    let strangers = strangers(&known, unique_ids);
    let mut left = 0;
    if profile.deliver.is_none() {
        // Nobody reads what is there.
        let only_here = store.only_here()?;
        let before = accepted.len();
        accepted.retain(|message| !only_here.contains(&message.id()));
        left = (before - accepted.len()) as u64;
        store.end_waiting(accepted.iter().map(InspectedMessage::id));
    }
    store.note_gone(accepted.iter().map(InspectedMessage::id))?;
    store.close()?;
    if !accepted.is_empty() {
        say_accepted(context, profile, accepted.len() as u64);
    }
    match left {
        0 => tell_strangers(profile, &strangers),
        left => Err(forget::still_waiting(profile, left, "not accepted")),
    }
}

fn accept_returned(context: &Context<'_>, profile: &Profile) -> Result<Status, Failure> {
    if !is_known(&profile.server.id())? {
        return Err(unknown(profile));
    }
    let mut store = claim(profile)?.without_maildir()?;
    let returned = store.returned()?;
    if returned.is_empty() {
        // What was made to look into it goes again.
        store.close()?;
        return Err(Failure::new(
            Status::Partial,
            format!("{}: nothing has come back", profile.name),
            format!(
                "`popfetch state show {}` says how each message stands",
                profile.word()
            ),
        ));
    }
    let number = returned.len() as u64;
    store.let_go(returned)?;
    store.close()?;
    say_accepted(context, profile, number);
    Ok(Status::Ok)
}

fn say_accepted(context: &Context<'_>, profile: &Profile, number: u64) {
    let text = format!(
        "{} accepted as {} is; `keep` decides what happens to {} on the server",
        count(number, "message"),
        if number == 1 { "it" } else { "each of them" },
        if number == 1 { "it" } else { "them" },
    );
    say(context, profile, &text);
}

fn accept_maildir(
    context: &Context<'_>,
    profile: &Profile,
    missing: Option<Missing>,
) -> Result<Status, Failure> {
    let claim = claim(profile)?;
    let site = fetch::site(&Disk::new(), profile).map_err(fetch::Error::from)?;
    let accepted = claim.accept(&site, missing)?;
    let path = profile.maildir.display();
    let mut text = match profile.has_maildir() {
        true => format!("{path} is the account's Maildir from now on"),
        false => format!("{path} is there again, for what waits to be handed on"),
    };
    if accepted.stored > 0 {
        text.push_str(&format!(
            ", with {} of {} that were delivered to it",
            accepted.stored - accepted.missing,
            count(accepted.stored, "message"),
        ));
    }
    if accepted.left_before > 0 && accepted.becomes == Some(Missing::FetchAgain) {
        let word = profile.word_with_maildir();
        text.push_str(&format!(
            "; {} that were left or handed on before are not among them: what of these the server still \
             has is fetched again after popfetch state forget {word} UNIQUE-ID, see popfetch state \
             show {word}",
            count(accepted.left_before, "message")
        ));
    }
    if accepted.missing > 0 {
        let missing_ones = count(accepted.missing, "missing message");
        text.push_str(&match accepted.becomes {
            Some(Missing::FetchAgain) => {
                format!("; the next fetch takes the {missing_ones} that the server still has")
            }
            _ => {
                let verb = if accepted.missing == 1 {
                    "counts"
                } else {
                    "count"
                };
                format!("; the {missing_ones} {verb} as removed on purpose")
            }
        });
    }
    say(context, profile, &text);
    Ok(Status::Ok)
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
        Err(_) if old.contains('@') => old.to_owned(),
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
