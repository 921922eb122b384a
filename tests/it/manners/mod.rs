//! Manners: cron locks no account out, and does not say the same each time.

/// What a server's refusals lead to.
mod answers;
/// Maildrops that are listed in parts.
mod batches;
/// What is known of providers.
mod providers;
/// What is told once, daily, and at the end.
mod told;
/// Names, passwords and messages beyond ASCII.
mod utf8;
/// When a server is left alone, and when it is asked all the same.
mod waits;

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::run::{Home, Output};

/// The file of what is remembered of the one account.
pub fn remembered(home: &Home) -> Option<PathBuf> {
    let entries = fs::read_dir(home.state()).ok()?;
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths.find(|path| path.extension().is_some_and(|e| e == "manners"))
}

/// Makes all that is remembered so many seconds older, as if the clock had gone on.
pub fn pass(home: &Home, seconds: i64) {
    let path = remembered(home).expect("nothing is remembered");
    // When it was signed in to, when it refused, since when it fails, when that was told, when a
    // shortcut or a detour was noted, since when something is passed over, when that was told.
    age(&path, &[1, 4, 11, 12, 14, 16, 19, 20], seconds);
}

/// Makes the times at these places of a file's line so many seconds older.
pub(super) fn age(path: &Path, places: &[usize], seconds: i64) {
    let line = fs::read_to_string(path).unwrap();
    let mut fields: Vec<String> = line.trim_end().split('\t').map(str::to_owned).collect();
    fields.pop();
    for place in places {
        if let Some(time) = fields.get(*place).and_then(|it| it.parse::<i64>().ok()) {
            fields[*place] = (time - seconds).to_string();
        }
    }
    let text = fields.join("\t") + "\t";
    let sum = crc32fast::hash(text.as_bytes());
    fs::write(path, format!("{text}{sum:08x}\n")).unwrap();
}

/// Fails unless nothing was said.
#[track_caller]
pub(super) fn assert_silent(output: &Output) {
    assert_eq!((&output.stdout[..], &output.stderr[..]), ("", ""));
}
