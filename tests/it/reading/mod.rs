//! `popfetch list` and `popfetch show`: reading what was fetched, with no connection.

/// What cannot be trusted: hostile mail, sample mail, and what the program may touch meanwhile.
mod hostile;
/// Which messages are listed, and how.
mod listing;
/// What stands on a terminal.
mod screen;
/// One message, its parts, and that it was read.
mod showing;

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::run::{Home, Output};

/// A Maildir that is made by hand, in a home.
pub struct Mailbox {
    pub home: Home,
    pub root: PathBuf,
}

impl Mailbox {
    /// An empty one.
    pub fn new() -> Self {
        let home = Home::new();
        let root = home.path().join("Mail/a");
        make(&root);
        Self { home, root }
    }

    /// Puts a message there, and gives its path.
    pub fn put(&self, at: &str, message: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root.join(at);
        fs::write(&path, message).unwrap();
        path
    }

    /// Runs popfetch with the Maildir.
    pub fn run(&self, arguments: &[&str], status: i32) -> Output {
        self.home.popfetch(arguments).expect(status)
    }

    /// `list --maildir` with these.
    pub fn list(&self, arguments: &[&str]) -> String {
        let maildir = ["list", "--maildir", self.root.to_str().unwrap()];
        self.run(&[&maildir, arguments].concat(), 0).stdout
    }

    /// The files of new/ and cur/.
    pub fn files(&self) -> Vec<String> {
        let mut all = Vec::new();
        for part in ["new", "cur"] {
            for entry in fs::read_dir(self.root.join(part)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                all.push(format!("{part}/{name}"));
            }
        }
        all.sort();
        all
    }
}

/// An empty Maildir.
pub fn make(root: &Path) {
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(root.join(part)).unwrap();
    }
}

/// A message of this day of November 2025 with a subject.
pub fn letter(day: u32, from: &str, subject: &str) -> String {
    format!(
        "From: {from}\nTo: me@example.com\nSubject: {subject}\nDate: {day:02} Nov 2025 12:00:00 +0000\n\
         Message-ID: <{day}@example.com>\n\nText of day {day}.\n"
    )
}
