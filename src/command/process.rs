//! What the process as a whole needs before anything else.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};

/// Open files that a busy run with many accounts may need.
const OPEN_FILES: u64 = 8192;

/// Keeps passwords out of core dumps and debuggers, and makes room for open files. Where the
/// system refuses, the program works all the same.
pub(super) fn harden() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let mut files = getrlimit(Resource::Nofile);
    let most = files.maximum.unwrap_or(OPEN_FILES).min(OPEN_FILES);
    if files.current.is_some_and(|current| current < most) {
        files.current = Some(most);
        let _ = setrlimit(Resource::Nofile, files);
    }
}

/// Open files of the process as a whole: standard streams, signals, what is read in between.
const COMMON: u64 = 40;

/// Open files of an account beside its messages: its state, its Maildir, its connection.
const OF_ACCOUNT: u64 = 24;

/// Messages of an account that are open files at the same time at most. More make nothing faster.
const MOST: u64 = 256;

/// The fewest that make an account worth having beside others.
const LEAST: u64 = 16;

/// How many of so many accounts can be worked on at a time, and how many messages each may have open,
/// by the files that the system lets us have.
pub(super) fn share_files(jobs: usize) -> (usize, usize) {
    share(getrlimit(Resource::Nofile).current, jobs)
}

fn share(files: Option<u64>, jobs: usize) -> (usize, usize) {
    let files = files.unwrap_or(u64::MAX).saturating_sub(COMMON);
    let fitting = usize::try_from(files / (OF_ACCOUNT + LEAST)).unwrap_or(usize::MAX);
    let jobs = jobs.min(fitting).max(1);
    let each = files / u64::try_from(jobs).unwrap_or(1);
    let room = each.saturating_sub(OF_ACCOUNT).clamp(2, MOST);
    (jobs, usize::try_from(room).unwrap_or(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_6_the_fewer_files_there_are_the_fewer_accounts_and_messages_are_open_at_a_time() {
        assert_eq!(share(None, 8), (8, 256));
        assert_eq!(share(Some(8192), 8), (8, 256));
        assert_eq!(share(Some(1024), 8), (8, 99));
        assert_eq!(share(Some(200), 8), (4, 16));
        assert_eq!(share(Some(64), 8), (1, 2));
        assert_eq!(share(Some(10), 0), (1, 2));
    }
}
