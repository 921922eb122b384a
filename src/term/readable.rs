//! The text of a message, made safe for a terminal without making it hard to read.

use super::{escape_up_to, is_unsafe};

/// Columns from one tab stop to the next.
const TAB: usize = 8;

/// Like [`escape_up_to`] without a limit, line by line; but tabs become spaces, and characters that show
/// nothing and move nothing are left out: newsletters have hundreds of them, and emoji are joined by
/// them. What reorders text, or controls a terminal, is shown by its number.
pub fn readable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (place, line) in text.split('\n').enumerate() {
        if place > 0 {
            out.push('\n');
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !line.chars().any(is_unsafe) {
            out.push_str(line);
            continue;
        }
        let mut plain = String::with_capacity(line.len());
        let mut column = 0;
        for c in line.chars().filter(|c| !shows_nothing(*c)) {
            match c {
                '\t' => {
                    let spaces = TAB - column % TAB;
                    plain.push_str(&" ".repeat(spaces));
                    column += spaces;
                }
                c => {
                    plain.push(c);
                    column += 1;
                }
            }
        }
        out.push_str(&escape_up_to(&plain, usize::MAX));
    }
    out
}

/// Soft hyphens, joiners, zero-width spaces, and selectors of variants.
fn shows_nothing(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_is_left_out_and_what_could_deceive_is_shown() {
        assert_eq!(
            readable("Sch\u{ad}nee\u{200b}\n\u{1f468}\u{200d}\u{1f467}\u{fe0f}"),
            "Schnee\n\u{1f468}\u{1f467}"
        );
        assert_eq!(
            readable("a\u{1b}[31mb\u{202e}c\u{9b}\r\n\u{7}"),
            "a\\x1b[31mb\\u{202e}c\\x9b\n\\x07"
        );
    }

    #[test]
    fn tabs_lead_to_the_next_stop() {
        assert_eq!(readable("a\tb\t\tc"), "a       b               c");
    }
}
