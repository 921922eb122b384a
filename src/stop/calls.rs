//! What a program that stays is asked for by signals, beside its end.

use rustix::event::{PollFd, PollFlags};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGUSR1};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What signals ask for.
pub struct Calls {
    hangup: Arc<AtomicBool>,
    now: Arc<AtomicBool>,
    /// Readable once a signal has come.
    wake: UnixStream,
}

/// What was asked for since the last look.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Heard {
    /// SIGHUP: a daemon is to read its config anew; a terminal has gone.
    pub hangup: bool,
    /// SIGUSR1: not to wait.
    pub now: bool,
}

impl Calls {
    /// Listens from here on; also for children that have ended, which is all that wakes by itself.
    pub fn on_signals() -> io::Result<Self> {
        let (wake, waker) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let calls = Self {
            hangup: Arc::default(),
            now: Arc::default(),
            wake,
        };
        for (signal, flag) in [(SIGHUP, &calls.hangup), (SIGUSR1, &calls.now)] {
            signal_hook::flag::register(signal, Arc::clone(flag))?;
        }
        // Behind the flags: whoever is woken must see them.
        for signal in [SIGHUP, SIGUSR1, SIGCHLD] {
            signal_hook::low_level::pipe::register(signal, waker.try_clone()?)?;
        }
        Ok(calls)
    }

    /// What was asked for since the last time.
    pub fn heard(&self) -> Heard {
        let mut octets = [0; 64];
        // Emptied before the flags are read: what comes in between wakes once more.
        while matches!((&self.wake).read(&mut octets), Ok(count) if count > 0) {}
        Heard {
            hangup: self.hangup.swap(false, Ordering::Relaxed),
            now: self.now.swap(false, Ordering::Relaxed),
        }
    }

    /// Readable when there may be something to hear.
    pub fn poll_fd(&self) -> PollFd<'_> {
        PollFd::new(&self.wake, PollFlags::IN)
    }
}
