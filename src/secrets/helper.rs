//! Runs a `password-command`.

use std::io::{self, Read};
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::ioctl_fionbio;
use zeroize::Zeroizing;

use crate::process::{Group, Running, Watch, end_attended};
use crate::stop::{Stop, echo};

use super::error::{ATTENDED, Helper, SecretError};
use super::password::{LIMIT, Password};

/// How long the command may take when nobody is there to answer it.
const ALONE: Duration = Duration::from_secs(60);

/// Runs `argv` without a shell; the first line it prints is the password.
///
/// Its standard error passes through. It gets no standard input, unless `interactive`: then it
/// shares popfetch's, so that it can ask.
pub fn run(
    key: Helper,
    argv: &[String],
    interactive: bool,
    stop: Option<&Stop>,
) -> Result<Password, SecretError> {
    let limit = if interactive { ATTENDED } else { ALONE };
    run_within(key, argv, interactive, limit, stop)
}

fn run_within(
    key: Helper,
    argv: &[String],
    interactive: bool,
    limit: Duration,
    stop: Option<&Stop>,
) -> Result<Password, SecretError> {
    let (program, arguments) = match argv {
        [program, arguments @ ..] => (program, arguments),
        [] => (&String::new(), [].as_slice()),
    };
    let failed = |source| SecretError::CommandIo {
        key,
        program: program.clone(),
        source,
    };
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::piped());
    let (stdin, group) = match interactive {
        // Another group could not read from the terminal.
        true => (Stdio::inherit(), Group::Ours),
        false => (Stdio::null(), Group::OwnToTheEnd),
    };
    command.stdin(stdin);
    // A signal that ends popfetch does not reach it in a group of its own; and in ours it may ignore it, as
    // SIGHUP.
    echo::last_work(end_attended);

    let deadline = Instant::now() + limit;
    let mut child = Running::start(&mut command, group).map_err(failed)?;
    let Some(stdout) = child.take_stdout() else {
        return Err(failed(std::io::ErrorKind::BrokenPipe.into()));
    };
    // A child that it leaves behind may keep the pipe open for ever.
    ioctl_fionbio(&stdout, true).map_err(|error| failed(error.into()))?;
    let mut output = Output {
        stdout,
        octets: Zeroizing::new(Vec::with_capacity(LIMIT + 1)),
        has_ended: false,
    };
    let mut watch = Watch::default();
    loop {
        let status = child.status().map_err(failed)?;
        output.read().map_err(failed)?;
        match status {
            _ if output.octets.len() > LIMIT => return Err(SecretError::TooLong),
            Some(status) if !status.success() => {
                return Err(SecretError::Command {
                    key,
                    program: program.clone(),
                    for_shell: for_shell(program, arguments),
                    status,
                });
            }
            Some(_) if output.has_ended || output.octets.contains(&b'\n') => {
                return Password::first_line(&output.octets);
            }
            _ if stop.is_some_and(|stop| stop.requested().is_some()) => {
                return Err(SecretError::Interrupted);
            }
            _ if Instant::now() >= deadline => {
                return Err(SecretError::CommandTimeout {
                    key,
                    program: program.clone(),
                    limit,
                });
            }
            _ => {}
        }
        let mut watched: Vec<_> = stop.map(Stop::poll_fd).into_iter().collect();
        let more = Some(&output.stdout).filter(|_| !output.has_ended);
        watched.extend(more.map(|it| PollFd::new(it, PollFlags::IN)));
        watch.wait(watched);
    }
}

/// The first argument that is not what it looks like, as no shell has seen it. A shell that is the
/// program itself sees its own.
fn for_shell(program: &str, arguments: &[String]) -> Option<String> {
    const SHELLS: [&str; 6] = ["sh", "bash", "dash", "zsh", "ksh", "fish"];
    let name = program.rsplit('/').next().unwrap_or_default();
    let looks = |word: &&String| word.starts_with("~/") || has_variable(word);
    let word = arguments.iter().find(looks)?;
    (!SHELLS.contains(&name)).then(|| word.clone())
}

fn has_variable(word: &str) -> bool {
    word.split('$')
        .skip(1)
        .any(|behind| behind.starts_with(|c: char| c.is_ascii_alphabetic() || "_{(".contains(c)))
}

/// What the command has printed so far.
struct Output {
    stdout: ChildStdout,
    octets: Zeroizing<Vec<u8>>,
    has_ended: bool,
}

impl Output {
    /// Reads what is there, and not much more than a password can have.
    fn read(&mut self) -> io::Result<()> {
        let mut piece = Zeroizing::new([0; 4096]);
        while !self.has_ended && self.octets.len() <= LIMIT {
            match self.stdout.read(piece.as_mut_slice()) {
                Ok(0) => self.has_ended = true,
                Ok(count) => {
                    // Within what was allocated: it is never copied without being wiped.
                    let room = (LIMIT + 1).saturating_sub(self.octets.len());
                    let read = piece.get(..count.min(room)).unwrap_or_default();
                    self.octets.extend_from_slice(read);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Result<Password, SecretError> {
        let argv = ["sh", "-c", script].map(str::to_owned);
        run_within(
            Helper::Password,
            &argv,
            false,
            Duration::from_secs(20),
            None,
        )
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
        assert_eq!(
            run(Helper::Password, &argv, false, None).unwrap().reveal(),
            "$HOME;*"
        );
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
        let error = run(
            Helper::Password,
            &["no-such-popfetch-helper".to_owned()],
            false,
            None,
        )
        .unwrap_err();
        assert!(error.to_string().contains("no-such-popfetch-helper"));
        assert!(run(Helper::Password, &[], false, None).is_err());
    }

    #[test]
    fn s29_a_command_that_prints_without_end_is_stopped() {
        assert!(matches!(sh("yes"), Err(SecretError::TooLong)));
    }

    #[test]
    fn s29_a_command_that_hangs_is_killed_with_its_children() {
        let argv = ["sh", "-c", "sleep 60 & sleep 60"].map(str::to_owned);
        let start = Instant::now();
        let error = run_within(
            Helper::Password,
            &argv,
            false,
            Duration::from_millis(200),
            None,
        )
        .unwrap_err();
        assert!(matches!(error, SecretError::CommandTimeout { .. }));
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn e_4_a_command_that_leaves_a_child_with_its_standard_output_is_done_when_it_ends() {
        let start = Instant::now();
        assert_eq!(sh("sleep 60 & echo secret").unwrap().reveal(), "secret");
        assert_eq!(sh("sleep 60 & printf 'a\\nb'").unwrap().reveal(), "a");
        let failed = sh("sleep 60 & echo secret; exit 2");
        assert!(matches!(failed, Err(SecretError::Command { .. })));
        assert!(start.elapsed() < Duration::from_secs(20), "it waited");
    }

    #[test]
    fn e_4_a_child_may_print_what_the_command_does_not() {
        let script = "(sleep 0.2; echo late) &";
        assert_eq!(sh(script).unwrap().reveal(), "late");
    }

    #[test]
    fn s29_a_command_gets_no_standard_input_when_nobody_is_there() {
        assert_eq!(sh("cat; echo end").unwrap().reveal(), "end");
    }
}
