//! A POP3 server that answers in memory, and whatever real ones do to sizes, headers and
//! unique-ids.

use super::content::{Added, Content};
use super::random::mix;
use super::tree::Tree;
use popfetch::fetch::{Connect, Route};
use popfetch::net::program::Tell;
use popfetch::net::{Channel, Error, Moved};
use popfetch::profile::Profile;
use popfetch::stop::Stop;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What LIST says of a message.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Sizes {
    #[default]
    Exact,
    /// Line ends count for one octet.
    LineFeeds,
    /// Estimates, other ones in each session.
    Drifting,
}

/// What the server writes into the headers when a session ends with QUIT.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Notes {
    #[default]
    None,
    /// `Status: RO` in what was retrieved.
    Status,
    /// Likewise, and X-UID, X-Keywords and Lines; X-IMAPbase in the first message.
    Mbox,
}

/// What QUIT does.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Update {
    #[default]
    Deletes,
    /// It says so, and does nothing.
    OnlySays,
    /// It deletes, and the reply is lost.
    LosesReplyAfter,
    /// The reply is lost, and nothing is deleted.
    LosesReplyBefore,
}

/// How a server behaves.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Manner {
    pub sizes: Sizes,
    pub notes: Notes,
    pub update: Update,
    pub top: bool,
    pub pipelining: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            sizes: Sizes::default(),
            notes: Notes::default(),
            update: Update::default(),
            top: true,
            pipelining: true,
        }
    }
}

/// A message in the maildrop.
#[derive(Clone, Debug, Hash)]
pub struct Message {
    /// Its content's place in the list of all.
    pub serial: usize,
    pub unique_id: String,
    pub added: Added,
}

/// A maildrop that sessions share.
#[derive(Clone, Default)]
pub struct Maildrop {
    /// All that ever were.
    pub contents: Vec<Content>,
    pub messages: Vec<Message>,
    pub manner: Manner,
    pub sessions: u64,
    /// All sizes that each content was ever listed with, the last one last.
    pub sizes: BTreeMap<usize, Vec<u64>>,
    pub log: Log,
    /// Where to see what is delivered when something is deleted.
    pub maildir: PathBuf,
}

/// What happened in the sessions of a run.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub retrieved: Vec<usize>,
    pub tops: usize,
    /// Listed to their end by UIDL and LIST in the last session.
    pub listed: Option<BTreeSet<String>>,
    /// Deleted, and whether it was in the Maildir at that moment.
    pub deleted: Vec<(usize, bool)>,
    /// A message was asked for after a DELE, or a DELE came after one with a lower number.
    pub out_of_order: bool,
    /// Deleted, and the reply to QUIT was sent.
    pub confirmed: Vec<(String, usize)>,
}

impl Maildrop {
    /// What LIST says of a message in the session at hand.
    fn size(&self, message: &Message) -> u64 {
        let content = &self.contents[message.serial];
        self.size_of(content, message)
    }

    /// A content that is listed with a size, if it can be made so long.
    pub fn of_size(&self, content: Content, serial: usize, size: u64) -> Content {
        let message = Message {
            serial,
            unique_id: String::new(),
            added: Added::default(),
        };
        let missing = size.saturating_sub(self.size_of(&content, &message));
        content.lengthened(usize::try_from(missing).unwrap())
    }

    fn size_of(&self, content: &Content, message: &Message) -> u64 {
        let octets = content.octets(&message.added);
        let exact = octets.len() as u64;
        match self.manner.sizes {
            Sizes::Exact => exact,
            Sizes::LineFeeds => {
                exact - octets.iter().filter(|octet| **octet == b'\n').count() as u64
            }
            Sizes::Drifting => {
                let seed = self.sessions << 20 | message.serial as u64;
                exact - 20 + mix(seed) % 41
            }
        }
    }

