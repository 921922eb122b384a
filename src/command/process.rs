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
