//! The commands: from the command line to an exit status. One file a command.
//!
//! This is the edge of the program: the only place that reads the environment, prints to stdout
//! and turns errors into text. What is common to several commands is in `context` and `fail`.

/// As the standard library's, but where standard error cannot be written, as its disk is full, the program goes on.
macro_rules! eprint {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stderr(), $($text)*);
    }};
}

/// See `eprint`.
macro_rules! eprintln {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

mod account;
mod ask;
mod at_hand;
mod check;
mod context;
mod doctor;
mod dry_run;
mod fail;
mod fetch;
mod foreign;
mod generate;
mod habits;
mod help;
mod import;
mod lacking;
mod list;
mod listen;
mod login;
mod maildirs;
mod on_new;
mod pager;
mod password;
mod pool;
mod process;
mod ready;
mod remove;
mod results;
mod setup;
mod show;
mod state;
mod stranded;
mod verify;
mod watch;

pub use fail::Failure;

use crate::cli::{Command, Fetch, Global};
use crate::exit::Status;
use crate::paths;
use crate::profile::{Config, config_option};
use crate::report::Format;
use crate::term::Color;
use clap::error::ErrorKind;
use context::Context;
use std::ffi::{OsStr, OsString};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

/// Runs the program with these arguments, the program's name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    process::harden();
    let arguments = with_help(arguments);
    let config = config_option(habits::config_of(&arguments).map(Path::new));
    let arguments = match habits::as_meant(arguments, accounts_of) {
        Ok(arguments) => arguments,
        Err(failure) => return ended(&failure),
    };
    let one_dash = habits::long_with_one_dash(&arguments);
    let cli = match help::parse(arguments) {
        Ok(cli) => cli,
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            help::show(&error);
            return Status::Usage.into();
        }
        Err(error) if error.use_stderr() => {
            let one_dash = one_dash.filter(|_| error.kind() == ErrorKind::UnknownArgument);
            let explained = one_dash.or_else(|| habits::explain(&error, &config));
            return ended(&explained.unwrap_or_else(|| help::in_our_form(&error)));
        }
        Err(error) => {
            help::show(&error);
            return Status::Ok.into();
        }
    };
    let context = Context::new(&cli.global);
    let command = cli
        .command
        .clone()
        .unwrap_or_else(|| Command::Fetch(Fetch::default()));
    match check_format(&cli.global, &command).and_then(|()| run(&context, command)) {
        Ok(status) => status.into(),
        // Ctrl-C at a question: whoever typed it knows.
        Err(failure) if failure.status == Status::Interrupted => failure.status.into(),
        Err(failure) => {
            let text = failure.render(context.paint());
            let _ = std::io::stderr().write_all(text.as_bytes());
            failure.status.into()
        }
    }
}

/// For what ends before it is known how to print.
fn ended(failure: &Failure) -> ExitCode {
    let paint = Color::Auto.paint(std::io::stderr().is_terminal());
    let _ = std::io::stderr().write_all(failure.render(paint).as_bytes());
    failure.status.into()
}

/// The accounts of the config file; none where it is missing, and `None` where it is broken.
fn accounts_of(config: Option<&OsStr>) -> Option<Vec<String>> {
    let path = match config {
        Some(path) => path.into(),
        None => paths::config_file().ok()?,
    };
    if !path.exists() {
        return Some(Vec::new());
    }
    let config = Config::load(&path).ok()?;
    Some(config.accounts().map(str::to_owned).collect())
}

/// `help COMMAND` is `COMMAND --help`, as people type it who know git.
fn with_help(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|first| first == "help") {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    arguments
}

