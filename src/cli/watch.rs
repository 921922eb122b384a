//! The command that stays: its options.

use clap::Args;

use super::fetch::{Jobs, jobs};
use crate::profile::Shard;

/// `popfetch watch`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
SIGHUP reads the config file again, SIGUSR1 fetches all accounts now, SIGTERM
and SIGINT end the watch. Failures are reported as popfetch -q reports them.

Examples:
  popfetch watch                  fetch each account every ten minutes, or as its `every` says
  popfetch watch --status         say how the watch of the same accounts is doing; for health checks
  popfetch watch --shard 0/4      the first of four machines that share the accounts")]
pub struct Watch {
    /// Accounts of the config file; none means all that are not disabled
    #[arg(value_name = "ACCOUNT")]
    pub accounts: Vec<String>,

    /// Work on this many accounts at once
    #[arg(short, long, value_name = "N", default_value_t, value_parser = jobs())]
    pub jobs: Jobs,

    /// Watch only the Ith of N parts of the accounts, counted from 0, as in 0/4
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,

    /// Say how the running watch of these accounts is doing: exit status 0 if it is well, 1 if not
    #[arg(long)]
    pub status: bool,
}
