//! SIGINT and SIGTERM: the first asks everything to come to a good end, the second ends it.

use crate::exit::Status;
use rustix::event::{PollFd, PollFlags};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How long what is under way may take to come to a good end after the first signal. A person who
/// pressed Ctrl-C waits for it, and can press it again.
const GRACE: Duration = Duration::from_secs(2);

/// Whether someone asked us to stop. Clones share the answer.
#[derive(Clone, Debug)]
pub struct Stop {
    signal: Arc<AtomicUsize>,
    /// When the signal was first noticed.
    noticed: Arc<OnceLock<Instant>>,
    /// Becomes readable with the first signal and stays so, which wakes every thread that polls.
    wake: Arc<OwnedFd>,
    /// The other end; kept open so that `wake` does not become readable by its closing.
    _waker: Arc<UnixStream>,
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
            signal_hook::low_level::pipe::register(signal, stop._waker.try_clone()?)?;
        }
        Ok(stop)
    }

    /// One that nobody asks, for what is not to be interrupted.
    pub fn never() -> io::Result<Self> {
        let (wake, waker) = UnixStream::pair()?;
        Ok(Self {
            signal: Arc::default(),
            noticed: Arc::default(),
            wake: Arc::new(wake.into()),
            _waker: Arc::new(waker),
        })
    }

    /// The exit status that the signal asks for, once there was one.
    pub fn requested(&self) -> Option<Status> {
        match i32::try_from(self.signal.load(Ordering::Relaxed)) {
            Ok(SIGINT) => Some(Status::Interrupted),
            Ok(SIGTERM) => Some(Status::Terminated),
            _ => None,
        }
    }

    /// Until when what is under way may go on, once there was a signal.
    pub fn grace(&self) -> Option<Instant> {
        self.requested()?;
        Some(*self.noticed.get_or_init(Instant::now) + GRACE)
    }

    /// Readable from the first signal on: to be polled beside a socket.
    pub fn poll_fd(&self) -> PollFd<'_> {
        PollFd::from_borrowed_fd(self.fd(), PollFlags::IN)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
