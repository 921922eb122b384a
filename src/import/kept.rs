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
    /// There are more than are looked at.
    pub has_more: bool,
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
            has_more: false,
            added: Some(added),
        }
    }

    /// Counts those of another account of the same mailbox in.
    pub(super) fn unite(&mut self, other: &Self) -> Result<(), Error> {
        let more = other.maildirs.iter();
        let more: Vec<_> = more
            .filter(|it| !self.maildirs.contains(it))
            .cloned()
            .collect();
        self.added = self.added.or(other.added);
        match more.is_empty() {
            true => Ok(()),
            false => {
                self.maildirs.extend(more);
                self.look()
            }
        }
    }

    /// Counts the messages, of those Maildirs that are there.
    pub(super) fn look(&mut self) -> Result<(), Error> {
        let mut known = HashSet::new();
        self.maildirs
            .retain(|path| path.join("cur").is_dir() && known.insert(path.clone()));
        self.count(MOST)
    }

    fn count(&mut self, most: usize) -> Result<(), Error> {
        let mut messages = 0;
        for (_, directory) in self.directories() {
            messages += names(&directory, most)?.len();
        }
        self.has_more = messages > most;
        self.messages = messages.min(most) as u64;
        Ok(())
    }

    /// Reads all of them, but no more than were counted at most.
    ///
    /// # Errors
    /// One cannot be read; or they are renamed faster than they are read, so that some were missed.
    pub fn read(&self) -> Result<Vec<Examined>, Error> {
        self.read_with(MOST, |path, added| examine(path, added))
    }

    fn read_with(
        &self,
        most: usize,
        examine: impl Fn(&Path, Option<Added>) -> io::Result<Examined>,
    ) -> Result<Vec<Examined>, Error> {
        let mut read = Vec::new();
        // In another Maildir a file of the same name is another message.
        let mut done: HashSet<(usize, OsString)> = HashSet::new();
        let directories = self.directories();
        let mut restless = None;
        for _ in 0..ROUNDS {
            restless = None;
            for (maildir, directory) in &directories {
                for name in names(directory, most)? {
                    let key = (*maildir, base_of(&name).to_owned());
                    if done.contains(&key) || read.len() == most {
                        continue;
                    }
                    match examine(&directory.join(&name), self.added) {
                        Ok(examined) => read.push(examined),
                        // A reader has renamed it just now, or moved it from new/ to cur/.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {
                            restless = Some(directory);
                            continue;
                        }
                        Err(source) => {
                            let path = directory.join(&name);
                            return Err(Error::Read { path, source });
                        }
                    }
                    done.insert(key);
                }
            }
            if restless.is_none() {
                break;
            }
        }
        match restless {
            Some(directory) => Err(Error::Restless {
                path: directory.clone(),
            }),
            None => Ok(read),
        }
    }

    /// Those that have messages, each with the number of its Maildir. What lies within another Maildir is looked at
    /// once.
    fn directories(&self) -> Vec<(usize, PathBuf)> {
        let mut directories: Vec<(usize, PathBuf)> = Vec::new();
        let mut number = 0;
        let mut known = HashSet::new();
        for root in &self.maildirs {
            let folders = Folders::default().below(root);
            for maildir in std::iter::once(root.clone()).chain(folders) {
                number += 1;
                for part in ["new", "cur"] {
                    let directory = maildir.join(part);
                    if directory.is_dir() && known.insert(directory.clone()) {
                        directories.push((number, directory));
                    }
                }
            }
        }
        directories
    }
}

/// The messages in one of a Maildir's directories, without those that popfetch has stored: these have
/// names in its own state.
fn names(directory: &Path, most: usize) -> Result<Vec<OsString>, Error> {
    let wrong = |source| Error::Read {
        path: directory.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)
        .map_err(wrong)?
        .take(most.saturating_add(1))
    {
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

    /// Two Maildirs with a message of the same name in each.
    fn two() -> (tempfile::TempDir, Kept) {
        let directory = tempfile::tempdir().unwrap();
        let maildirs = ["a", "b"].map(|name| directory.path().join(name));
        for (number, maildir) in maildirs.iter().enumerate() {
            for part in ["new", "cur", "tmp", ".Old/cur"] {
                fs::create_dir_all(maildir.join(part)).unwrap();
            }
            for name in ["new/1.a", ".Old/cur/1.a:2,S"] {
                fs::write(maildir.join(name), format!("{number} {name}")).unwrap();
            }
        }
        (directory, Kept::new(maildirs.to_vec(), is_fdms))
    }

    #[test]
    fn a_message_of_the_same_name_in_another_maildir_or_folder_is_another_message() {
        let (_directory, mut kept) = two();
        kept.look().unwrap();
        assert_eq!(kept.messages, 4);
        let read = kept.read().unwrap();
        let contents: HashSet<_> = read.iter().map(|it| it.digests.content).collect();
        assert_eq!((read.len(), contents.len()), (4, 4));
    }

    #[test]
    fn files_that_are_renamed_for_ever_are_told_and_more_than_are_looked_at_too() {
        let (_directory, mut kept) = two();
        let gone = |_: &Path, _| Err(io::ErrorKind::NotFound.into());
        let error = kept.read_with(MOST, gone).unwrap_err();
        assert!(matches!(error, Error::Restless { .. }), "{error}");
        for (most, messages, has_more) in [(3, 3, true), (4, 4, false), (5, 4, false)] {
            kept.count(most).unwrap();
            assert_eq!((kept.messages, kept.has_more), (messages, has_more));
            assert_eq!(
                kept.read_with(most, examine).unwrap().len() as u64,
                messages
            );
        }
    }
}
