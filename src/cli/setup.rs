//! `popfetch setup`: its options.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::SignIn;
use crate::profile::units::{Period, whole_number};
use crate::server::Protocol;

fn protocol() -> impl TypedValueParser<Value = Protocol> {
    let words = [Protocol::Pop, Protocol::Imap].map(Protocol::word);
    PossibleValuesParser::new(words).map(|word| match word == Protocol::Imap.word() {
        true => Protocol::Imap,
        false => Protocol::Pop,
    })
}

/// `popfetch setup`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  popfetch setup                          asks for everything it has to know
  popfetch setup ada@example.com          ... but for the address
  popfetch setup ada@example.com --print  show the account, but for where its password is
  pass show mail | popfetch setup ada@example.com --yes --password-stdin
                                          ask nothing at all")]
pub struct Setup {
    /// The mail address
    #[arg(value_name = "ADDRESS")]
    pub address: Option<String>,

    /// Ask for the password alone, and take the default of all else
    #[arg(short, long)]
    pub yes: bool,

    /// Write the account to standard output, and nowhere else
    #[arg(long)]
    pub print: bool,

    /// What the account is to be called
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// The server, where you know it: HOST or HOST:PORT
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,

    /// What the server speaks; POP3 where it speaks both, unless said
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol())]
    pub protocol: Option<Protocol>,

    /// The user's name at the server, where it is not the address
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,

    /// On the first fetch take only the newest N messages (of each folder); 0 for none
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = whole_number
    )]
    pub latest: Option<u64>,

    /// Leave all messages on the server; this is the default
    #[arg(long, group = "on_server")]
    pub keep: bool,

    /// Delete each message from the server once it is safely stored, and all that was fetched earlier
    #[arg(long, group = "on_server")]
    pub delete: bool,

    /// Delete each message from the server this long after it was fetched, as in "14 days"
    #[arg(long, group = "on_server", value_name = "DURATION")]
    pub delete_after: Option<Period>,

    /// Where the mail goes
    #[arg(long, value_name = "DIR", value_parser = super::path())]
    pub maildir: Option<PathBuf>,

    /// Where the password is kept
    #[arg(long, value_enum, value_name = "PLACE")]
    pub secret: Option<Secret>,

    /// How to sign in and whom to trust.
    #[command(flatten)]
    pub sign_in: SignIn,
}

/// Where a password is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Secret {
    /// In the system keyring
    Keyring,
    /// In a file for you alone, beside the config file
    File,
    /// Nowhere: ask each time
    Ask,
}
