//! `popfetch import`: accounts and what was fetched, from other tools. Everything is read, and made
//! sense of, before anything is written.

mod plan;
mod preview;

use super::ask::Asker;
use super::context::Context;
use super::fail::{Failure, print};
use super::state::claim;
use crate::cli;
use crate::durable::Disk;
use crate::exit::Status;
use crate::fetch;
use crate::import::{self, Secret, Surroundings, Tool, Wanted, Word};
use crate::maildir::Site;
use crate::paths;
use crate::profile::config_option;
use crate::profile::edit::{self, EditError};
use crate::secrets::{self, Password, keyring};
use crate::state::{Import, Imported, Moment, Origin, Store};
use crate::term::{columns, count, escape_str, json_line, quoted, wrap};
use plan::{Novelty, Plan, Planned};
use serde_json::json;
use std::io;

/// Runs the command.
pub(super) fn run(context: &Context<'_>, arguments: &cli::Import) -> Result<Status, Failure> {
    let tool = tool(arguments.tool);
    let around = surroundings()?;
    let only = arguments.account.as_deref();
    let wanted = Wanted {
        path: arguments.path.as_deref(),
        seen: arguments.seen.as_deref(),
        only,
        around: &around,
    };
    let option = config_option(context.global.config.as_deref());
    let found = import::read(tool, wanted).map_err(|error| {
        // To be typed once more, with what was typed now.
        use import::Error::{Another, NoSeen, NoneThere, WhichFolder, Whose};
        let is_whose = matches!(error, Whose { .. });
        let is_again = is_whose
            || matches!(
                error,
                Another { .. } | NoSeen { .. } | NoneThere { .. } | WhichFolder { .. }
            );
        let path = arguments.path.as_ref().filter(|_| is_again);
        let path = path.map(|it| quoted(&it.display().to_string()));
        // This one names an account itself.
        let only = only.filter(|_| is_again && !is_whose);
        let only = only.map(|it| format!("--account {}", quoted(it)));
        let words = [path, only].into_iter().flatten();
        let typed: String = words.map(|word| format!(" {word}")).collect();
        let command = format!("popfetch import {}", tool.word());
        Failure::from(error).with_in_hint(&command, &(typed + &option))
    })?;
    let config = match &context.global.config {
        Some(path) => path.clone(),
        None => paths::config_file()?,
    };
    let plan = Plan::new(tool, found, config)?;
    print(if context.is_json() {
        preview::json(&plan)
    } else {
        preview::text(
            &plan,
            only,
            arguments.may_delete,
            &around.home,
            columns(io::stdout()),
        )
        .into_bytes()
    })?;
    if arguments.dry_run || !(arguments.yes || agreed()?) {
        return Ok(Status::Ok);
    }
    take_over(context, &plan, arguments.may_delete)?;
    Ok(Status::Ok)
}

fn tool(tool: cli::Tool) -> Tool {
    match tool {
        cli::Tool::Fdm => Tool::Fdm,
        cli::Tool::Fetchmail => Tool::Fetchmail,
        cli::Tool::Getmail => Tool::Getmail,
        cli::Tool::Mbsync => Tool::Mbsync,
        cli::Tool::Mpop => Tool::Mpop,
        cli::Tool::Thunderbird => Tool::Thunderbird,
    }
}

fn surroundings() -> Result<Surroundings, Failure> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let variables: std::collections::BTreeMap<String, String> = variables.collect();
    let user = ["LOGNAME", "USER"]
        .iter()
        .find_map(|name| variables.get(*name).cloned());
    Ok(Surroundings {
        home: paths::home()?,
        user: user.unwrap_or_default(),
        variables,
    })
}

/// Asks whether it is to be done.
fn agreed() -> Result<bool, Failure> {
    if !secrets::can_ask() {
        return Err(Failure::new(
            Status::Usage,
            "nothing was taken over: there is no terminal to ask whether this is right",
            "add --yes to take it over as shown",
        ));
    }
    let asker = Asker { yes: false };
    let yes = asker.agree("Take this over?", false)?;
    if !yes {
        asker.say("nothing was changed");
    }
    Ok(yes)
}

/// What became of an account.
struct Done<'a> {
    planned: &'a Planned,
    imported: Imported,
    password: Option<String>,
}

