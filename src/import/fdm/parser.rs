//! A config's statements, in their order: macros, includes and `ifdef` are followed on the way.

use super::account::Account;
use super::lex::{self, Kind, Token};
use super::options::Options;
use super::rules::{Action, Rule};
use super::values::{Macros, Tags, Value};
use super::{Error, Fate, Line, Surroundings, TOOL, files};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files that a config may be made of, and how deep they may name one another.
const MOST_FILES: usize = 200;
const DEEPEST: usize = 20;

/// Octets that all macros may have.
const MACROS_LIMIT: usize = 8 << 20;

/// Rules that stand within others.
pub(super) const MOST_NESTED: usize = 100;

pub(super) struct Parser<'a> {
    pub(super) around: &'a Surroundings,
    /// The config that was asked for, which relative paths are seen from.
    main: PathBuf,
    pub(super) files: Vec<PathBuf>,
    depth: usize,
    pub(super) macros: Macros,
    macros_size: usize,
    /// Macros that passwords are made of.
    pub(super) secrets: BTreeSet<String>,
    /// The lines that define macros.
    definitions: Vec<(Range<usize>, String)>,
    pub(super) lines: Vec<Line>,
    pub(super) accounts: Vec<Account>,
    pub(super) options: Options,
    pub(super) actions: BTreeMap<String, Action>,
    pub(super) rules: Vec<Rule>,
    /// The rules whose braces are open.
    pub(super) open: Vec<Rule>,
}

/// The words of one file.
pub(super) struct Words {
    pub(super) file: Arc<PathBuf>,
    tokens: Vec<Token>,
    at: usize,
}

impl Words {
    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn peek_second(&self) -> Option<&Token> {
        self.tokens.get(self.at + 1)
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    /// Passes over the next word if it is this one.
    pub(super) fn skip(&mut self, word: &str) -> bool {
        let is = self.peek().is_some_and(|token| token.is(word));
        self.at += usize::from(is);
        is
    }

    pub(super) fn skip_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.skip(word))
    }

    pub(super) fn skip_symbol(&mut self, symbol: char) -> bool {
        let is = self.peek().is_some_and(|token| token.is_symbol(symbol));
        self.at += usize::from(is);
        is
    }

    /// The line of the next word, or else of the last.
    fn line(&self) -> usize {
        let token = self.peek().or_else(|| self.tokens.last());
        token.map_or(1, |token| token.line)
    }

    pub(super) fn wrong(&self, what: impl Into<String>) -> Error {
        Error::syntax(&self.file, self.line(), what)
    }
}

impl<'a> Parser<'a> {
    pub(super) fn new(main: &Path, around: &'a Surroundings) -> Self {
        Self {
            around,
            main: main.to_owned(),
            files: Vec::new(),
            depth: 0,
            macros: Macros::new(),
            macros_size: 0,
            secrets: BTreeSet::new(),
            definitions: Vec::new(),
            lines: Vec::new(),
            accounts: Vec::new(),
            options: Options::default(),
            actions: BTreeMap::new(),
            rules: Vec::new(),
            open: Vec::new(),
        }
    }

    /// Reads a file and all that it includes.
    pub(super) fn file(&mut self, path: &Path) -> Result<(), Error> {
        let text = files::config_of_words(TOOL, path)?;
        self.files.push(path.to_owned());
        let mut words = Words {
            file: Arc::new(path.to_owned()),
            tokens: lex::tokens(path, &text)?,
            at: 0,
        };
        let mut conditions = 0_usize;
        while let Some(token) = words.peek().cloned() {
            let start = words.at();
            let Kind::Word(word) = &token.kind else {
                match &token.kind {
                    Kind::Macro(_) => self.definition(&mut words)?,
                    Kind::Symbol('}') => self.close(&mut words)?,
                    _ => return Err(words.wrong("a statement of fdm's does not begin like this")),
                }
                continue;
            };
            match word.as_str() {
                "account" => self.account(&mut words)?,
                "set" => self.set(&mut words)?,
                "action" => self.action(&mut words)?,
                "match" => self.rule(&mut words)?,
                "cache" => self.cache(&mut words)?,
                "include" => self.include(&mut words)?,
                "ifdef" | "ifndef" => {
                    conditions += 1;
                    self.condition(&mut words, &mut conditions)?;
                }
                "endif" if conditions > 0 => {
                    conditions -= 1;
                    words.next();
                    self.tell(
                        &words,
                        start..words.at(),
                        &Fate::taken("the condition ends"),
                    );
                }
                "endif" => return Err(words.wrong("no condition is open here")),
                _ => return Err(words.wrong("a statement of fdm's does not begin like this")),
            }
        }
        match (conditions, self.depth, self.open.len()) {
            (1.., _, _) => Err(words.wrong("a condition has no endif")),
            (0, 0, 1..) => Err(words.wrong("a rule's brace is never closed")),
            _ => Ok(()),
        }
    }

