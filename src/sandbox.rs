//! Landlock: a thread that has opened what it needs gives up the rest of the file system.
//!
//! What holds for a thread holds for every thread that it starts, for ever. It is for a fault that
//! makes the program open, write or remove what it should not, whatever a server sends: a path made
//! of the wrong octets, a file of another account. It is no wall against code of somebody else's in
//! this process, which shares its memory, its open files and its user with threads that are not
//! confined: that would take a process of its own, and memory-safe code is what stands there instead.
//!
//! Best effort: a kernel without Landlock (before Linux 5.19, or with it switched off) changes
//! nothing, and newer rights are handled where the kernel knows them: from Linux 6.12 on such a
//! thread sends no signal to other processes and connects to none of their abstract sockets; to
//! sockets that are files it may connect before the kernel can say no to that as well.

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, RestrictionStatus,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use std::os::fd::BorrowedFd;

/// The newest set of rights that is handled.
const RIGHTS: ABI = ABI::V9;

/// From here on this thread, and each that it starts, can open, create, move and remove files in
/// `directories` and below them, read the files that are `readable` or lie in directories that are,
/// and nothing anywhere else; directories it can make in those that are `growing`, and below them. Files
/// that are open stay so; the network is not affected, but whatever
/// needs a file to be looked up (a host's name, a certificate) is. Tells whether the kernel does so.
pub fn confine(
    directories: &[BorrowedFd<'_>],
    growing: &[BorrowedFd<'_>],
    readable: &[BorrowedFd<'_>],
) -> bool {
    let status = try_confine(directories, growing, readable);
    status.is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)
}

fn try_confine(
    directories: &[BorrowedFd<'_>],
    growing: &[BorrowedFd<'_>],
    readable: &[BorrowedFd<'_>],
) -> Result<RestrictionStatus, RulesetError> {
    // Without the right to move files between directories, which the first version of Landlock did
    // not know, it forbids all such moves: no message would get from tmp/ to new/.
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::Refer)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(RIGHTS))?
        .scope(Scope::from_all(RIGHTS))?
        .create()?;
    let ours = directories.iter().map(|it| (it, mail_rights()));
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let growing = growing.iter().map(|it| (it, AccessFs::MakeDir.into()));
    let rules = ours
        .chain(growing)
        .chain(readable.iter().map(|it| (it, read)));
    let rules = rules.map(|(it, rights)| Ok::<_, RulesetError>(PathBeneath::new(it, rights)));
    ruleset.add_rules(rules)?.restrict_self()
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
    use rustix::process::{Pid, Signal, kill_process};
    use std::fs;
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
    use std::process::Command;
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
            if !confine(&[root.as_fd()], &[], &[read_only.as_fd()]) {
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

    #[test]
    fn f1_of_a_directory_with_many_journals_a_confined_thread_reads_its_own_and_changes_none() {
        let state = tempfile::tempdir().unwrap();
        let (own, other) = (state.path().join("own"), state.path().join("other"));
        fs::write(&own, "journal\n").unwrap();
        fs::write(&other, "journal\n").unwrap();
        let work = || {
            let journal = fs::File::options().append(true).open(&own).unwrap();
            if !confine(&[], &[], &[journal.as_fd()]) {
                return false;
            }
            (&journal).write_all(b"line\n").unwrap();
            assert_eq!(fs::read(&own).unwrap(), b"journal\nline\n");
            let denied = [
                fs::write(&own, "other"),
                fs::remove_file(&own),
                fs::rename(&own, &other),
                fs::read(&other).map(drop),
                fs::write(&other, "other"),
                fs::remove_file(&other),
                fs::write(state.path().join("new"), "other"),
            ];
            for (place, result) in denied.into_iter().enumerate() {
                assert!(result.is_err(), "{place}");
            }
            true
        };
        if !thread::scope(|scope| scope.spawn(work).join().unwrap()) {
            return skip(Lack::Tool, "this kernel has no Landlock");
        }
        assert_eq!(fs::read(&other).unwrap(), b"journal\n");
    }

    #[test]
    fn f1_a_confined_thread_reaches_no_other_process_where_the_kernel_can_say_so() {
        let name = format!("popfetch-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(name).unwrap();
        let _listener = UnixListener::bind_addr(&address).unwrap();
        UnixStream::connect_addr(&address).unwrap();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_child(&child);
        let work = || {
            let status = try_confine(&[], &[], &[]).unwrap();
            let signal = kill_process(pid, Signal::TERM).map_err(std::io::Error::from);
            let connection = UnixStream::connect_addr(&address).map(drop);
            (ABI::from(status.landlock), [connection, signal])
        };
        let (kernels, tried) = thread::scope(|scope| scope.spawn(work).join().unwrap());
        let running = child.try_wait().unwrap().is_none();
        let _gone = child.kill();
        child.wait().unwrap();
        if kernels < ABI::V6 {
            return skip(Lack::Tool, "this kernel has no Landlock with scopes");
        }
        for (place, result) in tried.into_iter().enumerate() {
            let kind = result.unwrap_err().kind();
            assert_eq!(kind, std::io::ErrorKind::PermissionDenied, "{place}");
        }
        assert!(running);
    }
}
