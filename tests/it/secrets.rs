//! Secrets that are slow to come keep no other account waiting.

use rustix::process::Signal;

use crate::given::{letter, run};
use crate::support::account::Security;
use crate::support::maildrop::Maildrop;
use crate::support::process::{PATIENCE, within};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

/// Three accounts whose passwords never come, and a fourth that has one.
fn one_of_four() -> (Vec<Server>, Home) {
    let home = Home::new();
    let start = |n| {
        let maildrop = Maildrop::new([letter(n)]);
        Server::builder(&maildrop).security(Security::Plain).start()
    };
    let servers: Vec<Server> = (1..=4).map(start).collect();
    let mut config = String::new();
    for (n, server) in servers.iter().enumerate() {
        let account = home.account_config(&format!("a{n}"), &server.account());
        let silent = |line: &str| match line.starts_with("password") && n < 3 {
            true => "password-command = [\"sleep\", \"600\"]\n".to_owned(),
            false => format!("{line}\n"),
        };
        config.extend(account.lines().map(silent));
    }
    home.config(&config);
    (servers, home)
}

#[test]
fn e_1_a_secret_that_does_not_come_keeps_no_other_account_waiting() {
    for arguments in [&["fetch"][..], &["fetch", "--jobs", "1"]] {
        let (_servers, home) = one_of_four();
        let mut running = home.popfetch(arguments).start();
        let maildir = home.maildir("a3");
        let arrived = || (maildir.is_dir() && tree::count(&maildir) == 1).then_some(());
        within(PATIENCE, arrived).expect("it waits for the others");
        assert!(!running.has_ended());
        running.signal(Signal::INT);
        let ended = within(PATIENCE, || running.has_ended().then_some(()));
        assert!(ended.is_some(), "the signal is not heard");
        assert_eq!(running.wait().status, Some(130));
    }
}

#[test]
fn e_1_a_secret_that_cannot_be_had_fails_its_own_account_alone() {
    let (_servers, home) = one_of_four();
    let text = std::fs::read_to_string(home.config_file()).unwrap();
    home.config(&text.replace("[\"sleep\", \"600\"]", "[\"false\"]"));
    let output = run(&home, &["fetch", "--format", "json"], 77);
    assert_eq!(tree::count(&home.maildir("a3")), 1);
    for account in ["a0", "a1", "a2"] {
        let failed = format!("error: {account}: the password command `false` failed");
        assert!(output.stderr.contains(&failed), "{output:#?}");
        let told = format!("\"event\":\"account\",\"account\":\"{account}\"");
        assert_eq!(output.stdout.matches(&told).count(), 1, "{output:#?}");
    }
    run(&home, &["check"], 77);
}
