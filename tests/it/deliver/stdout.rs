//! Standard output in the place of an mbox file.

use super::{account, serving, spool};
use crate::given::{assert_said, mail, run};
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;
use crate::support::process::{PATIENCE, within};
use crate::support::run::{Home, Output};
use crate::support::tree;
use rustix::io::ioctl_fionread;
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Command, Stdio};

const KEYS: &str = "deliver = { mbox = \"-\" }";

/// popfetch behind a shell that does this with what it writes.
fn piped(home: &Home, line: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_popfetch");
    let mut command = Command::new("bash");
    home.furnish(&mut command);
    let line = line.replace("popfetch", program);
    let ended = command
        .args(["-o", "pipefail", "-c", &line])
        .output()
        .unwrap();
    Output {
        status: ended.status.code(),
        stdout: String::from_utf8(ended.stdout).unwrap(),
        stderr: String::from_utf8(ended.stderr).unwrap(),
        peak_memory: 0,
    }
}

#[test]
fn messages_are_written_as_an_mbox_file_and_nothing_else_is() {
    let mut letters = mail(3);
    let quoted = Message::from_lf("quoted", "Message-ID: <q@x>\n\nFrom here\n>From there\n");
    letters.push(quoted);
    let (server, home) = serving(letters.clone(), Behaviour::new(), KEYS);
    let output = run(&home, &["-v", "fetch", "a"], 0);
    let mut wanted = String::new();
    for line in output
        .stdout
        .lines()
        .filter(|line| line.starts_with("From "))
    {
        assert!(line.starts_with("From MAILER-DAEMON "), "{line}");
    }
    for letter in &letters {
        wanted += "From\n";
        wanted += &String::from_utf8(letter.stored()).unwrap();
        wanted += "\n";
    }
    let wanted = wanted.replace("\nFrom here\n>From there\n", "\n>From here\n>>From there\n");
    let lines = output.stdout.split_inclusive('\n');
    let found: String = lines
        .map(|line| {
            if line.starts_with("From ") {
                "From\n"
            } else {
                line
            }
        })
        .collect();
    assert_eq!(found, wanted);
    assert_eq!(server.maildrop().count(), 4);
    let again = run(&home, &["fetch", "a"], 0);
    assert_eq!(again.stdout, "");
    assert_eq!(tree::count(&spool(&home)), 0);
}

#[test]
fn nothing_is_deleted_for_it_unless_a_maildir_has_it_as_well() {
    let (server, home) = account(2, &format!("keep = \"never\"\n{KEYS}"));
    let output = run(&home, &["fetch", "a"], 78);
    assert_said(&output, &["nothing is deleted for it", "leave out `keep`"]);
    assert_eq!(output.stdout, "");
    assert!(server.sessions().is_empty());
    let (_server, home) = account(2, KEYS);
    run(&home, &["fetch", "a", "--delete"], 78);
    let (server, home) = account(
        2,
        &format!("maildir = \"~/Mail\"\nkeep = \"never\"\n{KEYS}"),
    );
    let output = run(&home, &["fetch", "a"], 0);
    assert_eq!(output.stdout.matches("\nSubject: ").count(), 2);
    assert_eq!(server.maildrop().count(), 0);
    tree::assert_holds(&home.path().join("Mail"), &mail(2));
}

#[test]
fn where_it_cannot_be_is_said_before_anything_is_fetched() {
    let (server, home) = account(1, KEYS);
    let output = run(&home, &["--format", "json", "fetch", "a"], 78);
    assert_said(&output, &["the report as well"]);
    let output = run(&home, &["watch", "a"], 64);
    assert_said(&output, &["a watch has no standard output"]);
    let config = std::fs::read_to_string(home.config_file()).unwrap();
    home.config(&format!(
        "{config}\n{}",
        config.replace("[accounts.a]", "[accounts.b]")
    ));
    let output = home.popfetch(["fetch"]).run();
    assert_ne!(output.status, Some(0));
    assert_eq!(output.stdout, "");
    assert!(server.sessions().is_empty());
}

#[test]
fn what_nobody_reads_any_more_waits_for_the_next_run() {
    let (server, home) = account(3, KEYS);
    let output = piped(&home, "popfetch fetch a > /dev/full");
    assert_eq!(output.status, Some(1), "{output:#?}");
    assert_said(&output, &["standard output cannot be written to"]);
    assert_eq!(tree::count(&spool(&home)), 3);
    let output = piped(&home, "popfetch fetch a | cat");
    assert_eq!(output.status, Some(0), "{output:#?}");
    assert_eq!(output.stdout.matches("\nSubject: ").count(), 3);
    assert_eq!(server.count("RETR"), 3);
}

#[test]
fn where_standard_output_is_closed_nothing_is_fetched_for_it() {
    let (server, home) = serving(mail(2), Behaviour::new(), KEYS);
    for nowhere in ["popfetch fetch a >&-", "popfetch fetch a > /dev/null"] {
        let output = piped(&home, nowhere);
        assert_eq!(output.status, Some(78), "{output:#?}");
        assert_said(&output, &["nowhere", "hint: "]);
    }
    assert!(server.sessions().is_empty());
    let output = piped(&home, "popfetch fetch a | cat");
    assert_eq!(output.stdout.matches("From MAILER-DAEMON").count(), 2);
}

/// A reader that has stopped reading keeps nobody from ending the run.
#[test]
fn a_signal_ends_a_run_whose_output_nobody_reads() {
    let large: Vec<Message> = (1..=8)
        .map(|n| Message::generated(format!("l-{n}"), 60_000, n))
        .collect();
    let (_server, home) = serving(large, Behaviour::new(), KEYS);
    let mut command = Command::new(env!("CARGO_BIN_EXE_popfetch"));
    home.furnish(&mut command);
    command.args(["fetch", "a"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let pipe = child.stdout.take().unwrap();
    let is_full = || (ioctl_fionread(&pipe).unwrap() > 60_000).then_some(());
    within(PATIENCE, is_full).expect("nothing is written");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let ended = within(PATIENCE, || child.try_wait().unwrap());
    let _ = child.kill();
    assert_eq!(ended.expect("it goes on").code(), Some(143));
}
