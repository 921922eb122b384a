//! Two processes with one sign-in: a provider that changes refresh tokens takes each once.

use std::fs;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use super::{home, kept, server, sign_in_by_device};
use crate::given::run;
use crate::support::process::within;
use crate::support::provider::{Provider, Scripted};
use crate::support::run::{Home, Running};

const PATIENCE: Duration = Duration::from_secs(30);

/// A run whose new token the provider has made and not sent yet, and what lets it go.
fn held_run(home: &Home, provider: &Provider) -> (Running, Sender<()>) {
    let (release, released) = channel();
    provider.answer_next(Scripted::Late(Arc::new(Mutex::new(released))));
    let asked = provider.forms().len();
    let running = home.popfetch(["fetch"]).start();
    let here = || (provider.forms().len() > asked).then_some(());
    within(PATIENCE, here).expect("it does not ask for a token");
    (running, release)
}

/// Starts another run, and waits until it has come to where it must wait for the first, or has
/// not done so. Not /proc, which shows to root alone what popfetch has open, but inotify tells.
fn meet(home: &Home, arguments: &[&str]) -> Running {
    let lock = kept(home).with_extension("login-lock");
    let opened = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
    inotify::add_watch(&opened, &lock, WatchFlags::OPEN).unwrap();
    let mut other = home.popfetch(arguments).start();
    let met = || {
        let waits = rustix::io::read(&opened, &mut [0; 64]).is_ok();
        (waits || other.has_ended()).then_some(())
    };
    within(PATIENCE, met).expect("it hangs");
    other
}

#[test]
fn f16_two_runs_that_want_a_new_token_at_once_ask_for_one() {
    let (server, provider) = (server(2), Provider::start(1000, true));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    expire(&home);
    let (first, release) = held_run(&home, &provider);
    let second = meet(&home, &["check"]);
    release.send(()).unwrap();
    for running in [first, second] {
        let output = running.wait();
        // The maildrop is for one session at a time.
        assert!(matches!(output.status, Some(0 | 75)), "{output:#?}");
    }
    assert_eq!(provider.forms().len(), 2);
    run(&home, &["fetch", "--now"], 0);
    assert_eq!(provider.forms().len(), 2);
}

#[test]
fn f16_a_person_who_signs_in_while_a_token_is_renewed_stays_signed_in() {
    let (server, provider) = (server(2), Provider::start(1000, true));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    expire(&home);
    let (first, release) = held_run(&home, &provider);
    let login = meet(&home, &["login", "a", "--device"]);
    release.send(()).unwrap();
    let output = login.wait();
    assert_eq!(output.status, Some(0), "{output:#?}");
    first.wait();
    let text = fs::read_to_string(kept(&home)).unwrap();
    assert!(text.contains("\"refresh-3\""), "{text}");
}

#[test]
fn f16_a_sign_in_that_is_removed_while_its_token_is_renewed_stays_removed() {
    let (server, provider) = (server(2), Provider::start(1000, true));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    expire(&home);
    let (first, release) = held_run(&home, &provider);
    let file = kept(&home);
    let removal = meet(&home, &["login", "a", "--remove"]);
    release.send(()).unwrap();
    let output = removal.wait();
    assert_eq!(output.status, Some(0), "{output:#?}");
    first.wait();
    assert!(!file.exists());
}

/// From now on the access token that is kept is no good any more.
fn expire(home: &Home) {
    let file = kept(home);
    let text = fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once("\"expires\":").unwrap();
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
    fs::write(&file, format!("{before}\"expires\":0{}", &rest[digits..])).unwrap();
}
