//! Something wrong at a place of the config file, and the line of it that can be shown.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::file::Account;
use super::misread;
use super::proxy::holds_password;
use super::syntax::Mistake;
use super::words::{expected_words, meant_by, nearest, way_to_say};
use crate::term::{visible, visible_same_width};

/// Stands for a value that may hold a secret.
const HIDDEN: &str = "***";

/// Something wrong at a place of the file.
#[derive(Clone, Debug)]
pub struct Problem {
    pub(crate) source: Arc<Source>,
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// The place is a key that is not known, which may be a misspelt `password`: its value must
    /// not be shown.
    pub(crate) unknown_key: bool,
    /// What it is in, where the message does not say so.
    pub(crate) within: Within,
    /// It is there because none of these keys is.
    pub(crate) lacks: &'static [&'static str],
}

/// The part of the file that something is wrong in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Within {
    /// The file as a whole, or a part that need not be named.
    File,
    /// `[defaults]`: it concerns every account that does not say otherwise.
    Defaults,
    /// The account of this name.
    Account(String),
}

/// The file's name and text, kept for showing what is wrong in it.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: Zeroizing<String>,
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
            self.title()
        )
    }
}

/// One line of the file, made safe to show, and the part of it to point at.
pub(crate) struct Excerpt {
    pub(crate) line: String,
    pub(crate) span: Range<usize>,
}

impl Problem {
    /// A place that is no TOML.
    pub(super) fn of_syntax(source: Arc<Source>, mistake: &Mistake) -> Self {
        let message = misread::in_plain_words(&source.text, mistake);
        let message = message.as_deref().unwrap_or(&mistake.message);
        let span = mistake.span.clone();
        Self::at(source, Within::File, span, message)
    }

    /// From what toml says about a table that is none of ours.
    pub(crate) fn from_toml(source: Arc<Source>, within: Within, error: &toml::de::Error) -> Self {
        let span = error.span().unwrap_or(0..0);
        Self::at(source, within, span, error.message())
    }

    fn at(source: Arc<Source>, within: Within, span: Range<usize>, message: &str) -> Self {
        let expected = expected_words(message);
        let unknown_key = message.starts_with("unknown field");
        let found = message.split('`').nth(1).unwrap_or_default();
        let stray = (unknown_key && expected.iter().any(|it| it == "accounts"))
            .then(|| stray_table(&source.text, &span))
            .flatten()
            .filter(|_| !is_meant(found, &expected));
        let help = stray
            .map(|name| match name {
                "rules" => {
                    "rules are an account's, which is named: [[accounts.NAME.rules]]".to_owned()
                }
                _ => format!("an account's table is named in full: [accounts.{name}]"),
            })
            .or_else(|| meant(found, &expected, unknown_key))
            .or_else(|| of_an_account(found, &expected))
            .or_else(|| nearest(found, &expected).map(|near| format!("did you mean `{near}`?")))
            .or_else(|| {
                let known = if unknown_key {
                    "known keys"
                } else {
                    "it can be"
                };
                (!expected.is_empty()).then(|| format!("{known}: {}", expected.join(", ")))
            })
            .or_else(|| of_syntax(message, source.text.get(span.start..).unwrap_or_default()));
        let line = line_at(&source.text, span.start).unwrap_or_default();
        let single = rules_in_single_brackets(message, line);
        let help = help.or_else(|| Some(format!("write [{}]", single?)));
        let unsafe_tls = misread::unsafe_tls(found, &expected);
        let help = help.filter(|_| unsafe_tls.is_none());
        let in_secret = is_in_secret_table(source.text.get(..span.start).unwrap_or_default())
            || holds_secret(line);
        let message = if let Some(name) = stray {
            format!("there is no table [{name}]")
        } else if unknown_key {
            format!("there is no key `{found}`")
        } else if message.starts_with("unknown variant") && in_secret {
            "this is not known here".to_owned()
        } else if message.starts_with("unknown variant") {
            unsafe_tls.unwrap_or_else(|| format!("`{found}` is not known here"))
        } else if single.is_some() {
            "each rule stands below a line of its own in double brackets".to_owned()
        } else {
            misread::plain_words(message)
        };
        Self {
            source,
            span,
            message,
            help,
            unknown_key,
            within,
            lacks: &[],
        }
    }

