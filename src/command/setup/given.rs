//! What stands on the command line, looked at before anybody is asked or any server is tried: nobody
//! should type a password for a setup that cannot come to an end.

use super::attempt::profile_of;
use super::{Keyring, keep, named};
use crate::cli::{Secret, Setup};
use crate::command::fail::Failure;
use crate::durable::Disk;
use crate::exit::Status;
use crate::maildir::Site;
use crate::profile::draft::{self, Draft, DraftError, Place, Reach, Security};
use crate::profile::{Auth, Config, Keep, Roots, TLS_PORT, checked_user};
use crate::server::Protocol;
use std::path::Path;

/// Fails where a later step would.
pub(super) fn check(
    arguments: &Setup,
    config: &Config,
    path: &Path,
    has_keyring: &Keyring,
) -> Result<(), Failure> {
    let draft = any();
    if let Some(name) = &arguments.name {
        let checked = named(config, &draft, name, path);
        checked.map_err(|wrong| {
            let hint = "give another name, or leave --name out";
            Failure::new(Status::Usage, format!("--name: {wrong}"), hint)
        })?;
    }
    if let Some(user) = &arguments.user {
        user_of(user)?;
    }
    if let Some(maildir) = &arguments.maildir {
        let absolute = std::path::absolute(maildir).map_err(|error| {
            let hint = "give an absolute path";
            Failure::new(Status::Usage, format!("--maildir: {error}"), hint)
        })?;
        check_maildir(&absolute, &draft, path).map_err(|failure| failure.context("--maildir"))?;
    }
    if arguments.print {
        return Ok(());
    }
    if arguments.secret == Some(Secret::Keyring) {
        keep::check_keyring(has_keyring.answer())?;
    }
    check_config(path)
}

/// The user's name of `--user`.
pub(super) fn user_of(user: &str) -> Result<String, Failure> {
    let hint = "see your provider's pages";
    checked_user(user)
        .map_err(|wrong| Failure::new(Status::Usage, format!("--user: {wrong}"), hint))
}

/// Whether mail could be stored there, and the config file can say so; a Maildir that is still to be
/// made is fine.
pub(super) fn check_maildir(maildir: &Path, draft: &Draft, config: &Path) -> Result<(), Failure> {
    let draft = Draft {
        maildir: draft::shown(maildir),
        ..draft.clone()
    };
    if profile_of(&draft, config)?.maildir != maildir {
        return Err(Failure::new(
            Status::Usage,
            format!("{} cannot be written in a config file", maildir.display()),
            "choose a path that is UTF-8 text",
        ));
    }
    let site = Site::look(&Disk::new(), maildir)?;
    Ok(site.try_out(&Disk::new())?)
}

/// Whether the file can be written, or made.
fn check_config(path: &Path) -> Result<(), Failure> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let checked = Disk::new().check_directory(directory);
    Ok(checked.map_err(|source| DraftError::Io {
        path: path.to_owned(),
        source,
    })?)
}

/// An account in which nothing is wrong yet.
fn any() -> Draft {
    Draft {
        name: "home".to_owned(),
        protocol: Protocol::Pop,
        host: "pop.example.com".to_owned(),
        port: TLS_PORT,
        security: Security::Implicit,
        roots: Roots::System,
        pins: Vec::new(),
        auth: Auth::default(),
        timeout: None,
        user: "ada@example.com".to_owned(),
        maildir: "~/Mail/home".to_owned(),
        reach: Reach::default(),
        keep: Keep::Always,
        latest: None,
        secret: Place::Ask,
    }
}
