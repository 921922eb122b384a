//! `proxy-command`: a program whose standard input and output are the connection, as ssh's
//! ProxyCommand has it.
//!
//! A confined thread can start nothing, and end nothing that it has not started. So both are done by
//! a thread that exists before the confinement and can do nothing else.

use super::Error;
use crate::exit::scarcity;
use crate::paths;
use crate::process::{self, Group, Running};
use crate::term::{escape_up_to, quoted, without_numbers};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// Gets the lines that a program prints for people, made harmless.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// How long a program may take to end after it was asked to, before it is killed.
const GRACE: Duration = Duration::from_millis(500);

/// More lines than these are read and thrown away.
const LINES: usize = 50;

/// What is shown of a line, in octets.
const LINE: u64 = 400;

/// Where the program of the key `key` is, by the rules by which it is started; or what is wrong, and what to do.
pub fn find(key: &str, program: &str) -> Result<PathBuf, (String, String)> {
    process::find(program).map_err(|error| {
        let why = without_numbers(&error.to_string());
        let way = cannot_start(key, program, &error);
        (format!("cannot start `{program}`: {why}"), way)
    })
}

/// What to do where the program of the key `key` cannot be started.
pub fn cannot_start(key: &str, program: &str, error: &io::Error) -> String {
    if let Some(scarce) = scarcity(error) {
        return scarce.to_owned();
    }
    let shown = quoted(program);
    match error.kind() {
        io::ErrorKind::NotFound if program.starts_with('~') || program.contains('$') => {
            not_by_a_shell(key, program)
        }
        io::ErrorKind::NotFound if program.contains(' ') => format!(
            "`{key}` is a list of the program and its arguments, each in quotes of its own: [\"pass\", \
             \"show\", \"mail/work\"]"
        ),
        io::ErrorKind::NotFound if program.contains('/') => {
            format!("there is no {shown}, or not the program that its first line (#!) names")
        }
        io::ErrorKind::NotFound => format!(
            "it is not installed, or not in PATH, which is short under cron: write its path in full \
             in `{key}`, as `command -v {shown}` shows it"
        ),
        io::ErrorKind::PermissionDenied => format!("run: chmod u+x {shown}"),
        _ if error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) => {
            format!("the first line of {shown} must name what runs it, as in #!/bin/sh")
        }
        _ => format!("`{key}` is a list of the program and its arguments, run without a shell"),
    }
}

/// What to do with a word of `key` that a shell would have made something else of.
pub fn not_by_a_shell(key: &str, word: &str) -> String {
    let home = paths::home().map(|home| home.display().to_string());
    let below = ["~", "$HOME", "${HOME}"]
        .iter()
        .find_map(|it| word.strip_prefix(it))
        .filter(|below| below.starts_with('/') && !below.contains('$'));
    let way_on = match (home, below) {
        (Ok(home), Some(below)) => format!("write {home}{below} in its place"),
        _ => "write what it stands for in its place, or have a shell do it: [\"sh\", \"-c\", \"...\"]"
            .to_owned(),
    };
    format!("no shell runs `{key}`, so that `~` and `$` stand for themselves in `{word}`: {way_on}")
}

/// A running program. It is ended, with what it started, when this is dropped.
pub struct Program {
    name: String,
    running: Running,
    /// Gets the last line of its standard error, once all of it was told.
    told: Receiver<String>,
    orders: Sender<Order>,
}

/// What the thread of a [`Launcher`] is asked for.
enum Order {
    /// To start the program, which sends its own orders by the second.
    Start(Sender<io::Result<(UnixStream, Program)>>, Sender<Order>),
    /// To send a signal to a program and what it has started, and to say so.
    Signal(Pid, Signal, Sender<()>),
}

/// Starts a program for each connection.
pub(super) struct Launcher {
    orders: Sender<Order>,
    program: String,
}

