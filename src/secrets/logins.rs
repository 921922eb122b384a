//! Where a sign-in by OAuth 2.0 is kept: the system keyring, or a file for its owner alone.
//!
//! The file is not beside the journals, which are shown around and backed up: it is a secret.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use super::error::SecretError;
use super::password::Password;
use super::{Store, keyring};
use crate::durable::{Dir, Disk, File, advice};
use crate::exit::{Diagnose, Status};
use crate::oauth::Grant;
use crate::paths;
use crate::private;
use crate::server::Server;
use crate::term::{hex, visible};

/// The sign-in that is kept for a maildrop. `interactive`: a person can unlock the keyring.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn load(server: &Server, store: Store, interactive: bool) -> Result<Grant, LoginError> {
    let text = match store {
        Store::Keyring => {
            let text = keyring::load_login(server, interactive)?;
            Zeroizing::new(text.reveal().as_bytes().to_vec())
        }
        Store::File => {
            let path = path(server)?;
            // Where another process is at it, nothing is left over: it will come to its end.
            if drafts(server).is_ok_and(|drafts| !drafts.is_empty()) {
                let _ = LoginLock::of(server).and_then(|lock| lock.try_take());
            }
            private::read(&path, private::OTHERS).map_err(|error| match error {
                private::Error::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                    LoginError::Missing
                }
                error => LoginError::File {
                    way: match &error {
                        private::Error::Exposed => private::way_to_close(&path),
                        private::Error::Replaceable(directory) => format!(
                            "{} must be a directory that only you can write to",
                            directory.display()
                        ),
                        private::Error::Io(error) => way_to_use(&path, error),
                        _ => "remove it, and sign in anew by popfetch login".to_owned(),
                    },
                    reason: error.to_string(),
                    path,
                },
            })?
        }
    };
    serde_json::from_slice(&text).map_err(|_| LoginError::Damaged)
}

/// Keeps a sign-in in place of an earlier one. In the file it is durable when this returns.
///
/// # Errors
/// It cannot be kept.
pub fn store(server: &Server, store: Store, grant: &Grant) -> Result<(), LoginError> {
    let text = serde_json::to_string(grant).map_err(|_| LoginError::Damaged)?;
    let text = Password::new(text);
    match store {
        Store::Keyring => Ok(keyring::store_login(server, &text)?),
        Store::File => write(server, text.reveal().as_bytes()),
    }
}

/// Forgets the sign-in.
///
/// # Errors
/// There is none, or it cannot be removed.
pub fn remove(server: &Server, store: Store) -> Result<(), LoginError> {
    match store {
        Store::Keyring => Ok(keyring::remove_login(server)?),
        Store::File => {
            let (path, name) = (path(server)?, file_name(server));
            let dir = path.parent().unwrap_or(&path);
            let removed = Dir::open(&Disk::new(), dir).and_then(|dir| {
                let drafts = drafts_in(&dir, &name)?;
                if !dir.contains(&name)? && drafts.is_empty() {
                    return Err(io::ErrorKind::NotFound.into());
                }
                dir.remove(&name)?;
                drafts.iter().try_for_each(|draft| dir.remove(draft))?;
                dir.sync()
            });
            removed.map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => LoginError::Missing,
                _ => unwritable(path, &error),
            })
        }
    }
}

/// One process at a time renews, replaces or removes a maildrop's sign-in: a provider that changes
/// refresh tokens takes each once, and what was kept last must be what it gave last. Like the lock of
/// an account this is a file of its own; it is never removed.
pub struct LoginLock {
    lock: File,
    dir: Dir,
    name: OsString,
}

impl LoginLock {
    /// To be taken.
    ///
    /// # Errors
    /// There is no place for the file.
    pub fn of(server: &Server) -> io::Result<Self> {
        let path = path(server).map_err(io::Error::other)?;
        let directory = path.parent().unwrap_or(&path);
        let name = file_name(server);
        let mut lock = name.clone();
        lock.push("-lock");
        let disk = Disk::new();
        disk.create_directory(directory)?;
        let dir = Dir::open(&disk, directory)?;
        let lock = dir.open_or_create(&lock)?;
        Ok(Self { lock, dir, name })
    }

    /// Takes it until it is dropped, and settles what a process has left that was killed in its own;
    /// `false` while another process has it.
    ///
    /// # Errors
    /// The file system has no locks.
    pub fn try_take(&self) -> io::Result<bool> {
        let taken = self.lock.try_lock()?;
        if taken {
            // What cannot be settled is no reason not to go on.
            let _ = settle(&self.dir, &self.name);
        }
        Ok(taken)
    }
}

