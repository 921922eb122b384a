//! What a tool has stored in Maildirs without keeping a list of it: it is known again by what is in it.

use super::Error;
use crate::maildir::{Folders, UniqueName, base_of};
use crate::message::{Examined, Hasher};
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Messages that are looked at: a larger archive is not what a fetcher delivers into.
const MOST: usize = 1_000_000;

/// Readers that rename a file while its directory is read are followed so often.
const ROUNDS: usize = 5;

/// A header longer than this is taken as it is.
const HEADER_LIMIT: usize = 256 * 1024;

/// Where a tool has stored what it has fetched, and how many messages that were when it was looked at.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The Maildirs.
    pub maildirs: Vec<PathBuf>,
    /// In them and their folders, without those that popfetch has stored.
    pub messages: u64,
    added: Option<Added>,
}

/// Whether a field is one that the tool has added.
pub(super) type Added = fn(&[u8]) -> bool;

impl Kept {
    /// What is in these Maildirs, once it is looked for. `added`: whether a Received field is one that the
    /// tool puts before the others.
    pub(super) fn new(maildirs: Vec<PathBuf>, added: Added) -> Self {
        Self {
            maildirs,
            messages: 0,
            added: Some(added),
        }
    }

    /// Counts the messages, of those Maildirs that are there.
    pub(super) fn look(&mut self) -> Result<(), Error> {
        let mut known = HashSet::new();
        self.maildirs
            .retain(|path| path.join("cur").is_dir() && known.insert(path.clone()));
        for directory in self.directories() {
            self.messages += names(&directory)?.len() as u64;
        }
        Ok(())
    }

    /// Reads all of them.
    pub fn read(&self) -> Result<Vec<Examined>, Error> {
        let mut read = Vec::new();
        let mut done: HashSet<OsString> = HashSet::new();
        let directories = self.directories();
        for _ in 0..ROUNDS {
            let mut is_whole = true;
            for directory in &directories {
                for name in names(directory)? {
                    let base = base_of(&name);
                    if done.contains(base) || read.len() == MOST {
                        continue;
                    }
                    match examine(&directory.join(&name), self.added) {
                        Ok(examined) => read.push(examined),
                        // A reader has renamed it just now, or moved it from new/ to cur/.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {
                            is_whole = false;
                            continue;
                        }
                        Err(source) => {
                            let path = directory.join(&name);
                            return Err(Error::Read { path, source });
                        }
                    }
                    done.insert(base.to_owned());
                }
            }
            if is_whole {
                break;
            }
        }
        Ok(read)
    }

    /// Those that have messages. What lies within another Maildir is looked at once.
    fn directories(&self) -> Vec<PathBuf> {
        let mut directories: Vec<PathBuf> = Vec::new();
        let mut known = HashSet::new();
        for root in &self.maildirs {
            let folders = Folders::default().below(root);
            for maildir in std::iter::once(root.clone()).chain(folders) {
                for part in ["new", "cur"] {
                    let directory = maildir.join(part);
                    if directory.is_dir() && known.insert(directory.clone()) {
                        directories.push(directory);
                    }
                }
            }
        }
        directories
    }
}

