//! The report of a run: text and progress for people, data for programs.

use super::lines::Lines;
use super::progress::Progress;
use super::screen::Screen;
use super::tally::{Account, Totals};
use super::text::Text;
use super::{Event, Outcome, Report, json, paths};
use crate::exit::Status;
use crate::moment::Moment;
use crate::stop::Stop;
use crate::term::{Color, Paint, columns, wrap};
use indicatif::ProgressDrawTarget;
use std::collections::{HashMap, HashSet};
use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};

/// What goes to stdout. Text for people is on stderr with each of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Format {
    /// Nothing.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
    /// The path of each new file.
    Paths,
}

/// How a run is to be reported.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What goes to stdout.
    pub format: Format,
    /// End paths with NUL instead of LF.
    pub null: bool,
    /// Only problems on stderr. Leaves stdout as it is.
    pub quiet: bool,
    /// From 1 on a line for each message; from 2 on no progress bars, as something else (the
    /// transcript) fills the screen.
    pub verbosity: u8,
    /// Progress bars, where stderr is a terminal.
    pub progress: bool,
    /// Nobody waits for whoever reads the report but [`Reporter::finish`].
    pub queued: bool,
    /// Colour on stderr.
    pub color: Color,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: Format::Text,
            null: false,
            quiet: false,
            verbosity: 0,
            progress: true,
            queued: false,
            color: Color::Auto,
        }
    }
}

/// The [`Report`] of the command line program.
///
/// Each line is written whole and flushed, from whatever thread it comes. Nothing here can fail a
/// fetch; what could not be written is told by [`Reporter::finish`].
pub struct Reporter {
    options: Options,
    text: Text,
    stdout: Lines,
    stderr: Lines,
    /// Whether lines on stdout would tear the bars.
    stdout_is_terminal: bool,
    /// Lines for people begin with the time: many of them, in a file that is read some other day.
    stamped: bool,
    stderr_is_terminal: bool,
    progress: Option<Progress>,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    accounts: HashMap<String, Account>,
    totals: Totals,
    /// The hints that were given.
    told: HashSet<String>,
}

impl Reporter {
    /// A report on this process's stdout and stderr.
    pub fn new(options: Options) -> Self {
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
        let paint = options.color.paint(terminal);
        Self {
            stamped: options.verbosity > 0 && !terminal,
            stdout_is_terminal,
            stderr_is_terminal: terminal,
            ..Self::with_streams(options, paint, stdout, stderr, progress)
        }
    }

    fn with_streams(
        options: Options,
        paint: Paint,
        stdout: Lines,
        stderr: Lines,
        progress: Option<Progress>,
    ) -> Self {
        Self {
            options,
            text: Text {
                paint,
                quiet: options.quiet,
                verbose: options.verbosity > 0,
                columns: columns(io::stderr()),
            },
            stdout,
            stderr,
            stdout_is_terminal: false,
            stamped: false,
            stderr_is_terminal: false,
            progress,
            tally: Mutex::default(),
        }
    }

    /// Ends the report: takes the bars away, writes the totals, and says what the process should
    /// exit with. That is `status`, the worst of all accounts, or [`Status::Io`] where the data on
    /// stdout could not be written (a reader that has gone, a broken pipe, is no error). A reader
    /// that is slow is waited for, until somebody wants us to `stop`.
    pub fn finish(&self, status: Status, stop: &Stop) -> Status {
        self.clear();
        let totals = self.with_tally(|tally| tally.totals.clone());
        if self.options.format == Format::Json {
            self.data(json::summary(&totals, status));
        }
        self.print(&self.text.total(&totals));
        self.stdout.finish(stop);
        self.stderr.finish(stop);
        if let (Some(reason), false) = (stop.requested(), self.has_reached()) {
            return status.worst(reason.status());
        }
        let Some(error) = self.stdout.lost() else {
            return status;
        };
        self.print(&self.text.problem(
            &format!("the report could not be written to standard output: {error}"),
            "the mail is not affected, only the report of it is incomplete",
        ));
        self.stderr.finish(stop);
        status.worst(Status::Io)
    }

    /// Says which an account's Maildir is, and whether it is only now to be made: then, and with the
    /// first mail, the result names it.
    pub fn delivers_to(&self, name: &str, shown: &str, is_made: bool) {
        self.with_tally(|tally| {
            let account = tally.accounts.entry(name.to_owned()).or_default();
            (account.maildir, account.is_made) = (Some(shown.to_owned()), is_made);
        });
    }

    /// Whether somebody looks on, who may press Ctrl-C.
    pub fn is_watched(&self) -> bool {
        self.stderr_is_terminal && !self.options.quiet
    }

