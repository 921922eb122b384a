//! Which folders are to be fetched, of a server that has them.

use crate::command::ask::Asker;
use crate::command::fail::Failure;
use crate::discover::steps;
use crate::profile::draft::{Draft, Reach};

/// Asks for it, where there is something to choose.
pub(super) fn ask(asker: &Asker, draft: &Draft) -> Result<Reach, Failure> {
    if !draft.protocol.has_folders() {
        return Ok(Reach::Inbox);
    }
    // There each message is in one folder beside others, and would come from each.
    let is_gmail = steps::of(draft.protocol, &draft.host).is_some_and(|it| it.provider == "Gmail");
    let choices = match is_gmail {
        true => &[
            ("the inbox", Reach::Inbox),
            ("all mail but spam and trash", Reach::AllMail),
        ][..],
        false => &[
            ("the inbox", Reach::Inbox),
            (
                "all but spam and trash, each into the Maildir's folder of its name",
                Reach::AllButJunk,
            ),
            ("all of them", Reach::All),
        ],
    };
    let words: Vec<_> = choices.iter().map(|(words, _)| *words).collect();
    let choice = asker.choose("Which folders are to be fetched?", &words, 0)?;
    Ok(choices
        .get(choice)
        .map_or(Reach::Inbox, |(_, reach)| *reach))
}
