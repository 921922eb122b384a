//! A hint names no option that the command at hand does not take.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;

use crate::given::{assert_said, plainly, server};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::process::{PATIENCE, within};
use crate::support::run::{Home, Output};

/// What a watch has said by the time that it said this.
fn watched(home: &Home, words: &str) -> Output {
    let mut watch = home
        .popfetch(["watch"])
        .limit(Duration::from_secs(120))
        .start();
    let so = within(PATIENCE, || {
        watch.stderr_so_far().contains(words).then_some(())
    });
    watch.signal(Signal::TERM);
    let output = watch.wait();
    assert!(so.is_some(), "{words}: {output:#?}");
    output
}

#[test]
fn hint_a_watch_is_not_told_to_take_a_password_from_a_pipe() {
    let (server, home) = server(1);
    let text = home.account_config("a", &server.account());
    let lines = text.lines().filter(|it| !it.starts_with("password-file"));
    let lines: Vec<&str> = lines.collect();
    home.config(&lines.join("\n"));
    let told = watched(&home, "hint: ");
    assert_said(&told, &["no terminal to ask for it", "`password-file`"]);
    assert!(!told.stderr.contains("--password-stdin"), "{told:#?}");
    // What is said is what the others are told as well, but for that.
    let told = home.popfetch(["fetch"]).expect(77);
    assert_said(&told, &["use --password-stdin, or say in the config file"]);
    home.config(&text);
    home.popfetch(["fetch"]).expect(0);
}

#[test]
fn hint_a_watch_is_not_told_of_the_options_of_a_sign_in() {
    let refuses = Behaviour::new().on("AUTH", Reply::raw("-ERR unknown command\r\n"));
    let (server, home) = plainly(1, refuses.capabilities(&["TOP", "UIDL", "SASL PLAIN"]));
    home.one_account(&server.account(), "auth = \"plain\"\n");
    let told = watched(&home, "auth = \"user-pass\"");
    assert!(!told.stderr.contains("--auth"), "{told:#?}");
    // A fetch has the option, and it works as it stands there.
    let told = home.popfetch(["fetch", "--now"]).run();
    assert_said(&told, &["(--auth user-pass)"]);
    home.popfetch(["fetch", "--now", "--auth", "user-pass"])
        .expect(0);
}

#[test]
fn hint_commands_without_now_name_the_one_that_has_it() {
    let (_server, home) = plainly(1, Behaviour::new());
    let file = home.path().join("a.password");
    let right = fs::read_to_string(&file).unwrap();
    fs::write(&file, "wrong\n").unwrap();
    home.popfetch(["fetch"]).expect(77);
    let told = home.popfetch(["fetch"]).expect(77);
    assert_said(&told, &["not tried", "add --now to try the same one again"]);
    let told = home.popfetch(["account", "test"]).run();
    let all = told.stdout.clone() + &told.stderr;
    assert!(!all.contains("add --now"), "{told:#?}");
    let told = home.popfetch(["state", "mark-seen", "a"]).run();
    assert!(!told.stderr.contains("add --now"), "{told:#?}");
    fs::write(&file, right).unwrap();
    home.popfetch(["--now"]).expect(0);
}
