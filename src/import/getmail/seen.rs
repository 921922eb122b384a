//! What getmail has fetched: a file of unique-ids an account, and of IMAP one a folder.

use super::mailboxes::Mailboxes;
use super::{Account, TOOL};
use crate::imap::{Scope, to_utf7};
use crate::import::Error;
use crate::import::files;
use crate::import::model::Draft;
use crate::state::Name;
use std::path::{Path, PathBuf};

impl Account {
    pub(super) fn take_seen(
        &self,
        draft: &mut Draft,
        directory: &Path,
        given: Option<&Path>,
    ) -> Result<(), Error> {
        if self.has_no_unique_ids() {
            draft.differs.push(
                "what getmail has fetched is not known: it numbered messages, and numbers change"
                    .into(),
            );
            draft.left = false;
            return Ok(());
        }
        let port = match self.get("retriever", "port") {
            Some(port) => port.to_owned(),
            None => self.usual_port().to_string(),
        };
        let server = self.get("retriever", "server").unwrap_or_default();
        let user = self.get("retriever", "username").unwrap_or_default();
        let file = oldmail(&format!("oldmail-{server}-{port}-{user}"));
        let of_folders = format!("{file}-");
        if !self.is_imap() {
            let path = given.map_or_else(|| directory.join(file), Path::to_owned);
            if let Some(octets) = files::seen(TOOL, &path)? {
                // Two of these are of a mailbox of IMAP.
                let is_pops =
                    |name: &Name| name.unique_id.iter().filter(|it| **it == b'/').count() < 2;
                draft.names = names(&path, &octets, Some)?;
                draft.names.retain(is_pops);
                draft.seen_file = Some(path);
            }
            return Ok(());
        }
        let given = given.map(Path::to_owned);
        let files: Vec<(String, PathBuf)> = match (self.mailboxes()?, given) {
            (Mailboxes::Named(mailboxes), given) => {
                let files = mailboxes.into_iter().map(|mailbox| {
                    let own = directory.join(format!("{of_folders}{}", cleaned(&mailbox, '.')));
                    (mailbox, given.clone().unwrap_or(own))
                });
                files.collect()
            }
            (Mailboxes::All, given) => {
                let paths = match given {
                    Some(path) => vec![path],
                    None => files::names(directory)
                        .into_iter()
                        .map(|name| directory.join(name))
                        .collect(),
                };
                let (known, doubtful) = folders_of(&of_folders, paths);
                if !doubtful.is_empty() {
                    draft.differs.push(format!(
                        "what getmail has fetched of {} is not taken over, and comes again: its file may be that of \
                         a folder with another character for the dot. Name the folders in `mailboxes` in place of \
                         ALL, and import again",
                        doubtful.join(", ")
                    ));
                    draft.left = false;
                }
                known
            }
        };
        for (mailbox, path) in files {
            if let Some(octets) = files::seen(TOOL, &path)? {
                let of_mailbox = |name| of_mailbox(&mailbox, name);
                draft.names.extend(names(&path, &octets, of_mailbox)?);
                draft.seen_file.get_or_insert(path);
            }
        }
        Ok(())
    }

    /// Where getmail connects to if it is told no port.
    fn usual_port(&self) -> u16 {
        match (self.is_imap(), self.is_tls()) {
            (false, true) => 995,
            (false, false) => 110,
            (true, true) => 993,
            (true, false) => 143,
        }
    }

    /// Where there is TLS.
    pub(super) fn tls_port(&self) -> u16 {
        if self.is_imap() { 993 } else { 995 }
    }
}

/// The folders whose files these are, and those of which their files do not say what they are called: other
/// characters become dots in it.
fn folders_of(start: &str, paths: Vec<PathBuf>) -> (Vec<(String, PathBuf)>, Vec<String>) {
    let mut known = Vec::new();
    let mut doubtful = Vec::new();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(folder) = name.and_then(|name| name.strip_prefix(start)) else {
            continue;
        };
        match folder.contains('.') {
            true => doubtful.push(folder.to_owned()),
            false => known.push((folder.to_owned(), path)),
        }
    }
    (known, doubtful)
}

/// A message of IMAP as popfetch calls it: getmail writes UIDVALIDITY and UID, in old files with the folder
/// between them.
fn of_mailbox(mailbox: &str, name: Name) -> Option<Name> {
    let text = std::str::from_utf8(&name.unique_id).ok()?;
    let (uid_validity, rest) = text.split_once('/')?;
    let (_, uid) = rest.rsplit_once('/').unwrap_or(("", rest));
    let mailbox = match mailbox.eq_ignore_ascii_case("INBOX") {
        true => "INBOX",
        false => &to_utf7(mailbox),
    };
    let unique_id =
        Scope::new(mailbox, uid_validity.parse().ok()?).unique_id(uid.parse::<u32>().ok()?);
    Some(Name {
        unique_id: unique_id.into_bytes().into(),
        ..name
    })
}

