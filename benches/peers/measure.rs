//! Wall clock, CPU time and peak memory of one run of a program and of all the programs that it
//! starts.
//!
//! The kernel keeps CPU time and peak memory of a process's children only as a sum, and as the
//! largest of all so far. So each run gets a parent of its own: this benchmark again, in the role
//! [`ROLE`], which runs nothing else.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::owner;

/// The word by which this benchmark knows that it is to be the parent.
pub const ROLE: &str = "measure";

/// Longer than this, no run may take; it is ended, and the benchmark with it.
const LIMIT: Duration = Duration::from_secs(600);

/// One run.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Run {
    pub seconds: f64,
    /// In user and system mode, of the program and its children.
    pub cpu: f64,
    /// Octets resident at the most in the program or in one of its children: what is shared is
    /// counted, and the least that can be told apart is what the parent needs itself.
    pub peak_memory: u64,
}

/// Runs `command` and fails unless its exit status is 0 or one of `fine`. What it printed on
/// standard output comes with the figures.
pub fn run(command: &Command, fine: &[i32]) -> Result<(Run, String)> {
    let directory = TempDir::new()?;
    let file = |name| directory.path().join(name);
    let mut parent = Command::new(std::env::current_exe()?);
    parent.arg(ROLE).arg(file("figures"));
    parent.arg(command.get_program()).args(command.get_args());
    if let Some(at) = command.get_current_dir() {
        parent.current_dir(at);
    }
    parent.env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            parent.env(name, value);
        }
    }
    parent
        .stdin(Stdio::null())
        .stdout(File::create(file("stdout"))?)
        .stderr(File::create(file("stderr"))?);
    let status = parent.status()?;
    let said = |name| fs::read(file(name)).map(|text| String::from_utf8_lossy(&text).into_owned());
    let (stdout, stderr) = (said("stdout")?, said("stderr")?);
    let code = status.code();
    if code != Some(0) && !code.is_some_and(|code| fine.contains(&code)) {
        bail!("{command:?} ends with {status}:\n{stdout}{stderr}");
    }
    let figures = fs::read(file("figures")).context("no figures")?;
    Ok((serde_json::from_slice(&figures)?, stdout))
}

/// In the role of the parent: runs what the arguments say, writes the figures into the file that
/// they name first, and returns the exit status.
pub fn be_parent(mut arguments: impl Iterator<Item = OsString>) -> Result<i32> {
    let file = arguments.next().context("no file for the figures")?;
    let mut command = Command::new(arguments.next().context("no program")?);
    command.args(arguments);
    owner::work_for(&mut command);
    let begun = Instant::now();
    let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
    let pid = Pid::from_child(&child);
    let (over, ended) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        let late = ended.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout);
        late && kill_process(pid, Signal::KILL).is_ok()
    });
    let status = child.wait()?;
    let seconds = begun.elapsed().as_secs_f64();
    drop(over);
    let late = watch.join().is_ok_and(|late| late);
    ensure!(!late, "{command:?} takes longer than {LIMIT:?}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let run = Run {
        seconds,
        cpu: in_seconds(usage.user_time()) + in_seconds(usage.system_time()),
        peak_memory: u64::try_from(usage.max_rss())? * 1024,
    };
    fs::write(Path::new(&file), serde_json::to_vec(&run)?)?;
    Ok(status.code().unwrap_or(255))
}

fn in_seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

/// The middle one of `values`, or the mean of the two in the middle.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.len() % 2, values.get(middle), middle.checked_sub(1)) {
        (1, Some(value), _) => *value,
        (_, Some(upper), Some(below)) => {
            (upper + values.get(below).copied().unwrap_or(*upper)) / 2.0
        }
        _ => f64::NAN,
    }
}
