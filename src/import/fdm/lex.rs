//! fdm's words: keywords, numbers, strings with macros in them, and commands.

use crate::import::{Error, files};
use std::iter::Peekable;
use std::path::Path;
use std::str::Chars;

/// A word and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Counted from 1.
    pub(super) line: usize,
    /// As it stands there, on one line.
    pub(super) shown: String,
    /// White space stands before it.
    pub(super) apart: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A keyword.
    Word(String),
    /// Digits.
    Number(u64),
    /// What stands in quotes.
    Text(Vec<Piece>),
    /// `$name` or `%name`, in braces or not.
    Macro(String),
    /// `$(...)` or `%(...)`: what a shell is to run.
    Command(Vec<Piece>),
    /// Everything else that may stand alone.
    Symbol(char),
}

/// A part of a string.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// As it is.
    Plain(String),
    /// What a macro stands for.
    Macro(String),
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(known) if known == word)
    }

    pub(super) fn is_symbol(&self, symbol: char) -> bool {
        self.kind == Kind::Symbol(symbol)
    }

    /// Whether a string or a number may begin with it.
    pub(super) fn is_value(&self) -> bool {
        matches!(
            self.kind,
            Kind::Number(_) | Kind::Text(_) | Kind::Macro(_) | Kind::Command(_)
        )
    }
}

pub(super) fn tokens(path: &Path, text: &str) -> Result<Vec<Token>, Error> {
    let mut lexer = Lexer {
        path,
        chars: text.chars().peekable(),
        line: 1,
        read: String::new(),
    };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        files::check(path, token.line, &lexer.read)?;
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    path: &'a Path,
    chars: Peekable<Chars<'a>>,
    line: usize,
    /// What was read of the word at hand.
    read: String,
}

impl Lexer<'_> {
    fn wrong(&self, line: usize, what: &str) -> Error {
        Error::syntax(self.path, line, what)
    }

    fn take(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        if c == '\n' {
            self.line += 1;
        }
        self.read.push(c);
        Some(c)
    }

    fn take_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let next = self.chars.peek().copied()?;
        if wanted(next) { self.take() } else { None }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(c) = self.take_if(&wanted) {
            taken.push(c);
        }
        taken
    }

    fn next(&mut self) -> Result<Option<Token>, Error> {
        self.read.clear();
        loop {
            self.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            if self.take_if(|c| c == '#').is_none() {
                break;
            }
            self.take_while(|c| c != '\n');
        }
        let apart = !self.read.is_empty();
        self.read.clear();
        let line = self.line;
        let Some(first) = self.take() else {
            return Ok(None);
        };
        let kind = match first {
            '"' => Kind::Text(self.text('"', line)?),
            '\'' => Kind::Text(self.text('\'', line)?),
            '$' | '%' if self.take_if(|c| c == '(').is_some() => Kind::Command(self.command(line)?),
            '$' | '%' => Kind::Macro(self.name(first, line)?),
            '0'..='9' => {
                let digits = format!("{first}{}", self.take_while(|c| c.is_ascii_digit()));
                let number = digits.parse::<u64>().ok();
                // fdm counts with a sign.
                let number = number.filter(|number| i64::try_from(*number).is_ok());
                Kind::Number(number.ok_or_else(|| self.wrong(line, "this number is too large"))?)
            }
            '~' | '+' | '(' | ')' | ',' | '<' | '>' | '{' | '}' | '*' | '=' | '!' => {
                Kind::Symbol(first)
            }
            c if c == '_' || c == '-' || c.is_ascii_alphabetic() => {
                let rest = self.take_while(is_of_name);
                Kind::Word(format!("{first}{rest}"))
            }
            _ => return Err(self.wrong(line, "fdm has no use for this character outside quotes")),
        };
        Ok(Some(Token {
            kind,
            line,
            shown: self.read.replace(['\n', '\r'], " "),
            apart,
        }))
    }

    /// A macro's name with its first character, which says of which kind it is.
    fn name(&mut self, kind: char, line: usize) -> Result<String, Error> {
        let braces = self.take_if(|c| c == '{').is_some();
        let name = self.take_while(is_of_name);
        let closed = !braces || self.take_if(|c| c == '}').is_some();
        if !closed || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(self.wrong(line, "this is no macro's name"));
        }
        Ok(format!("{kind}{name}"))
    }

    /// What stands in quotes, up to the closing one; single quotes take everything as it is.
    fn text(&mut self, quote: char, line: usize) -> Result<Vec<Piece>, Error> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        loop {
            let c = self
                .take()
                .ok_or_else(|| self.wrong(line, "this string has no end"))?;
            match c {
                c if c == quote => break,
                '\\' if quote == '"' => match self.take() {
                    Some('r') => plain.push('\r'),
                    Some('n') => plain.push('\n'),
                    Some('t') => plain.push('\t'),
                    Some(other) => plain.push(other),
                    None => return Err(self.wrong(line, "this string has no end")),
                },
                '$' | '%' if quote == '"' && self.chars.peek() == Some(&'{') => {
                    let name = self.name(c, line)?;
                    pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                    pieces.push(Piece::Macro(name));
                }
                c => plain.push(c),
            }
        }
        pieces.push(Piece::Plain(plain));
        Ok(pieces)
    }

    /// A command up to its closing parenthesis, with its quotes.
    fn command(&mut self, line: usize) -> Result<Vec<Piece>, Error> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut depth = 0_usize;
        loop {
            let c = self
                .take()
                .ok_or_else(|| self.wrong(line, "this command has no end"))?;
            match c {
                ')' if depth == 0 => break,
                ')' => depth -= 1,
                '(' => depth += 1,
                '"' | '\'' => {
                    plain.push(c);
                    pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                    pieces.extend(self.text(c, line)?);
                }
                _ => {}
            }
            plain.push(c);
        }
        pieces.push(Piece::Plain(plain));
        Ok(pieces)
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        let tokens = tokens(Path::new("f"), text).unwrap();
        tokens.into_iter().map(|token| token.kind).collect()
    }

    fn plain(text: &str) -> Piece {
        Piece::Plain(text.into())
    }

    #[test]
    fn words_numbers_strings_macros_and_commands_are_told_apart() {
        assert_eq!(
            kinds("set no-uidl # c \"\n 12M 'a\\$x' ${m} %n"),
            [
                Kind::Word("set".into()),
                Kind::Word("no-uidl".into()),
                Kind::Number(12),
                Kind::Word("M".into()),
                Kind::Text(vec![plain("a\\$x")]),
                Kind::Macro("$m".into()),
                Kind::Macro("%n".into()),
            ]
        );
        assert_eq!(
            kinds(r#""a\"\t${m}b$c""#),
            [Kind::Text(vec![
                plain("a\"\t"),
                Piece::Macro("$m".into()),
                plain("b$c")
            ])]
        );
        assert_eq!(
            kinds(r#"$(a (b) "c)${m}")"#),
            [Kind::Command(vec![
                plain("a (b) \""),
                plain("c)"),
                Piece::Macro("$m".into()),
                plain(""),
                plain("\""),
            ])]
        );
    }

    #[test]
    fn what_has_no_end_or_no_name_is_refused_with_its_line() {
        for text in [
            "\n\"a",
            "\n'a",
            "\n$(a",
            "\n${a",
            "\n$ a",
            "\n\"${}\"",
            "\n\"a\\",
            "\n@",
            "\n99999999999999999999",
            "\né",
        ] {
            let error = tokens(Path::new("f"), text).err().unwrap();
            assert!(matches!(error, Error::Syntax { line: 2, .. }), "{error}");
        }
    }
}
