//! Whole lines into a stream that may go away, or that nobody reads.

use crate::sandbox;
use crate::stop::Stop;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Octets that wait for a reader at most: some thirty thousand messages as JSON, in a part of the
/// memory that a large account takes anyway.
const LIMIT: usize = 16 * 1024 * 1024;

/// What is handed to the stream at once: as much as a pipe takes.
const PIECE: usize = 64 * 1024;

/// How long a reader may take for its next piece before it counts as one that has stopped.
const PATIENCE: Duration = Duration::from_secs(5);

/// The same, once somebody wants the run to end.
const LAST_PATIENCE: Duration = Duration::from_millis(300);

/// A stream that several threads write whole lines to.
///
/// A fetch must not care whether anybody reads its report, so writing never fails here: after the
/// first error nothing more is written, and [`Lines::lost`] tells at the end.
pub(super) enum Lines {
    /// Whoever has a line waits until it is written.
    Direct(Mutex<Stream>),
    /// A thread of its own writes, and nobody waits for the reader.
    Queued(Arc<Queue>),
}

/// Where lines go.
pub(super) enum Stream {
    Open(Box<dyn Write + Send>),
    Ended(End),
}

/// Why nothing is written any more.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// The reader has gone, as in `popfetch | head -1`. That is its right.
    Gone,
    /// The report could not be written, for instance because the disk is full.
    Lost(String),
}

impl Stream {
    /// Writes at once, and flushes: whoever reads a pipe sees it now.
    fn write(&mut self, octets: &[u8]) {
        let Self::Open(stream) = self else {
            return;
        };
        if let Err(error) = stream.write_all(octets).and_then(|()| stream.flush()) {
            *self = Self::Ended(match error.kind() {
                io::ErrorKind::BrokenPipe => End::Gone,
                _ => End::Lost(error.to_string()),
            });
        }
    }

    fn end(&self) -> Option<&End> {
        match self {
            Self::Open(_) => None,
            Self::Ended(end) => Some(end),
        }
    }
}

