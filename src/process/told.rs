//! A program that is run to its end, with what it says for people.

use super::{Group, Running};
use crate::stop::{Reason, Stop};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use std::io::{self, Read};
use std::process::{ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Octets that are kept of what it says: a screenful. The rest is read and dropped, as a program whose pipe
/// is full would stand still.
const KEPT: usize = 4096;

/// How often to look whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// How long one has to end that was asked to, before it is killed. A person who has pressed Ctrl-C
/// waits for it.
const PARTING: Duration = Duration::from_secs(1);

/// How a program has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// By itself.
    Exited(ExitStatus),
    /// It was ended, as its time was over.
    OutOfTime,
    /// It was ended, as somebody wants us to stop.
    Stopped(Reason),
}

/// What a program has said on its standard error.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Told {
    /// The first of it; any octets.
    pub octets: Vec<u8>,
    /// There was more.
    pub more: bool,
}

/// Runs a program in a process group of its own, for `limit` at most; with all that it has started it is
/// ended when that is over, or when somebody wants us to stop. What it prints on standard output
/// goes nowhere. Done when it ends itself: what it leaves behind goes on, and may keep its standard
/// error open.
///
/// # Errors
///
/// It cannot be started, or not be waited for.
pub fn run(command: &mut Command, limit: Duration, stop: &Stop) -> io::Result<(Ending, Told)> {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let deadline = Instant::now() + limit;
    let mut running = Running::start(command, Group::Own)?;
    let mut stderr = running.take_stderr();
    if let Some(stderr) = &stderr {
        ioctl_fionbio(stderr, true)?;
    }
    let mut told = Told::default();
    loop {
        let status = running.status()?;
        listen(&mut stderr, &mut told)?;
        let ending = match status {
            Some(status) => return Ok((Ending::Exited(status), told)),
            None => match stop.requested() {
                Some(reason) => Ending::Stopped(reason),
                None if Instant::now() >= deadline => Ending::OutOfTime,
                None => {
                    wait(stderr.as_ref(), stop);
                    continue;
                }
            },
        };
        running.end(PARTING);
        listen(&mut stderr, &mut told)?;
        return Ok((ending, told));
    }
}

/// Waits a moment, or until there is something to do.
fn wait(stderr: Option<&ChildStderr>, stop: &Stop) {
    let mut watched = vec![stop.poll_fd()];
    watched.extend(stderr.map(|stderr| PollFd::new(stderr, PollFlags::IN)));
    let timeout = Timespec::try_from(LOOK).ok();
    // Interrupted by a signal: whoever waits looks anyway.
    let _ = poll(&mut watched, timeout.as_ref());
}

/// Reads what is there; one that prints faster than it is read has its turn and no more.
fn listen(stderr: &mut Option<ChildStderr>, told: &mut Told) -> io::Result<()> {
    const PIECES: usize = 64;
    let mut piece = [0; 4096];
    for _ in 0..PIECES {
        let Some(open) = stderr else {
            return Ok(());
        };
        match open.read(&mut piece) {
            Ok(0) => *stderr = None,
            Ok(count) => {
                let room = KEPT.saturating_sub(told.octets.len());
                told.more |= count > room;
                let kept = piece.get(..count.min(room)).unwrap_or_default();
                told.octets.extend_from_slice(kept);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration, stop: &Stop) -> (Ending, Told) {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        run(&mut command, limit, stop).unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_it_says_is_kept_up_to_a_screenful_and_it_never_stands_still() {
        let never = Stop::never().unwrap();
        let (ending, told) = sh("echo out; echo a word >&2; exit 3", LONG, &never);
        assert!(matches!(ending, Ending::Exited(status) if status.code() == Some(3)));
        assert_eq!(
            (told.octets.as_slice(), told.more),
            (b"a word\n".as_slice(), false)
        );
        let (ending, told) = sh("yes | head -c 3000000 >&2", LONG, &never);
        assert!(matches!(ending, Ending::Exited(status) if status.success()));
        assert_eq!((told.octets.len(), told.more), (KEPT, true));
    }

    #[test]
    fn one_that_hangs_is_ended_with_its_children_even_where_it_will_not_hear() {
        let began = Instant::now();
        let never = Stop::never().unwrap();
        let script = "trap '' TERM; sleep 60 & sleep 60";
        let (ending, _) = sh(script, Duration::from_millis(100), &never);
        assert_eq!(ending, Ending::OutOfTime);
        let asked = Stop::never().unwrap();
        asked.ask(Reason::Interrupt);
        let (ending, _) = sh("sleep 60", LONG, &asked);
        assert_eq!(ending, Ending::Stopped(Reason::Interrupt));
        assert!(began.elapsed() < Duration::from_secs(30), "it waited");
    }

    #[test]
    fn one_that_leaves_a_child_with_its_standard_error_is_done_when_it_ends() {
        let began = Instant::now();
        let (ending, told) = sh("sleep 60 & echo done >&2", LONG, &Stop::never().unwrap());
        assert!(matches!(ending, Ending::Exited(status) if status.success()));
        assert_eq!(told.octets, b"done\n");
        assert!(began.elapsed() < Duration::from_secs(30), "it waited");
    }
}
