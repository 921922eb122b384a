//! Events and streams for the tests of the reports.

use super::{Listed, Message};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

pub(super) fn listed() -> Listed<'static> {
    Listed {
        number: Some(7),
        unique_id: Some(b"uid-7"),
        octets: Some(12_345),
        folder: None,
    }
}

pub(super) fn message() -> Message<'static> {
    Message {
        listed: listed(),
        octets: 12_300,
        path: Path::new("/mail/new/1.host"),
        sha256: &[0xab; 32],
        header: b"From: Ada <ada@example.com>\r\nSubject: Hello\r\n\
            Date: Mon, 23 Nov 2026 09:10:11 +0200\r\n\r\n",
        recovered: false,
    }
}

/// A stream that keeps what was written, for all its clones.
#[derive(Clone, Default)]
pub(super) struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Buffer {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that cannot be written to.
pub(super) struct Failing {
    kind: io::ErrorKind,
    pub(super) attempts: Arc<Mutex<u32>>,
}

impl Failing {
    pub(super) fn new(kind: io::ErrorKind) -> Self {
        Self {
            kind,
            attempts: Arc::default(),
        }
    }
}

impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        *self.attempts.lock().unwrap() += 1;
        Err(self.kind.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A terminal that remembers all text that was ever drawn on it.
#[derive(Clone, Debug, Default)]
pub(super) struct Screen(Arc<Mutex<String>>);

impl Screen {
    pub(super) fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn forget(&self) {
        self.0.lock().unwrap().clear();
    }
}

impl indicatif::TermLike for Screen {
    fn width(&self) -> u16 {
        100
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}
