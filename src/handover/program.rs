//! A program that takes messages, as local mail servers start it: procmail, maildrop, dovecot-lda.
//!
//! It is started once for each message, without a shell, and reads the message from its standard input.
//! What it ends with says what became of it (`sysexits.h`). It has a process group of its own, and
//! whoever does not end in time is ended with all that it has started.

use super::envelope::from_line;
use super::words::Words;
use super::{Answer, Letter, Unable};
use crate::exit::{Status, is_scarce};
use crate::net::program::cannot_start;
use crate::process::{self, Care, Ending, Fed, Keep, Unrun};
use crate::stop::Stop;
use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// What is kept of what it says last, in octets: a line for people has other words as well.
const KEPT: usize = 400;

/// How long a program that is at work may go on when popfetch is asked to stop: what it has begun is
/// better done than done twice.
const GRACE: Duration = Duration::from_secs(5);

/// The exit status by which a program says that it may take the message later.
const TEMPORARY: i32 = 75;

/// The other words of `sysexits.h`.
const WORDS: [(i32, &str); 14] = [
    (64, "EX_USAGE"),
    (65, "EX_DATAERR"),
    (66, "EX_NOINPUT"),
    (67, "EX_NOUSER"),
    (68, "EX_NOHOST"),
    (69, "EX_UNAVAILABLE"),
    (70, "EX_SOFTWARE"),
    (71, "EX_OSERR"),
    (72, "EX_OSFILE"),
    (73, "EX_CANTCREAT"),
    (74, "EX_IOERR"),
    (76, "EX_PROTOCOL"),
    (77, "EX_NOPERM"),
    (78, "EX_CONFIG"),
];

/// A program, and how it is given a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Program {
    /// The program and its arguments, with words in braces ([`Words`]).
    pub argv: Vec<String>,
    /// Whether a line `From sender date` comes before the message.
    pub from_line: bool,
    /// How long it may take for a message.
    pub deadline: Duration,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.argv.join(" "))
    }
}

impl Program {
    /// Its name.
    pub fn name(&self) -> &str {
        self.argv.first().map_or("", String::as_str)
    }

    /// Where it is, by the same rules as it is started by.
    ///
    /// # Errors
    /// It is nowhere, or may not be run.
    pub fn find(&self) -> Result<PathBuf, Unable> {
        process::find(self.name()).map_err(|error| self.unable(&error))
    }

    /// Gives it a message, which is the file.
    pub(super) fn hand(&self, words: &Words, letter: &Letter, file: File, stop: &Stop) -> Answer {
        match self.run(words, letter, file, stop) {
            Ok(fed) => self.judge(&fed),
            Err(Unrun::Start(error)) => Answer::Unable(self.unable(&error)),
            Err(Unrun::Lost(error)) => Answer::Later(format!(
                "`{}`: it could not be given all of the message: {error}",
                self.name()
            )),
        }
    }

    fn run(
        &self,
        words: &Words,
        letter: &Letter,
        mut file: File,
        stop: &Stop,
    ) -> Result<Fed, Unrun> {
        let line = match self.from_line {
            true => from_line(&mut file, letter.time)?,
            false => Vec::new(),
        };
        let mut argv = self.argv.iter().map(|word| words.fill(word));
        let mut command = Command::new(argv.next().unwrap_or_default());
        command.args(argv).envs(words.environment());
        let care = Care {
            limit: self.deadline,
            grace: GRACE,
            parting: None,
            keep: Keep::Last(KEPT),
        };
        let source = Cursor::new(line).chain(file);
        process::feed(&mut command, (source, letter.octets), care, stop)
    }

    fn judge(&self, fed: &Fed) -> Answer {
        let status = match fed.ending {
            Ending::Exited(status) => status,
            Ending::OutOfTime => {
                let what = format!("it did not end within {} s", self.deadline.as_secs());
                return Answer::Hangs(self.says(&what, fed));
            }
            Ending::Stopped(_) => {
                let what = "it was at work when popfetch was stopped, and was ended";
                return Answer::Later(self.says(what, fed));
            }
        };
        match (status.code(), status.signal()) {
            (Some(0), _) if fed.has_read => Answer::Taken(fed.told.line()),
            (Some(0), _) => Answer::Refused(self.says(
                "it ended with 0 before it had read all of the message, so it has not taken it",
                fed,
            )),
            (Some(TEMPORARY), _) => {
                let what = "it cannot take it now: exit status 75 (EX_TEMPFAIL)";
                Answer::Later(self.says(what, fed))
            }
            (Some(code), _) => {
                let word = WORDS.iter().find(|(known, _)| *known == code);
                let word = word.map_or_else(String::new, |(_, word)| format!(" ({word})"));
                let what = format!("it did not take it: exit status {code}{word}");
                Answer::Refused(self.says(&what, fed))
            }
            (None, signal) => {
                let signal = signal.unwrap_or_default();
                let what = format!("it was ended by signal {signal}");
                Answer::Later(self.says(&what, fed))
            }
        }
    }

    fn says(&self, what: &str, fed: &Fed) -> String {
        let says = fed.told.line();
        let says = says.map_or_else(String::new, |text| format!("; it says: {text}"));
        format!("`{}`: {what}{says}", self.name())
    }

    fn unable(&self, error: &io::Error) -> Unable {
        let status = match is_scarce(error) {
            true => Status::Temporary,
            false => Status::Config,
        };
        let way = cannot_start("deliver", self.name(), error);
        Unable {
            what: format!("cannot start `{}`: {error}", self.name()),
            hint: format!("{way}; what was fetched is kept until it works"),
            status,
        }
    }
}
