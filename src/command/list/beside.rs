//! What a list says of mail that is here and that it does not show: it would be taken for lost.

use crate::cli::List;
use crate::mailbox::{Elsewhere, Filter};
use crate::paths::in_full;
use crate::profile::config_option;
use crate::term::{count, escape_str, quoted};
use std::path::Path;

/// What is said where there is nothing to list at all.
const NOTHING: &str = "no messages\n";

/// Says that mail lies in folders that were not looked at, and how to see it; where nothing was `shown`, that
/// as well.
pub(super) fn folders(
    arguments: &List,
    filter: &Filter,
    elsewhere: Elsewhere,
    (shown, config): (bool, Option<&Path>),
) -> String {
    let Elsewhere { messages, new } = elsewhere;
    let (number, what) = match arguments.new {
        true => (new, "new message"),
        false => (messages, "message"),
    };
    let nothing = match (shown, number) {
        (true, _) => "",
        (false, 0) => NOTHING,
        (false, _) if !filter.looks_into_none() => "no such messages in the inbox; ",
        (false, _) if arguments.new => "no new messages in the inbox; ",
        (false, _) => "no messages in the inbox; ",
    };
    if number == 0 {
        return nothing.to_owned();
    }
    let (lie, are, them) = match number {
        1 => ("lies", "is", "it"),
        _ => ("lie", "are", "them"),
    };
    let all = match (arguments.new, new) {
        (false, new) if new == number => count(number, "new message"),
        (false, 1..) => format!("{} ({new} new)", count(number, what)),
        _ => count(number, what),
    };
    let (place, how) = match filter.looks_into_none() {
        true => (
            format!("{all} {lie} in folders"),
            format!("lists {them} as well"),
        ),
        false => (
            format!("{all} in folders {are} not looked at"),
            "looks there as well".to_owned(),
        ),
    };
    match shown {
        true => format!("{place}: --all-folders {how}\n"),
        false => format!("{nothing}{place}:\n    {}\n", again(arguments, config)),
    }
}

/// Says that messages wait to be handed on, and are in no Maildir.
pub(super) fn waiting(name: &str, waiting: u64, config: Option<&Path>) -> String {
    let (wait, are, why) = match waiting {
        1 => ("waits", "is", "why it still waits"),
        _ => ("wait", "are", "why they still wait"),
    };
    format!(
        "{}: {} {wait} to be handed on and {are} not listed: popfetch fetch{} {} says {why}\n",
        escape_str(name),
        count(waiting, "message"),
        config_option(config),
        quoted(name),
    )
}

/// The same command with all folders, as a shell takes it.
fn again(arguments: &List, config: Option<&Path>) -> String {
    // Each by its name, so that no new one is forgotten.
    let List {
        accounts,
        maildir,
        new,
        from,
        subject,
        since,
        limit,
        folder: _,
        all_folders: _,
    } = arguments;
    let mut line = "popfetch list".to_owned();
    for account in accounts {
        line.push_str(&format!(" {}", quoted(account)));
    }
    if *new {
        line.push_str(" --new");
    }
    let maildir = maildir
        .as_deref()
        .map(|it| in_full(it).display().to_string());
    let with_value = [
        ("maildir", maildir),
        ("from", from.clone()),
        ("subject", subject.clone()),
        ("since", since.map(|it| it.to_string())),
        ("limit", limit.map(|it| it.to_string())),
    ];
    for (option, value) in with_value {
        if let Some(value) = value {
            line.push_str(&format!(" --{option} {}", quoted(&value)));
        }
    }
    escape_str(&format!("{line} --all-folders{}", config_option(config)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    #[test]
    fn the_line_to_be_typed_asks_for_what_this_one_has_asked_for() {
        let parse = |words: &[&str]| match Cli::try_parse_from(words).unwrap().command {
            Some(Command::List(list)) => list,
            other => panic!("{other:?}"),
        };
        let words = [
            "popfetch",
            "list",
            "work",
            "--new",
            "--maildir",
            "/m",
            "--from",
            "a b",
            "--subject",
            "x",
            "--since",
            "14 days",
            "--limit",
            "3",
        ];
        assert_eq!(
            again(&parse(&words), Some(Path::new("/c"))),
            "popfetch list work --new --maildir /m --from 'a b' --subject x --since '14 days' --limit 3 \
             --all-folders --config /c"
        );
    }
}
