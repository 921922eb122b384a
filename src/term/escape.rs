//! Text from a server or a message, made safe for a terminal.

use std::fmt::Write as _;

/// The longest escaped text, in characters. A reply line may be 512 octets and a hostile one far
/// longer; this is enough to understand it and too little to flood a screen.
pub const LIMIT: usize = 300;

/// Octets from outside as text that cannot control a terminal, at most [`LIMIT`] characters.
///
/// Valid UTF-8 is kept as it is but for the characters below; an octet that is no part of valid
/// UTF-8 becomes `\xNN`. Replaced are: control characters (C0, DEL, C1, so also ESC and with it
/// every escape sequence) by `\n`, `\r`, `\t` or `\xNN`; and by `\u{NNNN}` whatever is invisible
/// or reorders text: bidirectional controls, zero-width characters, line and paragraph
/// separators, the soft hyphen, fillers and tags.
///
/// The backslash itself is kept. So the result cannot be turned back, but it reads well where
/// there is a Windows path in it, and escaping twice changes nothing.
pub fn escape(text: &[u8]) -> String {
    escape_bytes_up_to(text, LIMIT)
}

/// [`escape`] with another limit, in characters of the result.
pub fn escape_bytes_up_to(text: &[u8], limit: usize) -> String {
    let mut out = Escaped::new(limit);
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            out.push_char(c);
        }
        for octet in chunk.invalid() {
            out.push_octet(*octet);
        }
        if out.full {
            break;
        }
    }
    out.finish()
}

/// A unique-id as it can be given back on the command line: all of it, and no two alike, so that a
/// backslash is doubled here.
pub fn unique_id(octets: &[u8]) -> String {
    let doubled = |octet: &u8| match octet {
        b'\\' => b"\\\\".to_vec(),
        octet => vec![*octet],
    };
    let octets: Vec<u8> = octets.iter().flat_map(doubled).collect();
    escape_bytes_up_to(&octets, usize::MAX)
}

/// [`escape`] for text that is known to be UTF-8.
pub fn escape_str(text: &str) -> String {
    escape_up_to(text, LIMIT)
}

/// [`escape_str`] with another limit, in characters of the result.
pub fn escape_up_to(text: &str, limit: usize) -> String {
    let mut out = Escaped::new(limit);
    for c in text.chars() {
        out.push_char(c);
        if out.full {
            break;
        }
    }
    out.finish()
}

/// Whether a character must not reach a terminal, or a JSON string, as it is.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// Characters that show nothing, or that change how others are shown.
fn is_invisible(c: char) -> bool {
    is_ignorable(c)
        || matches!(c,
            '\u{2028}' | '\u{2029}'       // line and paragraph separator
            | '\u{2800}'                  // Braille blank
            | '\u{fff9}'..='\u{fffb}'     // interlinear annotation
            | '\u{13430}'..='\u{1343f}'   // Egyptian format controls
            | '\u{1d159}'                 // null notehead
        )
}

/// Characters that are not seen: Default_Ignorable_Code_Point of the Unicode Character Database, 17.0.
pub fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}'                      // soft hyphen
        | '\u{34f}'                   // combining grapheme joiner
        | '\u{61c}'                   // Arabic letter mark
        | '\u{115f}' | '\u{1160}'     // Hangul fillers, blank but letters
        | '\u{17b4}' | '\u{17b5}'     // Khmer inherent vowels
        | '\u{180b}'..='\u{180f}'     // Mongolian selectors and vowel separator
        | '\u{200b}'..='\u{200f}'     // zero-width space and joiners, LRM, RLM
        | '\u{202a}'..='\u{202e}'     // embeddings, overrides
        | '\u{2060}'..='\u{206f}'     // word joiner, invisible operators, isolates
        | '\u{3164}' | '\u{ffa0}'     // Hangul fillers
        | '\u{fe00}'..='\u{fe0f}'     // variation selectors
        | '\u{feff}'                  // byte order mark
        | '\u{fff0}'..='\u{fff8}'     // kept for such
        | '\u{1bca0}'..='\u{1bca3}'   // shorthand format controls
        | '\u{1d173}'..='\u{1d17a}'   // musical format controls
        | '\u{e0000}'..='\u{e0fff}'   // tags
    )
}

/// Escaped text that never grows beyond its limit and never ends within an escape.
struct Escaped {
    text: String,
    limit: usize,
    /// Characters of `text`.
    length: usize,
    /// Octets of `text` at `limit - 1` characters or just before: where "…" goes if more comes.
    cut: usize,
    full: bool,
}

