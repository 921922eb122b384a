//! `prefs.js`: not JavaScript, but `user_pref("name", value);` and comments, as Mozilla's own parser
//! of preferences takes them.

use super::Error;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::path::Path;
use std::str::Chars;

/// Settings that are read at most: a profile of many years has some thousand.
const MOST: usize = 200_000;

/// A setting's value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    Flag(bool),
}

/// A setting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Pref {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) value: Value,
}

/// The settings of a profile, in their order; of several with one name the last counts.
pub(super) struct Prefs {
    pub(super) all: Vec<Pref>,
    places: BTreeMap<String, usize>,
}

impl Prefs {
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let mut scanner = Scanner {
            chars: text
                .strip_prefix('\u{feff}')
                .unwrap_or(text)
                .chars()
                .peekable(),
            line: 1,
        };
        let mut prefs = Self {
            all: Vec::new(),
            places: BTreeMap::new(),
        };
        loop {
            match scanner.pref() {
                Ok(None) => return Ok(prefs),
                Ok(Some(_)) if prefs.all.len() == MOST => {
                    let what = "this has too many settings for a profile";
                    return Err(Error::syntax(path, scanner.line, what));
                }
                Ok(Some(pref)) => {
                    prefs.places.insert(pref.name.clone(), prefs.all.len());
                    prefs.all.push(pref);
                }
                Err(what) => return Err(Error::syntax(path, scanner.line, what)),
            }
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let place = self.places.get(name)?;
        self.all.get(*place).map(|pref| &pref.value)
    }

    /// Text that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether another of this name stands behind this place.
    pub(super) fn is_superseded(&self, place: usize) -> bool {
        let pref = self.all.get(place);
        let last = pref.and_then(|pref| self.places.get(&pref.name));
        last.is_some_and(|last| *last != place)
    }
}

struct Scanner<'a> {
    chars: Peekable<Chars<'a>>,
    line: usize,
}

type Wrong = &'static str;

const NO_PREF: Wrong = "this is no `user_pref(\"name\", value);`";
const HALF: Wrong = "the file ends in the middle of a setting";

