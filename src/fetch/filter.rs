//! Running the program that decides where no rule does: see [`Aside`].

use super::Error;
use super::aside::Aside;
use crate::net::program::cannot_start;
use crate::process::{self, Care, Ending};
use crate::rules::{FilterCommand, Verdict};
use crate::stop::Stop;
use crate::term::{count, without_numbers};
use std::io;
use std::process::Command;
use std::time::Duration;

/// How long the program may take for a message: the server waits meanwhile.
const LIMIT: Duration = Duration::from_secs(30);

/// After so many failures in a row it is not asked again in this run.
const FAILURES: u32 = 3;

/// A program that decides, in a run.
pub(super) struct FilterRun {
    aside: Aside<Vec<u8>, Result<Verdict, String>>,
    failures: u32,
    unheard: Unheard,
}

/// Messages that the program has said nothing about.
#[derive(Debug, Default)]
pub(super) struct Unheard {
    /// Those that are fetched therefore.
    fetched: u64,
    /// Those that are too large to be fetched unless it says so.
    left: u64,
    /// Why not, for the first of them.
    reason: String,
}

impl Unheard {
    /// What is told of them, if there are any.
    pub(super) fn told(&self) -> Option<String> {
        let stay = if self.left == 1 { "stays" } else { "stay" };
        let outcome = match (self.fetched, self.left) {
            (0, 0) => return None,
            (_, 0) => ", fetched therefore".to_owned(),
            (0, _) => format!(", which {stay} on the server (`max-size`)"),
            (fetched, left) => {
                let are = if fetched == 1 { "is" } else { "are" };
                format!(
                    ", of which {fetched} {are} fetched and {left} {stay} on the server (`max-size`)"
                )
            }
        };
        let messages = count(self.fetched + self.left, "message");
        let reason = &self.reason;
        Some(format!(
            "the filter command has said nothing about {messages}{outcome}: {reason}"
        ))
    }
}

impl FilterRun {
    /// For this program. Call it where programs may be started.
    pub(super) fn start(filter: &FilterCommand, stop: &Stop) -> Result<Self, Error> {
        let (argv, stop) = (filter.argv().to_vec(), stop.clone());
        let aside = Aside::start(move |header: Vec<u8>| {
            let verdict = run(&argv, &header, LIMIT, &stop);
            verdict.unwrap_or_else(|error| Err(cannot_run(&argv, &error)))
        });
        Ok(Self {
            aside: aside?,
            failures: 0,
            unheard: Unheard::default(),
        })
    }

    /// What it has said nothing about so far, which is told once.
    pub(super) fn take_unheard(&mut self) -> Unheard {
        std::mem::take(&mut self.unheard)
    }

    /// What the program says of a header; none where it says nothing, and then the message is fetched or
    /// not, as it would be without rules.
    pub(super) fn ask(&mut self, header: &[u8], is_fetched_otherwise: bool) -> Option<Verdict> {
        let verdict = self.verdict(header);
        match is_fetched_otherwise {
            _ if verdict.is_some() => {}
            true => self.unheard.fetched += 1,
            false => self.unheard.left += 1,
        }
        verdict
    }

    fn verdict(&mut self, header: &[u8]) -> Option<Verdict> {
        if self.failures >= FAILURES {
            return None;
        }
        let asked = self.aside.ask(with_lf(header));
        let answer = asked.and_then(|()| self.aside.answer());
        match answer.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(verdict) => {
                self.failures = 0;
                Some(verdict)
            }
            Err(reason) => {
                self.failures += 1;
                if self.unheard.reason.is_empty() {
                    self.unheard.reason = reason;
                }
                None
            }
        }
    }
}

fn cannot_run(argv: &[String], error: &io::Error) -> String {
    let program = argv.first().map_or("", String::as_str);
    let way = cannot_start("filter-command", program, error);
    let why = without_numbers(&error.to_string());
    format!("cannot run `{program}`: {why}; {way}")
}

