//! A watch stays, and has each account fetched when it is due.

use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::Signal;

use crate::given::{assert_said, gate, letter, mail, plainly, run};
use crate::support::account::Security;
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::process::{PATIENCE, within};
use crate::support::run::{Home, Output, Run, Running};
use crate::support::server::Server;
use crate::support::tree;

fn watch(home: &Home, options: &[&str]) -> Run {
    let words = ["watch"].iter().chain(options);
    home.popfetch(words).limit(Duration::from_secs(120))
}

/// Waits until it is so; what the watch has said by then, where it never is.
#[track_caller]
fn until(watch: &Running, what: &str, condition: impl Fn() -> bool) {
    let so = within(PATIENCE, || condition().then_some(()));
    assert!(so.is_some(), "{what}: {}", watch.stderr_so_far());
}

#[track_caller]
fn until_stored(watch: &Running, home: &Home, account: &str, count: usize) {
    until(watch, &format!("{count} in {account}"), || {
        tree::count(&home.maildir(account)) == count
    });
}

#[track_caller]
fn until_said(watch: &Running, words: &str) {
    until(watch, words, || watch.stderr_so_far().contains(words));
}

/// Ends it as a service manager does.
#[track_caller]
fn end(mut watch: Running) -> Output {
    watch.signal(Signal::TERM);
    let output = watch.wait();
    assert_eq!(output.status, Some(0), "{output:#?}");
    output
}

/// Until no account is being fetched.
#[track_caller]
fn until_idle(watch: &Running, home: &Home) {
    until(watch, "idle", || {
        let status = home.popfetch(["watch", "--status"]).run();
        status.status == Some(0) && !status.stdout.contains("being fetched")
    });
}

#[test]
fn each_account_is_fetched_at_its_own_interval() {
    let often = Server::start(&Maildrop::new(mail(2)));
    let once = Server::start(&Maildrop::new(mail(1)));
    let home = Home::new();
    let config = home.account_config("a", &often.account()) + "every = \"1 s\"\n";
    home.config(&(config + &home.account_config("b", &once.account())));
    let watch = watch(&home, &["-q"]).start();
    until_stored(&watch, &home, "a", 2);
    until_stored(&watch, &home, "b", 1);
    often.maildrop().add([letter(3)]);
    until_stored(&watch, &home, "a", 3);
    often.maildrop().add([letter(4)]);
    until_stored(&watch, &home, "a", 4);
    let output = end(watch);
    assert_eq!(
        (output.stdout.as_str(), output.stderr.as_str()),
        ("", ""),
        "{output:#?}"
    );
    // Ten minutes are not over.
    assert_eq!(once.sessions().len(), 1);
    tree::assert_holds(&home.maildir("a"), &mail(4));
}

#[test]
fn sigusr1_has_all_fetched_now() {
    let (server, home) = plainly(1, Behaviour::new());
    let mut watch = watch(&home, &[]).start();
    until_stored(&watch, &home, "a", 1);
    until_idle(&watch, &home);
    server.maildrop().add([letter(2)]);
    watch.signal(Signal::USR1);
    until_stored(&watch, &home, "a", 2);
    end(watch);
}

#[test]
fn sighup_has_the_config_read_anew_and_a_broken_one_changes_nothing() {
    let (server, home) = plainly(1, Behaviour::new());
    let other = Server::builder(&Maildrop::new(mail(3)))
        .security(Security::Plain)
        .start();
    let good = home.account_config("a", &server.account()) + "every = \"1 s\"\n";
    home.config(&good);
    let mut watch = watch(&home, &[]).start();
    until_stored(&watch, &home, "a", 1);
    for broken in [
        format!("{good}no-such-key = 1\n"),
        format!("{good}[accounts.b\n"),
    ] {
        let earlier = watch.stderr_so_far().matches("stays as it was").count();
        home.config(&broken);
        watch.signal(Signal::HUP);
        until(&watch, "told", || {
            watch.stderr_so_far().matches("stays as it was").count() > earlier
        });
        // Fetches go on by the config as it was.
        let count = tree::count(&home.maildir("a"));
        server.maildrop().add([letter(count + 1)]);
        until_stored(&watch, &home, "a", count + 1);
    }
    home.config(&(good + &home.account_config("b", &other.account())));
    watch.signal(Signal::HUP);
    until_stored(&watch, &home, "b", 3);
    until_said(&watch, "the config is read anew; watching 2 accounts");
    // And an account that is taken out is left alone from then on.
    home.config(&home.account_config("b", &other.account()));
    watch.signal(Signal::HUP);
    until_said(&watch, "the config is read anew; watching 1 account");
    until_idle(&watch, &home);
    let sessions = server.sessions().len();
    let output = end(watch);
    assert_eq!(server.sessions().len(), sessions);
    assert_said(&output, &["no-such-key", "config.toml:"]);
}

