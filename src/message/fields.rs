//! What makes a message the same message (E11), however a server rewrites it: its body, and a few
//! header fields that are written once and for all.
//!
//! Fields that servers add or rewrite (Status, X-UID, X-Keywords and many more) are never listed
//! completely; those that make a message are few. Each is kept as the beginning of its SHA-256:
//! whoever sends a message can write the fields of another one anyhow, but not the Received fields
//! that the recipient's own servers put on top.

use crate::term::{hex, is_hex, unhex};
use sha2::{Digest, Sha256};
use std::fmt;

/// A field's hash; zeros where there is none.
type Mark = [u8; 8];

const NONE: Mark = [0; 8];

/// Received fields that count, from the oldest up. Mail that went through more hops is going in
/// circles.
const RECEIVED_LIMIT: usize = 255;

/// The fields that make a message (RFC 5322 section 3.6).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Fields {
    message_id: Mark,
    date: Mark,
    from: Mark,
    /// The last Received field of the header, which the first server wrote.
    oldest: Mark,
    /// Over all Received fields, in their order.
    received: Mark,
    /// How many Received fields there are.
    hops: u8,
}

/// What is remembered of a stored message, to know it again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Evidence {
    /// The fields of its header.
    pub fields: Fields,
    /// The beginning of the SHA-256 of its body as it is stored, without empty lines at its end.
    pub body: [u8; 16],
    /// Its lines, as stored: with a CR for each, it had so many more octets on the way.
    pub lines: u64,
    /// Whether the octets that came were those that the server had listed.
    pub size: Size,
}

/// How a message's octets and its listed size agree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Size {
    /// As far as sizes go, it is what was listed.
    Exact,
    /// Nothing explains the difference.
    Off,
    /// Nothing was listed, or nobody has looked.
    Unknown,
}

/// The Received fields of a header one by one, from the newest to the oldest.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Trail(Vec<Mark>);

impl Trail {
    /// Over the oldest so many fields; `None` where there are not so many.
    fn oldest(&self, hops: u8) -> Option<Mark> {
        let newer = self.0.len().checked_sub(usize::from(hops))?;
        self.0.get(newer..).map(chain)
    }
}

impl Fields {
    /// Of a message's header; what follows the first empty line is not looked at.
    pub fn read(header: &[u8]) -> (Self, Trail) {
        let (mut fields, mut trail) = (Self::default(), Trail::default());
        let mut lines = header.split(|octet| *octet == b'\n').map(without_cr);
        let mut line = lines.next();
        while let Some(first) = line.filter(|line| !line.is_empty()) {
            let mut field = first.to_vec();
            line = lines.next();
            while let Some(folded) = line.filter(|line| matches!(line.first(), Some(b' ' | b'\t')))
            {
                field.extend(folded);
                line = lines.next();
            }
            fields.take_in(&field, &mut trail);
        }
        let newer = trail.0.len().saturating_sub(RECEIVED_LIMIT);
        trail.0.drain(..newer);
        fields.hops = u8::try_from(trail.0.len()).unwrap_or(u8::MAX);
        fields.received = chain(&trail.0);
        fields.oldest = trail.0.last().copied().unwrap_or(NONE);
        (fields, trail)
    }

    fn take_in(&mut self, field: &[u8], trail: &mut Trail) {
        let Some(colon) = memchr::memchr(b':', field) else {
            return;
        };
        let (name, value) = field.split_at(colon);
        let value = value.get(1..).unwrap_or_default();
        let first = |place: &mut Mark| {
            // Of a field that must not be there twice the first counts.
            if *place == NONE {
                *place = mark(value);
            }
        };
        match name.trim_ascii_end().to_ascii_lowercase().as_slice() {
            b"message-id" => first(&mut self.message_id),
            b"date" => first(&mut self.date),
            b"from" => first(&mut self.from),
            b"received" => trail.0.push(mark(value)),
            _ => {}
        }
    }

    /// Whether there is enough to say by a header alone that two messages are the same.
    pub fn can_tell(&self) -> bool {
        self.message_id != NONE || self.hops > 0
    }

    /// Whether servers have written down the way it came.
    pub fn has_trail(&self) -> bool {
        self.hops > 0
    }

    /// Whether no other message has the very same text, as far as senders keep to RFC 5322.
    pub fn is_one_of_its_kind(&self) -> bool {
        self.message_id != NONE || self.date != NONE
    }

