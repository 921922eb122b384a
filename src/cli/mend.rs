//! The commands with commands of their own: accounts, what is remembered, passwords.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::SignIn;

/// `popfetch account`.
#[derive(Clone, Debug, Subcommand)]
pub enum AccountCommand {
    /// List the accounts
    List {
        /// Their names alone, one a line, as completions want them
        #[arg(long)]
        names: bool,
    },
    /// Show an account's settings, defaults included, without its password
    Show {
        /// The account, or a URL like pops://ada@pop.example.com
        #[arg(value_name = "ACCOUNT")]
        name: String,
    },
    /// Test whether an account works: server, certificate, sign-in, Maildir; changes nothing
    Test {
        /// Accounts of the config file, or URLs like pops://ada@pop.example.com; none means all that
        /// are not disabled
        #[arg(value_name = "ACCOUNT")]
        accounts: Vec<String>,

        /// How to sign in and whom to trust.
        #[command(flatten)]
        sign_in: SignIn,
    },
    /// Take an account out of the config file; its mail stays where it is
    #[command(after_help = "\
What is in the Maildir is never touched. What was fetched stays remembered, so
that nothing comes twice where the account is set up again. What it signs in
with goes too, unless another account uses it: its password in the keyring, or
in a file *.password beside the config file, and its sign-in by OAuth.

Examples:
  popfetch account remove work
  popfetch account remove work --forget    ... and the record of what was fetched")]
    Remove {
        /// The account of the config file
        #[arg(value_name = "ACCOUNT")]
        name: String,

        /// Remove the record of what was fetched, too
        #[arg(long)]
        forget: bool,

        /// Ask nothing
        #[arg(short, long)]
        yes: bool,
    },
}

/// `popfetch state`.
#[derive(Clone, Debug, Subcommand)]
pub enum StateCommand {
    /// Show what is remembered of an account's mailbox
    Show {
        /// The account, or a URL like pops://ada@pop.example.com
        account: String,
    },
    /// Mark all that waits in the mailbox as seen: later fetches pass over it
    MarkSeen {
        /// The account, or a URL like pops://ada@pop.example.com
        account: String,

        /// The account's Maildir; needed with a URL
        #[arg(long, value_name = "DIR", value_parser = super::path())]
        maildir: Option<PathBuf>,

        /// How to sign in and whom to trust.
        #[command(flatten)]
        sign_in: SignIn,
    },
    /// Forget messages, so that they are fetched again
    #[command(after_help = "\
Examples:
  popfetch state forget work 1699-42      fetch this message again
  popfetch state forget work --all        fetch the whole mailbox again")]
    Forget {
        /// The account, or a URL like pops://ada@pop.example.com
        account: String,

        /// The account's Maildir; needed with a URL
        #[arg(long, value_name = "DIR", value_parser = super::path())]
        maildir: Option<PathBuf>,

        /// The messages' unique-ids, as `popfetch state show` prints them
        #[arg(value_name = "UNIQUE-ID", required_unless_present = "all")]
        unique_ids: Vec<String>,

        /// Forget all of them
        #[arg(long, conflicts_with = "unique_ids")]
        all: bool,
    },
    /// Accept what is stored as it is, where popfetch does not go on by itself
    #[command(after_help = "\
Without unique-ids this is about the Maildir: the one that is there counts from
now on as the one that mail was delivered to. With unique-ids it is about these
messages: they count as stored as they should be, or as removed on purpose,
and may be deleted from the server as the account's profile says. With
--came-back it is about all that came back, or may have, and is not here: it may
be deleted from the server in the same way.

Examples:
  popfetch state accept work                the Maildir is right as it is
  popfetch state accept work --fetch-again  ... and what is missing in it is to be fetched again
  popfetch state accept work --leave        ... and what is missing in it was removed on purpose
  popfetch state accept work --came-back    what came back, or may have, may be deleted
  popfetch state accept work 1699-42        this message is right as it is")]
    Accept {
        /// The account, or a URL like pops://ada@pop.example.com
        account: String,

        /// The account's Maildir; needed with a URL
        #[arg(long, value_name = "DIR", value_parser = super::path())]
        maildir: Option<PathBuf>,

        /// The messages' unique-ids, as `popfetch state show` prints them
        #[arg(value_name = "UNIQUE-ID")]
        unique_ids: Vec<String>,

        /// Fetch again what is missing in the Maildir
        #[arg(long, conflicts_with_all = ["unique_ids", "leave"])]
        fetch_again: bool,

        /// What is missing in the Maildir was removed on purpose
        #[arg(long, conflicts_with = "unique_ids")]
        leave: bool,

        /// What came back, or may have, may be deleted from the server
        #[arg(long, conflicts_with_all = ["unique_ids", "fetch_again", "leave"])]
        came_back: bool,
    },
    /// Move what is remembered of a mailbox to the account that fetches it now
    #[command(after_help = "\
OLD is an account of the config file, or the name that its state has:
user@host:port, with +imap behind it for IMAP.

Example:
  popfetch state move ada@mail.example.com:995 work    the mailbox has another host name now")]
    Move {
        /// Whose state it is
        old: String,

        /// The account that it becomes
        new: String,

        /// The account's Maildir; needed with a URL
        #[arg(long, value_name = "DIR", value_parser = super::path())]
        maildir: Option<PathBuf>,
    },
}

