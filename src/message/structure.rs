//! How a message is divided into parts (RFC 2046 section 5.1).
//!
//! mail-parser reads the fields and undoes what parts are wrapped in; where a part begins and ends is
//! found here, in one pass over the lines. mail-parser looks for the end of each multipart anew, from its
//! beginning to the end of the message (half a megabyte of parts without an end takes 3.5 seconds), and
//! drops messages within messages by recursion. Here a line is compared with at most [`DEPTH`]
//! boundaries, and a message within a message is one part, whatever is in it.

use super::split;
use super::worked_around::encoded_words;
use mail_parser::{HeaderValue, MessageParser, MimeHeaders};

/// How deep multiparts are opened; real mail has three or four levels. One that lies deeper is one part.
const DEPTH: usize = 32;

/// Parts that are told from each other; what comes then belongs to the last.
const PARTS: usize = 1_000;

/// Octets of a part's header that are read.
const HEADER: usize = 64 * 1024;

/// A part that has no parts itself.
#[derive(Clone, Debug, Default)]
pub struct Part<'a> {
    /// Its type in small letters: "text/plain".
    pub kind: String,
    /// Its charset, as it is named.
    pub charset: Option<String>,
    /// The name that its sender gave it. Neither escaped nor safe as a file's name.
    pub name: Option<String>,
    /// How its octets are wrapped.
    pub wrapping: Wrapping,
    /// Whether its sender wants it to be saved rather than shown.
    pub is_attachment: bool,
    /// Its octets as they stand in the message.
    pub body: &'a [u8],
    /// The multiparts around it that offer the same thing in several forms: which, and the how manieth
    /// form this is.
    pub forms: Vec<(usize, usize)>,
}

/// How octets are wrapped for the way (RFC 2045 section 6).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Wrapping {
    /// Not at all.
    #[default]
    None,
    /// In base64.
    Base64,
    /// Quoted-printable.
    QuotedPrintable,
}

/// A multipart whose end has not come.
struct Open {
    boundary: Vec<u8>,
    /// For multipart/alternative: its number, and how many forms have begun.
    forms: Option<(usize, usize)>,
    /// In a digest a part is a message unless it says otherwise.
    is_digest: bool,
}

/// The parts of a message in their order, at least one, and whether there are more than are told from
/// each other.
pub(super) fn parts(message: &[u8]) -> (Vec<Part<'_>>, bool) {
    let mut walk = Walk {
        message,
        stack: Vec::new(),
        parts: Vec::new(),
        multiparts: 0,
    };
    let more = walk.run();
    (walk.parts, more)
}

struct Walk<'a> {
    message: &'a [u8],
    stack: Vec<Open>,
    parts: Vec<Part<'a>>,
    multiparts: usize,
}

/// What a line says that separates parts.
struct Delimiter {
    /// The place of its multipart in the stack.
    level: usize,
    is_end: bool,
}

impl<'a> Walk<'a> {
    /// Whether there was more than could be told.
    fn run(&mut self) -> bool {
        let mut at = 0;
        loop {
            // A header, up to its empty line or the next delimiter.
            let start = at;
            let mut met = None;
            while let Some(line) = self.line(at) {
                if let Some(delimiter) = self.delimiter(line) {
                    met = Some((at, delimiter));
                    at += line.len();
                    break;
                }
                at += line.len();
                if split::ends_header(line) {
                    break;
                }
            }
            let end = met.as_ref().map_or(at, |(end, _)| *end);
            let header = self.message.get(start..end).unwrap_or_default();
            let read = Header::of(header, self.stack.last().is_some_and(|open| open.is_digest));
            if met.is_none()
                && let Some(boundary) = read.boundary
                && self.stack.len() < DEPTH
            {
                let forms = (read.part.kind == "multipart/alternative").then(|| {
                    self.multiparts += 1;
                    (self.multiparts, 0)
                });
                self.stack.push(Open {
                    boundary,
                    forms,
                    is_digest: read.part.kind == "multipart/digest",
                });
                // What stands before the first delimiter is for programs that know nothing of parts.
                let (body, next, delimiter) = self.body(at);
                let Some(delimiter) = delimiter else {
                    // It has no parts, so it is what it is.
                    if self.parts.is_empty() {
                        self.push(Part {
                            kind: "text/plain".to_owned(),
                            body,
                            ..Part::default()
                        });
                    }
                    return false;
                };
                at = next;
                if !self.turn(&delimiter, &mut at) {
                    return false;
                }
                continue;
            }
            if self.parts.len() + 1 >= PARTS {
                let body = self.message.get(at..).unwrap_or_default();
                self.push(Part { body, ..read.part });
                return true;
            }
            let (body, next, delimiter) = match met {
                Some((_, delimiter)) => (&b""[..], at, Some(delimiter)),
                None => self.body(at),
            };
            self.push(Part { body, ..read.part });
            at = next;
            match delimiter {
                Some(delimiter) if self.turn(&delimiter, &mut at) => {}
                _ => return false,
            }
        }
    }