    /// What the server notes at the end of a session.
    fn note(&mut self, retrieved: &BTreeSet<usize>) {
        let notes = self.manner.notes;
        for (place, message) in self.messages.iter_mut().enumerate() {
            let bottom = &mut message.added.bottom;
            if notes == Notes::None || !retrieved.contains(&message.serial) || !bottom.is_empty() {
                continue;
            }
            bottom.push("Status: RO".to_owned());
            if notes == Notes::Mbox {
                bottom.push(format!("X-UID: {}", message.serial + 1));
                bottom.push("X-Keywords: ".to_owned() + &" ".repeat(20));
                bottom.push("Lines: 3".to_owned());
                if place == 0 {
                    bottom.push("X-IMAPbase: 1795395922 0000000042".to_owned());
                }
            }
        }
    }
}

/// Gives sessions with a maildrop.
#[derive(Clone)]
pub struct Server {
    pub maildrop: Arc<Mutex<Maildrop>>,
    /// Octets that the server still gets through to us in a run, over all its connections.
    pub left: Arc<Mutex<usize>>,
}

impl Connect for Server {
    fn route(&self, _: &Profile, _: &Stop, _: Tell) -> Result<Box<dyn Route>, Error> {
        Ok(Box::new(self.clone()))
    }
}

impl Route for Server {
    fn connect(&self, _: &Stop) -> Result<Box<dyn Channel>, Error> {
        let mut maildrop = self.maildrop.lock().unwrap();
        maildrop.sessions += 1;
        maildrop.log.listed = None;
        Ok(Box::new(Session {
            listed: maildrop.messages.clone(),
            server: self.clone(),
            marked: BTreeSet::new(),
            retrieved: BTreeSet::new(),
            input: Vec::new(),
            output: b"+OK hello\r\n".to_vec(),
            named: false,
            ended: false,
        }))
    }
}

struct Session {
    server: Server,
    listed: Vec<Message>,
    /// Places in `listed`.
    marked: BTreeSet<usize>,
    /// Their contents.
    retrieved: BTreeSet<usize>,
    input: Vec<u8>,
    output: Vec<u8>,
    /// UIDL was answered.
    named: bool,
    ended: bool,
}

impl Session {
    fn answer(&mut self, line: &str) {
        let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
        let maildrop = Arc::clone(&self.server.maildrop);
        let mut maildrop = maildrop.lock().unwrap();
        let place = || -> Option<usize> {
            let number: usize = argument.split(' ').next()?.parse().ok()?;
            let place = number.checked_sub(1)?;
            (place < self.listed.len() && !self.marked.contains(&place)).then_some(place)
        };
        let answer = match command {
            "CAPA" => {
                let [top, pipelining] = [
                    (maildrop.manner.top, "TOP\r\n"),
                    (maildrop.manner.pipelining, "PIPELINING\r\n"),
                ]
                .map(|(has, line)| if has { line } else { "" });
                format!("+OK\r\nUIDL\r\nUSER\r\n{top}{pipelining}.\r\n")
            }
            "USER" | "PASS" | "NOOP" => "+OK\r\n".to_owned(),
            "STAT" => {
                let sizes = self.here().map(|(_, message)| maildrop.size(message));
                let sizes: Vec<u64> = sizes.collect();
                format!("+OK {} {}\r\n", sizes.len(), sizes.iter().sum::<u64>())
            }
            "UIDL" if argument.is_empty() => {
                self.named = true;
                let line = |(at, message): (usize, &Message)| {
                    format!("{} {}\r\n", at + 1, message.unique_id)
                };
                format!("+OK\r\n{}.\r\n", self.here().map(line).collect::<String>())
            }
            "LIST" if argument.is_empty() => {
                let mut lines = String::new();
                for (at, message) in self.here() {
                    let size = maildrop.size(message);
                    lines += &format!("{} {size}\r\n", at + 1);
                    maildrop.sizes.entry(message.serial).or_default().push(size);
                }
                if self.named {
                    let ids = self.here().map(|(_, message)| message.unique_id.clone());
                    maildrop.log.listed = Some(ids.collect());
                }
                format!("+OK\r\n{lines}.\r\n")
            }
            "UIDL" | "LIST" => match place() {
                Some(at) => {
                    let message = &self.listed[at];
                    let size = maildrop.size(message).to_string();
                    let said = if command == "UIDL" {
                        &message.unique_id
                    } else {
                        &size
                    };
                    format!("+OK {} {said}\r\n", at + 1)
                }
                None => "-ERR no such message\r\n".to_owned(),
            },
            "RETR" => match place() {
                Some(at) => {
                    let Message { serial, added, .. } = &self.listed[at];
                    maildrop.log.retrieved.push(*serial);
                    maildrop.log.out_of_order |= !self.marked.is_empty();
                    self.retrieved.insert(*serial);
                    let octets = maildrop.contents[*serial].octets(added);
                    stuffed(&String::from_utf8(octets).unwrap())
                }
                None => "-ERR no such message\r\n".to_owned(),
            },
            "TOP" => match place().filter(|_| maildrop.manner.top && argument.ends_with(" 0")) {
                Some(at) => {
                    let Message { serial, added, .. } = &self.listed[at];
                    maildrop.log.tops += 1;
                    maildrop.log.out_of_order |= !self.marked.is_empty();
                    stuffed(&maildrop.contents[*serial].top(added))
                }
                None => "-ERR not here\r\n".to_owned(),
            },
            "DELE" => match place() {
                Some(at) => {
                    let lower = self.marked.first().is_some_and(|first| *first < at);
                    maildrop.log.out_of_order |= lower;
                    self.marked.insert(at);
                    "+OK\r\n".to_owned()
                }
                None => "-ERR no such message\r\n".to_owned(),
            },
            "RSET" => {
                self.marked.clear();
                "+OK\r\n".to_owned()
            }
            "QUIT" => {
                self.ended = true;
                self.update(&mut maildrop).to_owned()
            }
            _ => "-ERR what?\r\n".to_owned(),
        };
        self.output.extend(answer.as_bytes());
    }

