//! What an account has run once new mail is stored.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;

use crate::given::{assert_said, letter, mail, plainly, run, server};
use crate::support::account::Security;
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::process::{PATIENCE, make_program, within};
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;

/// Makes the program `hook` of the home run this script; the key that names it.
fn hook(home: &Home, script: &str) -> String {
    let path = home.path().join("hook");
    make_program(&path, &format!("#!/bin/sh\n{script}\n"));
    format!("on-new = [{path:?}, '{{account}}', '$HOME']\n")
}

/// A server with these messages, and a home whose account "a" runs this.
fn with_hook(count: usize, script: &str, keys: &str) -> (Server, Home) {
    let (server, home) = plainly(count, Behaviour::new());
    let key = hook(&home, script);
    home.one_account(&server.account(), &(key + keys));
    (server, home)
}

fn read(home: &Home, name: &str) -> String {
    fs::read_to_string(home.path().join(name)).unwrap_or_default()
}

/// The paths of all that is in new/, in order.
fn stored(home: &Home) -> Vec<PathBuf> {
    let mut paths = tree::new_files(&home.maildir("a"));
    paths.sort();
    paths
}

/// What is told, but for the servers' being as plain as they are.
fn told(output: &Output) -> Vec<&str> {
    let lines = output.stderr.lines();
    lines
        .filter(|line| !line.contains("not encrypted"))
        .collect()
}

fn sorted(text: &str, end: char) -> Vec<PathBuf> {
    let mut paths: Vec<_> = text.split_terminator(end).map(PathBuf::from).collect();
    paths.sort();
    paths
}

#[test]
fn a_program_is_run_once_after_a_fetch_that_brought_something_and_reads_the_new_paths() {
    let script = "echo \"$@\" >> arguments; env | grep ^POPFETCH_ >> surroundings; cat >> paths";
    let (server, home) = with_hook(3, script, "");
    let output = run(&home, &["-q"], 0);
    assert_eq!(output.stdout, "");
    assert!(told(&output).is_empty(), "{output:#?}");
    assert_eq!(sorted(&read(&home, "paths"), '\n'), stored(&home));
    // No shell has seen the arguments.
    assert_eq!(read(&home, "arguments"), "a $HOME\n");
    let mut lines: Vec<_> = read(&home, "surroundings")
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    let octets: u64 = mail(3).iter().map(|it| it.stored().len() as u64).sum();
    let maildir = home.maildir("a");
    let wanted = [
        "POPFETCH_ACCOUNT=a".to_owned(),
        format!("POPFETCH_MAILDIR={}", maildir.display()),
        "POPFETCH_NEW=3".to_owned(),
        format!("POPFETCH_OCTETS={octets}"),
        "POPFETCH_STATUS=0".to_owned(),
    ];
    assert_eq!(lines, wanted);

    // Nothing new: nothing is run. Something new: that alone.
    run(&home, &["-q"], 0);
    run(&home, &["check", "-q"], 1);
    server.maildrop().add([letter(4)]);
    run(&home, &["fetch", "--dry-run"], 0);
    assert_eq!(read(&home, "arguments"), "a $HOME\n");
    let before = stored(&home);
    fs::remove_file(home.path().join("paths")).unwrap();
    run(&home, &["-q"], 0);
    assert_eq!(read(&home, "arguments"), "a $HOME\na $HOME\n");
    let told = sorted(&read(&home, "paths"), '\n');
    assert_eq!(told.len(), 1);
    assert!(
        !before.contains(&told[0]) && stored(&home).contains(&told[0]),
        "{told:?}"
    );
}

#[test]
fn paths_end_with_nul_where_that_is_asked_for() {
    let (_server, home) = with_hook(2, "cat > paths", "on-new-paths = \"nul\"\n");
    run(&home, &[], 0);
    assert_eq!(sorted(&read(&home, "paths"), '\0'), stored(&home));
}

/// All is as if there were no program, but for the warning.
fn assert_harmless(output: &Output, server: &Server, home: &Home, count: usize) {
    tree::assert_holds(&home.maildir("a"), &mail(count));
    assert_eq!(server.maildrop().count(), 0, "{output:#?}");
    run(home, &["verify"], 0);
    run(home, &["-q"], 0);
    assert_eq!(server.last_session().count("RETR"), 0);
}

#[test]
fn one_that_fails_is_a_warning_and_changes_neither_mail_nor_state_nor_the_exit_status() {
    let script = "printf 'no \\033[31mred\\n\\n' >&2; exit 3";
    let (server, home) = with_hook(3, script, "keep = \"never\"\n");
    let output = run(&home, &["-q"], 0);
    assert_said(
        &output,
        &[
            "warning: a: on-new: ",
            "failed: exit status: 3",
            "no \\x1b[31mred",
        ],
    );
    assert!(!output.stderr.contains('\u{1b}'), "{output:#?}");
    assert_harmless(&output, &server, &home, 3);
}

