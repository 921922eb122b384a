//! Runs a program from system call to system call (ptrace), and kills it at one of them. strace
//! counts calls by thread and name; here they are counted over all threads, in the order in which
//! the kernel sees them.

use std::collections::HashSet;
use std::fs;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

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
pub fn command(program: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "kill -STOP $$; exec \"$0\" \"$@\"", program]);
    command
}

/// Runs a [`command`] and kills it with SIGKILL at the beginning of its `number`th call with an
/// effect, counted from 0. None where tracing is not permitted, after a loud word; under CI that
/// is a failure.
#[expect(clippy::zombie_processes, reason = "waited for by its number")]
pub fn kill_at(command: &mut Command, number: usize) -> Option<End> {
    command.stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    let leader = Pid::from_raw(child.id() as i32);
    let stopped = waitpid(leader, Some(WaitPidFlag::WUNTRACED)).unwrap();
    assert_eq!(stopped, WaitStatus::Stopped(leader, Signal::SIGSTOP));
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    if let Err(error) = ptrace::seize(leader, options) {
        kill(leader, Signal::SIGKILL).unwrap();
        waitpid(leader, None).unwrap();
        assert!(
            std::env::var_os("CI").is_none(),
            "ptrace: {error}, but CI has to run these tests"
        );
        eprintln!("SKIPPED: tracing is not permitted here: ptrace: {error}");
        return None;
    }
    kill(leader, Signal::SIGCONT).unwrap();
    let mut tracer = Tracer {
        leader,
        begun: false,
        in_call: HashSet::new(),
        left: number,
        killed: None,
    };
    Some(tracer.run())
}

struct Tracer {
    leader: Pid,
    /// The program itself is running, and not the shell.
    begun: bool,
    /// Threads whose next stop is the end of a call.
    in_call: HashSet<Pid>,
    /// Calls to let pass.
    left: usize,
    killed: Option<&'static str>,
}

impl Tracer {
    fn run(&mut self) -> End {
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
                    self.see_call(thread);
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

    fn see_call(&mut self, thread: Pid) {
        if !self.in_call.insert(thread) {
            self.in_call.remove(&thread);
            return;
        }
        let Some(name) = effect(thread).filter(|_| self.begun && self.killed.is_none()) else {
            return;
        };
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => {
                self.killed = Some(name);
                kill(self.leader, Signal::SIGKILL).unwrap();
            }
        }
    }
}

/// The name of the call that a thread is about to make, if it has an effect.
fn effect(thread: Pid) -> Option<&'static str> {
    // Its number, and its arguments in hexadecimal.
    let call = fs::read_to_string(format!("/proc/{thread}/syscall")).ok()?;
    let mut fields = call.split(' ');
    let number: libc::c_long = fields.next()?.parse().ok()?;
    let (_, name) = EFFECTS.iter().find(|(effect, _)| *effect == number)?;
    if *name == "openat" {
        let flags = fields.nth(2)?.strip_prefix("0x")?;
        let creates = i64::from_str_radix(flags, 16).ok()? & i64::from(libc::O_CREAT) != 0;
        return creates.then_some(name);
    }
    Some(name)
}
