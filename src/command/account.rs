//! `popfetch account`: the profiles.

use super::context::Context;
use super::fail::{Failure, print};
use super::{doctor, remove};
use crate::cli::AccountCommand;
use crate::durable::Disk;
use crate::exit::Status;
use crate::maildir::{Ground, Site};
use crate::profile::{
    Keep, MinVersion, Order, Overrides, PasswordSource, Pipelining, Profile, Proxy, Roots, Tls,
    units,
};
use crate::secrets::{OAuth, Store};
use crate::term::{Column, Table, columns, escape_str, json_line};
use serde_json::{Map, Value, json};
use std::path::Path;

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
    let lines = config.accounts().map(|name| escape_str(name) + "\n");
    print(lines.collect::<String>())?;
    Ok(Status::Ok)
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
            let mut object = json_of(&profile);
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
    if context.is_json() {
        print(json_line(&json_of(&profile)).unwrap_or_default())?;
        return Ok(Status::Ok);
    }
    let object = object_of(&profile);
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

/// The settings for programs: the same fields for each account, sizes in octets, times in seconds.
fn json_of(profile: &Profile) -> Map<String, Value> {
    let policy = profile.tls.policy();
    let mut object = object_of(profile);
    object.retain(|key, _| !key.contains('-') && key != "timeout" && key != "password");
    let mut put = |key: &str, value: Value| {
        object.insert(key.to_owned(), value);
    };
    put("event", json!("profile"));
    put(
        "tls_roots",
        json!(policy.map(|policy| roots_of(&policy.roots))),
    );
    let pins = policy.map(|policy| policy.pins.iter().map(ToString::to_string));
    put("tls_pins", json!(pins.map(Iterator::collect::<Vec<_>>)));
    let name = policy.and_then(|policy| policy.server_name.as_ref());
    put("tls_server_name", json!(name));
    let version = policy.map(|policy| version_of(policy.min_version));
    put("tls_min_version", json!(version));
    let client = policy.and_then(|policy| policy.client.as_ref());
    put(
        "tls_client_cert",
        json!(client.map(|client| client.certificate.display().to_string())),
    );
    put(
        "tls_client_key",
        json!(client.map(|client| client.key.display().to_string())),
    );
    put("source_address", json!(profile.way.source_address));
    let (mut proxy, mut command) = (None, None);
    match &profile.way.proxy {
        Some(Proxy::Server(server)) => proxy = Some(server.to_string()),
        Some(Proxy::Command(argv)) => command = Some(argv),
        None => {}
    }
    put("proxy", json!(proxy));
    put("proxy_command", json!(command));
    put(
        "password_from",
        json!(match &profile.password {
            PasswordSource::Command(_) => "command",
            PasswordSource::Credential(_) => "credential",
            PasswordSource::File(_) => "file",
            PasswordSource::Inline(_) => "config",
            PasswordSource::Keyring => "keyring",
            PasswordSource::OAuth(OAuth::Command(_)) => "token-command",
            PasswordSource::OAuth(OAuth::Login { .. }) => "oauth",
            PasswordSource::Netrc(_) => "netrc",
            PasswordSource::Prompt | PasswordSource::PromptOrKeyring => "prompt",
            PasswordSource::Stdin => "stdin",
        }),
    );
    put(
        "keep",
        match profile.keep {
            Keep::For(period) => json!(period.as_secs()),
            other => json!(keep(other)),
        },
    );
    put("max_size", json!(profile.max_size));
    put("timeout_seconds", json!(profile.timeout.as_secs()));
    object
}

fn roots_of(roots: &Roots) -> String {
    match roots {
        Roots::System => "system".to_owned(),
        Roots::Bundled => "bundled".to_owned(),
        Roots::File(path) => path.display().to_string(),
        Roots::Pinned => "pinned".to_owned(),
    }
}

fn version_of(version: MinVersion) -> &'static str {
    match version {
        MinVersion::Tls12 => "1.2",
        MinVersion::Tls13 => "1.3",
    }
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
        tls @ (Tls::Implicit(policy) | Tls::StartTls(policy)) => {
            let implicit = matches!(tls, Tls::Implicit(_));
            put("tls", json!(if implicit { "implicit" } else { "starttls" }));
            put("tls-roots", json!(roots_of(&policy.roots)));
            let pins: Vec<String> = policy.pins.iter().map(ToString::to_string).collect();
            if !pins.is_empty() {
                put("tls-pin", json!(pins));
            }
            if let Some(name) = &policy.server_name {
                put("tls-server-name", json!(name));
            }
            if policy.min_version != MinVersion::default() {
                put("tls-min-version", json!(version_of(policy.min_version)));
            }
            if let Some(client) = &policy.client {
                let certificate = client.certificate.display().to_string();
                put("tls-client-cert", json!(certificate));
                put("tls-client-key", json!(client.key.display().to_string()));
            }
        }
    }
    if let Some(address) = profile.way.source_address {
        put("source-address", json!(address));
    }
    match &profile.way.proxy {
        Some(Proxy::Server(server)) => put("proxy", json!(server.to_string())),
        Some(Proxy::Command(argv)) => put("proxy-command", json!(argv.join(" "))),
        None => {}
    }
    put("auth", json!(profile.auth.word()));
    put(
        "password",
        json!(match &profile.password {
            PasswordSource::Command(argv) => format!("the output of `{}`", argv.join(" ")),
            PasswordSource::Credential(name) => format!("in the systemd credential `{name}`"),
            PasswordSource::File(path) => format!("in the file {}", path.display()),
            PasswordSource::Inline(_) => "in the config file".to_owned(),
            PasswordSource::Keyring => "in the system keyring".to_owned(),
            PasswordSource::OAuth(OAuth::Command(argv)) =>
                format!("an access token, the output of `{}`", argv.join(" ")),
            PasswordSource::OAuth(OAuth::Login { client, store }) => format!(
                "an access token from {}; the sign-in is kept in {}",
                client.token.url(),
                match store {
                    Store::Keyring => "the system keyring",
                    Store::File => "a file for you alone",
                }
            ),
            PasswordSource::Netrc(path) => format!("in the netrc file {}", path.display()),
            PasswordSource::Prompt => "asked for on the terminal".to_owned(),
            PasswordSource::PromptOrKeyring =>
                "asked for on the terminal, or else in the system keyring".to_owned(),
            PasswordSource::Stdin => "on standard input".to_owned(),
        }),
    );
    if profile.maildir.as_os_str().is_empty() {
        // A URL has no Maildir of its own.
        put("maildir", Value::Null);
    } else {
        put("maildir", json!(profile.maildir.display().to_string()));
    }
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

/// Whether mail could be stored there; a Maildir that is still to be created is fine.
pub(super) fn usable_maildir(path: &Path) -> Result<(), crate::fetch::Error> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    let site = Site::look(&Disk::new(), path)?;
    match site.ground() {
        Ground::Nothing | Ground::Empty => Ok(()),
        _ => Ok(site.settle(&Disk::new(), false).map(drop)?),
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
