//! A program that takes messages, as local mail servers start it: procmail, maildrop, dovecot-lda.
//!
//! It is started once for each message, without a shell, and reads the message from its standard input.
//! What it ends with says what became of it (`sysexits.h`). It has a process group of its own, and
//! whoever does not end in time is ended with all that it has started.

use super::complaint::Complaint;
use super::envelope::from_line;
use super::words::Words;
use super::{Answer, Letter, Unable};
use crate::exit::{Status, is_scarce};
use crate::process::{Group, Running};
use crate::stop::Stop;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{ioctl_fionbio, ioctl_fionread};
use rustix::pipe::fcntl_setpipe_size;
use std::fmt;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How large a pipe is made, at most, so that the message is all in it before the program begins: Linux
/// allows everybody so much. Were popfetch killed in the middle, the program would take half a message
/// for a whole one.
const PIPE: usize = 1024 * 1024;

/// What is read of a file at once.
const PIECE: usize = 64 * 1024;

/// How long to wait for something to happen before looking whether the program has ended: this much at
/// first, and then longer.
const FIRST_LOOK: Duration = Duration::from_millis(1);

/// And this much at last.
const LAST_LOOK: Duration = Duration::from_millis(20);

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
    pub fn find(&self) -> Option<PathBuf> {
        let name = Path::new(self.name());
        let is_program = |path: &PathBuf| {
            let metadata = path.metadata();
            metadata.is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
        };
        if self.name().contains('/') {
            return Some(name.to_owned()).filter(is_program);
        }
        let directories = std::env::var_os("PATH")?;
        let mut paths = std::env::split_paths(&directories).map(|it| it.join(name));
        paths.find(is_program)
    }

    /// Gives it a message, which is the file.
    pub(super) fn hand(&self, words: &Words, letter: &Letter, file: File, stop: &Stop) -> Answer {
        let run = Feed::new(file, self.from_line.then_some(letter.time))
            .and_then(|feed| self.run(words, letter, feed, stop));
        match run {
            Ok(answer) => answer,
            Err(error) => self.unable(&error),
        }
    }

    fn run(
        &self,
        words: &Words,
        letter: &Letter,
        mut feed: Feed,
        stop: &Stop,
    ) -> io::Result<Answer> {
        let (input, writer) = io::pipe()?;
        // With this end open, what the program has not read can be counted when it has ended.
        let rest = input.try_clone()?;
        let wanted = usize::try_from(letter.octets).map_or(PIPE, |octets| octets + PIECE);
        // A smaller one does as well, but for a kill.
        let _ = fcntl_setpipe_size(&writer, wanted.min(PIPE));
        ioctl_fionbio(&writer, true)?;
        let mut writer = Some(writer);
        feed.fill(&mut writer)?;
        let mut running = self.start(words, input)?;
        let mut complaint = Complaint::of(&mut running)?;
        let deadline = Instant::now() + self.deadline;
        let mut stopped: Option<Instant> = None;
        let mut look = FIRST_LOOK;
        let status = loop {
            if let Some(status) = running.status()? {
                break status;
            }
            let now = Instant::now();
            if stopped.is_none() && stop.requested().is_some() {
                stopped = Some(now + GRACE);
            }
            if stopped.is_some_and(|until| now >= until) {
                let what = "it was at work when popfetch was stopped, and was ended";
                return Ok(Answer::Later(self.says(what, &complaint)));
            }
            if now >= deadline {
                let what = format!("it did not end within {} s", self.deadline.as_secs());
                return Ok(Answer::Hangs(self.says(&what, &complaint)));
            }
            look = match wait(writer.as_ref(), &complaint, look)? {
                true => FIRST_LOOK,
                false => (look * 2).min(LAST_LOOK),
            };
            feed.fill(&mut writer)?;
            complaint.listen();
        };
        complaint.listen();
        let has_read_all = writer.is_none() && ioctl_fionread(&rest)? == 0;
        Ok(self.judge(status, has_read_all, &complaint))
    }

    fn start(&self, words: &Words, input: PipeReader) -> io::Result<Running> {
        let mut argv = self.argv.iter().map(|word| words.fill(word));
        let mut command = Command::new(argv.next().unwrap_or_default());
        command
            .args(argv)
            .envs(words.environment())
            .stdin(Stdio::from(input))
            // What is on popfetch's own is data.
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Running::start(&mut command, Group::Own)
    }

    fn judge(&self, status: ExitStatus, has_read_all: bool, complaint: &Complaint) -> Answer {
        match (status.code(), status.signal()) {
            (Some(0), _) if has_read_all => Answer::Taken(complaint.text()),
            (Some(0), _) => Answer::Refused(self.says(
                "it ended with 0 before it had read all of the message, so it has not taken it",
                complaint,
            )),
            (Some(TEMPORARY), _) => {
                let what = "it cannot take it now: exit status 75 (EX_TEMPFAIL)";
                Answer::Later(self.says(what, complaint))
            }
            (Some(code), _) => {
                let word = WORDS.iter().find(|(known, _)| *known == code);
                let word = word.map_or_else(String::new, |(_, word)| format!(" ({word})"));
                let what = format!("it did not take it: exit status {code}{word}");
                Answer::Refused(self.says(&what, complaint))
            }
            (None, signal) => {
                let signal = signal.unwrap_or_default();
                let what = format!("it was ended by signal {signal}");
                Answer::Later(self.says(&what, complaint))
            }
        }
    }

    fn says(&self, what: &str, complaint: &Complaint) -> String {
        let says = complaint.text();
        let says = says.map_or_else(String::new, |text| format!("; it says: {text}"));
        format!("`{}`: {what}{says}", self.name())
    }

    fn unable(&self, error: &io::Error) -> Answer {
        let (status, hint) = match is_scarce(error) {
            true => (
                Status::Temporary,
                "the next run tries again; what was fetched is kept until then".to_owned(),
            ),
            false => (
                Status::Config,
                format!(
                    "is it there, and can it be run? `deliver` in the config file names it; what was \
                     fetched is kept until it works: command -v {}",
                    crate::term::quoted(self.name())
                ),
            ),
        };
        Answer::Unable(Unable {
            what: format!("cannot start `{}`: {error}", self.name()),
            hint,
            status,
        })
    }
}

