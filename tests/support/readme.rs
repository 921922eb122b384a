//! The README's comparison with other programs: popfetch's column in it is made by the tests.
//!
//! Each of the nineteen tests gives the cell of its row as it came out of what was measured. With
//! UPDATE set it is written there; otherwise a README that says something else fails the test.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What makes the column, as the README says it too.
pub const COMMAND: &str = "UPDATE=1 cargo test --test it --test crash nineteen";

/// Where popfetch's cell stands in a row that is split at its bars: after nothing and the name.
const POPFETCH: usize = 2;

/// Tests of one binary run side by side, and each may write.
static TURN: Mutex<()> = Mutex::new(());

/// Holds the README to `cell` in the row that begins with `row`, as in "T3b".
#[track_caller]
pub fn hold(row: &str, cell: &str) {
    // A test that failed in here has said why.
    let _turn = TURN.lock().unwrap_or_else(|failed| failed.into_inner());
    let text = fs::read_to_string(path()).unwrap();
    let found = text.lines().find(|line| name(line) == Some(row));
    let line = found.unwrap_or_else(|| panic!("README.md compares nothing in a row {row}"));
    let mut cells: Vec<&str> = line.split('|').map(str::trim).collect();
    if cells[POPFETCH] == cell {
        return;
    }
    assert!(
        env::var_os("UPDATE").is_some(),
        "README.md says {:?} in row {row}, but it is {cell:?}: run `{COMMAND}`",
        cells[POPFETCH]
    );
    cells[POPFETCH] = cell;
    let renewed = format!("| {} |", cells[1..cells.len() - 1].join(" | "));
    fs::write(path(), text.replacen(line, &renewed, 1)).unwrap();
}

/// The names of all rows, in their order.
pub fn rows() -> Vec<String> {
    let text = fs::read_to_string(path()).unwrap();
    let names = text.lines().filter_map(name);
    names.map(str::to_owned).collect()
}

/// "T3b" of "| T3b. The same, with ... | ... |".
fn name(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("| ")?.split_once(". ")?;
    let number = name.strip_prefix('T')?;
    number
        .starts_with(|c: char| c.is_ascii_digit())
        .then_some(name)
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}
