//! How much is fetched first, where the server lets nobody choose: an account that is set up is one that can
//! be fetched.

use super::{enter, home_in};
use crate::given::{assert_said, mail};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::certificate::{Authority, Wanted};
use crate::support::dns::NameServer;
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::terminal::Terminal;
use crate::support::tree;
use std::fs;
use std::os::unix::fs::symlink;

fn without_unique_ids() -> Behaviour {
    Behaviour::new().on("UIDL", Reply::raw("-ERR unknown command\r\n"))
}

fn in_parts() -> Behaviour {
    Behaviour::new().capabilities(&["UIDL", "SASL PLAIN", "X-GOOGLE-RICO"])
}

/// A server that behaves like this, what names it to `setup`, and a home that trusts it.
fn server(behaviour: Behaviour) -> (Server, NameServer, Home, String) {
    let server = Server::builder(&Maildrop::new(mail(120)))
        .behaviour(behaviour)
        .start();
    let dns = NameServer::start(&[]);
    let home = home_in(&[], &dns, server.account().roots.unwrap());
    let host = format!("localhost:{}", server.port());
    (server, dns, home, host)
}

/// The command line that sets it up.
fn at(host: &str) -> [&str; 6] {
    ["setup", "ada@example.test", "--host", host, "--user", "ada"]
}

#[test]
fn where_none_can_be_passed_over_all_is_fetched_and_nobody_is_asked() {
    for (behaviour, why) in [
        (in_parts(), "a part at a time"),
        (without_unique_ids(), "no unique-ids"),
    ] {
        let (_server, _dns, home, host) = server(behaviour);
        let line = at(&host);
        let mut terminal = Terminal::start(&home, 200, &line);
        terminal.answer("Password for ", "secret");
        terminal.wait_for("All of it will be fetched");
        terminal.wait_for(why);
        enter(&mut terminal, &super::QUESTIONS[1..]);
        let (status, screen) = terminal.end();
        assert_eq!(status, 0, "{screen}");
        assert!(!screen.contains("What is to be fetched first?"), "{screen}");
        let config = fs::read_to_string(home.config_file()).unwrap();
        assert!(!config.contains("latest"), "{config}");
        home.popfetch(["fetch"]).expect(0);
        assert_eq!(tree::count(&home.path().join("Mail/example")), 120);
    }
}

#[test]
fn where_none_can_be_passed_over_latest_is_refused_and_nothing_is_written() {
    for (behaviour, why) in [
        (in_parts(), "a part at a time"),
        (without_unique_ids(), "no unique-ids"),
    ] {
        let (_server, _dns, home, host) = server(behaviour);
        let line = at(&host);
        let line = line
            .iter()
            .chain(&["-y", "--password-stdin", "--latest", "10"]);
        let output = home.popfetch(line).stdin("secret\n").expect(78);
        assert_said(&output, &["--latest: the server", why, "hint: leave"]);
        assert!(!home.config_file().exists());
    }
}

#[test]
fn latest_at_gmail_is_refused_before_a_password_is_asked_for() {
    let authority = Authority::new();
    let identity = authority.issue(&Wanted::default().names(&["pop.gmail.com"]));
    let server = Server::builder(&Maildrop::new(mail(3)))
        .security(Security::identity(&identity, &authority))
        .start();
    let dns = NameServer::start(&[]);
    let names = [("pop.gmail.com:995".to_owned(), server.port())];
    let home = home_in(&names, &dns, authority.pem_file());
    for more in [&["--print"][..], &["-y", "--password-stdin"]] {
        let line = ["setup", "ada@gmail.com", "--latest", "0"];
        let output = home.popfetch(line.iter().chain(more)).expect(78);
        assert_said(&output, &["--latest: ", "Enable POP for mail that arrives"]);
    }
    assert_eq!(server.count("PASS") + server.count("AUTH"), 0);
}

#[test]
fn an_account_with_latest_fails_its_test_wherever_it_fails_its_fetch() {
    for behaviour in [in_parts(), without_unique_ids()] {
        for latest in [0, 100] {
            let (_server, home) = Server::builder(&Maildrop::new(mail(3)))
                .behaviour(behaviour.clone())
                .with_home(&format!("latest = {latest}\n"));
            let fetched = home.popfetch(["fetch"]).expect(78);
            let tested = home.popfetch(["account", "test"]).expect(78);
            let reason = "so that `latest` could not remember";
            let reason = match fetched.stderr.contains("a part at a time") {
                true => "a part at a time",
                false => reason,
            };
            let said = tested
                .stdout
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            assert!(said.contains(reason), "{tested:?}");
        }
    }
}

#[test]
fn a_mail_program_is_named_only_to_who_has_it() {
    for has_it in [true, false] {
        let (_server, _dns, mut home, host) = server(Behaviour::new());
        let bin = home.path().join("bin");
        if has_it {
            fs::create_dir(&bin).unwrap();
            symlink("/bin/true", bin.join("mutt")).unwrap();
        }
        home.env("PATH", bin.to_str().unwrap());
        let line = at(&host);
        let line = line.iter().chain(&["-y", "--password-stdin"]);
        let output = home.popfetch(line).stdin("secret\n").expect(0);
        let said = output.stderr;
        assert_eq!(said.contains("mutt -f ~/Mail/example"), has_it, "{said}");
        assert!(!said.contains("Thunderbird"), "{said}");
    }
}
