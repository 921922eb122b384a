//! What a text must be like: three ways to write it, one engine that takes time in proportion to the
//! text, whatever the pattern and the text are made of.

use super::alike::{alike, same};
use regex::{Regex, RegexBuilder};
use std::fmt;

/// A longer pattern, in octets, is none that a person has written.
const LONGEST: usize = 1000;

/// KiB of a compiled pattern. Each octet of a header may cost a step for each of its parts, and
/// whoever sends mail decides about the header.
const COMPILED: usize = 256;

/// The same for what matching remembers to be fast.
const CACHE: usize = 1024 * 1024;

/// Brackets in brackets.
const DEPTH: u32 = 30;

/// A pattern that was compiled. Upper and lower case are the same in it.
#[derive(Clone, Debug)]
pub struct Pattern {
    kind: Kind,
    text: String,
    /// For texts as they are by [`same`].
    regex: Regex,
    /// For texts as they are by [`alike`]; `None` where it is the same.
    loose: Option<Regex>,
}

/// Writes a literal part of a pattern as texts are written that it is compared with.
type Form = fn(&str) -> String;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Contains,
    Glob,
    Regex,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unusable {
    /// Nothing is in every text.
    #[error("an empty pattern says nothing; leave the condition out")]
    Empty,
    /// It is too long.
    #[error("this pattern is longer than {LONGEST} bytes; use several rules")]
    TooLong,
    /// What it stands for is too large.
    #[error(
        "this pattern stands for too much: it would take more than {COMPILED} KiB; use several rules, or \
         repeat less in it"
    )]
    TooLarge,
    /// It is no regular expression.
    #[error("this is no regular expression: {0}")]
    Syntax(String),
}

impl Pattern {
    /// The text somewhere in what is looked at.
    ///
    /// # Errors
    /// See [`Unusable`].
    pub fn contains(text: &str) -> Result<Self, Unusable> {
        let literal = |form: Form| regex::escape(&form(text));
        Self::compile(Kind::Contains, text, literal)
    }

    /// All of what is looked at: `*` stands for any characters, `?` for one.
    ///
    /// # Errors
    /// See [`Unusable`].
    pub fn glob(text: &str) -> Result<Self, Unusable> {
        let whole = |form: Form| {
            let mut regex = String::from(r"\A");
            for part in text.split_inclusive(['*', '?']) {
                let (literal, wildcard) = match part.strip_suffix('*') {
                    Some(literal) => (literal, ".*"),
                    None => part.strip_suffix('?').map_or((part, ""), |it| (it, ".")),
                };
                regex.push_str(&regex::escape(&form(literal)));
                regex.push_str(wildcard);
            }
            regex.push_str(r"\z");
            regex
        };
        Self::compile(Kind::Glob, text, whole)
    }

    /// A regular expression that matches somewhere in what is looked at.
    ///
    /// # Errors
    /// See [`Unusable`].
    pub fn regex(text: &str) -> Result<Self, Unusable> {
        let text_in = |form: Form| in_form(&same(text), form);
        Self::compile(Kind::Regex, text, text_in)
    }

    /// `regex` makes the expression of the text in a form.
    fn compile(kind: Kind, text: &str, regex: impl Fn(Form) -> String) -> Result<Self, Unusable> {
        if text.is_empty() {
            return Err(Unusable::Empty);
        }
        if text.len() > LONGEST {
            return Err(Unusable::TooLong);
        }
        // A pattern of nothing that is seen would be in every text.
        let plain = regex(|text| same(text).into_owned());
        let loose = match alike(text).trim().is_empty() {
            true => None,
            false => Some(regex(alike)).filter(|loose| *loose != plain),
        };
        Ok(Self {
            kind,
            text: text.to_owned(),
            regex: Self::build(&plain)?,
            loose: loose.map(|loose| Self::build(&loose)).transpose()?,
        })
    }

    fn build(regex: &str) -> Result<Regex, Unusable> {
        let built = RegexBuilder::new(regex)
            .case_insensitive(true)
            .dot_matches_new_line(true)
            .size_limit(COMPILED * 1024)
            .dfa_size_limit(CACHE)
            .nest_limit(DEPTH)
            .build();
        built.map_err(|error| match error {
            regex::Error::Syntax(text) => {
                // The last line has the reason, behind a drawing of the place.
                let reason = text.lines().last().unwrap_or_default();
                Unusable::Syntax(reason.trim_start_matches("error: ").to_owned())
            }
            _ => Unusable::TooLarge,
        })
    }

