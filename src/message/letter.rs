//! A message as a person reads it: the fields that matter, the text, and what else is in it.

use super::html;
use super::split;
use super::structure::{Part, Wrapping, parts};
use super::worked_around::encoded_words;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::{HeaderName, MessageParser, PartType};
use std::collections::HashMap;
use std::panic::catch_unwind;

/// The fields of a header that matter to a reader, in the order in which they are shown.
const FIELDS: [&str; 7] = [
    "Date",
    "From",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Message-ID",
];

/// Octets of a header that are looked at. The largest real ones have a tenth of it.
const HEADER: usize = 1024 * 1024;

/// Fields that are told from each other.
const MANY: usize = 5_000;

/// Octets of HTML that are made into text; what comes then is left out. Newsletters have a tenth of it.
const HTML: usize = 4 * 1024 * 1024;

/// What stands where a part is not shown whole.
const CUT: &str = "\n[the rest is left out]\n";

/// A message, divided into its parts.
pub struct Letter<'a> {
    octets: &'a [u8],
    /// Its parts in their order, at least one; number 1 is the first.
    pub parts: Vec<Part<'a>>,
    /// There are more parts than are told from each other.
    pub has_more: bool,
    /// Of a thing in several forms the one that is shown: the first plain text that is not empty, or
    /// else the first HTML.
    chosen: HashMap<usize, Choice>,
}

/// The first form of each kind that has text.
#[derive(Default)]
struct Choice {
    plain: Option<usize>,
    html: Option<usize>,
}

impl<'a> Letter<'a> {
    /// Takes any octets, and never fails.
    pub fn read(octets: &'a [u8]) -> Self {
        let (parts, has_more) = parts(octets);
        Self {
            octets,
            chosen: choices(&parts),
            parts,
            has_more,
        }
    }

    /// All fields of the header in their order, decoded and unfolded. Not escaped.
    pub fn fields(&self) -> Vec<(String, String)> {
        let header = self.octets.get(..HEADER).unwrap_or(self.octets);
        let fields = split::fields(header).take(MANY).map(|field| {
            let name = String::from_utf8_lossy(field.name).into_owned();
            let lines = field.value.split(|octet| *octet == b'\n');
            let unfolded: Vec<&[u8]> = lines.map(<[u8]>::trim_ascii).collect();
            let is_text = name.eq_ignore_ascii_case("Subject");
            let value = decoded(unfolded.join(&b' ').trim_ascii(), is_text);
            (name, value)
        });
        fields.collect()
    }

    /// The fields that matter to a reader.
    pub fn heading(&self) -> Vec<(&'static str, String)> {
        let all = self.fields();
        let of = |name: &'static str| {
            let found = all
                .iter()
                .filter(move |(it, _)| it.eq_ignore_ascii_case(name));
            found.map(move |(_, value)| (name, value.clone()))
        };
        FIELDS.into_iter().flat_map(of).collect()
    }

    /// The text: of what is offered in several forms the plainest one that has any.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for part in self.parts.iter().filter(|part| self.is_text(part)) {
            let more = match part.kind.as_str() {
                "text/html" => as_text(&part.text()),
                _ => part.text(),
            };
            if !text.is_empty() && !more.trim().is_empty() {
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push('\n');
            }
            text.push_str(&more);
        }
        text
    }

    /// The first part that is HTML, as it is.
    pub fn html(&self) -> Option<String> {
        let mut parts = self.parts.iter();
        let found = parts.find(|part| part.kind == "text/html" && !part.is_attachment);
        found.map(Part::text)
    }

    /// The parts that are not in the text and are no other form of it, with their numbers.
    pub fn attachments(&self) -> impl Iterator<Item = (usize, &Part<'a>)> {
        let numbered = self.parts.iter().enumerate();
        let numbered = numbered.map(|(place, part)| (place + 1, part));
        numbered.filter(|(_, part)| {
            let is_form = !part.forms.is_empty() && is_readable(part);
            !self.is_text(part) && !is_form
        })
    }

    /// Whether a part belongs to the text.
    fn is_text(&self, part: &Part<'_>) -> bool {
        is_readable(part)
            && part
                .forms
                .iter()
                .all(|form| self.chosen(form.0) == Some(form.1))
    }

    fn chosen(&self, thing: usize) -> Option<usize> {
        let choice = self.chosen.get(&thing)?;
        choice.plain.or(choice.html)
    }
}

