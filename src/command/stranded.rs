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

/// Names them to the account that they may be of, with what moves them there.
pub(super) fn tell(context: &Context<'_>, report: &dyn Report) {
    let Ok(state) = paths::state_dir() else {
        return;
    };
    // Whoever hands nothing on has none.
    let spools = state.join(SPOOL);
    let Some(directory) = state::existing_directory(&state).filter(|_| spools.is_dir()) else {
        return;
    };
    let disk = Disk::new();
    let ids = state::accounts(&directory).map(|id| {
        let place = spools.join(file_name(&id));
        let waiting = leave::count(&disk, &place).unwrap_or_default();
        (id, place, waiting)
    });
    let mut waiting: Vec<_> = ids.filter(|(.., waiting)| *waiting > 0).collect();
    // Nearly always: the config file need not be read again for that.
    if waiting.is_empty() {
        return;
    }
    let Some(profiles) = all_profiles(context) else {
        return;
    };
    let is_of_none = |id: &String| profiles.iter().all(|it| it.server.id() != *id);
    waiting.retain(|(id, ..)| is_of_none(id));
    waiting.sort_unstable();
    for (id, place, waiting) in waiting {
        let is_akin = |it: &&Profile| state::has_same_user(&it.server.id(), &id);
        let Some(account) = profiles.iter().find(is_akin) else {
            continue;
        };
        let verb = if waiting == 1 { "waits" } else { "wait" };
        let waits = format!("{} {verb}", count(waiting, "message"));
        report.report(
            &account.name,
            Event::Notice(&format!(
                "{waits} to be handed on in {}, of {id}, which no account of the config file is any more. \
                 If it is this one: popfetch state move {} {}",
                shown(&place),
                quoted(&id),
                account.word(),
            )),
        );
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
