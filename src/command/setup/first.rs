//! How much the first fetch is to take: asked, or said on the command line, where the server lets one
//! choose.

use crate::command::ask::Asker;
use crate::command::fail::Failure;
use crate::exit::{Diagnose, Status};
use crate::fetch::Error;

/// How many are enough to begin with.
const NEWEST: u64 = 100;

/// Fails where `--latest` would keep each fetch from taking place.
pub(super) fn check(latest: Option<u64>, takes_all: Option<&Error>) -> Result<(), Failure> {
    match takes_all {
        Some(error) if latest.is_some() => Err(Failure::new(
            Status::Config,
            format!("--latest: {error}"),
            error.hint().unwrap_or_default(),
        )),
        _ => Ok(()),
    }
}

/// Asks for it where there is something to choose: of `waiting` messages, where that is known. `in_each`: of
/// each of several folders.
pub(super) fn ask(
    asker: &Asker,
    (waiting, in_each): (Option<u64>, bool),
    takes_all: Option<&Error>,
) -> Result<Option<u64>, Failure> {
    // Of nothing there is nothing to choose.
    if waiting == Some(0) {
        return Ok(None);
    }
    if let Some(error) = takes_all {
        if !asker.yes {
            eprintln!();
            asker.say(why(error));
        }
        return Ok(None);
    }
    let newest = match in_each {
        true => format!("the newest {NEWEST} of each folder"),
        false => format!("the newest {NEWEST}"),
    };
    let mut options = vec![
        ("all of it", None),
        (&newest, Some(NEWEST)),
        ("none of it: I have what is there already", Some(0)),
    ];
    if waiting.is_some_and(|waiting| waiting <= NEWEST) {
        options.remove(1);
    }
    let words: Vec<_> = options.iter().map(|(words, _)| *words).collect();
    let choice = asker.choose("What is to be fetched first?", &words, 0)?;
    Ok(options.get(choice).and_then(|(_, latest)| *latest))
}

/// Why there is no such question. Whoever wanted less than all of it is told what can be done instead.
fn why(error: &Error) -> &'static str {
    match error {
        Error::InParts(_) => {
            "All of it will be fetched: this server lists its mailbox a part at a time, and shows no \
             more of it while a part is passed over. Which mail POP gets at all is a setting of \
             Gmail's own: Forwarding and POP/IMAP, \"Enable POP for mail that arrives from now on\"."
        }
        _ => {
            "All of it will be fetched: this server gives messages no unique-ids, so that it could \
             not be remembered which ones to pass over."
        }
    }
}
