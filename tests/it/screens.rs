use std::process::Command;
use std::time::Duration;

use popfetch::term::width;

use crate::given::{gate, mail, server};
use crate::support::account::Account;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::process::{find, within};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::skip::{Lack, skip};
use crate::support::terminal::Terminal;

/// A terminal that can be looked at: tmux with nobody attached.
struct Tmux {
    tmux: std::path::PathBuf,
    socket: std::path::PathBuf,
}

impl Tmux {
    /// A shell in the home, with so many columns. None where there is no tmux.
    fn start(home: &Home, columns: u16) -> Option<Self> {
        let Some(tmux) = find("tmux") else {
            skip(Lack::Tool, "tmux is not installed");
            return None;
        };
        let socket = home.path().join(format!("tmux-{columns}"));
        let tmux = Self { tmux, socket };
        let mut command = tmux.command(home);
        command.args(["-f", "/dev/null", "-u", "new-session", "-d", "-x"]);
        command.args([&columns.to_string(), "-y", "24", "env", "PS1=$ ", "bash"]);
        command.args(["--norc", "--noprofile", "-i"]);
        assert!(command.status().unwrap().success());
        Some(tmux)
    }

    fn command(&self, home: &Home) -> Command {
        let mut command = Command::new(&self.tmux);
        home.furnish(&mut command);
        command.env("LANG", "C.UTF-8").env("TERM", "screen");
        command.arg("-S").arg(&self.socket);
        command
    }

    fn type_line(&self, home: &Home, line: &str) {
        let mut command = self.command(home);
        command.args(["send-keys", line, "Enter"]);
        assert!(command.status().unwrap().success());
    }

    fn press(&self, home: &Home, key: &str) {
        let mut command = self.command(home);
        command.args(["send-keys", key]);
        assert!(command.status().unwrap().success());
    }

