//! What a program is given to read on its standard input, and whether it has read all of it.

use rustix::io::{ioctl_fionbio, ioctl_fionread};
use rustix::pipe::fcntl_setpipe_size;
use std::io::{self, PipeReader, PipeWriter, Read, Write};

/// How large the pipe is made, at most, so that all is in it before the program begins: Linux allows
/// everybody so much. Were popfetch killed in the middle, the program would take half of it for the
/// whole.
const PIPE: usize = 1024 * 1024;

/// What is read at once.
const PIECE: usize = 64 * 1024;

/// Octets for a program. They go through a pipe: a socket cannot be opened again by its name, as in
/// `grep -f /dev/stdin`.
pub(super) struct Input<R> {
    source: R,
    piece: Vec<u8>,
    given: usize,
    /// Until all is written: the program waits for the end of it.
    writer: Option<PipeWriter>,
    /// Held open, so that what the program has not read stays in the pipe and can be counted.
    rest: PipeReader,
}

impl<R: Read> Input<R> {
    /// Writes what there is room for, out of about `octets`. Also gives the end that the program reads
    /// from.
    pub(super) fn new(source: R, octets: u64) -> io::Result<(Self, PipeReader)> {
        let (reader, writer) = io::pipe()?;
        let wanted = usize::try_from(octets).map_or(PIPE, |octets| octets.saturating_add(PIECE));
        // A smaller one does as well, but for a kill.
        let _ = fcntl_setpipe_size(&writer, wanted.min(PIPE));
        ioctl_fionbio(&writer, true)?;
        let mut input = Self {
            source,
            piece: Vec::new(),
            given: 0,
            writer: Some(writer),
            rest: reader.try_clone()?,
        };
        input.feed()?;
        Ok((input, reader))
    }

    /// Writes as much as there is room for, and ends it behind the last octet.
    pub(super) fn feed(&mut self) -> io::Result<()> {
        while let Some(writer) = &mut self.writer {
            let left = self.piece.get(self.given..).unwrap_or_default();
            if left.is_empty() {
                self.piece.resize(PIECE, 0);
                let count = self.source.read(&mut self.piece)?;
                self.piece.truncate(count);
                self.given = 0;
                if count == 0 {
                    self.writer = None;
                }
                continue;
            }
            match writer.write(left) {
                Ok(written) => self.given += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Where there may be room for more.
    pub(super) fn waits_for(&self) -> Option<&PipeWriter> {
        self.writer.as_ref()
    }

    /// Whether all of it was read. What is in the pipe when the program has ended somebody else may still
    /// read: the program has not.
    pub(super) fn is_read(&self) -> bool {
        self.writer.is_none() && ioctl_fionread(&self.rest).is_ok_and(|left| left == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_in_the_pipe_was_not_read_whoever_holds_it() {
        let (input, mut reader) = Input::new(&b"A: b\n\n"[..], 6).unwrap();
        assert!(!input.is_read(), "held");
        reader.read_exact(&mut [0; 5]).unwrap();
        assert!(!input.is_read(), "all but an octet");
        let another = reader.try_clone().unwrap();
        drop(reader);
        assert!(!input.is_read(), "held by another");
        let mut another = another;
        assert_eq!(another.read_to_end(&mut Vec::new()).unwrap(), 1);
        assert!(input.is_read());
    }

    #[test]
    fn what_there_was_no_room_for_was_not_read() {
        let octets = vec![b'a'; 3 << 20];
        let (input, mut reader) = Input::new(octets.as_slice(), 3 << 20).unwrap();
        let mut piece = vec![0; 3 << 20];
        let count = reader.read(&mut piece).unwrap();
        assert!(count < octets.len() && !input.is_read());
    }
}
