//! Messages that wait to be handed on under a name that no account has any more, as where its host was written
//! otherwise in the config file: no account would ever name them.

use super::context::Context;
use crate::durable::Disk;
use crate::maildir::leave;
use crate::maildrop::file_name;
use crate::paths::{self, SPOOL};
use crate::profile::draft::shown;
use crate::profile::{Overrides, Profile};
use crate::report::{Event, Report};
use crate::state;
use crate::term::{count, quoted};
use std::fs;

/// Names them to the account that they may be of, with what moves them there.
pub(super) fn tell(context: &Context<'_>, report: &dyn Report) {
    let Ok(state) = paths::state_dir() else {
        return;
    };
    // Whoever hands nothing on has none.
    let Ok(entries) = fs::read_dir(state.join(SPOOL)) else {
        return;
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    let Some(profiles) = all_profiles(context) else {
        return;
    };
    names.retain(|name| {
        let mut ids = profiles.iter().map(|profile| profile.server.id());
        !ids.any(|id| file_name(&id) == *name)
    });
    if names.is_empty() {
        return;
    }
    let disk = Disk::new();
    for name in names {
        // Once its state is moved the account that has it goes on with them.
        if !state::journal_path(&state, &name).exists() {
            continue;
        }
        let place = state.join(SPOOL).join(&name);
        let waiting = leave::count(&disk, &place).unwrap_or_default();
        let Some(account) = profiles.iter().find(|it| is_like(&it.server.id(), &name)) else {
            continue;
        };
        let verb = if waiting == 1 { "waits" } else { "wait" };
        let waits = format!("{} {verb}", count(waiting, "message"));
        if waiting > 0 {
            report.report(
                &account.name,
                Event::Warning(&format!(
                    "{waits} to be handed on in {}, of {name}, which no account of the config file is any more. \
                     If it is this one: popfetch state move {} {}",
                    shown(&place),
                    quoted(&name),
                    account.word(),
                )),
            );
        }
    }
}

/// Of all accounts of the config file, disabled ones as well; nothing where any of them makes no sense.
fn all_profiles(context: &Context<'_>) -> Option<Vec<Profile>> {
    // It can be read once, and was.
    if context.global.config_on_stdin {
        return None;
    }
    let config = context.config(&[]).ok()?;
    let overrides = Overrides {
        stores_nothing: true,
        ..Overrides::default()
    };
    let profiles = config
        .accounts()
        .map(|name| config.profile(name, &overrides));
    profiles.collect::<Result<_, _>>().ok()
}

/// Whether two states are of the same user, or at the same server.
fn is_like(id: &str, other: &str) -> bool {
    let parts = |id: &str| {
        let (user, server) = id.rsplit_once('@')?;
        let server = server.strip_suffix("+imap").unwrap_or(server);
        Some((user.to_owned(), server.to_owned()))
    };
    parts(id)
        .zip(parts(other))
        .is_some_and(|((user, server), (others, there))| user == others || server == there)
}
