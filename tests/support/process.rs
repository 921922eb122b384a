//! Child processes that do not outlive the test.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::skip::{Lack, skip};

/// A child in a process group of its own; the whole group is killed when it is dropped.
pub struct Daemon(Child);

impl Daemon {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> Self {
        let child = command.process_group(0).spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Once waited for, its number may be somebody else's.
        if self.has_ended() {
            return;
        }
        let group = Pid::from_child(&self.0);
        let _gone = kill_process_group(group, Signal::TERM);
        if within(Duration::from_secs(3), || self.has_ended().then_some(())).is_none() {
            let _gone = kill_process_group(group, Signal::KILL);
            let _gone = self.0.wait();
        }
    }
}

/// How long a test waits for what is sure to come: no measurement, but the end of a test that hangs. A
/// loaded core may take a hundred times as long as one with nothing else to do. Less than the
/// ten minutes that programs sleep which are to be ended.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks `condition` until it answers, at most this long.
pub fn within<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = condition() {
            return Some(answer);
        }
        if Instant::now() > deadline {
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether this process itself listens on a TCP port. That somebody answers there proves less: a
/// port that was free a moment ago may be another one's by now. popfetch hides its descriptors from
/// all but root, so this is for other programs.
pub fn listens(id: u32) -> bool {
    let listening = || {
        let sockets = fs::read_dir(format!("/proc/{id}/fd")).ok()?;
        let open = sockets.filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
        let open: Vec<String> = open
            .filter_map(|link| {
                let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
                Some(inode.to_owned())
            })
            .collect();
        let table = fs::read_to_string(format!("/proc/{id}/net/tcp")).ok()?;
        let mut lines = table.lines().map(str::split_whitespace);
        let mine = |mut fields: std::str::SplitWhitespace<'_>| {
            // The state, and the inode.
            fields.nth(3) == Some("0A") && fields.nth(5).is_some_and(|it| open.contains(&it.into()))
        };
        lines.any(mine).then_some(())
    };
    listening().is_some()
}

/// Makes a program of `text`. Not by ourselves: a process that another test starts meanwhile would
/// inherit the open file, and what is open for writing cannot be run.
pub fn make_program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "cat > \"$0\" && chmod 700 \"$0\""]);
    let mut child = command.arg(path).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

/// Whether a program is installed; otherwise the test is skipped.
#[track_caller]
pub fn installed(program: &str) -> bool {
    let found = find(program).is_some();
    if !found {
        skip(Lack::Tool, format_args!("{program} is not installed"));
    }
    found
}

/// Where a program is: on PATH, or where Debian keeps daemons and what works on file systems, which
/// is not on a user's PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<_> = std::env::split_paths(&path).collect();
    directories.extend(["/usr/sbin".into(), "/sbin".into()]);
    let places = directories.iter().map(|dir| dir.join(program));
    places.into_iter().find(|path| path.is_file())
}