    /// Whether a text is like that.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(&same(text))
    }

    /// Whether a person might take a text for one that is like that.
    pub(super) fn seems_to_match(&self, text: &str) -> bool {
        let regex = self.loose.as_ref().unwrap_or(&self.regex);
        regex.is_match(alike(text).trim())
    }

    fn word(&self) -> &'static str {
        match self.kind {
            Kind::Contains => "contains",
            Kind::Glob => "glob",
            Kind::Regex => "regex",
        }
    }
}

/// A regular expression in which each character beyond ASCII that stands for itself is written in a form, as the
/// texts are that it is compared with. What stands for several then, in a class, is left as it is.
fn in_form(regex: &str, form: Form) -> String {
    let mut written = String::with_capacity(regex.len());
    let mut brackets = 0_u32;
    let mut chars = regex.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                written.push(c);
                written.extend(chars.next());
                continue;
            }
            '[' => brackets += 1,
            ']' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        let literal = match c.is_ascii() {
            true => c.to_string(),
            false => form(c.encode_utf8(&mut [0; 4])),
        };
        let is_one = literal.chars().count() == 1;
        match brackets {
            _ if is_one && c.is_ascii() => written.push(c),
            _ if is_one => written.push_str(&regex::escape(&literal)),
            0 => written.push_str(&format!("(?:{})", regex::escape(&literal))),
            _ => written.push(c),
        }
    }
    written
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.text) == (other.kind, &other.text)
    }
}

impl Eq for Pattern {}

/// As it may stand behind the name of what is looked at.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Glob => write!(f, "= {:?}", self.text),
            _ => write!(f, "{} {:?}", self.word(), self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_glob_is_about_the_whole_text_and_the_others_about_any_part_of_it() {
        let glob = |text: &str, with: &str| Pattern::glob(text).unwrap().matches(with);
        assert!(glob("*@Lists.example.org", "ada@lists.EXAMPLE.org"));
        assert!(!glob(
            "*@lists.example.org",
            "ada@lists.example.org.evil.test"
        ));
        assert!(!glob("ada@example.com", "ada@examplexcom"));
        assert!(glob("a?c[d]", "abc[d]") && !glob("a?c", "ac"));
        let contains = Pattern::contains("In.voice").unwrap();
        assert!(contains.matches("your IN.VOICE is") && !contains.matches("invoice"));
        let regex = Pattern::regex("^re(: |$)").unwrap();
        assert!(regex.matches("RE: x") && !regex.matches("fore: x"));
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_the_reason() {
        assert_eq!(Pattern::glob("").unwrap_err(), Unusable::Empty);
        assert_eq!(
            Pattern::contains(&"a".repeat(1001)).unwrap_err(),
            Unusable::TooLong
        );
        assert_eq!(
            Pattern::regex("(a{1000}){1000}").unwrap_err(),
            Unusable::TooLarge
        );
        assert!(matches!(Pattern::regex("a(b"), Err(Unusable::Syntax(why)) if !why.is_empty()));
        for large in ["(a{1000}){1000}", r"\pL{500}", &"(".repeat(40)] {
            assert!(Pattern::regex(large).is_err(), "{large}");
        }
    }

    #[test]
    fn a_regular_expression_makes_no_difference_between_letters_unless_it_says_so() {
        let regex = |text: &str, with: &str| Pattern::regex(text).unwrap().matches(with);
        assert!(regex("^GR\u{dc}SSE", "gru\u{308}sse") && regex("[A-C]x", "bX"));
        assert!(regex("(?-i)Urgent", "Urgent") && !regex("(?-i)Urgent", "urgent"));
    }

    #[test]
    fn what_looks_like_a_match_of_a_regular_expression_is_found() {
        let seems = |text: &str, with: &str| Pattern::regex(text).unwrap().seems_to_match(with);
        for (regex, text) in [
            ("^stra\u{df}e+$", "STRASSEE"),
            ("stra\u{df}+e", "strasssse"),
            ("a[\u{ff22}-\u{ff24}]d", "acd"),
            ("\u{fb01}x", "fix"),
            (r"\bb\S+\W", "\u{ff22}x\u{a0}y"),
            ("a\u{ad}b", "ab"),
        ] {
            assert!(seems(regex, text), "{regex} {text}");
        }
        assert!(!seems("stra\u{df}e", "strase") && !seems(r"\S", " "));
        assert!(Pattern::regex("a b").unwrap().loose.is_none());
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let text = "a".repeat(64 * 1024);
        let begin = Instant::now();
        for slow in [
            "(a*)*b",
            "(a|aa)+$b",
            "(.*)(.*)(.*)(.*)x",
            "(?:a?){30}a{30}b",
            "(?i:[a\u{df}]+)+\u{df}",
        ] {
            let slow = Pattern::regex(slow).unwrap();
            assert!(
                !slow.matches(&text) && !slow.seems_to_match(&text),
                "{slow}"
            );
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "it backtracks");
    }
}
