//! `popfetch password`: the system keyring.

use super::context::Context;
use super::fail::Failure;
use crate::cli::PasswordCommand;
use crate::exit::Status;
use crate::profile::{Overrides, Profile};
use crate::secrets::{self, OAuth, PasswordSource, SecretError, keyring};
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
            if let Some(refusal) = not_from_the_keyring(context, &profile) {
                return Err(refusal);
            }
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

/// Why a password in the keyring would be read by nobody, and where the account's own is changed.
fn not_from_the_keyring(context: &Context<'_>, profile: &Profile) -> Option<Failure> {
    let (key, change) = match &profile.password {
        PasswordSource::Keyring | PasswordSource::PromptOrKeyring => return None,
        // Then that comes first.
        PasswordSource::Prompt | PasswordSource::Stdin if keyring::is_absent() => return None,
        PasswordSource::Command(_) => (
            "password-command",
            "change it where that takes it from".into(),
        ),
        PasswordSource::Credential(_) => (
            "password-credential",
            "change the file that LoadCredential= names in the unit".into(),
        ),
        PasswordSource::File(path) => (
            "password-file",
            format!("change it there: {}", secrets::way_to_write(path)),
        ),
        PasswordSource::Inline(_) => ("password", "change it there, with an editor".into()),
        PasswordSource::Netrc(_) => ("password-netrc", "change it there, with an editor".into()),
        PasswordSource::OAuth(OAuth::Login { .. }) => {
            let hint = profile.secret_in_words().unwrap_or_default();
            return Some(refusal(
                profile,
                "it has no password, but signs in with OAuth 2.0",
                hint,
            ));
        }
        PasswordSource::OAuth(OAuth::Command(_)) => {
            let hint = "change what `token-command` runs, or what that takes it from";
            return Some(refusal(
                profile,
                "it has no password, but an access token",
                hint.to_owned(),
            ));
        }
        PasswordSource::Prompt | PasswordSource::Stdin => {
            let hint = format!(
                "{}, and run this again",
                with_keyring(context, profile, "write")
            );
            let text = "the password is asked for in each run, and the keyring is not looked into";
            return Some(refusal(profile, text, hint));
        }
    };
    let whence = profile.secret_in_words().unwrap_or_default();
    let text = format!("{whence}, and the keyring is not looked into");
    let instead = with_keyring(context, profile, &format!("in the place of `{key}` write"));
    let hint = match keyring::is_absent() {
        true => change,
        false => format!("{change}; or, to have it in the keyring, {instead}, and run this again"),
    };
    Some(refusal(profile, &text, hint))
}

fn refusal(profile: &Profile, text: &str, hint: String) -> Failure {
    Failure::new(
        Status::Config,
        format!("account `{}`: {text}", profile.name),
        hint,
    )
}

/// What has the keyring looked into.
fn with_keyring(context: &Context<'_>, profile: &Profile, write: &str) -> String {
    let config = match &context.global.config {
        Some(path) => path.display().to_string(),
        None => "the config file".to_owned(),
    };
    format!(
        "{write} password-keyring = true below [accounts.{}] in {config}",
        profile.name
    )
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
