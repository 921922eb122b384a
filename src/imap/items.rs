//! FETCH, item by item (RFC 3501 section 7.4.2): what is needed of a message, and where its octets are.
//!
//! A response is read in one go, or up to a literal that is yet to come: then it is read again once that
//! is there, or, where it is the message itself, from behind it.

use super::date_time;
use super::status::number;
use super::violation::Violation;
use crate::message::{Flag, Flags};

/// Lists in lists may be so deep: real ones, of BODYSTRUCTURE, have a handful for each level of a
/// multipart message, and this one is not asked for.
pub const DEPTH_LIMIT: usize = 64;

/// A part of a message that was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Section {
    /// `BODY[]`: all of it.
    Whole,
    /// `BODY[HEADER]`
    Header,
}

/// What FETCH has said of a message, but for its octets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Fetched {
    /// UID
    pub uid: Option<u32>,
    /// RFC822.SIZE
    pub size: Option<u64>,
    /// FLAGS, as far as they mean something elsewhere. \Deleted does not: it is about the server's copy.
    pub flags: Option<Flags>,
    /// INTERNALDATE, in seconds since 1970; none where it is no date.
    pub internal_date: Option<i64>,
    /// The part that came, or is said not to be there (NIL).
    pub section: Option<Section>,
    /// It is not there.
    pub is_nil: bool,
    /// What was said of its UID or of its size is no number, or contradicts itself.
    pub is_unusable: bool,
}

impl Fetched {
    /// Whether it brought a part of a message, and does not say that it was this one.
    pub fn is_of_another(&self, uid: u32) -> bool {
        self.section.is_some() && self.uid != Some(uid)
    }
}

/// How far a response could be read.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Read<'a> {
    /// To its end.
    All,
    /// The octets of this part are next: so many.
    Octets(Section, u64),
    /// They were in the response itself, between quotation marks: here they are, still with their
    /// backslashes. The items behind them are left.
    Quoted(Section, &'a [u8], &'a [u8]),
    /// Another literal is next, of so many octets.
    Literal(u64),
}

/// Reads items up to the end of the list that they are in, whose first parenthesis has been read.
pub(super) fn read<'a>(mut text: &'a [u8], found: &mut Fetched) -> Result<Read<'a>, Violation> {
    loop {
        text = text.trim_ascii_start();
        if let Some(rest) = text.strip_prefix(b")") {
            return match rest.trim_ascii() {
                [] => Ok(Read::All),
                _ => Err(malformed(text)),
            };
        }
        let (name, rest) = name(text).ok_or_else(|| malformed(text))?;
        let (value, rest) = value(rest.trim_ascii_start())?;
        if let Value::Announced(octets) = value
            && section(name).is_none()
        {
            return Ok(Read::Literal(octets));
        }
        match (section(name), value) {
            (Some(_), _) if found.section.is_some() => return Err(Violation::TwoBodies),
            (Some(section), Value::Announced(octets)) => {
                found.section = Some(section);
                return Ok(Read::Octets(section, octets));
            }
            (Some(section), Value::Quoted(inside)) => {
                found.section = Some(section);
                return Ok(Read::Quoted(section, inside, rest));
            }
            (Some(section), Value::Plain(nil)) if nil.eq_ignore_ascii_case(b"NIL") => {
                found.section = Some(section);
                found.is_nil = true;
            }
            (Some(_), _) => return Err(malformed(text)),
            (None, Value::Plain(plain)) => note(name, plain, found),
            (None, Value::List(inside)) if name.eq_ignore_ascii_case(b"FLAGS") => {
                found.flags = Some(flags(inside));
            }
            (None, Value::Quoted(inside)) if name.eq_ignore_ascii_case(b"INTERNALDATE") => {
                found.internal_date = date_time::parse(inside);
            }
            (None, _) => {}
        }
        text = rest;
    }
}

