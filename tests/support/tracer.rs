//! Runs a program from system call to system call (ptrace), and kills it at one of them, or lets
//! it fail. strace counts calls by thread and name; here they are counted over all threads, in the
//! order in which the kernel sees them.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::run::Home;
use super::series;
use super::skip::{Lack, is_root, skip};

/// Calls that change something outside of the process, by their numbers. At any other call a kill
/// leaves the same world as at the next of these.
const EFFECTS: [(libc::c_long, &str); 21] = [
    (libc::SYS_connect, "connect"),
    (libc::SYS_exit_group, "exit_group"),
    (libc::SYS_fdatasync, "fdatasync"),
    (libc::SYS_flock, "flock"),
    (libc::SYS_fsync, "fsync"),
    (libc::SYS_ftruncate, "ftruncate"),
    (libc::SYS_linkat, "linkat"),
    (libc::SYS_mkdirat, "mkdirat"),
    (libc::SYS_openat, "openat"),
    (libc::SYS_pwrite64, "pwrite64"),
    (libc::SYS_renameat, "renameat"),
    (libc::SYS_renameat2, "renameat2"),
    (libc::SYS_sendmsg, "sendmsg"),
    (libc::SYS_sendto, "sendto"),
    (libc::SYS_shutdown, "shutdown"),
    (libc::SYS_unlinkat, "unlinkat"),
    (libc::SYS_write, "write"),
    (libc::SYS_writev, "writev"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mkdir, "mkdir"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_rename, "rename"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_unlink, "unlink"),
];

/// Calls that look for a file or a directory.
const LOOKS: [(libc::c_long, &str); 3] = [
    (libc::SYS_getdents64, "getdents64"),
    (libc::SYS_newfstatat, "newfstatat"),
    (libc::SYS_statx, "statx"),
];

/// A call that a thread is about to make.
#[derive(Clone, Debug)]
pub struct Call {
    pub name: &'static str,
    /// What its first argument stands for, if that is the descriptor of an open file.
    pub file: PathBuf,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// It is made.
    Pass,
    /// It is not: the process is killed.
    Kill,
    /// It is not: it has this error.
    Fail(Errno),
    /// It is made with half of its octets.
    Halve,
    /// It is made, and has this error all the same.
    Belie(Errno),
}

/// How a traced run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// By itself, with this exit status.
    Exited(i32),
    /// Killed at the beginning of this call.
    Killed(&'static str),
}

/// The command that starts `program` once it is traced; arguments and surroundings are for the
/// caller to add.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "kill -STOP $$; exec \"$0\" \"$@\""]);
    command.arg(program);
    command
}

/// Runs a [`command`] and kills it with SIGKILL at the beginning of its `number`th call with an
/// effect, counted from 0. Its end, and how many such calls it came to, the last one included. None
/// where tracing is not permitted.
pub fn kill_at(command: &mut Command, number: usize) -> Option<(End, usize)> {
    let mut calls = 0;
    let end = run(command, |_| {
        calls += 1;
        match calls > number {
            true => Action::Kill,
            false => Action::Pass,
        }
    })?;
    Some((end, calls))
}

/// Kills a [`fetch`] so; what is to be said of what comes of it, and the calls.
#[track_caller]
pub fn killed_fetch(home: &Home, number: usize) -> Option<(String, usize)> {
    let (end, calls) = kill_at(&mut fetch(home), number)?;
    let what = format!("call {number}: {end:?}");
    assert!(
        matches!(end, End::Killed(_) | End::Exited(0)),
        "{what}: the run failed"
    );
    Some((what, calls))
}

/// Lets something befall a run at each of its calls, or at `few` of them as [`series::drawn`] says.
/// `run` is told the number of the call, and tells to how many calls the run came: to more than that
/// number if it came so far. Gives how many there are. None where nothing can be traced.
pub fn at_every_call(few: usize, mut run: impl FnMut(usize) -> Option<usize>) -> Option<usize> {
    /// A run has some hundred calls; a test that would go on for ever is a bug.
    const MOST: usize = 1_000;
    // Nothing befalls this one.
    let count = run(usize::MAX)?;
    for number in series::drawn(count, few) {
        run(number)?;
    }
    // No two runs of threads are quite the same: until a number is beyond the end.
    for number in count..MOST {
        if run(number)? <= number {
            return Some(number);
        }
    }
    panic!("more than {MOST} calls");
}

