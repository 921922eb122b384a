//! A run at a terminal, and the person in front of it.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcsetwinsize};

use super::process::{Daemon, within};
use super::run::Home;

/// A run with a terminal of its own; it is killed when this is dropped.
pub struct Terminal {
    daemon: Daemon,
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    /// Shows what comes, until the last one has closed the terminal.
    showing: JoinHandle<()>,
    columns: u16,
    /// How much of the screen has been read by the person.
    read: usize,
    limit: Duration,
}

impl Terminal {
    /// Starts popfetch with these arguments in a home, at a terminal of so many columns.
    pub fn start(home: &Home, columns: u16, arguments: &[&str]) -> Self {
        Self::start_program(home, columns, home.program(), arguments)
    }

    /// The same with another program.
    pub fn start_program(home: &Home, columns: u16, program: &Path, arguments: &[&str]) -> Self {
        let (master, slave) = open(columns);
        // A session of its own, whose terminal this is: Ctrl-C and questions for passwords need it.
        // Signals that whoever runs the tests ignores (a shell does so for what it puts behind itself) would
        // be ignored by popfetch as well, rightly.
        let mut command = Command::new("env");
        home.furnish(&mut command);
        command
            .args(["--default-signal", "setsid", "--ctty", "--wait"])
            .arg(program)
            .args(arguments);
        command.env("TERM", "xterm").env("NO_COLOR", "1");
        let end = || Stdio::from(slave.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(end());
        let daemon = Daemon::start(&mut command);
        drop(command);
        drop(slave);
        let keyboard = File::from(master);
        let mut output = keyboard.try_clone().unwrap();
        let screen = Arc::new(Mutex::new(Vec::new()));
        let shown = Arc::clone(&screen);
        let showing = thread::spawn(move || {
            let mut octets = [0; 4096];
            // Where the last one has closed the terminal there is an error, and no end.
            while let Ok(count @ 1..) = output.read(&mut octets) {
                shown.lock().unwrap().extend_from_slice(&octets[..count]);
            }
        });
        Self {
            daemon,
            keyboard,
            screen,
            showing,
            columns,
            read: 0,
            limit: Duration::from_secs(30),
        }
    }

    /// Waits until this is shown, behind what was waited for before.
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        let found = within(self.limit, || {
            let screen = self.screen();
            let at = screen.get(self.read..)?.find(text)?;
            Some(self.read + at + text.len())
        });
        let Some(end) = found else {
            panic!("`{text}` does not come:\n{}", self.screen());
        };
        self.read = end;
        self
    }

    /// Waits for a question, and answers it with a line.
    pub fn answer(&mut self, question: &str, answer: &str) -> &mut Self {
        self.wait_for(question);
        self.press(&format!("{answer}\n"))
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Whether the terminal shows what is typed, line by line, as it does for shells.
    pub fn echoes(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&self.keyboard)
            .unwrap()
            .local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Sends a signal to popfetch, and not to what started it.
    pub fn signal(&mut self, signal: Signal) {
        let id = self.daemon.child().id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let child = children.split_whitespace().next().expect("it has ended");
        let child = Pid::from_raw(child.parse().unwrap()).unwrap();
        kill_process(child, signal).unwrap();
    }

    /// All that was shown.
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).replace("\r\n", "\n")
    }

    /// What a person sees now, as far as it could be scrolled back to, without what is empty at the ends
    /// of lines and screen.
    pub fn seen(&self) -> String {
        shown_at(self.columns, &self.screen.lock().unwrap()).0
    }

    /// Waits for the end: the exit status, and what is seen then.
    pub fn see_the_end(self) -> (i32, String) {
        let (columns, screen) = (self.columns, Arc::clone(&self.screen));
        let (status, _) = self.end();
        let seen = shown_at(columns, &screen.lock().unwrap()).0;
        (status, seen)
    }

    /// Waits for the end: the exit status, and every octet that the terminal was sent.
    pub fn end_raw(self) -> (i32, Vec<u8>) {
        let screen = Arc::clone(&self.screen);
        let (status, _) = self.end();
        let octets = screen.lock().unwrap().clone();
        (status, octets)
    }

    /// Waits for the end, and fails unless the screen is left as a shell wants it: the cursor to be seen,
    /// at the beginning of a line, what is typed shown again. The exit status, and what is seen.
    #[track_caller]
    pub fn see_a_clean_end(self) -> (i32, String) {
        let (columns, screen) = (self.columns, Arc::clone(&self.screen));
        let (status, raw, echoes) = self.leave();
        let (seen, is_clean) = shown_at(columns, &screen.lock().unwrap());
        assert!(echoes, "what is typed is not shown:\n{raw:?}");
        assert!(
            is_clean,
            "the cursor is not where a shell wants it:\n{raw:?}\n{seen}"
        );
        (status, seen)
    }

    /// Waits for the end: the exit status (128 and the signal's number where one ended it).
    pub fn end(self) -> (i32, String) {
        let (status, screen, _) = self.leave();
        (status, screen)
    }

    /// The same, and whether the terminal is left as shells want it.
    pub fn leave(mut self) -> (i32, String, bool) {
        let deadline = Instant::now() + self.limit;
        let status = loop {
            if let Some(status) = self.daemon.child().try_wait().unwrap() {
                break status;
            }
            assert!(
                Instant::now() < deadline,
                "does not end:\n{}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(5));
        };
        // What it wrote last may still be on its way.
        let all = within(self.limit, || self.showing.is_finished().then_some(()));
        assert!(
            all.is_some(),
            "somebody holds the terminal: {}",
            self.screen()
        );
        let echoes = self.echoes();
        (status.code().unwrap_or(-1), self.screen(), echoes)
    }
}

/// A terminal of so many columns: the end of the person, and that of the programs. No program inherits either
/// that another test starts meanwhile: it would hold the terminal open for as long as it runs.
fn open(columns: u16) -> (OwnedFd, OwnedFd) {
    let ours = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(ours).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let slave = ioctl_tiocgptpeer(&master, ours).unwrap();
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&slave, size).unwrap();
    (master, slave)
}

/// What a terminal shows of these octets, and whether its cursor can be seen and begins a line.
pub fn shown_at(columns: u16, octets: &[u8]) -> (String, bool) {
    // As high as anything that a test has shown.
    let size = |size| NonZero::new(size).unwrap();
    let mut parser = vt100::Parser::new(size(500), size(columns), 0);
    parser.process(octets);
    let screen = parser.screen();
    let lines: Vec<_> = screen.rows(0, columns).collect();
    let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
    let is_clean = !screen.hide_cursor() && screen.cursor_position().1 == 0;
    (lines.join("\n").trim_end().to_owned(), is_clean)
}

/// All that is below a directory, as paths and contents; for what must not change.
pub fn everything(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            if path.is_dir() {
                found.push((name, Vec::new()));
                waiting.push(path);
            } else {
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