    /// What is wrong, and in which account.
    pub(crate) fn title(&self) -> String {
        match &self.within {
            Within::Account(account) => visible(&format!("account `{account}`: {}", self.message)),
            Within::Defaults => visible(&format!("[defaults]: {}", self.message)),
            Within::File => visible(&self.message),
        }
    }

    /// Whether it is the same thing, whatever account it was met in.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.span, &self.message) == (&other.span, &other.message)
    }

    /// Line number, from 1.
    pub(crate) fn line(&self) -> usize {
        self.before().matches('\n').count() + 1
    }

    /// Column in characters, from 1.
    pub(crate) fn column(&self) -> usize {
        let before = self.before();
        before.rsplit('\n').next().unwrap_or(before).chars().count() + 1
    }

    fn before(&self) -> &str {
        let text = &self.source.text;
        text.get(..self.span.start).unwrap_or(text)
    }

    /// The line to show, or none if it may hold a password.
    pub(crate) fn excerpt(&self) -> Option<Excerpt> {
        let text = &self.source.text;
        let from = self.before().rfind('\n').map_or(0, |at| at + 1);
        let line = line_at(text, self.span.start)?;
        let start = self.span.start.checked_sub(from)?.min(line.len());
        let end = self.span.end.saturating_sub(from).clamp(start, line.len());
        // Of a line with an unknown key nothing behind the key is shown.
        let looked_at = if self.unknown_key {
            line.get(..start)?
        } else {
            line
        };
        if holds_secret(looked_at) || holds_password(line) || text.lines().any(begins_long_secret) {
            return None;
        }
        let before = visible_same_width(line.get(..start)?);
        let in_secret = is_in_secret_table(self.before());
        if in_secret && !self.unknown_key {
            // The key is shown, of the value only its place.
            return is_key_of_value(line.get(..start)?, text).then(|| Excerpt {
                span: before.len()..before.len() + HIDDEN.len(),
                line: before + HIDDEN,
            });
        }
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

/// The word that was meant, or how that is said here.
fn meant(found: &str, expected: &[String], is_key: bool) -> Option<String> {
    let ours = meant_by(found, expected)?;
    Some(match way_to_say(found).filter(|_| is_key) {
        Some(way) => way.to_owned(),
        None => format!("did you mean `{ours}`?"),
    })
}

/// The name of a table `[name]` at the top of the file, as it is written.
fn stray_table<'a>(text: &'a str, place: &Range<usize>) -> Option<&'a str> {
    let (before, after) = (text.get(..place.start)?, text.get(place.end..)?);
    let is_heading = before.trim_end().ends_with('[') && after.trim_start().starts_with(']');
    text.get(place.clone()).filter(|_| is_heading)
}

/// Whether a table that is not known may be one of ours, misspelt.
fn is_meant(found: &str, expected: &[String]) -> bool {
    meant_by(found, expected).is_some() || nearest(found, expected) == Some("defaults")
}

/// The line that this place is in.
fn line_at(text: &str, place: usize) -> Option<&str> {
    let from = text.get(..place)?.rfind('\n').map_or(0, |at| at + 1);
    text.get(from..)?.lines().next()
}

/// Whether this begins a line as `key = `: one bare key that is to have a value. In a text with
/// strings of many lines that cannot be told from a line of theirs.
fn is_key_of_value(before: &str, text: &str) -> bool {
    let key = before.trim().strip_suffix('=').map(str::trim);
    let has_long_strings = ["\"\"\"", "'''"].iter().any(|quotes| text.contains(quotes));
    !has_long_strings && key.is_some_and(|key| words(key).eq([key]))
}

/// Whether the text ends in a table that is nobody's to see, as in `[accounts.work.oauth]`.
fn is_in_secret_table(before: &str) -> bool {
    let is_heading = |line: &&str| line.starts_with('[');
    let heading = before.lines().map(str::trim_start).rfind(is_heading);
    heading.is_some_and(|heading| words(heading).any(|word| is_secret_whole(&word.to_lowercase())))
}

