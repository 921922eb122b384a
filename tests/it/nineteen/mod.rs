//! The nineteen faults with which other programs were measured: ten messages, plain POP3 on
//! loopback, the real program. Each test says what became of the mail, and holds the README's
//! table to it; what is the same by IMAP, `imap::nineteen` plays once more. T3 and T3b need a disk that loses its power: they are in `tests/crash`.

/// The disk fails, or its files are damaged.
pub mod disk;
/// The run or its connection ends early.
pub mod interrupted;
/// What is listed is not what was listed.
pub mod listings;
/// Ten messages, and what became of them.
pub mod scene;
/// The server refuses, drips, or says too much.
pub mod server;

use crate::support::readme;

#[test]
fn the_readme_compares_nineteen_faults() {
    assert!(readme::has_all_rows());
    assert!(include_str!("../../../README.md").contains(readme::COMMAND));
}
