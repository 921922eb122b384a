//! Standard output, to which messages are written as to an mbox file, for the next program of a pipeline.
//! Whether that has kept any of them nobody can tell.

use super::mbox::write;
use super::{Answer, Letter};
use crate::stop::Stop;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// So much a pipe takes at once where it takes anything (POSIX: PIPE_BUF is 512 at least, 4096 on Linux).
const PIECE: usize = 4096;

/// How long one who does not read is waited for when somebody wants us to stop.
const GRACE: Duration = Duration::from_secs(2);

/// Writes a message; what stands before it ends with an empty line.
pub(super) fn hand(letter: &Letter, file: &mut File, stop: &Stop) -> Answer {
    let mut out = io::stdout().lock();
    let written = write(b"", letter.time, file, |octets| {
        for piece in octets.chunks(PIECE) {
            wait(&out, stop)?;
            out.write_all(piece)?;
            out.flush()?;
        }
        Ok(())
    });
    match written {
        Ok(()) => Answer::Taken(None),
        Err(error) => Answer::Hangs(format!("standard output cannot be written to: {error}")),
    }
}

/// Waits until a piece can be written without waiting.
fn wait(out: &impl AsFd, stop: &Stop) -> io::Result<()> {
    let mut until = None;
    loop {
        let stopping = stop.requested();
        if stopping.is_some() {
            until.get_or_insert_with(|| Instant::now() + GRACE);
        }
        let left = until.map(|until: Instant| until.saturating_duration_since(Instant::now()));
        let limit = left.map(|left| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        let mut polled = vec![PollFd::new(out, PollFlags::OUT)];
        // Once that is asked for it is no news.
        polled.extend(stopping.is_none().then(|| stop.poll_fd()));
        match poll(&mut polled, limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if polled.first().is_some_and(|out| !out.revents().is_empty()) {
            return Ok(());
        }
        if let Some(reason) = stopping.filter(|_| left == Some(Duration::ZERO)) {
            return Err(io::Error::other(format!("nobody reads it, and: {reason}")));
        }
    }
}
