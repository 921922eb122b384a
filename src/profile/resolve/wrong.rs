//! All that is wrong in an account, so that it is told in one run.

use crate::profile::ConfigError;
use crate::profile::problem::Problem;

/// What has been found wrong so far.
#[derive(Default)]
pub(super) struct Wrong {
    problems: Vec<Problem>,
    /// Something that is at no place of the file.
    elsewhere: Option<ConfigError>,
}

impl Wrong {
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
    fn add(&mut self, problem: Problem) {
        let is_known = |it: &Problem| (&it.span, &it.message) == (&problem.span, &problem.message);
        if !self.problems.iter().any(is_known) {
            self.problems.push(problem);
        }
    }

    /// All of it, in the order of the file; none where nothing is wrong.
    pub(super) fn into_error(mut self) -> Option<ConfigError> {
        self.problems.sort_by_key(|problem| problem.span.start);
        match (self.problems.len(), self.problems.pop()) {
            (1, Some(only)) => Some(ConfigError::Invalid(Box::new(only))),
            (_, Some(last)) => {
                self.problems.push(last);
                Some(ConfigError::Several(self.problems))
            }
            (_, None) => self.elsewhere,
        }
    }
}
