//! `popfetch account remove`: the account's section of the config file goes, and what is of no use
//! without it. The Maildir is never touched.

use super::ask::Asker;
use super::context::Context;
use super::fail::Failure;
use crate::durable::{Dir, Disk};
use crate::exit::Status;
use crate::maildir::leave;
use crate::paths;
use crate::profile::draft::{self, shown};
use crate::profile::removal::without_account;
use crate::profile::{Config, ConfigError, Overrides, PasswordSource, Profile, edit};
use crate::secrets::logins::{self, LoginError};
use crate::secrets::{OAuth, SecretError, Store, keyring};
use crate::state::{self, Moment};
use crate::term::{count, escape_str};
use std::path::{Path, PathBuf};

/// Runs the command.
pub(super) fn run(
    context: &Context<'_>,
    name: &str,
    forget: bool,
    yes: bool,
) -> Result<Status, Failure> {
    let path = match &context.global.config {
        Some(path) => path.clone(),
        None => paths::config_file()?,
    };
    let before = edit::read(&path).map_err(edit::EditError::from)?;
    if before.is_empty() && !path.exists() {
        // One that is not there is no empty one.
        Config::find(context.global.config.as_deref(), &[])?;
    }
    if let Ok(config) = Config::load(&path)
        && !config.accounts().any(|it| it == name)
    {
        return Err(ConfigError::UnknownAccount {
            name: name.to_owned(),
            known: config.accounts().map(str::to_owned).collect(),
        }
        .into());
    }
    let shorter = without_account(&before, name)?;
    // What is wrong with its settings does not keep it from going.
    let config = Config::load(&path)?;
    let profile = config.profile(name, &Overrides::default()).ok();
    let used = profile.as_ref().map(|it| Used::of(&config, it, name));
    let asker = Asker { yes };
    if !yes {
        tell(&asker, name, &path, profile.as_ref(), used.as_ref(), forget);
        if !asker.agree("Remove it?", false)? {
            asker.say("nothing was changed");
            return Ok(Status::Ok);
        }
    }
    let dir = paths::state_dir().ok();
    let dir = dir.as_deref().and_then(state::existing_directory);
    // First of all the file: whoever fails before that has changed nothing.
    edit::rewrite(&path, &before, &shorter)?;
    let mut told = Vec::new();
    if let (Some(profile), Some(used)) = (&profile, &used) {
        remove_secret(profile, used, &path, &mut told);
        if used.maildrop {
            told.push(
                "another account uses the same mailbox: what is remembered of it stays".to_owned(),
            );
        } else if let Some(dir) = dir {
            let remains = remove_state(&dir, profile, forget, &mut told);
            if !profile.has_maildir() {
                leave_spool(profile, remains, &mut told);
            }
        }
        told.extend(mail_of(profile));
        told.extend(used.advice(name));
    }
    if !context.global.quiet {
        asker.say(&format!("account {name} is removed from {}", shown(&path)));
        told.iter().for_each(|line| asker.say(line));
    }
    Ok(Status::Ok)
}

/// What of an account another one uses as well.
struct Used {
    /// The maildrop, and with it what is remembered and what is in the keyring.
    maildrop: bool,
    /// The file that its password is in.
    file: bool,
    /// It is where the messages of these go, which are what it is used for.
    delivering: Vec<String>,
}

impl Used {
    fn of(config: &Config, profile: &Profile, name: &str) -> Self {
        let others = config.accounts().filter(|it| *it != name);
        let others: Vec<Profile> = others
            .filter_map(|it| config.profile(it, &Overrides::default()).ok())
            .collect();
        let file = file_of(profile);
        Self {
            maildrop: others
                .iter()
                .any(|it| it.server.id() == profile.server.id()),
            file: file.is_some() && others.iter().any(|it| file_of(it) == file),
            delivering: others
                .iter()
                .filter(|it| it.addressee.as_ref().is_some_and(|to| to.name == name))
                .map(|it| it.name.clone())
                .collect(),
        }
    }

    /// What is to be done about those whose messages go to it.
    fn advice(&self, name: &str) -> Option<String> {
        let deliver = match &self.delivering[..] {
            [] => return None,
            [one] => format!("account {one} delivers"),
            more => format!("accounts {} deliver", more.join(", ")),
        };
        Some(format!(
            "{deliver} to {name}, and cannot be fetched without it: change `deliver` there"
        ))
    }
}

fn file_of(profile: &Profile) -> Option<&Path> {
    match &profile.password {
        PasswordSource::File(path) => Some(path),
        _ => None,
    }
}

/// A password file where `setup` and `import` make them: `*.password`, beside the config file.
fn own_file(profile: &Profile, used: &Used, config: &Path) -> Option<PathBuf> {
    let file = file_of(profile).filter(|_| !used.file)?;
    let beside = paths::in_full(file).parent() == paths::in_full(config).parent();
    let is_ours = beside && file.extension().is_some_and(|it| it == "password");
    is_ours.then(|| file.to_owned())
}

