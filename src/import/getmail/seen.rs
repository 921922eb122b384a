//! What getmail has fetched: a file of unique-ids an account, and of IMAP one a folder.

use super::mailboxes::Mailboxes;
use super::{Account, TOOL};
use crate::imap::{Scope, to_utf7};
use crate::import::files;
use crate::import::model::Draft;
use crate::import::{Error, Wanted};
use crate::state::Name;
use std::path::{Path, PathBuf};

/// A file of unique-ids, and what it is of.
struct Oldmail {
    /// Which of the accounts it is for.
    account: usize,
    /// The folder of an account of IMAP.
    folder: Option<String>,
    path: PathBuf,
}

/// Finds what was fetched of the accounts that are meant.
pub(super) fn take(
    drafts: &mut [Draft],
    accounts: &[Account],
    directory: &Path,
    wanted: Wanted<'_>,
) -> Result<(), Error> {
    let is_meant = |at: &usize| drafts.get(*at).is_some_and(|draft| wanted.means(draft));
    let of = |at: usize, directory: &Path| match accounts.get(at) {
        Some(account) => account.files(at, directory),
        None => Ok(Files::default()),
    };
    let meant: Vec<usize> = (0..accounts.len()).filter(is_meant).collect();
    let all = |meant: &[usize], directory: &Path| {
        let files = meant.iter().map(|at| of(*at, directory));
        files.collect::<Result<Vec<Files>, Error>>()
    };
    let files = match wanted.seen {
        None => all(&meant, directory)?,
        Some(copy) if copy.is_dir() => all(&meant, copy)?,
        Some(file) => {
            let everything: Vec<usize> = (0..accounts.len()).collect();
            let known = all(&everything, file.parent().unwrap_or(Path::new("/")))?;
            vec![whose(file, known, &meant, drafts, accounts)?]
        }
    };
    let mut any = false;
    let mut looked = Vec::new();
    for files in files {
        let Some(draft) = drafts.get_mut(files.account) else {
            continue;
        };
        if accounts
            .get(files.account)
            .is_some_and(Account::has_no_unique_ids)
        {
            draft.differs.push(
                "what getmail has fetched is not known: it numbered messages, and numbers change"
                    .into(),
            );
            draft.left = false;
        }
        if !files.doubtful.is_empty() {
            let words: Vec<String> = files
                .doubtful
                .iter()
                .map(|it| it.replace('.', "/"))
                .collect();
            draft.differs.push(format!(
                "what getmail has fetched of {} is not known here, as its file may be that of a folder with another \
                 character for the dot: `exclude` leaves out {}, so that none of it comes twice, unless the server \
                 has another name for it. Name the folders in `mailboxes` in place of ALL before you import; or take \
                 them out of `exclude`, and all of it is fetched once more",
                files.doubtful.join(", "),
                words.join(", ")
            ));
            draft.held.extend(words);
            draft.left = false;
        }
        for file in files.known {
            any |= take_one(draft, &file)?;
            looked.push(file.path);
        }
    }
    match wanted.seen {
        Some(copy) if !any && copy.is_dir() => Err(Error::NoneThere {
            path: copy.to_owned(),
            looked,
            tool: TOOL,
        }),
        _ => Ok(()),
    }
}

/// Takes what a file says; `false` where there is none.
fn take_one(draft: &mut Draft, file: &Oldmail) -> Result<bool, Error> {
    let path = &file.path;
    let Some(octets) = files::seen(TOOL, path)? else {
        return Ok(false);
    };
    let read = match &file.folder {
        Some(folder) => names(path, &octets, |name| of_folder(folder, name))?,
        None => {
            // Two of these are of a mailbox of IMAP.
            let is_pops = |name: &Name| name.unique_id.iter().filter(|it| **it == b'/').count() < 2;
            names(path, &octets, |name| Some(Some(name).filter(is_pops)))?
        }
    };
    draft.names.extend(read);
    draft.note_seen_file(path);
    Ok(true)
}

