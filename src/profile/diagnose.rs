//! What can be wrong with the configuration, and how a person is shown where.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use thiserror::Error;

use super::paths::NoHome;
use crate::exit::{Diagnose, Status};

/// What is wrong with the config file, or with an account named on the command line.
///
/// The text is one line, safe for a terminal; [`ConfigError::render`] shows the place as well.
/// No variant ever holds or shows a password.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file has accounts, but not this one.
    #[error("there is no account `{}`", visible(name))]
    UnknownAccount {
        /// As given on the command line.
        name: String,
        /// The accounts that there are, in file order.
        known: Vec<String>,
    },
    /// A URL or an option that cannot be used; has no place in a file.
    #[error("{}", visible(message))]
    CommandLine {
        /// What is wrong.
        message: String,
        /// What to do next.
        hint: String,
    },
    /// Others could read the password in it, or put in their own commands.
    #[error("{} holds a password, and {reason}", visible(&path.display().to_string()))]
    Exposed {
        /// The config file.
        path: PathBuf,
        /// Who else could get at it.
        reason: &'static str,
        /// The shell command, or the change, that mends it.
        hint: String,
    },
    /// Something at a certain place of the file.
    #[error("{0}")]
    Invalid(Box<Problem>),
    /// Neither a config file nor a URL.
    #[error("there is no account to work with: {} {}", visible(&path.display().to_string()),
        if *.exists { "names none" } else { "does not exist" })]
    NoAccounts {
        /// The config file looked for.
        path: PathBuf,
        /// Whether it is there.
        exists: bool,
    },
    /// Without a home directory no path is known.
    #[error(transparent)]
    NoHome(#[from] NoHome),
    /// The file cannot be read.
    #[error("cannot read {}", visible(&path.display().to_string()))]
    Read {
        /// The config file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The maildrop is another account's already.
    #[error("account `{}` is the same maildrop as `{}`", visible(name), visible(first))]
    SameMaildrop {
        /// The account that is refused.
        name: String,
        /// The one that has it.
        first: String,
    },
}

impl ConfigError {
    /// The error for a terminal: title, place with caret where there is one, and the hint.
    ///
    /// Several lines, without a newline at the end; `colour` adds ANSI colours. The source line
    /// is left out where it may hold a password.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        }
        .decor_style(DecorStyle::Ascii);
        let title = match self {
            Self::Invalid(problem) => visible(&problem.message),
            Self::Read { source, .. } => format!("{self}: {source}"),
            other => other.to_string(),
        };
        let mut group = Group::with_title(Level::ERROR.primary_title(title));
        if let Self::Invalid(problem) = self {
            let path = visible(&problem.source.path.display().to_string());
            group = match problem.excerpt() {
                Some(excerpt) => group.element(
                    Snippet::source(excerpt.line)
                        .line_start(problem.line())
                        .path(path)
                        .annotation(AnnotationKind::Primary.span(excerpt.span)),
                ),
                None => group.element(
                    Origin::path(path)
                        .line(problem.line())
                        .char_column(problem.column()),
                ),
            };
        }
        let report = match self.hint() {
            Some(hint) => vec![group.element(Level::HELP.message(hint))],
            None => vec![group],
        };
        renderer.render(&report)
    }
}

impl Diagnose for ConfigError {
    fn status(&self) -> Status {
        match self {
            Self::CommandLine { .. } => Status::Usage,
            _ => Status::Config,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownAccount { name, known } => {
                let list = known.iter().map(|n| visible(n)).collect::<Vec<_>>();
                Some(match nearest(name, known) {
                    Some(near) => format!("did you mean `{}`?", visible(near)),
                    None if list.is_empty() => "the config file has no accounts".into(),
                    None => format!("the config file has: {}", list.join(", ")),
                })
            }
            Self::CommandLine { hint, .. } | Self::Exposed { hint, .. } => Some(visible(hint)),
            Self::Invalid(problem) => problem.help.as_deref().map(visible),
            Self::NoAccounts { path, .. } => Some(first_steps(path)),
            Self::NoHome(no_home) => no_home.hint(),
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("check the path given with --config".into())
            }
            Self::Read { .. } => None,
            Self::SameMaildrop { first, .. } => Some(format!(
                "fetch it as `{}` alone, or set `disabled = true` in one of the two",
                visible(first)
            )),
        }
    }
}

/// What a person needs who has no config file yet.
fn first_steps(path: &Path) -> String {
    format!(
        "put this into {}, and popfetch will ask for the password:\n\n\
         [accounts.home]\n\
         host = \"pop.example.com\"\n\
         user = \"ada@example.com\"\n\n\
         or fetch without a config file:\n\n\
         popfetch fetch pops://ada@pop.example.com --maildir ~/Mail/ada",
        visible(&path.display().to_string())
    )
}

/// Something wrong at a place of the file.
#[derive(Debug)]
pub struct Problem {
    pub(crate) source: Arc<Source>,
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// The place is a key that is not known, which may be a misspelt `password`: its value must
    /// not be shown.
    pub(crate) unknown_key: bool,
}

/// The file's name and text, kept for showing what is wrong in it.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// The text may hold passwords, so it is not shown.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.path).finish()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            visible(&self.source.path.display().to_string()),
            self.line(),
            self.column(),
            visible(&self.message)
        )
    }
}

