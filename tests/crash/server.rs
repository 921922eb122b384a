//! A server that answers in memory, at once: every state needs two sessions with it.

use super::imap::Imap;
use popfetch::fetch::{Connect, Route};
use popfetch::net::program::Tell;
use popfetch::net::{Channel, Error, Moved};
use popfetch::profile::{Profile, Protocol};
use popfetch::stop::Stop;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Is told which messages QUIT, or EXPUNGE, has deleted.
pub type OnUpdate = Box<dyn Fn(&BTreeSet<usize>) + Send>;

/// A maildrop that sessions share.
pub struct Maildrop {
    /// What sessions speak.
    pub protocol: Protocol,
    pub messages: Vec<(String, Vec<u8>)>,
    /// These are not listed (any more).
    pub deleted: BTreeSet<usize>,
    /// These are refused.
    pub refused: BTreeSet<usize>,
    /// Called when messages have been deleted.
    pub on_update: Option<OnUpdate>,
    /// What was sent, in this order.
    pub retrieved: Vec<usize>,
}

/// Whether a message has nothing but a subject, so that its header tells nothing (E11.2): of four
/// messages one, the second.
pub fn is_bare(message: usize) -> bool {
    message % 4 == 1
}

fn message(i: usize) -> Vec<u8> {
    let fields = match is_bare(i) {
        true => String::new(),
        false => format!(
            "Received: from a.example by mx.example id q{i}\r\n\tfor <ada@localhost>; \
             Tue, 1 Sep 2026 10:{i:02}:07 +0000\r\n\
             Message-ID: <{i}@a.example>\r\n\
             Date: Tue, 1 Sep 2026 10:{i:02}:00 +0000\r\n\
             From: Bob <bob@a.example>\r\n"
        ),
    };
    let dots = "x".repeat(i * 37);
    let text = format!("{fields}Subject: message {i}\r\n\r\n..{dots}\r\n.\r\nend {i}\r\n");
    text.into_bytes()
}

impl Maildrop {
    pub fn new(count: usize) -> Self {
        Self {
            protocol: Protocol::Pop,
            messages: (0..count)
                .map(|i| (format!("id-{i}"), message(i)))
                .collect(),
            deleted: BTreeSet::new(),
            refused: BTreeSet::new(),
            on_update: None,
            retrieved: Vec::new(),
        }
    }

    /// What a Maildir must hold in the end, sorted.
    pub fn expected(&self) -> Vec<Vec<u8>> {
        let mut all: Vec<_> = (0..self.messages.len()).map(|i| self.stored(i)).collect();
        all.sort();
        all
    }

    /// Which are listed.
    pub fn listed(&self) -> impl Iterator<Item = usize> {
        (0..self.messages.len()).filter(|i| !self.deleted.contains(i))
    }

    /// Deletes these.
    pub fn delete(&mut self, marked: &BTreeSet<usize>) {
        self.deleted.extend(marked);
        if let Some(tell) = &self.on_update {
            tell(marked);
        }
    }

    /// A message as a Maildir must hold it.
    pub fn stored(&self, message: usize) -> Vec<u8> {
        let text = String::from_utf8(self.messages[message].1.clone()).unwrap();
        text.replace("\r\n", "\n").into_bytes()
    }
}

/// Gives sessions with a maildrop.
#[derive(Clone)]
pub struct Server(pub Arc<Mutex<Maildrop>>);

impl Connect for Server {
    fn route(&self, _: &Profile, _: &Stop, _: Tell) -> Result<Box<dyn Route>, Error> {
        Ok(Box::new(self.clone()))
    }
}

impl Route for Server {
    fn connect(&self, _: &Stop) -> Result<Box<dyn Channel>, Error> {
        let maildrop = Arc::clone(&self.0);
        let protocol = maildrop.lock().unwrap().protocol;
        let dialogue: Box<dyn Dialogue> = match protocol {
            Protocol::Pop => Box::new(Pop {
                maildrop,
                marked: BTreeSet::new(),
            }),
            Protocol::Imap => Box::new(Imap::new(maildrop)),
        };
        Ok(Box::new(Session {
            input: Vec::new(),
            output: dialogue.greeting().into(),
            dialogue,
            ended: false,
        }))
    }
}