/// Whether the line gives a value to a password that may go on in the lines below.
fn begins_long_secret(line: &str) -> bool {
    let goes_on = |value: &str| {
        let value = value.trim();
        value.is_empty()
            || [("[", "]"), ("{", "}"), ("\"\"\"", "\"\"\""), ("'''", "'''")]
                .iter()
                .any(|(from, to)| {
                    let rest = value.strip_prefix(from);
                    rest.is_some_and(|rest| !rest.contains(to))
                })
    };
    let values = line.match_indices('=');
    let mut values = values.filter_map(|(at, _)| line.get(at + 1..));
    holds_secret(line) && values.any(goes_on)
}

/// Keys whose whole value is kept to ourselves, as a login or a token may stand anywhere in it.
fn is_secret_whole(word: &str) -> bool {
    word == "oauth" || word == "proxy"
}

/// The words that are keys, or may be: TOML's bare keys.
fn words(line: &str) -> impl DoubleEndedIterator<Item = &str> {
    let not_in_key = |c: char| !c.is_alphanumeric() && c != '-' && c != '_';
    line.split(not_in_key).filter(|word| !word.is_empty())
}

/// Whether the line gives a value to `password`, to what looks like a misspelling of it, or to
/// another key that a secret may stand behind.
fn holds_secret(line: &str) -> bool {
    const HARMLESS: [&str; 5] = [
        "password-command",
        "password-credential",
        "password-file",
        "password-keyring",
        "password-netrc",
    ];
    // `=` is TOML's, `:` what people write out of habit.
    let parts: Vec<&str> = line.split(['=', ':']).collect();
    let before_values = parts.split_last().map_or([].as_slice(), |(_, keys)| keys);
    let keys = before_values
        .iter()
        .filter_map(|part| words(part).next_back());
    let is_secret = keys.chain(words(line).next()).any(|key| {
        let key = key.to_lowercase();
        let secret = ["pass", "pwd", "secret"].iter().any(|s| key.contains(s))
            || is_secret_whole(&key)
            || strsim::jaro_winkler(&key, "password") > 0.85;
        secret && !HARMLESS.contains(&key.as_str())
    });
    // Of a dotted key, as `oauth.client-id`, each part counts.
    let dotted = before_values
        .iter()
        .flat_map(|part| words(part))
        .any(|word| is_secret_whole(&word.to_lowercase()));
    is_secret || dotted
}

/// A key of an account that stands outside of any.
fn of_an_account(found: &str, expected: &[String]) -> Option<String> {
    let outside = expected.iter().any(|it| it == "accounts");
    let keys = Account::keys();
    let ours = meant_by(found, &keys).or_else(|| nearest(found, &keys));
    let ours = ours.filter(|_| outside && nearest(found, expected).is_none())?;
    Some(format!("put `{ours}` below a line [accounts.NAME]"))
}

/// What to do about a name that TOML does not take as it is, or a line that has no value.
fn of_syntax(message: &str, there: &str) -> Option<String> {
    if message.starts_with(misread::STRAY_BACKSLASH) {
        let way =
            "write it twice, as in \"\\\\Sent\", or the text in single quotes, as in '\\Sent'";
        return Some(way.to_owned());
    }
    let is_of_key = message.contains("unquoted key");
    if message.starts_with("key with no value") || is_of_key && there.starts_with(':') {
        let way = "`=` stands between a key and its value, as in host = \"pop.example.com\"";
        return Some(way.to_owned());
    }
    is_of_key.then(|| {
        "a name of other letters than a-z, 0-9, - and _ stands in quotes: \
         [accounts.\"ada@example.com\"]"
            .to_owned()
    })
}

/// The line above a rule where it makes a table of what is a list of tables.
fn rules_in_single_brackets<'a>(message: &str, line: &'a str) -> Option<&'a str> {
    let is_a_table = message.starts_with("invalid type: map, expected a sequence");
    let (head, _) = line.trim().split_once(']')?;
    let header = line.trim().get(..=head.len())?;
    let is_one = head.starts_with('[') && head.trim_end().ends_with("rules");
    (is_a_table && is_one).then_some(header)
}
