//! Directories for what a test makes: in memory, because many small files are made and synced, and
//! what the disk does beside the tests would decide how long they take.

use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::{StatVfsMountFlags, statvfs};
use tempfile::TempDir;

/// Where Linux has files in memory.
const MEMORY: &str = "/dev/shm";

/// Room there for tests that run side by side. Containers often have less, and then it is the disk.
const ROOM: u64 = 1 << 30;

/// An empty directory: in memory where there is room, and programs can be started from there.
pub fn directory() -> TempDir {
    static IS_MEMORY: OnceLock<bool> = OnceLock::new();
    match IS_MEMORY.get_or_init(has_room) {
        true => tempfile::tempdir_in(MEMORY).unwrap(),
        false => on_disk(),
    }
}

/// An empty directory where the system has its temporary files: for tests of a disk's own ways, and
/// of more than memory should hold.
pub fn on_disk() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn has_room() -> bool {
    let memory = Path::new(MEMORY);
    let is_good = statvfs(memory).is_ok_and(|it| {
        let room = it.f_bavail.saturating_mul(it.f_frsize);
        room >= ROOM && !it.f_flag.contains(StatVfsMountFlags::NOEXEC)
    });
    is_good && tempfile::tempdir_in(memory).is_ok()
}
