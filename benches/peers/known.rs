//! What it costs to know very many messages: start-up, memory and the size of the journal.
//!
//! The server is that of the tests, since a million files would be another benchmark.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::check::Expected;
use crate::figures::{Bar, Group};
use crate::measure;
use crate::probe::Retrieve;
use crate::program::{Manner, Program, account_name};
use crate::rounds::Bench;
use crate::support::maildrop::Maildrop;
use crate::support::message::generate;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::workload::Workload;

/// Up to here the messages are really fetched. Of more, `state mark-seen` makes the journal; what it
/// writes of a message is shorter, and there is no file.
pub const FETCHED: usize = 100_000;
/// Octets of a message; enough for its header.
const SIZE: u64 = 400;

/// Starts popfetch with `ids` known messages, once with a server that still lists them all, and
/// once with one that lists none.
pub fn measure(bench: &Bench, workload: &Workload, ids: usize) -> Result<Group> {
    let messages = generate(ids, SIZE);
    let maildrop = Maildrop::new(messages.iter().cloned());
    let server = Server::start(&maildrop);
    let home = Home::on_disk();
    let accounts = [server.account()];
    let fetch = Program::Popfetch.prepare(&home, &accounts, Manner::stored(Retrieve::Nothing))?;
    if ids <= FETCHED {
        measure::run(&fetch, &[])?;
        Expected::of(&messages).check(&home.maildir(&account_name(0)))?;
    } else {
        let mut mark = Command::new(fetch.get_program());
        home.furnish(&mut mark);
        mark.args(["state", "mark-seen"]).arg(account_name(0));
        measure::run(&mark, &[])?;
    }
    let mut group = Group::new(workload);
    group.journal = Some(size(&home.state())?);
    for (variant, listed) in [("all listed", true), ("none listed", false)] {
        if !listed {
            maildrop.replace([]);
        }
        let mut bar = Bar::new(Program::Popfetch);
        bar.variant = Some(variant);
        for _ in 0..bench.rounds {
            bench.calm()?;
            bar.runs.push(measure::run(&fetch, &[])?.0);
        }
        group.bars.push(bar);
    }
    ensure!(
        server.count("RETR") <= ids,
        "known messages were fetched again"
    );
    Ok(group)
}

/// All files below a directory.
fn size(directory: &Path) -> Result<u64> {
    let mut octets = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        octets += match entry.file_type()?.is_dir() {
            true => size(&entry.path())?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(octets)
}
