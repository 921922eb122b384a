//! The commands that sign in to fetch or to look: their options.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::profile::units::{Octets, Period, whole_number};
use crate::profile::{Auth, Pin, Roots, Shard};

/// `popfetch fetch`.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = "\
Examples:
  popfetch fetch                            all accounts
  popfetch fetch work --delete-after 14d    delete from the server what was fetched 14 days ago
  popfetch fetch work --latest 100          first fetch: only the newest 100 messages
  popfetch fetch pops://ada@pop.example.com --maildir ~/Mail/ada")]
pub struct Fetch {
    /// Accounts of the config file, or URLs like pops://ada@pop.example.com; none means all that
    /// are not disabled
    #[arg(value_name = "ACCOUNT")]
    pub accounts: Vec<String>,

    /// Show what would be fetched and deleted, and do neither
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Leave all messages on the server, whatever the profile says
    #[arg(long, group = "after_fetch")]
    pub keep: bool,

    /// Delete each message from the server once it is safely stored, and all that was fetched earlier
    #[arg(long, group = "after_fetch")]
    pub delete: bool,

    /// Delete each message from the server this long after it was fetched, as in "14 days"
    #[arg(long, group = "after_fetch", value_name = "DURATION")]
    pub delete_after: Option<Period>,

    /// Store the mail in this Maildir; needed with a URL
    #[arg(long, value_name = "DIR", value_parser = super::path())]
    pub maildir: Option<PathBuf>,

    /// Leave larger messages on the server, as in "25 MB"
    #[arg(long, value_name = "SIZE")]
    pub max_size: Option<Octets>,

    /// On the first fetch of an account take only the newest N messages (of each folder), and pass over the rest
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = whole_number
    )]
    pub latest: Option<u64>,

    /// Fetch the newest messages first
    #[arg(long)]
    pub newest_first: bool,

    /// Work on this many accounts at once
    #[arg(
        short,
        long,
        value_name = "N",
        default_value_t,
        value_parser = jobs()
    )]
    pub jobs: Jobs,

    /// Work on only the Ith of N parts of the accounts, counted from 0, as in 0/4
    ///
    /// Which part an account is in depends on its name alone.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,

    /// Try at once where a server asked to be left alone for a while
    #[arg(long)]
    pub now: bool,

    /// Fetch all that is not known, even if the mailbox looks like one that is known by another name, or like
    /// one that an import was for
    #[arg(long)]
    pub as_new: bool,

    /// Stop after this long, as in "10 min"; what is left is for the next run
    #[arg(long, value_name = "DURATION")]
    pub max_time: Option<Period>,

    /// How to sign in and whom to trust.
    #[command(flatten)]
    pub sign_in: SignIn,
}

/// How many accounts to work on at once.
#[derive(Clone, Copy, Debug)]
pub struct Jobs(pub u8);

impl Default for Jobs {
    fn default() -> Self {
        Self(8)
    }
}

impl fmt::Display for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `popfetch check`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
With -q nothing is listed, and the exit status is 0 when new mail waits, 1 when
none does, and another one where an account fails. What rules or `max-size` leave on the server does not count as
new; mail that no fetch has met yet is judged by its size alone. Where a server has
no unique-ids, all of it counts as new.

Examples:
  popfetch check                  how much mail waits in each account
  popfetch check work --headers   date, sender and subject of what is new
  popfetch check -q work && popfetch fetch work")]
pub struct Check {
    /// Accounts of the config file, or URLs like pops://ada@pop.example.com; none means all that
    /// are not disabled
    #[arg(value_name = "ACCOUNT")]
    pub accounts: Vec<String>,

    /// Show date, sender and subject of each new message
    #[arg(long)]
    pub headers: bool,

    /// Try at once where a server asked to be left alone for a while
    #[arg(long)]
    pub now: bool,

    /// Stay, and write a line when mail comes: how `watch` hears of it.
    #[arg(long, hide = true)]
    pub listen: bool,

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

    /// How to sign in, as `auth` in the config file; the best way that the server offers by default
    #[arg(long, value_name = "METHOD", value_parser = method())]
    pub auth: Option<Auth>,

    /// Whose certificates to trust: system, bundled, pinned (tls-pin alone), or a PEM file
    #[arg(long, value_name = "ROOTS", value_parser = super::roots())]
    pub tls_roots: Option<Roots>,

    /// The SHA-256 of the server's public key, as tls-pin in the config file; can be repeated
    #[arg(long, value_name = "PIN")]
    pub tls_pin: Vec<Pin>,

    /// How long a server may be silent, as in "5 min"
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<Period>,
}

/// `popfetch login`.
#[derive(Args, Clone, Debug)]
pub struct Login {
    /// An account of the config file that has a table `oauth`
    #[arg(value_name = "ACCOUNT")]
    pub account: String,

    /// Show a code that is entered on another device
    #[arg(long)]
    pub device: bool,

    /// Forget the sign-in
    #[arg(long, conflicts_with = "device")]
    pub remove: bool,
}

/// How many at once: 64 are enough for any line, and each takes files and memory.
pub(super) fn jobs() -> impl TypedValueParser<Value = Jobs> {
    |text: &str| match text.parse() {
        Ok(jobs @ 1..=64) => Ok(Jobs(jobs)),
        _ => Err("it is a number from 1 to 64"),
    }
}

/// The words of the config file.
fn method() -> impl TypedValueParser<Value = Auth> {
    let words = Auth::ALL.map(|(word, _)| word);
    PossibleValuesParser::new(words).map(|word| Auth::of_word(&word).unwrap_or_default())
}