    /// Tells who has pressed Ctrl-C that it was heard. The bars go first: who presses it once more
    /// ends the process where it stands, and is not to be left with them.
    pub fn stopping(&self) {
        if let Some(progress) = &self.progress {
            progress.end();
        }
        let columns = columns(io::stderr());
        let text = wrap(
            "",
            "stopping within 2 seconds; Ctrl-C again: at once",
            columns,
        );
        // Over the ^C, which stands alone where no bar was drawn around it.
        self.print(&format!("\r{text}\n"));
    }

    /// Takes the bars away.
    pub fn clear(&self) {
        if let Some(progress) = &self.progress {
            progress.clear();
        }
    }

    /// Writes text to stderr, above the bars. It must be escaped already, and end with LF.
    pub fn print(&self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.stamped {
            true => self.stderr.write(stamped(text, Moment::clock()).as_bytes()),
            false => self.suspend(|| self.stderr.write(text.as_bytes())),
        }
    }

    /// Takes the bars off the screen while `action` uses it, for instance to ask a question.
    /// Other accounts wait meanwhile when they report, so a long `action` holds them up; and
    /// `action` itself must not report or print.
    pub fn suspend<R>(&self, action: impl FnOnce() -> R) -> R {
        match &self.progress {
            Some(progress) => progress.suspend(action),
            None => action(),
        }
    }

    /// Reports the end of an account that never began, with a text of its own for people (escaped,
    /// ending with LF): a fault in the config file is shown with its place.
    pub fn report_unstarted(&self, name: &str, outcome: &Outcome, text: &str) {
        let (data, _) = self.lines(name, &Event::Finished(outcome));
        self.data(data);
        self.print(text);
    }

    /// What an event adds to stdout and to stderr.
    fn lines(&self, name: &str, event: &Event<'_>) -> (Option<Vec<u8>>, String) {
        self.with_tally(|tally| {
            let account = tally.accounts.entry(name.to_owned()).or_default();
            account.add(event);
            let data = match self.options.format {
                Format::Text => None,
                Format::Json => json::line(name, event, account),
                Format::Paths => paths::line(event, self.options.null),
            };
            let Event::Finished(outcome) = event else {
                return (data, self.text.lines(name, event, account));
            };
            tally.totals.add(name, outcome);
            let mut outcome = (*outcome).clone();
            if let Some(failure) = &mut outcome.failure {
                // What helps with several accounts is said with the first.
                let hint = failure.hint.take();
                failure.hint = hint.filter(|hint| tally.told.insert(hint.clone()));
            }
            let text = self.text.lines(name, &Event::Finished(&outcome), account);
            (data, text)
        })
    }

    fn data(&self, line: Option<Vec<u8>>) {
        let Some(line) = line else {
            return;
        };
        if self.stdout_is_terminal {
            self.suspend(|| self.stdout.write(&line));
        } else {
            self.stdout.write(&line);
        }
    }

    fn has_reached(&self) -> bool {
        self.stdout.is_written() && self.stderr.is_written()
    }

