//! All that is wrong in an account, so that it is told in one run.

use crate::profile::ConfigError;
use crate::profile::problem::{Problem, Within};
use crate::profile::salvage::{Fault, Unread};

/// What has been found wrong so far.
#[derive(Default)]
pub(super) struct Wrong {
    /// What is lacking only because it could not be read, which is told already.
    unread: Vec<Unread>,
    problems: Vec<Problem>,
    /// Something that is at no place of the file.
    elsewhere: Option<ConfigError>,
}

impl Wrong {
    /// Where these are told.
    pub(super) fn beside<'a>(faults: impl Iterator<Item = &'a Fault>) -> Self {
        Self {
            unread: faults.filter_map(|fault| fault.unread.clone()).collect(),
            ..Self::default()
        }
    }

    /// The value; what is wrong instead is noted.
    pub(super) fn note<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        match result {
            Ok(value) => return Some(value),
            Err(ConfigError::Invalid(problem)) => self.add(*problem),
            Err(ConfigError::Several(problems)) => problems.into_iter().for_each(|it| self.add(it)),
            Err(other) => _ = self.elsewhere.get_or_insert(other),
        }
        None
    }

    /// A word that several keys go by is wrong once.
    pub(super) fn add(&mut self, problem: Problem) {
        let is_lacking = |it: &Unread| {
            let path = it.path.join(".");
            problem.lacks.iter().any(|key| *key == path)
                && it.table.as_ref().is_none_or(|table| *table == problem.span)
        };
        let is_known = |it: &Problem| it.is_same(&problem);
        if !self.unread.iter().any(is_lacking) && !self.problems.iter().any(is_known) {
            self.problems.push(problem);
        }
    }

    /// What the defaults say that is wrong in itself is no single account's fault.
    pub(super) fn lay_to(&mut self, defaults: &[Problem]) {
        for problem in &mut self.problems {
            if defaults.iter().any(|it| it.is_same(problem)) {
                problem.within = Within::Defaults;
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// What has been found at places of the file.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// All of it, in the order of the file; none where nothing is wrong.
    pub(super) fn into_error(self) -> Option<ConfigError> {
        ConfigError::of(self.problems).or(self.elsewhere)
    }
}