/// Takes in a plain value.
fn note(name: &[u8], value: &[u8], found: &mut Fetched) {
    if name.eq_ignore_ascii_case(b"UID") {
        let uid = number(value).filter(|uid| *uid > 0);
        found.is_unusable |= uid.is_none() || found.uid.is_some_and(|known| Some(known) != uid);
        found.uid = uid;
    } else if name.eq_ignore_ascii_case(b"RFC822.SIZE") {
        let size = number(value);
        found.is_unusable |= size.is_none() || found.size.is_some_and(|known| Some(known) != size);
        found.size = size;
    }
}

/// The flags in a list that mean something to others than this server. What is no list of flags has none.
fn flags(inside: &[u8]) -> Flags {
    if inside
        .iter()
        .any(|octet| matches!(octet, b'(' | b'"' | b'{'))
    {
        return Flags::default();
    }
    let words = inside.split(|octet| octet.is_ascii_whitespace());
    let known = words.filter_map(|word| match word.to_ascii_lowercase().as_slice() {
        b"\\answered" => Some(Flag::Replied),
        b"\\draft" => Some(Flag::Draft),
        b"\\flagged" => Some(Flag::Flagged),
        b"\\seen" => Some(Flag::Seen),
        _ => None,
    });
    known.collect()
}

fn section(name: &[u8]) -> Option<Section> {
    match name.to_ascii_uppercase().as_slice() {
        b"BODY[]" => Some(Section::Whole),
        b"BODY[HEADER]" => Some(Section::Header),
        _ => None,
    }
}

/// An item's name, the section in brackets included, and what is behind it.
fn name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut in_brackets = false;
    let end = text.iter().position(|octet| {
        in_brackets = (in_brackets || *octet == b'[') && *octet != b']';
        !in_brackets && matches!(octet, b' ' | b'(' | b')' | b'"' | b'\r' | b'\n')
    })?;
    (end > 0).then(|| text.split_at(end))
}

