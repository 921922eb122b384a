//! `popfetch account`: the profiles.

use super::context::Context;
use super::fail::{Failure, print};
use super::{doctor, remove};
use crate::cli::AccountCommand;
use crate::exit::{Diagnose, Status};
use crate::profile::draft;
use crate::profile::{Overrides, Profile, Told};
use crate::term::{Column, Table, columns, escape_str, json_line};
use serde_json::{Map, Value, json};

/// Runs the command.
pub(super) fn run(context: &Context<'_>, command: AccountCommand) -> Result<Status, Failure> {
    match command {
        AccountCommand::List { names: true } if !context.is_json() => names(context),
        AccountCommand::List { .. } => list(context),
        AccountCommand::Show { name } => show(context, &name),
        AccountCommand::Remove { name, forget, yes } => remove::run(context, &name, forget, yes),
        AccountCommand::Test { accounts, sign_in } => doctor::run(context, &accounts, &sign_in),
    }
}

/// Nothing else of the config is looked at: who completes a word wants no other fault told.
fn names(context: &Context<'_>) -> Result<Status, Failure> {
    let config = context.config(&[])?;
    // A shell completes to what stands here: what would be escaped names no account.
    let names = config.accounts().filter(|name| escape_str(name) == *name);
    let lines = names.map(|name| name.to_owned() + "\n");
    print(lines.collect::<String>())?;
    Ok(Status::Ok)
}

fn list(context: &Context<'_>) -> Result<Status, Failure> {
    let config = context.config(&[])?;
    let (mut data, mut status, mut told) = (Vec::new(), Status::Ok, Told::default());
    let mut table = Table::new(&[
        Column::Flexible,
        Column::Flexible,
        Column::Left,
        Column::Flexible,
    ]);
    table.row(["ACCOUNT", "SERVER", "KEEP", "MAILDIR"]);
    for name in config.accounts() {
        let profile = match config.profile(name, &Overrides::default()) {
            Ok(profile) => profile,
            Err(error) => {
                status = status.worst(error.status());
                let text = error.render_beside(context.paint(), &mut told);
                if !text.is_empty() {
                    eprintln!("{text}");
                }
                continue;
            }
        };
        let disabled = config.is_disabled(name);
        if context.is_json() {
            let mut object = json_of(&profile);
            object.insert("disabled".to_owned(), json!(disabled));
            data.extend(json_line(&object).unwrap_or_default());
        } else {
            let keep = if disabled {
                "(disabled)".to_owned()
            } else {
                profile.policy.keep.to_string()
            };
            table.row([
                escape_str(name),
                escape_str(&profile.server.id()),
                keep,
                // Where mail passes through there is none to read.
                match profile.has_maildir() {
                    true => escape_str(&draft::shown(&profile.maildir)),
                    false => "(deliver)".to_owned(),
                },
            ]);
        }
    }
    if !context.is_json() {
        data = table.render(columns(std::io::stdout())).into_bytes();
    }
    print(data)?;
    Ok(status)
}

fn show(context: &Context<'_>, name: &str) -> Result<Status, Failure> {
    let overrides = Overrides {
        stores_nothing: true,
        ..Overrides::default()
    };
    let profile = context.profile(name, &overrides)?;
    if context.is_json() {
        print(json_line(&json_of(&profile)).unwrap_or_default())?;
        return Ok(Status::Ok);
    }
    let mut settings = profile.settings();
    settings.sort_by_key(|setting| setting.key);
    let mut table = Table::new(&[Column::Left, Column::Flexible]);
    for setting in settings {
        if let Some(text) = setting.text {
            table.row([setting.key.to_owned(), escape_str(&text)]);
        }
    }
    print(table.render(columns(std::io::stdout())))?;
    Ok(Status::Ok)
}

/// The settings for programs.
fn json_of(profile: &Profile) -> Map<String, Value> {
    let settings = profile.settings().into_iter();
    let mut object: Map<_, _> = settings.map(|it| (it.field, it.value)).collect();
    object.insert("event".to_owned(), json!("profile"));
    object
}
