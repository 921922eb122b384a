//! The command line as clap sees it: types and help texts, no logic.
//!
//! The manual page and the completions are made from [`Cli::command`], so a text changed here
//! changes there too.

use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::profile::Roots;
use crate::profile::units::{Octets, Period};

const AFTER_HELP: &str = "\
Examples:
  popfetch                            fetch the new mail of all accounts
  popfetch fetch work --dry-run       show what would be fetched from account work
  popfetch check                      show how much mail waits
  popfetch fetch pops://ada@pop.example.com --maildir ~/Mail/ada
                                      fetch without a config file";

const AFTER_LONG_HELP: &str = "\
Examples:
  popfetch                            fetch the new mail of all accounts
  popfetch fetch work --dry-run       show what would be fetched from account work
  popfetch check                      show how much mail waits
  popfetch fetch pops://ada@pop.example.com --maildir ~/Mail/ada
                                      fetch without a config file
  popfetch -q                         for cron: silent unless there is mail or trouble
  popfetch --format paths -0 | xargs -0 -r grep -l invoice
                                      look for a word in the new messages

Exit status (of several accounts, the worst one's):
    0  all done, with new mail or without
    1  some messages failed and are named; the rest is safe
   64  the command line makes no sense
   65  a state file is damaged and could not be rebuilt
   69  the server refuses for good, or its certificate is not trusted
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
  $XDG_STATE_HOME/popfetch/               what was fetched from each maildrop
                                          (default: ~/.local/state/popfetch/)";

/// Bring new mail home from POP3S accounts into a local Maildir, exactly once
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
        help_heading = "Global options"
    )]
    pub config: Option<PathBuf>,

    /// What to write on standard output
    ///
    /// json writes one object a line, paths the path of each new message.
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

    /// Say nothing unless there is news or trouble
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

/// What goes to standard output.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Format {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
    /// The path of each new message
    Paths,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Fetch new mail; what popfetch does when no command is given
    Fetch(Fetch),
    /// Sign in and show what waits; downloads and changes nothing
    Check(Check),
    /// Look at the accounts of the config file
    #[command(subcommand)]
    Account(AccountCommand),
    /// Look at what is remembered of a maildrop, and mend it
    #[command(subcommand)]
    State(StateCommand),
    /// Keep passwords in the system keyring
    #[command(subcommand)]
    Password(PasswordCommand),
    /// Write a completion script for a shell
    #[command(after_help = "\
Example:
  popfetch completions bash > ~/.local/share/bash-completion/completions/popfetch")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Write a manual page
    #[command(after_help = "\
Example:
  popfetch man popfetch.toml | man -l -      read the manual page of the config file")]
    Man {
        /// Which page
        #[arg(value_enum, default_value_t)]
        page: Page,
    },
}

/// How many accounts to work on at once, unless told otherwise.
const JOBS: u8 = 4;

/// `popfetch fetch`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  popfetch fetch                            all accounts
  popfetch fetch work --delete-after 14d    delete from the server what was fetched 14 days ago
  popfetch fetch work --latest 100          first fetch: only the newest 100 messages
  popfetch fetch pops://ada@pop.example.com --maildir ~/Mail/ada")]
pub struct Fetch {
    /// Accounts of the config file, or URLs like pops://ada@pop.example.com; none means all
    #[arg(value_name = "ACCOUNT")]
    pub accounts: Vec<String>,

    /// Show what would be fetched and deleted, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Leave all messages on the server, whatever the profile says
    #[arg(long, group = "after_fetch")]
    pub keep: bool,

    /// Delete each message from the server once it is safely stored
    #[arg(long, group = "after_fetch")]
    pub delete: bool,

    /// Delete each message from the server this long after it was fetched, as in "14 days"
    #[arg(long, group = "after_fetch", value_name = "DURATION")]
    pub delete_after: Option<Period>,

    /// Store the mail in this Maildir; needed with a URL
    #[arg(long, value_name = "DIR")]
    pub maildir: Option<PathBuf>,

    /// Leave larger messages on the server, as in "25 MB"
    #[arg(long, value_name = "SIZE")]
    pub max_size: Option<Octets>,

    /// On the first fetch of an account take only the newest N messages, and pass over the rest
    #[arg(long, value_name = "N")]
    pub latest: Option<u64>,

