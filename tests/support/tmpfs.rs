//! A small file system that can be filled.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file system in memory, unmounted when this is dropped.
pub struct Tmpfs(PathBuf);

impl Tmpfs {
    /// Mounts one of this size, as in "64k". Only root can: otherwise says so loudly, and fails
    /// where everything has to be tested, under CI.
    pub fn mount(at: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        if mount(&format!("size={size}"), at) {
            return Some(Self(at.into()));
        }
        assert!(
            env::var_os("CI").is_none(),
            "cannot mount a tmpfs, but CI has to run these tests: it needs root"
        );
        eprintln!("SKIPPED: cannot mount a tmpfs; this test needs root");
        None
    }

    /// Makes it larger.
    pub fn grow(&self, size: &str) {
        assert!(mount(&format!("remount,size={size}"), &self.0));
    }
}

fn mount(options: &str, at: &Path) -> bool {
    let mut command = Command::new("mount");
    command
        .args(["-t", "tmpfs", "-o", options, "tmpfs"])
        .arg(at);
    let status = command.stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
