//! The commands that read what was fetched: their options.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use clap::builder::TypedValueParser;

use super::path;
use crate::profile::units::{Period, whole_size};

/// `popfetch list`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
N marks what is new (nobody has read it), R what was answered, F what is
flagged, T what is to be deleted, and @ what very likely has attachments. The
numbers are for `popfetch show`, which takes those of the last list. Without
--folder or --all-folders folders are not listed; how much mail lies in them
is said below the list.

Examples:
  popfetch list                          the messages of all accounts, newest first
  popfetch list work --new               what is new in account work
  popfetch list --from ada --since 14d   what Ada has written in the last 14 days
  popfetch list --format paths -0 --subject invoice | tar cf invoices.tar --null -T -")]
pub struct List {
    /// Accounts of the config file; none means all that are not disabled. A URL works with --maildir
    #[arg(value_name = "ACCOUNT")]
    pub accounts: Vec<String>,

    /// List this Maildir; without an account it needs no config file
    #[arg(long, value_name = "DIR", value_parser = path())]
    pub maildir: Option<PathBuf>,

    /// Only messages that nobody has read
    #[arg(long)]
    pub new: bool,

    /// Only messages with this text in the sender's name or address
    #[arg(long, value_name = "TEXT")]
    pub from: Option<String>,

    /// Only messages with this text in their subject
    #[arg(long, value_name = "TEXT")]
    pub subject: Option<String>,

    /// Only messages written since then: a date, as in 2026-11-24, or how long ago, as in "14 days"
    #[arg(long, value_name = "WHEN", value_parser = clap::builder::StringValueParser::new().try_map(|it| since(&it)))]
    pub since: Option<Since>,

    /// At most this many messages, the newest
    #[arg(long, value_name = "N", value_parser = whole_size)]
    pub limit: Option<usize>,

    /// List this folder of the Maildir, by the name that a list shows
    #[arg(long, value_name = "NAME", conflicts_with = "all_folders")]
    pub folder: Option<String>,

    /// List all folders as well
    #[arg(long)]
    pub all_folders: bool,
}

/// From when on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Since {
    /// From the beginning of a day, here.
    Day(jiff::civil::Date),
    /// From so long ago.
    Ago(Period),
}

/// As it can be typed.
impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(f),
            Self::Ago(period) => period.fmt(f),
        }
    }
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(day) = text.trim().parse() {
        return Ok(Since::Day(day));
    }
    let period = text.parse::<Period>();
    let period = period.map_err(|_| "write a date, as 2026-11-24, or a duration, as \"14 days\"");
    Ok(Since::Ago(period?))
}

/// `popfetch show`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Nothing that a message names is ever loaded. What is shown on a terminal is
made harmless first, --raw and --html included; a file or a pipe gets the
exact octets of --raw and of a part that is neither text nor a report.

Examples:
  popfetch show 3                     the third message of the last list
  popfetch show 3 --save ~/Downloads  its attachments, as new files
  popfetch show 3 --part 2 > a.pdf    its second part
  popfetch show '<1699.42@mail.example.com>' --peek")]
pub struct Show {
    /// A number of the last `popfetch list`, the path of a file, or a Message-ID
    #[arg(value_name = "MESSAGE")]
    pub message: PathBuf,

    /// Look for a Message-ID only in this Maildir
    #[arg(long, value_name = "DIR", value_parser = path())]
    pub maildir: Option<PathBuf>,

    /// Show only this part; the attachments have their numbers before them
    #[arg(long, value_name = "N", group = "what", value_parser = whole_size)]
    pub part: Option<usize>,

    /// Save the attachments in this directory; with --part, that part
    #[arg(long, value_name = "DIR", value_parser = path(), conflicts_with_all = ["raw", "headers", "html"])]
    pub save: Option<PathBuf>,

    /// Show the message as it is stored
    #[arg(long, group = "what")]
    pub raw: bool,

    /// Show all fields of the header, and nothing else
    #[arg(long, group = "what")]
    pub headers: bool,

    /// Show the HTML itself, for a browser
    #[arg(long, group = "what")]
    pub html: bool,

    /// Do not mark the message as seen
    #[arg(long)]
    pub peek: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_day_or_a_length_of_time() {
        assert_eq!(
            since("2026-11-24"),
            Ok(Since::Day(jiff::civil::date(2026, 11, 24)))
        );
        assert_eq!(since("14d"), Ok(Since::Ago("14 days".parse().unwrap())));
        assert!(since("soon").is_err() && since("14").is_err());
    }
}
