//! `popfetch completions` and `popfetch man`: what is committed in completions/ and man/.
//!
//! The program carries the committed files themselves; a test makes them anew from the command
//! line's description and compares, so that they cannot drift.

use super::fail::{Failure, print};
use crate::cli::{Page, Shell};
use crate::exit::Status;
use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

pub(super) fn completions(shell: Shell) -> Result<Status, Failure> {
    print(match shell {
        Shell::Bash => include_str!("../../completions/popfetch.bash"),
        Shell::Zsh => include_str!("../../completions/_popfetch"),
        Shell::Fish => include_str!("../../completions/popfetch.fish"),
    })?;
    Ok(Status::Ok)
}

pub(super) fn man(page: Page) -> Result<Status, Failure> {
    let text = match page {
        Page::Program => include_str!("../../man/popfetch.1"),
        Page::Config => include_str!("../../man/popfetch.toml.5"),
    };
    // On a terminal a person wants to read it; where there is no man, at least it is there.
    if !std::io::stdout().is_terminal() || !open(text) {
        print(text)?;
    }
    Ok(Status::Ok)
}

/// Shows a page as man(1) shows pages. Tells whether that has worked.
fn open(page: &str) -> bool {
    let mut command = Command::new("man");
    let child = command.args(["-l", "-"]).stdin(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        return false;
    };
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever has read enough closes it.
        let _ = stdin.write_all(page.as_bytes());
    }
    child.wait().is_ok_and(|status| status.success())
}
