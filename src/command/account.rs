//! `popfetch account`: the profiles.

use super::context::Context;
use super::fail::{Failure, print};
use super::fetch::report_failure;
use super::pool::in_parallel;
use crate::cli::{AccountCommand, SignIn};
use crate::delivery::{self, Maildir};
use crate::durable::Disk;
use crate::exit::Status;
use crate::fetch::{Account, look};
use crate::profile::{
    Auth, Keep, Order, Overrides, PasswordSource, Pipelining, Profile, Roots, Tls, units,
};
use crate::report::Report;
use crate::term::{Column, Table, columns, count, escape_str, json_line, size};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;

/// Accounts that are tested together.
const JOBS: usize = 4;

/// Runs the command.
pub(super) fn run(context: &Context<'_>, command: AccountCommand) -> Result<Status, Failure> {
    match command {
        AccountCommand::List => list(context),
        AccountCommand::Show { name } => show(context, &name),
        AccountCommand::Test { accounts, sign_in } => test(context, &accounts, &sign_in),
    }
}

fn list(context: &Context<'_>) -> Result<Status, Failure> {
    let config = context.config(&[])?;
    let (mut data, mut status) = (Vec::new(), Status::Ok);
    let mut table = Table::new(&[Column::Left, Column::Left, Column::Left, Column::Flexible]);
    table.row(["ACCOUNT", "SERVER", "KEEP", "MAILDIR"]);
    for name in config.accounts() {
        let profile = match config.profile(name, &Overrides::default()) {
            Ok(profile) => profile,
            Err(error) => {
                let failure = Failure::from(error);
                status = status.worst(failure.status);
                eprint!("{}", failure.render(context.paint()));
                continue;
            }
        };
        let disabled = config.is_disabled(name);
        if context.is_json() {
            let mut object = object_of(&profile);
            object.insert("disabled".to_owned(), json!(disabled));
            data.extend(json_line(&object).unwrap_or_default());
        } else {
            let keep = if disabled {
                "(disabled)".to_owned()
            } else {
                keep(profile.keep)
            };
            table.row([
                escape_str(name),
                escape_str(&profile.server.id()),
                keep,
                shown(&profile.maildir),
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
    let object = object_of(&profile);
    if context.is_json() {
        print(json_line(&object).unwrap_or_default())?;
        return Ok(Status::Ok);
    }
    let mut table = Table::new(&[Column::Left, Column::Flexible]);
    for (key, value) in &object {
        let value = match value {
            Value::Null => continue,
            Value::String(text) => escape_str(text),
            other => escape_str(&other.to_string()),
        };
        table.row([key.clone(), value]);
    }
    print(table.render(columns(std::io::stdout())))?;
    Ok(Status::Ok)
}

/// The settings under the config file's own keys, without any password.
fn object_of(profile: &Profile) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| {
        object.insert(key.to_owned(), value);
    };
    put("account", json!(profile.name));
    put("host", json!(profile.server.host));
    put("port", json!(profile.server.port));
    put("user", json!(profile.server.user));
    match &profile.tls {
        Tls::None => put("tls", json!("none")),
        Tls::Implicit(policy) => {
            put("tls", json!("implicit"));
            put(
                "tls-roots",
                match &policy.roots {
                    Roots::System => json!("system"),
                    Roots::Bundled => json!("bundled"),
                    Roots::File(path) => json!(path.display().to_string()),
                },
            );
            let pins: Vec<String> = policy.pins.iter().map(ToString::to_string).collect();
            if !pins.is_empty() {
                put("tls-pin", json!(pins));
            }
            if let Some(name) = &policy.server_name {
                put("tls-server-name", json!(name));
            }
        }
    }
    put(
        "auth",
        json!(match profile.auth {
            Auth::Auto => "auto",
            Auth::Plain => "plain",
            Auth::UserPass => "user-pass",
        }),
    );
    put(
        "password",
        json!(match &profile.password {
            PasswordSource::Command(argv) => format!("the output of `{}`", argv.join(" ")),
            PasswordSource::File(path) => format!("in the file {}", path.display()),
            PasswordSource::Inline(_) => "in the config file".to_owned(),
            PasswordSource::Keyring => "in the system keyring".to_owned(),
            PasswordSource::Prompt => "asked for on the terminal".to_owned(),
            PasswordSource::Stdin => "on standard input".to_owned(),
        }),
    );
    put("maildir", json!(profile.maildir.display().to_string()));
    put("keep", json!(keep(profile.keep)));
    put("max-size", json!(profile.max_size.map(units::octets)));
    put("latest", json!(profile.latest));
    put(
        "order",
        json!(match profile.order {
            Order::OldestFirst => "oldest-first",
            Order::NewestFirst => "newest-first",
        }),
    );
    put(
        "pipelining",
        json!(match profile.pipelining {
            Pipelining::Auto => "auto",
            Pipelining::Off => "off",
        }),
    );
    put("timeout", json!(units::duration(profile.timeout)));
    object
}

/// Signs in and out, and looks whether the Maildir can be used.
fn test(context: &Context<'_>, accounts: &[String], sign_in: &SignIn) -> Result<Status, Failure> {
    let report = context.reporter();
    let overrides = Context::look_overrides(sign_in);
    let (ready, mut status) = context.ready(accounts, &overrides, &report)?;
    let environment = context.environment(Arc::clone(&report) as Arc<dyn Report>)?;
    let results = in_parallel(JOBS, &ready, |ready| {
        let name = &ready.profile.name;
        let account = Account {
            profile: &ready.profile,
            password: &ready.password,
            environment: &environment,
        };
        let looked = look(&account).and_then(|look| {
            let octets = look.maildrop.identities().filter_map(|(_, octets)| octets);
            let octets = octets.fold(0, u64::saturating_add);
            let messages = look.maildrop.len() as u64;
            let unique_ids = look.maildrop.has_unique_ids;
            look.leave();
            usable_maildir(&ready.profile.maildir)?;
            Ok((messages, octets, unique_ids))
        });
        match looked {
            Ok((messages, octets, unique_ids)) => {
                let mut line = format!(
                    "{}: signed in to {}; {} ({}) in the maildrop\n",
                    escape_str(name),
                    escape_str(&ready.profile.server.host),
                    count(messages, "message"),
                    size(octets)
                );
                if !unique_ids {
                    line.push_str(
                        "  the server knows no UIDL: each fetch reads every message again\n",
                    );
                }
                print(line).map_or_else(|failure| failure.status, |()| Status::Ok)
            }
            Err(error) => report_failure(&environment, name, &error),
        }
    });
    for result in results {
        status = status.worst(result.unwrap_or(Status::Internal));
    }
    Ok(status)
}

/// Whether mail could be stored there; a Maildir that is still to be created is fine.
fn usable_maildir(path: &Path) -> Result<(), crate::fetch::Error> {
    match Maildir::open(&Disk::new(), path, false) {
        Ok(_) | Err(delivery::Error::Gone { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn keep(keep: Keep) -> String {
    match keep {
        Keep::Always => "always".to_owned(),
        Keep::Never => "never".to_owned(),
        Keep::For(period) => units::duration(period),
    }
}

fn shown(path: &Path) -> String {
    escape_str(&path.display().to_string())
}
