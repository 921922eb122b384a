//! popfetch at work, in a few seconds and without a mail account:
//!
//! ```text
//! cargo run --release --example demo
//! ```
//! A POP3S server starts on a free port of 127.0.0.1, with some mail in it. The real command line begins
//! to fetch that mail into a Maildir in a temporary home, is killed in the middle, and runs again; then
//! each message is looked for. At the end everything is removed.
//!
//! Cargo builds no program beside an example, so this one is both: started with [`AS_PROGRAM`] in
//! its environment, it is popfetch.

#[path = "demo/mail.rs"]
mod mail;
#[path = "../tests/support/mod.rs"]
mod support;

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use support::behaviour::Behaviour;
use support::maildrop::Maildrop;
use support::message::Message;
use support::run::Home;
use support::server::Server;
use support::tree;

/// Set for the processes that are to be popfetch.
const AS_PROGRAM: &str = "POPFETCH_DEMO_AS_PROGRAM";
/// What the account is called, and so its Maildir.
const ACCOUNT: &str = "work";
/// How long the server thinks before each answer, so that there is progress to be seen. With the pauses
/// for reading, all of it is over within ten seconds.
const PAUSE: Duration = Duration::from_millis(30);
/// How many messages are to be stored before popfetch is killed, at least.
const BEFORE_THE_KILL: usize = 12;
/// How long that may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a person has for each remark.
const READING: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    if std::env::var_os(AS_PROGRAM).is_some() {
        return popfetch::command::main(std::env::args_os());
    }
    match show() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show() -> Result<(), Box<dyn Error>> {
    let messages = mail::sample();
    let stored: Vec<Vec<u8>> = messages.iter().map(Message::stored).collect();
    let server = Server::builder(&Maildrop::new(messages))
        .credentials("you@example.com", "a password of the demo")
        .behaviour(Behaviour::new().delay(PAUSE).chunk(16 * 1024))
        .start();
    let home = Home::with_program(std::env::current_exe()?);
    home.config(&home.account_config(ACCOUNT, &server.account()));
    let maildir = home.maildir(ACCOUNT);

    remark("A POP3S server with some mail is running on this machine.");
    run(&home, &["check"])?;
    remark("popfetch brings the mail home, and is killed in the middle (kill -9):");
    let before = killed(&home, &maildir)?;
    result(&format!("killed, with {before} messages stored"));
    remark("There is nothing to mend. It is run again:");
    run(&home, &[])?;
    remark("Is each message there, octet for octet, and only once?");
    count(&maildir, stored)?;
    run(&home, &["verify"])?;
    remark("What is safe here may be deleted there:");
    run(&home, &["--delete"])?;
    result(&format!("{} on the server", server.maildrop().count()));
    remark("And it is read with no connection:");
    run(&home, &["list", "--limit", "5"])?;
    remark("The demo removes its server and its files now.");
    Ok(())
}

/// Runs a command line, shown as a person would type it.
fn run(home: &Home, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    prompt(&[&["popfetch"], arguments].concat().join(" "));
    let status = popfetch(home, arguments)?.status()?;
    succeeded(status)
}

fn succeeded(status: ExitStatus) -> Result<(), Box<dyn Error>> {
    match status.success() {
        true => Ok(()),
        false => Err(format!("popfetch ended with {status}").into()),
    }
}

fn popfetch(home: &Home, arguments: &[&str]) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).env(AS_PROGRAM, "1");
    for (name, path) in directories(home) {
        command.env(name, path);
    }
    Ok(command)
}

/// Fetches, and is killed once some of the mail is there; how much is.
fn killed(home: &Home, maildir: &Path) -> Result<usize, Box<dyn Error>> {
    prompt("popfetch & sleep 1; kill -9 $!");
    let mut running = popfetch(home, &[])?.spawn()?;
    let deadline = Instant::now() + PATIENCE;
    while in_new(maildir) < BEFORE_THE_KILL && Instant::now() < deadline {
        if let Some(status) = running.try_wait()? {
            succeeded(status)?;
            return Err("popfetch was done before it could be killed".into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    running.kill()?;
    running.wait()?;
    if io::stderr().is_terminal() {
        // Whoever is killed leaves its bar where it was.
        eprintln!();
    }
    Ok(in_new(maildir))
}

fn in_new(maildir: &Path) -> usize {
    fs::read_dir(maildir.join("new")).map_or(0, Iterator::count)
}

/// Compares the files of the Maildir with what the server has.
fn count(maildir: &Path, mut missing: Vec<Vec<u8>>) -> Result<(), Box<dyn Error>> {
    let all = missing.len();
    let mut others = 0;
    for file in tree::read(maildir) {
        match missing.iter().position(|octets| *octets == file.octets) {
            Some(place) => drop(missing.swap_remove(place)),
            None => others += 1,
        }
    }
    let lost = missing.len();
    result(&format!("{all} messages, {others} twice, {lost} lost"));
    match (others, lost) {
        (0, 0) => Ok(()),
        _ => Err("the promise is broken".into()),
    }
}

/// The home that the program is to see instead of yours.
fn directories(home: &Home) -> Vec<(&'static str, OsString)> {
    let at = |name: &str| home.path().join(name).into_os_string();
    vec![
        ("HOME", home.path().as_os_str().to_owned()),
        ("XDG_CONFIG_HOME", at("config")),
        ("XDG_STATE_HOME", at("state")),
    ]
}

/// Said beside the commands: dim, and slow enough to be read along, where someone reads.
fn remark(text: &str) {
    if io::stdout().is_terminal() {
        thread::sleep(READING);
    }
    println!("\n{}", styled("2", &format!("# {text}")));
}

fn prompt(line: &str) {
    println!("$ {}", styled("1", line));
}

fn result(text: &str) {
    println!("{}", styled("32", text));
}

/// In this rendition (ECMA-48, SGR), where a person wants colours.
fn styled(rendition: &str, text: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
    match io::stdout().is_terminal() && !plain {
        true => format!("\x1b[{rendition}m{text}\x1b[0m"),
        false => text.to_owned(),
    }
}
