//! Questions for passwords, at a real terminal.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::given::{mail, plainly};
use crate::support::behaviour::Behaviour;
use crate::support::process::{PATIENCE, make_program, within};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::terminal::Terminal;
use crate::support::tree;

/// An account whose password is asked for.
fn asking() -> (Server, Home) {
    let (server, home) = plainly(2, Behaviour::new());
    let config = home.account_config("a", &server.account());
    let lines = config.lines();
    let without: Vec<&str> = lines
        .filter(|it| !it.starts_with("password-file"))
        .collect();
    home.config(&without.join("\n"));
    (server, home)
}

/// At the question, with the terminal as it is then.
fn at_the_question(home: &Home, arguments: &[&str]) -> Terminal {
    let mut terminal = Terminal::start(home, 80, arguments);
    terminal.wait_for("Password for ");
    let silent = within(PATIENCE, || (!terminal.echoes()).then_some(()));
    silent.expect("what is typed is shown");
    terminal
}

#[test]
fn e_10_a_signal_at_the_question_for_a_password_leaves_the_terminal_as_it_was() {
    let (server, home) = asking();
    for (signal, status) in [
        (Signal::INT, 130),
        (Signal::TERM, 143),
        (Signal::HUP, 129),
        (Signal::QUIT, 131),
    ] {
        let mut terminal = at_the_question(&home, &["fetch"]);
        terminal.signal(signal);
        let (ended, screen, echoes) = terminal.leave();
        assert_eq!((ended, echoes), (status, true), "{screen}");
    }
    assert!(server.sessions().is_empty());
}

#[test]
fn e_10_ctrl_c_at_the_question_for_a_password_leaves_the_terminal_as_it_was() {
    let (server, home) = asking();
    for arguments in [&["fetch"][..], &["check"], &["account", "test", "a"]] {
        let mut terminal = at_the_question(&home, arguments);
        terminal.press("secr\x03");
        let (ended, screen, echoes) = terminal.leave();
        assert_eq!((ended, echoes), (130, true), "{arguments:?}: {screen}");
    }
    assert!(server.sessions().is_empty());
}

#[test]
fn e_10_after_the_answer_a_signal_stops_the_run_as_any_other() {
    let (server, home) = asking();
    server.behave(Behaviour::new().delay(Duration::from_millis(300)));
    let mut terminal = at_the_question(&home, &["fetch"]);
    terminal.press("secret\n");
    within(PATIENCE, || {
        let sessions = server.sessions_so_far();
        sessions.iter().any(|it| it.count("STAT") > 0).then_some(())
    })
    .unwrap();
    terminal.signal(Signal::TERM);
    let (ended, screen, echoes) = terminal.leave();
    assert_eq!((ended, echoes), (143, true), "{screen}");
    assert!(screen.contains("stopped by a signal"), "{screen}");
    server.behave(Behaviour::new());
    server.sessions();
    let mut terminal = at_the_question(&home, &["fetch"]);
    terminal.press("secret\n");
    assert_eq!(terminal.end().0, 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
}

/// From now on each of these calls of popfetch takes 0.3 s longer.
fn slowed(home: &mut Home, call: &str) {
    let slow = home.path().join("slow");
    let program = home.program().display();
    let strace =
        format!("strace -f -qq -o /dev/null -e trace={call} -e inject={call}:delay_exit=300000");
    make_program(
        &slow,
        &format!("#!/bin/sh\nexec {strace} {program} \"$@\"\n"),
    );
    home.run_instead(slow);
}

#[test]
fn e_10_what_is_typed_as_soon_as_the_question_stands_there_is_not_shown() {
    let (_server, mut home) = asking();
    // So that somebody quick is sure to be quicker than what follows a write.
    slowed(&mut home, "write");
    let mut terminal = Terminal::start(&home, 80, &["fetch"]);
    terminal.answer("Password for ", "secret");
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    assert!(!screen.contains("secret"), "{screen}");
}

#[test]
fn e_10_a_signal_for_popfetch_alone_ends_the_password_command_and_what_it_has_started() {
    for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let (_server, home) = asking();
        let started = home.path().join("started");
        let script = format!(
            "echo $$ >'{started}.new'; (sleep 600 & echo $! >>'{started}.new'; \
             mv '{started}.new' '{started}'; wait); exit 1",
            started = started.display()
        );
        let config = fs::read_to_string(home.config_file()).unwrap();
        home.config(&format!(
            "{config}\npassword-command = [\"sh\", \"-c\", {script:?}]\n"
        ));
        let mut terminal = Terminal::start(&home, 80, &["fetch"]);
        let pids = within(PATIENCE, || fs::read_to_string(&started).ok());
        let pids = pids.expect("the command was not started");
        terminal.signal(signal);
        let (ended, screen, echoes) = terminal.leave();
        assert_eq!((ended, echoes), (status, true), "{screen}");
        let are_gone = within(PATIENCE, || (!pids.lines().any(runs)).then_some(()));
        assert!(are_gone.is_some(), "{pids} go on after {signal:?}");
    }
}

