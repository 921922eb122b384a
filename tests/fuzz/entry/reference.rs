//! The protocol once more, as simply as it can be said: the whole transcript lies there, and is
//! read from its beginning to its end, with no buffer, no split and no state between calls.

use super::connection::{Asked, Broken, Told};
use popfetch::pop3::line::{ENDLESS_LINE, LISTING_LINE_LIMIT, STATUS_LIMIT};

/// What a transcript says, if it answers these commands; the greeting comes first.
pub(super) fn told(asked: &[Asked], wire: &[u8]) -> Vec<Told> {
    let mut reader = Reader {
        rest: wire,
        told: Vec::new(),
        idle: 0,
    };
    let greeted = reader.single().is_some();
    // What was asked for last says how many lines may be idle; a greeting is none.
    let may_idle = |asked: &Asked| {
        matches!(
            asked,
            Asked::Auth | Asked::Capa | Asked::List | Asked::Stat | Asked::Uidl
        )
    };
    reader.idle = if asked.last().is_some_and(may_idle) {
        4
    } else {
        0
    };
    let complete = greeted && asked.iter().all(|a| reader.response(*a).is_some());
    if complete && !reader.rest.is_empty() {
        reader.told.push(Told::Violation(Broken::Unsolicited));
    }
    reader.told
}

/// Each method returns `None` where nothing more can be told.
struct Reader<'a> {
    rest: &'a [u8],
    told: Vec<Told>,
    /// Blank lines that may still stand before an answer.
    idle: u8,
}

impl Reader<'_> {
    fn response(&mut self, asked: Asked) -> Option<()> {
        if asked == Asked::Auth {
            return self.sign_in();
        }
        let (ok, crlf) = self.single()?;
        match asked {
            Asked::Capa | Asked::List | Asked::Uidl if ok => self.listing(),
            Asked::Retr(listed) if ok => self.body(listed, crlf),
            Asked::Top if ok => self.body(0, crlf),
            _ => Some(()),
        }
    }

    /// A status line: whether it is `+OK`, and whether it ended in CRLF.
    fn single(&mut self) -> Option<(bool, bool)> {
        let (line, crlf) = self.status_line()?;
        self.status(&line, crlf)
    }

    fn status_line(&mut self) -> Option<(Vec<u8>, bool)> {
        loop {
            let (line, crlf) = self.line(STATUS_LIMIT)?;
            if self.idle == 0 {
                return Some((line, crlf));
            }
            let is_blank = |octet: &&u8| b"\r \t".contains(octet);
            let word: Vec<u8> = line.iter().skip_while(is_blank).copied().collect();
            if !word.is_empty() {
                return Some((word, crlf));
            }
            self.idle -= 1;
        }
    }

    fn status(&mut self, line: &[u8], crlf: bool) -> Option<(bool, bool)> {
        let upper = line.to_ascii_uppercase();
        let (ok, rest) = if upper.starts_with(b"+OK") {
            (true, &line[3..])
        } else if upper.starts_with(b"-ERR") {
            (false, &line[4..])
        } else {
            return self.violation(Broken::NoStatus);
        };
        if rest.first().is_some_and(u8::is_ascii_alphanumeric) {
            return self.violation(Broken::NoStatus);
        }
        let text = match rest.first() {
            Some(b' ' | b'\t') => rest.trim_ascii_start(),
            _ => rest,
        };
        self.told.push(Told::Reply(ok, text.to_vec()));
        Some((ok, crlf))
    }

    fn sign_in(&mut self) -> Option<()> {
        loop {
            let (line, crlf) = self.status_line()?;
            let is_reply = line.to_ascii_uppercase().starts_with(b"+OK");
            match line.strip_prefix(b"+") {
                Some(challenge) if !is_reply => {
                    let challenge = challenge.strip_prefix(b" ").unwrap_or(challenge);
                    self.told.push(Told::Challenge(challenge.to_vec()));
                }
                _ => return self.status(&line, crlf).map(|_| ()),
            }
        }
    }

    fn listing(&mut self) -> Option<()> {
        loop {
            let (line, _) = self.line(usize::try_from(ENDLESS_LINE).unwrap())?;
            if line == b"." {
                self.told.push(Told::End);
                return Some(());
            }
            self.told.push(match &line[..] {
                long if long.len() > LISTING_LINE_LIMIT => Told::OverlongLine,
                [b'.', line @ ..] | line => Told::Line(line.to_vec()),
            });
        }
    }

    fn body(&mut self, listed: u64, crlf: bool) -> Option<()> {
        let decoded = super::body::decoded(self.rest, listed, crlf);
        if !decoded.content.is_empty() {
            self.told.push(Told::Body(decoded.content));
        }
        self.rest = &self.rest[decoded.used..];
        decoded.complete.then(|| self.told.push(Told::End))
    }

    /// A line without its end, and whether that was CRLF. More than `most` octets before the LF
    /// are a violation, and as soon as they are there.
    fn line(&mut self, most: usize) -> Option<(Vec<u8>, bool)> {
        let newline = self.rest.iter().position(|octet| *octet == b'\n');
        if newline.unwrap_or(self.rest.len()) > most {
            return self.violation(Broken::EndlessLine);
        }
        let (line, rest) = self.rest.split_at(newline?);
        self.rest = &rest[1..];
        Some(match line.strip_suffix(b"\r") {
            Some(line) => (line.to_vec(), true),
            None => (line.to_vec(), false),
        })
    }

    fn violation<T>(&mut self, broken: Broken) -> Option<T> {
        self.told.push(Told::Violation(broken));
        None
    }
}
