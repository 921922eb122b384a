//! The commands with commands of their own: accounts, what is remembered, passwords.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::SignIn;

/// `popfetch account`.
#[derive(Clone, Debug, Subcommand)]
pub enum AccountCommand {
    /// List the accounts
    List,
    /// Show an account's settings, defaults included, without its password
    Show {
        /// The account, or a URL like pops://ada@pop.example.com
        #[arg(value_name = "ACCOUNT")]
        name: String,
    },
    /// Sign in and out again, to see whether an account works
    Test {
        /// Accounts of the config file, or URLs like pops://ada@pop.example.com; none means all
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
        /// The account, or a URL like pops://ada@pop.example.com
        account: String,
    },
    /// Mark all that waits in the maildrop as seen: later fetches pass over it
    MarkSeen {
        /// The account, or a URL like pops://ada@pop.example.com
        account: String,

        /// The account's Maildir; needed with a URL
        #[arg(long, value_name = "DIR")]
        maildir: Option<PathBuf>,

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
        /// The account, or a URL like pops://ada@pop.example.com
        account: String,

        /// The account's Maildir; needed with a URL
        #[arg(long, value_name = "DIR")]
        maildir: Option<PathBuf>,

        /// The messages' unique-ids, as `popfetch state show` prints them
        #[arg(value_name = "UNIQUE-ID", required_unless_present = "all")]
        unique_ids: Vec<String>,

        /// Forget all of them
        #[arg(long, conflicts_with = "unique_ids")]
        all: bool,
    },
}

/// `popfetch verify`.
#[derive(Args, Clone, Debug)]
pub struct Verify {
    /// Accounts of the config file, or URLs like pops://ada@pop.example.com; none means all
    #[arg(value_name = "ACCOUNT")]
    pub accounts: Vec<String>,

    /// The account's Maildir; needed with a URL
    #[arg(long, value_name = "DIR")]
    pub maildir: Option<PathBuf>,

    /// Record that the messages that are missing were removed on purpose
    #[arg(long)]
    pub accept: bool,
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
