//! The messages of some directories, newest first: their headers, read by several threads.

use super::places::Places;
use crate::maildir::{delivered, flags_of};
use crate::message::{Flags, Glance, HEADER_KEPT};
use crate::threads;
use jiff::Timestamp;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Octets that are read of a message at first: nearly all headers are shorter.
const FIRST: usize = 8 * 1024;

/// A message cannot be much younger than its delivery: a clock may be wrong by a zone.
const AHEAD: i64 = 24 * 60 * 60;

/// Threads that read. The names and headers of mail that was read lately come from memory, which no
/// more than a few processors can be busy with.
const THREADS: usize = 8;

/// A message in a Maildir.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its directory: the place in [`Places::all`].
    pub place: usize,
    /// Its file.
    pub name: OsString,
    /// What its header says.
    pub glance: Glance,
    /// What readers have noted of it.
    pub flags: Flags,
    /// The length of its file.
    pub octets: u64,
    /// When it was written, by its Date field, in seconds since 1970; when it was delivered where that
    /// is missing, makes no sense, or lies later.
    pub time: i64,
}

impl Entry {
    /// Its path.
    pub fn path(&self, places: &Places) -> PathBuf {
        let place = places.all.get(self.place);
        let dir = place.map_or_else(PathBuf::new, |place| place.dir.path().to_owned());
        dir.join(&self.name)
    }

    /// Whether nobody has read it.
    pub fn is_new(&self) -> bool {
        !self.flags.is_seen()
    }
}

/// The messages that were found.
#[derive(Debug, Default)]
pub struct Listing {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// Files that could not be read.
    pub unreadable: Vec<PathBuf>,
    /// Directories that could not be read, or not to their end.
    pub unread: Vec<PathBuf>,
}

/// Reads the headers of all messages that lie in these directories. One that is moved meanwhile may be
/// missing, as it may for every reader.
pub fn list(places: &Places) -> Listing {
    let (mut names, mut unread) = (Vec::new(), Vec::new());
    for (at, place) in places.all.iter().enumerate() {
        let listed = place.dir.for_each_name(|name| {
            // Names that begin with a dot are no messages.
            if !name.as_encoded_bytes().starts_with(b".") {
                names.push((at, name.to_owned()));
            }
        });
        // What lies elsewhere is no worse for it.
        if listed.is_err() {
            unread.push(place.dir.path().to_owned());
        }
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = names.len().div_ceil(threads.clamp(1, THREADS)).max(1);
    let mut works = Vec::new();
    let mut names = names.into_iter().peekable();
    while names.peek().is_some() {
        let some: Vec<_> = names.by_ref().take(share).collect();
        works.push(move || read(places, some));
    }
    let mut listing = Listing {
        unread,
        ..Listing::default()
    };
    for (entries, unreadable) in threads::all(works) {
        listing.entries.extend(entries);
        listing.unreadable.extend(unreadable);
    }
    // Of two of the same second the one that was delivered later is newer.
    listing
        .entries
        .sort_by(|one, other| (other.time, &other.name).cmp(&(one.time, &one.name)));
    listing
}

fn read(places: &Places, names: Vec<(usize, OsString)>) -> (Vec<Entry>, Vec<PathBuf>) {
    let mut header = Vec::with_capacity(FIRST);
    let (mut entries, mut unreadable) = (Vec::with_capacity(names.len()), Vec::new());
    for (place, name) in names {
        match glance(places, place, &name, &mut header) {
            Ok(entry) => entries.push(entry),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => unreadable.extend(places.all.get(place).map(|it| it.dir.path().join(&name))),
        }
    }
    (entries, unreadable)
}

fn glance(places: &Places, place: usize, name: &OsStr, header: &mut Vec<u8>) -> io::Result<Entry> {
    let dir = &places.all.get(place).ok_or(io::ErrorKind::NotFound)?.dir;
    let (mut file, metadata) = dir.read_known(name)?;
    header.clear();
    let first = FIRST as u64;
    (&mut file).take(first).read_to_end(header)?;
    if header.len() == FIRST && !has_end(header) {
        let rest = (HEADER_KEPT - FIRST) as u64;
        file.take(rest).read_to_end(header)?;
    }
    let glance = Glance::parse(header);
    let delivered = delivered(name).unwrap_or_else(|| metadata.mtime());
    let written = glance.heading.date.as_ref();
    let written = written.and_then(|date| date.parse::<Timestamp>().ok());
    let written = written.map(|date| date.as_second());
    Ok(Entry {
        place,
        flags: flags_of(name),
        name: name.to_owned(),
        octets: metadata.len(),
        time: written
            .filter(|time| *time <= delivered.saturating_add(AHEAD))
            .unwrap_or(delivered),
        glance,
    })
}

/// Whether the empty line behind a header is there.
fn has_end(header: &[u8]) -> bool {
    memchr::memmem::find(header, b"\n\n").is_some()
        || memchr::memmem::find(header, b"\n\r\n").is_some()
}