/// A protocol: what is said to each line.
pub trait Dialogue: Send {
    fn greeting(&self) -> &'static str;

    /// The answer, and whether it is the last one.
    fn answer(&mut self, line: &str) -> (String, bool);
}

struct Session {
    dialogue: Box<dyn Dialogue>,
    input: Vec<u8>,
    output: Vec<u8>,
    ended: bool,
}

struct Pop {
    maildrop: Arc<Mutex<Maildrop>>,
    marked: BTreeSet<usize>,
}

impl Dialogue for Pop {
    fn greeting(&self) -> &'static str {
        "+OK hello\r\n"
    }

    fn answer(&mut self, line: &str) -> (String, bool) {
        let mut maildrop = self.maildrop.lock().unwrap();
        let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
        let number = argument.split(' ').next().unwrap_or_default();
        let place = || number.parse::<usize>().unwrap() - 1;
        let lines = |lines: Vec<String>| format!("+OK\r\n{}.\r\n", lines.concat());
        let answer = match command {
            "CAPA" => "+OK\r\nUIDL\r\nTOP\r\nPIPELINING\r\nUSER\r\n.\r\n".to_owned(),
            "STAT" => format!("+OK {} 0\r\n", maildrop.listed().count()),
            "UIDL" => lines(
                maildrop
                    .listed()
                    .map(|i| format!("{} {}\r\n", i + 1, maildrop.messages[i].0))
                    .collect(),
            ),
            "LIST" => lines(
                maildrop
                    .listed()
                    .map(|i| format!("{} {}\r\n", i + 1, maildrop.messages[i].1.len()))
                    .collect(),
            ),
            "RETR" if maildrop.refused.contains(&place()) => "-ERR not now\r\n".to_owned(),
            "RETR" => {
                let body = String::from_utf8(maildrop.messages[place()].1.clone()).unwrap();
                maildrop.retrieved.push(place());
                let stuffed = body.replace("\r\n.", "\r\n..");
                format!("+OK\r\n{stuffed}.\r\n")
            }
            "TOP" => {
                let (_, body) = argument.split_once(' ').unwrap();
                let text = String::from_utf8(maildrop.messages[place()].1.clone()).unwrap();
                let header = text.find("\r\n\r\n").unwrap() + 4;
                let lines = text[header..].split_inclusive("\r\n");
                let lines: String = lines.take(body.parse().unwrap()).collect();
                let sent = format!("{}{lines}", &text[..header]).replace("\r\n.", "\r\n..");
                format!("+OK\r\n{sent}.\r\n")
            }
            "DELE" => {
                self.marked.insert(place());
                "+OK\r\n".to_owned()
            }
            "QUIT" => {
                maildrop.delete(&std::mem::take(&mut self.marked));
                "+OK\r\n".to_owned()
            }
            _ => "+OK\r\n".to_owned(),
        };
        (answer, command == "QUIT")
    }
}

impl Channel for Session {
    fn exchange(&mut self, output: &[u8], input: &mut [u8], _: Instant) -> Result<Moved, Error> {
        self.input.extend(output);
        while let Some(end) = self.input.iter().position(|octet| *octet == b'\n') {
            let line: Vec<u8> = self.input.drain(..=end).collect();
            let line = String::from_utf8(line).unwrap();
            let (answer, is_last) = self.dialogue.answer(line.trim_end());
            self.output.extend(answer.as_bytes());
            self.ended |= is_last;
        }
        let received = input.len().min(self.output.len());
        if received == 0 {
            return Err(if self.ended {
                Error::Closed
            } else {
                Error::TimedOut(0)
            });
        }
        input[..received].copy_from_slice(&self.output[..received]);
        self.output.drain(..received);
        Ok(Moved {
            sent: output.len(),
            received,
        })
    }
}
