//! Where profiles are: `profiles.ini` lists them, and `installs.ini` says which one a program uses.

use super::TOOL;
use crate::import::Error;
use crate::import::files::{self, Surroundings};
use crate::import::ini::{self, Section};
use std::path::{Path, PathBuf};

/// Directories below the home in which Thunderbird keeps its profiles: its own, Debian's of old, the
/// snap's, and the flatpaks'.
const PLACES: &[&str] = &[
    ".thunderbird",
    ".mozilla-thunderbird",
    ".config/thunderbird",
    "snap/thunderbird/common/.thunderbird",
    ".var/app/org.mozilla.Thunderbird/.thunderbird",
    ".var/app/org.mozilla.thunderbird/.thunderbird",
    ".var/app/org.mozilla.thunderbird_esr/.thunderbird",
];

pub(super) const FILE: &str = "prefs.js";

/// The `prefs.js` of each profile, those first that are used by default.
pub(super) fn find(given: Option<&Path>, around: &Surroundings) -> Result<Vec<PathBuf>, Error> {
    let places: Vec<PathBuf> = match given {
        Some(path) if !path.is_dir() && path.file_name().is_some_and(|it| it == "profiles.ini") => {
            vec![path.parent().unwrap_or(Path::new("/")).to_owned()]
        }
        Some(path) if !path.is_dir() => return Ok(vec![path.to_owned()]),
        Some(path) if path.join(FILE).exists() => return Ok(vec![path.join(FILE)]),
        Some(path) => vec![path.to_owned()],
        None => PLACES.iter().map(|place| around.home.join(place)).collect(),
    };
    let mut found: Vec<PathBuf> = Vec::new();
    for place in &places {
        for profile in profiles_in(place)? {
            let file = profile.join(FILE);
            // The same profile by another path is no second one.
            let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
            if file.exists() && !found.iter().any(|known| real(known) == real(&file)) {
                found.push(file);
            }
        }
    }
    match found.is_empty() {
        true => Err(Error::Missing {
            tool: TOOL,
            looked: places
                .iter()
                .map(|place| place.join("profiles.ini"))
                .collect(),
        }),
        false => Ok(found),
    }
}

fn profiles_in(place: &Path) -> Result<Vec<PathBuf>, Error> {
    let list = place.join("profiles.ini");
    if !list.exists() {
        let names = files::names(place).into_iter();
        return Ok(names.map(|name| place.join(name)).collect());
    }
    let sections = read(&list)?;
    let installs = place.join("installs.ini");
    let installs = match installs.exists() {
        true => read(&installs)?,
        false => Vec::new(),
    };
    // In profiles.ini the same stands in sections named after a program.
    let by_program = sections.iter().filter(|it| it.name.starts_with("Install"));
    let of_programs: Vec<&str> = installs
        .iter()
        .chain(by_program)
        .filter_map(|section| section.get("default"))
        .collect();
    let mut profiles: Vec<(bool, bool, PathBuf)> = Vec::new();
    for section in sections.iter().filter(|it| it.name.starts_with("Profile")) {
        let Some(path) = section.get("path").filter(|path| !path.is_empty()) else {
            continue;
        };
        let whole = match section.get("isrelative") {
            Some("0") => PathBuf::from(path),
            _ => place.join(path),
        };
        let (used, usual) = (
            of_programs.contains(&path),
            section.get("default") == Some("1"),
        );
        profiles.push((!used, !usual, whole));
    }
    profiles.sort_by_key(|(unused, unusual, _)| (*unused, *unusual));
    Ok(profiles.into_iter().map(|(_, _, path)| path).collect())
}

fn read(path: &Path) -> Result<Vec<Section>, Error> {
    ini::parse(path, &files::config(TOOL, path)?)
}
