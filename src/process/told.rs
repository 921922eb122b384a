//! A program that is run to its end, with what it says for people.

use super::input::Input;
use super::{Group, Running};
use crate::stop::{Reason, Stop};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use std::io::{self, PipeWriter, Read};
use std::process::{ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Octets that are kept of what it says: a screenful. The rest is read and dropped, as a program whose pipe
/// is full would stand still.
const KEPT: usize = 4096;

/// How long to wait before looking whether it has ended: so much once something has happened, as its end
/// closes what it prints to just before it shows, and a server may be waiting;
const FIRST_LOOK: Duration = Duration::from_millis(1);

/// and twice as much each time that nothing has, up to this.
const LAST_LOOK: Duration = Duration::from_millis(20);

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

impl Told {
    /// Its lines, as one, not yet escaped; `None` where it has said nothing.
    pub fn line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.octets);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let after = self.more.then_some("...");
        let lines: Vec<&str> = lines.chain(after).collect();
        (!lines.is_empty()).then(|| lines.join(" / "))
    }
}

/// How a program has ended that was given something to read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fed {
    /// How.
    pub ending: Ending,
    /// What it has said.
    pub told: Told,
    /// It has read all that it was given.
    pub has_read: bool,
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
    attend(command, None, limit, stop)
}

/// The same of a program that reads these octets, and then their end, from its standard input.
///
/// # Errors
///
/// As above.
pub fn feed(command: &mut Command, octets: &[u8], limit: Duration, stop: &Stop) -> io::Result<Fed> {
    let (mut input, reader) = Input::new(octets)?;
    command.stdin(reader);
    let (ending, told) = attend(command, Some(&mut input), limit, stop)?;
    Ok(Fed {
        ending,
        told,
        has_read: input.is_read(),
    })
}

fn attend(
    command: &mut Command,
    mut input: Option<&mut Input<'_>>,
    limit: Duration,
    stop: &Stop,
) -> io::Result<(Ending, Told)> {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let deadline = Instant::now() + limit;
    let mut running = Running::start(command, Group::Own)?;
    let mut stderr = running.take_stderr();
    if let Some(stderr) = &stderr {
        ioctl_fionbio(stderr, true)?;
    }
    let mut told = Told::default();
    let mut look = FIRST_LOOK;
    loop {
        if let Some(input) = &mut input {
            input.feed()?;
        }
        let status = running.status()?;
        listen(&mut stderr, &mut told)?;
        let ending = match status {
            Some(status) => return Ok((Ending::Exited(status), told)),
            None => match stop.requested() {
                Some(reason) => Ending::Stopped(reason),
                None if Instant::now() >= deadline => Ending::OutOfTime,
                None => {
                    let input = input.as_deref().and_then(Input::waits_for);
                    look = match wait((stderr.as_ref(), input), stop, look) {
                        true => FIRST_LOOK,
                        false => (look * 2).min(LAST_LOOK),
                    };
                    continue;
                }
            },
        };
        running.end(PARTING);
        listen(&mut stderr, &mut told)?;
        return Ok((ending, told));
    }
}

/// Waits so long, or until there is something to do; whether there is.
fn wait(
    (stderr, input): (Option<&ChildStderr>, Option<&PipeWriter>),
    stop: &Stop,
    look: Duration,
) -> bool {
    let mut watched = vec![stop.poll_fd()];
    watched.extend(stderr.map(|stderr| PollFd::new(stderr, PollFlags::IN)));
    watched.extend(input.map(|input| PollFd::new(input, PollFlags::OUT)));
    let timeout = Timespec::try_from(look).ok();
    // Interrupted by a signal: whoever waits looks anyway.
    poll(&mut watched, timeout.as_ref()).is_ok_and(|ready| ready > 0)
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
