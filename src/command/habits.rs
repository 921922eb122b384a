//! What people type who come from elsewhere, or who leave out `fetch`.
//!
//! An account, a URL or an option of `fetch` may stand where a command would. For what is nothing of
//! ours there is a sentence that helps, in place of clap's guesses.

use super::fail::Failure;
use super::foreign::{of_option, of_option_in, of_value, of_word, of_word_in};
use crate::cli::{Cli, Fetch};
use crate::exit::Status;
use crate::profile::units::Period;
use crate::profile::{config_option, nearest, without_password};
use crate::term::quoted;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Options that take a value in the next word, of those that hold for every command.
const WITH_VALUE: [&str; 3] = ["--config", "--format", "--color"];

/// The line as it is meant: with `fetch` where it was left out. `is_account`: whether the config file
/// has an account of this name; `None` where there is no such file.
///
/// # Errors
/// The first word is neither a command nor an account.
pub(super) fn as_meant(
    mut arguments: Vec<OsString>,
    accounts: impl FnOnce(Option<&OsStr>) -> Option<Vec<String>>,
) -> Result<Vec<OsString>, Failure> {
    let Some((place, config)) = first_of_its_own(&arguments) else {
        return Ok(arguments);
    };
    let Some(word) = arguments.get(place).and_then(|word| word.to_str()) else {
        return Ok(arguments);
    };
    let command = Cli::command();
    let is_ours = match word.strip_prefix('-') {
        Some(_) => !is_option_of_fetch(&command, word),
        None => word == "help" || command.find_subcommand(word).is_some(),
    };
    if is_ours {
        return Ok(arguments);
    }
    if !word.starts_with('-')
        && !word.contains("://")
        // What is wrong with the file is said by whoever reads it next.
        && let Some(accounts) = accounts(config)
        && !accounts.iter().any(|name| name == word)
    {
        return Err(no_such_word(word, &command, &accounts, config));
    }
    arguments.insert(place, "fetch".into());
    Ok(arguments)
}

/// The config file that is named.
pub(super) fn config_of(arguments: &[OsString]) -> Option<&OsStr> {
    first_of_its_own(arguments).and_then(|(_, config)| config)
}

/// The place of the first word that is no option of every command, and the config file that is
/// named. None where there is no such word.
fn first_of_its_own(arguments: &[OsString]) -> Option<(usize, Option<&OsStr>)> {
    let (mut place, mut config) = (1, None);
    loop {
        let word = arguments.get(place)?.to_str().unwrap_or_default();
        if WITH_VALUE.contains(&word) {
            if word == "--config" {
                config = arguments.get(place + 1).map(OsString::as_os_str);
            }
            place += 2;
        } else if let Some(path) = word.strip_prefix("--config=") {
            config = Some(OsStr::new(path));
            place += 1;
        } else if is_global(word) {
            place += 1;
        } else {
            let rest = arguments.get(place..).unwrap_or_default();
            return Some((place, config.or_else(|| config_in(rest))));
        }
    }
}

/// The config file that is named behind the first word.
fn config_in(words: &[OsString]) -> Option<&OsStr> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--config" {
            return words.next().map(OsString::as_os_str);
        }
        if let Some(path) = word.to_str().and_then(|it| it.strip_prefix("--config=")) {
            return Some(OsStr::new(path));
        }
        if word == "--" {
            break;
        }
    }
    None
}

/// Short options of every command that have no value.
const GLOBAL: [char; 3] = ['q', 'v', '0'];

fn is_global(word: &str) -> bool {
    let short = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| GLOBAL.contains(&c) || "hV".contains(c))
    };
    let long = [
        "--null",
        "--quiet",
        "--verbose",
        "--no-progress",
        "--help",
        "--version",
    ];
    let with_value = ["--format=", "--color="];
    long.contains(&word)
        || with_value.iter().any(|option| word.starts_with(option))
        || (!word.starts_with("--") && word.strip_prefix('-').is_some_and(short))
}

fn is_option_of_fetch(command: &clap::Command, word: &str) -> bool {
    let Some(fetch) = command.find_subcommand("fetch") else {
        return false;
    };
    if let Some(long) = word.strip_prefix("--") {
        let name = long.split('=').next();
        return fetch.get_arguments().any(|it| it.get_long() == name);
    }
    // A short one may stand behind those of every command, and have its value, or others, right behind it.
    let first = word.trim_start_matches('-').trim_start_matches(GLOBAL);
    let first = first.chars().next();
    first.is_some() && fetch.get_arguments().any(|it| it.get_short() == first)
}