    /// `$name = "text"`, `%name = 3`.
    fn definition(&mut self, words: &mut Words) -> Result<(), Error> {
        let start = words.at();
        let Some(Kind::Macro(name)) = words.next().map(|token| token.kind) else {
            return Err(words.wrong("this is no macro's name"));
        };
        if !words.skip_symbol('=') {
            return Err(words.wrong("a macro's name stands here, and no = behind it"));
        }
        let value = self.value(words, "a macro has no value")?;
        let names: usize = value.macros.iter().map(String::len).sum();
        self.macros_size += value.text.as_ref().map_or(0, String::len) + names;
        if self.macros_size > MACROS_LIMIT {
            return Err(words.wrong("the macros are longer than those of any config"));
        }
        let fate = match value.text {
            Some(_) => Fate::taken("it stands where it is named"),
            None => Fate::taken("a command, which is not run here"),
        };
        let first = self.lines.len();
        self.tell(words, start..words.at(), &fate);
        let lines = first..self.lines.len();
        self.definitions.push((lines, name.clone()));
        self.macros.insert(name, value);
        Ok(())
    }

    /// `ifdef $name`: what follows up to the last `endif` is passed over where it does not hold.
    fn condition(&mut self, words: &mut Words, depth: &mut usize) -> Result<(), Error> {
        let start = words.at();
        let negated = words.next().is_some_and(|token| token.is("ifndef"));
        let Some(Kind::Macro(name)) = words.next().map(|token| token.kind) else {
            return Err(words.wrong("a condition names a macro"));
        };
        let holds = self.macros.contains_key(&name) != negated;
        let said = match (holds, negated) {
            (true, _) => "the condition holds",
            (false, false) => "the macro is not defined, up to the last endif (fdm -D may do so)",
            (false, true) => "the macro is defined, up to the last endif",
        };
        self.tell(words, start..words.at(), &Fate::taken(said));
        if holds {
            return Ok(());
        }
        let start = words.at();
        while *depth > 0 {
            let Some(token) = words.next() else {
                return Err(words.wrong("a condition has no endif"));
            };
            match &token.kind {
                Kind::Word(word) if word == "endif" => *depth -= 1,
                Kind::Word(word) if word == "ifdef" || word == "ifndef" => *depth += 1,
                _ => {}
            }
        }
        let fate = Fate::taken("passed over, as fdm does");
        self.tell(words, start..words.at(), &fate);
        Ok(())
    }

    fn include(&mut self, words: &mut Words) -> Result<(), Error> {
        let start = words.at();
        words.next();
        let value = self.value(words, "include names no file")?;
        let said = value.said(&Tags::new(self.around));
        let Some(text) = said.filter(|text| !text.is_empty()) else {
            return Err(words.wrong("the file to include is not known without running a command"));
        };
        let given = match text.starts_with('~') {
            true => self.around.path(&text),
            false => PathBuf::from(text),
        };
        let beside = self.main.parent().unwrap_or(Path::new("/")).join(&given);
        self.tell(
            words,
            start..words.at(),
            &Fate::taken(format!("read: {}", self.around.shown(&beside))),
        );
        if self.depth == DEEPEST || self.files.len() >= MOST_FILES {
            return Err(words.wrong("more files include one another than in any config"));
        }
        self.depth += 1;
        self.file(&beside)?;
        self.depth -= 1;
        Ok(())
    }

