//! A mail server of one's own that takes messages by LMTP (RFC 2033), as Dovecot, Cyrus and Postfix do.
//!
//! ```text
//! LHLO ──> MAIL FROM, RCPT TO, DATA ──> message, "." ──> the answer for the one recipient
//!          in one flight with PIPELINING
//! ```
//! A connection for all messages of a run, one after another: what is said of the next one waits for the
//! answer about the one before, so that at most one is in flight without an answer. Where the server closes
//! the connection between two, each has one of its own. Until the `.` has left nothing is taken, whatever
//! happens; behind it a connection that is lost leaves open whether it was, and it is handed on once more:
//! rather twice than never.

mod data;
mod outgoing;
mod wire;

use super::words::Words;
use super::{Answer, Unable};
use crate::exit::{Status, is_scarce, scarcity};
use crate::stop::Stop;
use crate::term::escape;
use outgoing::{Abilities, Outgoing};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use wire::{Broken, Reply, Unsent, Wire};

/// How long a server may go on that has the whole message when popfetch is asked to stop: what it has begun
/// is better done than done twice.
const GRACE: Duration = Duration::from_secs(5);

/// A connection on which nothing was said for so long is not used again: a server may be about to close it.
const IDLE: Duration = Duration::from_secs(30);

/// How long a server may take for its greeting while somebody waits for a test.
const GREETING: Duration = Duration::from_secs(20);

/// A server, and whose mail it is there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lmtp {
    /// Where it listens.
    pub place: Place,
    /// Whom it is told that the messages are for, with words in braces ([`Words`]).
    pub recipient: String,
    /// How long it may take for a message.
    pub deadline: Duration,
}

/// Where an LMTP server listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// At a socket of this machine.
    Unix(PathBuf),
    /// At a TCP port. LMTP has no TLS: what goes to another machine can be read on the way.
    Tcp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

impl fmt::Display for Lmtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}", self.place, self.recipient)
    }
}

/// The connection that messages are sent over, one after another.
#[derive(Default)]
pub(super) struct Line {
    open: Option<Box<Open>>,
    /// It took no further message, or was closed between two: each has one of its own from then on.
    is_cut: bool,
}

/// A connection on which nothing is under way.
struct Open {
    wire: Wire,
    abilities: Abilities,
    since: Instant,
}

/// How sending it has ended.
enum Sent {
    /// With this answer, and a connection that may be used for another message.
    Open(Answer, Box<Open>),
    /// With this answer.
    Done(Answer),
    /// The server does not begin with it on this connection, and may on another: why.
    NotBegun(Answer),
}

impl Lmtp {
    /// Gives it a message, which is the file, over the line where that is open.
    pub(super) fn hand(&self, line: &mut Line, words: &Words, file: File, stop: &Stop) -> Answer {
        let outgoing = Outgoing::of(file, words.fill(&self.recipient));
        let mut outgoing = match outgoing {
            Ok(outgoing) => outgoing,
            Err(error) => return Answer::Later(format!("it cannot be read: {error}")),
        };
        let until = Instant::now() + self.deadline;
        let mut is_repeated = false;
        if let Some(mut open) = line.fresh() {
            let sent = match open.wire.renew(until) {
                Ok(()) => self.send(open, &mut outgoing),
                Err(broken) => Sent::NotBegun(self.broke(broken)),
            };
            match sent {
                Sent::NotBegun(Answer::Later(_) | Answer::Refused(_))
                    if stop.requested().is_none() =>
                {
                    is_repeated = true;
                }
                sent => return line.keep(sent),
            }
        }
        match self.greet(until, stop) {
            Ok(open) => {
                let sent = self.send(Box::new(open), &mut outgoing);
                // The same message goes over a connection of its own.
                line.is_cut |= is_repeated && !matches!(sent, Sent::NotBegun(_));
                line.keep(sent)
            }
            Err(answer) => answer,
        }
    }

