//! What a program is given to read on its standard input, and whether it has read all of it.

use rustix::io::{ioctl_fionbio, ioctl_fionread};
use std::io::{self, PipeReader, PipeWriter, Write};

/// Octets for a program. They go through a pipe: a socket cannot be opened again by its name, as in
/// `grep -f /dev/stdin`.
pub(super) struct Input<'a> {
    left: &'a [u8],
    /// Until all is written: the program waits for the end of it.
    writer: Option<PipeWriter>,
    /// Held open, so that what the program has not read stays in the pipe and can be counted.
    rest: PipeReader,
}

impl<'a> Input<'a> {
    /// Also gives the end that the program reads from.
    pub(super) fn new(octets: &'a [u8]) -> io::Result<(Self, PipeReader)> {
        let (reader, writer) = io::pipe()?;
        ioctl_fionbio(&writer, true)?;
        let input = Self {
            left: octets,
            writer: Some(writer),
            rest: reader.try_clone()?,
        };
        Ok((input, reader))
    }

    /// Writes as much as there is room for, and ends it behind the last octet.
    pub(super) fn feed(&mut self) -> io::Result<()> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        while !self.left.is_empty() {
            match writer.write(self.left) {
                Ok(written) => self.left = self.left.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.writer = None;
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
    use std::io::Read;

    #[test]
    fn what_is_left_in_the_pipe_was_not_read_whoever_holds_it() {
        let (mut input, mut reader) = Input::new(b"A: b\n\n").unwrap();
        input.feed().unwrap();
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
        let octets = vec![b'a'; 1 << 20];
        let (mut input, mut reader) = Input::new(&octets).unwrap();
        input.feed().unwrap();
        let mut piece = vec![0; 1 << 20];
        let count = reader.read(&mut piece).unwrap();
        assert!(count < octets.len() && !input.is_read());
    }
}
