//! An IMAP server of the tests' own: one mailbox, or several, what RFC 3501 says of it, and whatever else a test
//! wants it to say.

use std::io::Read;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
use rustls::ServerConfig;

use super::account::Account;
use super::certificate::Authority;
use super::listener::Listener;
use super::message::Message;
use super::wire::{Ending, Lines, Wire};

/// What a test wants said or done in the place of the answer to a command.
#[derive(Clone, Debug)]
pub enum Twist {
    /// These octets before the answer; `{tag}` is the command's tag.
    Before(String),
    /// These in its place.
    Instead(String),
    /// The connection is closed instead.
    Close,
    /// The answer is cut off behind so many octets.
    Cut(usize),
}

/// A message on the server.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its UID.
    pub uid: u32,
    /// What is fetched of it.
    pub message: Message,
    /// \Deleted
    pub deleted: bool,
    /// \Seen
    pub seen: bool,
    /// What else FLAGS has, as in `\Flagged $Junk`.
    pub flags: String,
    /// INTERNALDATE
    pub internal_date: String,
}

/// Another mailbox than INBOX.
#[derive(Clone, Debug)]
pub struct Folder {
    /// What LIST says of it behind its first word, as in `() "/" "Archive"`.
    pub line: String,
    /// What EXAMINE has to call it.
    pub name: String,
    /// UIDVALIDITY
    pub uid_validity: u32,
    /// In the order of their UIDs.
    pub messages: Vec<Kept>,
}

/// The mailbox, which tests may change at any time.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// UIDVALIDITY
    pub uid_validity: u32,
    /// In the order of their UIDs.
    pub messages: Vec<Kept>,
    /// Other mailboxes; the settings below are those of all.
    pub others: Vec<Folder>,
    /// What it announces before and behind the sign-in.
    pub capabilities: String,
    /// What it begins with; `{capabilities}` are they.
    pub greeting: String,
    /// It sends all messages that it was asked for before it answers any of the commands, as Dovecot does.
    pub answers_late: bool,
    /// Of the commands that it has not read only few fit into buffers on the way, and it reads none of them
    /// while an answer of its own waits.
    pub has_little_room: bool,
    /// A mailbox that it does not open leaves the one before open, against RFC 3501 section 6.3.1.
    pub keeps_open: bool,
    /// What it has noted of a message comes behind its octets.
    pub notes_behind: bool,
    /// What it says while a client is idle, beside what comes and goes.
    pub idle_says: String,
    /// It says nothing more once a client is idle, as a line that is dead.
    pub is_dead_when_idle: bool,
    /// It closes where a command waits behind one for a whole message.
    pub closes_on_flights: bool,
    /// It asks for what came with AUTHENTICATE once more.
    pub asks_again: bool,
    /// UIDs that cannot be marked as deleted: a set with one of them is refused.
    pub unmarkable: Vec<u32>,
    /// A command's beginning, its number among those (from 1; 0: each), and what becomes of it.
    pub twists: Vec<(String, usize, Twist)>,
    /// The same of one command alone, in whichever session it comes.
    pub once: Vec<(String, Twist)>,
}

/// What a client said in a session, and how often it had to wait for an answer at most.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The commands without their tags.
    pub commands: Vec<String>,
    /// How many times commands came.
    pub flights: usize,
    /// What it was told, while it was idle, of what came and went.
    pub news: String,
    /// It is over.
    pub ended: bool,
}

/// See the module.
pub struct ImapServer {
    listener: Listener,
    shared: Arc<Shared>,
    authority: Authority,
}

struct Shared {
    tls: Arc<ServerConfig>,
    /// TLS comes with STARTTLS.
    in_clear: bool,
    mailbox: Mutex<Mailbox>,
    sessions: Mutex<Vec<Session>>,
}

const CAPABILITIES: &str = "IMAP4rev1 SASL-IR LITERAL+ ID IDLE UIDPLUS AUTH=PLAIN";

impl ImapServer {
    /// For "ada" with the password "secret", with these messages, whose UIDs are 1, 2 and so on.
    pub fn start(messages: &[Message]) -> Self {
        Self::start_as(messages, false)
    }

