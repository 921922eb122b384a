//! A message on its way through the connection: byte-stuffing, and the termination octet.

use super::connection::{Asked, Told, told};

/// A body as it comes out of [`decoded`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decoded {
    /// The message's octets, as far as they are certain.
    pub content: Vec<u8>,
    /// Octets of the wire up to and with the last one that was of any use.
    pub used: usize,
    /// The termination octet was there.
    pub complete: bool,
}

/// The first octet says what to suppose: bit 0, whether the server ends its status line with CRLF;
/// the others how many octets the scan listing promised, the second octet how the wire is split.
pub fn run(octets: &[u8]) {
    let [supposed, size, wire @ ..] = octets else {
        return;
    };
    check(
        u64::from(supposed >> 1),
        supposed & 1 == 1,
        wire,
        &[usize::from(*size)],
    );
}

/// Whatever the split, the message is what the reference makes of the whole.
pub fn check(listed: u64, crlf: bool, wire: &[u8], sizes: &[usize]) {
    let expected = decoded(wire, listed, crlf);
    for sizes in [&[usize::MAX][..], &[1], sizes] {
        assert_eq!(
            received(listed, crlf, wire, sizes),
            expected,
            "in {sizes:?}"
        );
    }
    if expected.complete {
        // A message that is here needs nothing of what follows it.
        let alone = decoded(&wire[..expected.used], listed, crlf);
        assert_eq!(alone, expected);
    }
}

/// The message as the connection hands it over.
pub fn received(listed: u64, crlf: bool, wire: &[u8], sizes: &[usize]) -> Decoded {
    let status: &[u8] = if crlf {
        b"+OK\r\n+OK\r\n"
    } else {
        b"+OK\n+OK\n"
    };
    // What follows a message answers one of these, or is a violation; both are told after it.
    let whole = [status, wire].concat();
    let heard = told(&[Asked::Retr(listed)], &whole, sizes);
    let mut story = heard.story.into_iter().skip(2);
    let (mut content, mut complete) = (Vec::new(), false);
    for told in story.by_ref() {
        match told {
            Told::Body(octets) => content = octets,
            Told::End => complete = true,
            Told::Violation(_) => assert!(complete, "a body holds whatever it likes"),
            other => panic!("{other:?} inside a message"),
        }
    }
    Decoded {
        content,
        used: heard.answered.saturating_sub(status.len()),
        complete,
    }
}

/// The reference: octet by octet, with the whole of the wire before it. A line begins at the
/// beginning and after every LF. If it begins with a dot, that dot ends the message where the line
/// is nothing else, and is taken away otherwise. Between bare LFs an end is doubtful: on a server
/// that speaks CRLF it counts only once the promised octets are there, and until then the dot is
/// the message's own.
pub fn decoded(wire: &[u8], listed: u64, crlf: bool) -> Decoded {
    let mut content: Vec<u8> = Vec::new();
    let mut at = 0;
    while at < wire.len() {
        let line_begins = at == 0 || wire[at - 1] == b'\n';
        if line_begins && wire[at] == b'.' {
            let rest = &wire[at + 1..];
            if rest.is_empty() || rest == b"\r" {
                break;
            }
            let lone = if rest.starts_with(b"\r\n") {
                Some(3)
            } else if rest.starts_with(b"\n") {
                Some(2)
            } else {
                None
            };
            let after_crlf = at == 0 || wire[..at].ends_with(b"\r\n");
            let proper = lone == Some(3) && after_crlf;
            let all_there = content.len() as u64 >= listed;
            match lone {
                Some(length) if proper || !crlf || all_there => {
                    return Decoded {
                        content,
                        used: at + length,
                        complete: true,
                    };
                }
                Some(_) => content.push(b'.'),
                None => {}
            }
            at += 1;
        }
        content.push(wire[at]);
        at += 1;
    }
    Decoded {
        content,
        used: at,
        complete: false,
    }
}
