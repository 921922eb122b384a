//! A program that decides where no rule does, in mpop's manner: it reads a header, and its exit status
//! says what is done. Here is what it says; `fetch` runs it.

use super::rule::{Action, Conditions, Rule};

/// The program, and what comes of what it says.
#[derive(Clone, Debug)]
pub struct FilterCommand {
    argv: Vec<String>,
    skip: Rule,
    delete: Rule,
}

/// What the program has said of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Exit status 0: what is done without it.
    Fetch,
    /// Exit status 1: it is deleted unread.
    Delete,
    /// Exit status 2: it is left on the server.
    Skip,
}

impl FilterCommand {
    /// A program and its arguments.
    pub fn new(argv: Vec<String>) -> Self {
        let name = argv.first().map_or("", String::as_str);
        let rule = |action| Rule {
            conditions: Conditions::default(),
            action,
            text: format!("filter command `{name}`"),
        };
        Self {
            skip: rule(Action::Skip),
            delete: rule(Action::Delete),
            argv,
        }
    }

    /// The program and its arguments.
    pub fn argv(&self) -> &[String] {
        &self.argv
    }

    /// The program, as it is named.
    pub fn program(&self) -> &str {
        self.argv.first().map_or("", String::as_str)
    }

    pub(super) fn sparing(&self) -> Self {
        Self {
            delete: self.skip.clone(),
            ..self.clone()
        }
    }

    /// What comes of a verdict; none where it is what is done without it.
    pub(super) fn rule(&self, verdict: Verdict) -> Option<&Rule> {
        match verdict {
            Verdict::Fetch => None,
            Verdict::Delete => Some(&self.delete),
            Verdict::Skip => Some(&self.skip),
        }
    }
}

impl Verdict {
    /// What an exit status says; none where it says nothing.
    pub fn of_status(status: Option<i32>) -> Option<Self> {
        match status {
            Some(0) => Some(Self::Fetch),
            Some(1) => Some(Self::Delete),
            Some(2) => Some(Self::Skip),
            _ => None,
        }
    }

    /// Its word in the journal.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Delete => "delete",
            Self::Skip => "skip",
        }
    }

    /// What [`Verdict::word`] gives.
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [Self::Fetch, Self::Delete, Self::Skip];
        all.into_iter().find(|it| it.word() == word)
    }
}
