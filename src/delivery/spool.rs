//! Where messages are written before they are placed: complete files on the disk, wherever they go
//! from there.

use super::Error;
use super::room::{LOOK_EVERY, RESERVE, Room};

use crate::durable::{self, Dir};
use crate::maildir::{FileTime, Filed, Folder, PlacedName, Stamp, UniqueName};
use crate::maildrop::Message;
use crate::message::{
    Attributes, Digests, Evidence, Examined, Flags, HEADER_KEPT, Hasher, Size, dating,
};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A directory for messages that are not placed yet, on the file system that they are placed on: of a
/// Maildir its tmp/.
pub struct Spool {
    dir: Arc<Dir>,
    filing: Filed,
}

impl Spool {
    /// In this directory, for messages that are filed so.
    pub(super) fn new(dir: Arc<Dir>, filing: Filed) -> Self {
        Self { dir, filing }
    }

    /// Begins to receive a message.
    pub fn receive(
        &self,
        stamp: Stamp,
        message: Message,
        keep_header: bool,
    ) -> Result<Incoming, Error> {
        let name = UniqueName::new(stamp, message.identity);
        let file = SpoolFile::create(&self.dir, name)?;
        Ok(Incoming::new(message, file, self.filing, keep_header))
    }

    /// What the disk has room for now.
    pub fn room(&self) -> Result<Room, Error> {
        let (available, block) = self.dir.room().map_err(|source| Error::Write {
            path: self.dir.path().to_owned(),
            source,
        })?;
        Ok(Room::new(available, block))
    }
}

/// A file in the spool. It goes away with this value unless the journal answers for it.
struct SpoolFile {
    dir: Arc<Dir>,
    name: UniqueName,
    /// Open until its octets are on the disk: files are scarce.
    file: Option<durable::File>,
    kept: bool,
}

impl SpoolFile {
    fn create(dir: &Arc<Dir>, name: UniqueName) -> Result<Self, Error> {
        let file = dir.create(name.as_os_str());
        let file = file.map_err(|source| Error::Write {
            path: dir.path().to_owned(),
            source,
        })?;
        Ok(Self {
            dir: Arc::clone(dir),
            name,
            file: Some(file),
            kept: false,
        })
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join(self.name.as_os_str())
    }

    /// Its mode, group and time: before its sync, so that no file in new/ is without them.
    fn dress(&mut self, filing: Filed, header: &[u8], received: Option<i64>) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        file.give(filing.access)?;
        let time = match filing.time {
            FileTime::Arrival => None,
            FileTime::Received => received.and_then(dating::credible),
            FileTime::Date => dating::time_of(header),
        };
        time.map_or(Ok(()), |time| file.date(time))
    }

    fn leave_reserve(&self) -> io::Result<()> {
        if self.dir.available()? < RESERVE {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl Drop for SpoolFile {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is removed by the next run, which finds no intent for it.
            let _ = self.dir.remove(self.name.as_os_str());
        }
    }
}

/// A message whose body is arriving.
pub struct Incoming {
    message: Message,
    file: SpoolFile,
    hasher: Hasher,
    /// The line ends as they are stored; kept for its allocation.
    converted: Vec<u8>,
    /// The last octet was a CR that may turn out to belong to a CRLF.
    after_cr: bool,
    octets: u64,
    header: Option<Vec<u8>>,
    /// The header is for others as well, and not only for the file's time.
    keeps_header: bool,
    filing: Filed,
}

impl Incoming {
    fn new(message: Message, file: SpoolFile, filing: Filed, keep_header: bool) -> Self {
        let reads_header = keep_header || filing.time == FileTime::Date;
        Self {
            message,
            file,
            hasher: Hasher::default(),
            converted: Vec::new(),
            after_cr: false,
            octets: 0,
            header: reads_header.then(Vec::new),
            keeps_header: keep_header,
            filing,
        }
    }

    /// The message as it was listed.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Takes in octets of the body as they came, without byte-stuffing. Each CRLF is stored as LF,
    /// as Maildirs have it; everything else stays as it is, a CR or LF alone included.
    pub fn write(&mut self, octets: &[u8]) -> Result<(), Error> {
        let mut converted = std::mem::take(&mut self.converted);
        converted.clear();
        self.convert(octets, &mut converted);
        let stored = self.store(&converted);
        self.converted = converted;
        stored
    }

    /// The termination octet was seen: the message is whole. `size` says whether its octets are those
    /// that were listed; the server has noted `attributes` of it. From here on the file is as its owner wants it to be, under its later name as well.
    pub fn finish(mut self, size: Size, attributes: Attributes) -> Result<Complete, Error> {
        if std::mem::take(&mut self.after_cr) {
            self.store(b"\r")?;
        }
        let mut examined = self.hasher.finish();
        examined.evidence.size = size;
        let header = self.header.take().unwrap_or_default();
        let dressed = self.file.dress(self.filing, &header, attributes.received);
        dressed.map_err(|source| Error::Write {
            path: self.file.path(),
            source,
        })?;
        Ok(Complete {
            message: self.message,
            file: self.file,
            examined,
            header: match self.keeps_header {
                true => header,
                false => Vec::new(),
            },
            is_orderly: true,
            folder: None,
            sized: self.filing.sized,
            flags: match self.filing.flagged {
                true => attributes.flags,
                false => Flags::default(),
            },
        })
    }

