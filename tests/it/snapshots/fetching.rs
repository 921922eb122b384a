//! A fetch, from its bars to its last line.

use super::{WIDTHS, at_work, letters};
use crate::given::{gate, gate_for, mail};
use crate::support::account::Account;
use crate::support::maildrop::Maildrop;
use crate::support::process::within;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::snapshot::Screens;
use crate::support::terminal::Terminal;
use std::fs;
use std::time::Duration;

#[test]
fn bars_of_several_accounts() {
    for columns in WIDTHS {
        let (one, hook_of_one) = gate("RETR 3");
        let (other, hook_of_other) = gate("UIDL");
        let (third, hook_of_third) = gate_for(|line| line.starts_with("AUTH"));
        let first = Server::builder(&Maildrop::new(letters())).on_command(hook_of_one);
        let second = Server::builder(&Maildrop::new(mail(3))).on_command(hook_of_other);
        let third_one = Server::builder(&Maildrop::new(mail(3))).on_command(hook_of_third);
        let servers = [first.start(), second.start(), third_one.start()];
        // They go before the servers, whose threads wait at them.
        let gates = [one, other, third];
        let home = Home::short();
        let names = ["work", "at-home", "choir"];
        let accounts = names.iter().zip(&servers);
        let accounts: String = accounts
            .map(|(name, server)| home.account_config(name, &server.account()))
            .collect();
        home.config(&format!("defaults.pipelining = \"off\"\n{accounts}"));
        let mut terminal = Terminal::start(&home, columns, &[]);
        for gate in &gates {
            gate.wait("a command");
        }
        for words in ["2/3 [", "listing", "signing in"] {
            let seen = within(Duration::from_secs(30), || {
                terminal.seen().contains(words).then_some(())
            });
            seen.unwrap_or_else(|| panic!("no {words}:\n{}", terminal.seen()));
        }
        // Which account is first to connect is chance; what is guessed hangs on the time it took.
        let seen = terminal.seen();
        let mut bars: Vec<_> = seen.lines().map(without_guesses).collect();
        bars.sort_unstable();
        let mut screens = Screens::at(&home, columns);
        screens.add(&[], &bars.join("\n"), 0);
        screens.hold("bars");
        terminal.press("\u{3}");
        let (status, seen) = terminal.see_a_clean_end();
        assert_eq!(status, 130, "{seen}");
    }
}

/// A line without the rate and the time that is left, which are there from the third second on; and
/// with one of the pictures that go round.
fn without_guesses(line: &str) -> String {
    let line = match line.rsplit_once(" of ") {
        Some((before, after)) => {
            let total = after.split(',').next().unwrap();
            format!("{before} of {}", total.trim_end())
        }
        None => line.to_owned(),
    };
    let round = |c: char| ('\u{2800}'..='\u{28ff}').contains(&c);
    line.replace(round, "\u{2801}").trim_end().to_owned()
}

#[test]
fn the_first_fetch_names_the_maildir_and_the_next_one_does_not() {
    let (server, home) = at_work();
    Screens::at(&home, 80)
        .with_port(server.port())
        .run(&[], 0)
        .run(&[], 0)
        .hold("first-mail");
}

#[test]
fn a_dry_run_with_dates_senders_and_subjects() {
    let (server, home) = at_work();
    for columns in WIDTHS {
        Screens::at(&home, columns)
            .with_port(server.port())
            .run(&["fetch", "-n"], 0)
            .hold("dry-run");
    }
}

#[test]
fn several_accounts_of_which_one_fails() {
    let (server, home) = at_work();
    let other = Server::start(&Maildrop::new(mail(2)));
    let wrong = Account {
        user: "eve".into(),
        password: "nonsense".into(),
        ..server.account()
    };
    let config = home.account_config("work", &server.account())
        + &home.account_config("at-home", &wrong)
        + &home.account_config("choir", &other.account());
    home.config(&config);
    for columns in WIDTHS {
        Screens::at(&home, columns)
            .with_port(server.port())
            .with_port(other.port())
            .run(&["fetch", "-n", "--now"], 77)
            .run(&["fetch", "--now"], 77)
            .run(&["fetch", "--now"], 77)
            .in_order()
            .hold("one-fails");
        let _mail = fs::remove_dir_all(home.path().join("Mail"));
        let _state = fs::remove_dir_all(home.state());
    }
}

#[test]
fn another_maildir_than_before() {
    let (_server, home) = at_work();
    home.popfetch(["fetch"]).expect(0);
    let before = fs::read_to_string(home.config_file()).unwrap();
    for (columns, name) in WIDTHS.into_iter().zip(["Post", "Brief", "Letters"]) {
        home.config(&before.replace("Mail/work", name));
        Screens::at(&home, columns)
            .run(&[], 0)
            .run(&[], 0)
            .hold("other-maildir");
        home.config(&before);
        home.popfetch(["fetch"]).expect(0);
    }
}

#[test]
fn a_maildir_that_is_gone() {
    let (_server, home) = at_work();
    home.popfetch(["fetch"]).expect(0);
    fs::remove_dir_all(home.maildir("work")).unwrap();
    for columns in WIDTHS {
        Screens::at(&home, columns)
            .run(&[], 73)
            .hold("gone-maildir");
    }
}
