//! Mistakes in a config file that the library names by their letters, and people by what they meant.

use std::ops::Range;

use toml::de::DeTable;

use super::syntax::Mistake;

/// What word processors, phones and web pages make of straight quotes, and which of these they stand for.
const CURLY: [(char, char); 9] = [
    ('\u{201c}', '"'),
    ('\u{201d}', '"'),
    ('\u{201e}', '"'),
    ('\u{ab}', '"'),
    ('\u{bb}', '"'),
    ('\u{2018}', '\''),
    ('\u{2019}', '\''),
    ('\u{201a}', '\''),
    ('\u{60}', '\''),
];

/// What is said of a text without them that is a key's value.
fn unquoted(key: &str) -> String {
    format!("a text stands in quotes: {} = \"...\"", key.trim())
}

/// What to write in the place of a mistake, where that is known.
pub(super) fn in_plain_words(text: &str, mistake: &Mistake) -> Option<String> {
    let line = text.get(line_of(text, mistake.span.start)?)?;
    // What is in order by itself is at odds with another line, as a key that stands twice.
    if is_toml(line) {
        return None;
    }
    curly(line)
        .or_else(|| unquoted_name(line))
        .or_else(|| unquoted_text(line))
}

/// Where the line is that has this place in it, without its end.
fn line_of(text: &str, place: usize) -> Option<Range<usize>> {
    let (before, behind) = (text.get(..place)?, text.get(place..)?);
    let begins = before.rfind('\n').map_or(0, |at| at + 1);
    let ends = behind.find('\n').map_or(text.len(), |at| place + at);
    Some(begins..ends)
}

/// A line that would be in order with straight quotes.
fn curly(line: &str) -> Option<String> {
    let straight = |c| CURLY.iter().find(|(curly, _)| *curly == c);
    let found = line.chars().find_map(straight)?;
    let mended: String = line
        .chars()
        .map(|c| straight(c).map_or(c, |(_, straight)| *straight))
        .collect();
    is_toml(&mended).then(|| {
        let (curly, straight) = found;
        format!("texts stand in straight quotes: write {straight} in the place of {curly}")
    })
}

/// A heading that would be in order with its name in quotes.
fn unquoted_name(line: &str) -> Option<String> {
    let heading = line.split('#').next()?.trim();
    let open = heading.len() - heading.trim_start_matches('[').len();
    let inner = heading
        .get(open..)?
        .strip_suffix("]".repeat(open).as_str())?;
    let name = inner.trim().strip_prefix("accounts.")?;
    // A table of the account's own.
    let (name, below) = match (open, name.rsplit_once('.')) {
        (2, Some((name, below))) => (name, format!(".{below}")),
        _ => (name, String::new()),
    };
    if name.is_empty() || name.contains(['"', '\'', '\\']) {
        return None;
    }
    let (opens, closes) = ("[".repeat(open), "]".repeat(open));
    let mended = format!("{opens}accounts.\"{name}\"{below}{closes}");
    is_toml(&mended).then(|| format!("a name like this stands in quotes: {mended}"))
}

/// A value that would be in order in quotes. It is not repeated: it may be a password.
fn unquoted_text(line: &str) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let value = value.split('#').next()?.trim();
    if value.is_empty() || value.contains(['"', '\'', '\\']) || value.starts_with(['[', '{']) {
        return None;
    }
    if ["true", "false"]
        .iter()
        .any(|it| value.eq_ignore_ascii_case(it))
    {
        return Some("true and false are written in small letters".to_owned());
    }
    // A number that is written otherwise than TOML wants it.
    if value
        .trim_start_matches(['+', '-'])
        .chars()
        .all(|c| c.is_ascii_digit() || "._".contains(c))
    {
        return None;
    }
    let mended = format!("{key}= \"{value}\"");
    is_toml(&mended).then(|| unquoted(key))
}

/// A backslash in double quotes that stands for nothing.
pub(super) const STRAY_BACKSLASH: &str = "missing escaped value";

/// What is said of a version of TLS that nobody should speak, where one is expected.
pub(super) fn unsafe_tls(found: &str, expected: &[String]) -> Option<String> {
    let is_unsafe = expected == ["1.2", "1.3"] && ["1.0", "1.1"].contains(&found);
    is_unsafe.then(|| {
        "TLS 1.0 and 1.1 are not safe, and popfetch does not speak them: this is \"1.2\", as it is without \
         the key, or \"1.3\""
            .to_owned()
    })
}

/// serde's words for what stands there, in words for people.
const KINDS: [(&str, &str); 6] = [
    ("boolean", "true or false"),
    ("floating point", "a number with a point"),
    ("integer", "a number"),
    ("map", "a table"),
    ("sequence", "a list"),
    ("string", "a text"),
];

