//! Standard output, to which messages are written as to an mbox file, for the next program of a pipeline.
//! Whether that has kept any of them nobody can tell.

use super::mbox::write;
use super::{Answer, Letter};
use std::fs::File;
use std::io::{self, Write};

/// Writes a message; what stands before it ends with an empty line.
pub(super) fn hand(letter: &Letter, file: &mut File) -> Answer {
    let mut out = io::stdout().lock();
    let written = write(b"", letter.time, file, |octets| out.write_all(octets));
    match written.and_then(|()| out.flush()) {
        Ok(()) => Answer::Taken(None),
        Err(error) => Answer::Hangs(format!("standard output cannot be written to: {error}")),
    }
}
