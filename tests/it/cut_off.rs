use std::fs;
use std::time::Instant;

use rustix::process::{Pid, Signal, test_kill_process};

use crate::support::process::{PATIENCE, within};
use crate::support::run::Home;

/// A home whose account waits for its password, and whose command tells its process.
fn waiting() -> Home {
    let home = Home::new();
    home.config(
        "[accounts.a]\nhost = \"127.0.0.1\"\nuser = \"ada\"\n\
         password-command = [\"sh\", \"-c\", \"echo $$ > pid.new; mv pid.new pid; exec sleep 600\"]\n",
    );
    home
}

/// The process of the password's command, once it runs.
fn asked(home: &Home) -> Pid {
    let read = || {
        fs::read_to_string(home.path().join("pid"))
            .ok()?
            .trim()
            .parse()
            .ok()
    };
    let pid = within(PATIENCE, read).expect("the command was not started");
    Pid::from_raw(pid).unwrap()
}

#[test]
fn e_4_a_signal_while_a_password_is_waited_for_ends_every_command_with_its_own_status() {
    let commands: [&[&str]; 5] = [
        &["fetch"],
        &["fetch", "-n"],
        &["check"],
        &["account", "test", "a"],
        &["state", "mark-seen", "a"],
    ];
    for command in commands {
        for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130)] {
            let home = waiting();
            let mut running = home.popfetch(command).start();
            let program = asked(&home);
            let start = Instant::now();
            running.signal(signal);
            let output = running.wait();
            assert_eq!(output.status, Some(status), "{command:?}: {output:#?}");
            assert!(start.elapsed() < PATIENCE, "{command:?} took long");
            let gone = || test_kill_process(program).is_err().then_some(());
            let gone = within(PATIENCE, gone);
            assert!(
                gone.is_some(),
                "{command:?} left the password command behind"
            );
        }
    }
}

#[test]
fn e_4_time_that_is_over_while_a_password_is_waited_for_is_told_as_that() {
    let home = waiting();
    let output = home
        .popfetch(["--max-time", "1 s", "--format", "json"])
        .expect(75);
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(
        said.contains("the time that --max-time allows is over"),
        "{said}"
    );
    assert!(said.contains("\"status\":75"), "{said}");
    assert!(!said.contains("no password was given"), "{said}");
}