    /// Not marked as deleted, with their places.
    fn here(&self) -> impl Iterator<Item = (usize, &Message)> {
        let all = self.listed.iter().enumerate();
        all.filter(|(at, _)| !self.marked.contains(at))
    }

    fn update(&mut self, maildrop: &mut Maildrop) -> &'static str {
        let update = maildrop.manner.update;
        let marked = std::mem::take(&mut self.marked);
        if matches!(update, Update::Deletes | Update::LosesReplyAfter) && !marked.is_empty() {
            let here = Tree::read(&maildrop.maildir, &maildrop.contents);
            for message in marked.iter().map(|at| &self.listed[*at]) {
                let is_it = |one: &Message| {
                    (one.serial, &one.unique_id) == (message.serial, &message.unique_id)
                };
                if let Some(at) = maildrop.messages.iter().position(is_it) {
                    maildrop.messages.remove(at);
                }
                let is_stored = here.count(message.serial) > 0;
                maildrop.log.deleted.push((message.serial, is_stored));
                if update == Update::Deletes {
                    let confirmed = (message.unique_id.clone(), message.serial);
                    maildrop.log.confirmed.push(confirmed);
                }
            }
        }
        let retrieved = std::mem::take(&mut self.retrieved);
        maildrop.note(&retrieved);
        match update {
            Update::Deletes | Update::OnlySays => "+OK bye\r\n",
            Update::LosesReplyAfter | Update::LosesReplyBefore => "",
        }
    }
}

fn stuffed(text: &str) -> String {
    format!("+OK\r\n{}.\r\n", text.replace("\r\n.", "\r\n.."))
}

impl Channel for Session {
    fn exchange(&mut self, output: &[u8], input: &mut [u8], _: Instant) -> Result<Moved, Error> {
        // A connection that is cut takes nothing to the server any more, either.
        if *self.server.left.lock().unwrap() == 0 {
            return Err(Error::Closed);
        }
        self.input.extend(output);
        while let Some(end) = self.input.iter().position(|octet| *octet == b'\n') {
            let line: Vec<u8> = self.input.drain(..=end).collect();
            self.answer(String::from_utf8(line).unwrap().trim_end());
        }
        let mut left = self.server.left.lock().unwrap();
        let received = input.len().min(self.output.len()).min(*left);
        *left -= received;
        if received == 0 {
            return Err(match self.ended || *left == 0 {
                true => Error::Closed,
                false => Error::TimedOut(0),
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
