//! `popfetch state forget`: what is forgotten, and what is not as it may be nowhere else.

use super::{
    Context, Failure, claim, is_known, is_one_of, is_shown_as, profile, remembered, say, strangers,
    tell_strangers, unknown,
};
use crate::exit::Status;
use crate::maildrop::file_name;
use crate::paths;
use crate::profile::Profile;
use crate::state::Forgotten;
use crate::term::count;
use std::path::PathBuf;

pub(super) fn forget(
    context: &Context<'_>,
    name: &str,
    maildir: Option<PathBuf>,
    unique_ids: &[String],
    all: bool,
) -> Result<Status, Failure> {
    let profile = profile(context, name, maildir)?;
    let known = named(&profile, unique_ids)?;
    let forgotten = match is_known(&profile.server.id())? {
        true => forget_of(&profile, unique_ids, all)?,
        // Nor is anything left behind where there was nothing.
        false => Forgotten::default(),
    };
    if (forgotten.messages, forgotten.waiting) == (0, 0) && all {
        return Err(Failure::new(
            Status::Partial,
            format!(
                "{}: nothing is remembered, so there is nothing to forget",
                profile.name
            ),
            format!(
                "what the next fetch would do: popfetch fetch --dry-run {}",
                profile.word()
            ),
        ));
    }
    if (forgotten.messages, forgotten.waiting) == (0, 0) {
        return Err(unknown(&profile));
    }
    if forgotten.messages > 0 {
        let text = format!(
            "{} forgotten; what the server still has of that is new to the next fetch",
            count(forgotten.messages, "message")
        );
        say(context, &profile, &text);
    }
    if forgotten.unhanded > 0 {
        let text = format!(
            "{} of them had not been handed on yet: what is not fetched again is not handed on, and stays \
             in the Maildir",
            forgotten.unhanded
        );
        say(context, &profile, &text);
    }
    if forgotten.waiting > 0 {
        return Err(still_waiting(&profile, forgotten.waiting, "not forgotten"));
    }
    tell_strangers(&profile, &strangers(&known, unique_ids))
}

/// Messages that wait to be handed on are left as they are, as the server may have them no more.
pub(super) fn still_waiting(profile: &Profile, number: u64, what: &str) -> Failure {
    let spool = paths::spool_dir(&file_name(&profile.server.id()));
    let place = spool.map_or_else(|_| "the spool".to_owned(), |it| it.display().to_string());
    let waiting = count(number, "message");
    let verb = if number == 1 { "waits" } else { "wait" };
    Failure::new(
        Status::Partial,
        format!(
            "{}: {waiting} {verb} to be handed on in {place}: {what}, as there may be no other copy",
            profile.name
        ),
        match profile.deliver {
            Some(_) => format!(
                "`popfetch fetch {}` hands on what waits; a file that you remove from new/ there first is \
                 fetched again if the server still has its message",
                profile.word()
            ),
            None => format!(
                "put `deliver` back for one more run; or move the files from new/ there to {}/new, and say \
                 so once more",
                profile.maildir.display()
            ),
        },
    )
}

/// The unique-ids that may be meant, of those that are remembered.
fn named(profile: &Profile, given: &[String]) -> Result<Vec<Box<[u8]>>, Failure> {
    if given.is_empty() {
        return Ok(Vec::new());
    }
    let remembered = remembered(profile)?;
    let is_meant = |id: &[u8]| is_shown_as(id, given) || is_one_of(id, given);
    let mut named: Vec<_> = remembered.failing().iter().cloned().collect();
    named.retain(|id| is_meant(id));
    for message in remembered.messages() {
        named.extend(message?.unique_ids.into_iter().filter(|id| is_meant(id)));
    }
    Ok(named)
}

fn forget_of(profile: &Profile, unique_ids: &[String], all: bool) -> Result<Forgotten, Failure> {
    let mut store = claim(profile)?.without_maildir()?;
    let forgotten = match all {
        true => store.forget_all()?,
        false => match store.forget(|id| is_shown_as(id, unique_ids))? {
            none if none == Forgotten::default() => store.forget(|id| is_one_of(id, unique_ids))?,
            forgotten => forgotten,
        },
    };
    store.close()?;
    Ok(forgotten)
}
