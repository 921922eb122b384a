//! What makes a run end before it connects: RETR alone may change what a server shows, so nothing
//! is asked of it that could not be stored.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::errno::Errno;

use super::{MESSAGES, finish};
use crate::support::account::Security;
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, generate};
use crate::support::mounted::Mounted;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tracer::{self, Action, End};

fn scene(keys: &str) -> (Vec<Message>, Server, Home) {
    let messages = generate(MESSAGES, 600);
    let server = Server::builder(&Maildrop::new(messages.iter().cloned()));
    let (server, home) = server.security(Security::Plain).with_home(keys);
    (messages, server, home)
}

/// The run ends with this status, names the path, and never connects.
fn assert_refuses(home: &Home, server: &Server, status: i32, path: &Path) {
    let sessions = server.sessions_so_far().len();
    let output = home.popfetch(["fetch"]).expect(status);
    let path = path.to_str().unwrap();
    assert!(output.stderr.contains(path), "{output:#?}");
    assert!(output.stderr.contains("hint: "), "{output:#?}");
    assert_eq!(server.sessions_so_far().len(), sessions, "{output:#?}");
}

#[test]
fn d28_a_disk_that_can_only_be_read_ends_the_run_before_it_connects() {
    let state: fn(&Home) -> PathBuf = Home::state;
    let mail = |home: &Home| home.path().join("Mail");
    for (place, status) in [(mail as fn(&Home) -> PathBuf, 73), (state, 74)] {
        for fetched_before in [false, true] {
            let (messages, server, home) = scene("");
            let place = place(&home);
            let Some(disk) = Mounted::tmpfs(&place, "size=2m") else {
                return;
            };
            if fetched_before {
                home.popfetch(["fetch"]).expect(0);
                server.maildrop().add(generate(1, 777));
            }
            disk.remount("ro");
            assert_refuses(&home, &server, status, &place);
            disk.remount("rw");
            let added = if fetched_before {
                generate(1, 777)
            } else {
                vec![]
            };
            finish(&[messages, added].concat(), &server, &home, "after ro");
        }
    }
}

/// Root may write anywhere, so the program is run as somebody else, whom everything belongs to.
fn run_as_nobody(home: &Home) -> Command {
    const NOBODY: u32 = 65_534;
    if !rustix::process::geteuid().is_root() {
        let mut command = Command::new(env!("CARGO_BIN_EXE_popfetch"));
        home.furnish(command.arg("fetch"));
        return command;
    }
    // Others may not be let into the directory of the program itself.
    let program = home.path().join("popfetch");
    if !program.exists() {
        // By another process: what this one has open for writing, a program that another test is
        // just starting may hold open for a moment, and then it cannot be run.
        let mut copy = Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_popfetch")).arg(&program);
        assert!(copy.status().unwrap().success());
    }
    give(home.path(), NOBODY);
    let mut command = Command::new(program);
    home.furnish(command.arg("fetch"));
    command.uid(NOBODY).gid(NOBODY);
    command
}

fn give(path: &Path, owner: u32) {
    chown(path, Some(owner), Some(owner)).unwrap();
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap();
        entries.for_each(|entry| give(&entry.unwrap().path(), owner));
    }
}

#[test]
fn d28_a_directory_without_permission_to_write_ends_the_run_before_it_connects() {
    for (part, status) in [
        ("Mail/a/tmp", 73),
        ("Mail/a/new", 73),
        ("Mail/a/cur", 73),
        ("state/popfetch", 74),
    ] {
        let (_, server, home) = scene("");
        home.popfetch(["fetch"]).expect(0);
        server.maildrop().add(generate(1, 777));
        let sessions = server.sessions().len();
        let path = home.path().join(part);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o500)).unwrap();
        let output = run_as_nobody(&home).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{part}: {stderr}");
        assert!(stderr.contains(path.to_str().unwrap()), "{part}: {stderr}");
        assert!(stderr.contains("hint: "), "{part}: {stderr}");
        assert_eq!(server.sessions().len(), sessions, "{part}: {stderr}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let output = run_as_nobody(&home).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{part}: {output:?}");
    }
}

#[test]
fn d30_a_file_system_without_locks_for_the_state_is_refused_with_a_hint() {
    for error in [Errno::ENOLCK, Errno::EOPNOTSUPP, Errno::ENOSYS] {
        let (messages, server, home) = scene("");
        let mut command = tracer::fetch(&home);
        let stderr = home.path().join("stderr");
        command.stderr(fs::File::create(&stderr).unwrap());
        let end = tracer::run(&mut command, |call| match call.name {
            "flock" => Action::Fail(error),
            _ => Action::Pass,
        });
        let Some(end) = end else { return };
        let stderr = fs::read_to_string(stderr).unwrap();
        assert_eq!(end, End::Exited(78), "{error}: {stderr}");
        assert!(stderr.contains("cannot lock"), "{error}: {stderr}");
        assert!(stderr.contains("XDG_STATE_HOME"), "{error}: {stderr}");
        assert_eq!(server.sessions_so_far().len(), 0, "{error}");
        finish(&messages, &server, &home, "with locks");
    }
}
