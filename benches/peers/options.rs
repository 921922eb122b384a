//! The benchmark's own command line.

use anyhow::{Context, Result, ensure};

use crate::workload::{USUAL, Workload};

/// Rounds where nothing else is asked for.
const ROUNDS: usize = 5;

/// What to measure.
pub struct Options {
    pub workloads: Vec<Workload>,
    pub rounds: usize,
}

/// Reads the command line; None if it asks for help.
pub fn read(arguments: impl Iterator<Item = String>) -> Result<Option<Options>> {
    let mut workloads = Vec::new();
    let mut rounds = ROUNDS;
    // Cargo adds --bench.
    let mut arguments = arguments.filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--help" => return Ok(None),
            "--rounds" => {
                let number = arguments.next().context("--rounds needs a number")?;
                rounds = number.parse().context("--rounds needs a number")?;
                ensure!(rounds > 0, "no rounds, no figures");
            }
            name => workloads.push(name.parse()?),
        }
    }
    if workloads.is_empty() {
        let usual: Result<_> = USUAL.iter().map(|name| name.parse()).collect();
        workloads = usual?;
    }
    Ok(Some(Options { workloads, rounds }))
}

/// What can be asked for.
pub fn help() -> String {
    format!(
        "cargo bench --bench peers -- [--rounds N] [WORKLOAD...]\n\n\
         WORKLOAD is N (messages), imap-N, nothing-new-N, accounts-N, no-pipelining-N,\n\
         rules-N, procmail-N, dovecot-lda-N, or known-N, and for all but the last a line: @50ms, @2MB/s,\n\
         @50ms@500kB/s. N is any number.\n\n\
         Usual, in {ROUNDS} rounds: {}\n",
        USUAL.join(" ")
    )
}