/// The name of a file of unique-ids.
fn oldmail(name: &str) -> String {
    cleaned(name, '-')
}

/// Each run of what file names may not have becomes `instead`.
fn cleaned(name: &str, instead: char) -> String {
    let mut file = String::new();
    let mut before = false;
    for c in name.chars() {
        let strange = "/:;<>|".contains(c);
        match (strange, before) {
            (true, true) => {}
            (true, false) => file.push(instead),
            (false, _) => file.push(c),
        }
        before = strange;
    }
    file
}

/// A line a message: its unique-id, NUL, and when it was first fetched.
fn names(
    path: &Path,
    octets: &[u8],
    as_here: impl Fn(Name) -> Option<Name>,
) -> Result<Vec<Name>, Error> {
    let wrong = |line: usize, what: &str| Error::seen(TOOL, path, line, what);
    let body = files::whole_lines(TOOL, path, octets)?;
    let mut names = Vec::new();
    for (number, line) in (1..).zip(body.split(|octet| *octet == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let split = line.iter().position(|octet| *octet == 0);
        let name = split.and_then(|at| {
            let (unique_id, time) = (line.get(..at)?, line.get(at + 1..)?);
            let time: i64 = std::str::from_utf8(time).ok()?.parse().ok()?;
            (!unique_id.is_empty()).then_some((unique_id, time))
        });
        let Some((unique_id, time)) = name else {
            return Err(wrong(number, "this is no unique-id and time of getmail's"));
        };
        let name = as_here(Name {
            unique_id: unique_id.into(),
            first_seen: Some(time),
        });
        names.push(
            name.ok_or_else(|| wrong(number, "this is no UIDVALIDITY and UID of getmail's"))?,
        );
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_ids_and_times_are_read_and_what_is_not_getmails_is_told_with_its_line() {
        let path = Path::new("f");
        let read = names(path, b"U-1\x001795395922\n\nb\xff\x000\n", Some).unwrap();
        let ids: Vec<&[u8]> = read.iter().map(|name| &*name.unique_id).collect();
        assert_eq!(ids, [&b"U-1"[..], b"b\xff"]);
        assert_eq!(read[0].first_seen, Some(1_795_395_922));
        for (text, line) in [
            (&b"U1\x001\nU2\x00"[..], 2),
            (b"U1\x001\nU2\n", 2),
            (b"\x001\n", 1),
            (b"a@b c\n", 1),
            (b"a\x00x\n", 1),
        ] {
            let error = names(path, text, Some).unwrap_err();
            assert!(
                matches!(error, Error::Seen { line: at, .. } if at == line),
                "{error}"
            );
        }
    }

    #[test]
    fn file_names_are_made_as_getmail_does() {
        assert_eq!(oldmail("oldmail-h-995-a:/b<c"), "oldmail-h-995-a-b-c");
        assert_eq!(cleaned("Archive/2026", '.'), "Archive.2026");
    }

    #[test]
    fn a_uid_is_named_as_the_server_will_list_it() {
        let named = |text: &str| {
            let name = Name {
                unique_id: text.as_bytes().into(),
                first_seen: Some(7),
            };
            let name = of_mailbox("INBOX", name)?;
            Some(String::from_utf8(name.unique_id.to_vec()).unwrap())
        };
        assert_eq!(
            named("1700000000/42").as_deref(),
            Some("INBOX/1700000000/42")
        );
        assert_eq!(named("7/INBOX/42").as_deref(), Some("INBOX/7/42"));
        assert_eq!(named("x/42"), None);
        assert_eq!(named("U-1"), None);
    }

    #[test]
    fn a_line_that_is_of_no_folder_is_told() {
        for damaged in [
            &b"7/1\x001\n7x2\x001\n"[..],
            b"7/1\x001\n\xef\xbb\xbf7/2\x001\n",
            b"7/1\x001\nU-1\x001\n",
        ] {
            let error =
                names(Path::new("f"), damaged, |name| of_mailbox("INBOX", name)).unwrap_err();
            assert!(matches!(error, Error::Seen { line: 2, .. }), "{error}");
        }
    }

    #[test]
    fn of_all_folders_those_are_known_whose_files_say_their_names() {
        let paths = [
            "d/oldmail-h-1-u-INBOX",
            "d/oldmail-h-1-u-A.b",
            "d/oldmail-h-1-x-INBOX",
            "d/getmailrc",
        ];
        let (known, doubtful) = folders_of("oldmail-h-1-u-", paths.map(PathBuf::from).to_vec());
        assert_eq!(known, [("INBOX".to_owned(), PathBuf::from(paths[0]))]);
        assert_eq!(doubtful, ["A.b"]);
    }
}
