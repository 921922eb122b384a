//! The help texts, and what is wrong with a command line, in lines that the terminal has room for.

use super::at_hand;
use super::fail::Failure;
use crate::cli::Cli;
use crate::exit::Status;
use crate::term::{Color, Paint, columns, hang, wrap_item};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, FromArgMatches};
use std::env;
use std::error::Error as _;
use std::ffi::OsString;
use std::io::{IsTerminal, Write, stderr, stdin, stdout};

/// The longest word that leaves room for a text beside it, as an exit status does.
const SHORT: usize = 8;

/// Stands for a space at which no line may be broken (U+00A0): a command that is broken is no command any
/// more for whoever copies it. One that is wider than the terminal goes on in the terminal's next line.
const GLUE: &str = "\u{a0}";

/// What a line below its command begins with.
const BELOW: &str = "      ";

/// Reads the command line.
pub(super) fn parse(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    if let Some(columns) = room() {
        command = fitted(command, columns);
    }
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    at_hand::note(&command, &matches);
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// The columns that a help text has room for: as many as clap takes its own part of it to have.
fn room() -> Option<usize> {
    let named = || env::var("COLUMNS").ok()?.parse().ok();
    columns(stdout())
        .or_else(|| columns(stderr()))
        .or_else(|| columns(stdin()))
        .or_else(named)
        .filter(|columns| *columns > 0)
}

/// Shows the help, or the version; on standard error where it stands for what was left out.
pub(super) fn show(error: &clap::Error) {
    let hung = |text: String, columns: Option<usize>| {
        let text = match columns {
            Some(columns) => hang(&text, columns),
            None => text,
        };
        text.replace(GLUE, " ")
    };
    if error.use_stderr() {
        let text = hung(error.render().to_string(), columns(stderr()).or_else(room));
        let _ = stderr().write_all(text.as_bytes());
        return;
    }
    let paint = Color::Auto.paint(stdout().is_terminal());
    let text = match paint == Paint::PLAIN {
        true => error.render().to_string(),
        false => error.render().ansi().to_string(),
    };
    let text = hung(text, room());
    let mut stdout = stdout().lock();
    // Nobody is left to be told that this could not be printed.
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

/// What is wrong, as clap says it, where there is nothing better.
pub(super) fn in_our_form(error: &clap::Error) -> Failure {
    let of = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    if let (ErrorKind::ValueValidation, Some(why)) = (error.kind(), error.source()) {
        let argument = of(ContextKind::InvalidArg);
        let name = argument.split(' ').next().unwrap_or_default();
        let text = format!(
            "{name} cannot be `{}`: {why}",
            of(ContextKind::InvalidValue)
        );
        return Failure::new(Status::Usage, text, "");
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    // What is lacking stands below, a word each.
    let first = text.split("\n\n").next().unwrap_or_default();
    let lines: Vec<&str> = first.lines().map(str::trim).collect();
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        _ => String::new(),
    };
    let usage = usage.trim_start_matches("Usage:").trim().lines().next();
    let hint = match usage.filter(|usage| !usage.is_empty()) {
        Some(usage) => format!("usage: {}", usage.trim()),
        None => "popfetch --help has the commands, and popfetch COMMAND --help the options".into(),
    };
    Failure::new(Status::Usage, lines.join(" "), hint)
}

/// The command with the texts behind its options laid out for so many columns.
fn fitted(command: Command, columns: usize) -> Command {
    let short = command
        .get_after_help()
        .map(|it| laid_out(&it.to_string(), columns));
    let long = command
        .get_after_long_help()
        .map(|it| laid_out(&it.to_string(), columns));
    let command = match short {
        Some(text) => command.after_help(text),
        None => command,
    };
    let command = match long {
        Some(text) => command.after_long_help(text),
        None => command,
    };
    command.mut_subcommands(|it| fitted(it, columns))
}

/// A table of two columns, or the second column below the first where there is no room beside it.
fn laid_out(text: &str, columns: usize) -> String {
    if text.lines().all(|line| line.len() <= columns) {
        return text.to_owned();
    }
    let mut rows: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        match (rows.last_mut(), line.trim_start().split_once("  ")) {
            (Some((_, text)), _) if indent > SHORT => {
                text.push(' ');
                text.push_str(line.trim());
            }
            (_, Some((left, right))) if indent > 0 => {
                rows.push((whole(indent, left), right.trim().to_owned()));
            }
            _ if indent > 0 => rows.push((whole(indent, line.trim()), String::new())),
            _ => rows.push((line.to_owned(), String::new())),
        }
    }
    let lines = rows.into_iter().map(|(left, right)| match right.trim() {
        "" => left,
        right if left.chars().count() <= SHORT => {
            wrap_item(&format!("{left}  "), right, Some(columns))
        }
        right => format!("{left}\n{}", wrap_item(BELOW, right, Some(columns))),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What stands on a line of its own and is never broken.
fn whole(indent: usize, text: &str) -> String {
    " ".repeat(indent) + &text.replace(' ', GLUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_goes_below_itself_where_it_has_no_room() {
        let text = "Examples:\n  popfetch -q          for cron: silent\n                       unless \
                    something fails\n\nStatus:\n   64  the command line makes no sense";
        assert_eq!(laid_out(text, 80), text);
        assert_eq!(
            laid_out(text, 30).replace(GLUE, " "),
            "Examples:\n  popfetch -q\n      for cron: silent unless\n      something fails\n\n\
             Status:\n   64  the command line makes\n       no sense"
        );
    }
}
