//! An account is no more: what was noted of its server goes, and what was fetched stays known unless
//! its owner says otherwise.

use super::inspect::read;
use super::lock::Lock;
use super::{Error, Files};
use crate::durable::Dir;
use std::ffi::OsStr;
use std::io;

/// Removes what is remembered of how an account's server is treated; and what was fetched from it,
/// where that is to be `forgotten`, or nothing was. The lock goes last, and not while there is a
/// journal. Tells whether there still is one.
///
/// # Errors
/// Where another process works on the account, or the disk refuses.
pub fn remove(dir: &Dir, account: &str, forgotten: bool, now: i64) -> Result<bool, Error> {
    let files = Files::of(account);
    let has = |name: &OsStr| match dir.octets(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        // Whatever it is, it is not for us to take away.
        found => found.is_ok(),
    };
    if ![&files.journal, &files.lock, &files.manners]
        .into_iter()
        .any(|name| has(name))
    {
        return Ok(false);
    }
    let _lock = Lock::take(dir, &files.lock, now)?;
    let remove = |name: &OsStr| {
        dir.remove(name).map_err(|source| Error::Io {
            path: dir.path().join(name),
            source,
        })
    };
    remove(&files.manners)?;
    let found = read(dir, &files, account)?;
    let knows_nothing = found.count() == 0 && found.former().is_empty() && !found.damaged;
    if forgotten || knows_nothing {
        remove(&files.journal)?;
    }
    let remains = has(&files.journal);
    if !remains {
        remove(&files.lock)?;
    }
    Ok(remains)
}
