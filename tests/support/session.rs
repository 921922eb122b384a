//! One session of the embedded server: RFC 1939 and 2449.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};

use super::behaviour::{Behaviour, Limit, Reply};
use super::maildrop::{Contents, ExclusiveAccess};
use super::outbox::{Outbox, Stop};
use super::sasl::{self, Dialogue, Turn};
use super::server::{CommandSeen, How, Shared};
use super::wire::{Ending, Lines, Wire};

/// Serves one client until the session ends, one way or another.
pub(super) fn serve(shared: &Shared, index: usize, behaviour: Behaviour, wire: Wire) -> How {
    let outbox = Outbox::new(wire, &behaviour);
    let mut session = Session {
        shared,
        index,
        behaviour,
        outbox,
        user: Vec::new(),
        dialogue: None,
        refusal: None,
        encrypted: !shared.starts_in_clear,
        transaction: None,
        commands: 0,
        flights: 0,
        retrieved: 0,
        held: Vec::new(),
        given: 0,
        late: Vec::new(),
    };
    let stop = match session.run() {
        Ok(()) => Stop::Ended(How::Left, Ending::Close),
        Err(stop) => stop,
    };
    if matches!(stop, Stop::Ended(How::Quit, _)) {
        // Of a client that is gone it is known already how it left.
        let _gone = session.follow_up();
    }
    // The lock is free and the log complete before the client can see the end.
    session.transaction = None;
    session.write_log();
    match stop {
        Stop::Ended(how, ending) => {
            session.outbox.wire.end(ending);
            how
        }
        Stop::Failed(error) => match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => How::Left,
            _ => How::Failed(error.to_string()),
        },
    }
}

struct Session<'a> {
    shared: &'a Shared,
    index: usize,
    behaviour: Behaviour,
    outbox: Outbox,
    user: Vec<u8>,
    /// AUTH is under way: the next line is a response.
    dialogue: Option<Dialogue>,
    /// What it says instead of that the password is wrong.
    refusal: Option<Vec<u8>>,
    /// Without, where it can be had by STLS, nobody is signed in.
    encrypted: bool,
    transaction: Option<Transaction>,
    commands: usize,
    flights: u64,
    /// RETRs so far, and an answer to one that waits for the next (see [`Behaviour::weaves`]).
    retrieved: usize,
    held: Vec<u8>,
    /// RETRs so far (see [`Behaviour::gives`]).
    given: usize,
    /// See [`Reply::Late`].
    late: Vec<u8>,
}

struct Transaction {
    contents: Arc<Contents>,
    deleted: BTreeSet<usize>,
    retrieved: BTreeSet<usize>,
    /// Messages behind this index are not shown.
    shown: usize,
    /// Numbers are places among the messages that are left.
    renumbers: bool,
    _lock: ExclusiveAccess,
}

/// How much later [`Reply::Late`] is.
const LATE: Duration = Duration::from_millis(10);

const UNKNOWN: &[u8] = b"-ERR unknown command\r\n";

