//! What asks a run to stop: SIGINT, SIGTERM, or the time it was given being over. The first such
//! asks everything to come to a good end, the second ends it.

pub mod calls;
pub mod echo;

use crate::exit::Status;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use std::fmt;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// How long what is under way may take to come to a good end after the first signal. A person who
/// pressed Ctrl-C waits for it, and can press it again.
const GRACE: Duration = Duration::from_secs(2);

/// How much longer than [`GRACE`] a run may take that is out of time: syncs that were begun are
/// worth waiting for. What has not ended then hangs.
const LAST_WAIT: Duration = Duration::from_secs(8);

/// Stands for the time being over where a signal's number would stand; no signal has it.
const OUT_OF_TIME: usize = usize::MAX;

/// Whether signals are heard by a [`Stop`], so that they do not end the process by themselves.
static HEARD: AtomicBool = AtomicBool::new(false);

/// What signals ask for, for those who wait where nobody hands it to them.
static SIGNALLED: OnceLock<Stop> = OnceLock::new();

/// Why a run is to stop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// The time that the run was given is over.
    OutOfTime,
    /// SIGTERM.
    Terminate,
}

impl Reason {
    /// The exit status it asks for.
    pub fn status(self) -> Status {
        match self {
            Self::Interrupt => Status::Interrupted,
            Self::OutOfTime => Status::Temporary,
            Self::Terminate => Status::Terminated,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "interrupted",
            Self::Terminate => "stopped by a signal",
            Self::OutOfTime => "stopped: the time that --max-time allows is over",
        })
    }
}

/// Whether someone asked us to stop. Clones share the answer.
#[derive(Clone, Debug)]
pub struct Stop {
    signal: Arc<AtomicUsize>,
    /// When the signal was first noticed.
    noticed: Arc<OnceLock<Instant>>,
    /// Becomes readable with the first signal and stays so, which wakes every thread that polls.
    wake: Arc<OwnedFd>,
    /// The other end; what is written to it wakes them.
    waker: Arc<UnixStream>,
    /// How long what is under way may take to come to a good end.
    grace: Duration,
}

/// SIGINT means nothing to this process from here on: it is for the program that it waits for.
pub fn leave_interrupts() {
    // Where that cannot be, Ctrl-C ends both.
    let _ = signal_hook::flag::register(SIGINT, Arc::default());
}

impl Stop {
    /// Installs the signal handlers. The second signal ends the process at once, with 128 plus
    /// the signal's number; what is durable by then stays so.
    pub fn on_signals() -> io::Result<Self> {
        let stop = Self::never()?;
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // The order counts: the conditional shutdown must see the flag of an earlier signal,
            // not the one that the next handler sets.
            signal_hook::flag::register_conditional_shutdown(
                signal,
                128 + signal,
                Arc::clone(&asked),
            )?;
            signal_hook::flag::register(signal, Arc::clone(&asked))?;
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&stop.signal), number)?;
            signal_hook::low_level::pipe::register(signal, stop.waker.try_clone()?)?;
        }
        HEARD.store(true, Ordering::Relaxed);
        let _first = SIGNALLED.set(stop.clone());
        // A file that would outgrow its limit is an error of the write, not the end of the process.
        signal_hook::flag::register(SIGXFSZ, Arc::default())?;
        Ok(stop)
    }

    /// What signals ask for, once they are heard.
    pub fn signalled() -> Option<&'static Self> {
        SIGNALLED.get()
    }

    /// From here on SIGHUP asks for the stop as well: what belongs to a terminal ends with it.
    pub fn hear_hangup(&self) -> io::Result<()> {
        let as_if = usize::try_from(SIGTERM).unwrap_or_default();
        signal_hook::flag::register_usize(SIGHUP, Arc::clone(&self.signal), as_if)?;
        signal_hook::low_level::pipe::register(SIGHUP, self.waker.try_clone()?).map(drop)
    }

    /// Asks for the stop when `time` is over. A run that has not ended some seconds later hangs,
    /// and is ended: cron starts the next one, and what is durable by then stays so (fact
    /// F12).
    pub fn after(&self, time: Duration) -> io::Result<()> {
        let stop = self.clone();
        let wait = move || {
            thread::sleep(time);
            let first =
                stop.signal
                    .compare_exchange(0, OUT_OF_TIME, Ordering::Relaxed, Ordering::Relaxed);
            if first.is_ok() {
                // Nobody can be told if even this fails; the end comes all the same.
                let _ = (&*stop.waker).write(&[0]);
            }
            thread::sleep(GRACE + LAST_WAIT);
            // In a thread of its own: what hangs may hold stderr.
            let text = b"error: the run hung, and is ended by --max-time\n";
            let _ = thread::Builder::new().spawn(|| io::stderr().write_all(text));
            thread::sleep(Duration::from_secs(1));
            signal_hook::low_level::exit(i32::from(Status::Temporary.code()));
        };
        thread::Builder::new().spawn(wait).map(drop)
    }

    /// One that nobody asks, for what is not to be interrupted.
    pub fn never() -> io::Result<Self> {
        let (wake, waker) = UnixStream::pair()?;
        Ok(Self {
            signal: Arc::default(),
            noticed: Arc::default(),
            wake: Arc::new(wake.into()),
            waker: Arc::new(waker),
            grace: GRACE,
        })
    }

    /// As a signal does.
    #[cfg(test)]
    pub(crate) fn ask(&self, reason: Reason) {
        let number = match reason {
            Reason::Interrupt => usize::try_from(SIGINT).unwrap(),
            Reason::Terminate => usize::try_from(SIGTERM).unwrap(),
            Reason::OutOfTime => OUT_OF_TIME,
        };
        self.signal.store(number, Ordering::Relaxed);
        (&*self.waker).write_all(&[0]).unwrap();
    }

    /// Why to stop, once there is a reason.
    pub fn requested(&self) -> Option<Reason> {
        let signal = self.signal.load(Ordering::Relaxed);
        if signal == OUT_OF_TIME {
            return Some(Reason::OutOfTime);
        }
        match i32::try_from(signal) {
            Ok(SIGINT) => Some(Reason::Interrupt),
            Ok(SIGTERM) => Some(Reason::Terminate),
            _ => None,
        }
    }

    /// Waits so long, or until there is a reason to stop.
    pub fn wait(&self, time: Duration) -> Option<Reason> {
        let deadline = Instant::now() + time;
        while self.requested().is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).ok().filter(|_| !left.is_zero())?;
            // Interrupted by a signal: the loop looks whether it is one of ours.
            let _ = poll(&mut [self.poll_fd()], Some(&timeout));
        }
        self.requested()
    }

    /// Until when what is under way may go on, once it is to stop.
    pub fn grace(&self) -> Option<Instant> {
        self.requested()?;
        Some(*self.noticed.get_or_init(Instant::now) + self.grace)
    }

    /// For what only looks: nothing is under way that had to come to a good end.
    pub fn without_grace(self) -> Self {
        Self {
            grace: Duration::ZERO,
            ..self
        }
    }

    /// Readable from the first request on: to be polled beside a socket.
    pub fn poll_fd(&self) -> PollFd<'_> {
        PollFd::from_borrowed_fd(self.fd(), PollFlags::IN)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
