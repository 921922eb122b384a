//! What a hint says works when it is followed to the letter, however the account was named.

/// Options that the command at hand takes.
mod at_hand;
/// Commands that hints name, run as they stand.
mod commands;
/// Disks, files and directories.
mod disk;
/// The way to the server.
mod line;
/// Signing in by OAuth 2.0.
mod login;
/// What takes messages once they are stored.
mod onward;
/// Passwords, and the programs that print them.
mod secrets;
/// Accounts of other tools.
mod taken_over;

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::run::{Home, Output, Run};
use crate::support::server::Server;

/// How the account is named on the command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Named {
    /// By a name of the usual config file.
    Usual,
    /// By one that a shell would take apart, of a config file that is named with `--config`.
    Config,
    /// By a URL, without any config file.
    Url,
}

pub const ALL: [Named; 3] = [Named::Usual, Named::Config, Named::Url];

/// An account of a server in a home of its own.
pub struct Scene {
    pub server: Server,
    pub home: Home,
    pub named: Named,
    pub maildir: PathBuf,
}

impl Scene {
    pub fn new(server: Server, named: Named) -> Self {
        let home = Home::new();
        let maildir = home.path().join("Mail/in the box");
        fs::create_dir_all(maildir.parent().unwrap()).unwrap();
        let scene = Self {
            server,
            home,
            named,
            maildir,
        };
        scene.configure("");
        scene
    }

    /// The account's name in the config file.
    pub fn account(&self) -> &'static str {
        match self.named {
            Named::Config => "it's [a] name",
            _ => "a",
        }
    }

    fn config_file(&self) -> PathBuf {
        match self.named {
            Named::Config => self.home.path().join("other place/popfetch.toml"),
            _ => self.home.config_file(),
        }
    }

    /// Writes the config file anew, with more keys of the account.
    pub fn configure(&self, keys: &str) {
        if self.named == Named::Url {
            return;
        }
        let text = self.home.account_config("a", &self.server.account());
        let text = text.replace("[accounts.a]", &format!("[accounts.{:?}]", self.account()));
        let own = format!("maildir = {:?}", self.home.maildir("a"));
        let text = text.replace(&own, &format!("maildir = {:?}", self.maildir));
        let path = self.config_file();
        let path = path.strip_prefix(self.home.path()).unwrap();
        self.home
            .private_file(path.to_str().unwrap(), &(text + keys));
    }

    /// The account, as it is named behind a command.
    fn words(&self) -> Vec<String> {
        let config = self.config_file().to_str().unwrap().to_owned();
        match self.named {
            Named::Usual => vec!["a".into()],
            Named::Config => vec![self.account().into(), "--config".into(), config],
            Named::Url => vec![self.url()],
        }
    }

    pub fn url(&self) -> String {
        let account = self.server.account();
        format!("pops://{}@{}:{}", account.user, account.host, account.port)
    }

    /// A command that names the account.
    pub fn run(&self, command: &[&str]) -> Output {
        let mut words: Vec<String> = command.iter().map(|it| (*it).to_owned()).collect();
        words.extend(self.words());
        if self.named == Named::Url {
            let maildir = self.maildir.to_str().unwrap().to_owned();
            let roots = self.server.account().roots.unwrap();
            match command.first() {
                Some(&"fetch") => words.extend([
                    "--maildir".into(),
                    maildir,
                    "--password-stdin".into(),
                    "--tls-roots".into(),
                    roots.to_str().unwrap().to_owned(),
                ]),
                Some(&"check") => words.extend([
                    "--password-stdin".into(),
                    "--tls-roots".into(),
                    roots.to_str().unwrap().to_owned(),
                ]),
                _ => words.extend(["--maildir".into(), maildir]),
            }
        }
        self.home.popfetch(words).stdin(self.password()).run()
    }

    /// A command that names no account, but its config file where that is not the usual one.
    pub fn run_alone(&self, command: &[&str]) -> Output {
        let mut words: Vec<String> = command.iter().map(|it| (*it).to_owned()).collect();
        if self.named == Named::Config {
            words.extend(self.words().into_iter().skip(1));
        }
        self.home.popfetch(words).run()
    }

    pub fn fetch(&self, status: i32) -> Output {
        let output = self.run(&["fetch"]);
        assert_eq!(output.status, Some(status), "{:?}: {output:#?}", self.named);
        output
    }

    fn password(&self) -> String {
        format!("{}\n", self.server.account().password)
    }

    /// Runs the command beginning with `start` that `told` names, by a shell, as it stands there.
    #[track_caller]
    pub fn follow(&self, told: &Output, start: &str) -> Output {
        let command = command_in(&told.stderr, start);
        let output = shell(&self.home, &command).stdin(self.password()).run();
        assert!(
            output.status != Some(127) && !output.stderr.contains("usage: "),
            "{:?}: {command}: {output:#?}",
            self.named
        );
        output
    }
}

/// The command beginning with `start` that a text names: up to the backtick, the semicolon or the end of
/// the line behind it.
#[track_caller]
pub fn command_in(text: &str, start: &str) -> String {
    let text = text.find("hint: ").map_or(text, |at| &text[at..]);
    let at = text.find(start);
    let rest = &text[at.unwrap_or_else(|| panic!("no {start:?} in {text}"))..];
    let end = rest.find(['`', ';', '\n']).unwrap_or(rest.len());
    rest[..end].to_owned()
}

/// A line for a shell, where `popfetch` is the program of the tests.
pub fn shell(home: &Home, line: &str) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_popfetch"));
    let directory = program.parent().unwrap();
    let mut path = directory.as_os_str().as_bytes().to_owned();
    path.extend(b":/usr/bin:/bin");
    home.run_by(Command::new("sh").args(["-c", line]))
        .env("PATH", std::ffi::OsStr::from_bytes(&path))
}