/// Kills a run as it is about to give the `number`th message its name, behind the sync of the journal
/// that says so. None where nothing can be traced.
pub fn kill_at_rename(home: &Home, number: usize) -> Option<End> {
    let mut renames = 0;
    run(&mut fetch(home), |call| {
        let names = call.name.starts_with("rename") || call.name == "linkat";
        if !names || !call.file.ends_with("tmp") {
            return Action::Pass;
        }
        renames += 1;
        match renames > number {
            true => Action::Kill,
            false => Action::Pass,
        }
    })
}

/// A fetch to be traced; what it prints is lost.
pub fn fetch(home: &Home) -> Command {
    let mut traced = command(home.program());
    home.furnish(traced.arg("fetch"));
    traced.stdin(Stdio::null());
    traced.stdout(Stdio::null()).stderr(Stdio::null());
    traced
}

/// Runs a [`command`], without input and output unless it has them; `decide` is asked at the
/// beginning of each call with an effect. None where tracing is not permitted: then the test is
/// skipped.
pub fn run(command: &mut Command, decide: impl FnMut(&Call) -> Action) -> Option<End> {
    follow(command, false, decide)
}

/// The same, and `decide` is asked at each call as well that only looks for a file or a directory.
pub fn run_looking(command: &mut Command, decide: impl FnMut(&Call) -> Action) -> Option<End> {
    follow(command, true, decide)
}

fn follow(command: &mut Command, looks: bool, decide: impl FnMut(&Call) -> Action) -> Option<End> {
    let leader = Pid::from_raw(command.spawn().unwrap().id() as i32);
    let stopped = waitpid(leader, Some(WaitPidFlag::WUNTRACED)).unwrap();
    assert_eq!(stopped, WaitStatus::Stopped(leader, Signal::SIGSTOP));
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    if let Err(error) = ptrace::seize(leader, options) {
        kill(leader, Signal::SIGKILL).unwrap();
        waitpid(leader, None).unwrap();
        skip(Lack::Tool, format_args!("ptrace: {error}"));
        return None;
    }
    kill(leader, Signal::SIGCONT).unwrap();
    let tracer = Tracer {
        leader,
        looks,
        decide,
        stays_open: is_root(),
        begun: false,
        in_call: HashMap::new(),
        killed: None,
    };
    Some(tracer.run())
}

struct Tracer<F> {
    leader: Pid,
    /// Calls without an effect count as well, if they look for something.
    looks: bool,
    decide: F,
    /// The program shows in /proc what it calls, from now on as well.
    stays_open: bool,
    /// The program itself is running, and not the shell.
    begun: bool,
    /// Threads whose next stop is the end of a call, and what was decided on it.
    in_call: HashMap<Pid, Action>,
    killed: Option<&'static str>,
}

impl<F: FnMut(&Call) -> Action> Tracer<F> {
    fn run(mut self) -> End {
        loop {
            // Of this thread's children only: other tests have theirs.
            let any = Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD);
            let (thread, signal) = match waitpid(None, any).unwrap() {
                WaitStatus::Exited(pid, status) if pid == self.leader => {
                    return End::Exited(status);
                }
                WaitStatus::Signaled(pid, signal, _) if pid == self.leader => {
                    let killed = self.killed.unwrap_or_else(|| panic!("ended by {signal}"));
                    return End::Killed(killed);
                }
                WaitStatus::PtraceSyscall(thread) => {
                    match self.in_call.remove(&thread) {
                        None => self.begins(thread),
                        Some(action) => ends(thread, action),
                    }
                    (thread, None)
                }
                WaitStatus::PtraceEvent(thread, _, event) => {
                    self.begun |= event == libc::PTRACE_EVENT_EXEC;
                    (thread, None)
                }
                WaitStatus::Stopped(thread, signal) => (thread, Some(signal)),
                _ => continue,
            };
            if self.killed.is_none() {
                match ptrace::syscall(thread, signal) {
                    Ok(()) | Err(Errno::ESRCH) => {}
                    Err(error) => panic!("ptrace: {error}"),
                }
            }
        }
    }

    fn begins(&mut self, thread: Pid) {
        let mut action = Action::Pass;
        if self.begun && !self.stays_open && hides(thread) {
            self.stays_open = true;
            action = STAY_OPEN;
            take(thread, action);
        } else if let Some(call) =
            Call::read(thread, self.looks).filter(|_| self.begun && self.killed.is_none())
        {
            action = (self.decide)(&call);
            take(thread, action);
            if action == Action::Kill {
                self.killed = Some(call.name);
                kill(self.leader, Signal::SIGKILL).unwrap();
            }
        }
        self.in_call.insert(thread, action);
    }
}

