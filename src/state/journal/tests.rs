use super::*;
use crate::durable::line::seal;

/// A file that another process writes to meanwhile: each piece is there once the end of the one
/// before was reached.
struct Growing(Vec<&'static [u8]>);

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.0.first_mut() else {
            return Ok(0);
        };
        let octets = piece.read(buffer)?;
        if octets == 0 {
            self.0.remove(0);
        }
        Ok(octets)
    }
}

#[test]
fn e6_a_line_that_another_process_is_writing_is_no_damage() {
    let mut line = Vec::new();
    seal(Entry::Seen { first: 1, last: 2 }.fields(), &mut line);
    let line: &'static [u8] = line.leak();
    let (begun, rest) = line.split_at(line.len() / 2);
    let begun = [b"header\n", begun].concat().leak();
    let mut entries = Vec::new();
    let file = Growing(vec![begun, rest, line]);
    let reading = read(file, |entry, _| entries.push(entry)).unwrap();
    // What it says is for the next reader.
    let expected = Reading {
        good: b"header\n".len() as u64,
        damaged: false,
        torn: true,
        ..Reading::default()
    };
    assert_eq!((reading, entries.len()), (expected, 0));
}
