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
        removed => removed.map_err(without_standard_input),
    }
}

fn set(profile: &Profile) -> Result<(), Failure> {
    // Nobody should type a password only to hear that it cannot be kept.
    if keyring::is_absent() {
        return Err(without_standard_input(SecretError::KeyringAbsent));
    }
    let password = if secrets::can_ask() {
        secrets::prompt(&profile.name, &profile.server)?
    } else {
        secrets::from_line(&mut io::stdin().lock())?
    };
    keyring::store(&profile.server, &password).map_err(without_standard_input)
}

/// A password that comes in with each fetch is no way to keep one.
fn without_standard_input(error: SecretError) -> Failure {
    let is_absent = matches!(error, SecretError::KeyringAbsent);
    let failure = Failure::from(error);
    let elsewhere =
        "`password-file`, `password-command` or `password-credential` in the config file";
    match failure.status {
        Status::NoPermission if is_absent => failure.with_hint(format!(
            "a desktop session has one; elsewhere the password is kept by {elsewhere}"
        )),
        Status::NoPermission => failure.with_hint(format!(
            "unlock the keyring and try again, or keep the password by {elsewhere}"
        )),
        _ => failure,
    }
}
