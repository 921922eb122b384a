//! A program that is run to its end, given something to read or not, with what it says for people.

use super::input::Input;
use super::told::{Ear, Keep, Told};
use super::{Group, Running};
use crate::stop::{Reason, Stop};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What is kept of what a program says, as a rule: a screenful.
const KEPT: usize = 4096;

/// How long to wait before looking whether it has ended: so much once something has happened, as its end
/// closes what it prints to just before it shows, and a server may be waiting;
const FIRST_LOOK: Duration = Duration::from_millis(1);

/// and twice as much each time that nothing has, up to this.
const LAST_LOOK: Duration = Duration::from_millis(20);

/// How long one has to end that was asked to, before it is killed. A person who has pressed Ctrl-C
/// waits for it.
const PARTING: Duration = Duration::from_secs(1);

/// Waits for a program without hearing of its end, which shows only when one looks.
pub struct Watch {
    look: Duration,
}

impl Default for Watch {
    fn default() -> Self {
        Self { look: FIRST_LOOK }
    }
}

impl Watch {
    /// Waits until one of these is ready, or it is time to look whether the program has ended.
    pub fn wait(&mut self, mut watched: Vec<PollFd<'_>>) {
        let timeout = Timespec::try_from(self.look).ok();
        // Interrupted by a signal: whoever waits looks anyway.
        self.look = match poll(&mut watched, timeout.as_ref()).is_ok_and(|ready| ready > 0) {
            true => FIRST_LOOK,
            false => (self.look * 2).min(LAST_LOOK),
        };
    }
}

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

/// Why a program has not been run to its end.
#[derive(Debug)]
pub enum Unrun {
    /// It cannot be started.
    Start(io::Error),
    /// It was started perhaps, and has not got all that it was to read, or not been waited for.
    Lost(io::Error),
}

impl From<io::Error> for Unrun {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl From<Unrun> for io::Error {
    fn from(error: Unrun) -> Self {
        match error {
            Unrun::Start(error) | Unrun::Lost(error) => error,
        }
    }
}

/// What is done about a program while it runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Care {
    /// How long it may take.
    pub limit: Duration,
    /// How long it may go on when somebody wants us to stop.
    pub grace: Duration,
    /// How long it has, once it is asked to end, before it is killed; none: it is killed at once.
    pub parting: Option<Duration>,
    /// What is kept of what it says.
    pub keep: Keep,
}

impl Care {
    /// As for most: ended when its time is over, or at once when somebody wants us to stop.
    pub fn within(limit: Duration) -> Self {
        Self {
            limit,
            grace: Duration::ZERO,
            parting: Some(PARTING),
            keep: Keep::First(KEPT),
        }
    }
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
    Ok(attend::<io::Empty>(
        command,
        None,
        Care::within(limit),
        stop,
    )?)
}

/// The same of a program that reads this, of about so many octets, and then its end, from its standard
/// input.
///
/// # Errors
///
/// As above, and what is to be read cannot be.
pub fn feed(
    command: &mut Command,
    (source, octets): (impl Read, u64),
    care: Care,
    stop: &Stop,
) -> Result<Fed, Unrun> {
    let (mut input, reader) = Input::new(source, octets)?;
    command.stdin(reader);
    let (ending, told) = attend(command, Some(&mut input), care, stop)?;
    Ok(Fed {
        ending,
        told,
        has_read: input.is_read(),
    })
}

fn attend<R: Read>(
    command: &mut Command,
    mut input: Option<&mut Input<R>>,
    care: Care,
    stop: &Stop,
) -> Result<(Ending, Told), Unrun> {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let deadline = Instant::now() + care.limit;
    let mut running = Running::start(command, Group::Own).map_err(Unrun::Start)?;
    let mut ear = Ear::of(&mut running, care.keep)?;
    let mut stopping: Option<(Reason, Instant)> = None;
    let mut watch = Watch::default();
    let ending = loop {
        if let Some(input) = &mut input {
            input.feed()?;
        }
        let status = running.status()?;
        ear.listen()?;
        if let Some(status) = status {
            return Ok((Ending::Exited(status), ear.told));
        }
        let now = Instant::now();
        stopping = stopping.or_else(|| Some((stop.requested()?, now + care.grace)));
        match stopping {
            Some((reason, until)) if now >= until => break Ending::Stopped(reason),
            _ if now >= deadline => break Ending::OutOfTime,
            _ => {}
        }
        // A stop that was asked for is no news.
        let stop = Some(stop).filter(|_| stopping.is_none());
        let mut watched: Vec<PollFd<'_>> = stop.map(Stop::poll_fd).into_iter().collect();
        watched.extend(ear.waits_for().map(|it| PollFd::new(it, PollFlags::IN)));
        let input = input.as_deref().and_then(Input::waits_for);
        watched.extend(input.map(|it| PollFd::new(it, PollFlags::OUT)));
        watch.wait(watched);
    };
    match care.parting {
        Some(parting) => running.end(parting),
        None => drop(running),
    }
    ear.listen()?;
    Ok((ending, ear.told))
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