impl Session<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        let mut lines = Lines::default();
        self.outbox.send(&self.behaviour.greeting.clone())?;
        loop {
            while let Some(line) = lines.next() {
                let before = self.encrypted;
                let signed_in = self.transaction.is_some();
                if let Some((keyword, ending)) = self.behaviour.crowded
                    && line.starts_with(keyword.as_bytes())
                    && !lines.is_empty()
                {
                    match ending {
                        Some(ending) => return self.end(ending),
                        None => lines = Lines::default(),
                    }
                }
                self.receive(&line)?;
                if self.transaction.is_some() != signed_in
                    && self.behaviour.loses_what_follows_sign_in
                {
                    lines = Lines::default();
                }
                if self.encrypted && !before {
                    self.start_tls(&lines)?;
                }
            }
            self.let_go()?;
            if !self.late.is_empty() {
                self.follow_up()?;
            }
            if !self.outbox.has_input(self.behaviour.latency)? {
                self.flights += u64::from(self.outbox.flush()?);
                self.write_log();
            }
            if !lines.fill(&mut self.outbox.wire)? {
                return Ok(());
            }
        }
    }

    fn start_tls(&mut self, lines: &Lines) -> Result<(), Stop> {
        self.outbox.flush()?;
        let failed = |text: &str| Stop::Ended(How::Failed(text.to_owned()), Ending::Reset);
        if !lines.is_empty() {
            return Err(failed("there is something in clear behind STLS"));
        }
        let config = self.shared.after_stls().unwrap();
        let shaken = self.outbox.wire.start_tls(config);
        shaken.map_err(|error| failed(&error.to_string()))
    }

    fn write_log(&self) {
        self.shared.log(self.index, |log| {
            (log.octets_sent, log.flights) = (self.outbox.sent, self.flights);
        });
    }

    fn receive(&mut self, line: &[u8]) -> Result<(), Stop> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = String::from_utf8_lossy(line).into_owned();
        let seen = CommandSeen {
            session: self.index,
            index: self.commands,
            line: text.clone(),
        };
        self.commands += 1;
        self.shared
            .log(self.index, |log| log.commands.push(text.clone()));
        if let Some(hook) = &self.shared.hook {
            hook(&seen);
        }
        if !self.behaviour.delay.is_zero() {
            self.outbox.flush()?;
            thread::sleep(self.behaviour.delay);
        }
        if !self.behaviour.weaves.is_empty() {
            return self.weave(line);
        }
        let mut reply = self.behaviour.reply_to(&text);
        if text.starts_with("RETR ")
            && let Some((most, instead)) = &self.behaviour.gives
        {
            self.given += 1;
            if self.given > *most {
                reply = Some(instead.clone());
            }
        }
        if let Some((limit, instead)) = &self.behaviour.enough {
            let is_reached = match limit {
                Limit::Commands(most) => self.commands > *most,
                Limit::Octets(most) => self.outbox.sent >= *most,
            };
            if is_reached {
                reply = Some(instead.clone());
            }
        }
        match reply {
            None => self.answer(line),
            Some(Reply::Remade(remake)) => {
                self.outbox.catch();
                let answered = self.answer(line);
                let octets = self.outbox.caught();
                self.outbox.send(&remake(octets))?;
                answered
            }
            Some(Reply::Prefix(octets)) => {
                self.outbox.send(&octets)?;
                self.answer(line)
            }
            Some(Reply::Suffix(octets)) => {
                let answered = self.answer(line);
                self.outbox.send(&octets)?;
                answered
            }
            Some(Reply::Late(octets)) => {
                let answered = self.answer(line);
                self.late.extend(octets);
                answered
            }
            Some(Reply::Raw(octets)) => self.outbox.send(&octets),
            Some(Reply::RawThenEnd(octets, ending)) => {
                self.outbox.send(&octets)?;
                self.end(ending)
            }
            Some(Reply::End(ending)) => self.end(ending),
            Some(Reply::AnswerThenEnd(ending)) => match self.answer(line) {
                Ok(()) | Err(Stop::Ended(How::Quit, _)) => self.end(ending),
                Err(stop) => Err(stop),
            },
            Some(Reply::EffectThenEnd(ending)) => {
                self.outbox.mute();
                match self.answer(line) {
                    Ok(()) | Err(Stop::Ended(How::Quit, _)) => self.end(ending),
                    Err(stop) => Err(stop),
                }
            }
        }
    }

    /// What comes late.
    fn follow_up(&mut self) -> Result<(), Stop> {
        let late = std::mem::take(&mut self.late);
        if !late.is_empty() {
            self.outbox.flush()?;
            thread::sleep(LATE);
            self.outbox.send(&late)?;
        }
        self.outbox.flush()?;
        // Of a client that is gone nothing more is passed on.
        match !late.is_empty() && self.outbox.wire.is_left() {
            true => Err(io::Error::from(io::ErrorKind::BrokenPipe).into()),
            false => Ok(()),
        }
    }

    fn weave(&mut self, line: &[u8]) -> Result<(), Stop> {
        if !line.starts_with(b"RETR ") {
            self.let_go()?;
            return self.answer(line);
        }
        self.outbox.catch();
        let answered = self.answer(line);
        let mut octets = self.outbox.caught();
        let last = self.retrieved.checked_sub(1);
        let mut places = self.behaviour.weaves.iter();
        let place = places.find(|(retrieved, _)| Some(*retrieved) == last);
        if let (Some((_, place)), false) = (place, self.held.is_empty()) {
            let line_end = |octets: &[u8]| octets.iter().position(|it| *it == b'\n').unwrap() + 1;
            let status: Vec<u8> = octets.drain(..line_end(&octets)).collect();
            let place = (line_end(&self.held) + place).min(self.held.len() - 5);
            self.held.splice(place..place, status);
        }
        self.let_go()?;
        self.retrieved += 1;
        self.held = octets;
        answered
    }

    fn let_go(&mut self) -> Result<(), Stop> {
        let held = std::mem::take(&mut self.held);
        self.outbox.send(&held)
    }

    fn end(&mut self, ending: Ending) -> Result<(), Stop> {
        self.outbox.flush()?;
        Err(Stop::cut(ending))
    }

    fn answer(&mut self, line: &[u8]) -> Result<(), Stop> {
        if let Some(dialogue) = self.dialogue.take() {
            return self.converse(dialogue, line);
        }
        let mut words = line.splitn(2, |octet| *octet == b' ');
        let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
        let argument = words.next().unwrap_or_default();
        match (keyword.as_slice(), self.transaction.is_some()) {
            (b"CAPA", after) => self.capa(after),
            (b"QUIT", _) => self.quit(),
            (b"STLS", false) if !self.encrypted => {
                self.encrypted = true;
                self.outbox.send(b"+OK begin TLS\r\n")
            }
            (b"USER" | b"PASS" | b"AUTH", false) if !self.encrypted => {
                self.outbox.send(b"-ERR STLS first\r\n")
            }
            (b"USER", false) => {
                self.user = argument.to_vec();
                self.outbox.send(b"+OK\r\n")
            }
            (b"PASS", false) => {
                let user = std::mem::take(&mut self.user);
                self.sign_in(&user, argument)
            }
            (b"AUTH", false) => self.authenticate(argument),
            (b"APOP", false) => {
                let password = &self.shared.password;
                let digest = sasl::apop(&self.behaviour.greeting, password).unwrap_or_default();
                let right = format!("{} {digest}", self.shared.user);
                self.let_in(argument == right.as_bytes())
            }
            (keyword, true) => self.transact(keyword, &String::from_utf8_lossy(argument)),
            (_, false) => self.outbox.send(UNKNOWN),
        }
    }

    fn capa(&mut self, after: bool) -> Result<(), Stop> {
        let tags = match after {
            true => &self.behaviour.capabilities_after,
            false => &self.behaviour.capabilities_before,
        };
        let stls = match self.encrypted {
            true => "",
            false => "STLS\r\n",
        };
        let answer = format!(
            "+OK\r\n{stls}{}.\r\n",
            tags.join("\r\n") + if tags.is_empty() { "" } else { "\r\n" }
        );
        self.outbox.send(answer.as_bytes())
    }

    /// RFC 5034 section 4: a mechanism, and perhaps an initial response.
    fn authenticate(&mut self, argument: &[u8]) -> Result<(), Stop> {
        let argument = String::from_utf8_lossy(argument).into_owned();
        let (name, response) = match argument.split_once(' ') {
            Some((name, _)) if self.behaviour.ignores_initial_responses => (name, None),
            Some((name, response)) => (name, Some(response)),
            None => (argument.as_str(), None),
        };
        let binding = self.outbox.wire.tls_exporter();
        let name = name.to_ascii_uppercase();
        let mut scram = self.behaviour.scram.clone();
        self.refusal = self
            .behaviour
            .other_binding
            .clone()
            .filter(|_| name.ends_with("-PLUS"));
        if self.refusal.is_some() {
            scram.binding = Some("of another kind".into());
        }
        let Some(dialogue) = Dialogue::begin(&name, &scram, binding) else {
            return self.outbox.send(b"-ERR unknown mechanism\r\n");
        };
        match response {
            Some(_) if !dialogue.takes_initial_response() => {
                self.outbox
                    .send(b"-ERR Protocol error. Connection is closed. 10\r\n")?;
                self.end(Ending::Close)
            }
            Some("=") => self.converse(dialogue, b""),
            Some(response) => self.converse(dialogue, response.as_bytes()),
            None => match self.behaviour.prompt.clone() {
                Some(prompt) => {
                    self.dialogue = Some(dialogue);
                    self.outbox.send(&prompt)
                }
                None => {
                    let prompt = dialogue.prompt();
                    self.ask(dialogue, &prompt)
                }
            },
        }
    }

    fn ask(&mut self, dialogue: Dialogue, challenge: &str) -> Result<(), Stop> {
        self.dialogue = Some(dialogue);
        let line = format!("+ {}\r\n", BASE64_STANDARD.encode(challenge));
        self.outbox.send(line.as_bytes())
    }

    fn converse(&mut self, mut dialogue: Dialogue, response: &[u8]) -> Result<(), Stop> {
        if response == b"*" {
            return self.outbox.send(b"-ERR cancelled\r\n");
        }
        let decoded = BASE64_STANDARD.decode(response).ok();
        let Some(message) = decoded.and_then(|octets| String::from_utf8(octets).ok()) else {
            return self.outbox.send(b"-ERR malformed response\r\n");
        };
        let shared = self.shared;
        match dialogue.answer(&message, &shared.user, &shared.password) {
            Turn::Ask(challenge) => self.ask(dialogue, &challenge),
            Turn::Accept => self.let_in(true),
            Turn::Refuse => self.let_in(false),
        }
    }

    fn sign_in(&mut self, user: &[u8], password: &[u8]) -> Result<(), Stop> {
        let shared = self.shared;
        self.let_in(user == shared.user.as_bytes() && password == shared.password.as_bytes())
    }

    fn let_in(&mut self, is_right: bool) -> Result<(), Stop> {
        let shared = self.shared;
        if !is_right {
            let words = self.refusal.take();
            let words = words.unwrap_or(b"-ERR [AUTH] wrong user or password\r\n".into());
            return self.outbox.send(&words);
        }
        let Some(lock) = shared.maildrop.try_lock() else {
            return self.outbox.send(b"-ERR [IN-USE] maildrop is locked\r\n");
        };
        self.transaction = Some(Transaction {
            contents: shared.maildrop.contents(),
            deleted: BTreeSet::new(),
            retrieved: BTreeSet::new(),
            shown: self.behaviour.lists,
            renumbers: self.behaviour.renumbers,
            _lock: lock,
        });
        self.outbox.send(b"+OK signed in\r\n")
    }

    fn transact(&mut self, keyword: &[u8], argument: &str) -> Result<(), Stop> {
        let Some(transaction) = &mut self.transaction else {
            return self.outbox.send(UNKNOWN);
        };
        let outbox = &mut self.outbox;
        let index = transaction.index(argument.split(' ').next().unwrap_or_default());
        match (keyword, index) {
            (b"NOOP", _) => outbox.send(b"+OK\r\n"),
            (b"RSET", _) => {
                transaction.deleted.clear();
                outbox.send(b"+OK\r\n")
            }
            (b"STAT", _) => {
                let (count, octets) = transaction.drop_listing();
                outbox.send(format!("+OK {count} {octets}\r\n").as_bytes())
            }
            (b"LIST" | b"UIDL", _) if argument.is_empty() => {
                outbox.send(b"+OK\r\n")?;
                transaction.listing(keyword, outbox)?;
                outbox.send(b".\r\n")
            }
            (b"LIST" | b"UIDL", Some(index)) => {
                outbox.send(b"+OK ")?;
                outbox.send(&transaction.line(keyword, index))
            }
            (b"RETR", Some(index)) => {
                let message = Arc::clone(transaction.contents.message(index));
                transaction.retrieved.insert(index);
                outbox.send(format!("+OK {} octets\r\n", message.size()).as_bytes())?;
                outbox.send_body(&message, None)
            }
            (b"TOP", Some(index)) => match argument.split(' ').nth(1).map(str::parse) {
                Some(Ok(lines)) => {
                    outbox.send(b"+OK\r\n")?;
                    outbox.send_body(transaction.contents.message(index), Some(lines))
                }
                _ => outbox.send(b"-ERR TOP wants a number of lines\r\n"),
            },
            (b"DELE", Some(index)) => {
                transaction.deleted.insert(index);
                outbox.send(b"+OK\r\n")
            }
            (b"LIST" | b"UIDL" | b"RETR" | b"TOP" | b"DELE", None) => {
                outbox.send(b"-ERR no such message\r\n")
            }
            _ => outbox.send(UNKNOWN),
        }
    }

    fn quit(&mut self) -> Result<(), Stop> {
        if let Some(transaction) = self.transaction.take() {
            let mut gone = transaction.deleted;
            if self.behaviour.deletes_retrieved {
                gone.extend(transaction.retrieved);
            }
            self.shared.maildrop.remove(&transaction.contents, gone);
        }
        self.outbox.send(b"+OK bye\r\n")?;
        self.outbox.flush()?;
        Err(Stop::Ended(How::Quit, self.behaviour.ending))
    }
}

