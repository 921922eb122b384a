//! The command line as clap sees it: types and help texts, no logic.
//!
//! The manual page and the completions are made from [`Cli::command`], so a text changed here
//! changes there too.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, PossibleValue, StringValueParser, TypedValueParser};
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::paths;
use crate::profile::Roots;
use crate::report::Format;
use crate::term::Color;

pub use fetch::{Check, Fetch, Login, SignIn};
pub use mend::{AccountCommand, Import, PasswordCommand, StateCommand, Tool, Verify};
pub use read::{List, Show, Since};
pub use setup::{Secret, Setup};
pub use watch::Watch;

mod fetch;
mod mend;
mod read;
mod setup;
mod watch;

const AFTER_HELP: &str = "\
Examples:
  popfetch setup                      set up an account, by a few questions
  popfetch                            fetch the new mail of all accounts
  popfetch fetch work --dry-run       show what would be fetched from account work
  popfetch check                      show how much mail waits
  popfetch list                       list the mail that was fetched
  popfetch show 3                     show the third message of that list
  popfetch fetch pops://ada@pop.example.com --maildir ~/Mail/ada
                                      fetch without a config file";

const AFTER_LONG_HELP: &str = "\
Examples:
  popfetch setup                      set up an account, by a few questions
  popfetch                            fetch the new mail of all accounts
  popfetch fetch work --dry-run       show what would be fetched from account work
  popfetch check                      show how much mail waits
  popfetch list                       list the mail that was fetched
  popfetch show 3                     show the third message of that list
  popfetch fetch pops://ada@pop.example.com --maildir ~/Mail/ada
                                      fetch without a config file
  popfetch -q                         for cron: silent unless something goes wrong
  popfetch --format paths -0 | xargs -0 -r grep -l invoice
                                      look for a word in the new messages

Exit status (with several accounts, the worst one):
    0  all done, with new mail or without
    1  some messages failed and are named; the rest is safe
   64  the command line makes no sense
   65  a state file is damaged and could not be rebuilt
   69  there is no such server, it refuses permanently, or is not trusted
   70  a fault of popfetch itself
   73  nothing can be created in the Maildir
   74  reading or writing the disk failed, or it is full
   75  a temporary failure: try again later
   76  the server broke the protocol
   77  the sign-in was refused, or there is no password
   78  the configuration is wrong
  130  interrupted (143: terminated); nothing is lost

Files:
  $XDG_CONFIG_HOME/popfetch/config.toml   the accounts; see `popfetch man popfetch.toml`
                                          (default: ~/.config/popfetch/config.toml)
  $XDG_STATE_HOME/popfetch/               what was fetched from each mailbox
                                          (default: ~/.local/state/popfetch/)";

/// Bring new mail home from POP3 and IMAP accounts into a Maildir, exactly once
///
/// popfetch signs in to each account, downloads the messages that it has not downloaded before,
/// stores them in a Maildir, and then leaves them on the server or deletes them, as the account's
/// profile says. Without a command it fetches the new mail of all accounts.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "popfetch",
    version,
    after_help = AFTER_HELP,
    after_long_help = AFTER_LONG_HELP,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do; without it, `fetch` of all accounts.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// The command line's description, for the manual page and the completions.
    pub fn command() -> clap::Command {
        <Self as CommandFactory>::command()
    }
}

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// Read this config file instead of the usual one
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        value_parser = path(),
        help_heading = "Global options"
    )]
    pub config: Option<PathBuf>,

    /// The config file's text is standard input: how `watch` hands on the one that it has read. What
    /// is named is where it came from.
    #[arg(long, global = true, hide = true)]
    pub config_on_stdin: bool,

    /// What to write on standard output
    ///
    /// json writes one object a line; paths, for fetch and list, the path of each message.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        help_heading = "Global options"
    )]
    pub format: Format,

    /// End each path with NUL instead of a newline; implies --format paths
    #[arg(short = '0', long, global = true, help_heading = "Global options")]
    pub null: bool,

    /// Print only what was asked for, and what goes wrong or needs a look
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Global options"
    )]
    pub quiet: bool,

    /// Say more; -vv shows what goes over the line, without passwords
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,

    /// When to use colours
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        help_heading = "Global options"
    )]
    pub color: Color,

    /// Show no progress bars
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_progress: bool,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Text, Self::Json, Self::Paths]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (word, help) = match self {
            Self::Text => ("text", "Lines for people"),
            Self::Json => ("json", "One JSON object a line"),
            Self::Paths => ("paths", "The path of each message"),
        };
        Some(PossibleValue::new(word).help(help))
    }
}

