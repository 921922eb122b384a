//! A POP3 server that answers in memory, at once: every state needs two sessions with it.

use popfetch::fetch::{Connect, Route};
use popfetch::net::program::Tell;
use popfetch::net::{Channel, Error, Moved};
use popfetch::profile::Profile;
use popfetch::stop::Stop;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Is told which messages QUIT has deleted.
pub type OnUpdate = Box<dyn Fn(&BTreeSet<usize>) + Send>;

/// A maildrop that sessions share.
pub struct Maildrop {
    pub messages: Vec<(String, Vec<u8>)>,
    /// These are not listed (any more).
    pub deleted: BTreeSet<usize>,
    /// RETR of these is answered with -ERR.
    pub refused: BTreeSet<usize>,
    /// Called when QUIT has deleted messages.
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
        Ok(Box::new(Session {
            maildrop: Arc::clone(&self.0),
            marked: BTreeSet::new(),
            input: Vec::new(),
            output: b"+OK hello\r\n".to_vec(),
            ended: false,
        }))
    }
}

struct Session {
    maildrop: Arc<Mutex<Maildrop>>,
    marked: BTreeSet<usize>,
    input: Vec<u8>,
    output: Vec<u8>,
    ended: bool,
}

impl Session {
    fn answer(&mut self, line: &str) {
        let mut maildrop = self.maildrop.lock().unwrap();
        let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
        let number = argument.split(' ').next().unwrap_or_default();
        let place = || number.parse::<usize>().unwrap() - 1;
        let listed = || {
            let all = maildrop.messages.iter().enumerate();
            all.filter(|(i, _)| !maildrop.deleted.contains(i))
        };
        let lines = |lines: Vec<String>| format!("+OK\r\n{}.\r\n", lines.concat());
        let answer = match command {
            "CAPA" => "+OK\r\nUIDL\r\nTOP\r\nPIPELINING\r\nUSER\r\n.\r\n".to_owned(),
            "STAT" => format!("+OK {} 0\r\n", listed().count()),
            "UIDL" => lines(
                listed()
                    .map(|(i, (id, _))| format!("{} {id}\r\n", i + 1))
                    .collect(),
            ),
            "LIST" => lines(
                listed()
                    .map(|(i, (_, b))| format!("{} {}\r\n", i + 1, b.len()))
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
                let marked = std::mem::take(&mut self.marked);
                maildrop.deleted.extend(&marked);
                if let Some(tell) = &maildrop.on_update {
                    tell(&marked);
                }
                self.ended = true;
                "+OK\r\n".to_owned()
            }
            _ => "+OK\r\n".to_owned(),
        };
        self.output.extend(answer.as_bytes());
    }
}

impl Channel for Session {
    fn exchange(&mut self, output: &[u8], input: &mut [u8], _: Instant) -> Result<Moved, Error> {
        self.input.extend(output);
        while let Some(end) = self.input.iter().position(|octet| *octet == b'\n') {
            let line: Vec<u8> = self.input.drain(..=end).collect();
            self.answer(String::from_utf8(line).unwrap().trim_end());
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