/// What a process leaves that is killed while it replaces a sign-in. If it is whole and newer than
/// what is kept, it is the one refresh token that the provider still takes.
fn settle(dir: &Dir, name: &OsStr) -> io::Result<()> {
    let written = |name: &OsStr| dir.read(name).and_then(|file| file.metadata()?.modified());
    let is_newer = |draft: &OsStr| match (written(draft), written(name)) {
        (Ok(draft), Ok(kept)) => draft >= kept,
        (Ok(_), Err(_)) => true,
        (Err(_), _) => false,
    };
    let is_whole = |draft: &OsStr| {
        let text = private::read(&dir.path().join(draft), private::OTHERS);
        text.is_ok_and(|text| serde_json::from_slice::<Grant>(&text).is_ok())
    };
    let mut drafts = drafts_in(dir, name)?;
    drafts.sort_by_key(|draft| written(draft).ok());
    for draft in &drafts {
        match is_whole(draft) && is_newer(draft) {
            true => dir.replace(draft, name)?,
            false => dir.remove(draft)?,
        }
    }
    match drafts.is_empty() {
        true => Ok(()),
        false => dir.sync(),
    }
}

fn drafts(server: &Server) -> io::Result<Vec<OsString>> {
    let path = path(server).map_err(io::Error::other)?;
    let dir = Dir::open(&Disk::new(), path.parent().unwrap_or(&path))?;
    drafts_in(&dir, &file_name(server))
}

/// What [`write`] calls what it has not put into its place yet: the sign-in's name, a process's
/// number, and "new".
fn drafts_in(dir: &Dir, name: &OsStr) -> io::Result<Vec<OsString>> {
    let mut drafts = Vec::new();
    dir.for_each_name(|found| {
        let found = found.as_bytes();
        let rest = found.strip_prefix(name.as_bytes());
        let number = rest.and_then(|rest| rest.strip_prefix(b".")?.strip_suffix(b".new"));
        if number.is_some_and(|number| number.iter().all(u8::is_ascii_digit)) {
            drafts.push(OsStr::from_bytes(found).to_owned());
        }
    })?;
    Ok(drafts)
}

fn write(server: &Server, octets: &[u8]) -> Result<(), LoginError> {
    let (path, name) = (path(server)?, file_name(server));
    let mut new = name.clone();
    new.push(format!(".{}.new", std::process::id()));
    let directory = path.parent().unwrap_or(&path).to_owned();
    let disk = Disk::new();
    let written = disk.create_directory(&directory).and_then(|()| {
        let dir = Dir::open(&disk, &directory)?;
        dir.remove(&new)?;
        let mut file = dir.create(&new)?;
        file.append(octets)?;
        file.sync()?;
        dir.replace(&new, &name)?;
        dir.sync()
    });
    written.map_err(|error| unwritable(path, &error))
}

fn unwritable(path: PathBuf, error: &io::Error) -> LoginError {
    LoginError::File {
        way: way_to_use(&path, error),
        reason: error.to_string(),
        path,
    }
}

fn way_to_use(path: &Path, error: &io::Error) -> String {
    let usual = || "it must be a file that you can read and replace".to_owned();
    advice(path, error).unwrap_or_else(usual)
}

fn path(server: &Server) -> Result<PathBuf, LoginError> {
    let dir = paths::data_dir().map_err(|_| LoginError::NoHome)?;
    Ok(dir.join("logins").join(file_name(server)))
}

/// Readable, and another one for each maildrop.
fn file_name(server: &Server) -> OsString {
    let id = server.id();
    let safe = |c: char| c.is_ascii_alphanumeric() || "@-_".contains(c);
    let readable: String = id.chars().map(|c| if safe(c) { c } else { '_' }).collect();
    let readable: String = readable.chars().take(100).collect();
    let hash = hex(&Sha256::digest(id.as_bytes()));
    let hash: String = hash.chars().take(16).collect();
    format!("{readable}-{hash}.login").into()
}

/// Why there is no sign-in.
#[derive(Debug, Error)]
pub enum LoginError {
    /// What is kept is not one.
    #[error("what is kept of the sign-in is damaged")]
    Damaged,
    /// The file cannot be used.
    #[error("cannot use {}: {reason}", visible(&path.display().to_string()))]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        reason: String,
        /// What to do about it.
        way: String,
    },
    /// Nobody has signed in yet.
    #[error("nobody has signed in to this account yet")]
    Missing,
    /// There is no home for the file.
    #[error("no home directory is known")]
    NoHome,
    /// The keyring cannot be used.
    #[error(transparent)]
    Keyring(SecretError),
}

impl From<SecretError> for LoginError {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::KeyringMissing { .. } => Self::Missing,
            other => Self::Keyring(other),
        }
    }
}

impl Diagnose for LoginError {
    fn status(&self) -> Status {
        match self {
            Self::NoHome => Status::Config,
            _ => Status::NoPermission,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::File { way, .. } => visible(way),
            Self::Keyring(SecretError::KeyringAbsent) => {
                "a desktop session has one; elsewhere set store = \"file\" in the account's `oauth` \
                 table, or use `token-command`"
                    .into()
            }
            Self::Keyring(_) => "unlock the keyring and try again; under cron, where it may be \
                                 locked, set store = \"file\" in the account's `oauth` table, or \
                                 use `token-command`"
                .into(),
            Self::Damaged | Self::Missing => "sign in with: popfetch login ACCOUNT".into(),
            Self::NoHome => "set the environment variable HOME".into(),
        })
    }
}
