//! A system call that fails, at every place where it could: what is not stored stays on the
//! server, nothing is doubled, and the run says what happened.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;

use nix::errno::Errno;

use super::{MESSAGES, assert_none_is_lost, finish};
use crate::support::account::Security;
use crate::support::maildrop::Maildrop;
use crate::support::message::generate;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tracer::{self, Action, Call, End};

/// Calls from which on they fail in an ordinary run of these tests.
const FEW: usize = 12;

const SYNCS: &[&str] = &["fsync", "fdatasync"];

/// What makes a file come to be or grow.
const GROWTH: &[&str] = &["openat", "write", "mkdir", "mkdirat", "renameat2", "linkat"];

const ALL: &[&str] = &[
    "openat",
    "write",
    "mkdir",
    "mkdirat",
    "renameat2",
    "linkat",
    "fsync",
    "fdatasync",
    "renameat",
    "rename",
    "ftruncate",
    "unlinkat",
    "unlink",
];

/// A run in which calls fail.
struct Failing {
    /// These, as far as they concern the Maildir or the state.
    names: &'static [&'static str],
    /// From this one of them on, counted from 0.
    from: usize,
    /// This one only.
    once: bool,
    action: Action,
}

/// What the run was like.
struct Seen {
    status: i32,
    /// To how many of the calls it came.
    calls: usize,
    stderr: String,
    /// The calls that failed.
    failed: Vec<String>,
    /// The server had QUIT by the time of the first of them.
    after_quit: bool,
}

impl Failing {
    fn run(&self, home: &Home, server: &Server) -> Option<Seen> {
        let mut command = tracer::fetch(home);
        let stderr = home.path().join("stderr");
        command.stderr(File::create(&stderr).unwrap());
        let (mut number, mut after_quit, mut failed) = (0, false, Vec::new());
        let mut unsynced: Vec<PathBuf> = Vec::new();
        let end = tracer::run(&mut command, |call| {
            if !self.concerns(call, home) {
                return Action::Pass;
            }
            let strikes = number == self.from || (number > self.from && !self.once);
            number += 1;
            let syncs = SYNCS.contains(&call.name);
            let interrupted = self.action == Action::Fail(Errno::EINTR);
            let again = syncs && !interrupted && unsynced.contains(&call.file);
            assert!(!again, "{} again after a failed sync", call.file.display());
            if !strikes {
                return Action::Pass;
            }
            if syncs {
                unsynced.push(call.file.clone());
            }
            if failed.is_empty() {
                let sessions = server.sessions_so_far();
                after_quit = sessions.iter().any(|session| session.count("QUIT") > 0);
            }
            failed.push(format!("{} {}", call.name, call.file.display()));
            self.action
        })?;
        let End::Exited(status) = end else {
            panic!("{end:?}");
        };
        Some(Seen {
            status,
            calls: number,
            stderr: fs::read_to_string(stderr).unwrap(),
            failed,
            after_quit,
        })
    }

    fn concerns(&self, call: &Call, home: &Home) -> bool {
        let is_ours = call.file.starts_with(home.path().join("Mail"))
            || call.file.starts_with(home.path().join("state"));
        // These two come with paths before there is a directory to name.
        let by_path = ["mkdir", "mkdirat"].contains(&call.name);
        self.names.contains(&call.name) && (is_ours || by_path)
    }
}

/// Whether it may be over by the next run.
fn is_scarce(action: Action) -> bool {
    [Errno::ENFILE, Errno::ENOMEM, Errno::EMFILE]
        .map(Action::Fail)
        .contains(&action)
}

/// Lets calls fail from each place on, or from some. Tells what the runs came to.
fn fail_everywhere(
    names: &'static [&'static str],
    once: bool,
    action: Action,
    check: impl Fn(&Seen, &str),
) {
    let messages = generate(MESSAGES, 600);
    let mut statuses: BTreeMap<i32, usize> = BTreeMap::new();
    let calls = tracer::at_every_call(FEW, |from| {
        let server = Server::builder(&Maildrop::new(messages.iter().cloned()));
        let (server, home) = server
            .security(Security::Plain)
            .with_home("keep = \"never\"\n");
        let failing = Failing {
            names,
            from,
            once,
            action,
        };
        let seen = failing.run(&home, &server)?;
        let what = format!("{action:?} of {:?}: {}", seen.failed, seen.stderr);
        server.sessions();
        assert_none_is_lost(&messages, &server, &home, &what);
        let quit = server.count("QUIT") > 0;
        match seen.status {
            0 => assert!(quit && server.maildrop().count() == 0, "{what}"),
            status @ 73..=75 if status != 75 || is_scarce(action) => {
                assert_eq!(quit, seen.after_quit, "{what}");
                assert!(seen.stderr.contains("error: a: "), "{what}");
                assert!(seen.stderr.contains("hint: "), "{what}");
                let path = home.path().to_str().unwrap();
                assert!(seen.stderr.contains(path), "no path in {what}");
            }
            status => panic!("{status} after {what}"),
        }
        check(&seen, &what);
        finish(&messages, &server, &home, &what);
        match seen.failed.is_empty() {
            true => assert_eq!(seen.status, 0, "{what}"),
            false => *statuses.entry(seen.status).or_default() += 1,
        }
        Some(seen.calls)
    });
    let Some(calls) = calls else { return };
    eprintln!("{action:?} at some of {calls} places, once {once}: exit statuses {statuses:?}");
    assert!(calls > 10, "so few are no fetch of ten messages: {calls}");
}

