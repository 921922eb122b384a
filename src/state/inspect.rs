//! Reading a journal for a person to look at. It takes no lock and changes nothing. What is said of a
//! message is put together when it is asked for: of a million of them, few octets each stay in memory.

use super::journal::{self, Header};
use super::memory::Memory;
use super::outline::{InspectedMessage, MessageId, Messages, Outline};
use super::{Error, Files, View};
use crate::durable::Dir;
use crate::maildir::MaildirId;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

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
    pub fn messages(&self) -> impl Iterator<Item = Result<InspectedMessage, Error>> + '_ {
        let journal = self.journal.as_ref();
        let messages = journal.map(|journal| Messages::new(&self.outline, journal));
        let messages = messages.into_iter().flatten();
        messages.map(|message| message.map_err(|source| self.io_error(source)))
    }

    /// These of them, in their order.
    pub fn messages_of<'a>(
        &'a self,
        ids: impl IntoIterator<Item = MessageId> + 'a,
    ) -> impl Iterator<Item = Result<InspectedMessage, Error>> + 'a {
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

    /// The same with their ids, those of the first version left out: another one may be in the place of
    /// one.
    pub fn homes(&self) -> &[(PathBuf, MaildirId)] {
        &self.outline.homes
    }

    /// Ids that the account had earlier.
    pub fn former(&self) -> &[String] {
        &self.outline.former
    }

    /// Unique-ids of messages that could not be fetched at some time.
    pub fn failing(&self) -> &BTreeSet<Box<[u8]>> {
        &self.outline.failing
    }

    fn io_error(&self, source: io::Error) -> Error {
        Error::Io {
            path: self.path.clone(),
            source,
        }
    }
}

/// What a journal's octets say, and how much of them is in order.
pub struct Examined {
    /// Everything that is remembered, oldest first. Good lines count wherever they stand.
    pub messages: Vec<InspectedMessage>,
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
        ..
    } = reading.ok()?;
    let messages: io::Result<Vec<InspectedMessage>> = Messages::new(&outline, octets).collect();
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
