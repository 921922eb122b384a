//! Where a report goes: standard output and standard error, and the bars that are drawn around their lines.

use super::Event;
use super::lines::Lines;
use super::options::Options;
use super::progress::Progress;
use super::screen::Screen;
use crate::moment::Moment;
use crate::stop::Stop;
use indicatif::ProgressDrawTarget;
use std::io::{self, IsTerminal};

/// Drawn so often, however fast mail comes.
const FRAMES_A_SECOND: u8 = 20;

/// Both streams. Each line is written whole and flushed, from whatever thread it comes.
pub(super) struct Streams {
    stdout: Lines,
    stderr: Lines,
    /// Whether lines on stdout would tear the bars.
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    /// Lines for people begin with the time: many of them, in a file that is read some other day.
    stamped: bool,
    progress: Option<Progress>,
}

impl Streams {
    /// This process's.
    pub(super) fn of_process(options: &Options) -> Self {
        let terminal = io::stderr().is_terminal();
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let bars = options.progress && !options.quiet && options.verbosity < 2;
        let progress = (bars && terminal && !dumb).then(|| Progress::new(onto_screen()));
        let stdout_is_terminal = io::stdout().is_terminal();
        // Bars are drawn around what the same terminal is told, so that has to be written at once.
        let bars = progress.is_some();
        let stdout = match options.queued && !(bars && stdout_is_terminal) {
            true => Lines::queued(io::stdout()),
            false => Lines::new(Box::new(io::stdout())),
        };
        let stderr = match options.queued && !bars {
            true => Lines::queued(io::stderr()),
            false => Lines::new(Box::new(io::stderr())),
        };
        Self {
            stdout_is_terminal,
            stderr_is_terminal: terminal,
            stamped: options.verbosity > 0 && !terminal,
            ..Self::new(stdout, stderr, progress)
        }
    }

    /// These, neither of them a terminal.
    pub(super) fn new(stdout: Lines, stderr: Lines, progress: Option<Progress>) -> Self {
        Self {
            stdout,
            stderr,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            stamped: false,
            progress,
        }
    }

    /// Whether people's lines are on a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        self.stderr_is_terminal
    }

    /// Has the bars show an event.
    pub(super) fn draw(&self, name: &str, event: &Event<'_>) {
        if let Some(progress) = &self.progress {
            progress.event(name, event);
        }
    }

    /// Takes the bars away.
    pub(super) fn clear(&self) {
        if let Some(progress) = &self.progress {
            progress.clear();
        }
    }

    /// The same for good.
    pub(super) fn end_bars(&self) {
        if let Some(progress) = &self.progress {
            progress.end();
        }
    }

    /// Takes the bars off the screen while `action` uses it.
    pub(super) fn suspend<R>(&self, action: impl FnOnce() -> R) -> R {
        match &self.progress {
            Some(progress) => progress.suspend(action),
            None => action(),
        }
    }

    /// Writes text for people, above the bars; it is escaped already, and ends with LF.
    pub(super) fn print(&self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.stamped {
            true => self.stderr.write(stamped(text, Moment::clock()).as_bytes()),
            false => self.suspend(|| self.stderr.write(text.as_bytes())),
        }
    }

    /// Writes data for programs.
    pub(super) fn data(&self, line: Option<Vec<u8>>) {
        let Some(line) = line else {
            return;
        };
        if self.stdout_is_terminal {
            self.suspend(|| self.stdout.write(&line));
        } else {
            self.stdout.write(&line);
        }
    }

    /// Whether all that was written has reached whoever reads it.
    pub(super) fn have_reached(&self) -> bool {
        self.stdout.is_written() && self.stderr.is_written()
    }

    /// Waits for whoever reads it, until somebody wants us to `stop`; whether it has reached them.
    pub(super) fn catch_up(&self, stop: &Stop) -> bool {
        self.stdout.catch_up(stop);
        self.stderr.catch_up(stop);
        self.have_reached()
    }

    /// The same at the end.
    pub(super) fn finish(&self, stop: &Stop) {
        self.stdout.finish(stop);
        self.stderr.finish(stop);
    }

    /// What went wrong, if data were lost although somebody may have wanted them.
    pub(super) fn lost_data(&self) -> Option<String> {
        self.stdout.lost()
    }
}

/// The lines, each behind the time.
fn stamped(text: &str, now: i64) -> String {
    let time = Moment::on_the_wall(now);
    let lines = text.split_inclusive('\n');
    lines.map(|line| format!("{time} {line}")).collect()
}

fn onto_screen() -> ProgressDrawTarget {
    ProgressDrawTarget::term_like_with_hz(Box::new(Screen::default()), FRAMES_A_SECOND)
}