/// `popfetch verify`.
#[derive(Args, Clone, Debug)]
pub struct Verify {
    /// Accounts of the config file, or URLs like pops://ada@pop.example.com; none means all that
    /// are not disabled
    #[arg(value_name = "ACCOUNT")]
    pub accounts: Vec<String>,

    /// The account's Maildir; needed with a URL
    #[arg(long, value_name = "DIR", value_parser = super::path())]
    pub maildir: Option<PathBuf>,

    /// Record that the messages that are missing were removed on purpose
    #[arg(long)]
    pub accept: bool,
}

/// `popfetch password`.
#[derive(Clone, Debug, Subcommand)]
pub enum PasswordCommand {
    /// Store an account's password in the system keyring: asks for it, or reads a line from a pipe
    #[command(after_help = "\
Examples:
  popfetch password set work
  pass show mail/work | popfetch password set work")]
    Set {
        /// The account, or a URL like pops://ada@pop.example.com
        account: String,
    },
    /// Remove an account's password from the system keyring
    Remove {
        /// The account, or a URL like pops://ada@pop.example.com
        account: String,
    },
}

/// `popfetch import`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
First everything is shown: the accounts, and what becomes of each line of the
tool's config. Its files are only read. What it has noted as fetched counts as
stored elsewhere and does not come again.

Examples:
  popfetch import mpop                      show it, ask, and take it over
  popfetch import getmail -n                only show it
  popfetch import fetchmail ~/old/fetchmailrc --seen ~/old/.fetchids --yes")]
pub struct Import {
    /// The tool
    #[arg(value_enum)]
    pub tool: Tool,

    /// Its config, or the directory that this is in, where it is not in the usual place
    #[arg(value_name = "PATH", value_parser = super::path())]
    pub path: Option<PathBuf>,

    /// The file with the unique-ids of what it has fetched, where that is not in the usual place; where it has one
    /// for each folder, the directory that they are in
    #[arg(long, value_name = "FILE", value_parser = super::path())]
    pub seen: Option<PathBuf>,

    /// Only this one of its accounts, as it is called there, or as USER@HOST
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,

    /// Let `keep` delete from the server what the tool has fetched, as it deletes other mail
    #[arg(long)]
    pub may_delete: bool,

    /// Show what would be taken over, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Ask nothing
    #[arg(short, long)]
    pub yes: bool,
}

/// The tools that accounts can be taken over from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Tool {
    /// fdm
    Fdm,
    /// fetchmail 6 and 7
    Fetchmail,
    /// getmail 4 to 6
    Getmail,
    /// mbsync, of the package isync
    Mbsync,
    /// mpop
    Mpop,
    /// Thunderbird
    Thunderbird,
}
