//! Where tools keep their files, and reading them within limits.

use super::Error;
use crate::named;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A config has some hundred lines; what is larger is another file.
const CONFIG_LIMIT: u64 = 1 << 20;

/// Add-ons of Thunderbird keep what they like in it.
const LARGE_CONFIG_LIMIT: u64 = 32 << 20;

/// A million unique-ids of the longest kind that servers give.
const SEEN_LIMIT: u64 = 128 << 20;

/// What a tool would find around it: homes and variables, and nothing of the disk.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The home directory.
    pub home: PathBuf,
    /// The login name.
    pub user: String,
    /// The environment.
    pub variables: BTreeMap<String, String>,
}

impl Surroundings {
    /// A variable that is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let value = self.variables.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    /// `$XDG_CONFIG_HOME`, or what stands for it.
    pub(super) fn config_home(&self) -> PathBuf {
        match self.variable("XDG_CONFIG_HOME") {
            Some(path) => PathBuf::from(path),
            None => self.home.join(".config"),
        }
    }

    /// A path with a leading `~` as the home directory; a relative one from the home directory.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        match text.strip_prefix('~') {
            Some("") => self.home.clone(),
            Some(rest) if rest.starts_with('/') => self.home.join(rest.trim_start_matches('/')),
            _ => self.home.join(text),
        }
    }

    /// A path as a profile has it: with `~/` where it is in the home directory, and so as short as
    /// its owner would write it.
    pub(super) fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.home) {
            Ok(rest) if !self.home.as_os_str().is_empty() => format!("~/{}", rest.display()),
            _ => path.display().to_string(),
        }
    }

    /// A path of a tool as a profile has it.
    pub(super) fn rewritten(&self, text: &str) -> String {
        let path = self.path(text);
        let shown = self.shown(&path);
        shown.strip_suffix('/').unwrap_or(&shown).to_owned()
    }
}

/// The first of these files that is there.
pub(super) fn first(
    tool: &'static str,
    given: Option<&Path>,
    usual: &[PathBuf],
) -> Result<PathBuf, Error> {
    if let Some(path) = given {
        return Ok(path.to_owned());
    }
    let there = usual.iter().find(|path| path.exists());
    there.cloned().ok_or_else(|| Error::Missing {
        tool,
        looked: usual.to_vec(),
    })
}

/// Reads a config as text.
pub(super) fn config(tool: &'static str, path: &Path) -> Result<Zeroizing<String>, Error> {
    text(tool, path, CONFIG_LIMIT)
}

/// The same, of a tool that keeps all that it remembers in its config.
pub(super) fn large_config(tool: &'static str, path: &Path) -> Result<Zeroizing<String>, Error> {
    text(tool, path, LARGE_CONFIG_LIMIT)
}

/// The same, of a tool whose comments may begin in the middle of a line. What is no UTF-8 is [`NO_TEXT`]: that is for
/// comments alone, as [`check`] holds.
pub(super) fn config_of_words(tool: &'static str, path: &Path) -> Result<Zeroizing<String>, Error> {
    let octets = octets(tool, path, CONFIG_LIMIT)?;
    Ok(Zeroizing::new(
        String::from_utf8_lossy(&octets).into_owned(),
    ))
}

/// Stands for octets that are no UTF-8.
const NO_TEXT: char = char::REPLACEMENT_CHARACTER;

/// Fails where a word holds octets that are no UTF-8: as something else they would be another password, or path.
pub(super) fn check(path: &Path, line: usize, word: &str) -> Result<(), Error> {
    match word.split_once(NO_TEXT) {
        None => Ok(()),
        Some((before, _)) => {
            let line = line + before.matches('\n').count();
            Err(Error::syntax(path, line, "this is no UTF-8 text"))
        }
    }
}

/// Lines that are comments may be in any charset, as they were when the tools were new.
fn text(tool: &'static str, path: &Path, limit: u64) -> Result<Zeroizing<String>, Error> {
    let octets = octets(tool, path, limit)?;
    if let Ok(text) = std::str::from_utf8(&octets) {
        return Ok(Zeroizing::new(text.to_owned()));
    }
    let mut text = Zeroizing::new(String::with_capacity(octets.len() + octets.len() / 2));
    for (number, line) in (1..).zip(octets.split_inclusive(|octet| *octet == b'\n')) {
        match std::str::from_utf8(line) {
            Ok(line) => text.push_str(line),
            Err(_) if is_comment(line) => text.push_str(&String::from_utf8_lossy(line)),
            Err(_) => return Err(Error::syntax(path, number, "this is no UTF-8 text")),
        }
    }
    Ok(text)
}

/// A line that no tool reads.
fn is_comment(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"#")
}

/// Reads a file of unique-ids; `None` where there is none.
pub(super) fn seen(tool: &'static str, path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match octets(tool, path, SEEN_LIMIT) {
        Err(Error::NoFile { .. }) => Ok(None),
        read => read.map(|octets| Some(octets.to_vec())),
    }
}

/// What a file of lines says, without its last line end; nothing of an empty one.
///
/// # Errors
/// It ends in the middle of a line.
pub(super) fn whole_lines<'a>(
    tool: &'static str,
    path: &Path,
    octets: &'a [u8],
) -> Result<&'a [u8], Error> {
    match octets.strip_suffix(b"\n") {
        Some(body) => Ok(body),
        None if octets.is_empty() => Ok(octets),
        None => {
            let lines = octets.split(|octet| *octet == b'\n').count();
            let what = "the file ends in the middle of a line";
            Err(Error::seen(tool, path, lines, what))
        }
    }
}

fn octets(tool: &'static str, path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    let error = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => Error::NoFile {
            path: path.to_owned(),
            tool,
        },
        _ => Error::Read {
            path: path.to_owned(),
            source,
        },
    };
    let mut file = named::open(path).map_err(error)?;
    if !file.metadata().map_err(error)?.is_file() {
        return Err(error(io::Error::other("it is not a regular file")));
    }
    let octets = named::read(&mut file, limit).map_err(error)?;
    if octets.len() as u64 > limit {
        return Err(Error::TooLarge {
            path: path.to_owned(),
            limit,
            tool,
        });
    }
    Ok(octets)
}

/// The names in a directory that are text, in order; none where it cannot be read.
pub(super) fn names(path: &Path) -> Vec<String> {
    const MOST: usize = 10_000;
    let Ok(entries) = fs::read_dir(path) else {
        return Vec::new();
    };
    let names = entries.take(MOST).filter_map(|entry| {
        let name = entry.ok()?.file_name();
        name.into_string().ok()
    });
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_may_be_in_any_charset_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        let put = |octets: &[u8]| fs::write(&path, octets).unwrap();
        put(b"# f\xfcr mich\n  #\xe9\nuser ada\n");
        let text = config("fdm", &path).unwrap();
        assert_eq!(text.lines().nth(2), Some("user ada"));
        put(b"user ada\npassword \xe9\n");
        let error = config("fdm", &path).unwrap_err().to_string();
        assert!(error.contains("line 2: this is no UTF-8 text"), "{error}");
        let words = config_of_words("fdm", &path).unwrap();
        let (_, word) = words.split_once("password").unwrap();
        let error = check(&path, 2, word).unwrap_err().to_string();
        assert!(error.contains("line 2: this is no UTF-8 text"), "{error}");
        let error = check(&path, 2, &format!("\"a\n{word}")).unwrap_err();
        assert!(error.to_string().contains("line 3"), "{error}");
        assert!(check(&path, 2, "f\u{fc}r").is_ok());
    }
}