#[test]
fn one_that_is_not_there_is_a_warning() {
    let (server, home) = plainly(2, Behaviour::new());
    let keys = "on-new = [\"no-such-popfetch-hook\"]\nkeep = \"never\"\n";
    home.one_account(&server.account(), keys);
    let output = run(&home, &["--format", "json"], 0);
    assert_said(&output, &["cannot run no-such-popfetch-hook: No such file"]);
    assert!(
        output.stdout.contains("\"event\":\"warning\""),
        "{output:#?}"
    );
    assert_harmless(&output, &server, &home, 2);
}

#[test]
fn one_that_hangs_is_ended_with_all_that_it_has_started() {
    let script = "trap '' TERM; sleep 600 & echo $! > child; sleep 600";
    let keys = "on-new-timeout = \"1 s\"\nkeep = \"never\"\n";
    let (server, home) = with_hook(2, script, keys);
    let output = run(&home, &["-q"], 0);
    assert_said(&output, &["took longer than 1 s (on-new-timeout)"]);
    let child = read(&home, "child").trim().to_owned();
    assert!(!child.is_empty(), "{output:#?}");
    // Its parent is gone, and whoever inherited it may take a moment to notice its end.
    let gone = within(PATIENCE, || is_gone(&child).then_some(()));
    assert!(gone.is_some(), "{child} is still there");
    assert_harmless(&output, &server, &home, 2);
}

/// Whether a process has ended, waited for or not.
fn is_gone(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.is_none_or(|state| state == 'Z' || state == 'X')
}

#[test]
fn one_that_prints_without_end_and_reads_nothing_is_shown_in_part() {
    let script = "seq 1 300000 >&2; seq 1 300000; exit 1";
    let (server, home) = with_hook(2, script, "keep = \"never\"\n");
    let output = run(&home, &["-q"], 0);
    assert_eq!(output.stdout, "");
    assert_said(
        &output,
        &["says: 1\n", "says: 10\n", "(and more, which is left out)"],
    );
    assert_eq!(told(&output).len(), 12, "{output:#?}");
    assert_harmless(&output, &server, &home, 2);
}

#[test]
fn what_a_program_says_that_does_well_is_for_who_has_not_asked_for_quiet() {
    let (_server, home) = with_hook(1, "echo indexed >&2", "");
    assert_said(&run(&home, &[], 0), &["hook says: indexed"]);
}

#[test]
fn an_account_is_not_held_up_by_the_program_of_another() {
    let first = Server::builder(&Maildrop::new(mail(2)))
        .security(Security::Plain)
        .start();
    let second = Server::builder(&Maildrop::new(mail(3)))
        .security(Security::Plain)
        .start();
    let home = Home::new();
    // That of "a" waits for the mail of "b", whose turn comes when "a" is done.
    let waits = format!(
        "until [ -n \"$(ls {:?} 2> /dev/null)\" ]; do sleep 0.01; done; echo seen > seen",
        home.maildir("b").join("new")
    );
    let key = hook(&home, &waits);
    let config = home.account_config("a", &first.account()) + &key;
    home.config(&(config + &home.account_config("b", &second.account())));
    let output = run(&home, &["-q", "--jobs", "1"], 0);
    assert_eq!(output.stderr.matches("on-new").count(), 0, "{output:#?}");
    assert_eq!(read(&home, "seen"), "seen\n");
    tree::assert_holds(&home.maildir("b"), &mail(3));
}

#[test]
fn a_signal_ends_a_program_and_the_run_that_waits_for_it() {
    let (_server, home) = with_hook(2, "echo there > there; sleep 600", "");
    let mut running = home.popfetch(["fetch"]).start();
    let there = within(Duration::from_secs(30), || {
        (read(&home, "there") == "there\n").then_some(())
    });
    assert!(there.is_some(), "{}", running.stderr_so_far());
    running.signal(Signal::INT);
    let output = running.wait();
    assert_eq!(output.status, Some(130), "{output:#?}");
    assert_said(&output, &["was ended by a signal"]);
    tree::assert_holds(&home.maildir("a"), &mail(2));
}

#[test]
fn what_a_killed_run_had_stored_is_told_to_the_next_ones_program() {
    let (server, home) = server(5);
    server.behave(Behaviour::new().delay(Duration::from_millis(30)));
    let key = hook(&home, "cat >> paths");
    home.one_account(&server.account(), &key);
    let mut running = home.popfetch(["fetch", "-q"]).start();
    let some = within(Duration::from_secs(30), || {
        (tree::count(&home.maildir("a")) > 0).then_some(())
    });
    assert!(some.is_some(), "{}", running.stderr_so_far());
    running.signal(Signal::KILL);
    running.wait();
    server.behave(Behaviour::new());
    server.sessions();
    run(&home, &["-q"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(5));
    assert_eq!(sorted(&read(&home, "paths"), '\n'), stored(&home));
}

#[test]
fn an_account_may_do_without_the_program_of_the_defaults() {
    let (server, home) = plainly(1, Behaviour::new());
    let key = hook(&home, "echo run >> run");
    let config = home.account_config("a", &server.account());
    home.config(&format!("[defaults]\n{key}\n{config}on-new = []\n"));
    run(&home, &[], 0);
    assert_eq!(read(&home, "run"), "");
    server.maildrop().add([letter(2)]);
    home.config(&format!("[defaults]\n{key}\n{config}"));
    run(&home, &[], 0);
    assert_eq!(read(&home, "run"), "run\n");
}
