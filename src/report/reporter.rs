//! The report of a run: text and progress for people, data for programs.

use super::options::{Format, Options};
use super::place::Place;
use super::streams::Streams;
use super::tally::{Account, Totals};
use super::text::Text;
use super::{Event, Outcome, Report, json, paths};
use crate::exit::Status;
use crate::stop::Stop;
use crate::term::{Paint, columns, wrap};
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Mutex, PoisonError};

/// The [`Report`] of the command line program.
///
/// Each line is written whole and flushed, from whatever thread it comes. Nothing here can fail a
/// fetch; what could not be written is told by [`Reporter::finish`].
pub struct Reporter {
    options: Options,
    text: Text,
    streams: Streams,
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
        let streams = Streams::of_process(&options);
        Self::with_streams(options, options.color.paint(streams.is_terminal()), streams)
    }

    fn with_streams(options: Options, paint: Paint, streams: Streams) -> Self {
        Self {
            options,
            text: Text {
                paint,
                quiet: options.quiet,
                verbose: options.verbosity > 0,
                columns: columns(io::stderr()),
            },
            streams,
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
            self.streams.data(json::summary(&totals, status));
        }
        self.print(&self.text.total(&totals));
        self.streams.finish(stop);
        if let (Some(reason), false) = (stop.requested(), self.streams.have_reached()) {
            return status.worst(reason.status());
        }
        let Some(error) = self.streams.lost_data() else {
            return status;
        };
        self.print(&self.text.problem(
            &format!("the report could not be written to standard output: {error}"),
            "the mail is not affected, only the report of it is incomplete",
        ));
        self.streams.finish(stop);
        status.worst(Status::Io)
    }

    /// Says which an account's Maildir is. The result names it with the first mail, and where it is only now
    /// to be made; and its folders whenever new mail is in them.
    pub fn delivers_to(&self, name: &str, place: Place) {
        self.with_tally(|tally| {
            let account = tally.accounts.entry(name.to_owned()).or_default();
            account.place = Some(place);
        });
    }

    /// Whether somebody looks on, who may press Ctrl-C.
    pub fn is_watched(&self) -> bool {
        self.streams.is_terminal() && !self.options.quiet
    }

    /// Tells who has pressed Ctrl-C that it was heard. The bars go first: who presses it once more
    /// ends the process where it stands, and is not to be left with them.
    pub fn stopping(&self) {
        self.streams.end_bars();
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
        self.streams.clear();
    }

    /// Writes text to stderr, above the bars. It must be escaped already, and end with LF.
    pub fn print(&self, text: &str) {
        self.streams.print(text);
    }

    /// Takes the bars off the screen while `action` uses it, for instance to ask a question.
    /// Other accounts wait meanwhile when they report, so a long `action` holds them up; and
    /// `action` itself must not report or print.
    pub fn suspend<R>(&self, action: impl FnOnce() -> R) -> R {
        self.streams.suspend(action)
    }

    /// Reports the end of an account that never began, with a text of its own for people (escaped,
    /// ending with LF): a fault in the config file is shown with its place.
    pub fn report_unstarted(&self, name: &str, outcome: &Outcome, text: &str) {
        let (data, _) = self.lines(name, &Event::Finished(outcome));
        self.streams.data(data);
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

    fn with_tally<R>(&self, action: impl FnOnce(&mut Tally) -> R) -> R {
        action(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Report for Reporter {
    fn report(&self, name: &str, event: Event<'_>) {
        self.streams.draw(name, &event);
        // By far the most frequent event, and only the bars care.
        if matches!(event, Event::Received { .. }) {
            return;
        }
        let (data, text) = self.lines(name, &event);
        self.streams.data(data);
        self.print(&text);
    }

    fn is_written(&self) -> bool {
        // A person is told how many there were, at the end.
        let only_at_the_end =
            self.options.format == Format::Text && !self.text.verbose && !self.text.quiet;
        !only_at_the_end && self.streams.have_reached()
    }

    fn catch_up(&self, stop: &Stop) -> bool {
        self.streams.catch_up(stop)
    }

    fn wants_header(&self) -> bool {
        self.options.format == Format::Json || (self.text.verbose && !self.text.quiet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::lines::Lines;
    use crate::report::progress::Progress;
    use crate::report::testing::{Buffer, Failing, Screen, message};
    use indicatif::ProgressDrawTarget;

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
            Streams::new(
                Lines::new(Box::new(stdout.clone())),
                Lines::new(Box::new(stderr.clone())),
                None,
            ),
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
            Streams::new(
                Lines::new(Box::new(Failing::new(kind))),
                Lines::new(Box::new(stderr.clone())),
                None,
            ),
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
            Streams::new(
                Lines::new(Box::new(Buffer::default())),
                Lines::new(Box::new(stderr.clone())),
                Some(Progress::new(target)),
            ),
        );
        let (host, port) = ("pop.example.com", 995);
        reporter.report("work", Event::Connecting { host, port });
        fetch_one(&reporter, "work");
        reporter.finish(Status::Ok, &Stop::never().unwrap());
        assert_eq!(stderr.text(), "work: 1 new message (12 KB)\n");
    }
}
