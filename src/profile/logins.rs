//! Where a sign-in by OAuth 2.0 is kept: the system keyring, or a file for its owner alone.
//!
//! The file is not beside the journals, which are shown around and backed up: it is a secret.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use super::oauth::Store;
use super::secret::{Password, SecretError};
use super::visible::visible;
use super::{Server, keyring, paths};
use crate::durable::{Dir, Disk, File};
use crate::exit::{Diagnose, Status};
use crate::oauth::Grant;
use crate::private;

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
            private::read(&path, private::OTHERS).map_err(|error| match error {
                private::Error::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                    LoginError::Missing
                }
                error => LoginError::File {
                    path,
                    reason: error.to_string(),
                    exposed: matches!(error, private::Error::Exposed),
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
                if !dir.contains(&name)? {
                    return Err(io::ErrorKind::NotFound.into());
                }
                dir.remove(&name)?;
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
/// an account this is a file of its own, which is never removed.
pub struct Turn(File);

impl Turn {
    /// To be taken.
    ///
    /// # Errors
    /// There is no place for the file.
    pub fn of(server: &Server) -> io::Result<Self> {
        let path = path(server).map_err(io::Error::other)?;
        let directory = path.parent().unwrap_or(&path);
        let mut name = file_name(server);
        name.push("-lock");
        let disk = Disk::new();
        disk.create_directory(directory)?;
        Ok(Self(Dir::open(&disk, directory)?.open_or_create(&name)?))
    }

    /// Takes it until it is dropped; `false` while another process has it.
    ///
    /// # Errors
    /// The file system has no locks.
    pub fn try_take(&self) -> io::Result<bool> {
        self.0.try_lock()
    }
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
        path,
        reason: error.to_string(),
        exposed: false,
    }
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
    let hash: String = Sha256::digest(id.as_bytes())
        .iter()
        .take(8)
        .map(|octet| format!("{octet:02x}"))
        .collect();
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
        /// Others can read it.
        exposed: bool,
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
            SecretError::KeyringMissing(_) => Self::Missing,
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
            Self::File {
                path,
                exposed: true,
                ..
            } => {
                format!("run: chmod 600 {}", visible(&path.display().to_string()))
            }
            Self::File { .. } => "it must be a file that you can read and replace".into(),
            Self::Keyring(_) => "unlock the keyring and try again; under cron, where it may be \
                                 locked, set store = \"file\" in the account's `oauth` table, or \
                                 use `token-command`"
                .into(),
            Self::Damaged | Self::Missing => "run popfetch login for this account".into(),
            Self::NoHome => "set the environment variable HOME".into(),
        })
    }
}
