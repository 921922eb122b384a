use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::given::{assert_said, gate, mail, run};
use crate::support::account::{Account, Security};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::process::{PATIENCE, installed, within};
use crate::support::run::Home;
use crate::support::server::{How, Server};
use crate::support::tree;
use crate::support::wire::Ending;

fn home_of(account: &Account, command: &[&str], keys: &str) -> Home {
    Home::of(account, &format!("proxy-command = {command:?}\n{keys}"))
}

/// A netcat, which joins its standard input and output to a connection.
fn netcat() -> Option<&'static str> {
    installed("nc").then_some("nc")
}

fn is_gone(id: &str) -> bool {
    let status = fs::read_to_string(Path::new("/proc").join(id).join("stat"));
    // A zombie waits for somebody else than us.
    status.map_or(true, |text| text.contains(") Z "))
}

#[test]
fn a_session_through_a_program_is_as_any_other() {
    let Some(nc) = netcat() else { return };
    let server = Server::start(&Maildrop::new(mail(3)));
    let home = home_of(&server.account(), &[nc, "%h", "%p"], "keep = \"never\"\n");
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
    assert_eq!(server.last_session().ended, How::Quit);
    assert_eq!(server.maildrop().count(), 0);
    let shown = run(&home, &["account", "show", "a"], 0);
    assert!(shown.stdout.contains("nc %h %p"), "{shown:#?}");
}

#[test]
fn each_session_of_a_run_has_a_program_of_its_own() {
    // The second one is started after the thread has given up the file system.
    let Some(nc) = netcat() else { return };
    let closing = Behaviour::new().on("CAPA", Reply::End(Ending::Close));
    let server = Server::builder(&Maildrop::new(mail(1)))
        .behaviour(closing)
        .start();
    let home = home_of(&server.account(), &[nc, "%h", "%p"], "");
    run(&home, &[], 0);
    assert_eq!(server.sessions().len(), 2);
    tree::assert_holds(&home.maildir("a"), &mail(1));
}

#[test]
fn what_a_program_says_is_shown_escaped_and_no_shell_sees_its_arguments() {
    let Some(nc) = netcat() else { return };
    let server = Server::builder(&Maildrop::new(mail(1)))
        .security(Security::Plain)
        .start();
    let script = "printf '\\033[2J%%s\\n' \"$2\" >&2; exec \"$0\" 127.0.0.1 \"$1\"";
    let home = home_of(
        &server.account(),
        &["sh", "-c", script, nc, "%p", "$HOME;%%p `x`"],
        "",
    );
    let output = run(&home, &[], 0);
    assert_said(&output, &["the proxy command says: \\x1b[2J$HOME;%p `x`"]);
    assert!(!output.stderr.contains('\x1b'), "{output:#?}");
    let quiet = run(&home, &["-q"], 0);
    assert!(!quiet.stderr.contains("proxy command"), "{quiet:#?}");
}

#[test]
fn a_program_and_what_it_started_end_with_the_session() {
    let Some(nc) = netcat() else { return };
    let server = Server::start(&Maildrop::new(mail(1)));
    let script = "sleep 1000 & echo $$ $! > pids; exec \"$0\" 127.0.0.1 \"$1\"";
    let home = home_of(&server.account(), &["sh", "-c", script, nc, "%p"], "");
    run(&home, &[], 0);
    let pids = fs::read_to_string(home.path().join("pids")).unwrap();
    for id in pids.split_whitespace() {
        let gone = within(PATIENCE, || is_gone(id).then_some(()));
        assert!(gone.is_some(), "{id} is still there");
    }
    assert_eq!(pids.split_whitespace().count(), 2);
}

#[test]
fn ctrl_c_does_not_reach_the_program_so_that_the_session_ends_well() {
    let Some(nc) = netcat() else { return };
    let (gate, hook) = gate("RETR 2");
    let server = Server::builder(&Maildrop::new(mail(2)))
        .on_command(hook)
        .start();
    let home = home_of(&server.account(), &[nc, "%h", "%p"], "");
    let mut running = home.popfetch(["fetch"]).start();
    gate.wait("RETR 2");
    // A terminal sends it to the whole group.
    let group = Pid::from_raw(running.id().try_into().unwrap()).unwrap();
    kill_process_group(group, Signal::INT).unwrap();
    gate.open();
    let output = running.wait();
    assert_eq!(output.status, Some(130), "{output:#?}");
    assert_eq!(server.last_session().ended, How::Quit, "{output:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(2));
}

#[test]
fn a_program_that_fails_is_temporary_and_told_with_its_last_words() {
    let server = Server::start(&Maildrop::new(mail(1)));
    let script = "echo first >&2; echo the gate is closed >&2; exit 3";
    let home = home_of(&server.account(), &["sh", "-c", script], "");
    let output = run(&home, &[], 75);
    assert_said(
        &output,
        &[
            "error: a: ",
            "proxy command `sh` failed: exit status: 3",
            "it said: the gate is closed",
        ],
    );
    assert!(server.sessions().is_empty());
}

#[test]
fn a_program_that_ends_without_reading_what_it_is_sent_is_told_as_well() {
    let server = Server::start(&Maildrop::new(mail(1)));
    let script = "dd bs=1 count=1 > /dev/null 2>&1; echo the gate is closed >&2; exit 3";
    let home = home_of(&server.account(), &["sh", "-c", script], "");
    let output = run(&home, &[], 75);
    let words = ["proxy command `sh` failed: exit status: 3", "the gate is"];
    assert_said(&output, &words);
}

#[test]
fn a_program_that_says_nothing_is_given_up_and_ended() {
    let server = Server::start(&Maildrop::new(mail(1)));
    let script = "echo $$ > pids; trap '' TERM; sleep 1000 & wait; sleep 1000";
    let home = home_of(
        &server.account(),
        &["sh", "-c", script],
        "timeout = \"2s\"\n",
    );
    run(&home, &[], 75);
    let id = fs::read_to_string(home.path().join("pids")).unwrap();
    let gone = within(PATIENCE, || is_gone(id.trim()).then_some(()));
    assert!(gone.is_some(), "{id} is still there");
}

#[test]
fn a_program_that_is_not_there_or_makes_no_sense_is_a_config_error() {
    let server = Server::start(&Maildrop::new(mail(1)));
    let account = server.account();
    for (command, keys, words) in [
        (
            &["no-such-popfetch-gate"][..],
            "",
            "`no-such-popfetch-gate`",
        ),
        (&[], "", "a command needs a program"),
        (&[""], "", "a command needs a program"),
        (&["ssh", "%r@gate"], "", "`%r` stands for nothing"),
        (&["ssh", "50%"], "", "`%` stands for nothing"),
        (
            &["ssh"],
            "proxy = \"socks5://127.0.0.1:1080\"\n",
            "more than one proxy",
        ),
        (
            &["ssh"],
            "source-address = \"127.0.0.1\"\n",
            "no meaning with `proxy-command`",
        ),
    ] {
        let output = run(&home_of(&account, command, keys), &[], 78);
        assert_said(&output, &[words]);
    }
    assert!(server.sessions().is_empty());
}