/// Paths are for messages that lie in a Maildir: those that `fetch` has put there, and what `list` finds.
fn check_format(global: &Global, command: &Command) -> Result<(), Failure> {
    let usage = |text: &str, hint: &str| Err(Failure::new(Status::Usage, text, hint));
    if global.null && global.format == Format::Json {
        return usage(
            "--null ends paths, and --format json writes none",
            "leave out one of the two",
        );
    }
    if global.format == Format::Json
        && let Some(what) = not_json(command)
    {
        return usage(
            &format!("--format json: {what}, whatever the format"),
            "leave the option out",
        );
    }
    if !global.null && global.format != Format::Paths {
        return Ok(());
    }
    let option = if global.null {
        "--null"
    } else {
        "--format paths"
    };
    match command {
        Command::Fetch(fetch) if !fetch.dry_run => Ok(()),
        Command::List(_) => Ok(()),
        Command::Fetch(_) => usage(
            &format!("{option} is for the paths of new messages, and a dry run makes none"),
            "use --format json, or leave the option out",
        ),
        _ => usage(
            &format!("{option} is for the paths of messages, which `fetch` and `list` print"),
            match not_json(command) {
                Some(_) => "leave the option out",
                None => "use --format json, or leave the option out",
            },
        ),
    }
}

/// What a command writes to standard output that nobody could read as JSON.
fn not_json(command: &Command) -> Option<&'static str> {
    match command {
        Command::Completions { .. } => Some("a completion script is written for its shell"),
        Command::Watch(_) => Some("a watch writes nothing to standard output but its status"),
        Command::Man { .. } => Some("a manual page is written for a person"),
        Command::Schema => Some("the schema is one object over many lines"),
        Command::Show(it) if it.raw || it.headers || it.html => Some("it is written as it is"),
        Command::Show(it) if it.part.is_some() && it.save.is_none() => {
            Some("a part is written as it is")
        }
        Command::Setup(setup) if setup.print => Some("--print shows a part of a config file"),
        _ => None,
    }
}

fn run(context: &Context<'_>, command: Command) -> Result<Status, Failure> {
    match command {
        Command::Fetch(arguments) => fetch::run(context, &arguments),
        Command::Check(arguments) => check::run(context, &arguments),
        Command::Watch(arguments) => watch::run(context, &arguments),
        Command::List(arguments) => list::run(context, &arguments),
        Command::Show(arguments) => show::run(context, &arguments),
        Command::Import(arguments) => import::run(context, &arguments),
        Command::Setup(arguments) => setup::run(context, &arguments),
        Command::Account(command) => account::run(context, command),
        Command::State(command) => state::run(context, command),
        Command::Verify(arguments) => verify::run(context, &arguments),
        Command::Login(arguments) => login::run(context, &arguments),
        Command::Password(command) => password::run(context, command),
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { page } => generate::man(page),
        Command::Schema => generate::schema(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn format_of(line: &str) -> Option<u8> {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let command = cli.command.unwrap_or(Command::Fetch(Fetch::default()));
        let failure = check_format(&cli.global, &command).err();
        failure.map(|failure| failure.status.code())
    }

    #[test]
    fn paths_are_for_fetch_and_list_alone() {
        assert_eq!(format_of("popfetch -0"), None);
        assert_eq!(format_of("popfetch fetch --format paths"), None);
        assert_eq!(format_of("popfetch list -0"), None);
        assert_eq!(format_of("popfetch show 1 --format json"), None);
        assert_eq!(format_of("popfetch check --format json"), None);
        for wrong in [
            "popfetch check -0",
            "popfetch account list --format paths",
            "popfetch fetch -n -0",
            "popfetch -0 --format json",
            "popfetch show 1 -0",
            "popfetch show 1 --raw --format json",
        ] {
            assert_eq!(format_of(wrong), Some(64), "{wrong}");
        }
    }

    #[test]
    fn help_with_a_command_is_that_command_with_help() {
        let line = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(
            with_help(line("popfetch help state show")),
            line("popfetch state show --help")
        );
        assert_eq!(with_help(line("popfetch help")), line("popfetch --help"));
        assert_eq!(
            with_help(line("popfetch fetch help")),
            line("popfetch fetch help")
        );
    }
}
