//! popfetch beside the fetchers that people use today, on the same maildrops, over the same lines:
//!
//! ```text
//! cargo bench --bench peers
//! cargo bench --bench peers -- --rounds 3 2000 2000@50ms@2MB/s nothing-new-300@50ms
//! UPDATE=1 cargo bench --bench peers
//! ```
//! Dovecot serves the maildrops, a proxy makes the line long, and a probe that stores nothing says
//! what the least is that server and line allow; one that keeps what comes on the disk, and does nothing
//! else with it, says what the disk allows (by syncfs, where BENCH_SYNCFS is in the environment). Each program gets an empty home and Maildir for
//! each run, they run in turn, and a figure is only one if the Maildir holds what the maildrop
//! held. popfetch runs as it is built for release, with its usual settings and all its syncs.
//!
//! The results are `target/bench/peers.md`, and beside it `peers.svg` and `peers.json`. With UPDATE in
//! the environment they go into `benches/README.md` with `benches/figures.svg`, and in short into
//! `README.md`, as well.
#![allow(missing_docs, unreachable_pub)]

mod check;
mod deliver;
mod figures;
mod known;
mod machine;
mod maildrops;
mod mda;
mod measure;
mod options;
mod owner;
mod plot;
mod probe;
mod program;
mod proxy;
mod publish;
mod rounds;
mod storing;
#[path = "../../tests/support/mod.rs"]
mod support;
mod table;
mod workload;

use std::env;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use signal_hook::consts::{SIGINT, SIGTERM};

use options::Options;
use proxy::{Found, Line};
use rounds::Bench;
use workload::Workload;

fn main() -> ExitCode {
    match in_its_role() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("peers: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The benchmark starts itself to measure, to probe and to deliver.
fn in_its_role() -> Result<ExitCode> {
    let mut arguments = env::args_os().skip(1).peekable();
    let role = arguments.peek().and_then(|word| word.to_str());
    match role.map(str::to_owned).as_deref() {
        Some(measure::ROLE) => {
            let status = measure::be_parent(arguments.skip(1))?;
            return Ok(u8::try_from(status).unwrap_or(u8::MAX).into());
        }
        Some(probe::ROLE) => probe::be_probe(arguments.skip(1))?,
        Some(deliver::ROLE) => deliver::be_mda(arguments.skip(1))?,
        _ => match options::read(env::args().skip(1))? {
            Some(options) => measure_all(&options)?,
            None => print!("{}", options::help()),
        },
    }
    Ok(ExitCode::SUCCESS)
}

fn measure_all(options: &Options) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let machine = machine::describe()?;
    eprintln!("{machine}");
    let lines = survey(&options.workloads)?;
    let mut bench = Bench::new(options.rounds, stop);
    let mut groups = Vec::new();
    for workload in &options.workloads {
        eprintln!("{}", workload.title());
        groups.push(bench.measure(workload)?);
    }
    figures::estimate(&mut groups);
    publish::publish(&groups, &machine, &lines)
}

/// Each line that a workload needs, as it really is.
fn survey(workloads: &[Workload]) -> Result<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    for workload in workloads {
        let line = workload.line;
        let is_new = found.iter().all(|found| found.line != line);
        if line != Line::default() && is_new {
            let surveyed = proxy::survey(line)?;
            eprintln!(
                "line of {line}: round trip {:.2?}, first answer after {:.2?}",
                surveyed.round_trip, surveyed.first_echo
            );
            found.push(surveyed);
        }
    }
    Ok(found)
}