    /// Whether who wrote it has named and dated it, so that nothing else has the very same text as long as
    /// programs keep to RFC 5322 (section 3.6.4).
    pub fn names_one_text(&self) -> bool {
        ![self.message_id, self.date, self.from].contains(&NONE)
    }

    /// Whether this header, as a server shows it, is certainly that of the message these fields are
    /// of: servers may have put Received fields on top of it meanwhile. That it is not so proves
    /// nothing.
    pub fn are_of(&self, header: &[u8]) -> bool {
        let (other, trail) = Self::read(header);
        self.can_tell()
            && self.message_id == other.message_id
            && self.date == other.date
            && self.from == other.from
            && trail.oldest(self.hops) == Some(self.received)
    }
}

impl Evidence {
    /// Some octets that are the same for a message under whatever name.
    pub fn key(&self) -> [u8; 4] {
        key(&self.body, &self.fields.message_id)
    }

    /// Whether two readings under one unique-id are of one message.
    pub fn agrees(&self, other: &Self) -> bool {
        let (one, other_fields) = (&self.fields, &other.fields);
        let either = one.message_id != NONE || other_fields.message_id != NONE;
        let fields = match either {
            true => one.message_id == other_fields.message_id,
            false => {
                one.date == other_fields.date
                    && one.oldest != NONE
                    && one.oldest == other_fields.oldest
            }
        };
        self.body == other.body && fields
    }

    /// Whether a message under a name that is not known is this stored one: body, Message-ID and
    /// all Received fields that were there must be the same. Where nothing was written on the way
    /// nothing tells two copies apart, and they count as two.
    pub fn is_of(&self, other: &Self, trail: &Trail) -> bool {
        self.fields.has_trail()
            && self.body == other.body
            && self.fields.message_id == other.fields.message_id
            && trail.oldest(self.fields.hops) == Some(self.fields.received)
    }

    /// Of what `Display` wrote, what is remembered. `None` says nothing but that it is to be read in
    /// full.
    pub fn glance(text: &[u8]) -> Option<(Size, [u8; 4])> {
        let (first, rest) = text.split_first()?;
        let (lines, marks) = rest.split_at_checked(memchr::memchr(b':', rest)?)?;
        let marks = marks.get(1..)?;
        let in_order = (1..=18).contains(&lines.len())
            && lines.iter().all(u8::is_ascii_digit)
            && marks.len() == 114
            && is_hex(marks);
        // The Message-ID comes first, and the body behind five fields.
        let message_id: [u8; 4] = unhex(marks.get(..8)?)?;
        let body: [u8; 4] = unhex(marks.get(80..88)?)?;
        let size = Size::of_letter(*first)?;
        in_order.then_some((size, key(&body, &message_id)))
    }

    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (lines, marks) = text.split_once(':')?;
        let size = Size::of_letter(*lines.as_bytes().first()?)?;
        let all: [u8; 57] = unhex(marks.as_bytes())?;
        let (marks, rest) = all.as_chunks::<8>();
        let [message_id, date, from, oldest, received, body, more] = *marks else {
            return None;
        };
        let mut whole = [0; 16];
        let halves = body.iter().chain(&more);
        whole
            .iter_mut()
            .zip(halves)
            .for_each(|(to, from)| *to = *from);
        Some(Self {
            fields: Fields {
                message_id,
                date,
                from,
                oldest,
                received,
                hops: *rest.first()?,
            },
            body: whole,
            lines: lines.get(1..)?.parse().ok()?,
            size,
        })
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = match self.size {
            Size::Exact => '=',
            Size::Off => '~',
            Size::Unknown => '?',
        };
        let fields = &self.fields;
        write!(f, "{size}{}:", self.lines)?;
        for mark in [
            fields.message_id,
            fields.date,
            fields.from,
            fields.oldest,
            fields.received,
        ] {
            f.write_str(&hex(&mark))?;
        }
        write!(f, "{}{:02x}", hex(&self.body), fields.hops)
    }
}

impl Size {
    fn of_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'=' => Self::Exact,
            b'~' => Self::Off,
            b'?' => Self::Unknown,
            _ => return None,
        })
    }
}

