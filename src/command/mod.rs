//! The commands: from the command line to an exit status. One file a command.
//!
//! This is the edge of the program: the only place that reads the environment, prints to stdout
//! and turns errors into text. What is common to several commands is in `context` and `fail`.

mod account;
mod check;
mod context;
mod fail;
mod fetch;
mod generate;
mod password;
mod pool;
mod process;
mod state;

pub use fail::Failure;

use crate::cli::{Cli, Command, Fetch};
use crate::exit::Status;
use clap::Parser;
use context::Context;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Runs the program with these arguments, the program's name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    process::harden();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let status = if error.use_stderr() {
                Status::Usage
            } else {
                Status::Ok
            };
            // Nobody is left to be told that this could not be printed.
            let _ = error.print();
            return status.into();
        }
    };
    let context = Context::new(&cli.global);
    match run(
        &context,
        cli.command.unwrap_or(Command::Fetch(Fetch::default())),
    ) {
        Ok(status) => status.into(),
        Err(failure) => {
            let text = failure.render(context.paint());
            let _ = std::io::stderr().write_all(text.as_bytes());
            failure.status.into()
        }
    }
}

fn run(context: &Context<'_>, command: Command) -> Result<Status, Failure> {
    match command {
        Command::Fetch(arguments) => fetch::run(context, &arguments),
        Command::Check(arguments) => check::run(context, &arguments),
        Command::Account(command) => account::run(context, command),
        Command::State(command) => state::run(context, command),
        Command::Password(command) => password::run(context, command),
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { page } => generate::man(page),
    }
}
