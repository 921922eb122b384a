//! Makes text from the config file and the command line safe for a terminal.

/// Escapes what could move the cursor, reorder or hide text on a terminal. Newlines stay.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && is_hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Like [`visible`], but one character for one, so that a caret below still fits.
pub(crate) fn visible_same_width(text: &str) -> String {
    let same = |c| match c {
        '\t' => ' ',
        c if is_hidden(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(same).collect()
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_reaches_the_terminal() {
        assert_eq!(
            visible("a\u{1b}[31mb\u{202e}c\u{9b}"),
            "a\\u{1b}[31mb\\u{202e}c\\u{9b}"
        );
        assert_eq!(visible("zero\u{200b}width"), "zero\\u{200b}width");
        assert_eq!(visible("Grüße, 世界"), "Grüße, 世界");
        assert_eq!(visible_same_width("a\tb\u{1b}c"), "a b\u{fffd}c");
    }
}