/// Waits until the program takes more or says something, but no longer than that; whether it does.
fn wait(writer: Option<&PipeWriter>, complaint: &Complaint, limit: Duration) -> io::Result<bool> {
    let writer = writer.map(|writer| PollFd::new(writer, PollFlags::OUT));
    let source = complaint
        .source()
        .map(|source| PollFd::new(source, PollFlags::IN));
    let mut all: Vec<PollFd<'_>> = writer.into_iter().chain(source).collect();
    let limit = Timespec {
        tv_sec: 0,
        tv_nsec: limit.subsec_nanos().into(),
    };
    match poll(&mut all, Some(&limit)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// What the program reads.
struct Feed {
    file: File,
    piece: Vec<u8>,
    given: usize,
}

impl Feed {
    /// The file, behind its line for the envelope where that is wanted.
    fn new(mut file: File, line_of: Option<i64>) -> io::Result<Self> {
        let piece = match line_of {
            Some(time) => from_line(&mut file, time)?,
            None => Vec::new(),
        };
        Ok(Self {
            file,
            piece,
            given: 0,
        })
    }

    /// Gives as much as is taken now, and closes the pipe when that is all.
    fn fill(&mut self, to: &mut Option<PipeWriter>) -> io::Result<()> {
        while let Some(writer) = to {
            let left = self.piece.get(self.given..).unwrap_or_default();
            if left.is_empty() {
                self.piece.resize(PIECE, 0);
                let count = self.file.read(&mut self.piece)?;
                self.piece.truncate(count);
                self.given = 0;
                if count == 0 {
                    *to = None;
                }
                continue;
            }
            match writer.write(left) {
                Ok(count) => self.given += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
