//! Running the real binary in a home of its own.

use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use tempfile::TempDir;

use super::account::Account;
use super::process::Daemon;
use super::scratch;

/// A run that takes longer hangs, on a machine with however much else to do.
const LIMIT: Duration = Duration::from_secs(240);

/// Between two looks at the memory of a run that has just begun, and of one that goes on and on: a look costs
/// as much as a message, and some runs last for many seconds.
const SHORT: Duration = Duration::from_millis(2);
const LONG: Duration = Duration::from_millis(50);

/// A temporary home directory, and the program that is run with it.
pub struct Home {
    directory: TempDir,
    program: PathBuf,
    extra: Vec<(String, String)>,
}

/// What a finished run left.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit status; None if a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The most memory the program ever had resident, in octets. It is read from VmHWM in
    /// /proc/PID/status every few milliseconds, and of a long run less often; that value only grows, so
    /// what is missed is only the growth of its last fiftieth, or of the very last moment, which on a busy
    /// machine may be most of a short run. 0 if the program ended before the first look, or where there is
    /// no /proc.
    pub peak_memory: u64,
}

/// A run that is being prepared.
pub struct Run {
    command: Command,
    stdin: Vec<u8>,
    limit: Duration,
}

/// A run that is under way; it is killed when this is dropped.
pub struct Running {
    child: Daemon,
    stdout: Collected,
    stderr: Collected,
    deadline: Instant,
}

/// What a pipe has brought so far, and who reads it.
struct Collected {
    octets: Arc<Mutex<Vec<u8>>>,
    reader: thread::JoinHandle<()>,
}

impl Home {
    /// A home for the binary that Cargo built for the tests, in memory where the system has that.
    pub fn new() -> Self {
        Self::at(scratch::directory(), built())
    }

    /// The same with the one account "a" and more keys for it.
    pub fn of(account: &Account, keys: &str) -> Self {
        let home = Self::new();
        home.one_account(account, keys);
        home
    }

    /// An empty one on the disk: where that is what is tested or measured, and for large mail.
    pub fn on_disk() -> Self {
        Self::at(scratch::on_disk(), built())
    }

    /// A home whose path is as long in each run (as `/home/ada`), for screens that are compared whole. The
    /// program is called by its name alone.
    pub fn short() -> Self {
        let mut home = Self::new();
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("").rand_bytes(4);
        home.directory = builder.tempdir_in("/tmp").unwrap();
        let programs = home.path().join("bin");
        fs::create_dir(&programs).unwrap();
        std::os::unix::fs::symlink(&home.program, programs.join("popfetch")).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        home.env("PATH", &format!("{}:{path}", programs.display()));
        home.run_instead("popfetch");
        home
    }

    /// A home for another program, on the disk.
    pub fn with_program(program: impl AsRef<Path>) -> Self {
        Self::at(scratch::on_disk(), program.as_ref())
    }

    fn at(directory: TempDir, program: &Path) -> Self {
        Self {
            directory,
            program: program.into(),
            extra: Vec::new(),
        }
    }

    /// The home directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The program that runs in it.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// From now on what runs in it is this other program.
    pub fn run_instead(&mut self, program: impl Into<PathBuf>) {
        self.program = program.into();
    }

    /// Where [`Home::account_config`] puts the mail of this account.
    pub fn maildir(&self, account: &str) -> PathBuf {
        self.path().join("Mail").join(account)
    }

    /// Where the program keeps its state.
    pub fn state(&self) -> PathBuf {
        self.path().join("state/popfetch")
    }

    /// The config file.
    pub fn config_file(&self) -> PathBuf {
        self.path().join("config/popfetch/config.toml")
    }

    /// Sets an environment variable for all runs to come (a keyring's, for instance).
    pub fn env(&mut self, name: &str, value: &str) {
        self.extra.push((name.into(), value.into()));
    }

    /// Writes the config file, readable by its owner alone.
    pub fn config(&self, text: &str) {
        self.private_file("config/popfetch/config.toml", text);
    }

