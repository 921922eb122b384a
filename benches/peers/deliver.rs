//! What fetchmail delivers through: fetchmail itself writes no Maildir. It is as quick as such a
//! program can be: one file, renamed, and nothing synced.
//!
//! As a process of its own, in the role [`ROLE`].

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

/// The word by which this benchmark knows that it is to deliver.
pub const ROLE: &str = "deliver";

/// Standard input becomes a file in new/ of the Maildir that the arguments name.
pub fn be_mda(mut arguments: impl Iterator<Item = OsString>) -> Result<()> {
    let maildir = PathBuf::from(arguments.next().context("no Maildir")?);
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let name = format!(
        "{}.M{}P{}.bench",
        now.as_secs(),
        now.subsec_micros(),
        std::process::id()
    );
    let file = maildir.join("tmp").join(&name);
    io::copy(&mut io::stdin().lock(), &mut File::create_new(&file)?)?;
    fs::rename(file, maildir.join("new").join(name))?;
    Ok(())
}
