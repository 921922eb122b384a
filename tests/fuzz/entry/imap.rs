//! The connection of IMAP: commands, a transcript of what the server sends, and its split into pieces.

use super::first_line;
use popfetch::imap::mailbox_list::from_utf7;
use popfetch::imap::{Command, Connection, Data, Event, ListedMailbox, UidSet};
use std::num::NonZeroU32;

/// A line of commands (see [`send`]), a line of which each octet is the size of a piece, and then the
/// transcript, in which a line may end in a LF alone.
pub fn run(octets: &[u8]) {
    let (commands, rest) = first_line(octets);
    let (sizes, wire) = first_line(rest);
    let sizes = sizes.iter().map(|size| usize::from(*size).max(1));
    let sizes: Vec<usize> = sizes.chain([1]).collect();
    check(commands, wire, &sizes);
}

/// The story is the same for the whole, for single octets and for these sizes.
pub fn check(commands: &[u8], wire: &[u8], sizes: &[usize]) -> Vec<String> {
    let expected = told(commands, wire, &[usize::MAX]);
    for sizes in [&[1], sizes] {
        assert_eq!(told(commands, wire, sizes), expected, "in {sizes:?}");
    }
    expected
}

/// Commands by their letters, as in `EABBHQ`.
fn send(connection: &mut Connection, letters: &[u8]) {
    let uid = NonZeroU32::MIN;
    let sets = UidSet::of([uid]);
    for letter in letters.iter().take(64) {
        let command = match letter {
            b'A' => Command::FetchAll,
            b'B' => Command::FetchBody(uid),
            b'C' => Command::Capability,
            b'E' => Command::Examine("INBOX"),
            b'H' => Command::FetchHeader(uid),
            b'P' => Command::Authenticate {
                mechanism: "PLAIN",
                initial_response: None,
            },
            b'Q' => Command::Logout,
            b'S' => Command::StoreDeleted(&sets[0]),
            b'U' => Command::Login("ada", "pässword"),
            b'X' => Command::Expunge(&sets[0]),
            _ => continue,
        };
        connection.send(command, false).unwrap();
    }
}

/// What the connection tells, in words. Adjoining octets of a message are one.
fn told(commands: &[u8], mut wire: &[u8], sizes: &[usize]) -> Vec<String> {
    let mut connection = Connection::new();
    send(&mut connection, commands);
    let mut told = Vec::new();
    let mut sizes = sizes.iter().cycle();
    // Octets of the message at hand that are still to come.
    let mut left: Option<u64> = None;
    loop {
        let event = match connection.next_event() {
            Ok(event) => event,
            Err(violation) => {
                // It stays so.
                assert_eq!(connection.next_event(), Err(violation.clone()));
                told.push(format!("{violation:?}"));
                return told;
            }
        };
        match event {
            Event::NeedInput => {
                let (_, space) = connection.buffers();
                assert!(!space.is_empty(), "there is no room, and nothing is told");
                let most = space.len().min(wire.len());
                let (piece, rest) = wire.split_at(most.min(*sizes.next().unwrap()));
                if piece.is_empty() {
                    return told;
                }
                space[..piece.len()].copy_from_slice(piece);
                connection.filled(piece.len());
                wire = rest;
            }
            Event::Octets(octets) => {
                let before = left.expect("octets of no message");
                left = Some(before.checked_sub(octets.len() as u64).expect("too many"));
                let text = octets.escape_ascii().to_string();
                match told.last_mut() {
                    Some(last) if last.starts_with("octets ") => last.push_str(&text),
                    _ => told.push(format!("octets {text}")),
                }
            }
            event => {
                if let Event::Data(Data::List(text)) = &event
                    && let Some(listed) = ListedMailbox::parse(text)
                {
                    from_utf7(&String::from_utf8_lossy(&listed.name));
                }
                match &event {
                    Event::Begins { octets, .. } => left = Some(*octets),
                    Event::Fetched(fetched) => {
                        let whole = left.take().is_none_or(|left| left == 0);
                        assert!(whole, "a message has ended early: {fetched:?}");
                    }
                    _ => assert!(left.is_none(), "within a message: {event:?}"),
                }
                told.push(format!("{event:?}"));
            }
        }
    }
}