impl Launcher {
    /// A launcher of `argv`, to be called before this thread is confined.
    pub(super) fn new(argv: Vec<String>, tell: Tell) -> Self {
        let (orders, received) = channel();
        let program = argv.first().cloned().unwrap_or_default();
        // Where there is no thread to be had, whoever gives an order finds nobody.
        let _ = thread::Builder::new().spawn(move || {
            for order in received {
                match order {
                    // Whoever gave the order may have gone; then the program ends at once.
                    Order::Start(started, orders) => {
                        let _ = started.send(start(&argv, &tell, orders));
                    }
                    Order::Signal(group, signal, done) => {
                        // What it has started may be left even where it has ended itself. Errors
                        // mean that nothing is.
                        let _ = kill_process_group(group, signal);
                        let _ = done.send(());
                    }
                }
            }
        });
        Self { orders, program }
    }

    /// Starts the program; the stream is its standard input and output.
    pub(super) fn launch(&self) -> Result<(UnixStream, Program), Error> {
        let (order, started) = channel();
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let started = match self.orders.send(Order::Start(order, self.orders.clone())) {
            Ok(()) => started.recv().unwrap_or_else(|_| Err(gone())),
            Err(_) => Err(gone()),
        };
        started.map_err(|source| Error::Program {
            program: self.program.clone(),
            source,
        })
    }
}

fn start(argv: &[String], tell: &Tell, orders: Sender<Order>) -> io::Result<(UnixStream, Program)> {
    let (ours, theirs) = UnixStream::pair()?;
    let (name, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(name);
    command
        .args(arguments)
        .stdin(OwnedFd::from(theirs.try_clone()?))
        .stdout(OwnedFd::from(theirs))
        .stderr(Stdio::piped());
    // Ctrl-C is for popfetch, which ends the session in good order and then the program.
    let mut running = Running::start(&mut command, Group::Own)?;
    // The command holds the other end too: while it is open, its end of stream never comes.
    drop(command);
    ours.set_nonblocking(true)?;
    let (all_told, told) = channel();
    if let Some(stderr) = running.take_stderr() {
        let tell = Arc::clone(tell);
        let listen = move || {
            let _ = all_told.send(tell_lines(stderr, &tell));
        };
        thread::Builder::new().spawn(listen)?;
    }
    let program = Program {
        name: name.clone(),
        running,
        told,
        orders,
    };
    Ok((ours, program))
}

/// Gives the last line.
fn tell_lines(stderr: ChildStderr, tell: &Tell) -> String {
    let mut last = String::new();
    let mut stderr = BufReader::new(stderr);
    for _ in 0..LINES {
        let mut line = Vec::new();
        match stderr.by_ref().take(LINE).read_until(b'\n', &mut line) {
            Ok(1..) => {}
            _ => return last,
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']);
        if !line.is_empty() {
            last = escape_up_to(line, usize::MAX);
            tell(&last);
        }
    }
    let _ = io::copy(&mut stderr, &mut io::sink());
    last
}

impl Program {
    /// That it has failed, where it has, for its end of the stream is closed.
    pub(super) fn failure(&mut self) -> Option<io::Error> {
        self.running.ends_within(GRACE);
        let status = self.running.status().ok()??;
        if status.success() {
            return None;
        }
        let mut failed = format!("the proxy command `{}` failed: {status}", self.name);
        if let Ok(last) = self.told.recv_timeout(GRACE)
            && !last.is_empty()
        {
            failed.push_str(&format!("; it said: {last}"));
        }
        Some(io::Error::other(failed))
    }

    fn signal(&self, signal: Signal) {
        let (done, is_done) = channel();
        let group = self.running.pid();
        let asked = self.orders.send(Order::Signal(group, signal, done));
        if asked.is_err() || is_done.recv_timeout(GRACE).is_err() {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        if !self.running.ends_within(GRACE) {
            self.signal(Signal::KILL);
            self.running.ends_within(GRACE);
        }
        let _ = self.told.recv_timeout(GRACE);
    }
}