    /// `cache "path" expire 1 month`, which rules use.
    fn cache(&mut self, words: &mut Words) -> Result<(), Error> {
        let start = words.at();
        words.next();
        self.value(words, "a cache has no path")?;
        if words.skip("expire") {
            self.value(words, "a cache's age is missing")?;
            self.unit(words);
        }
        let fate = Fate::nothing("not yet: there are no rules that could remember anything");
        self.tell(words, start..words.at(), &fate);
        Ok(())
    }

    /// A word that says what a number counts.
    pub(super) fn unit(&self, words: &mut Words) -> Option<String> {
        let Some(Kind::Word(unit)) = words.peek().map(|token| token.kind.clone()) else {
            return None;
        };
        let known =
            super::values::octets(&unit).is_some() || super::values::seconds(&unit).is_some();
        known.then(|| {
            words.next();
            unit
        })
    }

    /// A string or a number that must stand here, with all that is added to it by `+`.
    pub(super) fn value(&self, words: &mut Words, missing: &str) -> Result<Value, Error> {
        let one = |words: &mut Words| {
            let token = words.peek().filter(|token| token.is_value()).cloned();
            let token = token.ok_or_else(|| words.wrong(missing))?;
            let value = Value::of(&token, &self.macros);
            let value = value.ok_or_else(|| words.wrong("this macro is not defined"))?;
            words.next();
            Ok(value)
        };
        let mut value = one(words)?;
        while words.skip_symbol('+') {
            value = value.and(one(words)?);
        }
        Ok(value)
    }

    /// One value, or several in braces.
    pub(super) fn values(&self, words: &mut Words, missing: &str) -> Result<Vec<Value>, Error> {
        if !words.skip_symbol('{') {
            return Ok(vec![self.value(words, missing)?]);
        }
        let mut values = vec![self.value(words, missing)?];
        while !words.skip_symbol('}') {
            values.push(self.value(words, "a list has no closing brace")?);
        }
        Ok(values)
    }

    /// Says what becomes of these words, line by line.
    pub(super) fn tell(&mut self, words: &Words, range: Range<usize>, fate: &Fate) {
        let first = self.lines.len();
        let mut after_pass = false;
        for token in words.tokens.get(range).unwrap_or_default() {
            let shown = match after_pass && token.is_value() {
                true => "***",
                false => token.shown.as_str(),
            };
            // `"a" + "b"` is one password.
            after_pass =
                token.is("pass") || after_pass && (token.is_value() || token.is_symbol('+'));
            let said = self.lines.get_mut(first..).unwrap_or_default();
            match said.last_mut().filter(|line| line.number == token.line) {
                Some(line) => {
                    line.text.push_str(if token.apart { " " } else { "" });
                    line.text.push_str(shown);
                }
                None => self.lines.push(Line {
                    file: Arc::clone(&words.file),
                    number: token.line,
                    text: shown.to_owned(),
                    fate: fate.clone(),
                }),
            }
        }
    }

    /// Hides what macros stand for that passwords are made of, or that are named like one.
    pub(super) fn hide_secrets(&mut self) {
        let named = |name: &str| {
            let name = name.to_ascii_lowercase();
            ["pass", "pw", "secret"]
                .iter()
                .any(|word| name.contains(word))
        };
        for (lines, name) in &self.definitions {
            if !self.secrets.contains(name) && !named(name) {
                continue;
            }
            let lines = self.lines.get_mut(lines.clone()).unwrap_or_default();
            for (place, line) in lines.iter_mut().enumerate() {
                line.text = match place {
                    0 => format!("{name} = ***"),
                    _ => "***".to_owned(),
                };
            }
        }
    }

    pub(super) fn is_value_next(words: &Words) -> bool {
        words.peek().is_some_and(Token::is_value)
    }

    /// Whether the next two words define a macro.
    pub(super) fn is_definition_next(words: &Words) -> bool {
        let is_macro = words
            .peek()
            .is_some_and(|token| matches!(token.kind, Kind::Macro(_)));
        is_macro
            && words
                .peek_second()
                .is_some_and(|token| token.is_symbol('='))
    }
}
