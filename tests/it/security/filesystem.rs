use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};

use super::can_give_files;
use crate::given::{assert_said, behaving, command, mail, run, server};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::process::{Daemon, PATIENCE, within};
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

const SOMEBODY: u32 = 54321;

fn give(path: &Path, user: u32) {
    std::os::unix::fs::lchown(path, Some(user), Some(user)).unwrap();
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn below(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![path.to_owned()];
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            found.extend(below(&entry.unwrap().path()));
        }
    }
    found
}

#[track_caller]
fn assert_private(path: &Path, umask: &str) {
    for path in below(path) {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        let found = metadata.mode() & 0o7777;
        assert_eq!(found, expected, "{} under umask {umask}", path.display());
    }
}

/// The program under another umask.
fn under_umask(home: &Home, umask: &str, arguments: &[&str]) -> Command {
    let program = command(home, arguments);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "umask \"$1\"; shift; exec \"$@\"", "sh", umask]);
    shell.arg(program.get_program()).args(program.get_args());
    shell.env_clear().current_dir(home.path());
    for (name, value) in program.get_envs() {
        shell.env(name, value.unwrap());
    }
    shell
}

#[test]
fn s50_all_that_is_made_is_for_its_owner_alone_under_any_umask_while_it_is_made_and_after() {
    for umask in ["000", "022", "077"] {
        let half = b"+OK\r\nSubject: half\r\n\r\nhalf".to_vec();
        let stalling = Behaviour::new().on("RETR 2", Reply::RawThenEnd(half, Ending::Stall));
        let (server, home) = behaving(2, stalling);
        let mut running = Daemon::start(&mut under_umask(&home, umask, &["-q"]));
        // What has come of the second message stays in tmp/. Once the first has its name in new/,
        // no file comes, goes or moves while we look.
        within(PATIENCE, || {
            let files = |part| fs::read_dir(home.maildir("a").join(part)).ok();
            let mut half = files("tmp")?.map(|entry| entry.unwrap());
            let half = half.find(|entry| entry.metadata().is_ok_and(|m| m.len() > 0))?;
            files("new")?.next().map(|_| half)
        })
        .expect("a file in tmp/");
        assert_private(&home.path().join("Mail"), umask);
        assert_private(&home.path().join("state"), umask);
        assert!(!running.has_ended());
        let process = Pid::from_child(running.child());
        kill_process(process, Signal::KILL).unwrap();
        drop(running);
        server.behave(Behaviour::new());
        let status = under_umask(&home, umask, &["-q"]).status().unwrap();
        assert!(status.success());
        // Damage makes it write the state anew, and keep the old one.
        for journal in below(&home.state()) {
            if journal.extension().is_some_and(|e| e == "journal") {
                fs::write(&journal, "damaged\n").unwrap();
            }
        }
        let output = under_umask(&home, umask, &["fetch"]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("was damaged and is kept"), "{stderr}");
        tree::assert_holds(&home.maildir("a"), &mail(2));
        assert!(
            below(&home.state()).len() >= 4,
            "the old state is kept, too"
        );
        assert_private(&home.path().join("Mail"), umask);
        assert_private(&home.path().join("state"), umask);
    }
}

#[test]
fn s52_a_closed_standard_output_or_error_harms_no_mail() {
    for closed in [">&-", "2>&-", ">&- 2>&-", "<&-"] {
        for format in ["text", "json"] {
            let (_server, home) = server(2);
            let program = command(&home, &["--format", format]);
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", &format!("exec \"$@\" {closed}"), "sh"]);
            shell.arg(program.get_program()).args(program.get_args());
            shell.env_clear().current_dir(home.path());
            for (name, value) in program.get_envs() {
                shell.env(name, value.unwrap());
            }
            let output = shell.output().unwrap();
            assert!(matches!(output.status.code(), Some(0 | 74)), "{output:?}");
            tree::assert_holds(&home.maildir("a"), &mail(2));
            // Whatever file got a closed descriptor's number has no report in it.
            for file in below(&home.state()).iter().filter(|path| path.is_file()) {
                let text = fs::read_to_string(file).unwrap();
                assert!(!text.contains("new message"), "{closed}: {text}");
            }
        }
    }
}