fn key(body: &[u8], message_id: &[u8]) -> [u8; 4] {
    let mut key = [0; 4];
    key.iter_mut()
        .zip(body.iter().zip(message_id))
        .for_each(|(place, (body, id))| *place = body ^ id);
    key
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Folding and other white space may be written anew by a server, and does not count.
fn mark(value: &[u8]) -> Mark {
    let mut hash = Sha256::new();
    let words = value.split(|octet| octet.is_ascii_whitespace());
    for word in words.filter(|word| !word.is_empty()) {
        hash.update(word);
        hash.update(b" ");
    }
    beginning(hash)
}

fn chain(received: &[Mark]) -> Mark {
    let mut hash = Sha256::new();
    received.iter().for_each(|mark| hash.update(mark));
    beginning(hash)
}

fn beginning(hash: Sha256) -> Mark {
    let mut mark = NONE;
    let octets = hash.finalize();
    mark.iter_mut()
        .zip(octets)
        .for_each(|(place, octet)| *place = octet);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"Received: from b by c; Tue\r\nReceived: from a\r\n\tby b; Mon\r\n\
        Message-ID: <1@a>\r\nDate: Mon\r\nFrom: ada\r\nSubject: x\r\n\r\nFrom: body\r\n";

    fn evidence(header: &[u8], body: u8) -> Evidence {
        Evidence {
            fields: Fields::read(header).0,
            body: [body; 16],
            lines: 7,
            size: Size::Exact,
        }
    }

    fn changed(from: &str, to: &str) -> Vec<u8> {
        let text = String::from_utf8(HEADER.to_vec()).unwrap();
        assert!(text.contains(from));
        text.replacen(from, to, 1).into_bytes()
    }

    #[test]
    fn c1_a_header_is_known_again_whatever_a_server_adds_or_folds() {
        let fields = Fields::read(HEADER).0;
        for same in [
            HEADER.to_vec(),
            changed("Subject: x", "Status: RO\r\nX-UID: 7\r\nSubject: x"),
            changed(
                "Received: from b",
                "Received: from c by d\r\nReceived: from b",
            ),
            changed("from a\r\n\tby b", "from a by\r\n b"),
            changed("\r\n", "\n"),
        ] {
            assert!(fields.are_of(&same), "{:?}", String::from_utf8_lossy(&same));
        }
    }

    #[test]
    fn c1_a_header_of_another_message_is_not_taken_for_it() {
        let fields = Fields::read(HEADER).0;
        for other in [
            changed("<1@a>", "<2@a>"),
            changed("Date: Mon", "Date: Tue"),
            changed("From: ada", "From: bob"),
            changed("from b by c", "from x by c"),
            changed("Received: from b by c; Tue\r\n", ""),
            Vec::new(),
        ] {
            assert!(
                !fields.are_of(&other),
                "{:?}",
                String::from_utf8_lossy(&other)
            );
        }
        assert!(!Fields::read(b"Subject: x\n\n").0.are_of(b"Subject: x\n\n"));
    }

    #[test]
    fn c4_a_message_under_a_new_name_is_known_by_body_id_and_the_way_it_came() {
        let stored = evidence(HEADER, 1);
        let on_top = changed(
            "Received: from b",
            "Received: from c by d\r\nReceived: from b",
        );
        let is_of = |stored: &Evidence, header: &[u8], body| {
            stored.is_of(&evidence(header, body), &Fields::read(header).1)
        };
        assert!(is_of(&stored, &on_top, 1));
        assert!(!is_of(&stored, &on_top, 2), "another body");
        assert!(
            !is_of(&stored, &changed("from a\r\n", "from z\r\n"), 1),
            "another way"
        );
        let local = b"Message-ID: <1@a>\n\n";
        assert!(!is_of(&evidence(local, 1), local, 1));
    }

    #[test]
    fn c1_two_readings_under_one_unique_id_agree_by_body_and_id() {
        let stored = evidence(HEADER, 1);
        assert!(stored.agrees(&evidence(&changed("from b by c", "from x by c"), 1)));
        assert!(!stored.agrees(&evidence(HEADER, 2)));
        assert!(!stored.agrees(&evidence(&changed("<1@a>", "<2@a>"), 1)));
        let without = changed("Message-ID: <1@a>\r\n", "");
        assert!(evidence(&without, 1).agrees(&evidence(&without, 1)));
        assert!(!stored.agrees(&evidence(&without, 1)));
    }

    #[test]
    fn evidence_is_read_as_it_was_written() {
        for size in [Size::Exact, Size::Off, Size::Unknown] {
            let written = Evidence {
                size,
                ..evidence(HEADER, 3)
            };
            assert_eq!(Evidence::parse(&written.to_string()), Some(written));
        }
        for bad in ["", "=", "=1", "=1:00", "x1:", "=-1:00"] {
            assert_eq!(Evidence::parse(bad), None, "{bad}");
        }
    }
}
