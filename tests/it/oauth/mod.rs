//! OAuth 2.0: `popfetch login`, and access tokens from then on, with a provider of the tests' own.

use std::fs;
use std::path::PathBuf;

use crate::given::mail;
use crate::support::account::{Account, Security};
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::process::{PATIENCE, make_program, within};
use crate::support::provider::{Provider, browse};
use crate::support::run::{Home, Output, Running};
use crate::support::server::Server;

mod at_once;
mod keys;
mod login;
mod tokens;

/// What no output may hold, whatever happens.
const SECRETS: [&str; 7] = [
    "access-",
    "refresh-",
    "clientsecret",
    "devicecode",
    "c/ode",
    "c%2Fode",
    "tr0ub4dor",
];

/// A mail server that lets in who has the Nth access token.
pub(crate) fn server(n: u32) -> Server {
    let capabilities = [
        "TOP",
        "UIDL",
        "RESP-CODES",
        "AUTH-RESP-CODE",
        "SASL XOAUTH2",
    ];
    Server::builder(&Maildrop::new(mail(2)))
        .security(Security::Plain)
        .behaviour(Behaviour::new().capabilities(&capabilities))
        .credentials("ada", &format!("access-{n}"))
        .start()
}

/// The account "a" with this table in place of a password.
pub(crate) fn configure(home: &Home, account: &Account, table: &str) {
    let text = home.account_config("a", account);
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("password-file"));
    let text: Vec<&str> = lines.collect();
    home.config(&format!("{}\n{table}", text.join("\n")));
    fs::remove_file(home.path().join("a.password")).unwrap();
}

fn home(server: &Server, provider: &Provider) -> Home {
    let home = Home::new();
    configure(&home, &server.account(), &provider.table());
    home
}

/// A browser that only writes down where it was sent: with a screen, `xdg-open` is asked.
fn with_browser(home: &mut Home) {
    let program = home.path().join("bin/xdg-open");
    make_program(
        &program,
        "#!/bin/sh\nprintf '%s' \"$#$1\" > \"$HOME/opened.new\"\nmv \"$HOME/opened.new\" \
         \"$HOME/opened\"\n",
    );
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    home.env("PATH", &path);
    home.env("DISPLAY", ":0");
}

/// `popfetch login`, and the address that it has opened.
fn begin(home: &Home) -> (Running, String) {
    let _none_yet = fs::remove_file(home.path().join("opened"));
    let running = home.popfetch(["login", "a"]).start();
    let opened = within(PATIENCE, || {
        fs::read_to_string(home.path().join("opened")).ok()
    });
    let opened = opened.expect("no browser was opened");
    let url = opened.strip_prefix('1').expect("one argument");
    (running, url.to_owned())
}

/// Signs in with the browser.
fn sign_in(home: &mut Home) -> Output {
    with_browser(home);
    let (running, url) = begin(home);
    let page = browse(&url);
    assert!(page.contains("Back to the terminal"), "{page}");
    let output = running.wait();
    assert_eq!(output.status, Some(0), "{output:#?}");
    tells_no_secret(&output);
    output
}

/// Signs in with a device code.
fn sign_in_by_device(home: &Home) {
    let output = home.popfetch(["login", "a", "--device"]).expect(0);
    tells_no_secret(&output);
}

/// Fails if a secret is told.
#[track_caller]
fn tells_no_secret(output: &Output) {
    for secret in SECRETS {
        for stream in [&output.stdout, &output.stderr] {
            assert!(!stream.contains(secret), "{secret:?} is in {output:#?}");
        }
    }
}

/// Whether any sign-in is kept in a file.
fn holds_a_sign_in(home: &Home) -> bool {
    let files = fs::read_dir(home.path().join("data/popfetch/logins"));
    let mut files = files.into_iter().flatten().map(|it| it.unwrap().path());
    files.any(|file| file.extension().is_some_and(|it| it == "login"))
}

/// The file that a sign-in is kept in.
fn kept(home: &Home) -> PathBuf {
    let dir = home.path().join("data/popfetch/logins");
    let files = fs::read_dir(&dir).unwrap().map(|it| it.unwrap().path());
    let mut files = files.filter(|file| file.extension().is_some_and(|it| it == "login"));
    let file = files.next().expect("nothing is kept");
    assert_eq!(files.next(), None);
    file
}