impl ValueEnum for Color {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Always, Self::Never]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Auto => "On a terminal, unless NO_COLOR is set",
            Self::Always => "Wherever the output goes",
            Self::Never => "Nowhere",
        };
        Some(PossibleValue::new(self.word()).help(help))
    }
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Fetch new mail; what popfetch does when no command is given
    Fetch(Fetch),
    /// Sign in and show what waits; fetches nothing, changes no mail
    Check(Check),
    /// Stay in the foreground, and fetch each account when it is due
    Watch(Watch),
    /// List the messages that are in the Maildir, newest first; needs no connection
    List(List),
    /// Show a message, its attachments, or a part of it; needs no connection
    Show(Show),
    /// Take over accounts from another tool, and what it has fetched
    Import(Import),
    /// Set up an account: finds the server, tries the sign-in, and writes the config file
    Setup(Setup),
    /// Look at the accounts of the config file, or remove one
    #[command(subcommand)]
    Account(AccountCommand),
    /// Look at what is remembered of a mailbox, and mend it
    #[command(subcommand)]
    State(StateCommand),
    /// Check that every recorded message is still in the Maildir, unchanged
    #[command(after_help = "\
The exit status is 0 when all is well and 1 when a message is missing, changed
or unreadable.

Examples:
  popfetch verify                 all accounts
  popfetch verify work --accept   what is missing was removed on purpose")]
    Verify(Verify),
    /// Sign in by OAuth 2.0, once, in the browser or with another device
    #[command(after_help = "\
Examples:
  popfetch login work
  popfetch login work --device    on a machine without a browser
  popfetch login work --remove    forget the sign-in")]
    Login(Login),
    /// Keep passwords in the system keyring
    #[command(subcommand)]
    Password(PasswordCommand),
    /// Write a completion script for a shell
    #[command(after_help = "\
Examples:
  mkdir -p ~/.local/share/bash-completion/completions
  popfetch completions bash > ~/.local/share/bash-completion/completions/popfetch")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Show a manual page, or write it to a file or a pipe
    #[command(after_help = "\
Example:
  popfetch man popfetch.toml   the manual page of the config file")]
    Man {
        /// Which page
        #[arg(value_enum, default_value_t)]
        page: Page,
    },
    /// Write the JSON Schema of what --format json writes
    #[command(after_help = "\
Example:
  popfetch schema > popfetch.schema.json")]
    Schema,
}

/// The shells with completions.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Shell {
    /// The Bourne again shell
    Bash,
    /// The Z shell
    Zsh,
    /// The friendly interactive shell
    Fish,
}

/// The manual pages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Page {
    /// The program, its commands and options
    #[default]
    #[value(name = "popfetch")]
    Program,
    /// The config file and its keys
    #[value(name = "popfetch.toml")]
    Config,
}

/// A path, with `~/` understood.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(paths::with_home)
}

/// Whose certificates are trusted, with `~/` understood where that is a file.
fn roots() -> impl TypedValueParser<Value = Roots> {
    StringValueParser::new().try_map(|text| match text.parse() {
        Ok(Roots::File(path)) => paths::with_home(path).map(Roots::File),
        Ok(other) => Ok(other),
    })
}

#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;