    fn send(&self, mut open: Box<Open>, outgoing: &mut Outgoing) -> Sent {
        let limit = open.abilities.sizes.filter(|limit| *limit > 0);
        let octets = outgoing.measures.octets;
        if let Some(limit) = limit.filter(|limit| octets > *limit) {
            let what = format!("it takes no message of {octets} octets, only up to {limit}");
            return Sent::Open(Answer::Refused(self.says(&what)), open);
        }
        let commands = outgoing.commands(open.abilities);
        if let Err(ended) = self.begin(&mut open, &commands) {
            return ended;
        }
        match open.wire.send_message(&mut outgoing.file) {
            Ok(()) => {}
            // Without its end nothing is taken.
            Err(Unsent::Message(error)) => {
                return Sent::Done(Answer::Later(format!("it cannot be read: {error}")));
            }
            Err(Unsent::Wire(broken)) => return Sent::Done(self.broke(broken)),
        }
        open.wire.allow(GRACE);
        match open.wire.reply() {
            Ok(reply) if reply.is_yes() => Sent::Open(Answer::Taken(None), open),
            Ok(reply) if reply.is_no() => Sent::Open(self.refused(&reply), open),
            Ok(reply) => Sent::Done(self.unclear(&format!("it answers the message with {reply}"))),
            Err(broken) => Sent::Done(self.unclear(&broken.to_string())),
        }
    }

    /// Connects and greets, as a test: what the server says of itself.
    ///
    /// # Errors
    /// It is not there, or does not speak LMTP.
    pub fn test(&self, stop: &Stop) -> Result<String, Unable> {
        let until = Instant::now() + self.deadline.min(GREETING);
        match self.greet(until, stop) {
            Ok(open) => Ok(escape(open.wire.leave().greeting())),
            Err(Answer::Unable(unable)) => Err(unable),
            Err(
                Answer::Later(what)
                | Answer::Hangs(what)
                | Answer::Unclear { why: what, .. }
                | Answer::Refused(what),
            ) => Err(Unable {
                what,
                hint: kept(
                    "something is there, and does not answer as an LMTP server does: is it the right \
                     socket or port in `deliver`?",
                ),
                status: Status::Temporary,
            }),
            Err(
                Answer::Ready(_)
                | Answer::Taken(_)
                | Answer::Appended(_)
                | Answer::Put { .. }
                | Answer::NotFound { .. }
                | Answer::Compared(_)
                | Answer::Damaged(_),
            ) => Ok(String::new()),
        }
    }

    fn greet(&self, until: Instant, stop: &Stop) -> Result<Open, Answer> {
        let wire = Wire::connect(&self.place, until, stop);
        let mut wire = wire.map_err(|error| self.unreachable(&error))?;
        let greeting = wire.reply().map_err(|broken| self.broke(broken))?;
        if !greeting.is_yes() {
            return Err(self.not_now(&greeting));
        }
        wire.greeted_with(greeting);
        // Servers want a name, and none of them looks it up where the client is at home.
        let sent = wire.send("LHLO localhost\r\n");
        let reply = sent.and_then(|()| wire.reply());
        let reply = reply.map_err(|broken| self.broke(broken))?;
        match reply.is_yes() {
            true => Ok(Open {
                wire,
                abilities: Abilities::of(&reply),
                since: Instant::now(),
            }),
            false if reply.is_for_now() => Err(self.not_now(&reply)),
            false => Err(Answer::Unable(Unable {
                what: self.says(&format!("it does not speak LMTP: {reply}")),
                hint: kept(
                    "an SMTP server is something else; name one that speaks LMTP in `deliver`",
                ),
                status: Status::Config,
            })),
        }
    }

    /// Up to where the message may be sent. Where that does not come, the connection goes without another
    /// word: an empty message must not be sent to anybody where the server takes DATA all the same.
    fn begin(&self, open: &mut Open, commands: &[String; 3]) -> Result<(), Sent> {
        let wire = &mut open.wire;
        let mut begun = false;
        if open.abilities.pipelines {
            let flight: String = commands.iter().map(|it| format!("{it}\r\n")).collect();
            let sent = wire.send(&flight);
            sent.map_err(|broken| Sent::NotBegun(self.broke(broken)))?;
        }
        for command in commands {
            let ended = |answer| match begun {
                true => Sent::Done(answer),
                false => Sent::NotBegun(answer),
            };
            if !open.abilities.pipelines {
                let sent = wire.send(&format!("{command}\r\n"));
                sent.map_err(|broken| ended(self.broke(broken)))?;
            }
            let reply = wire.reply().map_err(|broken| ended(self.broke(broken)))?;
            let is_data = command == "DATA";
            if reply.code == 354 && is_data || reply.is_yes() && !is_data {
                begun = true;
                continue;
            }
            return Err(ended(match reply.is_no() {
                true => self.refused(&reply),
                false => Answer::Later(self.says(&format!("it answers with {reply}"))),
            }));
        }
        Ok(())
    }