    fn convert(&mut self, mut octets: &[u8], out: &mut Vec<u8>) {
        if self.after_cr
            && let [first, ..] = octets
        {
            self.after_cr = false;
            if *first != b'\n' {
                out.push(b'\r');
            }
        }
        while let Some(at) = memchr::memchr(b'\r', octets) {
            let (before, from_cr) = octets.split_at(at);
            out.extend(before);
            octets = match from_cr {
                [_] => {
                    self.after_cr = true;
                    &[]
                }
                [_, b'\n', ..] => from_cr.get(1..).unwrap_or_default(),
                _ => {
                    out.push(b'\r');
                    from_cr.get(1..).unwrap_or_default()
                }
            };
        }
        out.extend(octets);
    }

    fn store(&mut self, octets: &[u8]) -> Result<(), Error> {
        if octets.is_empty() {
            return Ok(());
        }
        if let Some(header) = &mut self.header
            && !self.hasher.header_ended()
        {
            let room = HEADER_KEPT.saturating_sub(header.len());
            header.extend(octets.get(..room).unwrap_or(octets));
        }
        self.hasher.update(octets);
        let looks = self.octets / LOOK_EVERY;
        self.octets += octets.len() as u64;
        let written = match &mut self.file.file {
            Some(file) => file.append(octets),
            None => Err(io::ErrorKind::InvalidInput.into()),
        };
        let left = match self.octets / LOOK_EVERY > looks {
            true => written.and_then(|()| self.file.leave_reserve()),
            false => written,
        };
        left.map_err(|source| Error::Write {
            path: self.file.path(),
            source,
        })
    }
}

/// A message that has arrived whole; its octets may still be in the system's memory only.
pub struct Complete {
    message: Message,
    file: SpoolFile,
    examined: Examined,
    header: Vec<u8>,
    is_orderly: bool,
    folder: Option<Folder>,
    sized: bool,
    flags: Flags,
}

impl fmt::Debug for Complete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Complete")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl Complete {
    /// Its end was doubtful: it may be cut short, or have something of another reply in it. What is
    /// made of it is never deleted from the server (E12).
    pub fn doubt(self) -> Self {
        Self {
            is_orderly: false,
            ..self
        }
    }

    /// It goes to a folder; to the Maildir itself where that is none.
    pub fn for_folder(self, folder: Option<Folder>) -> Self {
        Self { folder, ..self }
    }

    /// Its first octets, if they were asked for.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// The message as it was listed.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Its hashes.
    pub fn digests(&self) -> &Digests {
        &self.examined.digests
    }

    /// What it is known again by.
    pub fn evidence(&self) -> &Evidence {
        &self.examined.evidence
    }

    /// All that its octets tell.
    pub fn examined(&self) -> &Examined {
        &self.examined
    }

    /// Octets as stored.
    pub fn octets(&self) -> u64 {
        self.examined.octets
    }

    /// Whether its end was above doubt.
    pub fn is_orderly(&self) -> bool {
        self.is_orderly
    }

    /// Lets the disk begin with its octets, so that [`sync_all`] waits less.
    pub fn begin_sync(&self) {
        if let Some(file) = &self.file.file {
            file.begin_sync();
        }
    }
}

/// A message whose octets are on the disk, under a name in tmp/ (E2).
pub struct Synced(Complete);

impl Synced {
    /// The message as it was listed.
    pub fn message(&self) -> &Message {
        &self.0.message
    }

    /// Its hashes.
    pub fn digests(&self) -> &Digests {
        &self.0.examined.digests
    }

    /// What it is known again by.
    pub fn evidence(&self) -> &Evidence {
        &self.0.examined.evidence
    }

    /// All that its octets tell.
    pub fn examined(&self) -> &Examined {
        &self.0.examined
    }

    /// Octets as stored.
    pub fn octets(&self) -> u64 {
        self.0.examined.octets
    }

    /// Its name in tmp/.
    pub fn name(&self) -> &UniqueName {
        &self.0.file.name
    }

    /// The name that it is placed under: the same, with its size where that is to be told, and its flags.
    pub fn placed_name(&self) -> PlacedName {
        PlacedName {
            name: self.name().clone(),
            size: self.0.sized.then_some(self.octets()),
            flags: self.0.flags,
        }
    }

    /// It is placed under this name.
    pub(super) fn placed_as(&mut self, name: &PlacedName) {
        self.0.flags = name.flags;
    }

    /// Whether its end was above doubt.
    pub fn is_orderly(&self) -> bool {
        self.0.is_orderly
    }

    /// The folder that it goes to; none is the Maildir itself.
    pub fn folder(&self) -> Option<&Folder> {
        self.0.folder.as_ref()
    }

    /// Its first octets, if they were asked for.
    pub fn header(&self) -> &[u8] {
        &self.0.header
    }

    /// Its intent is about to be written: from here on the journal answers for the file, which
    /// must outlive this value. A crash that found an intent without a file would take the message
    /// for delivered.
    pub fn entrust(&mut self) {
        self.0.file.kept = true;
    }

    /// Its intent is certain not to be in the journal: the file goes away with this value again.
    pub fn reclaim(&mut self) {
        self.0.file.kept = false;
    }
}

/// Forces messages to the disk, several at a time. One that fails is removed and is not tried
/// again (E9); the others are not affected.
pub fn sync_all(batch: Vec<Complete>) -> (Vec<Synced>, Vec<(Message, io::Error)>) {
    let files = batch
        .iter()
        .filter_map(|complete| complete.file.file.as_ref());
    let files: Vec<&durable::File> = files.collect();
    let results = durable::sync_all(&files);
    let (mut synced, mut failed) = (Vec::with_capacity(batch.len()), Vec::new());
    for (mut complete, result) in batch.into_iter().zip(results) {
        complete.file.file = None;
        match result {
            Ok(()) => synced.push(Synced(complete)),
            Err(error) => failed.push((complete.message.clone(), error)),
        }
    }
    (synced, failed)
}
