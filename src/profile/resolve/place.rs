//! Paths of the config file, and what stands for something in them.

use super::super::Server;
use super::super::dated::{self, Dated};
use super::super::diagnose::ConfigError;
use super::super::words::nearest;
use super::Resolver;
use crate::moment::Moment;
use crate::paths;
use std::ops::Range;
use std::path::{Path, PathBuf};

impl Resolver<'_> {
    /// A path of the file: placeholders, `~/`, and the home directory for a relative one.
    pub(in crate::profile) fn path(
        &self,
        span: Range<usize>,
        text: &str,
        server: &Server,
    ) -> Result<PathBuf, ConfigError> {
        self.check_words(&span, text, &["account", "user", "host"])?;
        let names = self.names_in_path(&span, text, server)?;
        self.absolute(span, Path::new(&expand(text, &names)))
    }

    /// The Maildir's path, which may be another one each year or month.
    pub(in crate::profile) fn maildir(
        &self,
        span: Range<usize>,
        text: &str,
        server: &Server,
    ) -> Result<(PathBuf, Option<Dated>), ConfigError> {
        let known = ["account", "user", "host", "year", "month"];
        self.check_words(&span, text, &known)?;
        let names = self.names_in_path(&span, text, server)?;
        let pattern = |year, month| {
            let values: Vec<_> = names.iter().copied().chain([year, month]).collect();
            self.absolute(span.clone(), Path::new(&expand(text, &values)))
        };
        let pattern = pattern(("{year}", dated::YEAR), ("{month}", dated::MONTH))?;
        if !text.contains("{year}") && !text.contains("{month}") {
            return Ok((pattern, None));
        }
        let month = Moment::month_on_the_wall(Moment::clock());
        if month.0 < dated::FIRST_YEAR {
            let wrong = format!(
                "this machine's clock says that the year is {}: no mail is stored by that",
                month.0
            );
            return Err(self.error_with(span, wrong, "set the clock".into()));
        }
        let dated = Dated::new(pattern);
        Ok((dated.of(month), Some(dated)))
    }

    /// What stands for the account's own words in a path.
    fn names_in_path<'a>(
        &'a self,
        span: &Range<usize>,
        text: &str,
        server: &'a Server,
    ) -> Result<[(&'static str, &'a str); 3], ConfigError> {
        // A name from elsewhere must stay one step of the path.
        let breaks_out = |value: &str| value.contains('/') || value == "." || value == "..";
        for (placeholder, value) in [("{user}", &server.user), ("{host}", &server.host)] {
            if text.contains(placeholder) && breaks_out(value) {
                let wrong = format!("`{placeholder}` is no good in a path here, being `{value}`");
                return Err(self.error(span.clone(), wrong));
            }
        }
        Ok(self.names(server))
    }

    fn names<'a>(&'a self, server: &'a Server) -> [(&'static str, &'a str); 3] {
        [
            ("{account}", self.name.get_ref().as_str()),
            ("{user}", server.user.as_str()),
            ("{host}", server.host.as_str()),
        ]
    }

    /// A path in which nothing stands for anything but `~/`.
    pub(in crate::profile) fn plain_path(
        &self,
        span: Range<usize>,
        path: &Path,
    ) -> Result<PathBuf, ConfigError> {
        self.check_words(&span, &path.to_string_lossy(), &[])?;
        self.absolute(span, path)
    }

    /// What looks like a variable and is none would be a directory of that very name.
    pub(in crate::profile) fn check_words(
        &self,
        span: &Range<usize>,
        text: &str,
        known: &[&str],
    ) -> Result<(), ConfigError> {
        if text.contains('$') {
            return Err(self.error_with(
                span.clone(),
                "`$` stands for nothing in a path here".into(),
                "for your home directory write `~/`; other variables are not looked up".into(),
            ));
        }
        let words = text
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'));
        let known: Vec<String> = known.iter().map(|&word| word.to_owned()).collect();
        let unknown = words
            .map(|(word, _)| word)
            .find(|word| is_word(word) && !known.iter().any(|it| it == word));
        let Some(word) = unknown else {
            return Ok(());
        };
        let help = match nearest(&word.to_lowercase(), &known) {
            Some(near) => format!("did you mean `{{{near}}}`?"),
            None => match known.split_last() {
                Some((last, rest)) => format!("there are {{{}}} and {{{last}}}", rest.join("}, {")),
                None => "write the path in full".into(),
            },
        };
        let wrong = format!("`{{{word}}}` stands for nothing in a path here");
        Err(self.error_with(span.clone(), wrong, help))
    }

    pub(in crate::profile) fn expand(&self, text: &str, server: &Server) -> String {
        expand(text, &self.names(server))
    }

    pub(in crate::profile) fn absolute(
        &self,
        span: Range<usize>,
        path: &Path,
    ) -> Result<PathBuf, ConfigError> {
        let beside = self.source.path.parent().unwrap_or(Path::new("/"));
        // Relative paths were taken from there once, and what is there stays there.
        let absolute = match path.is_relative() && beside.join(path).exists() {
            true => paths::absolute(path, beside),
            false => paths::in_home(path),
        };
        absolute.map_err(|error| self.error(span, error.to_string()))
    }
}

/// Whether somebody may have meant it to stand for something: a name as they are in a config file.
fn is_word(text: &str) -> bool {
    let of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.chars().all(of_a_name) && text.chars().any(char::is_alphabetic)
}

/// The text with values for the words in braces. One pass, so that a value which looks like such a word stays
/// as it is.
fn expand(text: &str, values: &[(&str, &str)]) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        let (value, after) = values
            .iter()
            .find_map(|(name, value)| Some((*value, from.strip_prefix(name)?)))
            .unwrap_or_else(|| from.split_at(1));
        expanded.push_str(before);
        expanded.push_str(value);
        rest = after;
    }
    expanded + rest
}
