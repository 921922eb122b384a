//! What of the machine matters to the figures.

use std::fs::{self, File};
use std::io::Write;
use std::thread;
use std::time::Instant;

use anyhow::Result;

use crate::measure::median;
use crate::program::package_version;

/// Files written and synced one by one.
const SYNCS: usize = 100;

/// The machine in one sentence.
pub fn describe() -> Result<String> {
    let cores = thread::available_parallelism()?;
    let kernel = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    let kernel = kernel.split(['-', '+']).next().unwrap_or_default();
    let (system, sync) = disk()?;
    let dovecot = package_version("dovecot-pop3d").unwrap_or_else(|| "of unknown version".into());
    Ok(format!(
        "{cores} cores, Linux {kernel}, {system} where one fsync of a small new file takes \
         {sync:.2} ms, Dovecot {dovecot}"
    ))
}

/// The file system that temporary homes are on, and the median milliseconds of a sync.
fn disk() -> Result<(&'static str, f64)> {
    let directory = tempfile::tempdir()?;
    // Magic numbers of statfs(2).
    let system = match rustix::fs::statfs(directory.path())?.f_type as u64 {
        0xEF53 => "ext4",
        0x5846_5342 => "XFS",
        0x9123_683E => "Btrfs",
        0x0102_1994 => "tmpfs",
        0x794C_7630 => "overlayfs",
        _ => "a file system",
    };
    let mut taken = Vec::new();
    for index in 0..SYNCS {
        let path = directory.path().join(index.to_string());
        let mut file = File::create_new(&path)?;
        file.write_all(&[b'x'; 4096])?;
        let begun = Instant::now();
        file.sync_all()?;
        taken.push(begun.elapsed().as_secs_f64() * 1000.0);
        fs::remove_file(path)?;
    }
    Ok((system, median(taken)))
}
