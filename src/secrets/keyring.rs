//! Passwords in the system keyring, by crate keyring: service `popfetch`, user `user@host:port`.
//!
//! On Linux the keyring is the Secret Service of the desktop session, reached by D-Bus. It is not
//! there under cron, and it asks a person to unlock it; so each call runs in a thread of its own
//! and is given up after a while. A thread given up ends with the process.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use keyring::{Entry, Error};

use super::error::SecretError;
use super::password::{Password, can_ask};
use crate::server::{Protocol, Server};

/// The service name of each password's entry.
const SERVICE: &str = "popfetch";
/// The same of each sign-in by OAuth 2.0.
const LOGINS: &str = "popfetch-login";
/// How long the keyring may take when nobody is there to unlock it.
const ALONE: Duration = Duration::from_secs(10);
/// How long it may take when a person may have to type a passphrase.
const ATTENDED: Duration = Duration::from_secs(120);

/// The password stored for a maildrop. `interactive`: a person is there to unlock the keyring.
///
/// # Errors
///
/// There is none, or the keyring cannot be used. See also [`super::obtain_password`].
pub fn load(server: &Server, interactive: bool) -> Result<Password, SecretError> {
    call(SERVICE, server, interactive, |entry| {
        entry.get_password().map(Password::new)
    })
}

/// Stores the password for a maildrop, replacing an earlier one.
///
/// # Errors
///
/// The keyring cannot be used.
pub fn store(server: &Server, password: &Password) -> Result<(), SecretError> {
    let password = password.clone();
    call(SERVICE, server, true, move |entry| {
        entry.set_password(password.reveal())
    })
}

/// Removes the password of a maildrop.
///
/// # Errors
///
/// There is none, or the keyring cannot be used.
pub fn remove(server: &Server) -> Result<(), SecretError> {
    call(SERVICE, server, true, |entry| entry.delete_credential())
}

/// The sign-in stored for a maildrop; as [`load`].
pub(crate) fn load_login(server: &Server, interactive: bool) -> Result<Password, SecretError> {
    call(LOGINS, server, interactive, |entry| {
        entry.get_password().map(Password::new)
    })
}

/// Stores a sign-in; as [`store`]. A run under cron does so too, and waits for nobody.
pub(crate) fn store_login(server: &Server, login: &Password) -> Result<(), SecretError> {
    let login = login.clone();
    let interactive = can_ask();
    call(LOGINS, server, interactive, move |entry| {
        entry.set_password(login.reveal())
    })
}

/// Removes a sign-in; as [`remove`].
pub(crate) fn remove_login(server: &Server) -> Result<(), SecretError> {
    call(LOGINS, server, true, |entry| entry.delete_credential())
}

/// Whether there is a keyring that answers, without anybody being asked to unlock it.
pub fn answers() -> bool {
    matches!(
        try_nobody(),
        Ok(()) | Err(SecretError::KeyringMissing { .. })
    )
}

/// Whether there is none in this session, not even a locked one.
pub fn is_absent() -> bool {
    matches!(try_nobody(), Err(SecretError::KeyringAbsent))
}

/// Asks for a password that nobody has.
fn try_nobody() -> Result<(), SecretError> {
    let nobody = Server {
        protocol: Protocol::Pop,
        host: "popfetch.invalid".into(),
        port: 0,
        user: "nobody".into(),
    };
    call(SERVICE, &nobody, false, |entry| {
        entry.get_password().map(drop)
    })
}

fn call<T: Send + 'static>(
    service: &'static str,
    server: &Server,
    interactive: bool,
    work: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<T, SecretError> {
    let limit = if interactive { ATTENDED } else { ALONE };
    let id = server.id();
    within(limit, move || {
        let result = Entry::new(service, &id).and_then(|entry| work(&entry));
        result.map_err(|error| match error {
            Error::NoEntry => SecretError::KeyringMissing {
                word: id.clone(),
                account: id,
            },
            other => failed(reason(&other)),
        })
    })
}

/// Where nobody keeps one for this session, a person has nothing to unlock.
fn failed(reason: String) -> SecretError {
    let without = [
        "Failed to connect",
        "was not provided by any",
        "default store",
    ];
    match without.iter().any(|known| reason.contains(known)) {
        true => SecretError::KeyringAbsent,
        false => SecretError::Keyring(reason),
    }
}

/// What the keyring says, in words that hold no secret: some of its errors carry the octets found.
fn reason(error: &Error) -> String {
    match (error, Entry::store_status()) {
        (Error::NoDefaultStore, Err(error)) => format!("{error}"),
        (Error::BadEncoding(_) | Error::BadDataFormat(..), _) => "the entry is no text".into(),
        (error, _) => format!("{error}"),
    }
}

fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T, SecretError> + Send + 'static,
) -> Result<T, SecretError> {
    let (sender, answer) = mpsc::sync_channel(1);
    let ask = move || {
        // Nobody listens any more if the time has passed.
        let _ = sender.send(work());
    };
    let asked = thread::Builder::new().spawn(ask);
    asked.map_err(|error| SecretError::Keyring(error.to_string()))?;
    match answer.recv_timeout(limit) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(SecretError::KeyringTimeout(limit)),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(SecretError::Keyring("it ended without an answer".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyring_that_never_answers_is_given_up() {
        let limit = Duration::from_millis(50);
        let result = within(limit, || {
            thread::sleep(Duration::from_secs(5));
            Ok(())
        });
        assert!(matches!(result, Err(SecretError::KeyringTimeout(_))));
    }

    #[test]
    fn what_the_keyring_found_is_not_repeated() {
        assert!(!reason(&Error::BadEncoding(b"hunter2".to_vec())).contains("hunter2"));
    }
}
