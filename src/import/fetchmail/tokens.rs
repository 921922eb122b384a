//! The words of a fetchmailrc, told apart as fetchmail's scanner does: of what could stand at a
//! place the longest, and where two are as long, text in quotes.

use super::keywords::is_keyword;
use crate::import::{Error, files};
use std::path::Path;
use zeroize::Zeroizing;

/// A word.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// As it is written.
    pub(super) raw: Zeroizing<String>,
    /// Counted from 1.
    pub(super) line: usize,
}

/// What a word is.
#[derive(Debug)]
pub(super) enum Kind {
    /// A word of the grammar.
    Keyword,
    /// Digits alone.
    Number(i64),
    /// `=`, which fetchmail needs in a mapping of names.
    Equals,
    /// All else, out of its quotes.
    Text(Zeroizing<String>),
}

/// What the word before lets a word be.
#[derive(Clone, Copy, Eq, PartialEq)]
enum After {
    Anything,
    /// A name or a password, whatever it looks like.
    Name,
    /// A way to sign in.
    Auth,
}

/// What stands only for people.
const NOISE: &[&str] = &["and", "with", "has", "wants", "options"];

/// Written as one word, these are two.
const NEGATED: &[&str] = &[
    "nobouncemail",
    "nouidl",
    "nocheckalias",
    "nodns",
    "noenvelope",
    "nokeep",
    "noflush",
    "nolimitflush",
    "nofetchall",
    "norewrite",
    "noforcecr",
    "nostripcr",
    "nopass8",
    "nopass8bits",
    "nodropstatus",
    "nodropdelivered",
    "nomimedec",
    "nomimedecode",
    "nospambounce",
    "noidle",
    "noforceidle",
];

pub(super) fn tokens(path: &Path, text: &str) -> Result<Vec<Token>, Error> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut line = 1;
    let mut after = After::Anything;
    while let Some(first) = rest.chars().next() {
        let at = line;
        let mut push = |kind: Kind, raw: &str| {
            tokens.push(Token {
                kind,
                raw: Zeroizing::new(raw.to_owned()),
                line: at,
            });
        };
        let length = match first {
            '\n' => {
                line += 1;
                1
            }
            '\\' if rest.starts_with("\\\n") => {
                line += 1;
                2
            }
            ' ' | '\t' | '\r' | ';' | ':' | ',' => 1,
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '=' => {
                push(Kind::Equals, "=");
                after = After::Name;
                1
            }
            _ => {
                let bare = rest.find(|c| "=;:, \t\r\n".contains(c));
                let bare = bare.unwrap_or(rest.len());
                let quoted = quoted(rest, first);
                let (length, inner) = match quoted {
                    Some((length, inner)) if length >= bare => (length, Some(inner)),
                    _ => (bare, None),
                };
                let raw = rest.get(..length).unwrap_or_default();
                line += raw.matches('\n').count();
                let text = |text: &str| {
                    let wrong = || Error::syntax(path, at, "an escape makes this no UTF-8 text");
                    unescaped(text).map(Kind::Text).ok_or_else(wrong)
                };
                let before = std::mem::replace(&mut after, After::Anything);
                match (inner, before) {
                    (Some(inner), _) => push(text(inner)?, raw),
                    (None, After::Name) => push(text(raw)?, raw),
                    (None, After::Auth) if raw == "password" => push(Kind::Keyword, raw),
                    (None, _) if NOISE.contains(&raw) => after = before,
                    (None, _) if NEGATED.contains(&raw) => {
                        push(Kind::Keyword, "no");
                        push(Kind::Keyword, raw.get(2..).unwrap_or_default());
                    }
                    (None, _) if is_keyword(raw) => {
                        push(Kind::Keyword, raw);
                        after = match raw {
                            "user" | "username" | "pass" | "password" | "is" | "to" => After::Name,
                            "auth" | "authenticate" | "preauth" | "preauthenticate" => After::Auth,
                            _ => After::Anything,
                        };
                    }
                    (None, _) => match number(raw) {
                        Some(number) => push(Kind::Number(number), raw),
                        None => push(text(raw)?, raw),
                    },
                }
                length
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    for token in &tokens {
        files::check(path, token.line, &token.raw)?;
    }
    Ok(tokens)
}

/// A text in quotes, however many lines it has: its length with them, and what is in them.
fn quoted(rest: &str, quote: char) -> Option<(usize, &str)> {
    if quote != '"' && quote != '\'' {
        return None;
    }
    let (inner, _) = rest.get(1..)?.split_once(quote)?;
    Some((inner.len() + 2, inner))
}

fn number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let all = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    all.then(|| text.parse().unwrap_or(i64::MAX))
}

/// `\n`, `\t`, `\b`, `\r`, `\65`, `\x41`, and `\075` in three digits with the zero, although the manual
/// has one more; any other character for itself, the end of a line and of the text for nothing.
fn unescaped(text: &str) -> Option<Zeroizing<String>> {
    let mut octets = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        if *first != b'\\' {
            octets.push(*first);
            continue;
        }
        let Some((first, more)) = rest.split_first() else {
            break;
        };
        let (octet, behind) = match first {
            b'x' | b'X' => value(more, 16, 2),
            b'0' => value(rest, 8, 3),
            b'1'..=b'9' => value(rest, 10, 3),
            b'n' => (b'\n', more),
            b't' => (b'\t', more),
            b'b' => (8, more),
            b'r' => (b'\r', more),
            b'\n' => {
                rest = more;
                continue;
            }
            other => (*other, more),
        };
        octets.push(octet);
        rest = behind;
    }
    // fetchmail's texts end there.
    if let Some(end) = octets.iter().position(|octet| *octet == 0) {
        octets.truncate(end);
    }
    let text = std::str::from_utf8(&octets).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}

