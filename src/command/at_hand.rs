//! Says which options the command at hand takes.

use crate::exit::at_hand;
use clap::{ArgMatches, Command};
use std::collections::HashSet;

/// Notes it for whatever has a hint to give.
pub(super) fn note(command: &Command, matches: &ArgMatches) {
    let options = options_of(command, matches);
    at_hand::note(options.into_iter().collect());
}

fn options_of(command: &Command, matches: &ArgMatches) -> HashSet<String> {
    // An account's fetch in a watch is a process of the watch's: a person has typed `watch`.
    let is_of_watch = matches.get_flag("config_on_stdin");
    let named = |name: &str| command.find_subcommand(name);
    let mut taken = options(command);
    let (mut at, mut below) = match matches.subcommand() {
        _ if is_of_watch => (named("watch"), None),
        Some((name, below)) => (named(name), Some(below)),
        None => (named("fetch"), None),
    };
    while let Some(found) = at {
        taken.extend(options(found));
        let next = below.and_then(ArgMatches::subcommand);
        at = next.and_then(|(name, _)| found.find_subcommand(name));
        below = next.map(|(_, below)| below);
    }
    taken
}

fn options(command: &Command) -> HashSet<String> {
    let visible = command.get_arguments().filter(|it| !it.is_hide_set());
    visible
        .filter_map(|it| it.get_long())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;

    fn takes(line: &str, option: &str) -> bool {
        let mut command = Cli::command();
        let matches = command.try_get_matches_from_mut(line.split(' '));
        options_of(&command, &matches.unwrap()).contains(option)
    }

    #[test]
    fn an_option_is_taken_by_the_command_that_was_typed() {
        for (line, option, is_taken) in [
            ("popfetch", "now", true),
            ("popfetch fetch", "password-stdin", true),
            ("popfetch check", "now", true),
            ("popfetch check", "jobs", false),
            ("popfetch check", "config", true),
            ("popfetch watch", "jobs", true),
            ("popfetch watch", "password-stdin", false),
            ("popfetch --config-on-stdin fetch work", "now", false),
            ("popfetch --config-on-stdin fetch work", "jobs", true),
            ("popfetch account test", "password-stdin", true),
            ("popfetch account test", "now", false),
            ("popfetch account show work", "password-stdin", false),
            ("popfetch state mark-seen work", "timeout", true),
            ("popfetch login work", "device", true),
            ("popfetch login work", "config-on-stdin", false),
        ] {
            assert_eq!(takes(line, option), is_taken, "{line} --{option}");
        }
    }
}