#[test]
fn a_failure_is_told_once_as_with_quiet_and_counted() {
    let (server, home) = plainly(1, Behaviour::new());
    let mut wrong = server.account();
    wrong.password = "wrong".into();
    let config = home.account_config("a", &wrong) + "every = \"1 s\"\n";
    home.config(&config);
    let watch = watch(&home, &["-q"]).start();
    until_said(&watch, "error: a: ");
    until(&watch, "failing", || {
        let status = run(&home, &["watch", "--status"], 0);
        status
            .stdout
            .starts_with("watching 1 account; 1 failing: a\n")
    });
    // It is asked no more than its refusal allows, however often it is due.
    let output = end(watch);
    assert_eq!(
        output.stderr.matches("error: a: ").count(),
        1,
        "{output:#?}"
    );
    assert_eq!(server.sessions().len(), 1);
}

#[test]
fn an_account_that_makes_no_sense_is_told_and_the_others_are_watched() {
    let (server, home) = plainly(2, Behaviour::new());
    let config = home.account_config("a", &server.account());
    home.config(&format!(
        "{config}[accounts.b]\nhost = \"pop.example.com\"\n"
    ));
    let watch = watch(&home, &[]).start();
    until_stored(&watch, &home, "a", 2);
    assert_said(
        &end(watch),
        &["account `b` has no `user`", "watching 1 account"],
    );
    run(&home, &["watch", "b"], 78);
    run(&home, &["watch", "pops://ada@pop.example.com"], 64);
    run(&home, &["watch", "--format", "json"], 64);
}

