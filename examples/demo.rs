//! popfetch at work, in a few seconds and without a mail account:
//!
//! ```text
//! cargo run --release --example demo
//! ```
//! A POP3S server starts on a free port of 127.0.0.1, with some mail in it. The real command line
//! fetches that mail into a Maildir in a temporary home, looks at it, and fetches once more. At the
//! end everything is removed.
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
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use popfetch::message::Heading;
use support::behaviour::Behaviour;
use support::maildrop::Maildrop;
use support::run::Home;
use support::server::Server;

/// Set for the processes that are to be popfetch.
const AS_PROGRAM: &str = "POPFETCH_DEMO_AS_PROGRAM";
/// What the account is called, and so its Maildir.
const ACCOUNT: &str = "work";
/// How long the server thinks before each answer, so that there is progress to be seen.
const PAUSE: Duration = Duration::from_millis(60);

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
    let server = Server::builder(&Maildrop::new(mail::sample()))
        .credentials("you@example.com", "a password of the demo")
        .behaviour(Behaviour::new().delay(PAUSE).chunk(16 * 1024))
        .start();
    let home = Home::with_program(std::env::current_exe()?);
    home.config(&home.account_config(ACCOUNT, &server.account()));
    let mut screen = io::stdout();

    note("A POP3S server with some mail is running on this machine.");
    popfetch(&home, &["check"])?;
    note("All of it comes home:");
    popfetch(&home, &["fetch"])?;
    note("Each message is a file of its own now:");
    show_maildir(&mut screen, &home.maildir(ACCOUNT).join("new"))?;
    note("The mail is still on the server, and none of it is new any more:");
    popfetch(&home, &["check"])?;
    note("So a second run downloads nothing:");
    popfetch(&home, &[])?;
    note("The demo removes its server and its files now.");
    Ok(())
}

/// Runs a command line, shown as a person would type it.
fn popfetch(home: &Home, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    prompt(&[&["popfetch"], arguments].concat().join(" "));
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).env(AS_PROGRAM, "1");
    for (name, path) in directories(home) {
        command.env(name, path);
    }
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("popfetch ended with {status}").into())
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

/// The first files of the Maildir, how many there are, and the header of one.
fn show_maildir(screen: &mut impl Write, new: &Path) -> Result<(), Box<dyn Error>> {
    const SHOWN: usize = 4;
    let mut paths: Vec<_> = fs::read_dir(new)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    prompt("ls ~/Mail/work/new");
    for path in paths.iter().take(SHOWN) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let short: String = name.chars().take(40).collect();
        writeln!(screen, "{short}...")?;
    }
    let more = paths.len().saturating_sub(SHOWN);
    writeln!(screen, "... and {more} more: {} messages", paths.len())?;

    prompt("head -4 ~/Mail/work/new/...");
    let greeting = paths.iter().map(fs::read).find(|message| {
        let subject = message.as_ref().map(|m| Heading::parse(m).subject);
        subject.is_ok_and(|subject| subject.is_some_and(|s| s.starts_with("Lunch")))
    });
    let message = greeting.ok_or("a message is missing")??;
    for line in String::from_utf8_lossy(&message).lines().take(4) {
        writeln!(screen, "{line}")?;
    }
    Ok(())
}

fn note(text: &str) {
    // Slow enough to be read along, where someone reads.
    if io::IsTerminal::is_terminal(&io::stdout()) {
        thread::sleep(Duration::from_millis(400));
    }
    println!("\n# {text}");
}

fn prompt(line: &str) {
    println!("$ {line}");
}
