use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::given::{assert_said, command, mail, run, server};
use crate::support::maildrop::Maildrop;
use crate::support::message::generate;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

/// A small file system of its own; only root can have one.
struct Tmpfs(PathBuf);

impl Tmpfs {
    fn mount(at: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mounted = mount(&format!("size={size}"), at);
        if !mounted {
            eprintln!("SKIPPED: cannot mount a tmpfs; this test needs root");
        }
        mounted.then(|| Self(at.into()))
    }

    fn grow(&self, size: &str) {
        assert!(mount(&format!("remount,size={size}"), &self.0));
    }
}

fn mount(options: &str, at: &Path) -> bool {
    let mut command = Command::new("mount");
    command
        .args(["-t", "tmpfs", "-o", options, "tmpfs"])
        .arg(at);
    let status = command.stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn t7_a_full_disk_loses_nothing_and_leaves_no_junk() {
    let messages = generate(8, 20_000);
    let server = Server::start(&Maildrop::new(messages.clone()));
    let home = Home::new();
    home.one_account(&server.account(), "keep = \"never\"\n");
    let Some(disk) = Tmpfs::mount(&home.path().join("Mail"), "64k") else {
        return;
    };
    for _ in 0..2 {
        let output = run(&home, &[], 74);
        assert_said(&output, &["error: a: ", "hint: make room on the disk"]);
        assert_eq!(server.last_session().count("QUIT"), 0);
        assert_eq!(server.maildrop().count(), 8);
        tree::assert_tmp_is_empty(&home.maildir("a"));
    }
    disk.grow("1m");
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &messages);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn t7_a_full_disk_for_the_state_loses_nothing_either() {
    let messages = mail(40);
    let server = Server::start(&Maildrop::new(messages.clone()));
    let home = Home::new();
    home.one_account(&server.account(), "keep = \"never\"\n");
    let Some(disk) = Tmpfs::mount(&home.state(), "12k") else {
        return;
    };
    // Something else has used up nearly all of it.
    fs::write(home.state().join("ballast"), vec![0; 4096]).unwrap();
    let output = home.popfetch(["fetch"]).run();
    assert_eq!(output.status, Some(74), "{output:#?}");
    assert_said(&output, &["error: a: ", "hint: make room on the disk"]);
    assert_eq!(server.count("QUIT"), 0);
    assert_eq!(server.maildrop().count(), 40);
    disk.grow("1m");
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &messages);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn s52_a_report_that_cannot_be_written_is_an_error_but_the_mail_is_stored() {
    for format in ["json", "paths"] {
        let (server, home) = server(3);
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = command(&home, &["--format", format]);
        let output = command.stdout(full).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(74), "{stderr}");
        assert!(stderr.contains("report could not be written"), "{stderr}");
        tree::assert_holds(&home.maildir("a"), &server.maildrop().messages());
        // It is recorded, too.
        assert!(run(&home, &[], 0).stderr.contains("nothing new"));
    }
}

#[test]
fn s52_a_reader_that_has_had_enough_ends_nothing() {
    for (arguments, stored) in [
        (&["--format", "json"][..], 3),
        (&["--format", "paths", "-0"], 3),
        (&["check"], 0),
        (&["fetch", "--dry-run"], 0),
        (&["account", "list"], 0),
    ] {
        let (_server, home) = server(3);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(&home, arguments).stdout(writer).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("error"), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
        assert_eq!(tree::count(&home.maildir("a")), stored);
    }
}
