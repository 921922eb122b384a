use std::fs::OpenOptions;
use std::path::PathBuf;

use crate::given::{assert_said, command, mail, run, server};
use crate::support::account::Security;
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, generate};
use crate::support::mounted::Mounted;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

/// Runs with a disk of this size for the Maildir, or for the state, until it is full, and then
/// with a larger one. Gives whether it was full.
fn fill(place: fn(&Home) -> PathBuf, options: &str, messages: &[Message]) -> Option<bool> {
    let server = Server::builder(&Maildrop::new(messages.iter().cloned()));
    let (server, home) = server
        .security(Security::Plain)
        .with_home("keep = \"never\"\n");
    let disk = Mounted::tmpfs(&place(&home), options)?;
    let mut full = false;
    for _ in 0..2 {
        let output = home.popfetch(["fetch"]).run();
        if output.status == Some(0) {
            break;
        }
        full = true;
        let create = output.stderr.contains("cannot create the Maildir");
        let status = if create { 73 } else { 74 };
        assert_eq!(output.status, Some(status), "{options}: {output:#?}");
        let path = place(&home).display().to_string();
        assert_said(&output, &["error: a: ", &path, "hint: "]);
        let what_to_do = match options.contains("nr_inodes") {
            true => "the disk has room, but can take no more files (df -i)",
            false => "make room on the disk",
        };
        assert!(create || output.stderr.contains(what_to_do), "{output:#?}");
        let left = server.maildrop().count();
        if server.count("QUIT") > 0 {
            // What there was no room for was not asked for, or all was stored and recorded, and then
            // there was no room to note its deletion.
            let stored = tree::count(&home.maildir("a"));
            assert_eq!(left + stored, messages.len(), "{options}");
            break;
        }
        assert_eq!(left, messages.len(), "{options}");
        tree::assert_tmp_is_empty(&home.maildir("a"));
    }
    disk.remount("size=2m,nr_inodes=1000");
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), messages);
    run(&home, &[], 0);
    assert_eq!(server.last_session().count("RETR"), 0, "{options}");
    assert_eq!(server.maildrop().count(), 0, "{options}");
    Some(full)
}

/// From a disk that holds nothing to one that holds all.
fn fill_disks(
    place: fn(&Home) -> PathBuf,
    options: impl IntoIterator<Item = String>,
    messages: &[Message],
) {
    let mut seen = [0, 0];
    for options in options {
        let Some(full) = fill(place, &options, messages) else {
            return;
        };
        seen[usize::from(full)] += 1;
    }
    eprintln!("{} disks had room enough, {} had not", seen[0], seen[1]);
    assert!(seen[0] > 0 && seen[1] > 2, "{seen:?}");
}

fn mail_directory(home: &Home) -> PathBuf {
    home.path().join("Mail")
}

#[test]
fn t7_d25_a_full_disk_loses_nothing_and_leaves_no_junk() {
    let sizes = [4, 20, 24, 44, 68, 100, 140, 164, 200];
    let options = sizes.map(|size| format!("size={size}k"));
    fill_disks(mail_directory, options, &generate(8, 20_000));
}

#[test]
fn d25_a_disk_without_room_for_more_files_loses_nothing_and_leaves_no_junk() {
    let inodes = [1, 2, 3, 4, 5, 6, 8, 11, 13, 14, 16, 20];
    let options = inodes.map(|inodes| format!("size=1m,nr_inodes={inodes}"));
    fill_disks(mail_directory, options, &generate(8, 600));
}

#[test]
fn t7_d25_a_full_disk_for_the_state_loses_nothing_either() {
    // Half of these have no room for all lines of the journal.
    let sizes = [4, 8, 12, 16, 20, 24].map(|size| format!("size={size}k"));
    let inodes = [1, 2, 3].map(|inodes| format!("size=1m,nr_inodes={inodes}"));
    fill_disks(Home::state, sizes.into_iter().chain(inodes), &mail(60));
}

#[test]
fn d25_a_limit_on_the_size_of_files_is_told_as_an_error_and_loses_nothing() {
    let messages = generate(8, 20_000);
    let server = Server::builder(&Maildrop::new(messages.clone()));
    let server = server.security(Security::Plain).start();
    let home = Home::with_program("sh");
    home.one_account(&server.account(), "keep = \"never\"\n");
    let fetch = |limit: &str, status: i32| {
        let script = format!("ulimit -f {limit}; exec \"$0\" fetch");
        home.popfetch(["-c", &script, env!("CARGO_BIN_EXE_popfetch")])
            .expect(status)
    };
    // In units of 512 or 1024 octets: not enough for a message either way.
    let output = fetch("10", 74);
    let maildir = home.maildir("a").display().to_string();
    assert_said(&output, &["error: a: ", &maildir, "hint: "]);
    assert_eq!((server.count("RETR"), server.count("DELE")), (0, 0));
    assert_eq!(server.maildrop().count(), 8);
    tree::assert_tmp_is_empty(&home.maildir("a"));
    fetch("unlimited", 0);
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
fn s52_where_standard_error_cannot_be_written_a_command_does_what_it_is_for() {
    for (arguments, status) in [
        (&["fetch", "--dry-run"][..], 0),
        (&["fetch"], 0),
        (&["verify"], 0),
        (&["state", "show", "a"], 0),
        (&["state", "accept", "a", "none-such"], 1),
        (&["account", "list"], 0),
    ] {
        let (_server, home) = server(3);
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = command(&home, arguments);
        let output = command.stderr(full).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments:?}: {output:?}"
        );
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