/// Refused with a hint before any password goes anywhere, and nothing is changed.
#[track_caller]
fn refused(server: &Server, home: &Home, status: i32, words: &[&str]) -> Output {
    let sessions = server.sessions().len();
    let output = run(home, &[], status);
    assert_said(&output, &["error: a: ", "hint: "]);
    assert_said(&output, words);
    assert_eq!(server.sessions().len(), sessions, "{output:#?}");
    output
}

#[test]
fn s53_a_part_of_the_maildir_that_is_a_link_is_refused_and_not_followed() {
    for part in ["tmp", "new", "cur"] {
        let (server, home) = server(1);
        let maildir = home.maildir("a");
        let elsewhere = home.path().join("elsewhere");
        for directory in ["tmp", "new", "cur"] {
            fs::create_dir_all(maildir.join(directory)).unwrap();
        }
        fs::create_dir(&elsewhere).unwrap();
        fs::remove_dir(maildir.join(part)).unwrap();
        symlink(&elsewhere, maildir.join(part)).unwrap();
        refused(&server, &home, 73, &[part]);
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }
}

#[test]
fn s53_a_part_of_the_maildir_that_anyone_can_write_to_is_refused() {
    for part in ["tmp", "new", "cur", "."] {
        let (server, home) = server(2);
        run(&home, &["fetch", "--keep"], 0);
        let part = home.maildir("a").join(part);
        for mode in [0o777, 0o702] {
            set_mode(&part, mode);
            refused(&server, &home, 73, &["anyone can write", "chmod o-w"]);
        }
        // With the sticky bit others may add, but neither replace nor remove.
        for mode in [0o1777, 0o770, 0o755] {
            set_mode(&part, mode);
            run(&home, &[], 0);
        }
    }
}

#[test]
fn s53_s58_another_persons_maildir_is_refused_even_to_root() {
    if !can_give_files() {
        return;
    }
    let (server, home) = server(1);
    run(&home, &[], 0);
    for part in ["tmp", "new", "cur"] {
        let part = home.maildir("a").join(part);
        give(&part, SOMEBODY);
        refused(&server, &home, 73, &["belongs to another user"]);
        give(&part, 0);
    }
    let whole = below(&home.maildir("a"));
    whole.iter().for_each(|path| give(path, SOMEBODY));
    refused(&server, &home, 73, &["belongs to another user"]);
    for path in below(&home.maildir("a")) {
        assert_eq!(fs::metadata(&path).unwrap().uid(), SOMEBODY, "{path:?}");
    }
}

#[test]
fn s58_root_makes_nothing_in_another_persons_home() {
    if !can_give_files() {
        return;
    }
    let (server, home) = server(1);
    let state = home.path().join("state");
    for (foreign, status) in [(&state, 78), (&home.path().join("Mail"), 73)] {
        fs::create_dir_all(foreign).unwrap();
        give(foreign, SOMEBODY);
        refused(
            &server,
            &home,
            status,
            &["in a directory that belongs to another user"],
        );
        assert_eq!(fs::read_dir(foreign).unwrap().count(), 0);
        give(foreign, 0);
    }
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(1));
}

fn state_files(home: &Home) -> [PathBuf; 2] {
    let find = |extension: &str| {
        let files = below(&home.state());
        let wanted = |path: &&PathBuf| path.extension().is_some_and(|e| e == extension);
        files.iter().find(wanted).unwrap().clone()
    };
    [find("journal"), find("lock")]
}

#[test]
fn s60_a_state_directory_that_is_a_link_or_open_to_anyone_is_refused() {
    let (server, home) = server(1);
    run(&home, &[], 0);
    set_mode(&home.state(), 0o777);
    refused(&server, &home, 78, &["anyone can write", "chmod o-w"]);
    set_mode(&home.state(), 0o700);
    let elsewhere = home.path().join("elsewhere");
    fs::rename(home.state(), &elsewhere).unwrap();
    symlink(&elsewhere, home.state()).unwrap();
    refused(&server, &home, 78, &["link"]);
    fs::remove_file(home.state()).unwrap();
    fs::rename(&elsewhere, home.state()).unwrap();
    assert_said(&run(&home, &[], 0), &["nothing new"]);
}

