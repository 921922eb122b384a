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

/// What is said of a text without them.
pub(super) const UNQUOTED: &str = "a text stands in quotes, as in \"14 days\"";

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
    is_toml(&mended).then(|| UNQUOTED.to_owned())
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
                "a text stands in quotes, as in \"14 days\"",
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
