//! Whole lines into a stream that may go away.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// A stream that several threads write whole lines to.
///
/// A fetch must not care whether anybody reads its report, so writing never fails here: after the
/// first error nothing more is written, and [`Lines::lost`] tells at the end.
pub(super) struct Lines(Mutex<State>);

enum State {
    Open(Box<dyn Write + Send>),
    /// The reader has gone, as in `popfetch | head -1`. That is its right.
    Gone,
    /// The report could not be written, for instance because the disk is full.
    Lost(io::Error),
}

impl Lines {
    pub(super) fn new(stream: Box<dyn Write + Send>) -> Self {
        Self(Mutex::new(State::Open(stream)))
    }

    /// Writes a line (or several) at once, and flushes it: whoever reads a pipe sees it now.
    pub(super) fn write(&self, line: &[u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State::Open(stream) = &mut *state else {
            return;
        };
        if let Err(error) = stream.write_all(line).and_then(|()| stream.flush()) {
            *state = match error.kind() {
                io::ErrorKind::BrokenPipe => State::Gone,
                _ => State::Lost(error),
            };
        }
    }

    /// What went wrong, if lines were lost although somebody may have wanted them.
    pub(super) fn lost(&self) -> Option<String> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Lost(error) => Some(error.to_string()),
            State::Open(_) | State::Gone => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{Buffer, Failing};
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn a_broken_pipe_is_no_loss_and_other_errors_are() {
        let gone = Lines::new(Box::new(Failing::new(io::ErrorKind::BrokenPipe)));
        gone.write(b"a\n");
        gone.write(b"b\n");
        assert_eq!(gone.lost(), None);

        let full = Lines::new(Box::new(Failing::new(io::ErrorKind::StorageFull)));
        assert_eq!(full.lost(), None);
        full.write(b"a\n");
        assert!(full.lost().is_some());
    }

    #[test]
    fn nothing_is_written_after_an_error() {
        let stream = Failing::new(io::ErrorKind::StorageFull);
        let attempts = Arc::clone(&stream.attempts);
        let lines = Lines::new(Box::new(stream));
        lines.write(b"a\n");
        lines.write(b"b\n");
        assert_eq!(*attempts.lock().unwrap(), 1);
    }

    #[test]
    fn a_device_that_is_full_is_noticed_at_the_line_itself() {
        let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
            return;
        };
        // Buffered like stdout: without the flush the error would come at exit, or never.
        let lines = Lines::new(Box::new(io::BufWriter::new(full)));
        lines.write(b"a\n");
        assert!(lines.lost().is_some());
    }

    #[test]
    fn lines_of_several_threads_are_not_mixed() {
        let buffer = Buffer::default();
        let lines = Lines::new(Box::new(buffer.clone()));
        thread::scope(|scope| {
            for name in ["a", "b", "c"] {
                let line = format!("{}\n", name.repeat(50));
                let lines = &lines;
                scope.spawn(move || (0..100).for_each(|_| lines.write(line.as_bytes())));
            }
        });
        let text = buffer.text();
        assert_eq!(text.lines().count(), 300);
        for line in text.lines() {
            assert_eq!(line, line[..1].repeat(50));
        }
    }
}
