//! Two processes with one sign-in: a provider that changes refresh tokens takes each once.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use super::{home, kept, server, sign_in_by_device};
use crate::given::run;
use crate::support::process::{PATIENCE, within};
use crate::support::provider::{Provider, Scripted};
use crate::support::run::{Home, Running};

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

/// The files in which anything of a sign-in is kept, but for the lock.
fn files_of(home: &Home) -> Vec<String> {
    let dir = home.path().join("data/popfetch/logins");
    let files = fs::read_dir(dir).unwrap().map(|it| it.unwrap().file_name());
    let files = files.map(|name| name.into_string().unwrap());
    files.filter(|name| !name.ends_with("-lock")).collect()
}

/// As a renewal leaves it that is killed before the new file is in its place: the provider has
/// changed the refresh token, and takes the old one no more.
fn killed_before_its_end(home: &Home) -> PathBuf {
    expire(home);
    let file = kept(home);
    let old = fs::read(&file).unwrap();
    run(home, &["fetch", "--now"], 0);
    let draft = file.with_extension("login.4711.new");
    fs::rename(&file, &draft).unwrap();
    fs::write(&file, old).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(hour_ago)
        .unwrap();
    draft
}

#[test]
fn f3_what_a_killed_renewal_has_kept_is_used_and_its_file_does_not_stay() {
    let (server, provider) = (server(2), Provider::start(1000, true));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    let draft = killed_before_its_end(&home);
    run(&home, &["fetch", "--now"], 0);
    assert!(!draft.exists());
    let text = fs::read_to_string(kept(&home)).unwrap();
    assert!(text.contains("\"refresh-2\""), "{text}");
    assert_eq!(files_of(&home).len(), 1);
}

#[test]
fn f3_half_a_file_of_a_killed_renewal_is_removed_and_one_of_an_older_sign_in_too() {
    let (server, provider) = (server(1), Provider::start(1000, true));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    let file = kept(&home);
    let whole = fs::read_to_string(&file).unwrap();
    let half = &whole[..whole.len() / 2];
    for (text, age) in [
        (half, 0),
        ("", 0),
        (whole.replace("refresh-1", "refresh-0").as_str(), 60),
    ] {
        let draft = file.with_extension("login.4711.new");
        fs::write(&draft, text).unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o600)).unwrap();
        let then = SystemTime::now() - Duration::from_secs(age);
        let opened = fs::File::options().write(true).open(&draft).unwrap();
        opened.set_modified(then).unwrap();
        run(&home, &["fetch", "--now"], 0);
        assert_eq!(files_of(&home).len(), 1, "{text:.9} of {age} s ago");
        assert_eq!(fs::read_to_string(&file).unwrap(), whole);
    }
}

#[test]
fn f3_a_sign_in_that_is_removed_leaves_no_token_in_any_file() {
    let (server, provider) = (server(2), Provider::start(1000, true));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    killed_before_its_end(&home);
    run(&home, &["login", "a", "--remove"], 0);
    assert_eq!(files_of(&home), Vec::<String>::new());
    run(&home, &["login", "a", "--remove"], 77);
}

#[test]
fn f3_a_sign_in_goes_with_the_account_that_is_removed() {
    let (server, provider) = (server(2), Provider::start(1000, true));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    assert_eq!(files_of(&home).len(), 1);
    run(&home, &["account", "remove", "a", "--yes"], 0);
    assert_eq!(files_of(&home), Vec::<String>::new());
}

/// From now on the access token that is kept is no good any more.
fn expire(home: &Home) {
    let file = kept(home);
    let text = fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once("\"expires\":").unwrap();
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
    fs::write(&file, format!("{before}\"expires\":0{}", &rest[digits..])).unwrap();
}
