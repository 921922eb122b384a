//! The fields of a header, as they are written: where one begins, where it ends, and where they all do.
//! Whatever reads a header for people or for rules reads it by this, so that none sees a field that
//! another misses.

/// A field with the lines that are folded below it (RFC 5322 section 2.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Field<'a> {
    /// What stands before the colon: printable ASCII without spaces, not empty.
    pub(super) name: &'a [u8],
    /// What stands behind it, line ends included.
    pub(super) value: &'a [u8],
    /// All of it.
    pub(super) whole: &'a [u8],
}

/// The fields of a header in their order. What is no field, as the first line of an mbox, is left out with
/// what is folded below it.
pub(super) fn fields(header: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut lines = header.split_inclusive(|octet| *octet == b'\n').peekable();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let line = lines.next_if(|line| !ends_header(line))?;
            let begin = at;
            at += line.len();
            while let Some(folded) = lines.next_if(|line| is_folded(line)) {
                at += folded.len();
            }
            let whole = header.get(begin..at).unwrap_or_default();
            let colon = line.iter().position(|octet| *octet == b':');
            let Some((name, value)) = colon.and_then(|colon| whole.split_at_checked(colon)) else {
                continue;
            };
            let name = name.trim_ascii_end();
            if !name.is_empty() && name.iter().all(u8::is_ascii_graphic) {
                let value = value.get(1..).unwrap_or_default();
                return Some(Field { name, value, whole });
            }
        }
    })
}

/// The last field of this name, if the header has one.
pub(super) fn last<'a>(header: &'a [u8], name: &str) -> Option<Field<'a>> {
    let is_it = |field: &Field<'_>| field.name.eq_ignore_ascii_case(name.as_bytes());
    fields(header).filter(is_it).last()
}

/// Whether a line is the empty one behind a header. One of spaces goes on with the field before it.
pub(super) fn ends_header(line: &[u8]) -> bool {
    !is_folded(line) && line.trim_ascii().is_empty()
}

fn is_folded(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_its_folded_lines_and_what_is_none_has_nothing() {
        let header =
            b"From ada Mon Nov 23\n folded: x\nA: 1\r\n \r\n\t2\r\nno field\r\n below: it\r\n\
            B :3\r\n: 4\r\nA: 5\r\n\r\nC: body\r\n";
        let found: Vec<_> = fields(header)
            .map(|it| (it.name.to_vec(), it.value.to_vec()))
            .collect();
        let wanted = [
            (&b"A"[..], &b" 1\r\n \r\n\t2\r\n"[..]),
            (b"B", b"3\r\n"),
            (b"A", b" 5\r\n"),
        ];
        assert_eq!(
            found,
            wanted.map(|(name, value)| (name.to_vec(), value.to_vec()))
        );
        assert_eq!(last(header, "a").unwrap().whole, b"A: 5\r\n");
        assert_eq!(last(header, "C"), None);
        assert_eq!(fields(b" folded: x\r\nA: b\r\n").count(), 1);
    }
}