    fn with_tally<R>(&self, action: impl FnOnce(&mut Tally) -> R) -> R {
        action(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The lines, each behind the time.
fn stamped(text: &str, now: i64) -> String {
    let time = Moment::on_the_wall(now);
    let lines = text.split_inclusive('\n');
    lines.map(|line| format!("{time} {line}")).collect()
}

impl Report for Reporter {
    fn report(&self, name: &str, event: Event<'_>) {
        if let Some(progress) = &self.progress {
            progress.event(name, &event);
        }
        // By far the most frequent event, and only the bars care.
        if matches!(event, Event::Received { .. }) {
            return;
        }
        let (data, text) = self.lines(name, &event);
        self.data(data);
        self.print(&text);
    }

    fn is_written(&self) -> bool {
        // A person is told how many there were, at the end.
        let only_at_the_end =
            self.options.format == Format::Text && !self.text.verbose && !self.text.quiet;
        !only_at_the_end && self.has_reached()
    }

    fn catch_up(&self, stop: &Stop) -> bool {
        self.stdout.catch_up(stop);
        self.stderr.catch_up(stop);
        self.has_reached()
    }

    fn wants_header(&self) -> bool {
        self.options.format == Format::Json || (self.text.verbose && !self.text.quiet)
    }
}

/// Drawn so often, however fast mail comes.
const FRAMES_A_SECOND: u8 = 20;

fn onto_screen() -> ProgressDrawTarget {
    ProgressDrawTarget::term_like_with_hz(Box::new(Screen::default()), FRAMES_A_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{Buffer, Failing, Screen, message};

    struct Run {
        reporter: Reporter,
        stdout: Buffer,
        stderr: Buffer,
    }

    fn run(options: Options) -> Run {
        let (stdout, stderr) = (Buffer::default(), Buffer::default());
        let reporter = Reporter::with_streams(
            options,
            Paint::PLAIN,
            Lines::new(Box::new(stdout.clone())),
            Lines::new(Box::new(stderr.clone())),
            None,
        );
        Run {
            reporter,
            stdout,
            stderr,
        }
    }

    fn fetch_one(reporter: &Reporter, name: &str) {
        reporter.report(name, Event::Received { octets: 12_300 });
        reporter.report(name, Event::Message(&message()));
        let outcome = Outcome {
            fetched: 1,
            octets: 12_300,
            ..Outcome::default()
        };
        reporter.report(name, Event::Finished(&outcome));
    }

    fn with_stdout(kind: io::ErrorKind) -> (Reporter, Buffer) {
        let stderr = Buffer::default();
        let options = Options {
            format: Format::Json,
            ..Options::default()
        };
        let reporter = Reporter::with_streams(
            options,
            Paint::PLAIN,
            Lines::new(Box::new(Failing::new(kind))),
            Lines::new(Box::new(stderr.clone())),
            None,
        );
        (reporter, stderr)
    }

    #[test]
    fn text_is_for_stderr_only() {
        let run = run(Options::default());
        fetch_one(&run.reporter, "work");
        assert_eq!(
            run.reporter.finish(Status::Ok, &Stop::never().unwrap()),
            Status::Ok
        );
        assert_eq!(run.stdout.text(), "");
        assert_eq!(run.stderr.text(), "work: 1 new message (12 KB)\n");
    }

    #[test]
    fn json_is_on_stdout_beside_the_text() {
        let run = run(Options {
            format: Format::Json,
            ..Options::default()
        });
        fetch_one(&run.reporter, "work");
        fetch_one(&run.reporter, "home");
        run.reporter.finish(Status::Ok, &Stop::never().unwrap());
        let events: Vec<String> = run
            .stdout
            .text()
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|object| object["event"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(
            events,
            ["message", "account", "message", "account", "summary"]
        );
        assert!(
            run.stderr
                .text()
                .ends_with("2 accounts: 2 new messages (24 KB)\n")
        );
    }

    #[test]
    fn quiet_leaves_the_data_as_it_is() {
        let run = run(Options {
            format: Format::Paths,
            null: true,
            quiet: true,
            ..Options::default()
        });
        fetch_one(&run.reporter, "work");
        run.reporter.finish(Status::Ok, &Stop::never().unwrap());
        assert_eq!(run.stdout.text(), "/mail/new/1.host\0");
        assert_eq!(run.stderr.text(), "");
    }

    #[test]
    fn a_reader_that_has_gone_changes_nothing() {
        let (reporter, stderr) = with_stdout(io::ErrorKind::BrokenPipe);
        fetch_one(&reporter, "work");
        assert_eq!(
            reporter.finish(Status::Partial, &Stop::never().unwrap()),
            Status::Partial
        );
        assert_eq!(stderr.text(), "work: 1 new message (12 KB)\n");
    }

    #[test]
    fn a_report_that_is_lost_is_an_error_of_its_own() {
        let (reporter, stderr) = with_stdout(io::ErrorKind::StorageFull);
        fetch_one(&reporter, "work");
        assert_eq!(
            reporter.finish(Status::Ok, &Stop::never().unwrap()),
            Status::Io
        );
        assert!(
            stderr
                .text()
                .contains("\nerror: the report could not be written")
        );
        assert_eq!(
            reporter.finish(Status::NoPermission, &Stop::never().unwrap()),
            Status::NoPermission
        );
    }

    #[test]
    fn headers_are_wanted_where_they_are_shown() {
        let wants = |format, verbosity, quiet| {
            let options = Options {
                format,
                verbosity,
                quiet,
                ..Options::default()
            };
            run(options).reporter.wants_header()
        };
        assert!(wants(Format::Json, 0, true));
        assert!(wants(Format::Paths, 1, false));
        assert!(!wants(Format::Text, 0, false));
        assert!(!wants(Format::Text, 1, true));
    }

    #[test]
    fn lines_and_bars_share_the_screen() {
        let stderr = Buffer::default();
        let target = ProgressDrawTarget::term_like(Box::new(Screen::default()));
        let reporter = Reporter::with_streams(
            Options::default(),
            Paint::PLAIN,
            Lines::new(Box::new(Buffer::default())),
            Lines::new(Box::new(stderr.clone())),
            Some(Progress::new(target)),
        );
        let (host, port) = ("pop.example.com", 995);
        reporter.report("work", Event::Connecting { host, port });
        fetch_one(&reporter, "work");
        reporter.finish(Status::Ok, &Stop::never().unwrap());
        assert_eq!(stderr.text(), "work: 1 new message (12 KB)\n");
    }
}