/// One line of the file, made safe to show, and the part of it to point at.
struct Excerpt {
    line: String,
    span: Range<usize>,
}

impl Problem {
    /// From what toml says about a file that does not parse.
    pub(crate) fn from_toml(source: Arc<Source>, error: &toml::de::Error) -> Self {
        let span = error.span().unwrap_or(0..0);
        let message = error.message();
        let expected = expected_words(message);
        let unknown_key = message.starts_with("unknown field");
        let found = message.split('`').nth(1).unwrap_or_default();
        let help = nearest(found, &expected).map(|near| format!("did you mean `{near}`?"));
        let help = help.or_else(|| {
            (!expected.is_empty()).then(|| format!("known are: {}", expected.join(", ")))
        });
        let message = if unknown_key {
            format!("there is no key `{found}`")
        } else if message.starts_with("unknown variant") {
            format!("`{found}` is not known here")
        } else {
            plain_words(message)
        };
        Self {
            source,
            span,
            message,
            help,
            unknown_key,
        }
    }

    /// Line number, from 1.
    fn line(&self) -> usize {
        self.before().matches('\n').count() + 1
    }

    /// Column in characters, from 1.
    fn column(&self) -> usize {
        let before = self.before();
        before.rsplit('\n').next().unwrap_or(before).chars().count() + 1
    }

    fn before(&self) -> &str {
        let text = &self.source.text;
        text.get(..self.span.start).unwrap_or(text)
    }

    /// The line to show, or none if it may hold a password.
    fn excerpt(&self) -> Option<Excerpt> {
        let text = &self.source.text;
        let from = self.before().rfind('\n').map_or(0, |at| at + 1);
        let line = text.get(from..)?.lines().next()?;
        if holds_secret(line) || (has_block(text) && text.lines().any(holds_secret)) {
            return None;
        }
        let start = self.span.start.checked_sub(from)?.min(line.len());
        let end = self.span.end.saturating_sub(from).clamp(start, line.len());
        let before = visible_same_width(line.get(..start)?);
        let marked = visible_same_width(line.get(start..end)?);
        let after = match line.get(end..)? {
            rest if !self.unknown_key => visible_same_width(rest),
            rest if rest.contains('=') => " = ...".to_owned(),
            rest => visible_same_width(rest),
        };
        let span = before.len()..before.len() + marked.len();
        Some(Excerpt {
            line: before + &marked + &after,
            span,
        })
    }
}

/// Whether the text has a string of several lines, of which any line may be part of a password.
fn has_block(text: &str) -> bool {
    text.contains("\"\"\"") || text.contains("'''")
}

/// Whether the line gives a value to `password` or to what looks like a misspelling of it.
fn holds_secret(line: &str) -> bool {
    const HARMLESS: [&str; 3] = ["password-command", "password-file", "password-keyring"];
    let not_in_key = |c: char| !c.is_alphanumeric() && c != '-' && c != '_';
    let first = line.split(not_in_key).find(|word| !word.is_empty());
    // `=` is TOML's, `:` what people write out of habit.
    let mut parts: Vec<&str> = line.split(['=', ':']).collect();
    parts.pop();
    let keys = parts
        .iter()
        .filter_map(|part| part.rsplit(not_in_key).find(|word| !word.is_empty()));
    keys.chain(first).any(|key| {
        let key = key.to_lowercase();
        let secret = ["pass", "pwd", "secret"].iter().any(|s| key.contains(s))
            || strsim::jaro_winkler(&key, "password") > 0.85;
        secret && !HARMLESS.contains(&key.as_str())
    })
}

/// The words in backticks after "expected": what serde would have taken instead.
pub(crate) fn expected_words(message: &str) -> Vec<String> {
    let Some((_, expected)) = message.split_once(", expected ") else {
        return Vec::new();
    };
    if !message.starts_with("unknown ") {
        return Vec::new();
    }
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The known word that a misspelt one most likely stands for.
fn nearest<'a>(word: &str, known: &'a [String]) -> Option<&'a str> {
    /// Below this, words are not alike; found by trying misspellings of the keys.
    const ALIKE: f64 = 0.8;
    known
        .iter()
        .map(|name| (strsim::jaro_winkler(word, name), name))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name.as_str())
}

/// serde's words for Rust types, in words for people.
fn plain_words(message: &str) -> String {
    message
        .replace("expected u16", "expected a number from 1 to 65535")
        .replace("expected u64", "expected a whole number, not negative")
        .replace("expected a boolean", "expected true or false, without quotes")
        .replace("expected a string", "expected a text in quotes")
        .replace("expected path string", "expected a path in quotes")
        .replace("expected a sequence", "expected a list, as in [\"one\", \"two\"]")
}

/// Escapes what could move the cursor, reorder or hide text on a terminal. Newlines stay.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && is_hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Like [`visible`], but one character for one, so that a caret below still fits.
fn visible_same_width(text: &str) -> String {
    let same = |c| match c {
        '\t' => ' ',
        c if is_hidden(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(same).collect()
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
#[path = "diagnose_tests.rs"]
mod tests;