impl Escaped {
    fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
            length: 0,
            cut: 0,
            full: false,
        }
    }

    fn push_char(&mut self, c: char) {
        let mut piece = String::new();
        match c {
            '\n' => piece.push_str("\\n"),
            '\r' => piece.push_str("\\r"),
            '\t' => piece.push_str("\\t"),
            c if c.is_control() => _ = write!(piece, "\\x{:02x}", u32::from(c)),
            c if is_invisible(c) => _ = write!(piece, "\\u{{{:x}}}", u32::from(c)),
            c => piece.push(c),
        }
        self.push(&piece);
    }

    fn push_octet(&mut self, octet: u8) {
        self.push(&format!("\\x{octet:02x}"));
    }

    fn push(&mut self, piece: &str) {
        if self.full {
            return;
        }
        let length = self.length + piece.chars().count();
        if length > self.limit {
            self.full = true;
            return;
        }
        self.text.push_str(piece);
        self.length = length;
        if length < self.limit {
            self.cut = self.text.len();
        }
    }

    fn finish(mut self) -> String {
        if self.full {
            self.text.truncate(self.cut);
            self.text.push('…');
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_text_of_any_script_is_kept() {
        for text in [
            "",
            "hello",
            "Zoë schrieb: 你好, Привет",
            "C:\\mail",
            "🎉 e\u{301}",
        ] {
            assert_eq!(escape_str(text), text);
        }
    }

    #[test]
    fn controls_cannot_reach_the_terminal() {
        assert_eq!(escape(b"a\x1b[2Jb\x07\x7f\0"), "a\\x1b[2Jb\\x07\\x7f\\x00");
        assert_eq!(escape(b"ok\rBAD\n\t"), "ok\\rBAD\\n\\t");
    }

    #[test]
    fn s45_controls_of_both_sets_are_escaped_raw_and_as_utf8() {
        assert_eq!(escape(b"\x9b2J"), "\\x9b2J");
        assert_eq!(escape("\u{9b}2J".as_bytes()), "\\x9b2J");
        // 0x9b as part of a letter is no control.
        assert_eq!(escape("\u{6db}".as_bytes()), "\u{6db}");
    }

    #[test]
    fn hidden_and_reordering_characters_are_shown() {
        assert_eq!(escape_str("evil\u{202e}cod"), "evil\\u{202e}cod");
        assert_eq!(escape_str("a\u{200b}b\u{ad}"), "a\\u{200b}b\\u{ad}");
        for c in "\u{202a}\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}\u{200d}\u{2060}\u{feff}\u{2028}\u{2029}\u{e0041}"
            .chars()
        {
            assert!(escape_str(&c.to_string()).starts_with("\\u{"), "{c:?}");
        }
    }

    #[test]
    fn j_whatever_is_invisible_is_escaped() {
        for c in "\u{fe0f}\u{fe00}\u{1d173}\u{1d17a}\u{1bca0}\u{2800}\u{34f}\u{fff0}\u{e0100}\u{e01ef}\u{180e}"
            .chars()
        {
            assert_eq!(escape_str(&c.to_string()), format!("\\u{{{:x}}}", u32::from(c)));
        }
    }

    #[test]
    fn octets_that_are_not_utf8_are_named() {
        assert_eq!(escape(b"caf\xe9 \xf0\x9f"), "caf\\xe9 \\xf0\\x9f");
    }

    #[test]
    fn long_text_ends_with_an_ellipsis_and_whole_escapes() {
        assert_eq!(escape(&[b'x'; LIMIT]).chars().count(), LIMIT);
        let long = escape(&[b'x'; LIMIT + 1]);
        assert_eq!(long.chars().count(), LIMIT);
        assert!(long.ends_with("x…"));
        assert_eq!(escape_up_to("abc\x1b", 5), "abc…");
        assert_eq!(escape_up_to("abc\x1b", 7), "abc\\x1b");
    }

    proptest! {
        #[test]
        fn no_octets_yield_a_control_character(octets in any::<Vec<u8>>()) {
            let text = escape(&octets);
            prop_assert!(!text.chars().any(is_unsafe));
            prop_assert!(text.chars().count() <= LIMIT);
            prop_assert_eq!(&escape_str(&text), &text);
        }

        #[test]
        fn no_text_yields_a_control_character(text in any::<String>(), limit in 0_usize..40) {
            let safe = escape_up_to(&text, limit);
            prop_assert!(!safe.chars().any(is_unsafe));
            prop_assert!(safe.chars().count() <= limit.max(1));
            prop_assert_eq!(&escape_up_to(&safe, limit), &safe);
        }
    }
}
