//! Runs a `password-command`.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::Zeroizing;

use super::secret::{LIMIT, Password, SecretError};

/// How long the command may take when nobody is there to answer it.
const ALONE: Duration = Duration::from_secs(60);
/// How long it may take when a person may have to type a passphrase or touch a key.
const ATTENDED: Duration = Duration::from_secs(300);
/// How often to look whether the command has ended.
const POLL: Duration = Duration::from_millis(10);

/// Runs `argv` without a shell; the first line it prints is the password.
///
/// Its standard error passes through. It gets no standard input, unless `interactive`: then it
/// shares popfetch's, so that it can ask.
pub(crate) fn run(argv: &[String], interactive: bool) -> Result<Password, SecretError> {
    run_within(
        argv,
        interactive,
        if interactive { ATTENDED } else { ALONE },
    )
}

fn run_within(
    argv: &[String],
    interactive: bool,
    limit: Duration,
) -> Result<Password, SecretError> {
    let (program, arguments) = match argv {
        [program, arguments @ ..] => (program, arguments),
        [] => (&String::new(), [].as_slice()),
    };
    let failed = |source| SecretError::CommandIo {
        program: program.clone(),
        source,
    };
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::piped());
    if interactive {
        // In popfetch's own process group: another one could not read from the terminal.
        command.stdin(Stdio::inherit());
    } else {
        command.stdin(Stdio::null()).process_group(0);
    }

    let deadline = Instant::now() + limit;
    let mut child = Running {
        child: command.spawn().map_err(failed)?,
        own_group: !interactive,
    };
    let Some(mut stdout) = child.child.stdout.take() else {
        return Err(failed(std::io::ErrorKind::BrokenPipe.into()));
    };
    // In a thread, because a read from a pipe has no deadline of its own.
    let (sender, output) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut octets = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
        let limit = LIMIT as u64 + 1;
        let read = stdout.by_ref().take(limit).read_to_end(&mut octets);
        // Nobody listens any more if the deadline has passed.
        let _ = sender.send(read.map(|_| octets));
    });

    let late = || SecretError::CommandTimeout {
        program: program.clone(),
        limit,
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let octets = output
        .recv_timeout(left)
        .map_err(|_| late())?
        .map_err(failed)?;
    if octets.len() > LIMIT {
        return Err(SecretError::TooLong);
    }
    loop {
        match child.child.try_wait().map_err(failed)? {
            Some(status) if status.success() => return Password::first_line(&octets),
            Some(status) => {
                return Err(SecretError::Command {
                    program: program.clone(),
                    status,
                });
            }
            None if Instant::now() >= deadline => return Err(late()),
            None => thread::sleep(POLL),
        }
    }
}

/// A command that is killed, with what it started, if it has not ended when this is dropped.
struct Running {
    child: Child,
    own_group: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // Errors mean that it has just ended by itself.
        if self.own_group {
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Result<Password, SecretError> {
        let argv = ["sh", "-c", script].map(str::to_owned);
        run_within(&argv, false, Duration::from_secs(20))
    }

    #[test]
    fn s29_the_first_line_printed_is_the_password() {
        assert_eq!(sh("printf 'a b \\nmore\\n'").unwrap().reveal(), "a b ");
        assert_eq!(sh("printf secret").unwrap().reveal(), "secret");
        assert!(matches!(sh("echo"), Err(SecretError::Empty)));
    }

    #[test]
    fn s29_the_arguments_are_not_seen_by_a_shell() {
        let argv = ["echo", "$HOME;*"].map(str::to_owned);
        assert_eq!(run(&argv, false).unwrap().reveal(), "$HOME;*");
    }

    #[test]
    fn a_command_that_fails_gives_no_password_whatever_it_printed() {
        let error = sh("echo secret; exit 3").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the password command `sh` failed: exit status: 3"
        );
    }

    #[test]
    fn a_command_that_is_not_there_is_named() {
        let error = run(&["no-such-popfetch-helper".to_owned()], false).unwrap_err();
        assert!(error.to_string().contains("no-such-popfetch-helper"));
        assert!(run(&[], false).is_err());
    }

    #[test]
    fn s29_a_command_that_prints_without_end_is_stopped() {
        assert!(matches!(sh("yes"), Err(SecretError::TooLong)));
    }

    #[test]
    fn s29_a_command_that_hangs_is_killed_with_its_children() {
        let argv = ["sh", "-c", "sleep 60 & sleep 60"].map(str::to_owned);
        let start = Instant::now();
        let error = run_within(&argv, false, Duration::from_millis(200)).unwrap_err();
        assert!(matches!(error, SecretError::CommandTimeout { .. }));
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn s29_a_command_gets_no_standard_input_when_nobody_is_there() {
        assert_eq!(sh("cat; echo end").unwrap().reveal(), "end");
    }
}