/// Runs the program for one header; the reason where it says nothing.
fn run(
    argv: &[String],
    header: &[u8],
    limit: Duration,
    stop: &Stop,
) -> io::Result<Result<Verdict, String>> {
    let (name, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(name);
    command.args(arguments);
    let source = (header, header.len() as u64);
    let fed = process::feed(&mut command, source, Care::within(limit), stop)?;
    let says = |what: String| match fed.told.line() {
        Some(line) => format!("{what}; it says: {line}"),
        None => what,
    };
    Ok(match fed.ending {
        Ending::Exited(status) => match Verdict::of_status(status.code()) {
            Some(Verdict::Fetch) => Ok(Verdict::Fetch),
            // One that has failed before it read all of it, as where a script has a fault, may end with
            // any status.
            Some(_) if !fed.has_read => {
                Err(says(format!("{status} before it had read the header")))
            }
            Some(verdict) => Ok(verdict),
            None => Err(says(status.to_string())),
        },
        Ending::OutOfTime => Err(says(format!("not done after {} s", limit.as_secs()))),
        Ending::Stopped(_) => Err("popfetch was stopped".to_owned()),
    })
}

/// As programs on this system write lines.
fn with_lf(header: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(header.len());
    for line in header.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => text.extend([line, b"\n"].concat()),
            None => text.extend(line),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn say(script: &str, header: &[u8]) -> Result<Verdict, String> {
        let argv = ["sh", "-c", script].map(str::to_owned);
        let stop = Stop::never().unwrap();
        run(&argv, header, Duration::from_secs(20), &stop).unwrap()
    }

    #[test]
    fn the_exit_status_says_what_is_done_and_any_other_says_nothing() {
        for (status, verdict) in [
            (0, Some(Verdict::Fetch)),
            (1, Some(Verdict::Delete)),
            (2, Some(Verdict::Skip)),
            (3, None),
            (127, None),
        ] {
            let said = say(&format!("cat > /dev/null; exit {status}"), b"A: b\n\n");
            assert_eq!(said.ok(), verdict, "{status}");
        }
        assert!(say("cat > /dev/null; kill -9 $$", b"A: b\n\n").is_err());
    }

    #[test]
    fn a_program_that_has_not_read_the_header_deletes_and_leaves_nothing() {
        for status in [1, 2] {
            let script = format!("exit {status}");
            assert!(say(&script, b"A: b\n\n").is_err());
            assert!(say(&script, &vec![b'a'; 1 << 20]).is_err());
        }
        assert_eq!(say("exit 0", b"A: b\n\n"), Ok(Verdict::Fetch));
    }

    #[test]
    fn a_program_may_open_its_standard_input_by_its_name() {
        let script = "grep -q '^A: b$' /dev/stdin && exit 2; exit 7";
        assert_eq!(say(script, b"A: b\n\n"), Ok(Verdict::Skip));
    }

    #[test]
    fn what_a_program_that_failed_has_said_is_part_of_the_reason() {
        let said = say(
            "cat > /dev/null; echo no such list >&2; exit 3",
            b"A: b\n\n",
        );
        assert!(said.unwrap_err().ends_with("; it says: no such list"));
    }

    #[test]
    fn the_program_reads_all_of_a_long_header_and_its_end() {
        let long = [b"A: ".to_vec(), vec![b'a'; 300_000], b"\n\n".to_vec()].concat();
        assert_eq!(
            say("test $(wc -c) = 300005 && exit 2", &long),
            Ok(Verdict::Skip)
        );
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_what_it_has_started() {
        let argv = ["sh", "-c", "sleep 60 & sleep 60"].map(str::to_owned);
        let stop = Stop::never().unwrap();
        let begin = Instant::now();
        let said = run(&argv, b"A: b\n\n", Duration::from_millis(100), &stop);
        assert!(said.unwrap().is_err());
        assert!(begin.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn lines_end_as_they_do_here() {
        assert_eq!(with_lf(b"a\r\nb\rc\n\r\n"), b"a\nb\rc\n\n");
    }
}
