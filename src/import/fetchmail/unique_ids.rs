//! The file of unique-ids: `USER@HOST UNIQUE-ID`, one line a message of any account.

use super::TOOL;
use crate::import::Error;
use crate::import::files;
use crate::state::Name;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The unique-ids of all accounts.
pub(super) struct UniqueIds {
    pub(super) path: PathBuf,
    /// By user and host in lower case: fetchmail does not tell `Jane` from `jane`.
    by_account: BTreeMap<(String, String), Vec<Name>>,
}

impl UniqueIds {
    /// Reads the first of these files that is there.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Option<Self>, Error> {
        for path in paths {
            if let Some(octets) = files::seen(TOOL, path)? {
                return Ok(Some(Self {
                    path: path.clone(),
                    by_account: parse(path, &octets)?,
                }));
            }
        }
        Ok(None)
    }

    pub(super) fn of(&self, user: &str, host: &str) -> Vec<Name> {
        let key = (user.to_lowercase(), host.to_lowercase());
        self.by_account.get(&key).cloned().unwrap_or_default()
    }
}

fn parse(path: &Path, octets: &[u8]) -> Result<BTreeMap<(String, String), Vec<Name>>, Error> {
    let wrong = |line: usize, what: &str| Error::seen(TOOL, path, line, what);
    let mut by_account: BTreeMap<_, Vec<Name>> = BTreeMap::new();
    let body = files::whole_lines(TOOL, path, octets)?;
    for (number, line) in (1..).zip(body.split(|octet| *octet == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let what = "this is no user, host and unique-id of fetchmail's";
        let (account, unique_id) = split(line).ok_or_else(|| wrong(number, what))?;
        by_account.entry(account).or_default().push(Name {
            unique_id: unique_id.into(),
            first_seen: None,
        });
    }
    Ok(by_account)
}

/// A user may have blanks and `@` in it, and a unique-id `@`.
fn split(line: &[u8]) -> Option<((String, String), &[u8])> {
    let blank = |octet: &u8| matches!(octet, b' ' | b'\t');
    let at = line.iter().position(|octet| *octet == b'@')?;
    let end = at + line.get(at..)?.iter().position(blank)?;
    let (account, rest) = (line.get(..end)?, line.get(end..)?.trim_ascii());
    let unique_id = rest.split(blank).next().filter(|id| !id.is_empty())?;
    // A control character is in no name of a user or host, and neither is one of a binary file.
    let account = std::str::from_utf8(account).ok()?;
    let (user, host) = account.rsplit_once('@')?;
    let odd = |text: &str| text.is_empty() || text.chars().any(char::is_control);
    if odd(user) || odd(host) {
        return None;
    }
    Some(((user.to_lowercase(), host.to_lowercase()), unique_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart_as_fetchmail_does() {
        let path = Path::new("f");
        let text = b"jane@pop.example.net U1\n Jane Doe@Pop.example.NET  a@b c\n\nu@x@127.0.0.1 \
                     \xff/2\njane@pop.example.net U1@h\n";
        let ids = UniqueIds {
            path: path.to_owned(),
            by_account: parse(path, text).unwrap(),
        };
        let of = |user: &str, host: &str| {
            let names = ids.of(user, host).into_iter();
            names
                .map(|name| name.unique_id.to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("JANE", "pop.Example.net"), [&b"U1"[..], b"U1@h"]);
        assert_eq!(of("jane doe", "pop.example.net"), [b"a@b"]);
        assert_eq!(of("u@x", "127.0.0.1"), [b"\xff/2"]);
        for (text, line) in [
            (&b"jane@h U1\nrubbish\n"[..], 2),
            (b"jane@h\n", 1),
            (b"jane@h U1", 1),
            (b"a\0@h U1\n", 1),
            (b"@h U1\n", 1),
            (b"\xff@h U1\n", 1),
        ] {
            let error = parse(path, text).err().unwrap();
            assert!(
                matches!(error, Error::Seen { line: at, .. } if at == line),
                "{error}"
            );
        }
    }
}
