//! A mail server of one's own that takes messages by LMTP (RFC 2033), as Dovecot, Cyrus and Postfix do.
//!
//! ```text
//! LHLO ──> MAIL FROM, RCPT TO, DATA ──> message, "." ──> the answer for the one recipient
//!          in one flight with PIPELINING
//! ```
//! A connection for each message. Until the `.` has left nothing is taken, whatever happens; behind it a
//! connection that is lost leaves open whether it was, and it is handed on once more: rather twice
//! than never.

mod data;
mod wire;

use super::envelope::sender;
use super::words::Words;
use super::{Answer, Unable};
use crate::exit::{Status, is_scarce};
use crate::stop::Stop;
use crate::term::escape;
use data::{Measures, measure};
use std::fmt;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use wire::{Broken, Reply, Wire};

/// How long a server may go on that has the whole message when popfetch is asked to stop: what it has begun
/// is better done than done twice.
const GRACE: Duration = Duration::from_secs(5);

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

/// What a server says that it can do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Abilities {
    /// Commands may be sent ahead (RFC 2920).
    pipelines: bool,
    /// Octets beyond ASCII (RFC 6152).
    takes_8_bits: bool,
    /// It wants to know sizes (RFC 1870), and takes none above this one where it is not zero.
    sizes: Option<u64>,
}

impl Lmtp {
    /// Gives it a message, which is the file.
    pub(super) fn hand(&self, words: &Words, mut file: File, stop: &Stop) -> Answer {
        let mut measured = || -> io::Result<(Measures, Option<String>)> {
            let measures = measure(&mut file)?;
            file.seek(SeekFrom::Start(0))?;
            let sender = sender(&mut file)?;
            Ok((measures, sender))
        };
        let (measures, sender) = match measured() {
            Ok(measured) => measured,
            Err(error) => return Answer::Later(format!("it cannot be read: {error}")),
        };
        let until = Instant::now() + self.deadline;
        let (mut wire, abilities) = match self.greet(until, stop) {
            Ok(greeted) => greeted,
            Err(answer) => return answer,
        };
        let limit = abilities.sizes.filter(|limit| *limit > 0);
        if let Some(limit) = limit.filter(|limit| measures.octets > *limit) {
            let octets = measures.octets;
            let what = format!("it takes no message of {octets} octets, only up to {limit}");
            wire.leave();
            return Answer::Refused(self.says(&what));
        }
        let sender = sender.unwrap_or_default();
        let mut mail = format!("MAIL FROM:<{sender}>");
        if abilities.sizes.is_some() {
            mail.push_str(&format!(" SIZE={}", measures.octets));
        }
        if abilities.takes_8_bits && measures.has_8_bits {
            mail.push_str(" BODY=8BITMIME");
        }
        let recipient = words.fill(&self.recipient);
        let commands = [mail, format!("RCPT TO:<{recipient}>"), "DATA".to_owned()];
        let begun = self.begin(&mut wire, abilities, &commands);
        if let Err(answer) = begun {
            return answer;
        }
        match wire.send_message(&mut file) {
            Ok(()) => {}
            Err(wire::Unsent::Message(error)) => {
                // Without its end nothing is taken.
                return Answer::Later(format!("it cannot be read: {error}"));
            }
            Err(wire::Unsent::Wire(broken)) => return self.broke(broken),
        }
        wire.allow(GRACE);
        match wire.reply() {
            Ok(reply) if reply.is_yes() => {
                wire.leave();
                Answer::Taken(None)
            }
            Ok(reply) if reply.is_no() => {
                wire.leave();
                self.refused(&reply)
            }
            Ok(reply) => self.unclear(&format!("it answers the message with {reply}")),
            Err(broken) => self.unclear(&broken.to_string()),
        }
    }

    /// Connects and greets, as a test: what the server says of itself.
    ///
    /// # Errors
    /// It is not there, or does not speak LMTP.
    pub fn test(&self, stop: &Stop) -> Result<String, Unable> {
        let until = Instant::now() + self.deadline.min(GREETING);
        match self.greet(until, stop) {
            Ok((wire, _)) => Ok(escape(wire.leave().greeting())),
            Err(Answer::Unable(unable)) => Err(unable),
            Err(Answer::Later(what) | Answer::Hangs(what) | Answer::Refused(what)) => Err(Unable {
                what,
                hint: HINT.to_owned(),
                status: Status::Temporary,
            }),
            Err(Answer::Ready(_) | Answer::Taken(_) | Answer::Appended(_) | Answer::Damaged(_)) => {
                Ok(String::new())
            }
        }
    }

    fn greet<'a>(&self, until: Instant, stop: &'a Stop) -> Result<(Wire<'a>, Abilities), Answer> {
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
            true => Ok((wire, Abilities::of(&reply))),
            false if reply.is_for_now() => Err(self.not_now(&reply)),
            false => Err(Answer::Unable(Unable {
                what: self.says(&format!("it does not speak LMTP: {reply}")),
                hint: "an SMTP server is something else; name one that speaks LMTP in `deliver`"
                    .to_owned(),
                status: Status::Config,
            })),
        }
    }

    /// Up to where the message may be sent.
    fn begin(
        &self,
        wire: &mut Wire<'_>,
        abilities: Abilities,
        commands: &[String; 3],
    ) -> Result<(), Answer> {
        if abilities.pipelines {
            let flight: String = commands.iter().map(|it| format!("{it}\r\n")).collect();
            wire.send(&flight).map_err(|broken| self.broke(broken))?;
        }
        for command in commands {
            if !abilities.pipelines {
                let sent = wire.send(&format!("{command}\r\n"));
                sent.map_err(|broken| self.broke(broken))?;
            }
            let reply = wire.reply().map_err(|broken| self.broke(broken))?;
            let is_data = command == "DATA";
            if reply.code == 354 && is_data || reply.is_yes() && !is_data {
                continue;
            }
            // The connection goes without another word: an empty message must not be sent to anybody
            // where the server takes DATA all the same.
            return Err(match reply.is_no() {
                true => self.refused(&reply),
                false => Answer::Later(self.says(&format!("it answers with {reply}"))),
            });
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
        Answer::Unable(Unable {
            what: self.says(&format!("it takes no mail now: {reply}")),
            hint: HINT.to_owned(),
            status: Status::Temporary,
        })
    }

    /// Nothing of the message has been taken.
    fn broke(&self, broken: Broken) -> Answer {
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
            hint: HINT.to_owned(),
            status,
        })
    }

    fn says(&self, what: &str) -> String {
        format!("{}: {what}", self.place)
    }
}

const HINT: &str = "is the LMTP server running, and may you connect to it? `deliver` in the config file \
                    names it; what was fetched is kept until it works";

impl Abilities {
    /// The lines behind the first one of the reply to LHLO, each a word with parameters.
    fn of(reply: &Reply) -> Self {
        let mut abilities = Self::default();
        for line in reply.lines().skip(1) {
            let line = String::from_utf8_lossy(line).to_ascii_uppercase();
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("PIPELINING") => abilities.pipelines = true,
                Some("8BITMIME") => abilities.takes_8_bits = true,
                Some("SIZE") => {
                    let limit = words.next().and_then(|word| word.parse().ok());
                    abilities.sizes = Some(limit.unwrap_or(0));
                }
                _ => {}
            }
        }
        abilities
    }
}
