//! Where messages go, in steps of a batch.

use super::Synced;
use super::spool::Spool;
use crate::durable::Dir;
use crate::maildir::{self, Folder, Maildir, PlacedName};
use crate::maildrop::Message;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What takes an account's messages.
pub enum Target {
    /// A Maildir: a file in tmp/ is renamed to new/, or to cur/ where the message has flags. It gets no message twice, whatever fails, as what a
    /// crash left can be looked up.
    Maildir(Arc<Maildir>, Spool),
}

/// A message that is placed for good, together with the proof `I` that its intent had been
/// recorded before.
pub struct Delivered<I> {
    synced: Synced,
    intent: I,
    path: PathBuf,
}

/// A message that could not be placed, or whose place could not be made durable.
pub struct Unplaced<I> {
    /// The file, in the spool or in its place.
    name: PlacedName,
    folder: Option<Folder>,
    /// The message as it was listed.
    pub message: Message,
    /// Its intent, which is withdrawn once its name is gone for certain.
    pub intent: I,
    /// Why.
    pub error: io::Error,
    /// It had its name, which a power cut may keep or not.
    was_named: bool,
}

impl Target {
    /// Delivery to a Maildir.
    pub fn maildir(maildir: Arc<Maildir>) -> Self {
        let spool = Spool::new(Arc::clone(maildir.tmp()), maildir.filing());
        Self::Maildir(maildir, spool)
    }

    /// Where messages are written before they are placed.
    pub fn spool(&self) -> &Spool {
        match self {
            Self::Maildir(_, spool) => spool,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Maildir(maildir, _) => maildir.path(),
        }
    }

    /// Opens folders for messages that are placed later, and makes those that are not there.
    ///
    /// # Errors
    /// Where one of them cannot be made or opened.
    pub fn open_folders<'a>(
        &self,
        folders: impl IntoIterator<Item = &'a Folder>,
    ) -> Result<(), maildir::Error> {
        let Self::Maildir(maildir, _) = self;
        maildir.open_folders(folders)
    }

    /// The directory that folders are made in.
    pub fn root(&self) -> &Dir {
        let Self::Maildir(maildir, _) = self;
        maildir.root()
    }

    /// The directories that it works in.
    pub fn directories(&self) -> Vec<&Dir> {
        match self {
            // A folder may be a link to somewhere else.
            Self::Maildir(maildir, _) => [maildir.root()]
                .into_iter()
                .chain(maildir.open_inboxes())
                .collect(),
        }
    }

    /// Places a batch, and makes that durable (E3). Each message comes with the proof that its intent is
    /// recorded (E1): a crash from here on finds out what became of it.
    pub fn place<I>(&self, batch: Vec<(Synced, I)>) -> (Vec<Delivered<I>>, Vec<Unplaced<I>>) {
        let Self::Maildir(maildir, _) = self;
        let (mut named, mut failed) = (Vec::with_capacity(batch.len()), Vec::new());
        for (mut synced, intent) in batch {
            let mut name = synced.placed_name();
            let published = maildir
                .inbox(synced.folder())
                .and_then(|inbox| maildir.place(&mut name, inbox));
            synced.placed_as(&name);
            match published {
                Ok(()) => named.push((synced, name, intent)),
                Err(error) => failed.push(Unplaced::new(&synced, intent, error, false)),
            }
        }
        let place_of = |synced: &Synced, name: &PlacedName| {
            let inbox = maildir.inbox(synced.folder());
            inbox.map(|inbox| inbox.of(name))
        };
        let mut syncs: BTreeMap<(Option<&Folder>, bool), io::Result<&Path>> = BTreeMap::new();
        for (synced, name, _) in &named {
            syncs
                .entry((synced.folder(), name.flags.is_empty()))
                .or_insert_with(|| {
                    let place = place_of(synced, name)?;
                    place.sync().map(|()| place.path())
                });
        }
        let places: Vec<_> = named
            .iter()
            .map(
                |(synced, name, _)| match syncs.get(&(synced.folder(), name.flags.is_empty())) {
                    Some(Ok(place)) => Ok(place.join(name.to_os_string())),
                    Some(Err(error)) => Err(io::Error::new(error.kind(), error.to_string())),
                    None => Err(io::ErrorKind::NotFound.into()),
                },
            )
            .collect();
        let mut delivered = Vec::with_capacity(named.len());
        for ((synced, _, intent), place) in named.into_iter().zip(places) {
            match place {
                Ok(path) => delivered.push(Delivered {
                    path,
                    synced,
                    intent,
                }),
                // Its name may or may not survive a power cut: it counts as not stored.
                Err(error) => failed.push(Unplaced::new(&synced, intent, error, true)),
            }
        }
        (delivered, failed)
    }

    /// Removes the file of a message that could not be placed, before its intent is withdrawn:
    /// the name must not stay when nothing speaks of it any more (E9). Tells whether it is gone for
    /// certain. It is not where new/ could not be synced: a power cut may bring the name back.
    pub fn discard<I>(&self, unplaced: &Unplaced<I>) -> bool {
        let Self::Maildir(maildir, _) = self;
        let name = &unplaced.name;
        // A name that was taken is somebody else's message.
        let taken = unplaced.error.kind() == io::ErrorKind::AlreadyExists;
        let inbox = maildir.inbox(unplaced.folder.as_ref());
        let remove = || inbox?.of(name).remove(&name.to_os_string());
        let named = taken || remove().is_ok();
        maildir.remove_tmp(&name.name).is_ok() && named && !unplaced.was_named
    }
}

impl<I> Delivered<I> {
    /// As much of the file as its header may have; nothing where it cannot be read.
    pub fn beginning(&self) -> Vec<u8> {
        const HEADER: u64 = 64 * 1024;
        let mut octets = Vec::new();
        let read =
            File::open(&self.path).and_then(|file| file.take(HEADER).read_to_end(&mut octets));
        read.map_or_else(|_| Vec::new(), |_| octets)
    }

    /// The message as it was synced.
    pub fn synced(&self) -> &Synced {
        &self.synced
    }

    /// The proof that came with it.
    pub fn intent(&self) -> &I {
        &self.intent
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl<I> Unplaced<I> {
    fn new(synced: &Synced, intent: I, error: io::Error, was_named: bool) -> Self {
        Self {
            name: synced.placed_name(),
            folder: synced.folder().cloned(),
            message: synced.message().clone(),
            intent,
            error,
            was_named,
        }
    }
}