    /// A 4xx may be another one in a while; a 5xx is about this message.
    fn refused(&self, reply: &Reply) -> Answer {
        match reply.is_for_now() {
            true => Answer::Later(self.says(&format!("it cannot take it now: {reply}"))),
            false => Answer::Refused(self.says(&format!("it did not take it: {reply}"))),
        }
    }

    fn not_now(&self, reply: &Reply) -> Answer {
        let (what, hint) = match reply.is_for_now() {
            true => (
                "it takes no mail now",
                "this will pass: the next run tries again",
            ),
            false => (
                "it takes no mail from here",
                "what it says is for whoever runs it; is it the right server in `deliver`?",
            ),
        };
        Answer::Unable(Unable {
            what: self.says(&format!("{what}: {reply}")),
            hint: kept(hint),
            status: Status::Temporary,
        })
    }

    /// Nothing of the message has been taken.
    fn broke(&self, broken: Broken) -> Answer {
        if let Broken::Early(octets) = &broken
            && let Some(reply) = Reply::of_no(octets)
            && !reply.is_for_now()
        {
            return Answer::Refused(self.says(&broken.to_string()));
        }
        let is_slow = matches!(broken, Broken::OutOfTime);
        let what = self.says(&broken.to_string());
        match is_slow {
            true => Answer::Hangs(what),
            false => Answer::Later(what),
        }
    }

    /// It may have been taken. With the others the same would happen, so that they wait.
    fn unclear(&self, why: &str) -> Answer {
        let what = format!(
            "{why} once it had all of it, and nobody knows whether it was taken: it is handed on once more"
        );
        Answer::Hangs(self.says(&what))
    }

    fn unreachable(&self, error: &io::Error) -> Answer {
        let is_wrong = matches!(
            error.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput
        );
        let status = match is_wrong && !is_scarce(error) {
            true => Status::Config,
            false => Status::Temporary,
        };
        Answer::Unable(Unable {
            what: format!("cannot connect to {}: {error}", self.place),
            hint: match scarcity(error) {
                Some(scarce) => kept(scarce),
                None => kept(self.place.way_to_reach(error)),
            },
            status,
        })
    }

    fn says(&self, what: &str) -> String {
        format!("{}: {what}", self.place)
    }
}

/// What every hint ends with: nothing is lost.
fn kept(way: &str) -> String {
    format!("{way}; what was fetched is kept until it works")
}

impl Place {
    /// What to do where it cannot be connected to.
    fn way_to_reach(&self, error: &io::Error) -> &'static str {
        match (self, error.kind()) {
            (Self::Unix(_), io::ErrorKind::NotFound) => {
                "there is no such socket: is the LMTP server running, and is this where it listens? \
                 `deliver` in the config file names it"
            }
            (Self::Unix(_), io::ErrorKind::PermissionDenied) => {
                "you need the right to write to the socket, and to enter its directory: the LMTP \
                 server's own settings say who has it"
            }
            (Self::Unix(_), io::ErrorKind::ConnectionRefused) => {
                "the socket is there and nobody listens to it: start the LMTP server"
            }
            (Self::Tcp { .. }, io::ErrorKind::ConnectionRefused) => {
                "nobody listens on this port: is the LMTP server running, and is it the right one in \
                 `deliver`?"
            }
            (Self::Tcp { .. }, _) => {
                "check the network, and the host and the port in `deliver` in the config file"
            }
            (Self::Unix(_), _) => {
                "is it the socket of an LMTP server? `deliver` in the config file names it"
            }
        }
    }
}

impl Line {
    /// The connection, where it is of use still.
    fn fresh(&mut self) -> Option<Box<Open>> {
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.since.elapsed() >= IDLE)
        {
            self.close();
        }
        self.open.take()
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.wire.leave();
        }
    }

    /// Keeps the connection for the next message, where servers do not close it.
    fn keep(&mut self, sent: Sent) -> Answer {
        match sent {
            Sent::Open(answer, mut open) => {
                open.since = Instant::now();
                self.open = Some(open);
                if self.is_cut {
                    self.close();
                }
                answer
            }
            Sent::Done(answer) | Sent::NotBegun(answer) => answer,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.close();
    }
}