fn no_such_word(
    word: &str,
    command: &clap::Command,
    accounts: &[String],
    config: Option<&OsStr>,
) -> Failure {
    // What is told to be typed reads the same file.
    let config = config_option(config.map(Path::new));
    let shown = without_password(word);
    let text = format!("there is neither a command nor an account `{shown}`");
    if let Some(habit) = of_word(word) {
        return Failure::new(Status::Usage, text, habit);
    }
    let commands = command.get_subcommands().map(|it| it.get_name().to_owned());
    let known: Vec<String> = commands.chain(accounts.iter().cloned()).collect();
    let hint = match nearest(word, &known) {
        Some(near) => format!("did you mean `popfetch {}{config}`?", quoted(near)),
        None if word.contains('@') && !word.contains('/') => {
            // A URL without its slashes.
            let is_imap = word.starts_with("imaps:");
            let schemes = ["pops:", "imaps:", "pop3s:"];
            let bare = schemes.iter().find_map(|it| word.strip_prefix(it));
            // Without the password, which others could read on a command line.
            let word = bare.unwrap_or(word);
            let (login, host) = word.rsplit_once('@').unwrap_or(("", word));
            let user = login.split_once(':').map_or(login, |(user, _)| user);
            let address = quoted(&format!("{user}@{host}"));
            let scheme = if is_imap { "imaps" } else { "pops" };
            let url = quoted(&format!("{scheme}://{user}@{host}"));
            format!(
                "to set an account up: popfetch setup {address}{config}; to fetch without one: \
                 popfetch {url} --maildir DIR"
            )
        }
        None if word.contains('.') && !word.contains('/') => format!(
            "to fetch from a server without a config file: popfetch {} --maildir DIR, or imaps:// in the \
             place of pops://",
            quoted(&format!("pops://USER@{word}"))
        ),
        None => format!(
            "popfetch --help has the commands, and popfetch account list{config} the accounts"
        ),
    };
    Failure::new(Status::Usage, text, hint)
}

/// A sentence in place of what clap says, where there is a better one. `config` is what names the config
/// file in a command.
pub(super) fn explain(error: &clap::Error, config: &str) -> Option<Failure> {
    let of = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let usage = || match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => {
            let usage = usage.to_string();
            let usage = usage.trim_start_matches("Usage:").trim();
            usage.lines().next().unwrap_or_default().trim().to_owned()
        }
        _ => "popfetch --help".to_owned(),
    };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let word = of(ContextKind::InvalidArg)?;
            let text = format!("there is no option `{word}` here");
            if !word.starts_with('-') {
                let text = format!("`{}` is one word too many", without_password(&word));
                return Some(Failure::new(
                    Status::Usage,
                    text,
                    format!("usage: {}", usage()),
                ));
            }
            let usage_line = usage();
            let command = usage_line.split(' ').nth(1).unwrap_or_default();
            let hint = of_option_in(command, &word).or_else(|| of_option(&word));
            let hint = hint.map(str::to_owned);
            let hint = hint.or_else(|| near_option(error, &word));
            let hint = hint.or_else(|| near_of_fetch(command, &word));
            let hint = hint.unwrap_or_else(|| format!("usage: {}", usage()));
            Some(Failure::new(Status::Usage, text, hint))
        }
        ErrorKind::InvalidSubcommand => {
            let word = of(ContextKind::InvalidSubcommand)?;
            let known = match error.get(ContextKind::SuggestedSubcommand) {
                Some(ContextValue::Strings(near)) => near.clone(),
                _ => Vec::new(),
            };
            let usage = usage();
            let habit = usage.split(' ').nth(1).and_then(|it| of_word_in(it, &word));
            let hint = match (habit, nearest(&word, &known)) {
                (Some(habit), _) => format!("that is popfetch {habit}{config}"),
                (None, Some(near)) => format!("did you mean `{near}`?"),
                (None, None) => format!("usage: {usage}"),
            };
            let text = format!("there is no command `{}` here", without_password(&word));
            Some(Failure::new(Status::Usage, text, hint))
        }
        ErrorKind::MissingRequiredArgument if usage().starts_with("popfetch state forget") => {
            Some(Failure::new(
                Status::Usage,
                "it is not said which messages are to be forgotten",
                format!(
                    "popfetch state forget ACCOUNT --all{config} forgets all of them, and popfetch state \
                     show ACCOUNT{config} has the unique-ids, by which some are named"
                ),
            ))
        }
        ErrorKind::TooManyValues => {
            let argument = of(ContextKind::InvalidArg)?;
            let name = argument.split(' ').next().unwrap_or_default();
            let hint = of_value(name).map_or_else(|| format!("write {name} alone"), str::to_owned);
            Some(Failure::new(
                Status::Usage,
                format!("`{name}` takes no value"),
                hint,
            ))
        }
        ErrorKind::InvalidValue
            if of(ContextKind::InvalidValue).is_some_and(|it| it.is_empty()) =>
        {
            let argument = of(ContextKind::InvalidArg)?;
            let name = argument.split(' ').next().unwrap_or_default();
            let hint = match of_value(name) {
                Some(hint) => hint.to_owned(),
                None => format!("write {}", argument.replace(['<', '>'], "")),
            };
            Some(Failure::new(
                Status::Usage,
                format!("`{name}` needs a value"),
                hint,
            ))
        }
        ErrorKind::InvalidValue => {
            let (value, argument) = (of(ContextKind::InvalidValue)?, of(ContextKind::InvalidArg)?);
            let Some(ContextValue::Strings(valid)) = error.get(ContextKind::ValidValue) else {
                return None;
            };
            Some(Failure::new(
                Status::Usage,
                format!("{argument} cannot be `{value}`"),
                format!("it can be: {}", valid.join(", ")),
            ))
        }
        _ => None,
    }
}