/// serde's words for Rust types, in words for people. The value is left out: it may be a password
/// that stands where it should not, and else the excerpt shows it.
pub(super) fn plain_words(message: &str) -> String {
    if message.starts_with(STRAY_BACKSLASH) {
        return "a backslash in double quotes cannot stand before this".to_owned();
    }
    let message = without_value(message);
    let kind = KINDS.iter().find_map(|(kind, words)| {
        let rest = message.strip_prefix(&format!("invalid type: {kind},"))?;
        Some(format!("this is {words};{rest}"))
    });
    kind.unwrap_or(message)
        .replace("invalid value: integer,", "this number is out of range;")
        .replace(
            "expected struct Account",
            "expected an account, which begins with a line like [accounts.home]",
        )
        .replace(
            "expected struct DeliverTable",
            "expected a table, as in deliver = { command = [\"procmail\"] }",
        )
        .replace(
            "expected a map",
            "expected tables, each below a line like [accounts.home]",
        )
        .replace(
            "expected struct OAuthTable",
            "expected a table, as in oauth = { provider = \"google\" }",
        )
        .replace(
            "expected struct RuleTable",
            "expected a table, as in [[accounts.NAME.rules]]",
        )
        .replace(
            "string values must be quoted, expected literal string",
            "a text stands in quotes",
        )
        .replace("wanted string or table", "expected a text in quotes")
        .replace("multi-line basic string", "text of many lines")
        .replace("multi-line literal string", "text of many lines")
        .replace("basic string", "text")
        .replace("literal string", "text")
        .replace("expected u16", "expected a number from 1 to 65535")
        .replace("expected u64", "expected a whole number, not negative")
        .replace(
            "expected a boolean",
            "expected true or false, without quotes",
        )
        .replace("expected a string", "expected a text in quotes")
        .replace("expected path string", "expected a path in quotes")
        .replace(
            "expected a sequence",
            "expected a list, as in [\"one\", \"two\"]",
        )
}

/// `invalid type: string "found", expected ...` without what was found.
fn without_value(message: &str) -> String {
    let of_a_value = ["invalid type: ", "invalid value: "]
        .iter()
        .any(|begin| message.starts_with(begin));
    match (message.find(['"', '`']), message.rfind(", expected ")) {
        (Some(value), Some(expected)) if of_a_value && value < expected => {
            let (before, after) = (message.get(..value), message.get(expected..));
            before.unwrap_or_default().trim_end().to_owned() + after.unwrap_or_default()
        }
        _ => message.to_owned(),
    }
}

fn is_toml(text: &str) -> bool {
    DeTable::parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let mistake = Mistake {
            message: "as it was".into(),
            span: text.len()..text.len(),
        };
        in_plain_words(text, &mistake).unwrap_or(mistake.message)
    }

    #[test]
    fn curly_quotes_are_called_so_where_straight_ones_would_do() {
        for text in [
            "host = \u{201c}a\u{201d}",
            "host = \u{201e}a\u{201c}",
            "x = 1\nfolders = [\"INBOX\", \u{201c}Sent\u{201d}]",
            "host = \"a\u{201d}",
            "user = \u{2018}ada\u{2019}",
            "deliver = { mbox = \u{201c}~/in\u{201d} }",
            "[accounts.\u{201c}my mail\u{201d}]",
        ] {
            assert!(
                told(text).contains("straight quotes"),
                "{text}: {}",
                told(text)
            );
        }
        for text in ["host \u{201c}a\u{201d}", "host = [a"] {
            assert_eq!(told(text), "as it was", "{text}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_not_told_of_quotes() {
        for text in [
            "disabled = true\ndisabled = true",
            "port = 110\nport = 995",
            "[accounts.a]\n[accounts.a]",
            "port = 1\nport = 2 # the \u{201c}old\u{201d} one",
        ] {
            assert_eq!(told(text), "as it was", "{text}");
        }
    }

    #[test]
    fn a_name_that_lacks_its_quotes_is_shown_with_them() {
        for (text, wanted) in [
            ("[accounts.my mail]", "[accounts.\"my mail\"]"),
            (
                "[accounts.ada@example.org] # mine",
                "[accounts.\"ada@example.org\"]",
            ),
            (
                "[[accounts.my mail.rules]]",
                "[[accounts.\"my mail\".rules]]",
            ),
            ("[accounts.b\u{fc}ro]", "[accounts.\"b\u{fc}ro\"]"),
        ] {
            assert!(told(text).ends_with(wanted), "{text}: {}", told(text));
        }
        for text in [
            "[accounts.a",
            "[account s.a]",
            "[accounts.]",
            "[accounts.\"a\" b]",
        ] {
            assert_eq!(told(text), "as it was", "{text}");
        }
    }

    #[test]
    fn a_value_that_lacks_its_quotes_is_told_so_without_the_value() {
        for text in [
            "keep = never",
            "keep = 14 days",
            "password = h\u{fc}nter2 # mine",
            "user = ada@example.org",
        ] {
            assert_eq!(
                told(text),
                format!(
                    "a text stands in quotes: {} = \"...\"",
                    text.split(' ').next().unwrap()
                ),
                "{text}"
            );
        }
        for text in ["port = 01", "port = 1__0", "port = 9.9.9"] {
            assert_eq!(told(text), "as it was", "{text}");
        }
        assert!(told("disabled = True").contains("small letters"));
        assert_eq!(told("keep ="), "as it was");
    }
}