/// The messages in one of a Maildir's directories, without those that popfetch has stored: these have
/// names in its own state.
fn names(directory: &Path) -> Result<Vec<OsString>, Error> {
    let wrong = |source| Error::Read {
        path: directory.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(wrong)?.take(MOST) {
        let entry = entry.map_err(wrong)?;
        let name = entry.file_name();
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && !is_hidden && UniqueName::parse(&name).is_none() {
            names.push(name);
        }
    }
    Ok(names)
}

/// What a file tells of its message as the server has it: without the line that the tool `added`.
fn examine(path: &Path, added: Option<Added>) -> io::Result<Examined> {
    let mut file = BufReader::new(File::open(path)?);
    let mut header = Vec::new();
    let mut begin = 0;
    while header.get(begin..) != Some(b"\n".as_slice()) && header.len() < HEADER_LIMIT {
        begin = header.len();
        let left = (HEADER_LIMIT - begin) as u64;
        if file.by_ref().take(left).read_until(b'\n', &mut header)? == 0 {
            break;
        }
    }
    let mut hasher = Hasher::default();
    let (before, behind) = added
        .and_then(|added| around(&header, added))
        .unwrap_or((&header, &[]));
    hasher.update(before);
    hasher.update(behind);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

/// What stands before and behind the first Received field of a header, if it is the tool's.
fn around(header: &[u8], added: Added) -> Option<(&[u8], &[u8])> {
    let mut begin = 0;
    let mut field: Option<usize> = None;
    for line in header.split_inclusive(|octet| *octet == b'\n') {
        let is_folded = matches!(line.first(), Some(b' ' | b'\t'));
        match field {
            Some(_) if is_folded => {}
            Some(start) => {
                let (before, rest) = header.split_at_checked(start)?;
                let (own, behind) = rest.split_at_checked(begin - start)?;
                return added(own).then_some((before, behind));
            }
            None => {
                const NAME: &[u8] = b"received:";
                let name = line.get(..NAME.len());
                let is_it = name.is_some_and(|name| name.eq_ignore_ascii_case(NAME));
                field = is_it.then_some(begin);
            }
        }
        begin += line.len();
    }
    let (before, own) = header.split_at_checked(field?)?;
    added(own).then_some((before, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::examine as of;

    fn is_fdms(field: &[u8]) -> bool {
        field.windows(5).any(|part| part == b"(fdm ")
    }

    #[test]
    fn the_line_that_a_tool_added_is_left_out_and_no_other() {
        let plain =
            "Return-Path: <a@b>\nReceived: from a by b;\n\tMon\nreceived: x\nSubject: y\n\nbody\n";
        let own = "Received: by h (fdm 1.9, account \"a\");\n\tFri, 27 Nov 2026 03:00:00 +0000\n";
        let with = plain.replacen("Received:", &format!("{own}Received:"), 1);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("m");
        for (text, same) in [
            (plain.to_owned(), true),
            (with.clone(), true),
            // It is not the first: somebody else's.
            (
                with.replacen("Received:", "Received: z\nReceived:", 1),
                false,
            ),
            (with.replace("body", "other"), false),
        ] {
            fs::write(&path, &text).unwrap();
            let examined = examine(&path, Some(is_fdms)).unwrap();
            assert_eq!(examined == of(plain.as_bytes()).unwrap(), same, "{text}");
        }
        for text in [
            "",
            "Received: x",
            "no header",
            "\n\nReceived: by (fdm 1\n",
            own,
        ] {
            fs::write(&path, text).unwrap();
            let expected = if text == own { "" } else { text };
            assert_eq!(
                examine(&path, Some(is_fdms)).unwrap(),
                of(expected.as_bytes()).unwrap(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn messages_are_found_in_folders_too_and_those_of_popfetch_are_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("Mail");
        for part in ["new", "cur", "tmp", ".Old/cur", ".Old/new"] {
            fs::create_dir_all(root.join(part)).unwrap();
        }
        let ours = format!("new/1.M2P3Q4X{}_pf{}.host", "0".repeat(16), "0".repeat(42));
        for name in [
            "new/1.a",
            "cur/2.a:2,S",
            ".Old/cur/3.a:2,",
            "tmp/4.a",
            "cur/.x",
            &ours,
        ] {
            fs::write(root.join(name), name).unwrap();
        }
        let maildirs = vec![root.clone(), root, directory.path().join("no")];
        let mut kept = Kept::new(maildirs, is_fdms);
        kept.look().unwrap();
        assert_eq!((kept.maildirs.len(), kept.messages), (1, 3));
        assert_eq!(kept.read().unwrap().len(), 3);
    }
}