impl Transaction {
    /// The index of a message that is there and not marked as deleted.
    fn index(&self, number: &str) -> Option<usize> {
        let index = number.parse::<usize>().ok()?.checked_sub(1)?;
        if self.renumbers {
            return self.left().nth(index);
        }
        (index < self.count() && !self.deleted.contains(&index)).then_some(index)
    }

    fn left(&self) -> impl Iterator<Item = usize> {
        (0..self.count()).filter(|index| !self.deleted.contains(index))
    }

    fn count(&self) -> usize {
        self.contents.count().min(self.shown)
    }

    fn drop_listing(&self) -> (usize, u64) {
        let sizes = self.left().map(|i| self.contents.message(i).listed_size());
        (self.count() - self.deleted.len(), sizes.sum())
    }

    fn listing(&self, keyword: &[u8], outbox: &mut Outbox) -> Result<(), Stop> {
        if self.deleted.is_empty() && self.count() == self.contents.count() {
            return outbox.send(match keyword {
                b"LIST" => self.contents.scan_listing(),
                _ => self.contents.unique_id_listing(),
            });
        }
        self.left()
            .try_for_each(|index| outbox.send(&self.line(keyword, index)))
    }

    fn line(&self, keyword: &[u8], index: usize) -> Vec<u8> {
        let message = self.contents.message(index);
        let mut line = format!("{} ", index + 1).into_bytes();
        match keyword {
            b"LIST" => line.extend_from_slice(message.listed_size().to_string().as_bytes()),
            _ => line.extend_from_slice(&message.unique_id),
        }
        line.extend_from_slice(b"\r\n");
        line
    }
}
