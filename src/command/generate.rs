//! `popfetch completions` and `popfetch man`: what is committed in completions/ and man/.
//!
//! The program carries the committed files themselves; a test makes them anew from the command
//! line's description and compares, so that they cannot drift.

use super::fail::{Failure, print};
use crate::cli::{Page, Shell};
use crate::exit::Status;

pub(super) fn completions(shell: Shell) -> Result<Status, Failure> {
    print(match shell {
        Shell::Bash => include_str!("../../completions/popfetch.bash"),
        Shell::Zsh => include_str!("../../completions/_popfetch"),
        Shell::Fish => include_str!("../../completions/popfetch.fish"),
    })?;
    Ok(Status::Ok)
}

pub(super) fn man(page: Page) -> Result<Status, Failure> {
    print(match page {
        Page::Program => include_str!("../../man/popfetch.1"),
        Page::Config => include_str!("../../man/popfetch.toml.5"),
    })?;
    Ok(Status::Ok)
}
