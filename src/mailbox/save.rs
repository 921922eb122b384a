//! Saving what is attached to a message, under names that its sender has chosen.

use super::Error;
use crate::durable::{Dir, Disk};
use crate::term::is_unsafe;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// Octets of a name; file systems take 255, and a number may be added.
const LONGEST: usize = 200;

/// Names that are tried for one file.
const TRIES: usize = 1_000;

/// Saves octets in `directory`, which is made where it is missing, under `name` or, where that is taken,
/// with a number in it. Nothing is overwritten and no link is followed: the file is a new one.
pub fn save(disk: &Disk, directory: &Path, name: &str, octets: &[u8]) -> Result<PathBuf, Error> {
    let unsaved = |path: PathBuf| move |source| Error::Unsaved { path, source };
    let made = disk.create_directory(directory);
    made.map_err(unsaved(directory.to_owned()))?;
    let dir = Dir::open_anyones(disk, directory).map_err(unsaved(directory.to_owned()))?;
    let name = safe_name(name, "attachment");
    for number in 1..=TRIES {
        let name = numbered(&name, number);
        let path = directory.join(&name);
        let mut file = match dir.create(OsStr::new(&name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            created => created.map_err(unsaved(path.clone()))?,
        };
        if let Err(error) = file.append(octets) {
            // Half a file that looks like a whole one is worse than none.
            let _ = dir.remove(OsStr::new(&name));
            return Err(unsaved(path)(error));
        }
        return Ok(path);
    }
    Err(unsaved(directory.join(name))(
        io::ErrorKind::AlreadyExists.into(),
    ))
}

/// A name that a sender chose, as a file's name that is hidden from nobody, leads nowhere else, and is
/// no option of a program: its last part, with "_" for whatever is not safe in it.
pub fn safe_name(name: &str, otherwise: &str) -> String {
    let last = name
        .rsplit(['/', '\\'])
        .find(|part| !part.trim().is_empty());
    let last = last.unwrap_or_default().trim();
    let safe = |c: char| match c {
        c if is_unsafe(c) => '_',
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
        c => c,
    };
    let mut name: String = last.chars().map(safe).collect();
    if name.starts_with(['.', '-', '~']) {
        name.replace_range(..1, "_");
    }
    if name.chars().all(|c| c == '_' || c == '.') {
        name = otherwise.to_owned();
    }
    let (stem, ending) = parted(&name);
    let room = LONGEST.saturating_sub(ending.len());
    let end = (0..=room.min(stem.len()))
        .rev()
        .find(|at| stem.is_char_boundary(*at));
    let stem = stem.get(..end.unwrap_or_default()).unwrap_or_default();
    format!("{stem}{ending}")
}

fn numbered(name: &str, number: usize) -> String {
    if number == 1 {
        return name.to_owned();
    }
    let (stem, ending) = parted(name);
    format!("{stem}-{number}{ending}")
}

/// A name and its ending, dot included, as far as it has one that is one.
fn parted(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 && name.len() - at <= 16 => name.split_at(at),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_senders_name_leads_nowhere_else_and_hides_nothing() {
        for (name, safe) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\a.exe", "a.exe"),
            ("/", "attachment"),
            ("..", "attachment"),
            ("", "attachment"),
            (".bashrc", "_bashrc"),
            ("-rf", "_rf"),
            ("a\u{202e}fdp.exe", "a_fdp.exe"),
            ("a\u{1b}[31m\n\0b", "a_[31m__b"),
            ("Grüße.txt", "Grüße.txt"),
            ("a/b/", "b"),
        ] {
            assert_eq!(safe_name(name, "attachment"), safe, "{name:?}");
        }
        let long = safe_name(&format!("{}.tar.gz", "ü".repeat(300)), "attachment");
        assert!(long.len() <= LONGEST && long.ends_with(".gz"), "{long}");
    }

    #[test]
    fn nothing_is_overwritten_and_no_link_is_followed() {
        let home = tempfile::tempdir().unwrap();
        let (disk, place) = (Disk::new(), home.path().join("new/place"));
        let victim = home.path().join("victim");
        std::fs::write(&victim, "mine").unwrap();
        assert_eq!(
            save(&disk, &place, "a.txt", b"1").unwrap(),
            place.join("a.txt")
        );
        std::os::unix::fs::symlink(&victim, place.join("a-2.txt")).unwrap();
        assert_eq!(
            save(&disk, &place, "a.txt", b"2").unwrap(),
            place.join("a-3.txt")
        );
        assert_eq!(std::fs::read(place.join("a.txt")).unwrap(), b"1");
        assert_eq!(std::fs::read(&victim).unwrap(), b"mine");
    }
}