impl Scanner<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    /// Passes over blanks and comments.
    fn skip(&mut self) -> Result<(), Wrong> {
        while let Some(c) = self.chars.peek().copied() {
            match c {
                _ if c.is_ascii_whitespace() => {
                    self.next();
                }
                '#' => self.skip_line(),
                '/' => {
                    self.next();
                    match self.next() {
                        Some('/') => self.skip_line(),
                        Some('*') => self.skip_comment()?,
                        _ => return Err(NO_PREF),
                    }
                }
                _ => break,
            }
        }
        Ok(())
    }

    fn skip_line(&mut self) {
        while self.chars.next_if(|c| *c != '\n').is_some() {}
    }

    fn skip_comment(&mut self) -> Result<(), Wrong> {
        let mut star = false;
        while let Some(c) = self.next() {
            if star && c == '/' {
                return Ok(());
            }
            star = c == '*';
        }
        Err("a comment has no end")
    }

    fn pref(&mut self) -> Result<Option<Pref>, Wrong> {
        self.skip()?;
        if self.chars.peek().is_none() {
            return Ok(None);
        }
        let line = self.line;
        if !matches!(&*self.word(), "user_pref" | "pref" | "sticky_pref") {
            return Err(NO_PREF);
        }
        self.sign('(')?;
        self.skip()?;
        let name = self.string()?;
        self.sign(',')?;
        self.skip()?;
        let value = self.value()?;
        self.attributes()?;
        self.sign(';')?;
        Ok(Some(Pref { line, name, value }))
    }

    /// `, sticky` and `, locked`, up to the closing bracket.
    fn attributes(&mut self) -> Result<(), Wrong> {
        loop {
            self.skip()?;
            match self.next() {
                Some(')') => return Ok(()),
                Some(',') => {
                    self.skip()?;
                    if !matches!(&*self.word(), "sticky" | "locked") {
                        return Err(NO_PREF);
                    }
                }
                Some(_) => return Err(NO_PREF),
                None => return Err(HALF),
            }
        }
    }

    fn sign(&mut self, wanted: char) -> Result<(), Wrong> {
        self.skip()?;
        match self.next() {
            Some(c) if c == wanted => Ok(()),
            Some(_) => Err(NO_PREF),
            None => Err(HALF),
        }
    }

    fn word(&mut self) -> String {
        let is_part = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        std::iter::from_fn(|| self.chars.next_if(is_part)).collect()
    }

    fn value(&mut self) -> Result<Value, Wrong> {
        match self.chars.peek() {
            None => Err(HALF),
            Some('"' | '\'') => self.string().map(Value::Text),
            Some(c @ ('+' | '-')) => {
                let minus = *c == '-';
                self.next();
                // Between a sign and its number there may be blanks.
                self.skip()?;
                let number = self.number()?;
                Ok(Value::Number(if minus { -number } else { number }))
            }
            Some(c) if c.is_ascii_digit() => self.number().map(Value::Number),
            Some(_) => match &*self.word() {
                "true" => Ok(Value::Flag(true)),
                "false" => Ok(Value::Flag(false)),
                _ if self.chars.peek().is_none() => Err(HALF),
                _ => Err(NO_PREF),
            },
        }
    }

    fn number(&mut self) -> Result<i64, Wrong> {
        let digits = self.word();
        let number = digits.parse::<u32>().ok().filter(|_| !digits.is_empty());
        number
            .map(i64::from)
            .ok_or("this is no number that a setting can have")
    }

    fn string(&mut self) -> Result<String, Wrong> {
        let quote = match self.next() {
            Some(quote @ ('"' | '\'')) => quote,
            Some(_) => return Err(NO_PREF),
            None => return Err(HALF),
        };
        let mut units: Vec<u16> = Vec::new();
        let mut unit = [0; 2];
        loop {
            match self.next().ok_or(HALF)? {
                c if c == quote => break,
                '\\' => {
                    let escaped = self.escape()?;
                    units.push(escaped);
                }
                '\0' => return Err("there is a NUL in a text"),
                c => units.extend_from_slice(c.encode_utf16(&mut unit)),
            }
        }
        String::from_utf16(&units).map_err(|_| "half of a character stands for itself in a text")
    }

    /// What is behind a backslash, as a unit of UTF-16: `\u` gives characters beyond the first 65,536
    /// in two halves.
    fn escape(&mut self) -> Result<u16, Wrong> {
        const UNKNOWN: Wrong = "there is no such escape in a text";
        let digits = match self.next().ok_or(HALF)? {
            '"' => return Ok(b'"'.into()),
            '\'' => return Ok(b'\''.into()),
            '\\' => return Ok(b'\\'.into()),
            'n' => return Ok(b'\n'.into()),
            'r' => return Ok(b'\r'.into()),
            'x' => 2,
            'u' => 4,
            _ => return Err(UNKNOWN),
        };
        let mut unit = 0;
        for _ in 0..digits {
            let digit = self.next().ok_or(HALF)?.to_digit(16).ok_or(UNKNOWN)?;
            unit = unit * 16 + digit;
        }
        match u16::try_from(unit) {
            Ok(0) | Err(_) => Err("there is a NUL in a text"),
            Ok(unit) => Ok(unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Prefs, Error> {
        Prefs::parse(Path::new("prefs.js"), text)
    }

    #[test]
    fn settings_are_read_as_mozillas_own_parser_reads_them() {
        let text = "# Mozilla User Preferences\n\n// c\n/* c\n * c */ user_pref(\"a.b\", \"x\\\"\\x41\\u00e9\\ud83d\\ude00\");\n\
                    user_pref ( 'c' , -1 ) ; pref(\"d\", true, sticky, locked);user_pref(\"e\", \"two\nlines\");\n\
                    user_pref(\"f\", false);\nuser_pref(\"c\", + 2);\n";
        let prefs = parse(text).unwrap();
        let lines: Vec<(usize, &str)> = prefs.all.iter().map(|it| (it.line, &*it.name)).collect();
        assert_eq!(
            lines,
            [(5, "a.b"), (6, "c"), (6, "d"), (6, "e"), (8, "f"), (9, "c")]
        );
        assert_eq!(prefs.text("a.b"), Some("x\"Aé😀"));
        assert_eq!(prefs.text("e"), Some("two\nlines"));
        assert_eq!(prefs.number("c"), Some(2));
        assert!(prefs.is_superseded(1) && !prefs.is_superseded(5));
        assert_eq!(prefs.get("d"), Some(&Value::Flag(true)));
        assert!(parse("").unwrap().all.is_empty());
        assert!(parse("\u{feff}# only a comment").unwrap().all.is_empty());
    }

    #[test]
    fn what_is_no_setting_is_refused_with_its_line() {
        for (text, line) in [
            ("user_pref(\"a\", 1);\nuser_pref(\"b\", ", 2),
            ("user_pref(\"a\", 1)\nuser_pref(\"b\", 2);", 2),
            ("user_pref(\"a\", alert(1));", 1),
            ("user_pref(\"a\", 1.5);", 1),
            ("user_pref(\"a\", 99999999999);", 1),
            ("user_pref(\"a\", 12x);", 1),
            ("user_pref(a, 1);", 1),
            ("user_pref(\"a\", \"\\q\");", 1),
            ("user_pref(\"a\", \"\\x0\");", 1),
            ("user_pref(\"a\", \"\\u0000\");", 1),
            ("user_pref(\"a\", \"\\ud83d\");", 1),
            ("user_pref(\"a\", 1, shiny);", 1),
            ("user_pref(\"a\", \"no end);\n", 2),
            ("/* no end", 1),
            ("/", 1),
            ("{\"json\": 1}", 1),
            ("\n\nlockPref(\"a\", 1);", 3),
        ] {
            let error = parse(text).err().unwrap();
            assert!(
                matches!(error, Error::Syntax { line: at, .. } if at == line),
                "{text:?}: {error}"
            );
        }
    }
}
