//! Whoever reads the report: slow, stopped, gone with a run that was killed. The mail does not wait
//! for them, and what they were not told the next run tells.

use std::collections::HashSet;
use std::io::Read;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::given::{assert_said, command, gate, letter, mail, run};
use crate::support::account::Security;
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::process::{PATIENCE, within};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

/// Their lines are more than a pipe holds, several times.
const MANY: usize = 1000;

fn plain_server(count: usize) -> (Server, Home) {
    let maildrop = Maildrop::new(mail(count));
    Server::builder(&maildrop)
        .security(Security::Plain)
        .with_home("keep = \"never\"\n")
}

/// A run whose standard output is a pipe that nobody reads yet.
fn unread(home: &Home, arguments: &[&str]) -> Child {
    let mut command = command(home, arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits until all is stored here, and nothing is left there.
fn wait_for_the_mail(server: &Server, home: &Home) {
    let done = || (server.maildrop().count() == 0).then_some(());
    within(PATIENCE, done).expect("the fetch waits for the reader");
    assert_eq!(tree::count(&home.maildir("a")), MANY);
}

fn status_of(child: &mut Child) -> Option<i32> {
    within(PATIENCE, || child.try_wait().unwrap()).and_then(|status| status.code())
}

fn rest_of(child: &mut Child) -> String {
    let mut text = String::new();
    let stdout = child.stdout.take();
    stdout.unwrap().read_to_string(&mut text).unwrap();
    text
}

/// The messages of a report in JSON: the path of each, and whether it was recovered. A line that was
/// cut in the middle is none.
fn messages(text: &str) -> Vec<(String, bool)> {
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let messages = lines.filter(|line: &Value| line["event"] == "message");
    let told = messages.map(|it| {
        let path = it["path"].as_str().unwrap().to_owned();
        (path, it["recovered"].as_bool().unwrap())
    });
    told.collect()
}

fn paths(told: &[(String, bool)]) -> HashSet<&str> {
    told.iter().map(|(path, _)| path.as_str()).collect()
}

#[test]
fn e_2_a_reader_that_stops_does_not_stop_the_fetch_and_is_told_all_when_it_goes_on() {
    for format in ["json", "paths"] {
        let (server, home) = plain_server(MANY);
        let mut child = unread(&home, &["--format", format]);
        wait_for_the_mail(&server, &home);
        let text = rest_of(&mut child);
        assert_eq!(status_of(&mut child), Some(0));
        let told = match format {
            "json" => messages(&text).len(),
            _ => text.lines().count(),
        };
        assert_eq!(told, MANY);
    }
}

#[test]
fn e_2_e_7_sigterm_ends_a_run_whose_reader_has_stopped_and_the_next_run_tells_the_rest() {
    let (server, home) = plain_server(MANY);
    let mut child = unread(&home, &["--format", "json"]);
    wait_for_the_mail(&server, &home);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(status_of(&mut child), Some(143));
    let first = messages(&rest_of(&mut child));
    assert!(first.len() < MANY, "the pipe took all of them");
    server.sessions();
    let second = messages(&run(&home, &["--format", "json"], 0).stdout);
    assert!(second.iter().all(|(_, recovered)| *recovered));
    let (first, second) = (paths(&first), paths(&second));
    assert_eq!(first.union(&second).count(), MANY);
    let third = run(&home, &["--format", "json"], 0);
    assert_eq!(messages(&third.stdout), [], "told once is enough");
}

#[test]
fn e_2_a_reader_of_stderr_that_stops_does_not_stop_the_fetch() {
    let (server, home) = plain_server(MANY);
    let mut child = unread(&home, &["-v"]);
    wait_for_the_mail(&server, &home);
    let mut text = String::new();
    let stderr = child.stderr.take();
    stderr.unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(status_of(&mut child), Some(0));
    assert_eq!(text.matches("a: fetched ").count(), MANY);
}

/// A run that is killed while the server is asked for a message in the middle of 300.
fn killed_in_the_middle(format: &[&str]) -> (Server, Home, String) {
    let (gate, hook) = gate("RETR 200");
    let maildrop = Maildrop::new(mail(300));
    let (server, home) = Server::builder(&maildrop)
        .security(Security::Plain)
        .behaviour(Behaviour::new().without("PIPELINING"))
        .on_command(hook)
        .with_home("");
    let mut child = unread(&home, format);
    gate.wait("RETR 200");
    // What was received is on its way to the disk; none of it waits for more than a moment.
    let enough = || (tree::count(&home.maildir("a")) >= 150).then_some(());
    within(PATIENCE, enough).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    gate.open();
    server.sessions();
    let text = rest_of(&mut child);
    (server, home, text)
}

#[test]
fn e_7_what_a_killed_run_had_delivered_is_reported_by_the_next_one_as_recovered() {
    let (_server, home, first) = killed_in_the_middle(&["--format", "json"]);
    let first = messages(&first);
    let output = run(&home, &["--format", "json"], 0);
    let second = messages(&output.stdout);
    tree::assert_holds(&home.maildir("a"), &mail(300));
    let all = paths(&first).union(&paths(&second)).count();
    assert_eq!(all, 300, "each is reported, where it is");
    for (path, recovered) in &second {
        assert!(std::path::Path::new(path).exists(), "{path}");
        let again = paths(&first).contains(path.as_str());
        assert!(*recovered || !again, "{path} comes as new twice");
    }
    let recovered = second.iter().filter(|(_, recovered)| *recovered).count();
    let account = output.stdout.lines().rev().nth(1).unwrap();
    let account: Value = serde_json::from_str(account).unwrap();
    assert_eq!(account["recovered"], recovered as u64);
    assert_eq!(account["fetched"], (second.len() - recovered) as u64);
    let third = run(&home, &["--format", "json"], 0);
    assert_eq!(messages(&third.stdout), []);
}

#[test]
fn e_7_a_mail_reader_may_have_moved_what_the_next_run_reports() {
    let (_server, home, first) = killed_in_the_middle(&["--format", "paths"]);
    let maildir = home.maildir("a");
    let mut moved = HashSet::new();
    for entry in std::fs::read_dir(maildir.join("new")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap() + ":2,S";
        std::fs::rename(entry.path(), maildir.join("cur").join(&name)).unwrap();
        moved.insert(name);
    }
    let second = run(&home, &["--format", "paths"], 0);
    let name = |line: &str| line.rsplit('/').next().unwrap().to_owned();
    let told: HashSet<String> = first.lines().map(|line| name(line) + ":2,S").collect();
    let recovered: HashSet<String> = second.stdout.lines().map(name).collect();
    for name in &moved {
        assert!(told.contains(name) || recovered.contains(name), "{name}");
    }
    assert_eq!(tree::count(&maildir), 300);
}

#[test]
fn e_7_people_are_told_how_many_messages_a_killed_run_had_delivered() {
    let (_server, home, _) = killed_in_the_middle(&[]);
    let second = run(&home, &[], 0);
    let number = |what: &str| -> usize {
        let line = second.stderr.lines().find(|line| line.contains(what));
        let line = line.unwrap_or_else(|| panic!("no {what:?} in {second:#?}"));
        line.split(' ').nth(1).unwrap().parse().unwrap()
    };
    assert_eq!(
        number("delivered by an earlier run") + number("new message"),
        300
    );
    assert_eq!(tree::count(&home.maildir("a")), 300);
    let third = run(&home, &[], 0);
    assert!(
        !third.stderr.contains("delivered by an earlier run"),
        "{third:#?}"
    );
}

#[test]
fn e_7_where_it_cannot_be_looked_for_new_mail_comes_all_the_same() {
    // A run that has delivered all, and could tell nobody.
    let (server, home) = plain_server(MANY);
    let mut child = unread(&home, &["--format", "json"]);
    wait_for_the_mail(&server, &home);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(status_of(&mut child), Some(143));
    server.sessions();
    // The Maildir is another one from now on, and the first, behind links in a circle, cannot be read.
    let (first, other) = (home.maildir("a"), home.path().join("other"));
    let config = home.account_config("a", &server.account());
    let path = |path: &std::path::Path| format!("{path:?}");
    home.config(&config.replace(&path(&first), &path(&other)));
    std::fs::rename(first.join("cur"), home.path().join("aside")).unwrap();
    std::os::unix::fs::symlink("cur", first.join("cur")).unwrap();
    server.maildrop().add([letter(MANY + 1)]);
    let output = run(&home, &[], 0);
    assert_said(&output, &["warning: a: ", "cannot be looked for now"]);
    tree::assert_holds(&other, &[letter(MANY + 1)]);
    // Once the Maildir can be read it is told.
    std::fs::remove_file(first.join("cur")).unwrap();
    std::fs::rename(home.path().join("aside"), first.join("cur")).unwrap();
    let told = messages(&run(&home, &["--format", "json"], 0).stdout);
    assert!(!told.is_empty() && told.iter().all(|(_, recovered)| *recovered));
}