    /// Writes a file, readable by its owner alone, at a path within the home.
    pub fn private_file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        path
    }

    /// The config text of account `name` on a server of the tests, whose password is put into a
    /// file. More keys can be appended, a line each.
    pub fn account_config(&self, name: &str, account: &Account) -> String {
        let password = self.private_file(&format!("{name}.password"), &account.password);
        let protection = match &account.roots {
            Some(roots) => format!("tls-roots = {roots:?}"),
            None => "tls = \"none\"\nallow-insecure = true".into(),
        };
        format!(
            "[accounts.{name}]\nhost = {:?}\nport = {}\nuser = {:?}\npassword-file = {password:?}\n\
             maildir = {:?}\n{protection}\n",
            account.host,
            account.port,
            account.user,
            self.maildir(name),
        )
    }

    /// Writes a config with the one account "a" and more keys for it.
    pub fn one_account(&self, account: &Account, keys: &str) {
        self.config(&(self.account_config("a", account) + keys));
    }

    /// Gives a command the surroundings of this home's runs.
    pub fn furnish(&self, command: &mut Command) {
        command.env_clear().current_dir(self.path());
        // The second one only where coverage is measured.
        for name in ["PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOME", self.path());
        for (name, directory) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CACHE_HOME", "cache"),
        ] {
            command.env(name, self.path().join(directory));
        }
        command.envs(self.extra.iter().map(|(name, value)| (name, value)));
    }

    /// Prepares a run. Its environment holds nothing but PATH, HOME, the XDG directories below it,
    /// and what [`Home::env`] added; its standard input is empty.
    pub fn popfetch<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        self.prepare(command)
    }

    /// The same run by another program, as `strace` with its options.
    pub fn popfetch_under(&self, tool: &str, options: &[&str], arguments: &[&str]) -> Run {
        let mut command = Command::new(tool);
        command.args(options).arg(&self.program).args(arguments);
        self.prepare(command)
    }

    /// Prepares a run of another program in the same surroundings.
    pub fn run_by(&self, command: &mut Command) -> Run {
        let mut own = Command::new(command.get_program());
        own.args(command.get_args());
        self.prepare(own)
    }

    fn prepare(&self, mut command: Command) -> Run {
        self.furnish(&mut command);
        Run {
            command,
            stdin: Vec::new(),
            limit: LIMIT,
        }
    }
}

impl Run {
    /// Gives it a standard input.
    pub fn stdin(mut self, octets: impl AsRef<[u8]>) -> Self {
        self.stdin = octets.as_ref().into();
        self
    }

    /// Runs it in this directory.
    pub fn below(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// How long it may take; otherwise [`LIMIT`].
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end. Panics, after killing it, if that takes too long.
    pub fn run(self) -> Output {
        self.start().wait()
    }

    /// Runs it and fails unless it exits with `status`.
    pub fn expect(self, status: i32) -> Output {
        let output = self.run();
        assert_eq!(output.status, Some(status), "{output:#?}");
        output
    }

    /// Starts it and lets it run.
    pub fn start(mut self) -> Running {
        let stdin = match self.stdin.is_empty() {
            true => Stdio::null(),
            false => Stdio::piped(),
        };
        self.command.stdin(stdin);
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut daemon = Daemon::start(&mut self.command);
        let child = daemon.child();
        if let Some(mut pipe) = child.stdin.take() {
            // In a thread: a program that does not read its input must not block the test.
            thread::spawn(move || pipe.write_all(&self.stdin));
        }
        Running {
            stdout: collect(child.stdout.take().unwrap()),
            stderr: collect(child.stderr.take().unwrap()),
            child: daemon,
            deadline: Instant::now() + self.limit,
        }
    }
}

impl Running {
    /// The program's process id.
    pub fn id(&mut self) -> u32 {
        self.child.child().id()
    }

    /// Sends a signal to the program.
    pub fn signal(&mut self, signal: Signal) {
        kill_process(Pid::from_child(self.child.child()), signal).unwrap();
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.has_ended()
    }

    /// Standard error up to now.
    pub fn stderr_so_far(&self) -> String {
        self.stderr.so_far()
    }

    /// Waits for its end. Panics, after killing it, if that takes too long.
    pub fn wait(mut self) -> Output {
        let child = self.child.child();
        let started = Instant::now();
        let end = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).ok();
        let mut peak_memory = 0;
        let status = loop {
            // The peak only rises, so the last is the highest. The first may be this program's own: a child that
            // has not quite become its program still has the memory of who started it.
            peak_memory = peak(child).unwrap_or(peak_memory);
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if Instant::now() > self.deadline {
                break None;
            }
            sleep_or_end(end.as_ref(), (started.elapsed() / 50).clamp(SHORT, LONG));
        };
        // Ends the pipes as well, even where a child of the program still holds them.
        drop(self.child);
        let output = Output {
            status: status.and_then(|status| status.code()),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
            peak_memory,
        };
        assert!(status.is_some(), "does not end: {output:#?}");
        output
    }
}

/// Sleeps, and wakes up at once when the program ends, where the system can tell.
fn sleep_or_end(end: Option<&OwnedFd>, time: Duration) {
    let Some(end) = end else {
        return thread::sleep(time);
    };
    // Whoever is woken by a signal looks once more.
    let _why = poll(
        &mut [PollFd::new(end, PollFlags::IN)],
        Some(&Timespec::try_from(time).unwrap()),
    );
}

fn built() -> &'static Path {
    let program = option_env!("CARGO_BIN_EXE_popfetch");
    Path::new(program.expect("only integration tests and benchmarks know the binary"))
}

fn collect(mut pipe: impl Read + Send + 'static) -> Collected {
    let octets = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&octets);
    let reader = thread::spawn(move || {
        let mut buffer = [0; 1 << 16];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => kept.lock().unwrap().extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
    Collected { octets, reader }
}

impl Collected {
    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.octets.lock().unwrap()).into_owned()
    }

    fn whole(self) -> String {
        self.reader.join().unwrap();
        String::from_utf8_lossy(&self.octets.lock().unwrap()).into_owned()
    }
}

fn peak(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