/// What would go and what would stay, before anybody is asked.
fn tell(
    asker: &Asker,
    name: &str,
    config: &Path,
    profile: Option<&Profile>,
    used: Option<&Used>,
    forget: bool,
) {
    asker.say(&format!("Account {name} would go from {}.", shown(config)));
    let (Some(profile), Some(used)) = (profile, used) else {
        asker.say("Its settings cannot be understood, so nothing else is touched.");
        return;
    };
    let kept = match &profile.password {
        PasswordSource::Keyring if !used.maildrop => Some("in the system keyring".to_owned()),
        PasswordSource::OAuth(OAuth::Login { .. }) if !used.maildrop => {
            Some("its sign-in by OAuth".to_owned())
        }
        _ => own_file(profile, used, config).map(|file| shown(&file)),
    };
    if let Some(kept) = kept {
        asker.say(&format!("Its password would go too ({kept})."));
    }
    if let Some(advice) = used.advice(name) {
        asker.say(&format!("But {advice}."));
    }
    asker.say(match (used.maildrop, forget) {
        (true, _) => "Another account uses the same mailbox: what is remembered of it stays.",
        (false, true) => "The record of what was fetched would go, too.",
        (false, false) => {
            "What was fetched stays remembered: nothing comes twice if it is set up again."
        }
    });
    asker.say(&match (profile.has_maildir(), waiting(profile)) {
        (true, _) if !profile.maildir.exists() => "What is on the server stays.".to_owned(),
        (true, _) => format!(
            "The mail in {} stays, and so does what is on the server.",
            shown(&profile.maildir)
        ),
        (false, 0) => "What is on the server stays, and so does what was handed on.".to_owned(),
        (false, waiting) => format!(
            "What is on the server stays, and so does what waits to be handed on in {} ({}).",
            shown(&profile.maildir),
            count(waiting, "message")
        ),
    });
}

/// How many messages wait in the place that they pass through. What cannot be read stays, and is not
/// counted.
fn waiting(profile: &Profile) -> u64 {
    leave::count(&Disk::new(), &profile.maildir).unwrap_or_default()
}

/// What becomes of the place that messages pass through. Those that wait stay, and so does the place
/// while what was fetched `remains` remembered, which says whose place it is; else it is of no use.
fn leave_spool(profile: &Profile, remains: bool, told: &mut Vec<String>) {
    match waiting(profile) {
        0 if remains => {}
        // What else is in it is the rest of a crash, and no message.
        0 => {
            let disk = Disk::new();
            let removed = leave::remove_empty(&disk, &profile.maildir);
            // It may have been the last of all accounts'.
            if let (Ok(()), Some(all)) = (removed, profile.maildir.parent()) {
                _ = disk.remove_directory(all);
            }
        }
        waiting => told.push(format!(
            "what waits to be handed on stays in {} ({}): the account goes on with it if it is set up \
             again with `deliver`",
            shown(&profile.maildir),
            count(waiting, "message")
        )),
    }
}

/// Where the mail is that was fetched.
fn mail_of(profile: &Profile) -> Option<String> {
    let has_mail = profile.has_maildir() && profile.maildir.exists();
    has_mail.then(|| {
        format!(
            "its mail stays in {}; on the server nothing changes",
            shown(&profile.maildir)
        )
    })
}

fn remove_secret(profile: &Profile, used: &Used, config: &Path, told: &mut Vec<String>) {
    match &profile.password {
        PasswordSource::Keyring if !used.maildrop => match keyring::remove(&profile.server) {
            Ok(()) => told.push("its password is removed from the system keyring".to_owned()),
            Err(SecretError::KeyringMissing { .. }) => {}
            Err(error) => told.push(format!(
                "its password may still be in the system keyring: {error}"
            )),
        },
        PasswordSource::OAuth(OAuth::Login { store, .. }) if !used.maildrop => {
            match logins::remove(&profile.server, *store) {
                Ok(()) => told.push("its sign-in by OAuth is removed".to_owned()),
                Err(LoginError::Missing) => {}
                Err(error) => told.push(format!(
                    "its sign-in may still be in {}: {error}",
                    match store {
                        Store::Keyring => "the system keyring",
                        Store::File => "a file",
                    }
                )),
            }
        }
        PasswordSource::File(file) => match own_file(profile, used, config) {
            Some(own) if own.exists() => {
                draft::remove_private(&own);
                told.push(match own.exists() {
                    true => format!("its password may still be in {}", shown(&own)),
                    false => format!("its password is removed: {}", shown(&own)),
                });
            }
            Some(_) => {}
            None if used.file => {}
            None => told.push(format!("its password stays in {}", shown(file))),
        },
        _ => {}
    }
}

/// Tells whether something is still remembered.
fn remove_state(dir: &Dir, profile: &Profile, forget: bool, told: &mut Vec<String>) -> bool {
    let remains = state::remove(dir, &profile.server.id(), forget, Moment::now().now);
    match &remains {
        Ok(false) if forget => told.push("the record of what was fetched is removed".to_owned()),
        Ok(false) => {}
        Ok(true) => told.push(
            "what was fetched stays remembered, so that nothing comes twice if it is set up again"
                .to_owned(),
        ),
        Err(error) => told.push(format!(
            "what is remembered of it stays: {}",
            escape_str(&error.to_string())
        )),
    }
    remains.unwrap_or(true)
}
