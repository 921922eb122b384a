//! Messages as their senders and the servers on their way made them, and what the server that
//! keeps them adds later.

use std::fmt::Write as _;

/// A message by itself. Its place in the list of all is how the tests know it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Content {
    header: String,
    body: String,
}

/// What the server has added to the header of one of its messages.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Added {
    /// Before the first field: a server on the way of a migration.
    pub top: Vec<String>,
    /// Behind the last one: what an mbox server notes.
    pub bottom: Vec<String>,
}

/// In the fields that a migration adds, and in no other.
pub const MIGRATED: &str = "with migration id";

/// The fields that a server may add or change, lower case.
const NOTES: [&str; 6] = [
    "status:",
    "x-status:",
    "x-uid:",
    "x-keywords:",
    "x-imapbase:",
    "lines:",
];

impl Content {
    /// The message of this place in the list. All differ in all that matters, but messages of one
    /// length can be made: see [`Content::lengthened`].
    pub fn new(serial: usize, has_message_id: bool) -> Self {
        let mut header = received(serial, "local");
        header.push_str(&received(serial, "relay"));
        let _ = write!(
            header,
            "Date: Wed, 25 Nov 2026 10:{:02}:{:02} +0100\r\nFrom: Ada <ada{serial}@example.org>\r\n",
            serial / 60 % 60,
            serial % 60,
        );
        if has_message_id {
            let _ = write!(header, "Message-ID: <m{serial}@example.org>\r\n");
        }
        let _ = write!(header, "Subject: Letter {serial}\r\n");
        let body = format!("This is letter {serial}.\r\n..\r\n");
        Self { header, body }
    }

    /// The same message on another way: sent to two addresses that end in one maildrop.
    pub fn second_copy(&self, serial: usize) -> Self {
        let rest = self.header.find("Date:").unwrap();
        let header = received(serial, "local") + &received(serial, "list") + &self.header[rest..];
        let body = self.body.clone();
        Self { header, body }
    }

    /// The same with so many octets more.
    pub fn lengthened(mut self, octets: usize) -> Self {
        self.body.insert_str(0, &"y".repeat(octets));
        self
    }

    /// As the server sends it.
    pub fn octets(&self, added: &Added) -> Vec<u8> {
        (self.top(added) + &self.body).into_bytes()
    }

    /// Its header and the empty line, as the server sends them.
    pub fn top(&self, added: &Added) -> String {
        let lines = |lines: &[String]| -> String {
            lines.iter().map(|line| format!("{line}\r\n")).collect()
        };
        lines(&added.top) + &self.header + &lines(&added.bottom) + "\r\n"
    }

    /// As it is stored, without what servers add.
    pub fn stored(&self) -> String {
        (self.top(&Added::default()) + &self.body).replace("\r\n", "\n")
    }
}

fn received(serial: usize, place: &str) -> String {
    format!(
        "Received: from mx by {place}.example.com with ESMTPS id {place}{serial};\r\n\tWed, 25 Nov 2026 09:00:00 +0000\r\n"
    )
}

/// A stored message without what servers add; a message is the same with and without it.
pub fn without_notes(stored: &str) -> String {
    let (header, body) = stored.split_once("\n\n").unwrap_or((stored, ""));
    let own = |line: &&str| {
        let line = line.to_lowercase();
        !line.contains(MIGRATED) && !NOTES.iter().any(|note| line.starts_with(note))
    };
    let own: Vec<&str> = header.split('\n').filter(own).collect();
    own.join("\n") + "\n\n" + body
}