    /// Goes to where the next part begins. Whether there is one.
    fn turn(&mut self, delimiter: &Delimiter, at: &mut usize) -> bool {
        let mut level = delimiter.level;
        let mut is_end = delimiter.is_end;
        loop {
            self.stack.truncate(level + 1);
            if !is_end {
                if let Some((_, count)) = self.stack.last_mut().and_then(|it| it.forms.as_mut()) {
                    *count += 1;
                }
                return true;
            }
            self.stack.pop();
            // What stands behind the end of a multipart is nothing.
            let (_, next, found) = self.body(*at);
            *at = next;
            match found {
                Some(found) => (level, is_end) = (found.level, found.is_end),
                None => return false,
            }
        }
    }

    /// From here to the next delimiter: the octets before it, without the line break that is its own,
    /// where the next line begins, and which it is.
    fn body(&self, start: usize) -> (&'a [u8], usize, Option<Delimiter>) {
        let mut at = start;
        while let Some(line) = self.line(at) {
            if let Some(delimiter) = self.delimiter(line) {
                let body = self.message.get(start..at).unwrap_or_default();
                let body = body.strip_suffix(b"\n").unwrap_or(body);
                let body = body.strip_suffix(b"\r").unwrap_or(body);
                return (body, at + line.len(), Some(delimiter));
            }
            at += line.len();
        }
        (self.message.get(start..).unwrap_or_default(), at, None)
    }

    /// The line that begins here, with its end.
    fn line(&self, at: usize) -> Option<&'a [u8]> {
        let rest = self.message.get(at..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        rest.get(..end)
    }

    fn delimiter(&self, line: &[u8]) -> Option<Delimiter> {
        let word = line.strip_prefix(b"--")?.trim_ascii_end();
        self.stack.iter().enumerate().rev().find_map(|(level, it)| {
            let rest = word.strip_prefix(it.boundary.as_slice())?;
            let is_end = rest == b"--";
            (is_end || rest.is_empty()).then_some(Delimiter { level, is_end })
        })
    }

    fn push(&mut self, part: Part<'a>) {
        let forms = self.stack.iter().filter_map(|open| open.forms).collect();
        self.parts.push(Part { forms, ..part });
    }
}

/// What the header of a part says.
struct Header<'a> {
    part: Part<'a>,
    boundary: Option<Vec<u8>>,
}

impl Header<'_> {
    fn of(header: &[u8], in_digest: bool) -> Self {
        let header = header.get(..HEADER).unwrap_or(header);
        // A fault of the parser leaves a part that nothing is known of.
        std::panic::catch_unwind(|| Self::read(header, in_digest)).unwrap_or(Self {
            part: Part {
                kind: "application/octet-stream".to_owned(),
                ..Part::default()
            },
            boundary: None,
        })
    }

    fn read(header: &[u8], in_digest: bool) -> Self {
        let names = [
            "Content-Type",
            "Content-Disposition",
            "Content-Transfer-Encoding",
        ];
        let fields = names.iter().filter_map(|name| split::last(header, name));
        let mut fields: Vec<u8> = fields
            .flat_map(|field| {
                [encoded_words(field.whole, false).trim_ascii_end(), b"\r\n"].concat()
            })
            .collect();
        fields.extend(b"\r\n");
        let unnamed = match in_digest {
            true => "message/rfc822",
            false => "text/plain",
        };
        let message = MessageParser::new()
            .with_mime_headers()
            .parse_headers(&fields);
        let Some(message) = message else {
            return Self {
                part: Part {
                    kind: unnamed.to_owned(),
                    ..Part::default()
                },
                boundary: None,
            };
        };
        let typed = message.content_type();
        let attribute = |name: &str| typed.and_then(|typed| typed.attribute(name));
        let kind = match typed {
            None => unnamed.to_owned(),
            // "Content-Type: text" is an old habit.
            Some(typed) => match (typed.ctype(), typed.subtype()) {
                ("text", None) => "text/plain".to_owned(),
                (kind, subtype) => format!("{kind}/{}", subtype.unwrap_or("unknown")),
            },
        };
        let is_multipart = kind.starts_with("multipart/");
        let wrapping = match message.content_transfer_encoding() {
            Some(it) if it.trim().eq_ignore_ascii_case("base64") => Wrapping::Base64,
            Some(it) if it.trim().eq_ignore_ascii_case("quoted-printable") => {
                Wrapping::QuotedPrintable
            }
            _ => Wrapping::None,
        };
        let disposition = message
            .header(mail_parser::HeaderName::ContentDisposition)
            .and_then(HeaderValue::as_content_type);
        let boundary = attribute("boundary").filter(|it| is_multipart && !it.is_empty());
        Self {
            boundary: boundary.map(|it| it.trim_end().as_bytes().to_vec()),
            part: Part {
                charset: attribute("charset").map(str::to_owned),
                name: message.attachment_name().map(str::to_owned),
                wrapping,
                is_attachment: disposition.is_some_and(|it| it.is_attachment()),
                kind: kind.to_ascii_lowercase(),
                ..Part::default()
            },
        }
    }
}

#[cfg(test)]
#[path = "structure_tests.rs"]
mod tests;