/// The account, and its folder, that a given file is of: by its name, which is getmail's, or since there is no other.
fn whose(
    file: &Path,
    known: Vec<Files>,
    meant: &[usize],
    drafts: &[Draft],
    accounts: &[Account],
) -> Result<Files, Error> {
    let another = |whose: String| Error::Another {
        path: file.to_owned(),
        whose,
        tool: TOOL,
    };
    let name = file.file_name().unwrap_or_default();
    let is_called = |it: &Oldmail| it.path.file_name() == Some(name);
    let is_told = known.iter().flat_map(|it| &it.known).any(is_called);
    let are_all = known
        .iter()
        .any(|it| it.are_all && meant.contains(&it.account));
    let mut known: Vec<Oldmail> = known.into_iter().flat_map(|it| it.known).collect();
    known.retain(|it| !is_told || is_called(it));
    let stranger = known.first().and_then(|it| drafts.get(it.account));
    let stranger = stranger.map(|draft| format!("`{}`", draft.name));
    known.retain(|it| meant.contains(&it.account));
    if let (true, Some(stranger), true) = (is_told, stranger, known.is_empty()) {
        return Err(another(stranger));
    }
    Error::check_whose(
        TOOL,
        file,
        match is_told {
            true => known
                .iter()
                .filter_map(|it| drafts.get(it.account))
                .collect::<Vec<_>>(),
            false => meant.iter().filter_map(|at| drafts.get(*at)).collect(),
        }
        .into_iter(),
    )?;
    let first = meant.first().and_then(|at| drafts.get(*at));
    let is_alone = known.len() == 1 && (is_told || !are_all);
    match known.pop() {
        // It numbered messages.
        None if !are_all => Ok(Files {
            account: meant.first().copied().unwrap_or_default(),
            ..Files::default()
        }),
        Some(it) if is_alone => {
            let account = accounts.get(it.account);
            let of_other = account.and_then(|account| account.other_folder(&it, name.to_str()?));
            match of_other.filter(|_| !is_told) {
                Some(folder) => Err(another(folder)),
                None => Ok(Files {
                    account: it.account,
                    known: vec![Oldmail {
                        path: file.to_owned(),
                        ..it
                    }],
                    ..Files::default()
                }),
            }
        }
        _ => Err(Error::WhichFolder {
            path: file.to_owned(),
            account: first.map(|draft| draft.name.clone()).unwrap_or_default(),
            tool: TOOL,
        }),
    }
}

/// The files of an account.
#[derive(Default)]
struct Files {
    account: usize,
    known: Vec<Oldmail>,
    /// Folders whose files do not say their names.
    doubtful: Vec<String>,
    /// All folders of the server are meant.
    are_all: bool,
}

impl Account {
    /// What the names of its files begin with.
    fn oldmail(&self) -> String {
        let port = match self.get("retriever", "port") {
            Some(port) => port.to_owned(),
            None => self.usual_port().to_string(),
        };
        let server = self.get("retriever", "server").unwrap_or_default();
        let user = self.get("retriever", "username").unwrap_or_default();
        cleaned(&format!("oldmail-{server}-{port}-{user}"), '-')
    }

    /// The files that it has, or may have, in a directory.
    fn files(&self, account: usize, directory: &Path) -> Result<Files, Error> {
        let mut files = Files {
            account,
            ..Files::default()
        };
        if self.has_no_unique_ids() {
            return Ok(files);
        }
        let start = self.oldmail();
        if !self.is_imap() {
            files.known.push(Oldmail {
                account,
                folder: None,
                path: directory.join(start),
            });
            return Ok(files);
        }
        let folders: Vec<(String, PathBuf)> = match self.mailboxes()? {
            Mailboxes::Named(mailboxes) => {
                let files = mailboxes.into_iter().map(|mailbox| {
                    let name = format!("{start}-{}", cleaned(&mailbox, '.'));
                    (mailbox, directory.join(name))
                });
                files.collect()
            }
            Mailboxes::All => {
                files.are_all = true;
                let paths = files::names(directory).into_iter();
                let paths = paths.map(|name| directory.join(name)).collect();
                let (known, doubtful) = folders_of(&format!("{start}-"), paths);
                files.doubtful = doubtful;
                known
            }
        };
        let known = folders.into_iter().map(|(folder, path)| Oldmail {
            account,
            folder: Some(folder),
            path,
        });
        files.known = known.collect();
        Ok(files)
    }