#[test]
fn its_end_is_that_of_its_fetches_and_loses_nothing() {
    for signal in [Signal::TERM, Signal::INT] {
        let (gate, hook) = gate("RETR 2");
        let maildrop = Maildrop::new(mail(5));
        let server = Server::builder(&maildrop)
            .security(Security::Plain)
            .on_command(hook)
            .start();
        let home = Home::new();
        home.one_account(&server.account(), "pipelining = \"off\"\n");
        let mut watch = watch(&home, &[]).start();
        gate.wait("RETR 2");
        watch.signal(signal);
        let output = watch.wait();
        assert_eq!(output.status, Some(0), "{output:#?}");
        // Nothing is left that holds the account.
        gate.open();
        server.sessions();
        run(&home, &["-q"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(5));
    }
}

#[test]
fn no_more_accounts_are_fetched_at_once_than_jobs_allow() {
    let (gate, hook) = gate("RETR 1");
    let first = Server::builder(&Maildrop::new(mail(1)))
        .security(Security::Plain)
        .on_command(hook)
        .start();
    let second = Server::builder(&Maildrop::new(mail(1)))
        .security(Security::Plain)
        .start();
    let home = Home::new();
    let config = home.account_config("a", &first.account());
    home.config(&(config + &home.account_config("b", &second.account())));
    let mut watch = watch(&home, &["--jobs", "1"]).start();
    gate.wait("RETR 1");
    // Each asks for all; the place is taken.
    watch.signal(Signal::USR1);
    until(&watch, "state", || {
        let told = run(&home, &["watch", "--status"], 0).stdout;
        told.starts_with("watching 2 accounts, 1 being fetched\n")
    });
    assert_eq!(second.sessions_so_far().len(), 0);
    gate.open();
    until_stored(&watch, &home, "a", 1);
    until_stored(&watch, &home, "b", 1);
    end(watch);
}

#[test]
fn its_health_is_told_by_whether_it_runs() {
    let (_server, home) = plainly(1, Behaviour::new());
    let none = run(&home, &["watch", "--status"], 1);
    assert_eq!(
        none.stdout,
        "no popfetch watch of these accounts is running\n"
    );
    let mut running = watch(&home, &[]).start();
    until_stored(&running, &home, "a", 1);
    until_idle(&running, &home);
    let of_one = run(&home, &["watch", "--status", "a"], 1);
    assert_eq!(
        of_one.stdout,
        "no popfetch watch of these accounts is running\n\
         a watch of all accounts is: popfetch watch --status\n"
    );
    let unknown = run(&home, &["watch", "--status", "nope"], 78);
    assert_said(&unknown, &["nope"]);
    let well = run(&home, &["watch", "--status"], 0);
    // What its server never says by itself.
    let asked = "  the server is asked every 10 min: a\n";
    assert_eq!(well.stdout, format!("watching 1 account\n{asked}"));
    assert_eq!(run(&home, &["watch", "--status", "-q"], 0).stdout, "");
    // A watch of other accounts is another one.
    run(&home, &["watch", "a", "--status"], 1);
    let second = watch(&home, &[]).expect(75);
    let pid = running.id().to_string();
    assert_said(&second, &["runs already", &pid]);
    running.signal(Signal::KILL);
    running.wait();
    run(&home, &["watch", "--status"], 1);
    // What a dead one has left is in nobody's way.
    let watch = watch(&home, &[]).start();
    until(&watch, "well", || {
        home.popfetch(["watch", "--status"]).run().status == Some(0)
    });
    end(watch);
}

#[test]
fn a_service_manager_is_told_of_readiness_state_life_reloading_and_the_end() {
    let (_server, home) = plainly(1, Behaviour::new());
    let path = home.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let hear = |wanted: &str| {
        let mut heard = Vec::new();
        loop {
            let mut octets = [0; 4096];
            let count = socket.recv(&mut octets).unwrap_or_else(|error| {
                panic!("{wanted}: {error}: {heard:?}");
            });
            let words = String::from_utf8_lossy(&octets[..count]).into_owned();
            if words.starts_with(wanted) {
                return words;
            }
            heard.push(words);
        }
    };
    let mut watch = watch(&home, &[])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "400000")
        .start();
    hear("READY=1");
    hear("STATUS=watching 1 account");
    hear("WATCHDOG=1");
    hear("WATCHDOG=1");
    watch.signal(Signal::HUP);
    let reloading = hear("RELOADING=1");
    assert!(reloading.contains("\nMONOTONIC_USEC="), "{reloading}");
    hear("READY=1");
    until_stored(&watch, &home, "a", 1);
    watch.signal(Signal::TERM);
    hear("STOPPING=1");
    assert_eq!(watch.wait().status, Some(0));
}

#[test]
fn fetches_of_a_watch_know_their_config_file_by_its_name() {
    let (server, home) = plainly(1, Behaviour::new());
    let mut wrong = server.account();
    wrong.password = "wrong".into();
    let text = home.account_config("a", &wrong);
    let path = home.private_file("other/mail.toml", &text);
    let path = path.to_str().unwrap();
    let watch = watch(&home, &["--config", path, "-q"]).start();
    until_said(&watch, "error: a: ");
    end(watch);
    run(&home, &["watch", "--status", "--config", path], 1);
}

/// A config file that is written by a program, which does not answer.
#[test]
fn while_the_config_is_a_pipe_that_nobody_writes_to_a_watch_ends_when_it_is_asked() {
    let (_server, home) = plainly(1, Behaviour::new());
    let mut watch = watch(&home, &[]).start();
    until_stored(&watch, &home, "a", 1);
    until_idle(&watch, &home);
    let path = home.config_file();
    std::fs::remove_file(&path).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let cwd = rustix::fs::CWD;
    rustix::fs::mknodat(cwd, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    watch.signal(Signal::HUP);
    // Once it has the pipe open, and waits, there is somebody to write to.
    let pipe = within(PATIENCE, || {
        let mut options = std::fs::OpenOptions::new();
        let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        options.write(true).custom_flags(nonblock).open(&path).ok()
    });
    let pipe = pipe.expect("the config is not read");
    let output = end(watch);
    // It has not waited for what the pipe may say.
    assert!(!output.stderr.contains("nothing came"), "{output:#?}");
    drop(pipe);
}