/// The names first: once there is a profile, a fetch may begin at any moment.
fn take_over(context: &Context<'_>, plan: &Plan, may_delete: bool) -> Result<(), Failure> {
    let time = Moment::now().now;
    let mut done = Vec::new();
    let mut text = plan.text.clone();
    let nameless = plan
        .accounts
        .iter()
        .map(|planned| match planned.brings_state() {
            true => planned.draft.kept.read(),
            false => Ok(Vec::new()),
        });
    let nameless = nameless.collect::<Result<Vec<_>, import::Error>>()?;
    for (planned, nameless) in plan.accounts.iter().zip(nameless) {
        let draft = &planned.draft;
        let mut imported = Imported::default();
        if planned.brings_state() {
            let mut store = claim(&planned.profile)?.without_maildir()?;
            let site = fetch::site(&Disk::new(), &planned.profile).ok();
            if let Some(site) = &site {
                store.heed_imports(site);
            }
            imported = store.import(&Import {
                origin: Origin {
                    time,
                    tool: plan.tool.word().to_owned(),
                    left: draft.left,
                    dashes: draft.dashes,
                },
                may_delete,
                names: draft.names.clone(),
                nameless,
            })?;
            note_in_maildir(&mut store, site.as_ref())?;
            store.close()?;
        }
        let mut password = None;
        if planned.novelty == Novelty::New {
            let mut keys = planned.keys.clone();
            if let Secret::Inline(secret) = &draft.secret {
                let (word, key) = keep_password(plan, planned, secret)?;
                keys.retain(|(name, _)| !["password-keyring", "password-file"].contains(name));
                keys.push(key);
                password = Some(word);
            }
            text = edit::with_account(&text, &draft.name, edit::keyed(&keys))?;
        }
        done.push(Done {
            planned,
            imported,
            password,
        });
    }
    if text != plan.text {
        edit::rewrite(&plan.config, &plan.text, &text)?;
    }
    tell(context, plan, &done)?;
    if !context.global.quiet && !context.is_json() {
        say_next(context, plan);
    }
    Ok(())
}

/// What comes next. Where both tools fetch, each takes mail that the other one does not get.
fn say_next(context: &Context<'_>, plan: &Plan) {
    let asker = Asker { yes: false };
    let option = config_option(context.global.config.as_deref());
    let tool = plan.tool.word();
    asker.say(&format!("\nNext:\n  popfetch --dry-run{option}"));
    asker.below("see what a fetch would do");
    asker.say(&format!("  popfetch{option}"));
    let by_imap = |planned: &Planned| planned.draft.get("protocol") == Some("imap");
    match plan.tool {
        Tool::Thunderbird if plan.accounts.iter().all(by_imap) => asker.below("fetch"),
        Tool::Thunderbird => asker.below("fetch, once Thunderbird no longer checks these accounts by itself"),
        _ => asker.below(&format!(
            "fetch, once {tool} no longer does: stop its daemon or timer, or take its line out of crontab"
        )),
    }
}

/// A state that is lost cannot be made again from the Maildir where names came from elsewhere, which is
/// to be known then. A Maildir that cannot be used now is told of by the first fetch, and notes it then;
/// what was lost before would stop that fetch, though, which is said.
fn note_in_maildir(store: &mut Store, site: Option<&Site>) -> Result<(), Failure> {
    let Some(site) = site else {
        return Ok(());
    };
    let was_lost = !store.lost_imports().is_empty();
    match store.note_imports(site) {
        Err(error) if was_lost => Err(error.into()),
        _ => Ok(()),
    }
}

/// Moves a password into the keyring, or into a file where there is none; where it is now, in words
/// and as a key.
fn keep_password(
    plan: &Plan,
    planned: &Planned,
    password: &Password,
) -> Result<(String, (&'static str, Word)), Failure> {
    if !planned.has_no_keyring && keyring::store(&planned.profile.server, password).is_ok() {
        return Ok((
            "the system keyring".into(),
            ("password-keyring", Word::Flag(true)),
        ));
    }
    let path = edit::password_file(&plan.config, &planned.draft.name);
    let line = zeroize::Zeroizing::new(format!("{}\n", password.reveal()));
    edit::replace_file(&path, line.as_bytes(), || Ok::<_, EditError>(()))?;
    let shown = path.display().to_string();
    Ok((shown.clone(), ("password-file", Word::Text(shown))))
}

fn tell(context: &Context<'_>, plan: &Plan, done: &[Done<'_>]) -> Result<(), Failure> {
    for Done {
        planned,
        imported,
        password,
    } in done
    {
        let name = match &planned.novelty {
            Novelty::New => &planned.draft.name,
            Novelty::Here(name) | Novelty::Twice(name) => name,
        };
        if context.is_json() {
            let object = json!({
                "event": "imported",
                "account": name,
                "written": planned.novelty == Novelty::New,
                "new": imported.new,
                "known": imported.known,
                "password": password,
            });
            print(json_line(&object).unwrap_or_default())?;
        }
        if context.global.quiet || matches!(planned.novelty, Novelty::Twice(_)) {
            continue;
        }
        let mut text = match planned.novelty {
            Novelty::New => format!("written to {}", plan.config.display()),
            _ => "was in the config already".to_owned(),
        };
        text.push_str(&match imported {
            Imported { new, known: 0 } => {
                format!("; {} taken over", count(*new, "fetched message"))
            }
            Imported { new, known } => format!(
                "; {} taken over, {known} known before",
                count(*new, "fetched message")
            ),
        });
        if let Some(password) = password {
            text.push_str(&format!("; the password is in {password}"));
        }
        let (label, text) = (format!("{}: ", escape_str(name)), escape_str(&text));
        eprintln!("{}", wrap(&label, &text, columns(std::io::stderr())));
    }
    Ok(())
}
