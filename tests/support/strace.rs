//! What strace writes down of a run.

use std::collections::BTreeMap;
use std::path::Path;

use super::run::{Home, Run};
use super::skip::is_root;

/// One system call: the lines of the trace on which it began and ended, and its text.
pub struct Call {
    /// The thread.
    pub thread: String,
    /// The call's name.
    pub name: String,
    /// The whole of it, with arguments and result.
    pub text: String,
    /// The line on which it began.
    pub began: usize,
    /// The line on which it ended.
    pub ended: usize,
}

/// A run of the program of which strace writes these calls into a file.
pub fn traced(home: &Home, trace: &Path, which: &str, arguments: &[&str]) -> Run {
    let trace = trace.to_str().unwrap();
    let which = format!("trace=prctl,{which}");
    let options = ["-f", "-y", "-s", "100000", "-e", &which, "-o", trace];
    if is_root() {
        return home.popfetch_under("strace", &options, arguments);
    }
    // popfetch closes itself to other processes of its user, by its first prctl, and then strace
    // sees neither names nor descriptors any more. So each thread's first prctl, if it is among the
    // calls that are traced, is not made. Of other threads that may be the one that renounces new
    // privileges, without which they could not be confined: that is done here instead.
    let inject = "inject=prctl:retval=0:when=1";
    let open = ["--no-new-privs", "strace", "-e", inject];
    home.popfetch_under("setpriv", &[&open[..], &options].concat(), arguments)
}

/// Reads `strace -f -y`: a call that another thread interrupts is written in two parts.
pub fn calls(trace: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut unfinished: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, line) in trace.lines().enumerate() {
        let Some((pid, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some(resumed) = rest.strip_prefix("<... ") {
            if let Some(index) = unfinished.remove(pid) {
                calls[index].ended = at;
                calls[index].text += resumed;
            }
            continue;
        }
        let Some((name, _)) = rest.split_once('(') else {
            continue;
        };
        if rest.ends_with("<unfinished ...>") {
            unfinished.insert(pid, calls.len());
        }
        calls.push(Call {
            thread: pid.into(),
            name: name.into(),
            text: rest.into(),
            began: at,
            ended: at,
        });
    }
    calls
}

impl Call {
    /// Whether it did what it was to do.
    pub fn succeeded(&self) -> bool {
        !self.text.contains(") = -1 ")
    }

    /// Whether it forced something to the disk.
    pub fn is_sync(&self) -> bool {
        ["fsync", "fdatasync"].contains(&self.name.as_str()) && self.text.ends_with("= 0")
    }

    /// Whether it sent this to the server.
    pub fn sends(&self, line: &str) -> bool {
        let is_output = ["write", "sendto", "writev", "sendmsg"].contains(&self.name.as_str());
        is_output && self.text.contains("<socket:[") && self.text.contains(line)
    }
}
