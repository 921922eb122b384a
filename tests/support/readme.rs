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

/// The rows: what a fault is called in `src/facts.md` and in tests, and in the table.
const ROWS: [(&str, &str); 19] = [
    ("T1", "Killed after 5 messages, all kept; run again"),
    ("T2", "Connection closed within message 4; run again"),
    ("T3", "Power cut while the server handles QUIT, deleting"),
    ("T3b", "The same, with the state on another file system"),
    ("T4", "Two messages with one unique-id"),
    ("T5", "A server without UIDL, all kept; run again"),
    ("T6", "Message 4 always refused"),
    ("T7", "Disk full, deleting"),
    ("T8", "fsync fails, deleting"),
    ("T11", "The reply to QUIT is lost, deleting; run again"),
    ("T11b", "QUIT never reaches the server, deleting; run again"),
    ("T13", "Control characters in the refusal of a password"),
    ("T14", "One octet every 1.5 s, with a timeout of 5 s"),
    ("T15", "A unique-id listing of one line of 300 MB"),
    ("T16", "A new message under a used unique-id, deleting"),
    (
        "T17",
        "Connection closed within the unique-id listing; run again",
    ),
    ("T18", "5 of 10 listed once, then 10 again"),
    ("T19", "All unique-ids change"),
    ("T20", "State file cut in half; run again"),
];

/// Holds the README to `cell` in the row of the fault `number`, as in "T3b".
#[track_caller]
pub fn hold(number: &str, cell: &str) {
    let row = ROWS.iter().find(|(it, _)| *it == number);
    let (_, row) = row.unwrap_or_else(|| panic!("{number} is no row"));
    // A test that failed in here has said why.
    let _turn = TURN.lock().unwrap_or_else(|failed| failed.into_inner());
    let text = fs::read_to_string(path()).unwrap();
    let found = text.lines().find(|line| name(line) == Some(*row));
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

/// Whether the table has these rows, in this order.
pub fn has_all_rows() -> bool {
    let text = fs::read_to_string(path()).unwrap();
    let table = text.lines().filter_map(name);
    let found = table.filter(|name| ROWS.iter().any(|(_, row)| row == name));
    found.eq(ROWS.iter().map(|(_, row)| *row))
}

/// "Two messages with one unique-id" of "| Two messages with one unique-id | ... |".
fn name(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("| ")?.split_once(" | ")?;
    Some(name)
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}
