//! Text for people, broken between words where the terminal ends.

use textwrap::core::display_width;
use textwrap::{Options, WordSplitter};

/// Nobody reads lines longer than this with pleasure, however wide the terminal is.
pub const WIDEST: usize = 100;

/// A terminal that is narrower than this breaks lines by itself.
const NARROWEST: usize = 20;

/// `text`, which begins behind `label`, in lines of at most `columns`; those that follow are
/// indented by two. Where `columns` is `None`, as for a file, lines are as long as they are. A line
/// that begins with a space is somebody's own layout, and stays.
pub fn wrap(label: &str, text: &str, columns: Option<usize>) -> String {
    below(label, "  ", text, columns)
}

/// The same with the lines that follow right below the first: for what has a number, or a name.
pub fn wrap_item(label: &str, text: &str, columns: Option<usize>) -> String {
    let indent = " ".repeat(super::width(label));
    below(label, &indent, text, columns)
}

/// A message's text: lines that are longer than the terminal is wide are broken between words, each part
/// behind the signs of quotation that its line begins with. All others stay as they are.
pub fn fold(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns.filter(|columns| *columns >= NARROWEST) else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(text.len());
    for (place, line) in text.split('\n').enumerate() {
        if place > 0 {
            out.push('\n');
        }
        if super::width(line) <= columns {
            out.push_str(line);
            continue;
        }
        let body = line.trim_start_matches(['>', ' ']);
        let quotes = line.get(..line.len() - body.len()).unwrap_or_default();
        // Where all are quotes nothing is left to be broken.
        let quotes = if quotes.len() < columns / 2 {
            quotes
        } else {
            ""
        };
        let options = Options::new(columns.min(WIDEST))
            .initial_indent(quotes)
            .subsequent_indent(quotes)
            .break_words(false)
            .word_splitter(WordSplitter::NoHyphenation);
        let line = line.get(quotes.len()..).unwrap_or_default();
        out.push_str(&textwrap::wrap(line, options).join("\n"));
    }
    out
}

/// A text in its own layout: only the lines that are wider than the terminal are broken, and go on four
/// columns further in than they begin. Colours take no column.
pub fn hang(text: &str, columns: usize) -> String {
    let break_line = |line: &str| {
        let body = line.trim_start();
        let indent = line.strip_suffix(body).unwrap_or_default();
        let below = format!("{indent}    ");
        let options = Options::new(columns)
            .initial_indent(indent)
            .subsequent_indent(&below)
            .break_words(false)
            .word_splitter(WordSplitter::NoHyphenation);
        textwrap::wrap(body, options).join("\n")
    };
    let lines = text.split('\n').map(|line| match display_width(line) {
        width if width > columns => break_line(line),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn below(label: &str, indent: &str, text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns.filter(|columns| *columns >= NARROWEST) else {
        return format!("{label}{text}");
    };
    let columns = columns.min(WIDEST);
    let mut lines = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let first = if index == 0 { label } else { "" };
        if line.starts_with(' ') || line.is_empty() {
            lines.push(format!("{first}{line}"));
            continue;
        }
        let options = Options::new(columns)
            .initial_indent(first)
            .subsequent_indent(if index == 0 { indent } else { "" })
            .break_words(false)
            .word_splitter(WordSplitter::NoHyphenation);
        let wrapped = textwrap::wrap(line, options);
        lines.extend(wrapped.into_iter().map(|line| line.into_owned()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_between_words_and_never_within_one() {
        let path = "/home/ada/a/very/long/path/that/nobody/could/copy/if/it/were/cut.toml";
        let text = wrap(
            "error: ",
            &format!("there is no account: {path} does not exist"),
            Some(40),
        );
        assert_eq!(
            text,
            format!("error: there is no account:\n  {path}\n  does not exist")
        );
    }

    #[test]
    fn a_file_gets_its_lines_whole() {
        assert_eq!(
            wrap("hint: ", &"word ".repeat(50), None),
            format!("hint: {}", "word ".repeat(50))
        );
        assert_eq!(wrap("", &"word ".repeat(9), Some(3)), "word ".repeat(9));
    }

    #[test]
    fn what_is_to_be_copied_stays_as_it_is() {
        let text =
            "put this into it:\n\n    host = \"a name that is longer than the line\"\n\nor not";
        assert_eq!(wrap("", text, Some(30)), text);
    }

    #[test]
    fn a_long_line_of_a_message_is_broken_behind_its_quotation() {
        assert_eq!(
            fold("> one two three four five\nshort\n  as it was", Some(20)),
            "> one two three four\n> five\nshort\n  as it was"
        );
        assert_eq!(fold(&"word ".repeat(9), None), "word ".repeat(9));
        let address = format!("https://a.example/{}", "x".repeat(90));
        assert_eq!(fold(&address, Some(40)), address);
    }

    #[test]
    fn a_line_that_is_too_long_goes_on_below_itself() {
        let text = "Usage: popfetch fetch [OPTIONS] [ACCOUNT]...\n\nshort";
        assert_eq!(
            hang(text, 30),
            "Usage: popfetch fetch\n    [OPTIONS] [ACCOUNT]...\n\nshort"
        );
    }

    #[test]
    fn wide_characters_count_twice() {
        let text = wrap("", "日本語日本語日 日本語日本語日", Some(20));
        assert_eq!(text, "日本語日本語日\n  日本語日本語日");
    }
}