#[test]
fn a_signal_ends_the_password_command_where_there_is_no_terminal_as_well() {
    for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let (_server, home) = asking();
        let started = home.path().join("started");
        let script = format!(
            "trap '' HUP; echo $$ >'{started}.new'; (sleep 600 & echo $! >>'{started}.new'; \
             mv '{started}.new' '{started}'; wait); exit 1",
            started = started.display()
        );
        let config = fs::read_to_string(home.config_file()).unwrap();
        home.config(&format!(
            "{config}\npassword-command = [\"sh\", \"-c\", {script:?}]\n"
        ));
        let mut running = home.popfetch(["fetch"]).start();
        let pids = within(Duration::from_secs(20), || {
            fs::read_to_string(&started).ok()
        });
        let pids = pids.expect("the command was not started");
        running.signal(signal);
        let output = running.wait();
        assert_eq!(output.status, Some(status), "{output:#?}");
        let are_gone = within(Duration::from_secs(20), || {
            (!pids.lines().any(runs)).then_some(())
        });
        assert!(are_gone.is_some(), "{pids} go on after {signal:?}");
    }
}

/// The command may run before whoever started it has heard so, and have ended before whoever ended it has.
#[test]
fn e_10_a_signal_ends_the_password_command_and_popfetch_at_whatever_moment_it_comes() {
    for call in ["clone,clone3,vfork", "kill"] {
        let (_server, mut home) = asking();
        let started = home.path().join("started");
        let script = format!(
            "echo $PPID $$ >'{started}.new'; mv '{started}.new' '{started}'; exec sleep 600",
            started = started.display()
        );
        let config = fs::read_to_string(home.config_file()).unwrap();
        home.config(&format!(
            "{config}\npassword-command = [\"sh\", \"-c\", {script:?}]\n"
        ));
        slowed(&mut home, call);
        let terminal = Terminal::start(&home, 80, &["fetch"]);
        let pids = within(PATIENCE, || fs::read_to_string(&started).ok());
        let pids = pids.expect("the command was not started");
        let (popfetch, command) = pids.trim().split_once(' ').unwrap();
        let popfetch = Pid::from_raw(popfetch.parse().unwrap()).unwrap();
        kill_process(popfetch, Signal::HUP).unwrap();
        let (ended, screen, echoes) = terminal.leave();
        assert_eq!((ended, echoes), (129, true), "{call}: {screen}");
        let is_gone = within(PATIENCE, || (!runs(command)).then_some(()));
        assert!(is_gone.is_some(), "{call}: the command goes on");
    }
}

/// Whether the password-command with this process id, or what it has started, runs.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    (stat.contains("(sh)") || stat.contains("(sleep)")) && !stat.contains(") Z")
}

/// The others wait for an answer, as all that a person is asked for is asked before any work begins; but
/// not for ever.
#[test]
fn a_question_that_nobody_answers_keeps_no_other_account_from_its_mail() {
    let (server, mut home) = asking();
    let other = Server::start(&crate::support::maildrop::Maildrop::new(mail(1)));
    let asked = fs::read_to_string(home.config_file()).unwrap();
    let third = asked.replace("[accounts.a]", "[accounts.c]");
    let third = third.replace("user = \"ada\"", "user = \"bob\"");
    home.config(&format!(
        "{asked}\n{}\n{third}\n",
        home.account_config("b", &other.account())
    ));
    home.env("POPFETCH_TEST_ANSWER_WITHIN", "300");
    let mut terminal = Terminal::start(&home, 80, &["fetch"]);
    terminal.wait_for("Password for a ");
    let (ended, screen, echoes) = terminal.leave();
    assert_eq!((ended, echoes), (77, true), "{screen}");
    tree::assert_holds(&home.maildir("b"), &mail(1));
    assert!(server.sessions().is_empty());
    let told = screen.matches("nobody answered the question").count();
    assert_eq!(told, 2, "{screen}");
    // Whoever is not there for the first question is not asked the second.
    assert!(!screen.contains("Password for c"), "{screen}");
    assert!(screen.contains("`password-file`"), "{screen}");
}

#[test]
fn an_answer_in_time_is_taken_however_often_the_clock_was_looked_at() {
    let (_server, mut home) = asking();
    home.env("POPFETCH_TEST_ANSWER_WITHIN", "60000");
    let mut terminal = at_the_question(&home, &["fetch"]);
    for piece in ["se", "cr", "et\n"] {
        terminal.press(piece);
    }
    assert_eq!(terminal.end().0, 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
}
