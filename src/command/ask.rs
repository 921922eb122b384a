//! Questions on the terminal, a line each; or from a script that writes the answers into a pipe.

use crate::command::fail::Failure;
use crate::exit::Status;
use crate::term::{columns, escape_str, wrap, wrap_item};
use std::io::{self, Read, Write};

/// No answer is longer than this.
const LONGEST: usize = 4096;

/// Asks, or takes what is usual.
pub(super) struct Asker {
    /// Nothing is asked that has a usual answer.
    pub(super) yes: bool,
}

impl Asker {
    /// Tells something.
    pub(super) fn say(&self, text: &str) {
        let lines: Vec<String> = text.split('\n').map(escape_str).collect();
        eprintln!("{}", wrap("", &lines.join("\n"), columns(io::stderr())));
    }

    /// Tells several things, one below the other.
    pub(super) fn list(&self, items: &[String]) {
        for item in items {
            let item = wrap_item("  - ", &escape_str(item), columns(io::stderr()));
            eprintln!("{item}");
        }
    }

    /// Tells what is to be done, in lines of which some are numbered.
    pub(super) fn steps(&self, text: &str) {
        for line in text.lines() {
            let numbered = line.split_once(". ");
            let numbered = numbered.filter(|(label, _)| label.parse::<u8>().is_ok());
            let (label, rest) = match numbered {
                Some((number, rest)) => (format!("{number}. "), rest),
                None => (String::new(), line),
            };
            let columns = columns(io::stderr());
            eprintln!("{}", wrap_item(&label, &escape_str(rest), columns));
        }
    }

    /// Tells what is wrong with an answer, before the question comes again.
    pub(super) fn object(&self, wrong: &str) {
        let wrong = wrap_item("  ", &escape_str(wrong), columns(io::stderr()));
        eprintln!("{wrong}");
    }

    /// Tells what a line above is for.
    pub(super) fn below(&self, text: &str) {
        let text = wrap_item("      ", &escape_str(text), columns(io::stderr()));
        eprintln!("{text}");
    }

    /// A line, or `usual` for an empty one; asked again while `check` finds something wrong with it.
    pub(super) fn text<T>(
        &self,
        question: &str,
        usual: Option<&str>,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        loop {
            let answer = self.line(question, usual)?;
            match check(&answer) {
                Ok(value) => return Ok(value),
                Err(wrong) if self.yes => {
                    return Err(usage(&format!("{question}: {wrong}")));
                }
                Err(wrong) => self.object(&wrong),
            }
        }
    }

    /// The place of one of these, from 0.
    pub(super) fn choose(
        &self,
        question: &str,
        options: &[&str],
        usual: usize,
    ) -> Result<usize, Failure> {
        if self.yes {
            return Ok(usual);
        }
        eprintln!();
        self.say(question);
        for (index, option) in options.iter().enumerate() {
            let label = format!("  {}  ", index + 1);
            let columns = columns(io::stderr());
            eprintln!("{}", wrap_item(&label, &escape_str(option), columns));
        }
        let most = options.len();
        self.text("Choice", Some(&(usual + 1).to_string()), |answer| {
            let number = answer.parse::<usize>().ok();
            let place = number.and_then(|number| number.checked_sub(1));
            place
                .filter(|place| *place < most)
                .ok_or_else(|| format!("a number from 1 to {most}, please"))
        })
    }

    /// Yes or no.
    pub(super) fn agree(&self, question: &str, usual: bool) -> Result<bool, Failure> {
        let question = format!("{question} ({})", if usual { "Y/n" } else { "y/N" });
        let usual = if usual { "y" } else { "n" };
        loop {
            let answer = if self.yes {
                usual.to_owned()
            } else {
                self.read(&question)?
            };
            match answer.to_lowercase().as_str() {
                "" => return Ok(usual == "y"),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => self.object("y or n, please"),
            }
        }
    }

    fn line(&self, question: &str, usual: Option<&str>) -> Result<String, Failure> {
        if self.yes {
            let usual = usual.map(str::to_owned);
            return usual.ok_or_else(|| usage(&format!("{question}: there is no usual answer")));
        }
        let asked = match usual {
            Some(usual) => format!("{question} [{usual}]"),
            None => question.to_owned(),
        };
        let answer = self.read(&asked)?;
        Ok(match (answer.is_empty(), usual) {
            (true, Some(usual)) => usual.to_owned(),
            _ => answer,
        })
    }

    fn read(&self, question: &str) -> Result<String, Failure> {
        let question = wrap("", &escape_str(question), columns(io::stderr()));
        let mut stderr = io::stderr().lock();
        // At once: people type as soon as they have read it. Who cannot be shown a question cannot answer
        // it either, and the end of the input says so.
        let shown = stderr.write_all(format!("{question}: ").as_bytes());
        let _ = shown.and_then(|()| stderr.flush());
        let mut line = Vec::new();
        let mut octet = [0];
        // Not an octet more than the line: the password may come next.
        loop {
            match io::stdin().lock().read(&mut octet) {
                Ok(0) => {
                    let _ = writeln!(stderr);
                    return Err(Failure::new(
                        Status::Usage,
                        "there was no answer; nothing has been written",
                        "with --yes nothing is asked but what has no usual answer",
                    ));
                }
                Ok(_) if octet == *b"\n" => break,
                Ok(_) if line.len() < LONGEST => line.extend(octet),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let text = format!("cannot read the answer: {error}");
                    return Err(Failure::new(Status::Io, text, "nothing has been written"));
                }
            }
        }
        Ok(String::from_utf8_lossy(&line).trim().to_owned())
    }
}

fn usage(text: &str) -> Failure {
    Failure::new(
        Status::Usage,
        text,
        "leave out --yes to be asked, or see popfetch setup --help for the argument or option that says it",
    )
}
