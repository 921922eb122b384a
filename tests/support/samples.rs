//! The sample mail that lies beside the project, or where `POPFETCH_TEST_MAIL` says, where it is
//! present.

use std::fs;
use std::path::{Path, PathBuf};

use super::message::Message;
use super::skip::{Lack, skip};

/// All sample messages, each with its file's name as unique-id; None where the
/// samples are absent: then the test is skipped. Files kept with LF are turned into CRLF; those whose odd line ends are their
/// point (marked crlf, cr, mixed, none) are sent byte for byte.
pub fn load() -> Option<Vec<Message>> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/mail");
    let named = std::env::var_os("POPFETCH_TEST_MAIL").map(PathBuf::from);
    let directory = named.unwrap_or_else(beside);
    let Ok(index) = fs::read_to_string(directory.join("INDEX.tsv")) else {
        let place = directory.display();
        skip(Lack::Samples, format_args!("no sample mail in {place}"));
        return None;
    };
    let messages = index.lines().skip(1).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let (file, line_ends) = (columns[0], columns[6]);
        let octets = fs::read(directory.join(file)).unwrap();
        match line_ends {
            "lf" => Message::from_lf(file, octets),
            _ => Message::new(file, octets),
        }
    });
    Some(messages.collect())
}