#[test]
fn s60_a_state_directory_of_another_person_is_refused_even_to_root() {
    if !can_give_files() {
        return;
    }
    let (server, home) = server(1);
    run(&home, &[], 0);
    give(&home.state(), SOMEBODY);
    refused(&server, &home, 78, &["belongs to another user"]);
    give(&home.state(), 0);
    assert_said(&run(&home, &[], 0), &["nothing new"]);
}

#[test]
fn s60_a_state_file_that_is_a_link_is_not_followed() {
    for which in [0, 1] {
        let (server, home) = server(1);
        run(&home, &[], 0);
        let file = &state_files(&home)[which];
        let precious = home.private_file("precious", "precious\n");
        for target in [precious.as_path(), &home.path().join("not there yet")] {
            fs::remove_file(file).unwrap();
            symlink(target, file).unwrap();
            refused(&server, &home, 78, &["link"]);
        }
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious\n");
        assert!(!home.path().join("not there yet").exists());
    }
}

#[test]
fn s60_a_state_file_that_is_another_file_by_a_hard_link_leaves_that_one_as_it_was() {
    for which in [0, 1] {
        for text in ["precious\n", ""] {
            let (_server, home) = server(1);
            run(&home, &[], 0);
            let file = &state_files(&home)[which];
            let precious = home.private_file("precious", text);
            fs::remove_file(file).unwrap();
            fs::hard_link(&precious, file).unwrap();
            let output = home.popfetch(["fetch"]).run();
            assert_eq!(fs::read_to_string(&precious).unwrap(), text, "{output:#?}");
            // The journal can be made again beside it; a lock cannot, for it has to stay.
            let statuses = [Some(0), Some(78)];
            assert_eq!(output.status, statuses[which], "{output:#?}");
            tree::assert_holds(&home.maildir("a"), &mail(1));
        }
    }
}

#[test]
fn s60_a_backup_by_hard_links_stops_nothing() {
    let (server, home) = server(1);
    run(&home, &[], 0);
    for (n, file) in state_files(&home).iter().enumerate() {
        fs::hard_link(file, home.path().join(format!("backup-{n}"))).unwrap();
    }
    server.maildrop().add([crate::given::letter(2)]);
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
}

#[test]
fn s54_s60_a_state_file_that_is_a_fifo_or_a_directory_is_refused_at_once() {
    for which in [0, 1] {
        let (server, home) = server(1);
        run(&home, &[], 0);
        let file = &state_files(&home)[which];
        let kept = fs::read(file).unwrap();
        fs::remove_file(file).unwrap();
        mknodat(CWD, file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        for command in [&["fetch"][..], &["fetch", "-n"], &["state", "show", "a"]] {
            let run = home.popfetch(command).limit(Duration::from_secs(20));
            let output = run.run();
            let only_looks = which == 1 && command != ["fetch"];
            assert_eq!(
                output.status,
                Some(if only_looks { 0 } else { 78 }),
                "{output:#?}"
            );
        }
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
        let sessions = server.sessions().len();
        let output = home.popfetch(["fetch"]).run();
        assert!(matches!(output.status, Some(74 | 78)), "{output:#?}");
        assert_said(&output, &["error: a: cannot use the state file", "hint: "]);
        assert_eq!(server.sessions().len(), sessions);
        fs::remove_dir(file).unwrap();
        fs::write(file, &kept).unwrap();
        set_mode(file, 0o600);
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(1));
    }
}

#[test]
fn s60_a_state_file_of_another_person_is_refused_even_to_root() {
    if !can_give_files() {
        return;
    }
    for which in [0, 1] {
        let (server, home) = server(1);
        run(&home, &[], 0);
        let file = &state_files(&home)[which];
        give(file, SOMEBODY);
        refused(&server, &home, 78, &["belongs to another user"]);
        give(file, 0);
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(1));
    }
}
