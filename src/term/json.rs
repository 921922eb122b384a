//! JSON that may be printed on a terminal.

use super::escape::is_unsafe;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io;

/// `value` as one line of JSON with its LF.
///
/// Beside what JSON itself demands, every character that [`escape`](super::escape()) would replace
/// is written as `\uNNNN`: the same value for a program, harmless on a screen.
///
/// # Errors
/// Where `value` cannot be JSON, such as a map whose keys are no strings.
pub fn json_line<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut line = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut line, Harmless))?;
    line.push(b'\n');
    Ok(line)
}

struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_unsafe(*c)) {
            let (before, from) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            // JSON knows UTF-16 code units only; beyond U+FFFF these are two.
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = from.get(c.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hidden_characters_are_written_as_escapes() {
        let line = json_line("\x1b\u{9b}\u{7f} \u{202e}é\u{e0041}\"\\").unwrap();
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "\"\\u001b\\u009b\\u007f \\u202eé\\udb40\\udc41\\\"\\\\\"\n"
        );
    }

    proptest! {
        #[test]
        fn the_value_is_unchanged_and_on_one_harmless_line(text in any::<String>()) {
            let line = String::from_utf8(json_line(&text).unwrap()).unwrap();
            let (json, end) = line.split_at(line.len() - 1);
            prop_assert_eq!(end, "\n");
            prop_assert!(!json.chars().any(is_unsafe));
            prop_assert_eq!(serde_json::from_str::<String>(json).unwrap(), text);
        }
    }
}