/// Lines that wait to be written.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    octets: usize,
    /// A piece is on its way.
    writing: bool,
    /// Pieces written.
    pieces: u64,
    /// Lines for which there was no room.
    left_out: u64,
    end: Option<End>,
    /// No more lines will come.
    closed: bool,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && !self.writing
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.end.is_some() {
            return;
        }
        if state.octets.saturating_add(line.len()) > LIMIT {
            state.left_out += 1;
            return;
        }
        state.octets += line.len();
        state.lines.push_back(line.to_vec());
        self.changed.notify_all();
    }

    /// Writes what comes until nothing more can.
    fn serve(&self, stream: Box<dyn Write + Send>) {
        let mut stream = Stream::Open(stream);
        loop {
            let state = self.lock();
            let idle = |state: &mut Waiting| state.lines.is_empty() && !state.closed;
            let state = self.changed.wait_while(state, idle);
            let mut state = state.unwrap_or_else(PoisonError::into_inner);
            let mut piece = Vec::new();
            while let Some(line) = state.lines.pop_front() {
                piece.extend(line);
                if piece.len() >= PIECE {
                    break;
                }
            }
            if piece.is_empty() {
                return;
            }
            state.writing = true;
            drop(state);
            stream.write(&piece);
            let mut state = self.lock();
            state.octets = state.octets.saturating_sub(piece.len());
            state.writing = false;
            state.pieces += 1;
            if let Some(end) = stream.end() {
                state.end = Some(end.clone());
                state.lines = VecDeque::new();
            }
            let ended = state.end.is_some();
            drop(state);
            self.changed.notify_all();
            if ended {
                return;
            }
        }
    }

    /// Waits until all is written, but not for a reader that takes longer than this for a piece.
    fn drain(&self, patience: impl Fn() -> Option<Duration>) {
        const LOOK: Duration = Duration::from_millis(50);
        let mut state = self.lock();
        let (mut pieces, mut since) = (state.pieces, Instant::now());
        while !state.is_empty() {
            if mem::replace(&mut pieces, state.pieces) != state.pieces {
                since = Instant::now();
            }
            if patience().is_some_and(|patience| since.elapsed() >= patience) {
                return;
            }
            let waited = self.changed.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Lines {
    pub(super) fn new(stream: Box<dyn Write + Send>) -> Self {
        Self::Direct(Mutex::new(Stream::Open(stream)))
    }

    /// Written by a thread of its own, which needs no file; where there is none to be had, as
    /// [`Lines::new`].
    pub(super) fn queued(stream: impl Write + Send + 'static) -> Self {
        let queue = Arc::new(Queue::default());
        let served = Arc::clone(&queue);
        // Handed over once the thread exists, as it would be lost with one that does not.
        let hand_over = Arc::new(Mutex::new(None::<Box<dyn Write + Send>>));
        let stream: Box<dyn Write + Send> = Box::new(stream);
        let taken = Arc::clone(&hand_over);
        *hand_over.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
        let spawned = thread::Builder::new().spawn(move || {
            sandbox::confine(&[], &[], &[]);
            let stream = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(stream) = stream {
                served.serve(stream);
            }
        });
        match spawned {
            Ok(_) => Self::Queued(queue),
            Err(_) => {
                let stream = hand_over
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take();
                Self::new(stream.unwrap_or_else(|| Box::new(io::sink())))
            }
        }
    }

    /// Writes a line, or several.
    pub(super) fn write(&self, line: &[u8]) {
        match self {
            Self::Direct(stream) => lock(stream).write(line),
            Self::Queued(queue) => queue.add(line),
        }
    }

    /// Whether all lines so far have reached the reader, or one that wants no more.
    pub(super) fn is_written(&self) -> bool {
        let (end, rest) = match self {
            Self::Direct(stream) => (lock(stream).end().cloned(), false),
            Self::Queued(queue) => {
                let state = queue.lock();
                let rest = !state.is_empty() || state.left_out > 0;
                (state.end.clone(), rest)
            }
        };
        match end {
            Some(End::Gone) => true,
            Some(End::Lost(_)) => false,
            None => !rest,
        }
    }

    /// Waits for the reader, as long as it reads at all and nobody wants us to stop.
    pub(super) fn catch_up(&self, stop: &Stop) {
        if let Self::Queued(queue) = self {
            let stopped = || stop.requested().is_some();
            queue.drain(|| Some(if stopped() { LAST_PATIENCE } else { PATIENCE }));
        }
    }

    /// Waits for the reader, until somebody wants us to stop.
    pub(super) fn finish(&self, stop: &Stop) {
        if let Self::Queued(queue) = self {
            queue.drain(|| stop.requested().map(|_| LAST_PATIENCE));
        }
    }

    /// What went wrong, if lines were lost although somebody may have wanted them.
    pub(super) fn lost(&self) -> Option<String> {
        let (end, left_out) = match self {
            Self::Direct(stream) => (lock(stream).end().cloned(), 0),
            Self::Queued(queue) => {
                let state = queue.lock();
                (state.end.clone(), state.left_out)
            }
        };
        match end {
            Some(End::Lost(error)) => Some(error),
            Some(End::Gone) => None,
            None => {
                (left_out > 0).then(|| format!("nobody read it, and {left_out} lines are left out"))
            }
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if let Self::Queued(queue) = self {
            queue.drain(|| Some(LAST_PATIENCE));
            queue.lock().closed = true;
            queue.changed.notify_all();
        }
    }
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{Buffer, Failing};

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

    /// Accepts nothing until it is let.
    #[derive(Clone, Default)]
    struct Stopped(Arc<(Mutex<bool>, Condvar)>, Buffer);

    impl Stopped {
        fn go_on(&self) {
            *lock(&self.0.0) = true;
            self.0.1.notify_all();
        }
    }

    impl Write for Stopped {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let stopped = lock(&self.0.0);
            drop(self.0.1.wait_while(stopped, |on| !*on).unwrap());
            self.1.write(octets)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn e_2_a_reader_that_stops_holds_nobody_up_and_gets_all_when_it_goes_on() {
        let (stream, stop) = (Stopped::default(), Stop::never().unwrap());
        let lines = Lines::queued(stream.clone());
        (0..2000).for_each(|n| lines.write(format!("{n}\n").as_bytes()));
        assert!(!lines.is_written());
        stream.go_on();
        lines.finish(&stop);
        assert!(lines.is_written());
        let wanted: String = (0..2000).map(|n| format!("{n}\n")).collect();
        assert_eq!(stream.1.text(), wanted);
    }

    #[test]
    fn e_2_what_waits_for_a_reader_is_bounded_and_what_is_left_out_is_told() {
        let stream = Stopped::default();
        let lines = Lines::queued(stream.clone());
        let line = [b'x'; 1024 * 1024];
        (0..40).for_each(|_| lines.write(&line));
        let Lines::Queued(queue) = &lines else {
            panic!("no thread to be had");
        };
        let waiting: usize = queue.lock().lines.iter().map(Vec::len).sum();
        assert!(waiting <= LIMIT, "{waiting}");
        assert!(
            lines.lost().unwrap().contains("24 lines"),
            "{:?}",
            lines.lost()
        );
        stream.go_on();
        lines.finish(&Stop::never().unwrap());
        assert!(!lines.is_written(), "some are missing for ever");
    }

    #[test]
    fn e_2_a_queue_ends_with_a_broken_pipe_as_any_other() {
        let lines = Lines::queued(Failing::new(io::ErrorKind::BrokenPipe));
        lines.write(b"a\n");
        lines.finish(&Stop::never().unwrap());
        assert_eq!((lines.lost(), lines.is_written()), (None, true));
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