/// An item's value.
#[derive(Debug, Eq, PartialEq)]
enum Value<'a> {
    /// An atom, a number or NIL.
    Plain(&'a [u8]),
    /// What stands between quotation marks, backslashes included.
    Quoted(&'a [u8]),
    /// A list, but for its parentheses.
    List(&'a [u8]),
    /// A literal that has come already.
    Passed,
    /// A literal of so many octets, which are next on the wire.
    Announced(u64),
}

/// A value, and what is behind it.
fn value(text: &[u8]) -> Result<(Value<'_>, &[u8]), Violation> {
    let mut depth = 0usize;
    let mut rest = text;
    loop {
        let (value, behind) = match rest.first() {
            Some(b'(') => {
                depth += 1;
                if depth > DEPTH_LIMIT {
                    return Err(Violation::TooDeep);
                }
                (Value::Passed, rest.get(1..).unwrap_or_default())
            }
            Some(b')') if depth > 0 => {
                depth -= 1;
                (Value::Passed, rest.get(1..).unwrap_or_default())
            }
            Some(b'"') => quoted(rest).ok_or_else(|| malformed(text))?,
            Some(b'{' | b'~') => literal(rest).ok_or_else(|| malformed(text))?,
            _ => plain(rest).ok_or_else(|| malformed(text))?,
        };
        if matches!(value, Value::Announced(_)) {
            return Ok((value, behind));
        }
        if depth == 0 {
            let length = text.len() - behind.len();
            return Ok(match text.first() {
                Some(b'(') => (
                    Value::List(text.get(1..length - 1).unwrap_or_default()),
                    behind,
                ),
                _ => (value, behind),
            });
        }
        rest = behind.trim_ascii_start();
    }
}

fn plain(text: &[u8]) -> Option<(Value<'_>, &[u8])> {
    // Brackets are parts of names in lists, and flags have a backslash.
    let ends = |octet: &u8| matches!(octet, b' ' | b'(' | b')' | b'"' | b'{' | b'\r' | b'\n');
    let end = text.iter().position(ends)?;
    let (value, rest) = text.split_at(end);
    (end > 0).then_some((Value::Plain(value), rest))
}

fn quoted(text: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let (inside, rest) = up_to_quote(text.get(1..)?)?;
    Some((Value::Quoted(inside), rest))
}

/// What stands before the closing quotation mark, still with its backslashes, and what stands behind it.
pub(super) fn up_to_quote(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    let end = text.iter().position(|octet| {
        let ends = !escaped && *octet == b'"';
        escaped = !escaped && *octet == b'\\';
        ends
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// What stands between quotation marks, without its backslashes.
pub(super) fn unquoted(inside: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(inside.len());
    let mut escaped = false;
    for octet in inside {
        escaped = !escaped && *octet == b'\\';
        if !escaped {
            plain.push(*octet);
        }
    }
    plain
}

/// A literal: its octets stand behind the line end, or are yet to come.
fn literal(text: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let end = text.iter().position(|octet| *octet == b'\n')?;
    let (line, behind) = text.split_at_checked(end + 1)?;
    let octets = announced(line)?;
    // No other token has a brace in it.
    if line.iter().filter(|octet| **octet == b'{').count() != 1 {
        return None;
    }
    if behind.is_empty() && octets > 0 {
        return Some((Value::Announced(octets), behind));
    }
    let length = usize::try_from(octets).ok()?;
    if behind.is_empty() {
        // An empty literal: whether the line goes on behind it is yet to come, too.
        return Some((Value::Announced(0), behind));
    }
    Some((Value::Passed, behind.get(length..)?))
}

/// How many octets follow a line as its literal, if it ends in one: `{12}` or `~{12}`.
pub(super) fn announced(line: &[u8]) -> Option<u64> {
    let line = line.trim_ascii_end().strip_suffix(b"}")?;
    let start = line.iter().rposition(|octet| *octet == b'{')?;
    let digits = line.get(start + 1..)?;
    number(digits.strip_suffix(b"+").unwrap_or(digits))
}

fn malformed(text: &[u8]) -> Violation {
    Violation::Malformed(text.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &str) -> (Result<Read<'_>, Violation>, Fetched) {
        let mut found = Fetched::default();
        let read = read(text.as_bytes(), &mut found);
        (read, found)
    }

    #[test]
    fn what_is_needed_is_found_among_what_is_not() {
        let (read, found) = reading(
            "FLAGS (\\Seen $Junk) uid 7 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" \
             BODY[HEADER.FIELDS (DATE FROM)]<0> {4}\r\na) b RFC822.SIZE 44 \
             ENVELOPE (NIL \"a \\\") b\" ((\"x\" NIL)) {3}\r\n) (()) MODSEQ (12))\r\n",
        );
        assert_eq!(read, Ok(Read::All));
        assert_eq!((found.uid, found.size), (Some(7), Some(44)));
        assert_eq!(found.section, None);
    }

    #[test]
    fn flags_and_the_date_are_read_and_what_is_none_is_passed_over() {
        let (read, found) = reading(
            "UID 7 flags (\\SEEN $Junk \\flagged \\Recent \\Deleted \\Seenest) \
             InternalDate \"17-Jul-1996 02:44:25 -0700\")",
        );
        assert_eq!(read, Ok(Read::All));
        let flags = [Flag::Seen, Flag::Flagged].into_iter().collect();
        assert_eq!(found.flags, Some(flags));
        assert_eq!(found.internal_date, Some(837_596_665));
        for strange in [
            "FLAGS () INTERNALDATE NIL)".to_owned(),
            "FLAGS ((\\Seen)) INTERNALDATE \"\")".to_owned(),
            "FLAGS (\"\\Seen\") INTERNALDATE \"soon\")".to_owned(),
            "FLAGS ({6}\r\n\\Seen ) INTERNALDATE (\"17-Jul-1996 02:44:25 -0700\"))".to_owned(),
            "FLAGS \\Seen INTERNALDATE {26}\r\n17-Jul-1996 02:44:25 -0700)".to_owned(),
            format!("FLAGS ({}))", "\\Unseen $x ".repeat(20_000)),
        ] {
            let (read, found) = reading(&strange);
            assert_eq!(read, Ok(Read::All), "{}", &strange[..20]);
            assert!(found.flags.unwrap_or_default().is_empty(), "{strange}");
            assert_eq!(found.internal_date, None);
        }
        let (_, found) = reading(&format!("FLAGS ({}\\Draft))", "\\Answered ".repeat(1000)));
        let flags = [Flag::Replied, Flag::Draft].into_iter().collect();
        assert_eq!(found.flags, Some(flags));
    }

    #[test]
    fn the_octets_of_a_message_are_announced_by_whatever_stands_before_them() {
        let (read, found) = reading("UID 7 BODY[] {300}\r\n");
        assert_eq!(read, Ok(Read::Octets(Section::Whole, 300)));
        assert_eq!(found.uid, Some(7));
        let (read, _) = reading("BODY[HEADER] {0}\r\n");
        assert_eq!(read, Ok(Read::Octets(Section::Header, 0)));
        let (read, _) = reading("FLAGS (\\Seen) ENVELOPE (NIL {12}\r\n");
        assert_eq!(read, Ok(Read::Literal(12)));
        let (read, found) = reading("BODY[] \"a\\\"b\\\\\" UID 3)");
        assert_eq!(
            read,
            Ok(Read::Quoted(Section::Whole, b"a\\\"b\\\\", b" UID 3)"))
        );
        assert_eq!(found.uid, None);
        assert_eq!(unquoted(b"a\\\"b\\\\"), b"a\"b\\");
        for nil in ["NIL", "nil", "Nil", "nIL"] {
            let text = format!("BODY[] {nil} UID 3)");
            let (read, found) = reading(&text);
            assert_eq!(read, Ok(Read::All));
            assert!(found.is_nil && found.section == Some(Section::Whole));
        }
    }

    #[test]
    fn what_contradicts_itself_or_is_no_response_is_an_error() {
        for wrong in [
            "UID (1))",
            "UID 1",
            "UID",
            "UID 1) 2",
            "(UID 1))",
            "BODY[] 12)",
            "BODY[] (NIL))",
            "FLAGS (a",
            "X \"never closed)",
            "X {a}\r\n)",
            "X {5}{6}\r\n",
            "",
        ] {
            let (read, _) = reading(wrong);
            let is_wrong = matches!(read, Ok(Read::Literal(_)));
            // A UID that is a list is passed over, and the message has none.
            let has_none = wrong == "UID (1))";
            assert!(read.is_err() || has_none && !is_wrong, "{wrong:?} {read:?}");
        }
        let (read, _) = reading("BODY[] NIL BODY[] {3}\r\n");
        assert_eq!(read, Err(Violation::TwoBodies));
    }

    #[test]
    fn a_uid_or_a_size_that_is_none_spoils_what_is_said_of_its_message_alone() {
        for wrong in [
            "UID 0)",
            "UID 4294967296)",
            "UID -1)",
            "UID NIL)",
            "UID 1 UID 2)",
            "UID 0 UID 2)",
            "UID 2 UID 0)",
            "RFC822.SIZE x)",
            "RFC822.SIZE 18446744073709551616)",
            "RFC822.SIZE 1 RFC822.SIZE 2)",
        ] {
            let (read, found) = reading(wrong);
            assert_eq!(read, Ok(Read::All), "{wrong}");
            assert!(found.is_unusable, "{wrong}");
        }
        let (_, found) = reading("UID 2 RFC822.SIZE 7 UID 2 RFC822.SIZE 7)");
        assert!(!found.is_unusable);
    }

    #[test]
    fn lists_are_read_as_deep_as_the_limit_and_no_deeper() {
        let nested = |depth| format!("X {}{})", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(reading(&nested(DEPTH_LIMIT)).0, Ok(Read::All));
        let deeper = nested(DEPTH_LIMIT + 1);
        assert_eq!(reading(&deeper).0, Err(Violation::TooDeep));
    }
}