/// A word that was taken for an account, and what is to be said where there is none of this name: it looks like the
/// value of `--keep` or `--delete`, which have none.
pub(super) fn taken_for_an_account(arguments: &Fetch) -> Option<(&str, Failure)> {
    let name = match arguments {
        Fetch { keep: true, .. } => "--keep",
        Fetch { delete: true, .. } => "--delete",
        _ => return None,
    };
    let is_value = |word: &&String| {
        ["never", "always"].contains(&word.as_str()) || word.parse::<Period>().is_ok()
    };
    let value = arguments.accounts.iter().find(is_value)?;
    let text = format!("`{name}` takes no value, and there is no account `{value}`");
    Some((value, Failure::new(Status::Usage, text, of_value(name)?)))
}

/// What is said of a long option that has one `-` before it, and would be taken for short ones.
pub(super) fn long_with_one_dash(arguments: &[OsString]) -> Option<Failure> {
    let command = Cli::command();
    let is_long = |name: &str| {
        let commands = std::iter::once(&command).chain(command.get_subcommands());
        let mut all = commands.flat_map(clap::Command::get_arguments);
        all.any(|it| it.get_long() == Some(name))
    };
    let words = arguments.iter().skip(1).map_while(|word| word.to_str());
    let mut words = words.take_while(|word| *word != "--");
    let word = words.find(|word| {
        let name = word.strip_prefix('-').and_then(|it| it.split('=').next());
        name.is_some_and(|name| name.len() > 1 && is_long(name))
    })?;
    let option = word.split('=').next().unwrap_or(word);
    Some(Failure::new(
        Status::Usage,
        format!("there is no option `{option}` here"),
        format!("did you mean `-{option}`?"),
    ))
}

/// An option that is spelt nearly like this, of those that clap thinks of.
fn near_option(error: &clap::Error, word: &str) -> Option<String> {
    let Some(ContextValue::String(near)) = error.get(ContextKind::SuggestedArg) else {
        return None;
    };
    let name = near
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned();
    // Clap thinks of `--null` for `--all`.
    nearest(word, &[name]).map(|near| format!("did you mean `{near}`?"))
}

