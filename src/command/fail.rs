//! What ends a command: a status, a text, and what to do next.

use crate::exit::{Diagnose, Status, in_words};
use crate::fetch;
use crate::profile::ConfigError;
use crate::report::{self, Event, Outcome, Report};
use crate::term::{Paint, columns, escape_up_to, without_numbers, wrap};
use std::io::{self, Write};

/// Server texts within an error are longer than names, but not endless.
const TEXT_LIMIT: usize = 1000;

/// What ends a command.
#[derive(Debug)]
pub struct Failure {
    /// The exit status.
    pub status: Status,
    error: anyhow::Error,
    hint: Option<String>,
    /// A report with the place in the file, in place of all the above.
    place: Option<Box<ConfigError>>,
}

impl Failure {
    /// For what has no error type of its own.
    pub(super) fn new(status: Status, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            status,
            error: anyhow::Error::msg(text.into()),
            hint: Some(hint.into()),
            place: None,
        }
    }

    /// For any error.
    pub(super) fn of(error: Box<dyn Diagnose>) -> Self {
        Self {
            status: error.status(),
            hint: error.hint(),
            error: anyhow::Error::from_boxed(error),
            place: None,
        }
    }

    /// The same with more words behind a command that the hint names, wherever it does.
    pub(super) fn with_in_hint(mut self, command: &str, more: &str) -> Self {
        let hint = self.hint.take();
        self.hint = hint.map(|hint| hint.replace(command, &format!("{command}{more}")));
        self
    }

    /// The same with another hint.
    pub(super) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// Whether there is no account to work with.
    pub(super) fn is_of_no_accounts(&self) -> bool {
        matches!(self.place.as_deref(), Some(ConfigError::NoAccounts { .. }))
    }

    /// Another hint, where there is no account to work with.
    pub(super) fn or_without_accounts(self, hint: &str) -> Self {
        match self.is_of_no_accounts() {
            true => Self::new(self.status, self.text(), hint),
            false => self,
        }
    }

    /// Says what was being done.
    pub(super) fn context(mut self, text: impl Into<String>) -> Self {
        self.error = self.error.context(text.into());
        self
    }

    /// What happened, in a line that is safe for a terminal.
    pub(super) fn text(&self) -> String {
        match &self.place {
            Some(place) => place.reason(),
            None => escape_up_to(&self.in_words(), TEXT_LIMIT),
        }
    }

    fn in_words(&self) -> String {
        without_numbers(&in_words(self.error.as_ref()))
    }

    /// The lines to be printed, each with its LF.
    pub(super) fn render(&self, paint: Paint) -> String {
        if let Some(error) = &self.place {
            return format!("{}\n", error.render(paint));
        }
        let columns = columns(io::stderr());
        let shown = |label: String, text: &str| {
            let lines: Vec<_> = text
                .split('\n')
                .map(|it| escape_up_to(it, TEXT_LIMIT))
                .collect();
            wrap(&format!("{label} "), &lines.join("\n"), columns) + "\n"
        };
        let mut lines = shown(paint.error("error:"), &self.in_words());
        if let Some(hint) = self.hint.as_ref().filter(|hint| !hint.is_empty()) {
            lines.push_str(&shown(paint.hint("hint:"), hint));
        }
        lines
    }
}

impl<E: Diagnose> From<E> for Failure {
    fn from(error: E) -> Self {
        let (status, hint) = (error.status(), error.hint());
        let error = anyhow::Error::new(error);
        match error.downcast::<ConfigError>() {
            Ok(error) => Self {
                status,
                hint,
                error: anyhow::Error::msg(error.to_string()),
                place: Some(Box::new(error)),
            },
            Err(error) => Self {
                status,
                error,
                hint,
                place: None,
            },
        }
    }
}

/// Tells the report that an account failed.
pub(super) fn report_failure(
    report: &dyn Report,
    name: &str,
    error: &dyn Diagnose,
) -> report::Failure {
    let outcome = Outcome {
        failure: Some(fetch::failure(error)),
        ..Outcome::default()
    };
    report.report(name, Event::Finished(&outcome));
    fetch::failure(error)
}

/// Writes data to stdout. That the reader has gone is no error: it has had enough.
pub(super) fn print(data: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(data.as_ref())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Status::Io,
            format!("cannot write to standard output: {error}"),
            "the mail is not affected",
        )),
        _ => Ok(()),
    }
}
