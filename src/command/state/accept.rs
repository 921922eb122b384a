//! `popfetch state accept`: what is missing, changed or has come back is so on purpose.

use super::{
    claim, is_known, is_one_of, is_shown_as, remembered, say, strangers, tell_strangers, unknown,
};
use crate::command::context::Context;
use crate::command::fail::Failure;
use crate::durable::Disk;
use crate::exit::Status;
use crate::fetch;
use crate::profile::Profile;
use crate::state::{InspectedMessage, Missing};
use crate::term::count;

pub(super) fn accept(
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
        left => Err(super::forget::still_waiting(profile, left, "not accepted")),
    }
}

pub(super) fn accept_returned(context: &Context<'_>, profile: &Profile) -> Result<Status, Failure> {
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
            format!("{}: nothing that came back is missing here", profile.name),
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

pub(super) fn accept_maildir(
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
