//! Landlock: a thread that has opened what it needs gives up the rest of the file system, so that
//! whoever takes it over through what a server sends can neither read a secret nor leave anything
//! behind.
//!
//! What holds for a thread holds for every thread that it starts, for ever. Best effort: a kernel
//! without Landlock (before Linux 5.19, or with it switched off) changes nothing, and newer rights
//! are handled where the kernel knows them.

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus,
};
use std::os::fd::BorrowedFd;

/// The newest set of rights that is handled.
const RIGHTS: ABI = ABI::V5;

/// From here on this thread, and each that it starts, can open, create, move and remove files in
/// `directories` and below them, read those in `readable`, and nothing anywhere else. Files that are open stay so; sockets are not
/// affected, but whatever needs a file to be looked up (a host's name, a certificate) is. Tells
/// whether the kernel does so.
pub fn confine(directories: &[BorrowedFd<'_>], readable: &[BorrowedFd<'_>]) -> bool {
    try_confine(directories, readable).unwrap_or(false)
}

fn try_confine(
    directories: &[BorrowedFd<'_>],
    readable: &[BorrowedFd<'_>],
) -> Result<bool, RulesetError> {
    // Without the right to move files between directories, which the first version of Landlock did
    // not know, it forbids all such moves: no message would get from tmp/ to new/.
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::Refer)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(RIGHTS))?
        .create()?;
    let ours = directories.iter().map(|it| (it, mail_rights()));
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let rules = ours.chain(readable.iter().map(|it| (it, read)));
    let rules = rules.map(|(it, rights)| Ok::<_, RulesetError>(PathBeneath::new(it, rights)));
    let status = ruleset.add_rules(rules)?.restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// What delivering and recording take: regular files, and nothing that could be run.
fn mail_rights() -> BitFlags<AccessFs> {
    AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::RemoveFile
        | AccessFs::Refer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skip::{Lack, skip};
    use std::fs;
    use std::os::fd::AsFd;
    use std::thread;

    #[test]
    fn s73_a_confined_thread_and_those_it_starts_reach_its_directories_and_nothing_else() {
        let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let earlier = tempfile::tempdir().unwrap();
        fs::write(earlier.path().join("m"), "mail").unwrap();
        fs::create_dir(ours.path().join("tmp")).unwrap();
        fs::create_dir(ours.path().join("new")).unwrap();
        fs::write(theirs.path().join("secret"), "secret").unwrap();
        let work = || {
            let root = fs::File::open(ours.path()).unwrap();
            let read_only = fs::File::open(earlier.path()).unwrap();
            if !confine(&[root.as_fd()], &[read_only.as_fd()]) {
                return false;
            }
            let inside = || {
                fs::write(ours.path().join("tmp/m"), "mail").unwrap();
                fs::rename(ours.path().join("tmp/m"), ours.path().join("new/m")).unwrap();
                assert_eq!(fs::read(ours.path().join("new/m")).unwrap(), b"mail");
                fs::remove_file(ours.path().join("new/m")).unwrap();
                assert_eq!(fs::read(earlier.path().join("m")).unwrap(), b"mail");
                let denied = [
                    fs::write(earlier.path().join("m"), "other"),
                    fs::remove_file(earlier.path().join("m")),
                    fs::read(theirs.path().join("secret")).map(drop),
                    fs::write(theirs.path().join("left"), "behind"),
                    fs::create_dir(ours.path().join("tmp/directory")),
                    std::os::unix::fs::symlink("/", ours.path().join("tmp/link")),
                    fs::remove_file(theirs.path().join("secret")),
                    fs::read("/etc/passwd").map(drop),
                ];
                for (place, result) in denied.into_iter().enumerate() {
                    let kind = result.unwrap_err().kind();
                    assert_eq!(kind, std::io::ErrorKind::PermissionDenied, "{place}");
                }
            };
            inside();
            thread::scope(|scope| scope.spawn(inside).join().unwrap());
            true
        };
        let confined = thread::scope(|scope| scope.spawn(work).join().unwrap());
        // Elsewhere nothing has changed.
        fs::read(theirs.path().join("secret")).unwrap();
        if !confined {
            skip(Lack::Tool, "this kernel has no Landlock");
        }
    }
}
