//! `popfetch password`: the system keyring.

use super::context::Context;
use super::fail::Failure;
use crate::cli::PasswordCommand;
use crate::exit::Status;
use crate::profile::{Overrides, Profile};
use crate::secrets::{self, SecretError, keyring};
use crate::term::escape_str;
use std::io;

/// Runs the command.
pub(super) fn run(context: &Context<'_>, command: PasswordCommand) -> Result<Status, Failure> {
    let (PasswordCommand::Set { account } | PasswordCommand::Remove { account }) = &command;
    let overrides = Overrides {
        stores_nothing: true,
        ..Overrides::default()
    };
    let profile = context.profile(account, &overrides)?;
    let done = match command {
        PasswordCommand::Set { .. } => {
            set(&profile)?;
            "stored in"
        }
        PasswordCommand::Remove { .. } => {
            remove(&profile)?;
            "removed from"
        }
    };
    if !context.global.quiet {
        eprintln!(
            "{}: password {done} the system keyring",
            escape_str(&profile.name)
        );
    }
    Ok(Status::Ok)
}

fn remove(profile: &Profile) -> Result<(), Failure> {
    match keyring::remove(&profile.server) {
        Err(SecretError::KeyringMissing { .. }) => Err(Failure::new(
            Status::NoPermission,
            format!(
                "the system keyring has no password for account `{}`",
                profile.name
            ),
            "there is nothing to remove",
        )),
        removed => Ok(removed?),
    }
}

fn set(profile: &Profile) -> Result<(), Failure> {
    // Nobody should type a password only to hear that it cannot be kept.
    if keyring::is_absent() {
        return Err(SecretError::KeyringAbsent.into());
    }
    let password = if secrets::can_ask() {
        secrets::prompt(&profile.name, &profile.server)?
    } else {
        secrets::from_line(&mut io::stdin().lock())?
    };
    Ok(keyring::store(&profile.server, &password)?)
}