impl Call {
    /// The call that a thread is about to make, if it has an effect.
    fn read(thread: Pid, looks: bool) -> Option<Self> {
        let (number, mut arguments) = number_and_arguments(thread)?;
        let more: &[(libc::c_long, &str)] = if looks { &LOOKS } else { &[] };
        let mut known = EFFECTS.iter().chain(more);
        let (_, name) = *known.find(|(known, _)| *known == number)?;
        let first = arguments.next()?;
        if !looks && name == "openat" && arguments.nth(1)? & libc::O_CREAT as u64 == 0 {
            return None;
        }
        let file = fs::read_link(format!("/proc/{thread}/fd/{first}"));
        Some(Self {
            name,
            file: file.unwrap_or_default(),
        })
    }
}

/// The number of the call that a thread is about to make, and its first arguments. Every call of a run
/// is asked for: from the registers they are had by one call, from /proc by three and a text.
#[cfg(target_arch = "x86_64")]
fn number_and_arguments(thread: Pid) -> Option<(libc::c_long, std::array::IntoIter<u64, 3>)> {
    let registers = ptrace::getregs(thread).ok()?;
    let arguments = [registers.rdi, registers.rsi, registers.rdx];
    Some((registers.orig_rax as libc::c_long, arguments.into_iter()))
}

#[cfg(not(target_arch = "x86_64"))]
fn number_and_arguments(thread: Pid) -> Option<(libc::c_long, std::vec::IntoIter<u64>)> {
    let call = fs::read_to_string(format!("/proc/{thread}/syscall")).ok()?;
    let mut fields = call.split(' ');
    let number = fields.next()?.parse().ok()?;
    let arguments = fields.map(|field| {
        let digits = field.trim_start_matches("0x").trim_end();
        u64::from_str_radix(digits, 16).unwrap_or_default()
    });
    Some((number, arguments.collect::<Vec<_>>().into_iter()))
}

/// popfetch closes itself to other processes of its user, and then nobody but root sees in /proc
/// what it calls. It goes on without that where the system refuses it, as is done here.
const STAY_OPEN: Action = Action::Fail(Errno::EPERM);

/// Whether a thread is about to do that.
fn hides(thread: Pid) -> bool {
    number_and_arguments(thread).is_some_and(|(number, mut arguments)| {
        number == libc::SYS_prctl && arguments.next() == Some(libc::PR_SET_DUMPABLE as u64)
    })
}

#[cfg(target_arch = "x86_64")]
fn take(thread: Pid, action: Action) {
    let mut registers = ptrace::getregs(thread).unwrap();
    match action {
        Action::Pass | Action::Kill | Action::Belie(_) => return,
        // No call has this number.
        Action::Fail(_) => registers.orig_rax = u64::MAX,
        Action::Halve => registers.rdx = (registers.rdx / 2).max(1),
    }
    ptrace::setregs(thread, registers).unwrap();
}

#[cfg(not(target_arch = "x86_64"))]
fn take(_: Pid, action: Action) {
    let possible = matches!(action, Action::Pass | Action::Kill);
    assert!(possible, "on this processor calls can only be killed");
}

#[cfg(target_arch = "x86_64")]
fn ends(thread: Pid, action: Action) {
    if let Action::Fail(error) | Action::Belie(error) = action {
        let mut registers = ptrace::getregs(thread).unwrap();
        registers.rax = (-i64::from(error as i32)) as u64;
        ptrace::setregs(thread, registers).unwrap();
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn ends(_: Pid, _: Action) {}
