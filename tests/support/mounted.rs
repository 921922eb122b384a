//! File systems of a test's own. Only root can have them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::skip::{Lack, skip};

/// A mounted file system; it is unmounted when this is dropped.
pub struct Mounted(PathBuf);

impl Mounted {
    /// An empty one in memory. None where nothing can be mounted: then the test is skipped.
    pub fn tmpfs(at: &Path, options: &str) -> Option<Self> {
        Self::mount(&["-t", "tmpfs", "-o", options, "tmpfs"], at)
    }

    /// What is in this image. None as for [`Mounted::tmpfs`].
    pub fn image(image: &Path, at: &Path) -> Option<Self> {
        Self::mount(&["-o", "loop", image.to_str().unwrap()], at)
    }

    #[track_caller]
    fn mount(arguments: &[&str], at: &Path) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        match mount(arguments, at) {
            Ok(()) => Some(Self(at.into())),
            Err(error) => {
                let what = error.lines().next().unwrap_or_default();
                skip(Lack::Root, format_args!("nothing can be mounted: {what}"));
                None
            }
        }
    }

    /// Changes its options.
    pub fn remount(&self, options: &str) {
        mount(&["-o", &format!("remount,{options}")], &self.0).unwrap();
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

fn mount(arguments: &[&str], at: &Path) -> Result<(), String> {
    let output = Command::new("mount").args(arguments).arg(at).output();
    let output = output.map_err(|error| format!("mount: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let umount = |options: &[&str]| {
            let mut command = Command::new("umount");
            command.args(options).arg(&self.0).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        // What a failed test has left open there goes with its process.
        let _gone = umount(&[]) || umount(&["-l"]);
    }
}
