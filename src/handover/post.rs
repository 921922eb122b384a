//! A message as it goes into a folder of another account: measured first, as its length is told before it.
//! What is there already may be the same ([`Comparison`]).

mod comparison;

pub use comparison::{Comparison, Likeness};

use crate::message::{Examined, Glance, dating, examine};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// What is read at once.
const PIECE: usize = 64 * 1024;

/// Of a header with more octets no more is kept, and what a server may have added to it is not told apart.
const HEADER: usize = 512 * 1024;

/// No server makes a header as long as this of one that is kept: what has more octets before its first empty
/// line is another message.
pub const LONGEST_HEADER: usize = 2 * HEADER;

/// A message as it goes into a folder: with CRLF at the ends of lines.
#[derive(Debug)]
pub struct Post {
    file: File,
    octets: u64,
    has_nul: bool,
    /// With CRLF, without the empty line behind it.
    header: Vec<u8>,
    /// Where the file goes on behind the header and its empty line; none where the header is too long.
    body: Option<u64>,
    message_id: Option<String>,
    date: i64,
}

impl Post {
    /// The message in a file with LF at the ends of lines, which was fetched at that time.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn measure(mut file: File, fetched: i64) -> io::Result<Self> {
        let mut piece = vec![0; PIECE];
        let (mut octets, mut has_nul) = (0, false);
        let mut header = Vec::new();
        let mut body = None;
        let (mut length, mut is_over) = (0, false);
        file.seek(SeekFrom::Start(0))?;
        loop {
            let count = file.read(&mut piece)?;
            let read = piece.get(..count).unwrap_or_default();
            if read.is_empty() {
                break;
            }
            length += read.len() as u64;
            octets += (read.len() + memchr::memchr_iter(b'\n', read).count()) as u64;
            has_nul |= memchr::memchr(0, read).is_some();
            if !is_over {
                header.extend_from_slice(read);
                let end = match header.starts_with(b"\n") {
                    true => Some(0),
                    false => memchr::memmem::find(&header, b"\n\n").map(|at| at + 1),
                };
                body = end.map(|end| end as u64 + 1);
                is_over = end.is_some() || header.len() > HEADER;
                header.truncate(end.unwrap_or(HEADER));
            }
        }
        if !is_over {
            body = Some(length);
        }
        let message_id = Glance::parse(&header).message_id;
        let is_plain = |id: &String| id.bytes().all(|octet| matches!(octet, b'!'..=b'~'));
        let date = dating::arrival_of(&header).unwrap_or(fetched);
        Ok(Self {
            file,
            octets,
            has_nul,
            message_id: message_id.filter(is_plain),
            date,
            header: with_crlf(&header),
            body,
        })
    }

    /// Its octets.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Whether there are NUL octets among them.
    pub fn has_nul(&self) -> bool {
        self.has_nul
    }

    /// Its Message-ID without brackets, where it has one in printable ASCII.
    pub fn message_id(&self) -> Option<&str> {
        self.message_id.as_deref()
    }

    /// When its server got it, as far as its header says so credibly, and else when it was fetched; in
    /// seconds since 1970.
    pub fn date(&self) -> i64 {
        self.date
    }

    /// Whether a message of so many octets may be the same, whatever a server has added to its header or taken
    /// away from it.
    pub fn may_have(&self, octets: u64) -> bool {
        let header = self.header.len() as u64;
        let least = self.octets.saturating_sub(header);
        // Some servers count ends of lines otherwise.
        let least = least - least / 8;
        let most = self.octets.saturating_add(self.octets / 8);
        (least..=most.saturating_add(LONGEST_HEADER as u64)).contains(&octets)
    }

    /// Whether what is not it shows by its header: it was looked for by date and size alone.
    pub fn shows_by_header(&self) -> bool {
        self.body.is_some() && self.message_id.is_none()
    }

    /// Whether a message with this header may be the same: its own is in it, whatever a server has put before
    /// or behind.
    pub fn has_header(&self, header: &[u8]) -> bool {
        let ours = without_last_end(&self.header);
        match ours.is_empty() {
            true => without_last_end(header).is_empty(),
            false => memchr::memmem::find_iter(header, ours).any(|at| {
                // Whole lines of it.
                let (before, behind) = header.split_at(at);
                let behind = behind.get(ours.len()..).unwrap_or_default();
                (before.is_empty() || before.ends_with(b"\n"))
                    && (behind.is_empty() || behind.starts_with(b"\r\n"))
            }),
        }
    }

    /// What its file is.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn examine(&mut self) -> io::Result<Examined> {
        self.file.rewind()?;
        examine(&self.file)
    }

    /// Back to its beginning.
    ///
    /// # Errors
    /// Its file cannot be used, here and below.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.file.rewind()
    }

    /// Adds some of its octets to `out`, read from so many of the file; none at its end.
    ///
    /// # Errors
    /// As above.
    pub fn read(&mut self, most: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let mut piece = vec![0; most.min(PIECE)];
        let count = self.file.read(&mut piece)?;
        push_with_crlf(piece.get(..count).unwrap_or_default(), out);
        Ok(())
    }
}

