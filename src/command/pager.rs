//! Long texts for a person at a terminal: another program shows them, page by page.

use super::fail::{Failure, print};
use crate::stop;
use crate::term::rows;
use std::env;
use std::io::{IsTerminal, Write, stdout};
use std::process::{Command, Stdio};

/// Writes `text` to standard output; by `$PAGER`, or else less, where that is a terminal that is too low
/// for it. The text must be safe for a terminal.
pub(super) fn page(text: &str) -> Result<(), Failure> {
    let rows = rows(stdout()).filter(|_| stdout().is_terminal());
    // One row is for the shell's prompt.
    let is_long = rows.is_some_and(|rows| text.lines().count() >= rows);
    if is_long && let Some(pager) = pager() {
        let mut command = Command::new("sh");
        command.args(["-c", &pager]);
        // As git does: colours, a short text at once, and the text stays on the screen.
        if env::var_os("LESS").is_none() {
            command.env("LESS", "FRX");
        }
        if feed(&mut command, text.as_bytes()) {
            return Ok(());
        }
    }
    print(text)
}

/// What a person wants to read with, if anything.
fn pager() -> Option<String> {
    match env::var("PAGER") {
        Ok(pager) if pager.trim().is_empty() || pager.trim() == "cat" => None,
        Ok(pager) => Some(pager),
        Err(_) => Some("less".to_owned()),
    }
}

/// Has a program show a text that it reads from standard input, and waits for it. Whether there is such a
/// program.
pub(super) fn feed(command: &mut Command, text: &[u8]) -> bool {
    // Ctrl-C is for the program that has the terminal: whoever ended before it would leave the terminal
    // to two.
    stop::leave_interrupts();
    let Ok(mut child) = command.stdin(Stdio::piped()).spawn() else {
        return false;
    };
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever has read enough closes it.
        let _ = stdin.write_all(text);
    }
    // A shell says by these two that it found no such program, or none that it could run.
    let is_missing = |code: Option<i32>| matches!(code, Some(126 | 127));
    child.wait().is_ok_and(|status| !is_missing(status.code()))
}
