//! What Linux tells of itself in /proc, or makes, and other systems tell otherwise or not at all.
//!
//! This is the place that a port begins with. Each function says what its callers do where the system
//! has no answer. Besides these, what only Linux has is met in the files that `tests/layers.rs` lists,
//! each with what stands in for it elsewhere.

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::time::{ClockId, clock_gettime};
use std::fs::{self, File};
use std::io;
use std::time::Duration;

/// What is different after each start of the machine; empty where that is not known.
pub fn boot() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    boot.trim().to_owned()
}

/// Every process, with the one that started it; nothing where that is not known: then a program is
/// ended, and what it has started in other process groups goes on.
pub fn processes() -> Vec<(i32, i32)> {
    let names = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, parent(pid)?))).collect()
}

/// proc_pid_stat(5); a program's own name in it may hold anything.
fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}

/// Whether the process holds the file with this number, by flock. Nobody does where it is not known.
pub fn is_locked_by(pid: u32, inode: u64) -> bool {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let (pid, inode) = (pid.to_string(), inode.to_string());
    locks.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let place = fields.get(5).and_then(|place| place.rsplit(':').next());
        fields.get(1) == Some(&"FLOCK")
            && fields.get(4) == Some(&pid.as_str())
            && place == Some(inode.as_str())
    })
}

/// Whether whoever started us wants this signal to be ignored, as nohup does; no where that is not known.
pub fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|it| it.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|it| u64::from_str_radix(it.trim(), 16).ok());
    ignored.is_some_and(|it| it >> (signal - 1) & 1 == 1)
}

/// An empty file in memory alone, for a program to read; its name is for whoever looks at our open files.
///
/// # Errors
///
/// The system has no memory for it, or no more open files.
pub fn file_in_memory(name: &str) -> io::Result<File> {
    Ok(memfd_create(name, MemfdFlags::CLOEXEC)?.into())
}

/// Has this process asked to end when the one that has started it does, whatever ends that. Where the system
/// refuses, what it writes goes nowhere from then on.
pub fn end_with_parent() {
    let _ = set_parent_process_death_signal(Some(Signal::TERM));
}

/// How long the machine has been running, its sleep included: a clock that nobody sets.
pub fn uptime() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
}

/// The program that opens an address in the browser of whoever sits before the screen.
pub const OPENER: &str = "xdg-open";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_all_of_it() {
        assert_eq!(boot().len(), 36);
        let ours = i32::try_from(std::process::id()).unwrap();
        let above = rustix::process::getppid().unwrap().as_raw_nonzero().get();
        assert!(processes().contains(&(ours, above)));
        assert!(!is_locked_by(std::process::id(), 0));
    }
}
