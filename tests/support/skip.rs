//! Tests that cannot be run here say so, each by [`skip`]: one that only returned would count as
//! passed, and nobody would know.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::process::parent_id;
use std::path::PathBuf;
use std::{env, thread};

/// A line for each test that may be skipped under CI.
const LIST: &str = include_str!("../may-skip.txt");

/// What a test lacks here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lack {
    /// The rights of root.
    Root,
    /// The sample mail.
    Samples,
    /// A program, or something of the kernel's. Where CI is set, it has to be there.
    Tool,
}

/// Says that the test whose thread this is ends here without having tested (all) it should, and
/// why. Where CI is set, that fails it, unless it is in the list for this very lack.
#[track_caller]
pub fn skip(lack: Lack, reason: impl Display) {
    // libtest names each test's thread after the test.
    let thread = thread::current();
    let test = thread.name().unwrap_or("a thread of a test");
    let word = match lack {
        Lack::Root => "needs root: ",
        Lack::Samples | Lack::Tool => "",
    };
    assert!(
        env::var_os("CI").is_none() || may_skip(lack, test),
        "{word}{reason}: but CI has to run this test, and tests/may-skip.txt does not excuse it"
    );
    // libtest swallows what a test prints, but not this; in one piece, for other tests write, too.
    let line = format!("SKIPPED: {test}: {word}{reason}\n");
    let _unheard = io::stderr().write_all(line.as_bytes());
    let _for_the_summary = note(&line);
}

/// Where the skips of all test programs that this program's parent runs are written down: where
/// `POPFETCH_SKIPPED` says, or among what Cargo builds, in a file with the parent's number in its name.
pub fn noted() -> Option<PathBuf> {
    if let Some(path) = env::var_os("POPFETCH_SKIPPED") {
        return Some(path.into());
    }
    let program = env::current_exe().ok()?;
    let target = program.ancestors().nth(3)?;
    Some(target.join("tmp").join(format!("skipped-{}", parent_id())))
}

/// For tests/what_was_skipped.rs, the last program that `cargo test` runs. Nobody else misses it
/// where it cannot be written.
fn note(line: &str) -> io::Result<()> {
    let path = noted().ok_or(io::ErrorKind::NotFound)?;
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(line.as_bytes())
}

/// Whether the test runs as root; otherwise it is skipped, for want of this.
#[track_caller]
pub fn needs_root(why: &str) -> bool {
    if !is_root() {
        skip(Lack::Root, why);
    }
    is_root()
}

/// Whether this is root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether the list excuses a test that lacks this.
pub fn may_skip(lack: Lack, test: &str) -> bool {
    let word = match lack {
        // Root lacks no rights: what root cannot do here is a fault of the machine.
        Lack::Root if !is_root() => "root",
        Lack::Samples => "samples",
        Lack::Root | Lack::Tool => return false,
    };
    LIST.lines()
        .any(|line| line.split_once(' ') == Some((word, test)))
}