#[test]
fn d26_an_input_output_error_of_any_call_loses_and_doubles_nothing() {
    fail_everywhere(ALL, true, Action::Fail(Errno::EIO), |_, _| ());
}

#[test]
fn d26_d30_a_call_that_had_its_effect_and_reports_an_error_loses_and_doubles_nothing() {
    fail_everywhere(ALL, true, Action::Belie(Errno::EIO), |_, _| ());
}

#[test]
fn d26_t8_syncs_that_fail_from_any_one_on_are_never_tried_again_and_end_the_run() {
    fail_everywhere(SYNCS, false, Action::Fail(Errno::EIO), |seen, what| {
        assert!(seen.failed.is_empty() || seen.status != 0, "{what}");
    });
}

#[test]
fn d25_a_disk_that_is_full_from_any_call_on_loses_and_doubles_nothing_and_says_so() {
    fail_everywhere(GROWTH, false, Action::Fail(Errno::ENOSPC), |seen, what| {
        let hint = "make room on the disk";
        assert!(seen.status != 74 || seen.stderr.contains(hint), "{what}");
    });
}

#[test]
fn d25_a_used_up_quota_loses_and_doubles_nothing_and_says_so() {
    const WRITES: &[&str] = &["write", "openat"];
    fail_everywhere(WRITES, false, Action::Fail(Errno::EDQUOT), |seen, what| {
        let hint = "make room on the disk";
        assert!(seen.status != 74 || seen.stderr.contains(hint), "{what}");
    });
}

#[test]
fn e_6_hint_a_system_without_files_or_memory_to_spare_loses_nothing_and_says_what_to_do() {
    for (errno, hint) in [
        (Errno::ENFILE, "the whole system has too many files open"),
        (Errno::ENOMEM, "the system has no memory to spare"),
        (Errno::EMFILE, "raise the limit (ulimit -n)"),
    ] {
        fail_everywhere(&["openat"], false, Action::Fail(errno), |seen, what| {
            assert!(seen.status == 0 || seen.stderr.contains(hint), "{what}");
        });
    }
}

#[test]
fn d27_a_write_that_takes_half_of_its_octets_is_gone_on_with() {
    fail_everywhere(&["write"], true, Action::Halve, |seen, what| {
        assert_eq!(seen.status, 0, "{what}");
    });
    fail_everywhere(&["write"], false, Action::Halve, |seen, what| {
        assert_eq!(seen.status, 0, "{what}");
    });
}

#[test]
fn d27_a_call_that_is_interrupted_is_made_again() {
    fail_everywhere(ALL, true, Action::Fail(Errno::EINTR), |seen, what| {
        assert_eq!(seen.status, 0, "{what}");
    });
}

/// A file system on which these calls are answered so.
fn fetch_with(answers: &[(&str, Action)], kill_at: Option<&str>) {
    let messages = generate(MESSAGES, 600);
    let server = Server::builder(&Maildrop::new(messages.iter().cloned()));
    let (server, home) = server
        .security(Security::Plain)
        .with_home("keep = \"never\"\n");
    let what = format!("{answers:?}, killed at {kill_at:?}");
    let mut calls = BTreeMap::new();
    let end = tracer::run(&mut tracer::fetch(&home), |call| {
        *calls.entry(call.name).or_insert(0) += 1;
        let is_ours = call.file.starts_with(home.path().join("Mail"));
        if is_ours && kill_at == Some(call.name) && calls[call.name] > 1 {
            return Action::Kill;
        }
        let answer = answers.iter().find(|(name, _)| *name == call.name);
        answer.map_or(Action::Pass, |(_, action)| *action)
    });
    let Some(end) = end else { return };
    match kill_at {
        None => assert_eq!(end, End::Exited(0), "{what}"),
        Some(_) => assert!(matches!(end, End::Killed(_)), "{what}"),
    }
    assert!(calls["renameat2"] > 0, "{what}");
    server.sessions();
    assert_none_is_lost(&messages, &server, &home, &what);
    finish(&messages, &server, &home, &what);
}

#[test]
fn d9_without_a_rename_that_never_replaces_messages_are_linked_and_without_links_renamed() {
    for unknown in [Errno::EINVAL, Errno::ENOSYS] {
        let no_rename = ("renameat2", Action::Fail(unknown));
        fetch_with(&[no_rename], None);
        // Here a message has two names.
        fetch_with(&[no_rename], Some("unlinkat"));
        for error in [Errno::EPERM, Errno::EOPNOTSUPP] {
            fetch_with(&[no_rename, ("linkat", Action::Fail(error))], None);
        }
    }
}

#[test]
fn d30_a_link_whose_first_answer_was_lost_is_one_all_the_same() {
    let no_rename = ("renameat2", Action::Fail(Errno::EINVAL));
    fetch_with(&[no_rename, ("linkat", Action::Belie(Errno::EEXIST))], None);
}
