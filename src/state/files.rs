//! Where an account's state lies: the directory of all, and the names of its files.

use super::{Error, journal, lock};
use crate::durable::{Dir, Disk};
use crate::maildrop::file_name;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// So many files of the directory are looked at, to find whose it has.
const ENTRIES: usize = 1000;

/// The names of an account's files.
pub(super) struct Files {
    pub(super) journal: OsString,
    pub(super) lock: OsString,
    pub(super) manners: OsString,
}

impl Files {
    pub(super) fn of(account: &str) -> Self {
        let name = file_name(account);
        Self {
            journal: format!("{name}.journal").into(),
            lock: format!("{name}.lock").into(),
            manners: format!("{name}.manners").into(),
        }
    }
}

/// Whether there is, or was, anything of an account's state.
pub fn is_known(dir: &Dir, account: &str) -> bool {
    let files = Files::of(account);
    let is_absent = |name| {
        let read = dir.read(name);
        read.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    };
    !(is_absent(&files.journal) && is_absent(&files.lock))
}

/// That another process works on the account, so that a fetch could not. No lock is taken.
pub fn held(dir: &Dir, account: &str, now: i64) -> Option<Error> {
    let holder = lock::holder(dir, &Files::of(account).lock).ok()??;
    Some(lock::held_by(Some(holder), now))
}

/// Where its journal is, or would be.
pub fn journal_path(dir: &Path, account: &str) -> PathBuf {
    dir.join(Files::of(account).journal)
}

/// Whose journals are in the directory of all states, by their ids, in no order.
pub fn accounts(dir: &Dir) -> impl Iterator<Item = String> + '_ {
    let names = fs::read_dir(dir.path()).into_iter().flatten().flatten();
    let names = names.map(|entry| entry.file_name()).take(ENTRIES);
    let names = names.filter(|name| name.to_string_lossy().ends_with(".journal"));
    names.filter_map(|name| {
        let account = journal::account_of(dir.read(&name).ok()?).ok()??;
        (Files::of(&account).journal == name).then_some(account)
    })
}

/// The directory of all accounts' states, if there is one.
pub fn existing_directory(path: &Path) -> Option<Dir> {
    Dir::open(&Disk::new(), path).ok()
}

/// Opens the directory of all accounts' states, creating it where it is missing.
pub fn open_directory(disk: &Disk, path: &Path) -> Result<Dir, Error> {
    let opened = disk
        .create_directory(path)
        .and_then(|()| Dir::open(disk, path));
    let opened = opened.and_then(|dir| dir.check_private().map(|()| dir));
    let opened = opened.and_then(|dir| dir.check_writable().map(|()| dir));
    opened.map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}