    /// What is on the screen now, without the empty lines at its end.
    fn screen(&self, home: &Home) -> String {
        let mut command = self.command(home);
        let output = command.args(["capture-pane", "-p"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.trim_end().to_owned()
    }

    /// The screen once it holds all of these.
    fn wait_for(&self, home: &Home, words: &[&str]) -> String {
        let shown = within(Duration::from_secs(30), || {
            let screen = self.screen(home);
            words.iter().all(|it| screen.contains(it)).then_some(screen)
        });
        shown.unwrap_or_else(|| panic!("no {words:?}:\n{}", self.screen(home)))
    }

    fn end(self, home: &Home) {
        let _gone = self.command(home).arg("kill-server").status();
    }
}

/// The columns in which a character stands, a line each.
fn columns_of(screen: &str, wanted: char) -> Vec<usize> {
    let lines = screen.lines().filter(|line| line.contains('/'));
    let places = lines.filter_map(|line| line.split_once(wanted));
    places.map(|(before, _)| width(before)).collect()
}

/// Two accounts, the name of one of which is wide, that both stand still at their second message.
#[test]
fn bars_are_aligned_never_wrapped_and_leave_nothing_behind_at_any_width() {
    for columns in [40, 60, 80, 120] {
        let (one, hook_of_one) = gate("RETR 2");
        let (other, hook_of_other) = gate("RETR 2");
        let start =
            |count, hook: Box<dyn Fn(&crate::support::server::CommandSeen) + Send + Sync>| {
                Server::builder(&Maildrop::new(mail(count)))
                    .on_command(hook)
                    .start()
            };
        let first = start(3, Box::new(hook_of_one));
        let second = start(12, Box::new(hook_of_other));
        let home = Home::new();
        home.config(
            &(home.account_config("work", &first.account())
                + &home
                    .account_config("mail", &second.account())
                    .replace("[accounts.mail]", "[accounts.\"日本のメール\"]")),
        );
        let Some(tmux) = Tmux::start(&home, columns) else {
            return;
        };
        tmux.type_line(
            &home,
            &format!("clear; {}; echo done$?", home.program().display()),
        );
        one.wait("one");
        other.wait("other");
        let screen = tmux.wait_for(&home, &["/3 [", "/12 ["]);
        let bars: Vec<&str> = screen.lines().filter(|it| it.contains('[')).collect();
        assert_eq!(bars.len(), 2, "{columns}:\n{screen}");
        for line in &bars {
            assert!(width(line) <= usize::from(columns), "{columns}:\n{screen}");
            assert!(
                line.contains(']'),
                "a bar in one line, {columns}:\n{screen}"
            );
        }
        for wanted in ['[', ']'] {
            let places = columns_of(&screen, wanted);
            assert!(
                places.len() == 2 && places[0] == places[1],
                "{columns}:\n{screen}"
            );
        }
        one.open();
        other.open();
        let screen = tmux.wait_for(&home, &["done0"]);
        for rest in ["[", "]", "signing in", "connecting"] {
            assert!(!screen.contains(rest), "{rest} at {columns}:\n{screen}");
        }
        assert!(screen.contains("work: 3 new messages"), "{screen}");
        tmux.end(&home);
    }
}

/// Several bars, and a person who presses Ctrl-C in a terminal that others have made.
#[test]
fn ctrl_c_takes_the_bars_away_and_the_shell_goes_on_below() {
    for columns in [40, 60, 80] {
        let (one, hook_of_one) = gate("RETR 2");
        let (other, hook_of_other) = gate("UIDL");
        let first = Server::builder(&Maildrop::new(mail(3))).on_command(hook_of_one);
        let second = Server::builder(&Maildrop::new(mail(3))).on_command(hook_of_other);
        let (first, second) = (first.start(), second.start());
        // They go before the servers, whose threads wait at them.
        let gates = [one, other];
        let home = Home::new();
        let config = home.account_config("work", &first.account())
            + &home.account_config("home", &second.account());
        home.config(&format!("defaults.pipelining = \"off\"\n{config}"));
        let Some(tmux) = Tmux::start(&home, columns) else {
            return;
        };
        let line = format!("clear; {}; echo done$?", home.program().display());
        tmux.type_line(&home, &line);
        gates.iter().for_each(|gate| gate.wait("a command"));
        tmux.wait_for(&home, &["1/3 [", "listing"]);
        tmux.press(&home, "C-c");
        let screen = tmux.wait_for(&home, &["done130", "$"]);
        let lines: Vec<_> = screen.lines().collect();
        let said = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            said.starts_with("stopping within 2 seconds; Ctrl-C again: at"),
            "{columns}:\n{screen}"
        );
        for rest in ["[", "]", "\u{2801}", "^C"] {
            assert!(!screen.contains(rest), "{rest} at {columns}:\n{screen}");
        }
        let place = lines.iter().position(|line| *line == "done130");
        assert_eq!(lines.get(place.unwrap() + 1), Some(&"$"), "{screen}");
        tmux.end(&home);
    }
}

/// Three messages: a plain one, one with wide characters and colours, and one with a long subject.
fn three() -> Vec<Message> {
    let of = |n: usize, from: &str, subject: &str| {
        Message::from_lf(
            format!("uid-{n}"),
            format!(
                "Message-ID: <{n}@x>\nFrom: {from}\nDate: Mon, 23 Nov 2026 10:0{n}:00 +0000\n\
                 Subject: {subject}\n\nText {n}.\n"
            ),
        )
    };
    vec![
        of(1, "Ada <ada@example.com>", "Hello"),
        of(
            2,
            "=?utf-8?b?5pel5pys?= <jp@example.com>",
            "=?utf-8?b?44GT44KT44Gr44Gh44Gv5LiW55WM?= \u{1b}[31mred",
        ),
        of(
            3,
            "A Very Long Name Indeed <long@example.com>",
            &"word ".repeat(30),
        ),
    ]
}

fn at_home(messages: Vec<Message>) -> (Server, Home) {
    Server::builder(&Maildrop::new(messages)).with_home("")
}

#[test]
fn a_dry_run_fits_the_terminal_with_wide_characters_and_long_subjects() {
    let (_server, home) = at_home(three());
    for columns in [40, 60, 80, 120] {
        let (status, screen) = Terminal::start(&home, columns, &["fetch", "-n"]).end();
        assert_eq!(status, 0, "{screen}");
        // The bars that come before are drawn with moves of the cursor.
        let text = screen
            .rsplit('\r')
            .next()
            .unwrap()
            .rsplit("\u{1b}[2K")
            .next()
            .unwrap();
        for line in text.lines() {
            assert!(
                width(line) <= usize::from(columns),
                "{columns}: {line:?}\n{screen:?}"
            );
        }
        assert!(!text.contains("\u{1b}[31m"), "{screen:?}");
        assert!(text.contains("would fetch 3"), "{screen:?}");
    }
    // A pipe is not a terminal: whole subjects, no colours, no moves of the cursor.
    let output = home.popfetch(["fetch", "-n"]).expect(0);
    let all = format!("{}{}", output.stdout, output.stderr);
    assert!(
        all.contains("こんにちは世界") && !all.contains('\u{1b}') && !all.contains('…'),
        "{all}"
    );
}

#[test]
fn several_accounts_with_one_that_fails_at_every_width() {
    let (server, home) = server(2);
    let good = home.account_config("work", &server.account());
    let wrong = Account {
        password: "wrong".into(),
        user: "eve".into(),
        ..server.account()
    };
    let bad = home.account_config("at-home", &wrong);
    home.config(&(good + &bad));
    for columns in [40, 60, 80, 120] {
        let (status, screen) =
            Terminal::start(&home, columns, &["fetch", "--now", "--no-progress"]).end();
        assert_eq!(status, 77, "{screen}");
        assert!(!screen.contains('\u{1b}'), "NO_COLOR is set: {screen:?}");
        for line in screen.lines() {
            assert!(width(line) <= usize::from(columns), "{columns}: {line:?}");
        }
        let last = screen.split("\n").collect::<Vec<_>>().join(" ");
        let last = last.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(last.ends_with("failed: at-home"), "{screen}");
    }
    let check = Terminal::start(&home, 40, &["check", "--now", "--no-progress"])
        .end()
        .1;
    assert!(check.lines().all(|line| width(line) <= 40), "{check}");
}

/// Whoever copies a command from a help has all of it, however narrow the terminal is.
#[test]
fn no_command_in_a_help_is_broken_into_lines() {
    let home = Home::new();
    for (command, examples) in [
        (
            &["--help"][..],
            &[
                "popfetch fetch pops://ada@pop.example.com --maildir ~/Mail/ada",
                "popfetch --format paths -0 | xargs -0 -r grep -l invoice",
            ][..],
        ),
        (
            &["import", "--help"],
            &["popfetch import fetchmail ~/old/fetchmailrc --seen ~/old/.fetchids --yes"],
        ),
        (
            &["list", "-h"],
            &[
                "popfetch list --format paths -0 --subject invoice | tar cf invoices.tar --null -T -",
            ],
        ),
        (
            &["completions", "--help"],
            &["mkdir -p ~/.local/share/bash-completion/completions"],
        ),
        (
            &["state", "accept", "--help"],
            &["popfetch state accept work --fetch-again"],
        ),
        (
            &["check", "--help"],
            &["popfetch check -q work && popfetch fetch work"],
        ),
    ] {
        for columns in [40, 60, 80] {
            let (status, octets) = Terminal::start(&home, columns, command).end_raw();
            let text = String::from_utf8(octets).unwrap();
            assert_eq!(status, 0, "{text}");
            for example in examples {
                let is_whole = |line: &str| line.trim_start().starts_with(example);
                assert!(text.lines().any(is_whole), "{columns}: {example}:\n{text}");
            }
            // What is no command is as narrow as the terminal.
            let mut prose = text.lines().filter(|line| !line.starts_with("  "));
            let fits = |line: &str| width(line.trim_end()) <= usize::from(columns);
            assert!(prose.all(fits), "{columns}:\n{text}");
        }
    }
}