    /// Fetch the newest messages first
    #[arg(long)]
    pub newest_first: bool,

    /// Work on this many accounts at once
    #[arg(
        short,
        long,
        value_name = "N",
        default_value_t = JOBS,
        value_parser = clap::value_parser!(u8).range(1..=64)
    )]
    pub jobs: u8,

    /// How to sign in and whom to trust.
    #[command(flatten)]
    pub sign_in: SignIn,
}

/// What `popfetch` without a command does.
impl Default for Fetch {
    fn default() -> Self {
        Self {
            accounts: Vec::new(),
            dry_run: false,
            keep: false,
            delete: false,
            delete_after: None,
            maildir: None,
            max_size: None,
            latest: None,
            newest_first: false,
            jobs: JOBS,
            sign_in: SignIn::default(),
        }
    }
}

/// `popfetch check`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
With -q nothing is printed, and the exit status is 0 when new mail waits and 1 when none does.

Examples:
  popfetch check                  how much mail waits in each account
  popfetch check work --headers   date, sender and subject of what is new
  popfetch check -q work && popfetch fetch work")]
pub struct Check {
    /// Accounts of the config file, or URLs like pops://ada@pop.example.com; none means all
    #[arg(value_name = "ACCOUNT")]
    pub accounts: Vec<String>,

    /// Show date, sender and subject of each new message
    #[arg(long)]
    pub headers: bool,

    /// How to sign in and whom to trust.
    #[command(flatten)]
    pub sign_in: SignIn,
}

/// What the commands that sign in have in common.
#[derive(Args, Clone, Debug, Default)]
pub struct SignIn {
    /// Read the password from the first line of standard input; for one account
    #[arg(long)]
    pub password_stdin: bool,

    /// Whose certificates to trust: system, bundled, or a PEM file
    #[arg(long, value_name = "ROOTS")]
    pub tls_roots: Option<Roots>,
}

/// `popfetch account`.
#[derive(Clone, Debug, Subcommand)]
pub enum AccountCommand {
    /// List the accounts
    List,
    /// Show an account's settings, defaults included, without its password
    Show {
        /// The account
        #[arg(value_name = "ACCOUNT")]
        name: String,
    },
    /// Sign in and out again, to see whether an account works
    Test {
        /// The accounts; none means all
        #[arg(value_name = "ACCOUNT")]
        accounts: Vec<String>,

        /// How to sign in and whom to trust.
        #[command(flatten)]
        sign_in: SignIn,
    },
}

/// `popfetch state`.
#[derive(Clone, Debug, Subcommand)]
pub enum StateCommand {
    /// Show what is remembered of an account's maildrop
    Show {
        /// The account
        account: String,
    },
    /// Mark all that waits in the maildrop as seen: later fetches pass over it
    MarkSeen {
        /// The account
        account: String,

        /// How to sign in and whom to trust.
        #[command(flatten)]
        sign_in: SignIn,
    },
    /// Forget messages, so that they are fetched again
    #[command(after_help = "\
Examples:
  popfetch state forget work 1699-42      fetch this message again
  popfetch state forget work --all        fetch the whole maildrop again")]
    Forget {
        /// The account
        account: String,

        /// The messages' unique-ids, as `popfetch state show` prints them
        #[arg(value_name = "UNIQUE-ID", required_unless_present = "all")]
        unique_ids: Vec<String>,

        /// Forget all of them
        #[arg(long, conflicts_with = "unique_ids")]
        all: bool,
    },
}

/// `popfetch password`.
#[derive(Clone, Debug, Subcommand)]
pub enum PasswordCommand {
    /// Store an account's password: asks for it, or reads a line from a pipe
    #[command(after_help = "\
Examples:
  popfetch password set work
  pass show mail/work | popfetch password set work")]
    Set {
        /// The account, or a URL like pops://ada@pop.example.com
        account: String,
    },
    /// Remove an account's password
    Remove {
        /// The account, or a URL like pops://ada@pop.example.com
        account: String,
    },
}

/// The shells with completions.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

/// The manual pages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Page {
    /// The program
    #[default]
    #[value(name = "popfetch")]
    Program,
    /// The config file
    #[value(name = "popfetch.toml")]
    Config,
}

#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;
