//! The connection: commands, a transcript of what the server sends, and its split into pieces.

use super::{first_line, reference};
use popfetch::pop3::line::{LISTING_LINE_LIMIT, STATUS_LIMIT};
use popfetch::pop3::{Command, Connection, Event, MessageNumber, Violation};

/// A command, as far as its response depends on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    Auth,
    Capa,
    Dele,
    List,
    Noop,
    Quit,
    /// How many octets the scan listing promised.
    Retr(u64),
    Stat,
    Top,
    Uidl,
}

/// An event, kept. Adjoining chunks of a body are one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Told {
    Reply(bool, Vec<u8>),
    Challenge(Vec<u8>),
    Line(Vec<u8>),
    OverlongLine,
    Body(Vec<u8>),
    End,
    Violation(Broken),
}

/// A violation, without its words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Broken {
    EndlessLine,
    NoStatus,
    Unsolicited,
}

/// What came of a transcript.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Heard {
    pub story: Vec<Told>,
    /// Octets that were taken in and are not waiting for others.
    pub answered: usize,
}

/// A line of commands (see [`asked`]), a line of which each octet is the size of a piece, and then
/// the transcript.
pub fn run(octets: &[u8]) {
    let (commands, rest) = first_line(octets);
    let (sizes, wire) = first_line(rest);
    let sizes: Vec<usize> = sizes.iter().map(|size| usize::from(*size)).collect();
    check(&asked(commands), wire, &sizes);
}

/// Commands by their first letters, `R` with the listed octets behind it, as in `CSULR120NQ`.
pub fn asked(letters: &[u8]) -> Vec<Asked> {
    let mut asked: Vec<Asked> = Vec::new();
    for letter in letters.iter().take(64) {
        match (letter, asked.last_mut()) {
            (digit @ b'0'..=b'9', Some(Asked::Retr(octets))) => {
                *octets = octets
                    .saturating_mul(10)
                    .saturating_add(u64::from(digit - b'0'));
            }
            (b'A', _) => asked.push(Asked::Auth),
            (b'C', _) => asked.push(Asked::Capa),
            (b'D', _) => asked.push(Asked::Dele),
            (b'L', _) => asked.push(Asked::List),
            (b'N', _) => asked.push(Asked::Noop),
            (b'Q', _) => asked.push(Asked::Quit),
            (b'R', _) => asked.push(Asked::Retr(0)),
            (b'S', _) => asked.push(Asked::Stat),
            (b'T', _) => asked.push(Asked::Top),
            (b'U', _) => asked.push(Asked::Uidl),
            _ => {}
        }
    }
    asked
}

/// The story is the same for the whole, for single octets and for these sizes, and it is the one
/// that the reference tells.
pub fn check(asked: &[Asked], wire: &[u8], sizes: &[usize]) -> Vec<Told> {
    let expected = reference::told(asked, wire);
    for sizes in [&[usize::MAX][..], &[1], sizes] {
        assert_eq!(told(asked, wire, sizes).story, expected, "in {sizes:?}");
    }
    expected
}

/// What the connection tells when all commands are sent first, and the wire comes in pieces of
/// `sizes`, over and over.
pub fn told(asked: &[Asked], wire: &[u8], sizes: &[usize]) -> Heard {
    let mut driver = Driver::new();
    for asked in asked {
        driver.send(*asked);
    }
    driver.listen();
    driver.receive(wire, sizes);
    driver.heard()
}

/// What the connection tells when each command is sent after the response to the one before it.
/// The first reply is the greeting.
pub fn conversation(greeting: &[u8], exchanges: &[(Asked, &[u8])], sizes: &[usize]) -> Vec<Told> {
    let mut driver = Driver::new();
    driver.receive(greeting, sizes);
    for (asked, response) in exchanges {
        driver.send(*asked);
        driver.receive(response, sizes);
    }
    driver.heard().story
}

/// Drives a connection as `session` does, and holds it to what it promises on the way.
struct Driver {
    connection: Connection,
    capacity: usize,
    story: Vec<Told>,
    body: Vec<u8>,
    sent: usize,
    fed: usize,
    steps: usize,
    violation: Option<Violation>,
}

impl Driver {
    fn new() -> Self {
        let mut connection = Connection::new();
        Self {
            capacity: connection.space().len(),
            connection,
            story: Vec::new(),
            body: Vec::new(),
            sent: 1,
            fed: 0,
            steps: 0,
            violation: None,
        }
    }

