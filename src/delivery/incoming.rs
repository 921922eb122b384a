//! A message on its way from the server to the disk.

use super::Error;
use super::digest::{Digests, Examined, Hasher};
use super::fields::{Evidence, Size};
use super::maildir::Maildir;
use super::unique_name::UniqueName;
use crate::durable;
use crate::maildrop::Message;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A large message leaves so many octets free on the disk: a message without end must not take
/// the last of them from everybody else (TRUST.md S36).
pub(super) const RESERVE: u64 = 64 * 1024 * 1024;

/// After so many octets of a message each, the disk is asked what is left.
pub(super) const LOOK_EVERY: u64 = 16 * 1024 * 1024;

/// How much of a message is kept in memory for those who want to show its header.
pub(super) const HEADER_KEPT: usize = 64 * 1024;

/// A file in tmp/. It goes away with this value unless the journal answers for it.
pub(super) struct TmpFile {
    maildir: Arc<Maildir>,
    name: UniqueName,
    /// Open until its octets are on the disk: files are scarce.
    file: Option<durable::File>,
    kept: bool,
}

impl TmpFile {
    pub(super) fn create(maildir: Arc<Maildir>, name: UniqueName) -> Result<Self, Error> {
        let file = maildir.tmp.create(name.as_os_str());
        let file = file.map_err(|source| maildir.write_error(&maildir.tmp, source))?;
        Ok(Self {
            maildir,
            name,
            file: Some(file),
            kept: false,
        })
    }

    fn path(&self) -> PathBuf {
        self.maildir.tmp.path().join(self.name.as_os_str())
    }

    fn leave_reserve(&self) -> io::Result<()> {
        if self.maildir.tmp.available()? < RESERVE {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl Drop for TmpFile {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is removed by the next run, which finds no intent for it.
            let _ = self.maildir.tmp.remove(self.name.as_os_str());
        }
    }
}

/// A message whose body is arriving.
pub struct Incoming {
    message: Message,
    tmp: TmpFile,
    hasher: Hasher,
    /// The line ends as they are stored; kept for its allocation.
    converted: Vec<u8>,
    /// The last octet was a CR that may turn out to belong to a CRLF.
    after_cr: bool,
    octets: u64,
    header: Option<Vec<u8>>,
}

impl Incoming {
    pub(super) fn new(message: Message, tmp: TmpFile, keep_header: bool) -> Self {
        Self {
            message,
            tmp,
            hasher: Hasher::default(),
            converted: Vec::new(),
            after_cr: false,
            octets: 0,
            header: keep_header.then(Vec::new),
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
    /// that were listed.
    pub fn finish(mut self, size: Size) -> Result<Complete, Error> {
        if std::mem::take(&mut self.after_cr) {
            self.store(b"\r")?;
        }
        let mut examined = self.hasher.finish();
        examined.evidence.size = size;
        Ok(Complete {
            message: self.message,
            tmp: self.tmp,
            examined,
            header: self.header.unwrap_or_default(),
            is_orderly: true,
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
        let written = match &mut self.tmp.file {
            Some(file) => file.append(octets),
            None => Err(io::ErrorKind::InvalidInput.into()),
        };
        let left = match self.octets / LOOK_EVERY > looks {
            true => written.and_then(|()| self.tmp.leave_reserve()),
            false => written,
        };
        left.map_err(|source| Error::Write {
            path: self.tmp.path(),
            source,
        })
    }
}

/// A message that has arrived whole; its octets may still be in the system's memory only.
pub struct Complete {
    message: Message,
    tmp: TmpFile,
    examined: Examined,
    header: Vec<u8>,
    is_orderly: bool,
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
        if let Some(file) = &self.tmp.file {
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

    /// Octets as stored.
    pub fn octets(&self) -> u64 {
        self.0.examined.octets
    }

    /// Its name, the same in tmp/ as later in new/.
    pub fn name(&self) -> &UniqueName {
        &self.0.tmp.name
    }

    /// Whether its end was above doubt.
    pub fn is_orderly(&self) -> bool {
        self.0.is_orderly
    }

    /// Its first octets, if they were asked for.
    pub fn header(&self) -> &[u8] {
        &self.0.header
    }

    /// Its intent is about to be written: from here on the journal answers for the file, which
    /// must outlive this value. A crash that found an intent without a file would take the message
    /// for delivered.
    pub fn entrust(&mut self) {
        self.0.tmp.kept = true;
    }

    /// Its intent is certain not to be in the journal: the file goes away with this value again.
    pub fn reclaim(&mut self) {
        self.0.tmp.kept = false;
    }
}

/// Forces messages to the disk, several at a time. One that fails is removed and is not tried
/// again (E9); the others are not affected.
pub fn sync_all(batch: Vec<Complete>) -> (Vec<Synced>, Vec<(Message, io::Error)>) {
    let files = batch
        .iter()
        .filter_map(|complete| complete.tmp.file.as_ref());
    let files: Vec<&durable::File> = files.collect();
    let results = durable::sync_all(&files);
    let (mut synced, mut failed) = (Vec::with_capacity(batch.len()), Vec::new());
    for (mut complete, result) in batch.into_iter().zip(results) {
        complete.tmp.file = None;
        match result {
            Ok(()) => synced.push(Synced(complete)),
            Err(error) => failed.push((complete.message.clone(), error)),
        }
    }
    (synced, failed)
}
