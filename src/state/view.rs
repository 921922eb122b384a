//! The state as it stands, for looking only: no lock is taken and nothing is settled.

use super::journal::{self, Header};
use super::memory::Memory;
use super::{Error, Files, Recognition};
use crate::durable::{Dir, Disk};
use crate::maildrop::Maildrop;
use std::path::Path;

/// What is known of an account.
pub struct View {
    pub(super) memory: Memory,
}

impl View {
    /// Reads the account's journal in the directory of all states. Nothing there means that
    /// nothing is known.
    pub fn read(directory: &Path, account: &str) -> Result<Self, Error> {
        match Dir::open(&Disk::new(), directory) {
            Ok(dir) => Self::read_in(&dir, account),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self {
                memory: Memory::new(account),
            }),
            Err(source) => Err(Error::Io {
                path: directory.to_owned(),
                source,
            }),
        }
    }

    pub(super) fn read_in(dir: &Dir, account: &str) -> Result<Self, Error> {
        let files = Files::of(account);
        let path = dir.path().join(&files.journal);
        let io = |source| Error::Io {
            path: path.clone(),
            source,
        };
        let mut memory = Memory::new(account);
        match journal::read_header(dir, &files.journal, account).map_err(io)? {
            Some(Header::Ours { .. }) => {
                let input = dir.read(&files.journal).map_err(io)?;
                journal::read(input, |entry, place| memory.apply(entry, place)).map_err(io)?;
            }
            Some(Header::OtherVersion(version)) => {
                return Err(Error::OtherVersion { path, version });
            }
            Some(Header::Foreign) | None => {}
        }
        Ok(Self { memory })
    }

    /// Whether no listing of the account has ever been settled.
    pub fn is_first(&self) -> bool {
        self.memory.is_first()
    }

    /// When pipelining last failed with this server, in seconds since 1970.
    pub fn unpipelined(&self) -> Option<i64> {
        self.memory.unpipelined
    }

    /// Whether any message of the account was ever listed with a unique-id.
    pub fn has_unique_ids(&self) -> bool {
        self.memory.has_unique_ids
    }

    /// Recognises the messages of a complete listing, place by place.
    pub fn recognise<'a>(&'a mut self, maildrop: &'a Maildrop) -> Recognition<'a> {
        Recognition::new(&mut self.memory, maildrop)
    }
}
