//! Makes text from the config file and the command line safe for a terminal.

use super::{escape_up_to, is_unsafe};

/// [`escape_up_to`] without a limit, line by line: newlines stay.
pub(crate) fn visible(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| escape_up_to(line, usize::MAX))
        .collect();
    lines.join("\n")
}

/// Like [`visible`], but one character for one, so that a caret below still fits.
pub(crate) fn visible_same_width(text: &str) -> String {
    let same = |c| match c {
        '\t' => ' ',
        c if is_unsafe(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(same).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_reaches_the_terminal() {
        assert_eq!(
            visible("a\u{1b}[31mb\u{202e}c\u{9b}"),
            "a\\x1b[31mb\\u{202e}c\\x9b"
        );
        assert_eq!(visible("zero\u{200b}width"), "zero\\u{200b}width");
        assert_eq!(visible("Grüße, 世界"), "Grüße, 世界");
        assert_eq!(visible_same_width("a\tb\u{1b}c"), "a b\u{fffd}c");
    }
}