fn without_last_end(header: &[u8]) -> &[u8] {
    header.strip_suffix(b"\r\n").unwrap_or(header)
}

fn with_crlf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 32);
    push_with_crlf(octets, &mut out);
    out
}

fn push_with_crlf(octets: &[u8], out: &mut Vec<u8>) {
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                out.extend_from_slice(text);
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    pub(super) fn post(text: &[u8]) -> Post {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        Post::measure(file, 7).unwrap()
    }

    pub(super) fn read(post: &mut Post, most: usize) -> Vec<u8> {
        let mut out = Vec::new();
        post.rewind().unwrap();
        loop {
            let before = out.len();
            post.read(most, &mut out).unwrap();
            if out.len() == before {
                return out;
            }
        }
    }

    #[test]
    fn what_is_told_of_a_message_is_in_its_header() {
        let it = post(
            b"Received: by a; Mon, 23 Nov 2020 09:10:12 +0200\nDate: Sun, 22 Nov 2020 09:10:12 +0200\n\
              Message-ID: <a@b>\n\nDate: x\0\n",
        );
        assert_eq!((it.message_id(), it.date()), (Some("a@b"), 1_606_115_412));
        assert!(it.has_nul());
        let it = post(b"Subject: x\nMessage-ID: <\xc3\xa9@b>");
        assert_eq!((it.message_id(), it.date(), it.has_nul()), (None, 7, false));
        assert_eq!(post(b"").octets(), 0);
    }

    #[test]
    fn a_header_may_be_that_of_the_same_message_whatever_a_server_has_added() {
        let it = post(b"Subject: x\nTo: y\n\nbody\n");
        for same in [
            "Subject: x\r\nTo: y\r\n\r\n",
            "X: z\r\nSubject: x\r\nTo: y\r\n",
        ] {
            assert!(it.has_header(same.as_bytes()), "{same:?}");
        }
        for other in ["Subject: x\r\n\r\n", "", "Subject: x\nTo: y\n"] {
            assert!(!it.has_header(other.as_bytes()), "{other:?}");
        }
        assert!(post(b"\nbody").has_header(b"\r\n"));
        assert!(!post(b"\nbody").has_header(b"Subject: x\r\n"));
    }

    proptest! {
        #[test]
        fn octets_are_those_of_the_file_with_crlf(text in any::<Vec<u8>>(), most in 1usize..9) {
            let mut it = post(&text);
            let wire = read(&mut it, most);
            prop_assert_eq!(it.octets(), wire.len() as u64);
            let mut wanted = Vec::new();
            for octet in text {
                if octet == b'\n' {
                    wanted.push(b'\r');
                }
                wanted.push(octet);
            }
            prop_assert_eq!(wire, wanted);
        }
    }
}
