//! `popfetch completions`, `popfetch man` and `popfetch schema`: what is committed in completions/, in man/
//! and beside this file.
//!
//! The program carries the committed files themselves; a test makes them anew from the command
//! line's description and compares, so that they cannot drift.

use super::fail::{Failure, print};
use super::pager::feed;
use crate::cli::{Page, Shell};
use crate::exit::Status;
use std::io::IsTerminal;
use std::process::Command;

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

/// The JSON Schema (draft 2020-12) of what is written for programs, which a test holds against what is.
pub(super) fn schema() -> Result<Status, Failure> {
    print(include_str!("schema.json"))?;
    Ok(Status::Ok)
}

/// Shows a page as man(1) shows pages. Tells whether that has worked.
fn open(page: &str) -> bool {
    feed(Command::new("man").args(["-l", "-"]), page.as_bytes())
}