/// The same where `fetch` was left out.
fn near_of_fetch(command: &str, word: &str) -> Option<String> {
    let cli = Cli::command();
    if cli.find_subcommand(command).is_some() {
        return None;
    }
    let fetch = cli.find_subcommand("fetch")?;
    let longs = fetch.get_arguments().filter_map(clap::Arg::get_long);
    let longs: Vec<String> = longs.map(|long| format!("--{long}")).collect();
    nearest(word, &longs).map(|near| format!("did you mean `popfetch fetch {near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(line: &str) -> Result<String, Failure> {
        let words = line.split(' ').map(OsString::from).collect();
        let accounts = |_: Option<&OsStr>| Some(vec!["work".to_owned(), "sync".to_owned()]);
        let words = as_meant(words, accounts)?;
        let words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
        Ok(words.join(" "))
    }

    #[test]
    fn fetch_may_be_left_out() {
        for (typed, wanted) in [
            ("popfetch work", "popfetch fetch work"),
            ("popfetch -v work -n", "popfetch -v fetch work -n"),
            ("popfetch --dry-run", "popfetch fetch --dry-run"),
            ("popfetch -n", "popfetch fetch -n"),
            ("popfetch -j4 work", "popfetch fetch -j4 work"),
            ("popfetch -qn work", "popfetch fetch -qn work"),
            ("popfetch --max-size=1MB", "popfetch fetch --max-size=1MB"),
            (
                "popfetch --config c --now",
                "popfetch --config c fetch --now",
            ),
            (
                "popfetch pops://a@h --maildir m",
                "popfetch fetch pops://a@h --maildir m",
            ),
            // An account that is called like other tools' commands.
            ("popfetch sync", "popfetch fetch sync"),
        ] {
            assert_eq!(meant(typed).unwrap(), wanted);
        }
    }

    #[test]
    fn what_is_ours_already_is_left_alone() {
        for typed in [
            "popfetch",
            "popfetch -q",
            "popfetch --format json",
            "popfetch check work",
            "popfetch list",
            "popfetch show 3",
            "popfetch -vv fetch check",
            "popfetch --help",
            "popfetch -V",
            "popfetch --nonsense",
            "popfetch --config",
        ] {
            assert_eq!(meant(typed).unwrap(), typed);
        }
    }

    #[test]
    fn a_word_that_is_nothing_gets_a_sentence() {
        for (typed, wanted) in [
            ("popfetch pull", "popfetch alone"),
            ("popfetch ls", "popfetch list has the mail"),
            ("popfetch test", "popfetch account test"),
            ("popfetch search", "popfetch list --from WORD"),
            ("popfetch version", "popfetch --version"),
            ("popfetch ftech", "did you mean `popfetch fetch`?"),
            ("popfetch wrok", "did you mean `popfetch work`?"),
            ("popfetch ada@example.com", "popfetch setup ada@example.com"),
            ("popfetch rm", "popfetch account remove ACCOUNT"),
            ("popfetch xyzzy", "popfetch --help has the commands"),
            (
                "popfetch wrok --config c",
                "did you mean `popfetch work --config c`?",
            ),
        ] {
            let failure = meant(typed).unwrap_err();
            assert_eq!(failure.status, Status::Usage);
            let text = failure.render(crate::term::Paint::PLAIN);
            assert!(text.contains(wanted), "{text}");
        }
    }

    #[test]
    fn options_of_other_tools_get_a_sentence_and_no_misleading_tip() {
        use clap::Parser;
        for (typed, wanted) in [
            ("popfetch -k", "popfetch fetch --keep"),
            ("popfetch --all", "unless some are named"),
            ("popfetch fetch -a", "unless some are named"),
            ("popfetch list --all", "--all-folders"),
            ("popfetch check --all", "are checked unless"),
            ("popfetch fetch --limit 5", "--latest N"),
            ("popfetch list --json", "--format json"),
            ("popfetch list --unread", "popfetch list --new"),
            ("popfetch list --sort", "newest message comes first"),
            ("popfetch watch --every 5m", "in the config file"),
            ("popfetch fetch -d", "a timer starts it again"),
            ("popfetch check --idle", "a timer starts it again"),
            ("popfetch -c", "popfetch check"),
            ("popfetch fetch --dryrun", "did you mean `--dry-run`?"),
            (
                "popfetch --dryrun",
                "did you mean `popfetch fetch --dry-run`?",
            ),
            (
                "popfetch --delte",
                "did you mean `popfetch fetch --delete`?",
            ),
            ("popfetch fetch --zzz", "usage: popfetch fetch [OPTIONS]"),
            ("popfetch man fetch", "it can be: popfetch, popfetch.toml"),
            ("popfetch account lst", "did you mean `list`?"),
        ] {
            let words: Vec<_> = typed.split(' ').collect();
            let error = Cli::try_parse_from(words).unwrap_err();
            let failure = explain(&error, "").expect(typed);
            let text = failure.render(crate::term::Paint::PLAIN);
            assert!(text.contains(wanted), "{typed}: {text}");
            assert!(!text.contains("-- -") && !text.contains("--null"), "{text}");
        }
    }

    #[test]
    fn each_sentence_names_what_there_is() {
        let command = Cli::command();
        for name in [
            "check", "setup", "state", "account", "fetch", "password", "man",
        ] {
            assert!(command.find_subcommand(name).is_some(), "{name}");
        }
        let fetch = command.find_subcommand("fetch").unwrap();
        let longs: Vec<_> = fetch
            .get_arguments()
            .filter_map(|it| it.get_long())
            .collect();
        for long in ["keep", "delete", "max-size", "maildir", "dry-run"] {
            assert!(longs.contains(&long), "{long}");
        }
    }
}