    /// The same, on a port where TLS comes with STARTTLS; the account's keys need `tls = "starttls"`.
    pub fn start_in_clear(messages: &[Message]) -> Self {
        Self::start_as(messages, true)
    }

    fn start_as(messages: &[Message], in_clear: bool) -> Self {
        let mailbox = Mailbox {
            uid_validity: 1_700_000_000,
            messages: Kept::all(messages),
            others: Vec::new(),
            capabilities: match in_clear {
                true => format!("{CAPABILITIES} STARTTLS"),
                false => CAPABILITIES.into(),
            },
            greeting: "* OK [CAPABILITY {capabilities}] ready".into(),
            answers_late: false,
            has_little_room: false,
            keeps_open: false,
            notes_behind: false,
            idle_says: String::new(),
            is_dead_when_idle: false,
            closes_on_flights: false,
            asks_again: false,
            unmarkable: Vec::new(),
            twists: Vec::new(),
            once: Vec::new(),
        };
        let authority = Authority::new();
        let shared = Arc::new(Shared {
            tls: authority.localhost().server_config(),
            in_clear,
            mailbox: Mutex::new(mailbox),
            sessions: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        let serve = move |index, socket| serving.serve(index, socket);
        Self {
            listener: Listener::start(serve),
            shared,
            authority,
        }
    }

    /// Adds a mailbox with these messages, whose UIDs are 1, 2 and so on. `line`: see [`Folder::line`].
    pub fn folder(&self, name: &str, line: &str, messages: &[Message]) {
        self.mailbox(|it| {
            it.others.push(Folder {
                line: line.into(),
                name: name.into(),
                uid_validity: 1_800_000_000,
                messages: Kept::all(messages),
            });
        });
    }

    /// The same with `/` between the parts of names.
    pub fn plain_folder(&self, name: &str, messages: &[Message]) {
        self.folder(name, &format!("() \"/\" \"{name}\""), messages);
    }

    /// Another mailbox, to be changed.
    pub fn other<R>(&self, name: &str, change: impl FnOnce(&mut Folder) -> R) -> R {
        self.mailbox(|it| {
            let mut others = it.others.iter_mut();
            change(others.find(|other| other.name == name).unwrap())
        })
    }

    /// What a client needs to know to sign in; the account's keys need `protocol = "imap"`.
    pub fn account(&self) -> Account {
        Account::of_ada(self.listener.port(), Some(self.authority.pem_file()))
    }

    /// Changes the mailbox, or looks at it.
    pub fn mailbox<R>(&self, change: impl FnOnce(&mut Mailbox) -> R) -> R {
        change(&mut self.shared.mailbox.lock().unwrap())
    }

    /// From here on this becomes of the `nth` command (0: of each) that begins so.
    pub fn twist(&self, command: &str, nth: usize, twist: Twist) {
        self.mailbox(|it| it.twists.push((command.into(), nth, twist)));
    }

    /// This becomes of the next command that begins so.
    pub fn twist_once(&self, command: &str, twist: Twist) {
        self.mailbox(|it| it.once.push((command.into(), twist)));
    }

    /// The same for one that only says something else.
    pub fn says(&self, command: &str, words: &str) {
        self.twist(command, 0, Twist::Instead(words.into()));
    }

    /// All sessions, once all of them have ended.
    pub fn sessions(&self) -> Vec<Session> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let sessions = self.shared.sessions.lock().unwrap().clone();
            if sessions.iter().all(|session| session.ended) {
                return sessions;
            }
            assert!(
                Instant::now() < deadline,
                "a session does not end: {sessions:#?}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// All sessions, those that go on as they are now.
    pub fn sessions_so_far(&self) -> Vec<Session> {
        self.shared.sessions.lock().unwrap().clone()
    }

    /// The last of them.
    pub fn last_session(&self) -> Session {
        self.sessions().pop().unwrap()
    }

    /// The UIDs that are left.
    pub fn uids(&self) -> Vec<u32> {
        self.mailbox(|it| it.uids())
    }
}

impl Mailbox {
    fn uids(&self) -> Vec<u32> {
        self.messages.iter().map(|kept| kept.uid).collect()
    }
}

impl Kept {
    /// Messages whose UIDs are 1, 2 and so on.
    pub fn all(messages: &[Message]) -> Vec<Self> {
        let kept = (1..).zip(messages);
        kept.map(|(uid, message)| Self::new(uid, message)).collect()
    }

    /// One that nobody has seen.
    pub fn new(uid: u32, message: &Message) -> Self {
        Self {
            uid,
            message: message.clone(),
            deleted: false,
            seen: false,
            flags: String::new(),
            internal_date: "26-Nov-2026 10:00:00 +0200".into(),
        }
    }
}

impl Session {
    /// How many commands begin so.
    pub fn count(&self, start: &str) -> usize {
        let commands = self.commands.iter();
        commands
            .filter(|command| command.starts_with(start))
            .count()
    }
}

/// Which mailbox is open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Open {
    Nothing,
    Inbox,
    Other(usize),
}

impl Mailbox {
    /// Has the messages of another one in the place of INBOX's, or back where they belong.
    fn turn(&mut self, open: Open) {
        if let Open::Other(place) = open {
            let other = &mut self.others[place];
            std::mem::swap(&mut self.messages, &mut other.messages);
            std::mem::swap(&mut self.uid_validity, &mut other.uid_validity);
        }
    }
}

/// What is answered, piece by piece.
enum Piece {
    Text(String),
    Message(Message),
}

impl Shared {
    fn serve(&self, index: usize, socket: Arc<TcpStream>) {
        let _ended = Ended(self, index);
        self.note(index, |_| ());
        if self.mailbox.lock().unwrap().has_little_room {
            set_socket_recv_buffer_size(&*socket, 1).unwrap();
            set_socket_send_buffer_size(&*socket, 1).unwrap();
        }
        if let Ok(wire) = Wire::accept(socket, (!self.in_clear).then_some(&self.tls)) {
            self.converse(index, wire);
        }
    }

    fn note(&self, index: usize, change: impl FnOnce(&mut Session)) {
        let mut sessions = self.sessions.lock().unwrap();
        while sessions.len() <= index {
            sessions.push(Session::default());
        }
        change(&mut sessions[index]);
    }

    fn converse(&self, index: usize, mut wire: Wire) {
        let greeting = {
            let mailbox = self.mailbox.lock().unwrap();
            let text = mailbox
                .greeting
                .replace("{capabilities}", &mailbox.capabilities);
            text + "\r\n"
        };
        let mut lines = Lines::default();
        if wire.write(greeting.as_bytes()).is_err() {
            return;
        }
        // Answers that are held back.
        let mut late = Vec::new();
        // UIDs of the messages that the client has been told of.
        let mut told = Vec::new();
        let mut open = Open::Nothing;
        loop {
            let Some(line) = lines.next() else {
                if !late.is_empty() && !send(&mut wire, std::mem::take(&mut late), None) {
                    return;
                }
                match lines.fill(&mut wire) {
                    Ok(true) => self.note(index, |session| session.flights += 1),
                    _ => return,
                }
                continue;
            };
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
            let mut command = command.to_owned();
            if command == "AUTHENTICATE PLAIN" || self.asks_again(&command) {
                if wire.write(b"+ \r\n").is_err() {
                    return;
                }
                while lines.is_empty() {
                    if !matches!(lines.fill(&mut wire), Ok(true)) {
                        return;
                    }
                }
                let response = lines.next().unwrap_or_default();
                let response = String::from_utf8_lossy(&response);
                command = format!("AUTHENTICATE PLAIN {}", response.trim());
            }
            self.note(index, |session| session.commands.push(command.clone()));
            if self.closes_over(&command, &lines) {
                return wire.end(Ending::Close);
            }
            let twist = self.twist_of(index, &command);
            if command.starts_with("EXAMINE") {
                told = self.mailbox.lock().unwrap().uids();
            }
            if command == "IDLE" && twist.is_none() {
                match self.idle(index, &mut wire, &mut lines, &mut told) {
                    Some(line) => self.note(index, |session| session.commands.push(line)),
                    None => return,
                }
                if wire.write(format!("{tag} OK done\r\n").as_bytes()).is_err() {
                    return;
                }
                continue;
            }
            let mut pieces = match &twist {
                Some(Twist::Instead(words)) => {
                    // It is open, or none is, whatever else the test has it say.
                    if command.starts_with("EXAMINE") || command.starts_with("SELECT") {
                        open = match words.contains(" OK") {
                            true => self.find(&command),
                            false if self.mailbox.lock().unwrap().keeps_open => open,
                            false => Open::Nothing,
                        };
                    }
                    vec![Piece::Text(words.replace("{tag}", tag))]
                }
                Some(Twist::Close) => return wire.end(Ending::Close),
                Some(Twist::Before(words)) => {
                    let before = Piece::Text(words.replace("{tag}", tag));
                    std::iter::once(before)
                        .chain(self.answer(tag, &command, &mut open))
                        .collect()
                }
                _ => self.answer(tag, &command, &mut open),
            };
            match self.mailbox.lock().unwrap().answers_late && command.contains("BODY.PEEK") {
                true => late.extend(pieces.pop()),
                false => pieces.splice(0..0, late.drain(..)).for_each(drop),
            }
            let limit = match twist {
                Some(Twist::Cut(octets)) => Some(octets),
                _ => None,
            };
            if !send(&mut wire, pieces, limit) || limit.is_some() {
                return wire.end(Ending::Cut);
            }
            let is_refused =
                matches!(&twist, Some(Twist::Instead(words)) if !words.contains(" OK"));
            if command == "STARTTLS" && !is_refused && wire.start_tls(&self.tls).is_err() {
                return;
            }
            if command == "LOGOUT" {
                return wire.end(Ending::Close);
            }
        }
    }

    fn asks_again(&self, command: &str) -> bool {
        command.starts_with("AUTHENTICATE PLAIN ") && self.mailbox.lock().unwrap().asks_again
    }

    fn closes_over(&self, command: &str, behind: &Lines) -> bool {
        let is_flight = command.contains("BODY.PEEK[]") && !behind.is_empty();
        is_flight && self.mailbox.lock().unwrap().closes_on_flights
    }

    /// Says what comes and goes until the client has said something, which is given; none where it has gone.
    fn idle(
        &self,
        index: usize,
        wire: &mut Wire,
        lines: &mut Lines,
        told: &mut Vec<u32>,
    ) -> Option<String> {
        wire.write(b"+ idling\r\n").ok()?;
        loop {
            if let Some(line) = lines.next() {
                return Some(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            let mailbox = self.mailbox.lock().unwrap().clone();
            let there = mailbox.uids();
            let mut news = String::new();
            while let Some(at) = told.iter().position(|uid| !there.contains(uid)) {
                news += &format!("* {} EXPUNGE\r\n", at + 1);
                told.remove(at);
            }
            if *told != there {
                news += &format!("* {} EXISTS\r\n* 1 RECENT\r\n", there.len());
                *told = there;
            }
            if mailbox.is_dead_when_idle {
                wire.take_all_and_say_nothing();
                return None;
            }
            wire.write((mailbox.idle_says + &news).as_bytes()).ok()?;
            self.note(index, |session| session.news += &news);
            if wire.has_input(Duration::from_millis(20)).ok()? && !lines.fill(wire).ok()? {
                return None;
            }
        }
    }

    fn twist_of(&self, index: usize, command: &str) -> Option<Twist> {
        let sessions = self.sessions.lock().unwrap();
        let mut mailbox = self.mailbox.lock().unwrap();
        let next = |(start, _): &(String, Twist)| command.starts_with(start.as_str());
        if let Some(place) = mailbox.once.iter().position(next) {
            return Some(mailbox.once.remove(place).1);
        }
        let mut twists = mailbox.twists.iter();
        let found = twists.find(|(start, nth, _)| {
            let count = sessions[index].count(start);
            command.starts_with(start.as_str()) && (*nth == 0 || *nth == count)
        });
        found.map(|(_, _, twist)| twist.clone())
    }

    /// The mailbox that a command opens.
    fn find(&self, command: &str) -> Open {
        let name = command.split_once(' ').unwrap_or_default().1;
        let name = name.trim_matches('"').replace("\\\"", "\"");
        let name = name.replace("\\\\", "\\");
        let mailbox = self.mailbox.lock().unwrap();
        match mailbox.others.iter().position(|it| it.name == name) {
            Some(place) => Open::Other(place),
            None if name == "INBOX" => Open::Inbox,
            None => Open::Nothing,
        }
    }

    fn answer(&self, tag: &str, command: &str, open: &mut Open) -> Vec<Piece> {
        if command.starts_with("EXAMINE ") || command.starts_with("SELECT ") {
            *open = self.find(command);
        }
        let mut mailbox = self.mailbox.lock().unwrap();
        mailbox.turn(*open);
        let pieces = self.answer_in(&mut mailbox, tag, command, *open);
        mailbox.turn(*open);
        pieces
    }

    fn answer_in(&self, mailbox: &mut Mailbox, tag: &str, command: &str, open: Open) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut say = |text: String| pieces.push(Piece::Text(text));
        let words: Vec<&str> = command.split(' ').collect();
        let done = match words.as_slice() {
            ["CAPABILITY"] => {
                say(format!("* CAPABILITY {}\r\n", mailbox.capabilities));
                "OK done".into()
            }
            ["AUTHENTICATE", "PLAIN", response] => {
                let expected = BASE64_STANDARD.encode("\0ada\0secret");
                sign_in(*response == expected, mailbox)
            }
            ["LOGIN", user, password] => {
                sign_in((*user, *password) == ("\"ada\"", "\"secret\""), mailbox)
            }
            ["LIST", ..] => {
                say("* LIST (\\HasNoChildren) \"/\" INBOX\r\n".into());
                mailbox
                    .others
                    .iter()
                    .for_each(|other| say(format!("* LIST {}\r\n", other.line)));
                "OK done".into()
            }
            ["EXAMINE" | "SELECT", ..] if open == Open::Nothing => "NO [NONEXISTENT] none".into(),
            ["UID", ..] if open == Open::Nothing => "BAD no mailbox is open".into(),
            ["EXAMINE" | "SELECT", ..] => {
                say(format!("* {} EXISTS\r\n", mailbox.messages.len()));
                say("* FLAGS (\\Seen \\Deleted)\r\n* 0 RECENT\r\n".into());
                say(format!(
                    "* OK [UIDVALIDITY {}] valid\r\n",
                    mailbox.uid_validity
                ));
                match words[0] {
                    "SELECT" => "OK [READ-WRITE] done".into(),
                    _ => "OK [READ-ONLY] done".to_owned(),
                }
            }
            ["UID", "FETCH", set, items @ ..] => {
                let items = items.join(" ");
                let notes_behind = mailbox.notes_behind;
                for (number, kept) in (1..).zip(&mut mailbox.messages) {
                    if !contains(set, kept.uid) {
                        continue;
                    }
                    let start = format!("* {number} FETCH (UID {}", kept.uid);
                    kept.seen |= items.contains("BODY[");
                    match items.as_str() {
                        "(UID)" => say(format!("{start})\r\n")),
                        "(UID INTERNALDATE)" => {
                            let date = &kept.internal_date;
                            say(format!("{start} INTERNALDATE \"{date}\")\r\n"));
                        }
                        "(UID RFC822.SIZE)" => {
                            let size = kept.message.listed_size();
                            say(format!("{start} RFC822.SIZE {size})\r\n"));
                        }
                        "(UID FLAGS INTERNALDATE BODY.PEEK[])" => {
                            let size = kept.message.size();
                            let seen = if kept.seen { "\\Seen " } else { "" };
                            let (flags, date) = (kept.flags.trim(), &kept.internal_date);
                            let notes = format!(" FLAGS ({seen}{flags}) INTERNALDATE \"{date}\"");
                            let (before, behind) = match notes_behind {
                                true => (String::new(), notes),
                                false => (notes, String::new()),
                            };
                            let start = format!("{start}{before} BODY[] {{{size}}}\r\n");
                            pieces.push(Piece::Text(start));
                            pieces.push(Piece::Message(kept.message.clone()));
                            pieces.push(Piece::Text(format!("{behind})\r\n")));
                            break;
                        }
                        "(UID BODY.PEEK[HEADER])" => {
                            let octets = kept.message.octets();
                            let text = String::from_utf8_lossy(&octets);
                            let end = text.find("\r\n\r\n").map_or(text.len(), |at| at + 4);
                            let header = &text[..end];
                            let size = header.len();
                            say(format!("{start} BODY[HEADER] {{{size}}}\r\n{header})\r\n"));
                        }
                        _ => panic!("what is {items}?"),
                    }
                }
                "OK done".into()
            }
            ["UID", "STORE", set, ..] if mailbox.unmarkable.iter().any(|it| contains(set, *it)) => {
                "NO cannot".into()
            }
            ["UID", "STORE", set, "+FLAGS.SILENT", "(\\Deleted)"] => {
                let named = mailbox.messages.iter_mut();
                named
                    .filter(|kept| contains(set, kept.uid))
                    .for_each(|kept| kept.deleted = true);
                "OK done".into()
            }
            ["UID", "EXPUNGE", set] => {
                let mut number = 0;
                mailbox.messages.retain(|kept| {
                    let goes = kept.deleted && contains(set, kept.uid);
                    number += u32::from(!goes);
                    if goes {
                        say(format!("* {} EXPUNGE\r\n", number + 1));
                    }
                    !goes
                });
                "OK done".into()
            }
            ["LOGOUT"] => {
                say("* BYE bye\r\n".into());
                "OK done".into()
            }
            ["ID", ..] => "OK done".into(),
            ["STARTTLS"] if self.in_clear => "OK begin".into(),
            _ => "BAD unknown command".into(),
        };
        pieces.push(Piece::Text(format!("{tag} {done}\r\n")));
        pieces
    }
}

fn sign_in(is_right: bool, mailbox: &Mailbox) -> String {
    match is_right {
        true => format!("OK [CAPABILITY {}] in", mailbox.capabilities),
        false => "NO [AUTHENTICATIONFAILED] wrong".into(),
    }
}

/// Whether a set like `1:3,7` or `1:*` has this UID.
fn contains(set: &str, uid: u32) -> bool {
    set.split(',').any(|range| {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let last = if last == "*" {
            u32::MAX
        } else {
            last.parse().unwrap()
        };
        (first.parse().unwrap()..=last).contains(&uid)
    })
}

/// Whether all of it went out.
fn send(wire: &mut Wire, pieces: Vec<Piece>, limit: Option<usize>) -> bool {
    let mut left = limit.unwrap_or(usize::MAX);
    // What is small shares a packet.
    let mut waiting = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => waiting.extend(text.bytes()),
            Piece::Message(message) => {
                let mut source = message.read();
                let mut part = vec![0; 1 << 16];
                loop {
                    let length = source.read(&mut part).unwrap();
                    if length == 0 {
                        break;
                    }
                    waiting.extend(&part[..length]);
                    if waiting.len() >= 1 << 16 && !flush(wire, &mut waiting, &mut left) {
                        return false;
                    }
                }
            }
        }
    }
    flush(wire, &mut waiting, &mut left)
}

fn flush(wire: &mut Wire, waiting: &mut Vec<u8>, left: &mut usize) -> bool {
    let length = waiting.len().min(*left);
    *left -= length;
    let sent = wire.write(&waiting[..length]).is_ok();
    waiting.clear();
    sent && *left > 0
}

struct Ended<'a>(&'a Shared, usize);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.note(self.1, |session| session.ended = true);
    }
}