/// For each thing in several forms; each part is looked at once.
fn choices(parts: &[Part<'_>]) -> HashMap<usize, Choice> {
    let mut choices: HashMap<usize, Choice> = HashMap::new();
    for part in parts {
        let is_plain = part.kind == "text/plain";
        let is_text = (is_plain || part.kind == "text/html") && is_readable(part);
        if part.forms.is_empty() || !is_text || part.body.trim_ascii().is_empty() {
            continue;
        }
        for (thing, form) in &part.forms {
            let choice = choices.entry(*thing).or_default();
            let first = match is_plain {
                true => &mut choice.plain,
                false => &mut choice.html,
            };
            first.get_or_insert(*form);
        }
    }
    choices
}

/// Whether a part is text for a person, and neither a program's nor meant to be saved.
fn is_readable(part: &Part<'_>) -> bool {
    let kinds = [
        "text/plain",
        "text/html",
        "text/enriched",
        "message/delivery-status",
    ];
    !part.is_attachment && kinds.contains(&part.kind.as_str())
}

/// HTML as text, as far as that goes.
pub fn as_text(source: &str) -> String {
    if source.len() <= HTML {
        return html::text_of(source);
    }
    let end = (0..=HTML).rev().find(|at| source.is_char_boundary(*at));
    let begun = source.get(..end.unwrap_or_default()).unwrap_or_default();
    html::text_of(begun) + CUT
}

impl Part<'_> {
    /// Its octets as its sender had them.
    pub fn octets(&self) -> Vec<u8> {
        let wrapping = match self.wrapping {
            Wrapping::None => return self.body.to_vec(),
            Wrapping::Base64 => "base64",
            Wrapping::QuotedPrintable => "quoted-printable",
        };
        // A header of our own, so that mail-parser sees one part, whatever this one says to be.
        let header = format!(
            "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: {wrapping}\r\n\r\n"
        );
        let whole = [header.as_bytes(), self.body].concat();
        let unwrapped = catch_unwind(|| {
            let message = MessageParser::new().with_mime_headers().parse(&whole)?;
            match &message.parts.first()?.body {
                PartType::Binary(octets) | PartType::InlineBinary(octets) => Some(octets.to_vec()),
                // It is not wrapped as it says.
                _ => None,
            }
        });
        unwrapped
            .ok()
            .flatten()
            .unwrap_or_else(|| self.body.to_vec())
    }

    /// How many octets it has, without unwrapping it.
    pub fn size(&self) -> u64 {
        let count = match self.wrapping {
            Wrapping::None | Wrapping::QuotedPrintable => self.body.len(),
            Wrapping::Base64 => {
                let digit = |octet: &&u8| !octet.is_ascii_whitespace() && **octet != b'=';
                self.body.iter().filter(digit).count() / 4 * 3
                    + self.body.iter().filter(digit).count() % 4 * 3 / 4
            }
        };
        count as u64
    }

    /// Its text. Not escaped.
    pub fn text(&self) -> String {
        let octets = self.octets();
        let named = self.charset.as_deref().unwrap_or_default();
        let plain = ["", "us-ascii", "ascii", "utf-8", "utf8"];
        let decoder = match plain.contains(&named.trim().to_ascii_lowercase().as_str()) {
            true => None,
            false => charset_decoder(named.trim().as_bytes()),
        };
        let text = match decoder {
            // A fault of a decoder leaves the octets as they are.
            Some(decoder) => catch_unwind(|| decoder(&octets)).ok(),
            None => None,
        };
        let text = text.unwrap_or_else(|| match String::from_utf8(octets) {
            Ok(text) => text,
            // What does not say what it is, and is not UTF-8, comes from Windows more often than not.
            Err(error) => match charset_decoder(b"windows-1252") {
                Some(decoder) => decoder(error.as_bytes()),
                None => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            },
        });
        text.replace("\r\n", "\n")
    }
}

/// The value of a field with its encoded words in plain text. `is_text`: as for [`encoded_words`].
fn decoded(value: &[u8], is_text: bool) -> String {
    if !value.windows(2).any(|two| two == b"=?") {
        return String::from_utf8_lossy(value).into_owned();
    }
    let field = [
        b"Subject: ",
        encoded_words(value, is_text).as_slice(),
        b"\r\n\r\n",
    ]
    .concat();
    let read = catch_unwind(|| {
        let parser = MessageParser::new()
            .header_text(HeaderName::Subject)
            .default_header_ignore();
        let message = parser.parse_headers(&field)?;
        message.subject().map(str::to_owned)
    });
    let read = read.ok().flatten();
    read.unwrap_or_else(|| String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
#[path = "letter_tests.rs"]
mod tests;