/// What some digits stand for, and what is behind them.
fn value(octets: &[u8], radix: u32, most: usize) -> (u8, &[u8]) {
    let digit = |octet: &u8| char::from(*octet).to_digit(radix);
    let digits = octets.iter().take(most).map_while(digit);
    let (count, value) = digits.fold((0, 0), |(count, value), digit| {
        (count + 1, value * radix + digit)
    });
    let [octet, ..] = value.to_le_bytes();
    (octet, octets.get(count..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let tokens = tokens(Path::new("f"), text).unwrap();
        let words = tokens.iter().map(|token| match &token.kind {
            Kind::Text(text) => format!("<{}>", text.as_str()),
            Kind::Number(number) => number.to_string(),
            Kind::Keyword | Kind::Equals => token.raw.to_string(),
        });
        words.collect()
    }

    #[test]
    fn words_are_told_apart_as_fetchmail_does() {
        for (text, expected) in [
            ("poll a.b with proto: pop3, # c", "poll <a.b> proto pop3"),
            (
                "user user pass 123 limit 123",
                "user <user> pass <123> limit 123",
            ),
            ("user with nokeep no keep", "user <with> no keep no keep"),
            ("auth password pass x", "auth password pass <x>"),
            ("pass 's3c\" t'\nis a here", "pass <s3c\" t> is <a> here"),
            // A backslash does not keep a string from ending.
            (r#"pass "s3c\" is"#, "pass <s3c> is"),
            (r#"pass "ab"cd"#, "pass <\"ab\"cd>"),
            (r#"pass "\65\x41\075\n\q\\""#, "pass <AA=\nq\\>"),
            ("mda \"a \\\nb\" \\\n-3", "mda <a b> -3"),
            ("to a=b c", "to <a> = <b> <c>"),
            ("user a#b#\n#is x", "user <a#b#>"),
            ("sslproto ''", "sslproto <>"),
        ] {
            assert_eq!(words(text).join(" "), expected, "{text}");
        }
        assert!(tokens(Path::new("f"), r#"pass "\xff""#).is_err());
    }
}