    fn send(&mut self, asked: Asked) {
        let first = MessageNumber::new(1).unwrap();
        let command = match asked {
            Asked::Auth => Command::Auth {
                mechanism: "PLAIN",
                initial_response: None,
            },
            Asked::Capa => Command::Capa,
            Asked::Dele => Command::Dele(first),
            Asked::List => Command::List,
            Asked::Noop => Command::Noop,
            Asked::Quit => Command::Quit,
            Asked::Retr(octets) => Command::Retr(first, octets),
            Asked::Stat => Command::Stat,
            Asked::Top => Command::Top(first, 0),
            Asked::Uidl => Command::Uidl,
        };
        self.connection.send(command).unwrap();
        self.sent += 1;
        let written = self.connection.buffers().0.len();
        self.connection.sent(written);
        assert_eq!(self.connection.buffers().0, b"", "all of it was sent");
    }

    fn receive(&mut self, mut wire: &[u8], sizes: &[usize]) {
        let mut sizes = sizes.iter().copied().cycle();
        while !wire.is_empty() && self.violation.is_none() {
            let space = self.connection.space();
            assert!(!space.is_empty(), "whoever wants octets has room for them");
            let size = sizes.next().unwrap_or(1).max(1);
            let size = size.min(wire.len()).min(space.len());
            let (piece, rest) = wire.split_at(size);
            space[..size].copy_from_slice(piece);
            self.connection.filled(size);
            self.fed += size;
            wire = rest;
            self.listen();
        }
    }

    /// Takes events until the connection wants more octets.
    fn listen(&mut self) {
        loop {
            // Each event is about an octet at least, but for the end of a body.
            self.steps += 1;
            assert!(self.steps <= 4 * self.fed + self.sent + 100, "no progress");
            let wants_input = self.connection.wants_input();
            let told = match self.connection.next_event() {
                Ok(Event::NeedInput) => {
                    assert_eq!(wants_input, Ok(true));
                    assert!(self.waiting() <= STATUS_LIMIT, "nothing is hoarded");
                    return;
                }
                Ok(Event::Body(octets)) => {
                    assert!(!octets.is_empty(), "a chunk is something");
                    self.body.extend(octets);
                    continue;
                }
                Ok(Event::Reply(reply)) => {
                    assert!(reply.text.len() <= STATUS_LIMIT);
                    Told::Reply(reply.ok, reply.text.to_vec())
                }
                Ok(Event::Challenge(text)) => Told::Challenge(text.to_vec()),
                Ok(Event::Line(line)) => {
                    assert!(line.len() <= LISTING_LINE_LIMIT);
                    Told::Line(line.to_vec())
                }
                Ok(Event::OverlongLine) => Told::OverlongLine,
                Ok(Event::End | Event::MessageEnd(_)) => Told::End,
                Err(violation) => return self.violated(violation),
            };
            self.end_body();
            self.story.push(told);
            assert!(self.connection.pending() <= self.sent);
        }
    }

    /// Nothing but the same violation comes after one.
    fn violated(&mut self, violation: Violation) {
        for _ in 0..3 {
            assert_eq!(self.connection.wants_input(), Err(violation.clone()));
            assert_eq!(self.connection.next_event(), Err(violation.clone()));
        }
        let text = violation.to_string();
        assert!(text.chars().all(|c| c.is_ascii_graphic() || c == ' '));
        assert!(text.len() < 400, "{text}");
        self.end_body();
        self.story.push(Told::Violation(match violation {
            Violation::EndlessLine(_) => Broken::EndlessLine,
            Violation::Endless(of) => panic!("a {of}: its length is the session's affair"),
            Violation::NoStatus(_) => Broken::NoStatus,
            Violation::Unsolicited | Violation::Idle => Broken::Unsolicited,
        }));
        self.violation = Some(violation);
    }

    fn end_body(&mut self) {
        if !self.body.is_empty() {
            self.story.push(Told::Body(std::mem::take(&mut self.body)));
        }
    }

    fn waiting(&mut self) -> usize {
        self.capacity - self.connection.space().len()
    }

    fn heard(mut self) -> Heard {
        self.end_body();
        Heard {
            answered: self.fed - self.waiting(),
            story: self.story,
        }
    }
}
