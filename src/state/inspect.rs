//! Reading a journal for a person to look at. It takes no lock and changes nothing. What is said of a
//! message is put together when it is asked for: of a million of them, few octets each stay in memory.

use super::journal::{self, Header};
use super::memory::Memory;
use super::outline::{Messages, Outline};
use super::record::{Id, MarkedBy};
use super::{Error, Files, View};
use crate::durable::Dir;
use crate::maildir::UniqueName;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// All that is remembered of an account.
#[derive(Default)]
pub struct Inspected {
    /// `None` where there is no journal, or none of the account.
    journal: Option<fs::File>,
    path: PathBuf,
    outline: Outline,
    /// The journal is damaged, so that some messages may not be among these.
    pub damaged: bool,
}

impl Inspected {
    /// The messages, oldest first, each read from the journal as it was when this was made.
    pub fn messages(&self) -> impl Iterator<Item = Result<Shown, Error>> + '_ {
        let journal = self.journal.as_ref();
        let messages = journal.map(|journal| Messages::new(&self.outline, journal));
        let messages = messages.into_iter().flatten();
        messages.map(|message| message.map_err(|source| self.io_error(source)))
    }

    /// These of them, in their order.
    pub fn messages_of<'a>(
        &'a self,
        ids: impl IntoIterator<Item = MessageId> + 'a,
    ) -> impl Iterator<Item = Result<Shown, Error>> + 'a {
        let journal = self.journal.as_ref();
        let messages = journal.map(|journal| Messages::new(&self.outline, journal));
        messages
            .into_iter()
            .zip([ids])
            .flat_map(move |(mut messages, ids)| {
                let ids = ids.into_iter();
                ids.map(move |MessageId(id)| {
                    messages.of(id).map_err(|source| self.io_error(source))
                })
            })
    }

    /// How many messages there are.
    pub fn count(&self) -> usize {
        self.outline.count()
    }

    /// The Maildirs that messages were delivered to.
    pub fn maildirs(&self) -> &[PathBuf] {
        &self.outline.maildirs
    }

    /// Ids that the account had earlier.
    pub fn former(&self) -> &[String] {
        &self.outline.former
    }

    /// Unique-ids of messages that could not be fetched at some time.
    pub(super) fn failing(&self) -> &BTreeSet<Box<[u8]>> {
        &self.outline.failing
    }

    fn io_error(&self, source: io::Error) -> Error {
        Error::Io {
            path: self.path.clone(),
            source,
        }
    }
}

/// What is remembered of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shown {
    pub(super) id: Id,
    /// When it was fetched or marked, in seconds since 1970.
    pub time: i64,
    /// The unique-ids it was listed under; none if they are lost or there never was one.
    pub unique_ids: Vec<Box<[u8]>>,
    /// Its size as listed.
    pub listed: Option<u64>,
    /// Its file: name, octets, SHA-256. `None` if it was only marked as seen.
    pub stored: Option<(UniqueName, u64, [u8; 32])>,
    /// Its delivery is recorded as done, rather than intended only.
    pub settled: bool,
    /// In which boot of the machine it was stored, or in an earlier one; empty where that is not
    /// known.
    pub boot: Arc<str>,
    /// How it stands on the server, as far as is known.
    pub standing: Standing,
    /// Why it counts as seen, where it was never fetched.
    pub marked: Option<MarkedBy>,
    /// Its end was doubtful, so that it is never deleted (E12).
    pub held: bool,
    /// Whether it is handed on.
    pub onward: Onward,
    /// Its owner says that the file was removed on purpose.
    pub gone: bool,
}

/// Which of an account's messages it is, for as long as its journal is not written afresh.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MessageId(pub(super) Id);

impl Shown {
    /// Which one it is.
    pub fn id(&self) -> MessageId {
        MessageId(self.id)
    }

    /// Whether the server has confirmed that it is deleted there.
    pub fn is_deleted(&self) -> bool {
        self.standing == Standing::Deleted
    }
}

/// Whether a message is handed on to a program or a file, once it is stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Onward {
    /// It is not.
    Nowhere,
    /// It is to be, and waits.
    Waits,
    /// It has been.
    Done {
        /// Its file has left the place where it was stored.
        removed: bool,
    },
}

/// How a message stands on the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It was there when it was last listed.
    Here,
    /// Its deletion was asked for, and the server has not said what became of it.
    Asked,
    /// The server has confirmed its deletion.
    Deleted,
    /// A listing lacked it.
    Absent,
    /// It is there, and to be fetched again: its file is lost.
    Lost,
}

/// What a journal's octets say, and how much of them is in order.
pub struct Examined {
    /// Everything that is remembered, oldest first. Good lines count wherever they stand.
    pub messages: Vec<Shown>,
    /// What a fetch would know.
    pub view: View,
    /// Octets up to and with the last good line before anything bad.
    pub good: u64,
    /// The last line is bad or has no end, as a crash may leave it.
    pub torn: bool,
    /// There is a bad line with others after it, as no crash leaves it.
    pub damaged: bool,
}

/// Reads a journal that is not a file: a copy to be looked at, or what a test made up. Nothing is
/// opened, locked or changed, so this is no way to learn the state of an account; [`inspect`] and
/// [`View::read`] are.
///
/// `None` if the first line is not that of a journal of this account in this version.
pub fn examine(octets: &[u8], account: &str) -> Option<Examined> {
    let Some(Header::Ours { .. }) = journal::header(octets, account).ok()? else {
        return None;
    };
    let mut memory = Memory::new(account);
    let mut outline = Outline::default();
    let reading = journal::read(octets, |entry, place| {
        memory.apply(entry.clone(), place);
        outline.take_in(entry, place);
    });
    outline.finish();
    let journal::Reading {
        good,
        damaged,
        torn,
    } = reading.ok()?;
    let messages: io::Result<Vec<Shown>> = Messages::new(&outline, octets).collect();
    Some(Examined {
        messages: messages.ok()?,
        view: View {
            memory,
            dir: None,
            id: None,
        },
        good,
        torn,
        damaged,
    })
}

/// Reads an account's journal; nothing if there is no state.
pub fn inspect(dir: &Dir, account: &str) -> Result<Inspected, Error> {
    read(dir, &Files::of(account), account)
}

pub(super) fn read(dir: &Dir, files: &Files, account: &str) -> Result<Inspected, Error> {
    let path = dir.path().join(&files.journal);
    let io = |source| Error::Io {
        path: path.clone(),
        source,
    };
    match journal::read_header(dir, &files.journal, account).map_err(io)? {
        Some(Header::Ours { .. }) => {}
        Some(Header::OtherVersion(version)) => return Err(Error::OtherVersion { path, version }),
        Some(Header::Foreign) => {
            return Ok(Inspected {
                damaged: true,
                ..Inspected::default()
            });
        }
        None => return Ok(Inspected::default()),
    }
    let journal = dir.read(&files.journal).map_err(io)?;
    let mut outline = Outline::default();
    let reading = outline.load(&journal).map_err(io)?;
    outline.forget_superseded(&journal).map_err(io)?;
    Ok(Inspected {
        damaged: reading.damaged,
        journal: Some(journal),
        path,
        outline,
    })
}