    /// The other folder that a file is of by its name, of whichever server.
    fn other_folder(&self, it: &Oldmail, name: &str) -> Option<String> {
        let user = self.get("retriever", "username").unwrap_or_default();
        let user = format!("-{}-", cleaned(user, '-'));
        let (_, folder) = name.strip_prefix("oldmail-")?.split_once(&user)?;
        let own = cleaned(it.folder.as_deref()?, '.');
        (folder != own).then(|| format!("the folder {folder}"))
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

/// A message of IMAP as popfetch calls it: getmail writes UIDVALIDITY and UID, in files of before 4.22 with the
/// folder between them. `None` where it is neither; nothing within it where it is of another folder than this one.
fn of_folder(folder: &str, name: Name) -> Option<Option<Name>> {
    let text = std::str::from_utf8(&name.unique_id).ok()?;
    let (uid_validity, rest) = text.split_once('/')?;
    let (said, uid) = rest.rsplit_once('/').unwrap_or((folder, rest));
    let (uid_validity, uid) = (uid_validity.parse().ok()?, uid.parse::<u32>().ok()?);
    let as_sent = |folder: &str| match folder.eq_ignore_ascii_case("INBOX") {
        true => "INBOX".to_owned(),
        false => to_utf7(folder),
    };
    let mailbox = as_sent(folder);
    if ![as_sent(said).as_str(), said].contains(&mailbox.as_str()) {
        return Some(None);
    }
    let unique_id = Scope::new(&mailbox, uid_validity).unique_id(uid);
    Some(Some(Name {
        unique_id: unique_id.into_bytes().into(),
        ..name
    }))
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
    as_here: impl Fn(Name) -> Option<Option<Name>>,
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
        let what = "this is no UIDVALIDITY and UID of getmail's";
        names.extend(name.ok_or_else(|| wrong(number, what))?);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_ids_and_times_are_read_and_what_is_not_getmails_is_told_with_its_line() {
        let path = Path::new("f");
        let read = names(path, b"U-1\x001795395922\n\nb\xff\x000\n", |it| {
            Some(Some(it))
        })
        .unwrap();
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
            let error = names(path, text, |it| Some(Some(it))).unwrap_err();
            assert!(
                matches!(error, Error::Seen { line: at, .. } if at == line),
                "{error}"
            );
        }
    }

    #[test]
    fn file_names_are_made_as_getmail_does() {
        assert_eq!(cleaned("oldmail-h-995-a:/b<c", '-'), "oldmail-h-995-a-b-c");
        assert_eq!(cleaned("Archive/2026", '.'), "Archive.2026");
    }

    #[test]
    fn a_uid_is_named_as_the_server_will_list_it() {
        let named = |text: &str| {
            let name = Name {
                unique_id: text.as_bytes().into(),
                first_seen: Some(7),
            };
            let name = of_folder("INBOX", name)?;
            let text = name.map(|it| String::from_utf8(it.unique_id.to_vec()).unwrap());
            Some(text.unwrap_or_default())
        };
        assert_eq!(
            named("1700000000/42").as_deref(),
            Some("INBOX/1700000000/42")
        );
        assert_eq!(named("7/INBOX/42").as_deref(), Some("INBOX/7/42"));
        assert_eq!(named("7/Archive/42").as_deref(), Some(""));
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
                names(Path::new("f"), damaged, |name| of_folder("INBOX", name)).unwrap_err();
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
