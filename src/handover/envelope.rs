//! The line `From sender date` that some programs and mbox files want before a message.

use crate::moment::Moment;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

/// The sender is among the first octets of a message, or not looked for.
const HEADER: u64 = 64 * 1024;

/// A longer address is none.
const LONGEST: usize = 254;

/// Who is taken for the sender of a message that does not say.
const NOBODY: &str = "MAILER-DAEMON";

/// The line, its ending included, of a message that was fetched at this time. The same message has the
/// same line at each try. The file is read from its beginning, and left there.
pub(super) fn from_line(file: &mut File, time: i64) -> std::io::Result<Vec<u8>> {
    let sender = sender(file)?.unwrap_or_else(|| NOBODY.to_owned());
    Ok(format!("From {sender} {}\n", Moment::as_asctime(time)).into_bytes())
}

/// The sender that the message names, if it names one. The file is read from its beginning, and left
/// there.
pub(super) fn sender(file: &mut File) -> std::io::Result<Option<String>> {
    file.seek(SeekFrom::Start(0))?;
    let sender = return_path(BufReader::new((&mut *file).take(HEADER)));
    file.seek(SeekFrom::Start(0))?;
    Ok(sender)
}

/// What the first Return-Path says, where that is an address.
fn return_path(header: impl BufRead) -> Option<String> {
    for line in header.split(b'\n') {
        let line = line.ok()?;
        if line.is_empty() {
            return None;
        }
        let Some((name, value)) = line.split_at_checked("Return-Path:".len()) else {
            continue;
        };
        if name.eq_ignore_ascii_case(b"Return-Path:") {
            let text = std::str::from_utf8(value).ok()?.trim();
            let address = text.strip_prefix('<')?.strip_suffix('>')?;
            let is_address = (1..=LONGEST).contains(&address.len())
                && address
                    .chars()
                    .all(|c| c.is_ascii_graphic() && !"<>".contains(c));
            return is_address.then(|| address.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn line(message: &str) -> String {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(message.as_bytes()).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        let line = from_line(&mut file, 1_000_000_000).unwrap();
        assert_eq!(file.stream_position().unwrap(), 0);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn the_line_names_the_sender_of_the_envelope_and_the_time_in_utc() {
        let message =
            "Received: x\nreturn-path: <ada@example.com>\nFrom: b\n\nReturn-Path: <c@d>\n";
        assert_eq!(
            line(message),
            "From ada@example.com Sun Sep  9 01:46:40 2001\n"
        );
    }

    #[test]
    fn what_is_no_address_is_not_believed() {
        for message in [
            "",
            "\n",
            "Return-Path: <>\n",
            "Return-Path: <a b>\n",
            "Return-Path: <a\u{e9}>\n",
            "Subject: x\n\nReturn-Path: <c@d>\n",
        ] {
            let line = line(message);
            assert!(line.starts_with("From MAILER-DAEMON Sun"), "{message:?}");
        }
    }
}
